// Compresses to LZF. man/persist-rdb.5, LZF
#pragma once

#include <array>
#include <cstdint>

#include "base/byte_buffer.hpp"
#include "persist/bytes.hpp"

namespace persist {

// One for each thread: it owns the table of what was seen where. What it makes depends on the bytes alone,
// not on what was packed before.
class LzfPacker {
 public:
  // Appends the packed form to `out`, of which `bytes` must be no part, if it has at most `most` bytes, and
  // returns how many it has. Else nothing is appended, and 0 is returned.
  size_t pack(Bytes bytes, size_t most, ByteBuffer& out);

 private:
  // What is added to the positions of the next `size` bytes: more than whatever the table holds.
  uint32_t claim_places(size_t size);

  static constexpr unsigned kTableBits = 13;
  std::array<uint32_t, size_t{1} << kTableBits> table_{};
  uint32_t next_place_ = 1;
};

}  // namespace persist
