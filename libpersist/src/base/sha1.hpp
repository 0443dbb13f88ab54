// SHA-1, which the digests of datasets are made of: a fingerprint here, no protection against anybody.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "persist/bytes.hpp"

namespace persist {

using Sha1Hash = std::array<uint8_t, 20>;

[[nodiscard]] Sha1Hash sha1(Bytes bytes);

[[nodiscard]] inline Bytes as_bytes(const Sha1Hash& hash) {
  return {reinterpret_cast<const char*>(hash.data()), hash.size()};
}

// 40 digits, lower case.
[[nodiscard]] std::string to_hex(const Sha1Hash& hash);

// The hash of bytes that come bit by bit.
class Sha1 {
 public:
  Sha1() { restart(); }
  void restart();
  void update(Bytes bytes);
  // The hash of what came since restart(), which is called.
  [[nodiscard]] Sha1Hash finish();

 private:
  // Room for the state of the library that does the work; nobody else need know its types.
  alignas(8) std::array<std::byte, 112> state_;
};

}  // namespace persist
