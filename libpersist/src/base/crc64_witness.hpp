// What a checksum that does not fit says of the damage. CRC-64 is linear: the checksum of data with its own
// checksum behind it is 0, and with bits flipped it is that of the flipped bits alone. Whatever few bits
// could have that checksum can be computed, not searched for. man/persist-rdb.5, CHECKSUM
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "persist/bytes.hpp"

namespace persist {

// Flipped bits that lie close together. Bits are counted from the least significant of byte 0 on, so that bit
// b is bit b % 8 of byte b / 8; bit i of the pattern stands for bit first_bit + i, and bit 0 is always set.
struct BitRun {
  uint64_t first_bit = 0;
  uint32_t pattern = 0;

  [[nodiscard]] unsigned length() const;  // in bits, from the first to the last one that is flipped
};

// Runs up to this long can be told apart wherever in a file of terabytes they are.
inline constexpr unsigned kRunBitsAnywhere = 16;
// Runs up to this long can be told apart where something else bounds the place.
inline constexpr unsigned kRunBitsWithin = 32;

class CrcWitness {
 public:
  // `syndrome`: crc64() of all `bytes` bytes, the stored checksum, which are the last eight, among them. Not
  // 0.
  CrcWitness(uint64_t syndrome, uint64_t bytes) : syndrome_(syndrome), bits_(bytes * 8) {}

  // Every run of up to kRunBitsAnywhere bits, anywhere, that explains the syndrome: shortest first, then by
  // place. In some hundredths of a second, whatever the size.
  [[nodiscard]] std::vector<BitRun> runs() const;

  // Every run of up to kRunBitsWithin bits that lies within the extent (bytes), in the same order. A
  // nanosecond or two a byte.
  [[nodiscard]] std::vector<BitRun> runs_within(Extent extent) const;

  // Every two bits, however far apart, the lower one first: of a file up to kPairBytesMax, of others none. In
  // a second or two for the largest, with a hundred megabytes.
  static constexpr uint64_t kPairBytesMax = uint64_t{8} << 20;
  [[nodiscard]] std::vector<std::array<uint64_t, 2>> pairs() const;
  // Every two bits of which one lies within the extent, of which the first kPairExtentMax bytes count;
  // the lower one of each pair is the first. Less than a microsecond a bit of the extent, on all processors.
  static constexpr uint64_t kPairExtentMax = uint64_t{256} << 10;
  [[nodiscard]] std::vector<std::array<uint64_t, 2>> pairs_within(Extent extent) const;

  // How probable it is that such a search would explain a syndrome that something else has caused: the number
  // of explanations tried over 2^64.
  [[nodiscard]] double chance_of_runs() const;
  [[nodiscard]] static double chance_of_runs_within(Extent extent);
  [[nodiscard]] double chance_of_pairs() const;
  [[nodiscard]] double chance_of_pairs_within(Extent extent) const;

 private:
  uint64_t syndrome_;
  uint64_t bits_;
};

// The change of the checksum of a message by flipping `flipped` (bytes xored) at a place that `behind` bytes
// of the message follow: for trying what else could stand there.
[[nodiscard]] uint64_t crc64_change(Bytes flipped, uint64_t behind);

}  // namespace persist
