// Zipmaps, the small hashes of Redis 2.4. man/persist-rdb.5, ZIPMAP
#pragma once

#include "codec/blob.hpp"

namespace persist {

class ZipmapReader {
 public:
  // Throws FormatError if there is no room for the frame.
  explicit ZipmapReader(const Blob& blob);

  // The next pair, or false at the end. Throws FormatError at a pair that leaves the zipmap, at bytes behind
  // the end mark, and at the end if the stated count was wrong.
  bool next(Bytes& field, Bytes& value);

 private:
  Bytes read_string(bool is_value);
  void finish() const;
  [[noreturn]] void fail_overrun(size_t size) const;

  Blob blob_;
  size_t at_ = 1;
  uint64_t seen_ = 0;
};

}  // namespace persist
