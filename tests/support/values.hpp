// Values of all types made by chance, at the edges of what layouts tell apart. The same ones for the same
// seed.
#pragma once

#include <random>
#include <string>
#include <vector>

#include "types/value.hpp"

namespace persist::test {

// Everything but streams.
class ValueMaker {
 public:
  explicit ValueMaker(uint64_t seed);

  void make(Value& value, ValueType type, size_t count);

  bool only_numbers = false;  // members of sets
  bool with_ttl = false;      // some fields have expiries
  size_t longest = ~size_t{0};

 private:
  [[nodiscard]] std::string text(size_t i) const;
  double score();
  int64_t expiry();

  std::mt19937_64 random_;
  std::vector<std::string> texts_;
  std::vector<double> scores_;
};

// Streams. What a layout (1 to 5) has no place for is not in them.
class StreamMaker {
 public:
  StreamMaker(uint64_t seed, int layout) : dice_(seed), layout_(layout) {}

  void make(Value& value, size_t entries);

  size_t pending_max = 300;

 private:
  uint64_t throw_dice(uint64_t sides) { return dice_() % sides; }
  void advance(StreamId& id);
  std::string text();
  std::span<const StreamField> fields(Value& value);
  void add_group(Value& value, const std::string& name);
  void add_pending(Value& value, size_t consumers);
  void add_producer(Value& value, const std::string& name);
  void shuffle_zone(std::vector<StreamPending>& pending);

  std::mt19937_64 dice_;
  int layout_;
};

// As support/notation.hpp writes it.
[[nodiscard]] std::string notation_of(const Value& value);

}  // namespace persist::test
