// entry = encoding data backlen. The encodings, by their first byte:
//
//   0xxxxxxx                    integer 0-127
//   10xxxxxx                    string, 6-bit length
//   110xxxxx y                  integer, 13 bits, two's complement
//   1110xxxx y                  string, 12-bit length
//   f0 u32le                    string
//   f1 f2 f3 f4                 integer of 2, 3, 4, 8 bytes
//
// backlen is the size L of encoding and data, seven bits a byte, the most significant first, bit 7 set in all
// but the first. For L of 2^14-1, 2^21-1, 2^28-1 servers disagree on its width (man/persist-rdb.5, LISTPACK):
// both are read.
#include "codec/listpack.hpp"

#include "base/endian.hpp"

namespace persist {

namespace {

constexpr size_t kListpackHeaderBytes = 6;
constexpr uint8_t kListpackEnd = 0xff;
constexpr uint16_t kListpackCountUnknown = 0xffff;
constexpr size_t kOneByteBacklenMax = 127;

uint8_t listpack_byte(const char* at) { return static_cast<uint8_t>(*at); }

// The bytes that the narrowest backlen for `size` takes.
size_t backlen_width(size_t size) {
  size_t width = 1;
  while (size >>= 7) ++width;
  return width;
}

bool backlen_spells(const char* at, size_t size, size_t width) {
  for (size_t i = width; i-- > 0; size >>= 7) {
    const auto expected = static_cast<uint8_t>((size & 0x7f) | (i > 0 ? 0x80 : 0));
    if (listpack_byte(at + i) != expected) return false;
  }
  return true;
}

// Sizes whose seven-bit groups are all ones: where the two dialects differ.
bool is_boundary(size_t size) {
  return size == (size_t{1} << 14) - 1 || size == (size_t{1} << 21) - 1 || size == (size_t{1} << 28) - 1;
}

}  // namespace

ListpackReader::ListpackReader(const Blob& blob) : blob_(blob) {
  const size_t size = blob.bytes.size();
  if (size < kListpackHeaderBytes + 1) {
    blob.fail(FindingCode::listpack_size, 0, size, "listpack", "at least 7 bytes", std::to_string(size));
  }
  const auto total = load_le<uint32_t>(blob.bytes.data());
  if (total != size) {
    blob.fail(FindingCode::listpack_size, 0, 4, "listpack total bytes", std::to_string(size),
              std::to_string(total));
  }
  at_ = blob.bytes.data() + kListpackHeaderBytes;
  last_ = blob.bytes.data() + size - 1;
  if (listpack_byte(last_) != kListpackEnd) {
    blob.fail(FindingCode::listpack_size, size - 1, 1, "listpack end mark", "0xff",
              hex_byte(listpack_byte(last_)));
  }
}

bool ListpackReader::next(PackedItem& item) {
  if (at_ == last_) {
    finish();
    return false;
  }
  size_t size = 0;
  item = read_item(size);
  if (size <= kOneByteBacklenMax) [[likely]] {
    if (room() <= size || listpack_byte(at_ + size) != size) [[unlikely]]
      check_backlen(size);
    at_ += size + 1;
  } else {
    check_backlen(size);
  }
  ++seen_;
  return true;
}

// Reads the entry at at_; `size` becomes that of encoding and data, which are inside.
PackedItem ListpackReader::read_item(size_t& size) const {
  const uint8_t first = listpack_byte(at_);
  const size_t here = position();
  const auto string = [&](size_t header, size_t length) {
    size = header + length;
    need(size);
    return PackedItem::of(Bytes(at_ + header, length), here);
  };
  const auto fixed = [&](size_t bytes) {
    size = bytes;
    need(size);
  };
  if (first < 0x80) {
    size = 1;
    return PackedItem::of(int64_t{first}, here);
  }
  if (first < 0xc0) return string(1, first & 0x3f);
  if (first < 0xe0) {
    fixed(2);
    const int value = ((first & 0x1f) << 8) | listpack_byte(at_ + 1);
    return PackedItem::of(int64_t{value >= 1 << 12 ? value - (1 << 13) : value}, here);
  }
  if (first < 0xf0) {
    need(2);
    return string(2, (static_cast<size_t>(first & 0x0f) << 8) | listpack_byte(at_ + 1));
  }
  switch (first) {
    case 0xf0:
      need(5);
      return string(5, load_le<uint32_t>(at_ + 1));
    case 0xf1:
      fixed(3);
      return PackedItem::of(int64_t{load_le<int16_t>(at_ + 1)}, here);
    case 0xf2:
      fixed(4);
      return PackedItem::of(int64_t{load_i24le(at_ + 1)}, here);
    case 0xf3:
      fixed(5);
      return PackedItem::of(int64_t{load_le<int32_t>(at_ + 1)}, here);
    case 0xf4:
      fixed(9);
      return PackedItem::of(load_le<int64_t>(at_ + 1), here);
    default:
      blob_.fail(FindingCode::listpack_entry, here, 1, "listpack entry", "an encoding byte", hex_byte(first));
  }
}

// Moves over the entry and its backlen, or fails.
void ListpackReader::check_backlen(size_t size) {
  const char* const back = at_ + size;
  const size_t narrow = backlen_width(size);
  const auto left = static_cast<size_t>(last_ - back);
  for (const size_t width : {narrow, narrow + 1}) {
    if (width > narrow && !is_boundary(size)) break;
    if (left >= width && backlen_spells(back, size, width)) {
      at_ = back + width;
      return;
    }
  }
  if (left < narrow) fail_overrun(size + narrow);
  blob_.fail(FindingCode::listpack_backlen, position() + size, narrow, "listpack entry backlen",
             std::to_string(size), "other bytes");
}

void ListpackReader::finish() const {
  const auto stated = load_le<uint16_t>(blob_.bytes.data() + 4);
  if (stated != kListpackCountUnknown && stated != seen_) {
    blob_.fail(FindingCode::listpack_count, 4, 2, "listpack entry count", std::to_string(stated),
               std::to_string(seen_));
  }
}

void ListpackReader::fail_overrun(size_t size) const {
  blob_.fail(FindingCode::listpack_overrun, position(), room(), "listpack entry length",
             "at most " + std::to_string(room()), std::to_string(size));
}

}  // namespace persist
