// The table of encodings, with what the library itself needs of a row. man/persist-rdb.5, VALUE TYPES
#pragma once

#include <array>

#include "persist/encoding.hpp"
#include "types/types.hpp"

namespace persist {

struct EncodingRow : Encoding {
  DecodeValue decode = nullptr;
  SkipValue skip = nullptr;
};

// The row behind an Encoding: every Encoding is one.
[[nodiscard]] inline const EncodingRow& row_of(const Encoding& encoding) {
  return static_cast<const EncodingRow&>(encoding);
}

// The encodings of a dialect by code, null where there is none: find_encoding() without a call.
using EncodingsByCode = std::array<const Encoding*, 256>;
[[nodiscard]] const EncodingsByCode& encodings_by_code(Dialect dialect);

// Types that a dialect has but whose layout is not established; a reader says so instead of calling them
// unknown.
[[nodiscard]] const char* unestablished_type(Dialect dialect, uint8_t code);

}  // namespace persist
