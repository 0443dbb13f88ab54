// No value has free bytes behind it; zipmap.cpp has the layout.
#include "codec/zipmap_writer.hpp"

#include <algorithm>

#include "base/endian.hpp"

namespace persist {

namespace {

constexpr uint64_t kZipmapCountMax = 254;  // which says: unknown
constexpr size_t kZipmapLengthEscape = 254;
constexpr size_t kZipmapLengthMax = 5;

char* put_zipmap_length(char* to, size_t size) {
  if (size < kZipmapLengthEscape) {
    *to = static_cast<char>(size);
    return to + 1;
  }
  *to = static_cast<char>(kZipmapLengthEscape);
  store_le(to + 1, static_cast<uint32_t>(size));
  return to + kZipmapLengthMax;
}

char* put_zipmap_bytes(char* to, Bytes bytes) {
  if (!bytes.empty()) std::memcpy(to, bytes.data(), bytes.size());
  return to + bytes.size();
}

}  // namespace

ZipmapWriter::ZipmapWriter(ByteBuffer& out) : out_(out), begin_(out.size()) { out.append('\0'); }

void ZipmapWriter::add(Bytes field, Bytes value) {
  char* to = out_.room(field.size() + value.size() + 2 * kZipmapLengthMax + 1);
  to = put_zipmap_bytes(put_zipmap_length(to, field.size()), field);
  to = put_zipmap_length(to, value.size());
  *to++ = '\0';
  out_.advance(put_zipmap_bytes(to, value));
  ++count_;
}

void ZipmapWriter::finish() {
  const size_t total = size();
  char* const end_mark = out_.room(1);
  *end_mark = '\xff';
  *(end_mark + 1 - total) = static_cast<char>(std::min(count_, kZipmapCountMax));
  out_.advance(end_mark + 1);
}

}  // namespace persist
