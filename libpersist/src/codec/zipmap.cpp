// u8 count, then pairs of: length field, length, u8 free, value, free bytes; 0xff at the end. A length is one
// byte up to 253, or fe u32le. A count of 254 or 255 means: walk.
#include "codec/zipmap.hpp"

#include "base/endian.hpp"

namespace persist {

namespace {

constexpr uint8_t kLongLength = 0xfe;
constexpr uint8_t kZipmapEnd = 0xff;
constexpr uint8_t kCountUnknownFrom = 254;

}  // namespace

ZipmapReader::ZipmapReader(const Blob& blob) : blob_(blob) {
  if (blob.bytes.size() < 2) {
    blob.fail(FindingCode::zipmap_damaged, 0, blob.bytes.size(), "zipmap", "at least 2 bytes",
              std::to_string(blob.bytes.size()));
  }
}

bool ZipmapReader::next(Bytes& field, Bytes& value) {
  if (at_ >= blob_.bytes.size()) fail_overrun(1);
  if (static_cast<uint8_t>(blob_.bytes[at_]) == kZipmapEnd) {
    finish();
    return false;
  }
  field = read_string(false);
  value = read_string(true);
  ++seen_;
  return true;
}

// A length and as many bytes; for a value also the byte that tells how many unused ones follow, and those.
Bytes ZipmapReader::read_string(bool is_value) {
  const Bytes all = blob_.bytes;
  const auto need = [&](size_t size) {
    if (all.size() - at_ < size) fail_overrun(size);
  };
  need(1);
  size_t length = static_cast<uint8_t>(all[at_]);
  size_t header = 1;
  if (length == kZipmapEnd)
    blob_.fail(FindingCode::zipmap_damaged, at_, 1, "zipmap value length", "a length", "the end mark");
  if (length == kLongLength) {
    need(5);
    length = load_le<uint32_t>(all.data() + at_ + 1);
    header = 5;
  }
  size_t unused = 0;
  if (is_value) {
    need(header + 1);
    unused = static_cast<uint8_t>(all[at_ + header]);
    ++header;
  }
  need(header + length + unused);
  const Bytes taken = all.substr(at_ + header, length);
  at_ += header + length + unused;
  return taken;
}

void ZipmapReader::finish() const {
  if (at_ + 1 != blob_.bytes.size()) {
    blob_.fail(FindingCode::zipmap_damaged, at_, 1, "zipmap end mark", "the last byte",
               std::to_string(blob_.bytes.size() - at_ - 1) + " bytes behind it");
  }
  const auto stated = static_cast<uint8_t>(blob_.bytes[0]);
  if (stated < kCountUnknownFrom && stated != seen_) {
    blob_.fail(FindingCode::zipmap_count, 0, 1, "zipmap pair count", std::to_string(stated),
               std::to_string(seen_));
  }
}

void ZipmapReader::fail_overrun(size_t size) const {
  blob_.fail(FindingCode::zipmap_damaged, at_, blob_.bytes.size() - at_, "zipmap entry length",
             "at most " + std::to_string(blob_.bytes.size() - at_), std::to_string(size));
}

}  // namespace persist
