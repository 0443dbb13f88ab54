// CRC-64/Jones, the checksum of RDB files and DUMP payloads. man/persist-rdb.5, CHECKSUM
#pragma once

#include <cstdint>

#include "persist/bytes.hpp"

namespace persist {

// The checksum of what `crc` was computed over followed by `bytes`; 0 is the checksum of nothing.
[[nodiscard]] uint64_t crc64(uint64_t crc, Bytes bytes);

// As it is stored, least significant byte first.
inline constexpr uint64_t kChecksumBytes = sizeof(uint64_t);

// The first RDB version whose files end with one.
inline constexpr uint32_t kChecksumSince = 5;

// A running checksum that knows how far it has come, so that bytes seen twice count once.
struct Checksum {
  uint64_t value = 0;
  uint64_t upto = 0;  // offset in the file of the first byte not yet included

  // Takes in what is new of `bytes`, which begin at `offset` <= upto.
  void extend(Bytes bytes, uint64_t offset);
};

}  // namespace persist
