// A vector set: the value of the module that Redis 8 brings along. Elements have a name, a vector and
// perhaps attributes, a text that is JSON to whoever searches by it and opaque here.
//
// Vectors are kept as servers keep them: scaled to length one, then quantised. The arithmetic is that of
// servers to the last bit, since digests and RDB files show the result. The graph that makes search fast has
// random levels and links, so it is no part of the value: it is built when a payload is made.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/sha1.hpp"
#include "persist/bytes.hpp"
#include "persist/function_ref.hpp"

namespace persist {

// The numbers are those of the payload.
enum class Quantisation : uint8_t {
  none = 0,  // f32le a component
  q8 = 1,    // int8 a component, in units of range / 127
  bin = 2,   // a bit a component, set if it is above zero: u64le words, lowest bit first
};

inline constexpr uint32_t kVectorDimensionMax = 65536;
inline constexpr uint32_t kGraphLinksMax = 4096;  // of what VADD takes as M
inline constexpr uint32_t kGraphLinksDefault = 16;

// What the arguments of VADD say. Names and attributes are views into them.
struct VectorAddition {
  std::vector<float> vector;       // as given: neither projected nor scaled
  uint32_t reduced_dimension = 0;  // 0: without REDUCE
  Bytes name;
  std::optional<Bytes> attributes;
  Quantisation quantisation = Quantisation::q8;
  uint32_t graph_links = kGraphLinksDefault;
};

// `args` stand behind the key. Nothing if a server answers with an error whatever the key holds.
[[nodiscard]] std::optional<VectorAddition> parse_vector_addition(std::span<const Bytes> args);

struct VectorElement {
  std::string vector;                     // quantised
  float length = 1;                       // of the vector as given; 1 if it is all zeros
  float range = 0;                        // the largest component without its sign; only of Quantisation::q8
  std::optional<std::string> attributes;  // may be empty from VADD, until the set is saved and loaded
};

// What REDUCE multiplies vectors with: rows of the reduced dimension, columns of the given one.
class VectorProjection {
 public:
  VectorProjection() = default;
  explicit VectorProjection(uint32_t given_dimension) : given_dimension_(given_dimension) {}
  // With the matrix of a payload. It must have rows * given_dimension components.
  VectorProjection(uint32_t given_dimension, uint32_t rows, Bytes matrix);

  // 0: there is no projection.
  [[nodiscard]] uint32_t given_dimension() const { return given_dimension_; }
  [[nodiscard]] std::vector<float> project(std::span<const float> vector, uint32_t rows) const;
  // Makes `row` that row of the matrix.
  void fill_row(uint32_t index, std::vector<float>& row) const;

 private:
  static void fill_formula_row(uint32_t index, std::span<float> row);

  uint32_t given_dimension_ = 0;
  // Empty if it is what the servers' formula gives: a command of 256 KiB can ask for one of 16 GiB.
  std::string matrix_;
};

enum class VectorOutcome : uint8_t { changed, unchanged, error };

class VectorSet {
 public:
  using Elements = std::map<std::string, VectorElement, std::less<>>;

  // Without a shape: the first add() gives it one.
  VectorSet() = default;

  // Of a module value "vectorset". Nothing if it is damaged or of an unknown version.
  [[nodiscard]] static std::optional<VectorSet> from_payload(uint32_t encoding_version, Bytes payload);

  // VADD, VREM, VSETATTR. An element that is there already gets the new vector, and the new attributes if
  // some are given. Servers delete the key with the last element.
  VectorOutcome add(const VectorAddition& addition);
  VectorOutcome remove(Bytes name);
  VectorOutcome set_attributes(Bytes name, Bytes attributes);

  [[nodiscard]] bool empty() const { return elements_.empty(); }
  [[nodiscard]] const Elements& elements() const { return elements_; }
  [[nodiscard]] uint32_t dimension() const { return dimension_; }
  [[nodiscard]] Quantisation quantisation() const { return quantisation_; }
  [[nodiscard]] uint32_t graph_links() const { return graph_links_; }
  [[nodiscard]] const VectorProjection& projection() const { return projection_; }

  // Tells what DEBUG DIGEST counts, text by text, one sequence a call; their order does not matter.
  void for_each_digest_sequence(FunctionRef<void(std::span<const Bytes>)> tell) const;

  // The module value, encoding version 0, end mark included: the bytes it came from, as long as nothing has
  // changed. Else a graph is built, which takes about as long as the commands took the server. In pieces,
  // since the matrix of a projection may dwarf the elements; and whole.
  void write_payload(FunctionRef<void(Bytes)> sink) const;
  [[nodiscard]] std::string payload() const;

 private:
  friend class VectorPayloadReader;
  [[nodiscard]] bool fits(const VectorAddition& addition) const;
  [[nodiscard]] VectorElement quantise(std::vector<float> vector) const;

  uint32_t dimension_ = 0;  // 0: no shape yet
  uint32_t graph_links_ = kGraphLinksDefault;
  Quantisation quantisation_ = Quantisation::q8;
  VectorProjection projection_;
  Elements elements_;
  std::string original_payload_;  // empty once the elements are others
};

// What the module adds to the digest of its key. persist-digest(1)
[[nodiscard]] Sha1Hash vector_set_digest(const VectorSet& set);

// As f32le.
[[nodiscard]] std::string float_bytes(std::span<const float> numbers);

// The bytes of a quantised vector.
[[nodiscard]] constexpr size_t quantised_bytes(Quantisation quantisation, uint32_t dimension) {
  if (quantisation == Quantisation::none) return sizeof(float) * dimension;
  if (quantisation == Quantisation::q8) return dimension;
  return (size_t{dimension} + 63) / 64 * sizeof(uint64_t);
}

}  // namespace persist
