// Builds the containers that live inside strings, entry by entry. Each can also be told to state something
// untrue of itself, so that readers can be shown damage. Layouts: man/persist-rdb.5
#pragma once

#include <optional>
#include <string>

#include "support/bytes_builder.hpp"

namespace persist::test {

class ListpackBuilder {
 public:
  // As servers store it: canonical decimal integers in the smallest form, everything else as a string.
  ListpackBuilder& add(Bytes text);
  ListpackBuilder& add_string(Bytes text);
  ListpackBuilder& add_number(int64_t number);
  // `encoded` is encoding and data; the backlen that it needs follows.
  ListpackBuilder& entry(Bytes encoded);
  // Bytes as they are, counted as `entries`.
  ListpackBuilder& raw(Bytes bytes, size_t entries = 0);

  // Backlens of the boundary sizes in the wider form, which older servers write.
  ListpackBuilder& wide() { return wide_ = true, *this; }

  // Untruths.
  ListpackBuilder& total(uint32_t stated) { return total_ = stated, *this; }
  ListpackBuilder& count(uint16_t stated) { return count_ = stated, *this; }
  ListpackBuilder& end_mark(uint8_t mark) { return end_mark_ = static_cast<char>(mark), *this; }
  ListpackBuilder& next_backlen(Bytes bytes) { return next_backlen_ = std::string(bytes), *this; }

  [[nodiscard]] std::string bytes() const;

 private:
  std::string entries_;
  size_t entry_count_ = 0;
  bool wide_ = false;
  char end_mark_ = '\xff';
  std::optional<uint32_t> total_;
  std::optional<uint16_t> count_;
  std::optional<std::string> next_backlen_;
};

// The backlen of an entry of this size.
[[nodiscard]] std::string listpack_backlen(size_t size, bool wide = false);

class ZiplistBuilder {
 public:
  ZiplistBuilder& add(Bytes text);
  ZiplistBuilder& add_string(Bytes text);
  ZiplistBuilder& add_number(int64_t number);
  // `encoded` is encoding and data; the prevlen that it needs stands in front.
  ZiplistBuilder& entry(Bytes encoded);
  ZiplistBuilder& raw(Bytes bytes, size_t entries = 0);

  // Integers of two, four and eight bytes only, as Redis 2.4 writes them.
  ZiplistBuilder& old_integers() { return old_integers_ = true, *this; }
  // The prevlen of the next entry in its long form, though the short one would do.
  ZiplistBuilder& long_prevlen() { return long_prevlen_ = true, *this; }

  // Untruths.
  ZiplistBuilder& total(uint32_t stated) { return total_ = stated, *this; }
  ZiplistBuilder& tail(uint32_t stated) { return tail_ = stated, *this; }
  ZiplistBuilder& count(uint16_t stated) { return count_ = stated, *this; }
  ZiplistBuilder& end_mark(uint8_t mark) { return end_mark_ = static_cast<char>(mark), *this; }
  ZiplistBuilder& next_prevlen(Bytes bytes) { return next_prevlen_ = std::string(bytes), *this; }

  [[nodiscard]] std::string bytes() const;

 private:
  std::string entries_;
  size_t entry_count_ = 0;
  size_t last_size_ = 0;
  size_t last_at_ = 0;
  bool old_integers_ = false;
  bool long_prevlen_ = false;
  char end_mark_ = '\xff';
  std::optional<uint32_t> total_;
  std::optional<uint32_t> tail_;
  std::optional<uint16_t> count_;
  std::optional<std::string> next_prevlen_;
};

class ZipmapBuilder {
 public:
  // `unused` bytes follow the value.
  ZipmapBuilder& add(Bytes field, Bytes value, uint8_t unused = 0);
  // Lengths in the long form, whatever they are.
  ZipmapBuilder& long_lengths() { return long_lengths_ = true, *this; }
  ZipmapBuilder& raw(Bytes bytes) { return pairs_ += bytes, *this; }

  // Untruths.
  ZipmapBuilder& count(uint8_t stated) { return count_ = stated, *this; }
  ZipmapBuilder& end(Bytes bytes) { return end_ = std::string(bytes), *this; }

  [[nodiscard]] std::string bytes() const;

 private:
  [[nodiscard]] std::string length_of(Bytes text) const;

  std::string pairs_;
  size_t pair_count_ = 0;
  bool long_lengths_ = false;
  std::string end_ = "\xff";
  std::optional<uint8_t> count_;
};

class IntsetBuilder {
 public:
  explicit IntsetBuilder(uint32_t width) : width_(width) {}
  IntsetBuilder& add(int64_t number);

  // Untruths.
  IntsetBuilder& count(uint32_t stated) { return count_ = stated, *this; }
  IntsetBuilder& width(uint32_t stated) { return stated_width_ = stated, *this; }

  [[nodiscard]] std::string bytes() const;

 private:
  uint32_t width_;
  std::string numbers_;
  uint32_t number_count_ = 0;
  std::optional<uint32_t> count_;
  std::optional<uint32_t> stated_width_;
};

}  // namespace persist::test
