// Listpacks: total u32le, count u16le, entries, 0xff. man/persist-rdb.5, LISTPACK
#pragma once

#include "codec/blob.hpp"
#include "codec/packed_item.hpp"

namespace persist {

class ListpackReader {
 public:
  // Throws FormatError if the frame (size, end mark) is wrong.
  explicit ListpackReader(const Blob& blob);

  // The next entry, or false at the end. Throws FormatError at an entry that is malformed, leaves the
  // listpack or has a wrong backlen, and at the end if the stated count was wrong.
  bool next(PackedItem& item);

  [[nodiscard]] const Blob& blob() const { return blob_; }
  [[nodiscard]] size_t position() const { return static_cast<size_t>(at_ - blob_.bytes.data()); }
  // Whether entries are left.
  [[nodiscard]] bool more() const { return at_ != last_; }

 private:
  [[nodiscard]] size_t room() const { return static_cast<size_t>(last_ - at_); }
  void need(size_t size) const {
    if (room() < size) [[unlikely]]
      fail_overrun(size);
  }
  PackedItem read_item(size_t& size) const;
  void check_backlen(size_t size);
  void finish() const;
  [[noreturn]] void fail_overrun(size_t size) const;

  Blob blob_;
  const char* at_;
  const char* last_;  // the end mark
  uint64_t seen_ = 0;
};

}  // namespace persist
