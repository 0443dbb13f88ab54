// The commands of vector sets, and the arithmetic of their vectors.
//
// All of it is in single precision, in the order in which servers on x86-64 add and multiply: none of it may
// be fused or reordered. Only which nan comes out where several meet is up to the compiler, there as here.
#include "engine/vector_set.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "base/decimal.hpp"
#include "base/endian.hpp"
#include "base/letters.hpp"
#include "base/server_numbers.hpp"
#include "engine/digest_steps.hpp"

namespace persist {

namespace {

constexpr int64_t kGraphLinksMin = 4;
constexpr int64_t kBreadthMax = 1000000;  // of what VADD takes as EF

// ------------------------------------------------------------------------------------- arguments of VADD

// The module compares words as C strings: a NUL ends them.
bool is_word(Bytes arg, Bytes word) { return equals_ignoring_case(arg.substr(0, arg.find('\0')), word); }

// Reads arguments from the first to the last.
class AdditionParser {
 public:
  explicit AdditionParser(std::span<const Bytes> args) : args_(args) {}

  std::optional<VectorAddition> parse() {
    constexpr size_t kArgsMin = 3;
    if (args_.size() < kArgsMin || !parse_reduce() || !parse_vector()) return std::nullopt;
    if (parsed_.reduced_dimension > parsed_.vector.size() || left() == 0) return std::nullopt;
    parsed_.name = next();
    while (left() > 0)
      if (!parse_option()) return std::nullopt;
    return std::move(parsed_);
  }

 private:
  [[nodiscard]] size_t left() const { return args_.size() - at_; }
  Bytes next() { return args_[at_++]; }

  bool parse_reduce() {
    if (!is_word(args_[at_], "reduce")) return true;
    ++at_;
    const std::optional<int64_t> dimension = parse_server_integer(next());
    if (!dimension || *dimension <= 0) return false;
    parsed_.reduced_dimension = static_cast<uint32_t>(*dimension);  // servers drop the upper half as well
    return true;
  }

  bool parse_vector() {
    const Bytes form = next();
    if (left() == 0) return false;
    if (is_word(form, "fp32")) return parse_blob(next());
    return is_word(form, "values") && parse_values(parse_server_integer(next()));
  }

  bool parse_blob(Bytes blob) {
    if (blob.empty() || blob.size() % sizeof(float) != 0) return false;
    if (blob.size() / sizeof(float) > kVectorDimensionMax) return false;
    for (size_t at = 0; at < blob.size(); at += sizeof(float))
      parsed_.vector.push_back(load_le<float>(blob.data() + at));
    return true;
  }

  bool parse_values(std::optional<int64_t> count) {
    if (!count || *count < 1 || *count > kVectorDimensionMax || static_cast<size_t>(*count) > left())
      return false;
    for (int64_t i = 0; i < *count; ++i) {
      const std::optional<double> value = parse_server_double(next());
      if (!value) return false;
      parsed_.vector.push_back(static_cast<float>(*value));
    }
    return true;
  }

  bool parse_option() {
    const Bytes option = next();
    if (is_word(option, "cas")) return true;
    if (is_word(option, "noquant")) return parsed_.quantisation = Quantisation::none, true;
    if (is_word(option, "q8")) return parsed_.quantisation = Quantisation::q8, true;
    if (is_word(option, "bin")) return parsed_.quantisation = Quantisation::bin, true;
    if (left() == 0) return false;
    if (is_word(option, "setattr")) return parsed_.attributes = next(), true;
    if (is_word(option, "ef")) return parse_bounded(1, kBreadthMax).has_value();
    if (!is_word(option, "m")) return false;
    const std::optional<uint32_t> links = parse_bounded(kGraphLinksMin, kGraphLinksMax);
    parsed_.graph_links = links.value_or(0);
    return links.has_value();
  }

  std::optional<uint32_t> parse_bounded(int64_t least, int64_t most) {
    const std::optional<int64_t> number = parse_server_integer(next());
    if (!number || *number < least || *number > most) return std::nullopt;
    return static_cast<uint32_t>(*number);
  }

  std::span<const Bytes> args_;
  size_t at_ = 0;
  VectorAddition parsed_;
};

// -------------------------------------------------------------------------------------------- arithmetic

// Scales to length one; the length it had. A vector of zeros, or of what is zero when squared, stays.
float normalise(std::span<float> x) {
  float sum = 0;
  size_t i = 0;
  for (; i + 3 < x.size(); i += 4)
    sum += x[i] * x[i] + x[i + 1] * x[i + 1] + x[i + 2] * x[i + 2] + x[i + 3] * x[i + 3];
  for (; i < x.size(); ++i) sum += x[i] * x[i];
  if (sum == 0) return 1;
  const float length = std::sqrt(sum);
  for (float& component : x) component /= length;
  return length;
}

// What is no number between -127 and 127, as the conversion on x86-64 has it.
int8_t to_int8(float rounded) {
  constexpr float kMost = 127;
  return std::fabs(rounded) <= kMost ? static_cast<int8_t>(rounded) : int8_t{0};
}

void quantise_q8(std::span<const float> x, VectorElement& element) {
  constexpr float kSteps = 127;
  float range = 0;
  for (const float component : x)
    if (std::fabs(component) > range) range = std::fabs(component);
  element.range = range;
  if (range == 0) {
    element.vector.assign(x.size(), '\0');
    return;
  }
  const float scale = kSteps / range;
  for (const float component : x)
    element.vector.push_back(static_cast<char>(to_int8(std::round(component * scale))));
}

void quantise_bin(std::span<const float> x, VectorElement& element) {
  element.vector.assign(quantised_bytes(Quantisation::bin, static_cast<uint32_t>(x.size())), '\0');
  for (size_t i = 0; i < x.size(); ++i)
    if (x[i] > 0) element.vector[i / 8] = static_cast<char>(element.vector[i / 8] | (1 << (i % 8)));
}

}  // namespace

std::string float_bytes(std::span<const float> numbers) {
  std::string bytes;
  bytes.reserve(numbers.size_bytes());
  for (const float number : numbers)
    for (unsigned shift = 0; shift < 32; shift += 8)
      bytes.push_back(static_cast<char>(std::bit_cast<uint32_t>(number) >> shift));
  return bytes;
}

std::optional<VectorAddition> parse_vector_addition(std::span<const Bytes> args) {
  return AdditionParser(args).parse();
}

// -------------------------------------------------------------------------------------------- projection

VectorProjection::VectorProjection(uint32_t given_dimension, uint32_t rows, Bytes matrix)
    : given_dimension_(given_dimension) {
  const size_t row_bytes = size_t{given_dimension} * sizeof(float);
  std::vector<float> row;
  for (uint32_t i = 0; i < rows; ++i) {
    fill_row(i, row);
    if (matrix.substr(i * row_bytes, row_bytes) == float_bytes(row)) continue;
    matrix_ = matrix;
    return;
  }
}

void VectorProjection::fill_row(uint32_t index, std::vector<float>& row) const {
  row.resize(given_dimension_);
  if (matrix_.empty()) return fill_formula_row(index, row);
  const char* from = matrix_.data() + size_t{index} * given_dimension_ * sizeof(float);
  for (size_t j = 0; j < row.size(); ++j) row[j] = load_le<float>(from + j * sizeof(float));
}

// A Hadamard pattern: the sign is that of the number of bits that row and column have in common. So behind
// the first 2^b columns they repeat, all with the other sign if the row has bit b.
void VectorProjection::fill_formula_row(uint32_t index, std::span<float> row) {
  row[0] = static_cast<float>(1 / std::sqrt(static_cast<double>(row.size())));
  for (size_t known = 1; known < row.size(); known *= 2) {
    const float sign = (index & known) == 0 ? 1.0F : -1.0F;
    const size_t more = std::min(known, row.size() - known);
    for (size_t j = 0; j < more; ++j) row[known + j] = sign * row[j];
  }
}

std::vector<float> VectorProjection::project(std::span<const float> vector, uint32_t rows) const {
  std::vector<float> projected;
  std::vector<float> row;
  for (uint32_t i = 0; i < rows; ++i) {
    fill_row(i, row);
    float sum = 0;
    for (size_t j = 0; j < vector.size(); ++j) sum += row[j] * vector[j];
    projected.push_back(sum);
  }
  return projected;
}

// ---------------------------------------------------------------------------------------------- commands

bool VectorSet::fits(const VectorAddition& addition) const {
  if (addition.quantisation != quantisation_ || addition.graph_links != graph_links_) return false;
  if (projection_.given_dimension() == 0)
    return addition.reduced_dimension == 0 && addition.vector.size() == dimension_;
  return addition.reduced_dimension == dimension_ && addition.vector.size() == projection_.given_dimension();
}

VectorElement VectorSet::quantise(std::vector<float> vector) const {
  VectorElement element;
  element.length = normalise(vector);
  if (quantisation_ == Quantisation::q8) {
    quantise_q8(vector, element);
  } else if (quantisation_ == Quantisation::bin) {
    quantise_bin(vector, element);
  } else {
    element.vector = float_bytes(vector);
  }
  return element;
}

VectorOutcome VectorSet::add(const VectorAddition& addition) {
  if (dimension_ == 0) {
    const auto given = static_cast<uint32_t>(addition.vector.size());
    quantisation_ = addition.quantisation;
    graph_links_ = addition.graph_links;
    dimension_ = addition.reduced_dimension != 0 ? addition.reduced_dimension : given;
    if (addition.reduced_dimension != 0) projection_ = VectorProjection(given);
  } else if (!fits(addition)) {
    return VectorOutcome::error;
  }
  VectorElement element = quantise(
      addition.reduced_dimension != 0 ? projection_.project(addition.vector, dimension_) : addition.vector);
  const auto [at, added] = elements_.try_emplace(std::string(addition.name));
  if (!addition.attributes)
    element.attributes = std::move(at->second.attributes);
  else if (added || !addition.attributes->empty())
    element.attributes = *addition.attributes;
  at->second = std::move(element);
  original_payload_.clear();
  return VectorOutcome::changed;
}

VectorOutcome VectorSet::remove(Bytes name) {
  const auto at = elements_.find(name);
  if (at == elements_.end()) return VectorOutcome::unchanged;
  elements_.erase(at);
  original_payload_.clear();
  return VectorOutcome::changed;
}

VectorOutcome VectorSet::set_attributes(Bytes name, Bytes attributes) {
  const auto at = elements_.find(name);
  if (at == elements_.end()) return VectorOutcome::unchanged;
  if (attributes.empty())
    at->second.attributes.reset();
  else
    at->second.attributes = attributes;
  original_payload_.clear();
  return VectorOutcome::changed;
}

// ------------------------------------------------------------------------------------------------ digest

void VectorSet::for_each_digest_sequence(FunctionRef<void(std::span<const Bytes>)> tell) const {
  std::array<char, kDecimalMax> count_room;
  std::array<char, kDecimalMax> dimension_room;
  const std::array<Bytes, 2> shape{to_decimal(elements_.size(), count_room.data()),
                                   to_decimal(dimension_, dimension_room.data())};
  tell(shape);
  for (const auto& [name, element] : elements_) {
    std::array<Bytes, 3> texts{element.vector, name};
    if (element.attributes) texts[2] = *element.attributes;
    tell(std::span(texts).first(element.attributes ? 3 : 2));
  }
}

Sha1Hash vector_set_digest(const VectorSet& set) {
  Sha1Hash digest{};
  set.for_each_digest_sequence([&](std::span<const Bytes> texts) {
    Sha1Hash sequence{};
    for (const Bytes text : texts) mix(sequence, text);
    xor_into(digest, sha1(as_bytes(sequence)));
  });
  return digest;
}

}  // namespace persist
