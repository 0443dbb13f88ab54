// The steps that digests are made of. persist-digest(1)
#pragma once

#include "base/byte_buffer.hpp"
#include "base/decimal.hpp"
#include "base/endian.hpp"
#include "base/hash128.hpp"
#include "base/sha1.hpp"

namespace persist {

inline void xor_into(Sha1Hash& digest, const Sha1Hash& hash) {
  for (size_t i = 0; i < digest.size(); ++i) digest[i] = static_cast<uint8_t>(digest[i] ^ hash[i]);
}

// Xor, then hash: the order of such steps matters.
inline void mix_hash(Sha1Hash& digest, const Sha1Hash& hash) {
  xor_into(digest, hash);
  digest = sha1(as_bytes(digest));
}
inline void mix(Sha1Hash& digest, Bytes bytes) { mix_hash(digest, sha1(bytes)); }
inline void mix_decimal(Sha1Hash& digest, uint64_t number) {
  char room[kDecimalMax];
  mix(digest, to_decimal(number, room));
}

// a + b modulo 2^160, as big-endian numbers: what the order of does not matter in the full digest.
inline void add_into(Sha1Hash& a, const Sha1Hash& b) {
  constexpr size_t kMiddle = 4;
  constexpr size_t kLow = 12;
  char* to = reinterpret_cast<char*>(a.data());
  const char* from = reinterpret_cast<const char*>(b.data());
  uint64_t low = 0;
  uint64_t middle = 0;
  const uint64_t from_low =
      __builtin_add_overflow(load_be<uint64_t>(to + kLow), load_be<uint64_t>(from + kLow), &low) ? 1 : 0;
  uint64_t from_middle =
      __builtin_add_overflow(load_be<uint64_t>(to + kMiddle), load_be<uint64_t>(from + kMiddle), &middle) ? 1
                                                                                                          : 0;
  if (__builtin_add_overflow(middle, from_low, &middle)) ++from_middle;
  const uint64_t high = uint64_t{load_be<uint32_t>(to)} + load_be<uint32_t>(from) + from_middle;
  store_be(to, static_cast<uint32_t>(high));
  store_be(to + kMiddle, middle);
  store_be(to + kLow, low);
}

// The hash of fields one after the other, as the full digest takes them.
class FieldHash {
 public:
  FieldHash& number(uint64_t value) {
    char room[sizeof value];
    for (size_t i = 0; i < sizeof room; ++i) room[i] = static_cast<char>(value >> (56 - 8 * i));
    return raw({room, sizeof room});
  }
  FieldHash& number(int64_t value) { return number(static_cast<uint64_t>(value)); }
  // Length first.
  FieldHash& bytes(Bytes value) { return number(uint64_t{value.size()}).raw(value); }
  FieldHash& hash(const Sha1Hash& value) { return raw(as_bytes(value)); }
  FieldHash& raw(Bytes value) {
    sha1_.update(value);
    return *this;
  }
  // What came is forgotten.
  void restart() { sha1_.restart(); }
  [[nodiscard]] Sha1Hash finish() { return sha1_.finish(); }

 private:
  Sha1 sha1_;
};

// The same for a digest that is compared and never shown: the fields are put together and hashed at once, by
// a hash that is fast instead of safe. What it gives has as many bytes, of which the last ones are zero.
class FastFieldHash {
 public:
  explicit FastFieldHash(uint64_t seed) : hash_(seed) {}
  FastFieldHash& number(uint64_t value) {
    char* to = fields_.room(sizeof value);
    store_le(to, value);
    fields_.advance(to + sizeof value);
    return *this;
  }
  FastFieldHash& number(int64_t value) { return number(static_cast<uint64_t>(value)); }
  FastFieldHash& bytes(Bytes value) { return number(uint64_t{value.size()}).raw(value); }
  FastFieldHash& hash(const Sha1Hash& value) { return raw(as_bytes(value)); }
  FastFieldHash& raw(Bytes value) {
    fields_.append(value);
    return *this;
  }
  void restart() { fields_.clear(); }
  [[nodiscard]] Sha1Hash finish() {
    Sha1Hash made{};
    const std::array<uint64_t, 2> hash = hash_(fields_.bytes());
    std::memcpy(made.data(), hash.data(), sizeof hash);
    fields_.clear();
    fields_.shrink(kFieldBytesKept);
    return made;
  }

 private:
  static constexpr size_t kFieldBytesKept = size_t{1} << 20;
  Hash128 hash_;
  ByteBuffer fields_;
};

}  // namespace persist
