// Integers to decimal text and back, as Redis writes them.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>

#include "persist/bytes.hpp"

namespace persist {

inline constexpr size_t kDecimalMax = 20;  // "-9223372036854775808" and "18446744073709551615"

// The text is written to `room`, which must have kDecimalMax bytes.
template <std::integral T>
[[nodiscard]] inline Bytes to_decimal(T value, char* room) {
  return {room, static_cast<size_t>(std::to_chars(room, room + kDecimalMax, value).ptr - room)};
}

// The whole text must be a number: no blanks, no plus sign.
template <typename T>
[[nodiscard]] inline std::optional<T> parse_decimal(Bytes text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace persist
