// One entry of a listpack or ziplist: stored as a string or as an integer, always meant as a string.
#pragma once

#include <cstdint>

#include "base/decimal.hpp"
#include "persist/bytes.hpp"

namespace persist {

// Room for the text of an integer entry.
struct ItemText {
  char room[kDecimalMax];
};

struct PackedItem {
  Bytes string;        // a view into the blob
  int64_t number = 0;  // only if is_number
  bool is_number = false;
  size_t at = 0;  // where the entry begins in the blob

  // Valid as long as the blob and `text` are.
  [[nodiscard]] Bytes as_text(ItemText& text) const {
    return is_number ? to_decimal(number, text.room) : string;
  }

  static PackedItem of(Bytes string, size_t at) { return {string, 0, false, at}; }
  static PackedItem of(int64_t number, size_t at) { return {{}, number, true, at}; }
};

}  // namespace persist
