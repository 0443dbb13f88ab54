// Each entry in the smallest form that its readers know; ziplist.cpp has the layout.
#include "codec/ziplist_writer.hpp"

#include <algorithm>
#include <array>

#include "base/endian.hpp"
#include "codec/item_integer.hpp"

namespace persist {

namespace {

constexpr size_t kNewZiplistBytes = 10;
constexpr uint64_t kZiplistCountMax = 0xffff;  // which says: unknown
constexpr size_t kLongPrevlenFrom = 254;
constexpr size_t kPrevlenMax = 5;
constexpr size_t kItemHeaderMax = 5;
constexpr size_t kItemIntegerMax = 9;

char item_byte(uint64_t number) { return static_cast<char>(number & 0xff); }

// By the width of the integer in bytes.
constexpr std::array<uint8_t, 9> kIntegerEncodings = {0, 0xfe, 0xc0, 0xf0, 0xd0, 0, 0, 0, 0xe0};

// The width that readers of the oldest ziplists know.
unsigned old_integer_width(unsigned width) {
  if (width <= 2) return 2;
  return width <= 4 ? 4 : 8;
}

char* put_item_header(char* to, size_t size) {
  if (size < 64) {
    *to = item_byte(size);
    return to + 1;
  }
  if (size < 16384) {
    to[0] = item_byte(0x40 | size >> 8);
    to[1] = item_byte(size);
    return to + 2;
  }
  *to = item_byte(0x80);
  store_be(to + 1, static_cast<uint32_t>(size));
  return to + 5;
}

}  // namespace

ZiplistWriter::ZiplistWriter(ByteBuffer& out, ZiplistIntegers integers)
    : out_(out), begin_(out.size()), last_at_(kNewZiplistBytes), integers_(integers) {
  out.advance(out.room(kNewZiplistBytes) + kNewZiplistBytes);
}

// Room for an entry, of which the prevlen is there.
char* ZiplistWriter::begin_entry(size_t data_max) {
  char* const to = out_.room(kPrevlenMax + data_max);
  last_at_ = out_.size() - begin_;
  if (last_size_ < kLongPrevlenFrom) [[likely]] {
    *to = item_byte(last_size_);
    return to + 1;
  }
  *to = item_byte(kLongPrevlenFrom);
  store_le(to + 1, static_cast<uint32_t>(last_size_));
  return to + kPrevlenMax;
}

void ZiplistWriter::end_entry(const char* to) {
  out_.advance(to);
  last_size_ = out_.size() - begin_ - last_at_;
  ++count_;
}

void ZiplistWriter::add(Bytes item) {
  if (may_be_item_integer(item)) {
    if (const std::optional<int64_t> number = parse_server_integer(item))
      return end_entry(put_integer(begin_entry(kItemIntegerMax), *number));
  }
  char* const to = put_item_header(begin_entry(item.size() + kItemHeaderMax), item.size());
  if (!item.empty()) std::memcpy(to, item.data(), item.size());
  end_entry(to + item.size());
}

// Up to nine bytes are written, whatever it takes.
char* ZiplistWriter::put_integer(char* to, int64_t number) const {
  if (integers_ == ZiplistIntegers::all && number >= 0 && number <= 12) {
    *to = item_byte(0xf1 + static_cast<uint64_t>(number));
    return to + 1;
  }
  unsigned width = item_integer_width(number);
  if (integers_ == ZiplistIntegers::wide) width = old_integer_width(width);
  *to = item_byte(kIntegerEncodings[width]);
  store_le(to + 1, number);
  return to + 1 + width;
}

void ZiplistWriter::finish() {
  const size_t total = size();
  char* const end_mark = out_.room(1);
  *end_mark = item_byte(0xff);
  char* const begin = end_mark + 1 - total;
  store_le(begin, static_cast<uint32_t>(total));
  store_le(begin + 4, static_cast<uint32_t>(last_at_));
  store_le(begin + 8, static_cast<uint16_t>(std::min(count_, kZiplistCountMax)));
  out_.advance(end_mark + 1);
}

}  // namespace persist
