// Each entry in the smallest form that there is for it; listpack.cpp has the layout.
#include "codec/listpack_writer.hpp"

#include <algorithm>

#include "base/endian.hpp"
#include "codec/item_integer.hpp"

namespace persist {

namespace {

constexpr size_t kNewListpackBytes = 6;
constexpr uint64_t kListpackCountMax = 0xffff;  // which says: unknown
constexpr size_t kStringHeaderMax = 5;
constexpr size_t kBacklenMax = 5;
constexpr size_t kShortBacklenMax = 127;
constexpr size_t kIntegerEntryMax = 10;

char low_byte(uint64_t number) { return static_cast<char>(number & 0xff); }

// The header of a string entry.
char* put_string_header(char* to, size_t size) {
  if (size < 64) {
    *to = low_byte(0x80 | size);
    return to + 1;
  }
  if (size < 4096) {
    to[0] = low_byte(0xe0 | size >> 8);
    to[1] = low_byte(size);
    return to + 2;
  }
  *to = low_byte(0xf0);
  store_le(to + 1, static_cast<uint32_t>(size));
  return to + 5;
}

// Encoding and data of an integer of more than 13 bits. Up to nine bytes are written, whatever it takes.
char* put_wide_integer(char* to, int64_t number) {
  const unsigned width = item_integer_width(number);
  *to = low_byte(width <= 4 ? 0xef + width : 0xf4);
  store_le(to + 1, number);
  return to + 1 + width;
}

}  // namespace

ListpackWriter::ListpackWriter(ByteBuffer& out, Backlen backlen)
    : out_(out), begin_(out.size()), backlen_(backlen) {
  out.advance(out.room(kNewListpackBytes) + kNewListpackBytes);
}

void ListpackWriter::add(Bytes item) {
  if (may_be_item_integer(item)) {
    if (const std::optional<int64_t> number = parse_server_integer(item)) return add_integer(*number);
  }
  add_string(item);
}

void ListpackWriter::add_integer(int64_t number) {
  char* const begin = out_.room(kIntegerEntryMax);
  char* to = begin;
  if (number >= 0 && number < 128) {
    *to++ = low_byte(static_cast<uint64_t>(number));
  } else if (number >= -4096 && number < 4096) {
    const uint64_t bits = static_cast<uint64_t>(number) & 0x1fff;
    *to++ = low_byte(0xc0 | bits >> 8);
    *to++ = low_byte(bits);
  } else {
    to = put_wide_integer(to, number);
  }
  *to = static_cast<char>(to - begin);
  out_.advance(to + 1);
  ++count_;
}

void ListpackWriter::add_string(Bytes item) {
  char* const begin = out_.room(item.size() + kStringHeaderMax + kBacklenMax);
  char* to = put_string_header(begin, item.size());
  if (!item.empty()) std::memcpy(to, item.data(), item.size());
  to += item.size();
  const auto size = static_cast<size_t>(to - begin);
  if (size <= kShortBacklenMax) [[likely]]
    *to++ = low_byte(size);
  else
    to = put_long_backlen(to, size);
  out_.advance(to);
  ++count_;
}

char* ListpackWriter::put_long_backlen(char* to, size_t size) const {
  // The wide form takes another byte already for sizes whose groups are all ones.
  size_t width = 1;
  for (size_t rest = backlen_ == Backlen::wide ? size + 1 : size; rest >>= 7;) ++width;
  for (size_t i = width; i-- > 0; size >>= 7) to[i] = low_byte((size & 0x7f) | (i > 0 ? 0x80U : 0U));
  return to + width;
}

void ListpackWriter::finish() {
  const size_t total = size();
  char* const end_mark = out_.room(1);
  *end_mark = low_byte(0xff);
  char* const begin = end_mark + 1 - total;
  store_le(begin, static_cast<uint32_t>(total));
  store_le(begin + 4, static_cast<uint16_t>(std::min(count_, kListpackCountMax)));
  out_.advance(end_mark + 1);
}

}  // namespace persist
