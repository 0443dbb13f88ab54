// The strict walk over a command log, as redis-check-aof does it: what it accepts, what it says of the first
// thing that it does not, and where it would cut. One pass; arguments are skipped by their length.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "persist/bytes.hpp"
#include "persist/source.hpp"

namespace persist::tool {

struct ScanResult {
  enum class Stop : uint8_t {
    end,            // of the file, or damage
    timestamp,      // an annotation later than the one asked for, at `place`
    bad_timestamp,  // an annotation that is none
  };
  Stop stop = Stop::end;
  uint64_t size = 0;
  uint64_t ok_up_to = 0;  // end of the last whole record outside of MULTI
  uint64_t line = 1;      // line ends passed, plus those of the files before
  uint64_t place = 0;     // what `detail` is about
  std::string detail;     // the original's words for the damage; it has none for some
  bool format_error = false;
  // What servers see otherwise than the original.
  std::optional<uint64_t> hollow;           // the first record without arguments: servers refuse it
  std::optional<uint64_t> torn_annotation;  // at the end, without a line feed: the next write is glued to it

  [[nodiscard]] bool valid() const { return stop == Stop::end && ok_up_to == size; }
};

struct ScanOptions {
  uint64_t from = 0;               // end of an RDB preamble
  uint64_t line = 1;               // where the counting of lines begins
  std::string path;                // for the messages that name the file
  std::optional<int64_t> up_to_s;  // stop at the first annotation later than this
};

ScanResult scan_log(ByteSource& source, const ScanOptions& options);

}  // namespace persist::tool
