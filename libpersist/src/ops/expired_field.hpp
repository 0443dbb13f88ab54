// Hash fields whose time is up, for those who tell a dataset as of some time.
#pragma once

#include <cstdint>
#include <optional>

#include "persist/element.hpp"

namespace persist {

// `past_ms`: absent if fields are kept whatever their time.
[[nodiscard]] inline bool is_expired_field(const Element& told, std::optional<int64_t> past_ms) {
  const auto* field = std::get_if<HashField>(&told);
  return field != nullptr && past_ms && field->expire_at_ms != kNoExpiry && field->expire_at_ms <= *past_ms;
}

}  // namespace persist
