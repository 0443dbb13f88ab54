// Letter case as servers see it: that of ASCII, and of nothing else.
#pragma once

#include <algorithm>
#include <string>

#include "persist/bytes.hpp"

namespace persist {

[[nodiscard]] constexpr char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
[[nodiscard]] constexpr char upper(char c) {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}

[[nodiscard]] constexpr bool equals_ignoring_case(Bytes a, Bytes b) {
  return std::ranges::equal(a, b, {}, lower, lower);
}

[[nodiscard]] inline std::string in_lower_case(Bytes text) {
  std::string lowered(text);
  std::ranges::transform(lowered, lowered.begin(), lower);
  return lowered;
}
[[nodiscard]] inline std::string in_upper_case(Bytes text) {
  std::string uppered(text);
  std::ranges::transform(uppered, uppered.begin(), upper);
  return uppered;
}

}  // namespace persist
