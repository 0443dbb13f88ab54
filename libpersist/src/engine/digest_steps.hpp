// The steps that digests are made of. persist-digest(1)
#pragma once

#include "base/decimal.hpp"
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
  unsigned carry = 0;
  for (size_t i = a.size(); i-- > 0;) {
    carry += unsigned{a[i]} + b[i];
    a[i] = static_cast<uint8_t>(carry);
    carry >>= 8;
  }
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

}  // namespace persist
