// A blob: the content of one string that holds a whole container, and where in the file it came from.
#pragma once

#include <cstdint>
#include <string>

#include "persist/bytes.hpp"
#include "persist/finding.hpp"

namespace persist {

struct Blob {
  Bytes bytes;
  uint64_t offset = 0;    // of the first byte; of the compressed string if inflated
  bool inflated = false;  // the string was compressed: places are then counted in what it inflates to

  // `at` and `size` are within the blob.
  [[noreturn]] void fail(FindingCode code, size_t at, size_t size, std::string subject, std::string expected,
                         std::string found) const;
};

// "0xf7", as findings show bytes.
std::string hex_byte(uint8_t byte);

}  // namespace persist
