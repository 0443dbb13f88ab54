// LZF, the compression of RDB strings. man/persist-rdb.5, LZF
#pragma once

#include <cstdint>
#include <optional>

#include "persist/bytes.hpp"

namespace persist {

// Both walk the whole stream and never read or write outside what they are given.
enum class LzfFault : uint8_t { none, input_overrun, distance, output_overrun, output_short };
[[nodiscard]] const char* lzf_fault_text(LzfFault fault);

// Inflates to exactly `size` bytes at `out`. Up to kLzfSlack bytes behind them may be overwritten, too.
inline constexpr size_t kLzfSlack = 64;
[[nodiscard]] LzfFault inflate_lzf(Bytes packed, char* out, size_t size);

// Whether the stream would inflate to `size` bytes; takes no memory for it.
[[nodiscard]] LzfFault validate_lzf(Bytes packed, uint64_t size);

// No stream can inflate to more than this: three bytes stand for 264 at most.
[[nodiscard]] inline uint64_t lzf_size_max(uint64_t packed_size) {
  constexpr uint64_t kBytesPerPacked = 88;
  return packed_size > UINT64_MAX / kBytesPerPacked ? UINT64_MAX : packed_size * kBytesPerPacked;
}

}  // namespace persist
