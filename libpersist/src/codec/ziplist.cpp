// entry = prevlen encoding data. prevlen is the size of the whole entry before: one byte below 254, else fe
// u32le (which may hold a small number, too). The encodings, by their first byte:
//
//   00pppppp                    string, 6-bit length
//   01pppppp q                  string, 14-bit length
//   10...... u32be              string
//   c0 d0 e0 f0 fe              integer of 2, 4, 8, 3, 1 bytes
//   f1 - fd                     integer 0 - 12
#include "codec/ziplist.hpp"

#include "base/endian.hpp"

namespace persist {

namespace {

constexpr size_t kZiplistHeaderBytes = 10;
constexpr uint8_t kZiplistEnd = 0xff;
constexpr uint8_t kLongPrevlen = 0xfe;
constexpr uint16_t kZiplistCountUnknown = 0xffff;

uint8_t ziplist_byte(const char* at) { return static_cast<uint8_t>(*at); }

}  // namespace

ZiplistReader::ZiplistReader(const Blob& blob) : blob_(blob) {
  const size_t size = blob.bytes.size();
  if (size < kZiplistHeaderBytes + 1) {
    blob.fail(FindingCode::ziplist_size, 0, size, "ziplist", "at least 11 bytes", std::to_string(size));
  }
  const auto total = load_le<uint32_t>(blob.bytes.data());
  if (total != size) {
    blob.fail(FindingCode::ziplist_size, 0, 4, "ziplist total bytes", std::to_string(size),
              std::to_string(total));
  }
  at_ = blob.bytes.data() + kZiplistHeaderBytes;
  last_ = blob.bytes.data() + size - 1;
  if (ziplist_byte(last_) != kZiplistEnd) {
    blob.fail(FindingCode::ziplist_size, size - 1, 1, "ziplist end mark", "0xff",
              hex_byte(ziplist_byte(last_)));
  }
  previous_at_ = kZiplistHeaderBytes;
}

bool ZiplistReader::next(PackedItem& item) {
  if (at_ == last_) {
    finish();
    return false;
  }
  const size_t begin = position();
  const size_t prevlen_bytes = read_prevlen();
  size_t size = 0;
  item = read_item(at_ + prevlen_bytes, size);
  item.at = begin;
  at_ += prevlen_bytes + size;
  previous_size_ = prevlen_bytes + size;
  previous_at_ = begin;
  ++seen_;
  return true;
}

void ZiplistReader::need(const char* from, size_t size) const {
  const auto room = static_cast<size_t>(last_ - from);
  if (room < size) [[unlikely]] {
    blob_.fail(FindingCode::ziplist_entry, position(), static_cast<size_t>(last_ - at_),
               "ziplist entry length", "at most " + std::to_string(room), std::to_string(size));
  }
}

// Checks the prevlen at at_ and returns how many bytes it takes.
size_t ZiplistReader::read_prevlen() {
  const bool is_long = ziplist_byte(at_) == kLongPrevlen;
  const size_t bytes = is_long ? 5 : 1;
  need(at_, bytes);
  const size_t stated = is_long ? load_le<uint32_t>(at_ + 1) : ziplist_byte(at_);
  if (stated != previous_size_) {
    blob_.fail(FindingCode::ziplist_prevlen, position(), bytes, "ziplist previous entry size",
               std::to_string(previous_size_), std::to_string(stated));
  }
  return bytes;
}

// Reads encoding and data at `from`; `size` becomes how many bytes they take.
PackedItem ZiplistReader::read_item(const char* from, size_t& size) const {
  need(from, 1);
  const uint8_t first = ziplist_byte(from);
  const auto string = [&](size_t header, size_t length) {
    size = header + length;
    need(from, size);
    return PackedItem::of(Bytes(from + header, length), 0);
  };
  const auto fixed = [&](size_t bytes) {
    size = bytes;
    need(from, size);
  };
  if (first < 0x40) return string(1, first);
  if (first < 0x80) {
    need(from, 2);
    return string(2, (static_cast<size_t>(first & 0x3f) << 8) | ziplist_byte(from + 1));
  }
  if (first < 0xc0) {
    need(from, 5);
    return string(5, load_be<uint32_t>(from + 1));
  }
  if (first >= 0xf1 && first <= 0xfd) {
    size = 1;
    return PackedItem::of(int64_t{(first & 0x0f) - 1}, 0);
  }
  switch (first) {
    case 0xc0:
      fixed(3);
      return PackedItem::of(int64_t{load_le<int16_t>(from + 1)}, 0);
    case 0xd0:
      fixed(5);
      return PackedItem::of(int64_t{load_le<int32_t>(from + 1)}, 0);
    case 0xe0:
      fixed(9);
      return PackedItem::of(load_le<int64_t>(from + 1), 0);
    case 0xf0:
      fixed(4);
      return PackedItem::of(int64_t{load_i24le(from + 1)}, 0);
    case 0xfe:
      fixed(2);
      return PackedItem::of(int64_t{load_le<int8_t>(from + 1)}, 0);
    default:
      blob_.fail(FindingCode::ziplist_entry, position(), 1, "ziplist entry", "an encoding byte",
                 hex_byte(first));
  }
}

void ZiplistReader::finish() const {
  const auto tail = load_le<uint32_t>(blob_.bytes.data() + 4);
  if (tail != previous_at_) {
    blob_.fail(FindingCode::ziplist_tail, 4, 4, "ziplist tail offset", std::to_string(previous_at_),
               std::to_string(tail));
  }
  const auto stated = load_le<uint16_t>(blob_.bytes.data() + 8);
  if (stated != kZiplistCountUnknown && stated != seen_) {
    blob_.fail(FindingCode::ziplist_count, 8, 2, "ziplist entry count", std::to_string(stated),
               std::to_string(seen_));
  }
}

}  // namespace persist
