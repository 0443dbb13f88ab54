// The table of encodings, with what the library itself needs of a row. man/persist-rdb.5, VALUE TYPES
#pragma once

#include <array>

#include "persist/encoding.hpp"
#include "types/encode.hpp"
#include "types/types.hpp"

namespace persist {

struct EncodingRow : Encoding {
  DecodeValue decode = nullptr;
  SkipValue skip = nullptr;
  EncodeValue encode = nullptr;  // null: nobody has to be able to read it
  FitsValue fits = nullptr;      // null: any value does
};

// The row behind an Encoding: every Encoding is one.
[[nodiscard]] inline const EncodingRow& row_of(const Encoding& encoding) {
  return static_cast<const EncodingRow&>(encoding);
}

// The encodings of a dialect by code, null where there is none: find_encoding() without a call.
using EncodingsByCode = std::array<const Encoding*, 256>;
[[nodiscard]] const EncodingsByCode& encodings_by_code(Dialect dialect);

// The layout in which the target's server would write the value: the newest that it knows, packed if the
// value is small enough. Null if the target has none for it.
[[nodiscard]] const EncodingRow* choose_encoding(const Value& value, const WriteRules& rules);

// Types that a dialect has but whose layout is not established; a reader says so instead of calling them
// unknown.
[[nodiscard]] const char* unestablished_type(Dialect dialect, uint8_t code);

}  // namespace persist
