// How containers lay out their entries.
#include "support/blob_builders.hpp"

#include <algorithm>

#include "base/decimal.hpp"

namespace persist::test {

namespace {

constexpr size_t kListpackHeaderBytes = 6;
constexpr size_t kZiplistHeaderBytes = 10;
constexpr uint16_t kCountUnknown = 0xffff;

// The number that the text is the canonical form of.
std::optional<int64_t> canonical_number(Bytes text) {
  const std::optional<int64_t> number = parse_decimal<int64_t>(text);
  if (!number || std::to_string(*number) != text) return std::nullopt;
  return number;
}

bool fits(int64_t number, unsigned bits) {
  const int64_t limit = int64_t{1} << (bits - 1);
  return number >= -limit && number < limit;
}

// The low `size` bytes, little-endian.
std::string le_bytes(int64_t number, size_t size) { return le(number).substr(0, size); }

uint16_t stated_count(size_t entries) {
  return static_cast<uint16_t>(std::min<size_t>(entries, kCountUnknown));
}

}  // namespace

// ---------------------------------------------------------------------------------------------- listpack

std::string listpack_backlen(size_t size, bool wide) {
  std::string groups;
  for (size_t rest = size; groups.empty() || rest > 0; rest >>= 7)
    groups.push_back(static_cast<char>((rest & 0x7f) | 0x80));
  const bool boundary = size == (1U << 14) - 1 || size == (1U << 21) - 1 || size == (1U << 28) - 1;
  if (wide && boundary) groups.push_back('\x80');
  groups.back() = static_cast<char>(groups.back() & 0x7f);
  return {groups.rbegin(), groups.rend()};
}

ListpackBuilder& ListpackBuilder::add(Bytes text) {
  const std::optional<int64_t> number = canonical_number(text);
  return number ? add_number(*number) : add_string(text);
}

ListpackBuilder& ListpackBuilder::add_string(Bytes text) {
  std::string head;
  if (text.size() < 64) {
    head.push_back(static_cast<char>(0x80 | text.size()));
  } else if (text.size() < 4096) {
    head = be(static_cast<uint16_t>(0xe000 | text.size()));
  } else {
    head = "\xf0" + le(static_cast<uint32_t>(text.size()));
  }
  return entry(head.append(text));
}

ListpackBuilder& ListpackBuilder::add_number(int64_t number) {
  if (number >= 0 && number <= 127) return entry(std::string(1, static_cast<char>(number)));
  if (fits(number, 13)) return entry(be(static_cast<uint16_t>(0xc000 | (number & 0x1fff))));
  if (fits(number, 16)) return entry("\xf1" + le_bytes(number, 2));
  if (fits(number, 24)) return entry("\xf2" + le_bytes(number, 3));
  if (fits(number, 32)) return entry("\xf3" + le_bytes(number, 4));
  return entry("\xf4" + le(number));
}

ListpackBuilder& ListpackBuilder::entry(Bytes encoded) {
  entries_ += encoded;
  entries_ += next_backlen_ ? *next_backlen_ : listpack_backlen(encoded.size(), wide_);
  next_backlen_.reset();
  ++entry_count_;
  return *this;
}

ListpackBuilder& ListpackBuilder::raw(Bytes bytes, size_t entries) {
  entries_ += bytes;
  entry_count_ += entries;
  return *this;
}

std::string ListpackBuilder::bytes() const {
  const auto size = static_cast<uint32_t>(kListpackHeaderBytes + entries_.size() + 1);
  return le(total_.value_or(size)) + le(count_.value_or(stated_count(entry_count_))) + entries_ + end_mark_;
}

// ----------------------------------------------------------------------------------------------- ziplist

ZiplistBuilder& ZiplistBuilder::add(Bytes text) {
  const std::optional<int64_t> number = canonical_number(text);
  return number ? add_number(*number) : add_string(text);
}

ZiplistBuilder& ZiplistBuilder::add_string(Bytes text) {
  std::string head;
  if (text.size() < 64) {
    head.push_back(static_cast<char>(text.size()));
  } else if (text.size() < 16384) {
    head = be(static_cast<uint16_t>(0x4000 | text.size()));
  } else {
    head = "\x80" + be(static_cast<uint32_t>(text.size()));
  }
  return entry(head.append(text));
}

ZiplistBuilder& ZiplistBuilder::add_number(int64_t number) {
  if (!old_integers_) {
    if (number >= 0 && number <= 12) return entry(std::string(1, static_cast<char>(0xf1 + number)));
    if (fits(number, 8)) return entry("\xfe" + le_bytes(number, 1));
  }
  if (fits(number, 16)) return entry("\xc0" + le_bytes(number, 2));
  if (!old_integers_ && fits(number, 24)) return entry("\xf0" + le_bytes(number, 3));
  if (fits(number, 32)) return entry("\xd0" + le_bytes(number, 4));
  return entry("\xe0" + le(number));
}

ZiplistBuilder& ZiplistBuilder::entry(Bytes encoded) {
  std::string prevlen(1, static_cast<char>(last_size_));
  if (last_size_ >= 254 || long_prevlen_) prevlen = "\xfe" + le(static_cast<uint32_t>(last_size_));
  if (next_prevlen_) prevlen = *next_prevlen_;
  next_prevlen_.reset();
  long_prevlen_ = false;
  last_at_ = entries_.size();
  entries_ += prevlen;
  entries_ += encoded;
  last_size_ = entries_.size() - last_at_;
  ++entry_count_;
  return *this;
}

ZiplistBuilder& ZiplistBuilder::raw(Bytes bytes, size_t entries) {
  entries_ += bytes;
  entry_count_ += entries;
  return *this;
}

std::string ZiplistBuilder::bytes() const {
  const auto size = static_cast<uint32_t>(kZiplistHeaderBytes + entries_.size() + 1);
  const auto tail = static_cast<uint32_t>(kZiplistHeaderBytes + last_at_);
  return le(total_.value_or(size)) + le(tail_.value_or(tail)) +
         le(count_.value_or(stated_count(entry_count_))) + entries_ + end_mark_;
}

// ------------------------------------------------------------------------------------------------ zipmap

std::string ZipmapBuilder::length_of(Bytes text) const {
  if (text.size() < 254 && !long_lengths_) return {static_cast<char>(text.size())};
  return "\xfe" + le(static_cast<uint32_t>(text.size()));
}

ZipmapBuilder& ZipmapBuilder::add(Bytes field, Bytes value, uint8_t unused) {
  pairs_ += length_of(field);
  pairs_ += field;
  pairs_ += length_of(value);
  pairs_ += static_cast<char>(unused);
  pairs_ += value;
  pairs_.append(unused, '?');
  ++pair_count_;
  return *this;
}

std::string ZipmapBuilder::bytes() const {
  constexpr size_t kUnknown = 254;
  const auto stated = count_.value_or(static_cast<uint8_t>(std::min(pair_count_, kUnknown)));
  return static_cast<char>(stated) + pairs_ + end_;
}

// ------------------------------------------------------------------------------------------------ intset

IntsetBuilder& IntsetBuilder::add(int64_t number) {
  numbers_ += le_bytes(number, width_);
  ++number_count_;
  return *this;
}

std::string IntsetBuilder::bytes() const {
  return le(stated_width_.value_or(width_)) + le(count_.value_or(number_count_)) + numbers_;
}

}  // namespace persist::test
