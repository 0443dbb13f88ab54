// The commands that the generator makes, as patterns: words, and
//
//   [ a ]      may be left out              { a }    one to four times
//   ( a | b )  one of them                  {{ a }}  a few hundred times, which makes values large
//   @l         a key of that family, mostly
//   %n         what CommandGenerator::fill() knows under that name
//
// Signs and words stand between blanks.
#pragma once

#include <cstdint>
#include <span>

namespace persist::test {

enum class Nature : uint8_t {
  plain,
  blocks,  // unless it stands in a transaction
  chance   // what it answers or does depends on chance or the clock, or stands in no log and is not answered
};

struct CommandPattern {
  const char* words;
  Nature nature = Nature::plain;
};

struct PatternFamily {
  std::span<const CommandPattern> patterns;
  uint64_t weight;  // how often, compared with the others
};

std::span<const PatternFamily> pattern_families();

}  // namespace persist::test
