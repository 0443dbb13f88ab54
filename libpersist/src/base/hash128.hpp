// A 128-bit hash of byte strings, for telling whether two things are the same. Never stored, never shown.
// With a random seed, nobody can prepare two things that have the same.
#pragma once

#include <array>
#include <cstdint>

#include "base/hash64.hpp"
#include "persist/bytes.hpp"

namespace persist {

class Hash128 {
 public:
  explicit Hash128(uint64_t seed) : seed_(seed) { XXH3_generateSecret_fromSeed(secret_.data(), seed); }

  [[nodiscard]] std::array<uint64_t, 2> operator()(Bytes bytes) const {
    const XXH128_hash_t hash =
        XXH3_128bits_withSecretandSeed(bytes.data(), bytes.size(), secret_.data(), secret_.size(), seed_);
    return {hash.low64, hash.high64};
  }

 private:
  uint64_t seed_;
  // Of the seed, made once: each long string would need it.
  alignas(64) std::array<unsigned char, XXH_SECRET_DEFAULT_SIZE> secret_;
};

}  // namespace persist
