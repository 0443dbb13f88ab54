// A 128-bit hash of byte strings that nobody means to deceive: for telling whether two things are the same.
#pragma once

#include <array>
#include <cstdint>

#include "base/hash64.hpp"
#include "persist/bytes.hpp"

namespace persist {

[[nodiscard]] inline std::array<uint64_t, 2> hash128(Bytes bytes) {
  const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
  return {hash.low64, hash.high64};
}

}  // namespace persist
