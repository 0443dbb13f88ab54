// STR and LEN as servers write them.
#include "types/encoder.hpp"

#include <limits>
#include <stdexcept>

#include "base/server_numbers.hpp"

namespace persist {

namespace {

constexpr size_t kIntegerTextMax = 11;
constexpr size_t kCompressedFrom = 21;  // shorter strings are never compressed
constexpr size_t kCompressionGainMin = 4;
constexpr size_t kKeptBytesMax = size_t{4} << 20;
constexpr unsigned kLengths64Since = 400;

enum : uint8_t { kAsInt8 = 0xc0, kAsInt16 = 0xc1, kAsInt32 = 0xc2, kAsLzf = 0xc3 };

template <typename T>
bool fits(int64_t number) {
  return number >= std::numeric_limits<T>::min() && number <= std::numeric_limits<T>::max();
}

bool may_be_integer(Bytes bytes) {
  return !bytes.empty() && bytes.size() <= kIntegerTextMax &&
         (bytes[0] == '-' || (bytes[0] >= '0' && bytes[0] <= '9'));
}

}  // namespace

void Encoder::long_length(uint64_t number) {
  constexpr uint64_t k14Bits = uint64_t{1} << 14;
  if (number < k14Bits) return be(static_cast<uint16_t>(number | 0x4000));
  if (number <= std::numeric_limits<uint32_t>::max()) {
    u8(0x80);
    return be(static_cast<uint32_t>(number));
  }
  if (rules_.target->release < kLengths64Since) {
    throw std::length_error("a length of " + std::to_string(number) + " cannot be written for " +
                            std::string(rules_.target->name) + ", which knows lengths below 2^32");
  }
  u8(0x81);
  be(number);
}

bool Encoder::string_as_integer(Bytes bytes) {
  const std::optional<int64_t> number = parse_server_integer(bytes);
  if (!number || !fits<int32_t>(*number)) return false;
  if (fits<int8_t>(*number)) {
    u8(kAsInt8);
    u8(static_cast<uint8_t>(*number));
  } else if (fits<int16_t>(*number)) {
    u8(kAsInt16);
    le(static_cast<int16_t>(*number));
  } else {
    u8(kAsInt32);
    le(static_cast<int32_t>(*number));
  }
  return true;
}

void Encoder::string(Bytes bytes) {
  if (may_be_integer(bytes) && string_as_integer(bytes)) return;
  blob(bytes);
}

void Encoder::blob(Bytes bytes) {
  if (rules_.compress && bytes.size() >= kCompressedFrom) {
    packed_.clear();
    if (packer_.pack(bytes, bytes.size() - kCompressionGainMin, packed_) > 0) {
      u8(kAsLzf);
      length(packed_.size());
      length(bytes.size());
      return raw(packed_.bytes());
    }
  }
  length(bytes.size());
  raw(bytes);
}

void Encoder::length_id(StreamId id) {
  length(id.ms);
  length(id.seq);
}

void Encoder::raw_id(StreamId id) {
  be(id.ms);
  be(id.seq);
}

void Encoder::shrink() {
  container_.clear();
  container_.shrink(kKeptBytesMax);
  packed_.clear();
  packed_.shrink(kKeptBytesMax);
}

}  // namespace persist
