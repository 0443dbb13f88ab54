// What the checksum of a damaged RDB file tells of its damage, put to the proof: a correction is one only if
// all of the corrected file then reads well.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "io/spliced_source.hpp"
#include "persist/source.hpp"

namespace persist {

// Bytes of the input that are to be others.
struct ByteChange {
  uint64_t offset = 0;
  std::string now;
};

struct RdbCorrection {
  std::vector<ByteChange> changes;  // by place
  uint64_t end = 0;                 // where the RDB data ends, checksum included
  double false_match = 0;           // how probable it is that another damage would have been explained, too
  bool is_header = false;           // known beginnings of files were tried, and this one fits
};

struct CorrectionSearch {
  uint64_t begin = 0;               // of the magic
  std::optional<uint64_t> end;      // where the reading ended, if at an EOF opcode
  std::optional<Extent> suspected;  // what the first error bounds the damage to
  bool followed = false;            // commands may follow
  bool deep = false;                // two bits, too
};

// None if nothing explains the checksum, or more than one thing does, or there is no checksum.
[[nodiscard]] std::optional<RdbCorrection> find_correction(ByteSource& source,
                                                           const CorrectionSearch& search);

// The splices that put changes into effect.
[[nodiscard]] std::vector<Splice> splices_of(const std::vector<ByteChange>& changes);

}  // namespace persist
