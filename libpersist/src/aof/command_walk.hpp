// A command as the loaders of servers take it: more than servers write, and of any size. The slow way, for
// what is not at hand whole or not framed exactly.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "persist/source.hpp"

namespace persist {

// A place that is not framed as servers write it.
struct Misframing {
  uint64_t place = 0;
  std::string subject;
  std::string expected;
  std::string found;
};

enum class Walked : uint8_t {
  whole,
  torn,      // the source ends in it
  malformed  // no loader takes it
};

struct WalkedCommand {
  Walked outcome = Walked::whole;
  uint64_t end = 0;              // where the walk ended
  uint64_t arguments = 0;        // as announced
  uint64_t passed = 0;           // arguments that the walk has come by
  uint64_t argument_offset = 0;  // of the bytes of the last one that it began with
  // What it was torn in, what is malformed; of a whole one, what only loaders put up with.
  std::optional<Misframing> why;
  // The beginnings of the first arguments.
  std::vector<std::string> beginnings;
  bool shows_all = true;
};

struct WalkLimits {
  uint64_t arguments = ~uint64_t{0};  // more than that is taken for malformed
  uint64_t beginnings = 64;           // of so many arguments...
  uint64_t beginning_bytes = 4096;    // ...so much is shown
};

WalkedCommand walk_command(ByteSource& source, uint64_t offset, const WalkLimits& limits);

}  // namespace persist
