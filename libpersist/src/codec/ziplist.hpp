// Ziplists: zlbytes u32le, zltail u32le, zllen u16le, entries, 0xff. man/persist-rdb.5, ZIPLIST
#pragma once

#include "codec/blob.hpp"
#include "codec/packed_item.hpp"

namespace persist {

class ZiplistReader {
 public:
  // Throws FormatError if the frame (size, tail inside, end mark) is wrong.
  explicit ZiplistReader(const Blob& blob);

  // The next entry, or false at the end. Throws FormatError at an entry that is malformed, leaves the ziplist
  // or has a wrong prevlen, and at the end if the stated count or tail was wrong.
  bool next(PackedItem& item);

  [[nodiscard]] const Blob& blob() const { return blob_; }

 private:
  [[nodiscard]] size_t position() const { return static_cast<size_t>(at_ - blob_.bytes.data()); }
  void need(const char* from, size_t size) const;
  size_t read_prevlen();
  PackedItem read_item(const char* from, size_t& size) const;
  void finish() const;

  Blob blob_;
  const char* at_;
  const char* last_;  // the end mark
  size_t previous_size_ = 0;
  size_t previous_at_ = 0;
  uint64_t seen_ = 0;
};

}  // namespace persist
