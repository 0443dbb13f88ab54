// Undoing what VADD does to vectors: scaling, then quantising. What is looked for is not the vector that was
// given but one of which VADD makes the same element.
#include "engine/vector_set_commands.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/endian.hpp"

namespace persist {

namespace {

constexpr uint32_t kLinksOfCommandMin = 4;

Bytes quantisation_word(Quantisation quantisation) {
  constexpr Bytes kWords[] = {"NOQUANT", "Q8", "BIN"};
  return kWords[static_cast<size_t>(quantisation)];
}

// Beyond these bounds squares are infinite or nothing, and so are lengths that servers make of them.
bool is_usable_length(float length) {
  constexpr float kLeast = 1e-22F;
  constexpr float kMost = 1.8e19F;
  return length >= kLeast && length <= kMost;
}

class VectorRestorer {
 public:
  explicit VectorRestorer(const VectorSet& set) : set_(set) {
    tried_.quantisation = Quantisation::none;
    tried_.vector.resize(set.dimension());
  }

  // As FP32 has it, until the next call.
  Bytes restore(const VectorElement& element) {
    const float length = is_usable_length(element.length) ? element.length : 1;
    if (set_.quantisation() == Quantisation::q8)
      restore_q8(element, length);
    else if (set_.quantisation() == Quantisation::bin)
      restore_bin(element, length);
    else
      restore_floats(element, length);
    blob_ = float_bytes(tried_.vector);
    return blob_;
  }

 private:
  // The largest component has 127 steps, so each comes out as the number of steps that it had.
  void restore_q8(const VectorElement& element, float length) {
    constexpr double kSteps = 127;
    const bool is_range = element.range > 0 && std::isfinite(element.range);
    const double step = (is_range ? double{element.range} : 1) / kSteps * double{length};
    for (size_t i = 0; i < tried_.vector.size(); ++i) {
      const auto steps = static_cast<int8_t>(element.vector[i]);
      tried_.vector[i] = static_cast<float>(step * steps);
    }
  }

  void restore_bin(const VectorElement& element, float length) {
    const float size = length / std::sqrt(static_cast<float>(tried_.vector.size()));
    for (size_t i = 0; i < tried_.vector.size(); ++i) {
      const bool is_set = ((static_cast<uint8_t>(element.vector[i / 8]) >> (i % 8)) & 1) != 0;
      tried_.vector[i] = is_set ? size : -size;
    }
  }

  // Of each component one that the length divides to what is stored: as the vector was divided by it, there
  // is one. Often there are several, of which some give the length that is wanted.
  void restore_floats(const VectorElement& element, float length) {
    std::vector<float>& vector = tried_.vector;
    stored_.resize(vector.size());
    for (size_t i = 0; i < vector.size(); ++i) {
      stored_[i] = load_le<float>(element.vector.data() + i * sizeof(float));
      vector[i] = nearest_multiple(stored_[i], length);
    }
    const float made = length_made();
    if (made == length || std::isnan(made)) return;
    collect_spare(length, made < length);
    adjust(length, made < length);
  }

  static float nearest_multiple(float stored, float length) {
    const float product = stored * length;
    const float larger = away_from_zero(product);
    const float smaller = std::nextafter(product, 0.0F);
    for (const float candidate : {product, larger, smaller})
      if (candidate / length == stored) return candidate;
    return product;
  }

  static float away_from_zero(float number) {
    return std::nextafter(number, std::copysign(std::numeric_limits<float>::infinity(), number));
  }

  // What is a little larger or smaller than in the vector, and is divided to the same.
  void collect_spare(float length, bool larger) {
    spare_.clear();
    for (size_t i = 0; i < stored_.size(); ++i) {
      const float now = tried_.vector[i];
      const float other = larger ? away_from_zero(now) : std::nextafter(now, 0.0F);
      if (now != 0 && other / length == stored_[i]) spare_.push_back({i, now, other});
    }
  }

  // The more components are exchanged, the farther goes the length: the number is looked for that does. If
  // the last of them is one too much, others may do in its place.
  void adjust(float length, bool larger) {
    constexpr size_t kOthersMax = 64;
    size_t enough = spare_.size();
    size_t few = 0;
    while (few < enough) {
      const size_t count = few + (enough - few + 1) / 2;
      exchange_first(count);
      const float made = length_made();
      if (made == length) return;
      if ((made < length) == larger)
        few = count;
      else
        enough = count - 1;
    }
    exchange_first(few);
    for (size_t i = few + 1; i < std::min(spare_.size(), few + kOthersMax); ++i) {
      float& component = tried_.vector[spare_[i].index];
      component = spare_[i].other;
      const float made = length_made();
      if (made == length) return;
      if ((made < length) != larger) component = spare_[i].now;
    }
  }

  void exchange_first(size_t count) {
    for (size_t i = 0; i < spare_.size(); ++i)
      tried_.vector[spare_[i].index] = i < count ? spare_[i].other : spare_[i].now;
  }

  // What VADD makes of the vector.
  float length_made() {
    trial_.add(tried_);
    return trial_.elements().begin()->second.length;
  }

  struct Spare {
    size_t index;
    float now;
    float other;
  };

  const VectorSet& set_;
  VectorAddition tried_;
  VectorSet trial_;
  std::vector<float> stored_;
  std::vector<Spare> spare_;
  std::string blob_;
};

}  // namespace

void write_vector_set_commands(CommandWriter& out, Bytes key, const VectorSet& set) {
  VectorRestorer restorer(set);
  for (const auto& [name, element] : set.elements()) {
    out.begin(element.attributes ? 10 : 8);
    out.arg("VADD");
    out.arg(key);
    out.arg("FP32");
    out.arg(restorer.restore(element));
    out.arg(name);
    out.arg(quantisation_word(set.quantisation()));
    if (element.attributes) {
      out.arg("SETATTR");
      out.arg(*element.attributes);
    }
    out.arg("M");
    out.arg_number(std::max(set.graph_links(), kLinksOfCommandMin));
  }
}

}  // namespace persist
