// Fixed-width numbers out of bytes, in the byte order of the file whatever the order of the host.
#pragma once

#include <bit>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace persist {

// By the compilers' own means: of a loop they make a loop.
template <std::unsigned_integral T>
[[nodiscard]] constexpr T byteswap(T value) {
  if constexpr (sizeof(T) == sizeof(uint64_t)) return __builtin_bswap64(value);
  if constexpr (sizeof(T) == sizeof(uint32_t)) return __builtin_bswap32(value);
  if constexpr (sizeof(T) == sizeof(uint16_t)) return __builtin_bswap16(value);
  return value;
}

// Reads a T that the file stores in the byte order `order`. The bytes must be there.
template <typename T, std::endian order>
[[nodiscard]] inline T load(const char* from) {
  using U = std::conditional_t<
      sizeof(T) == 8, uint64_t,
      std::conditional_t<sizeof(T) == 4, uint32_t, std::conditional_t<sizeof(T) == 2, uint16_t, uint8_t>>>;
  U raw;
  std::memcpy(&raw, from, sizeof raw);
  if constexpr (order != std::endian::native) raw = byteswap(raw);
  return std::bit_cast<T>(raw);
}

template <typename T>
[[nodiscard]] inline T load_le(const char* from) {
  return load<T, std::endian::little>(from);
}

template <typename T>
[[nodiscard]] inline T load_be(const char* from) {
  return load<T, std::endian::big>(from);
}

// The reverse: writes sizeof(T) bytes.
template <typename T, std::endian order>
inline void store(char* to, T value) {
  using U = std::make_unsigned_t<std::conditional_t<
      sizeof(T) == 8, uint64_t,
      std::conditional_t<sizeof(T) == 4, uint32_t, std::conditional_t<sizeof(T) == 2, uint16_t, uint8_t>>>>;
  U raw = std::bit_cast<U>(value);
  if constexpr (order != std::endian::native) raw = byteswap(raw);
  std::memcpy(to, &raw, sizeof raw);
}

template <typename T>
inline void store_le(char* to, T value) {
  store<T, std::endian::little>(to, value);
}

template <typename T>
inline void store_be(char* to, T value) {
  store<T, std::endian::big>(to, value);
}

// Three bytes, little-endian, signed: ziplists and listpacks have them.
[[nodiscard]] inline int32_t load_i24le(const char* from) {
  const auto byte = [&](int i) { return static_cast<uint32_t>(static_cast<uint8_t>(from[i])); };
  return static_cast<int32_t>((byte(0) << 8) | (byte(1) << 16) | (byte(2) << 24)) >> 8;
}

}  // namespace persist
