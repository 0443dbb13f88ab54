// Writes ziplists. man/persist-rdb.5, ZIPLIST
#pragma once

#include "base/byte_buffer.hpp"
#include "persist/bytes.hpp"

namespace persist {

enum class ZiplistIntegers : uint8_t {
  wide,  // 16, 32 and 64 bits: all that Redis 2.4 reads
  all    // also 8 and 24 bits, and 0 to 12 without data
};

class ZiplistWriter {
 public:
  // The ziplist is made at the end of `out`, to which nobody else may append before finish().
  ZiplistWriter(ByteBuffer& out, ZiplistIntegers integers);

  // An integer entry if the item is the decimal text of one.
  void add(Bytes item);

  [[nodiscard]] uint64_t count() const { return count_; }
  // What it would be with its end mark.
  [[nodiscard]] size_t size() const { return out_.size() - begin_ + 1; }

  // At most 4 GiB in all: the caller sees to it.
  void finish();

 private:
  char* begin_entry(size_t data_max);
  void end_entry(const char* to);
  char* put_integer(char* to, int64_t number) const;

  ByteBuffer& out_;
  size_t begin_;
  size_t last_at_ = 0;    // where the last entry begins, from the beginning of the ziplist
  size_t last_size_ = 0;  // of the last entry
  uint64_t count_ = 0;
  ZiplistIntegers integers_;
};

}  // namespace persist
