// Bytes and places: the two plain types that everything else is written in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace persist {

// Redis strings are bytes: they may hold NUL and need not be UTF-8. A Bytes never owns what it shows;
// whoever hands one out says how long it stays valid.
using Bytes = std::string_view;

// A run of bytes in a file. Both numbers are bytes; for compressed input they count inflated bytes.
struct Extent {
  uint64_t offset = 0;
  uint64_t size = 0;

  [[nodiscard]] uint64_t end() const { return offset + size; }
  bool operator==(const Extent&) const = default;
};

}  // namespace persist
