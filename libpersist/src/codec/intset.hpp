// Intsets: width u32le (2, 4 or 8), count u32le, that many ascending integers. man/persist-rdb.5, INTSET
#pragma once

#include "codec/blob.hpp"

namespace persist {

class IntsetReader {
 public:
  // Throws FormatError if width, count and size do not agree, or if it is empty.
  explicit IntsetReader(const Blob& blob);

  // The next integer, or false at the end. Throws FormatError where they do not ascend.
  bool next(int64_t& number);

 private:
  [[nodiscard]] int64_t at(uint32_t index) const;

  Blob blob_;
  uint32_t width_;
  uint32_t count_;
  uint32_t next_ = 0;
};

}  // namespace persist
