// Which items of listpacks and ziplists are stored as integers, and how wide those are.
#pragma once

#include "base/server_numbers.hpp"

namespace persist {

// Whether it is worth to be parsed: nearly no text passes that is not a number.
[[nodiscard]] inline bool may_be_item_integer(Bytes item) {
  constexpr size_t kIntegerTextMax = 20;
  if (item.empty() || item.size() > kIntegerTextMax) return false;
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  return is_digit(item.back()) && (is_digit(item.front()) || item.front() == '-');
}

// The fewest of 1, 2, 3, 4 or 8 bytes that hold it in two's complement.
[[nodiscard]] inline unsigned item_integer_width(int64_t number) {
  const auto magnitude = static_cast<uint64_t>(number < 0 ? ~number : number);
  if (magnitude < uint64_t{1} << 7) return 1;
  if (magnitude < uint64_t{1} << 15) return 2;
  if (magnitude < uint64_t{1} << 23) return 3;
  return magnitude < uint64_t{1} << 31 ? 4 : 8;
}

}  // namespace persist
