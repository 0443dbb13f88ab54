// Writes zipmaps, the small hashes of Redis 2.4. man/persist-rdb.5, ZIPMAP
#pragma once

#include "base/byte_buffer.hpp"
#include "persist/bytes.hpp"

namespace persist {

class ZipmapWriter {
 public:
  // The zipmap is made at the end of `out`, to which nobody else may append before finish().
  explicit ZipmapWriter(ByteBuffer& out);

  // Neither may have 4 GiB: the caller sees to it.
  void add(Bytes field, Bytes value);

  [[nodiscard]] uint64_t count() const { return count_; }
  // What it would be with its end mark.
  [[nodiscard]] size_t size() const { return out_.size() - begin_ + 1; }

  void finish();

 private:
  ByteBuffer& out_;
  size_t begin_;
  uint64_t count_ = 0;
};

}  // namespace persist
