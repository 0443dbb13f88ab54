// Writes listpacks. man/persist-rdb.5, LISTPACK
#pragma once

#include "base/byte_buffer.hpp"
#include "persist/bytes.hpp"

namespace persist {

// How an entry of exactly 16383, 2097151 or 268435455 bytes states its length. A server understands only the
// form that it writes itself.
enum class Backlen : uint8_t {
  wide,   // Redis up to 8.6, Valkey up to 9.0
  narrow  // Redis from 8.8, Valkey from 9.1 on
};

class ListpackWriter {
 public:
  // The listpack is made at the end of `out`, to which nobody else may append before finish().
  ListpackWriter(ByteBuffer& out, Backlen backlen);

  // An integer entry if the item is the decimal text of one.
  void add(Bytes item);
  void add_integer(int64_t number);

  [[nodiscard]] uint64_t count() const { return count_; }
  // What it would be with its end mark.
  [[nodiscard]] size_t size() const { return out_.size() - begin_ + 1; }

  // At most 4 GiB in all: the caller sees to it.
  void finish();

 private:
  void add_string(Bytes item);
  char* put_long_backlen(char* to, size_t size) const;

  ByteBuffer& out_;
  size_t begin_;
  uint64_t count_ = 0;
  Backlen backlen_;
};

}  // namespace persist
