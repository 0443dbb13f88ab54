// A keyed 64-bit hash of byte strings, for finding equal ones. Never stored, never shown.
#pragma once

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "persist/bytes.hpp"

namespace persist {

[[nodiscard]] inline uint64_t hash64(Bytes bytes, uint64_t seed) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

// A seed that a file's author cannot know, so that nobody can prepare keys of equal hash.
[[nodiscard]] uint64_t random_seed();

}  // namespace persist
