// What commands see of the fields of a hash. Whoever loads with a clock, see Call::field_clock_ms, does not
// see those whose time has passed; they are there all the same.
#pragma once

#include "engine/commands/arguments.hpp"

namespace persist {

[[nodiscard]] inline bool is_visible(const Call& call, const HashField& field) {
  return !call.field_clock_ms || field.expire_at_ms == kNoExpiry ||
         field.expire_at_ms >= *call.field_clock_ms;
}

// Absent: there is no such hash, no such field, or it is not seen.
[[nodiscard]] inline std::optional<HashField> find_visible(const Call& call, const Found<Hash>& hash,
                                                           Bytes field) {
  if (!hash) return std::nullopt;
  std::optional<HashField> found = hash->find(field);
  if (found && !is_visible(call, *found)) found.reset();
  return found;
}

inline void answer_value(const Call& call, const std::optional<HashField>& field) {
  if (field)
    call.answer_text(field->value);
  else
    call.answer_nil();
}

}  // namespace persist
