// Arrays. man/persist-rdb.5, ARRAY
//
//   LEN count, LEN flag: 0, or 1 followed by LEN insert index
//   count x (LEN index, LEN tag, payload): tag 0 STR; 1 i64le; 2 f64le; 3 STR of at most seven bytes
//
// Written are strings only: servers find out themselves what they keep in another form.
#include <cmath>

#include "base/decimal.hpp"
#include "types/element_scope.hpp"
#include "types/encode.hpp"
#include "types/packing.hpp"
#include "types/primitives.hpp"
#include "types/types.hpp"

namespace persist {

namespace {

enum Tag : uint64_t { kStringTag = 0, kIntegerTag = 1, kFloatTag = 2, kShortStringTag = 3 };

constexpr uint64_t kElementBytesMin = 3;
constexpr size_t kShortStringMax = 7;
constexpr uint64_t kInvalidIndex = ~uint64_t{0};
constexpr size_t kFloatTextMax = 32;

[[noreturn]] void fail(const Cursor& in, uint64_t at, const char* noun, const char* expected,
                       uint64_t found) {
  in.fail(FindingCode::array_damaged, {at, in.offset() - at}, noun, expected, std::to_string(found));
}

std::optional<uint64_t> read_insert_index(Cursor& in) {
  const uint64_t at = in.offset();
  const uint64_t flag = in.length("array insert flag");
  if (flag == 0) return std::nullopt;
  if (flag != 1) fail(in, at, "array insert flag", "0 or 1", flag);
  return in.length("array insert index");
}

// The shortest digits that read back equal; what looks like an integer gets a fraction, as the server prints
// it.
Bytes float_text(double value, char* room) {
  char* end = std::to_chars(room, room + kFloatTextMax - 2, value).ptr;
  if (Bytes(room, static_cast<size_t>(end - room)).find_first_not_of("-0123456789") == Bytes::npos) {
    *end++ = '.';
    *end++ = '0';
  }
  return {room, static_cast<size_t>(end - room)};
}

Bytes read_short_string(Cursor& in) {
  const uint64_t at = in.offset();
  const Bytes text = read_string(in, "array element");
  if (text.size() > kShortStringMax) fail(in, at, "short string of an array", "at most 7 bytes", text.size());
  return text;
}

Bytes read_element(Cursor& in) {
  const uint64_t at = in.offset();
  const uint64_t tag = in.length("array element tag");
  switch (tag) {
    case kStringTag:
      return read_payload(in, "array element");
    case kIntegerTag:
      return to_decimal(in.le<int64_t>("array element"), in.scratch().take(kDecimalMax));
    case kFloatTag:
      return float_text(in.le<double>("array element"), in.scratch().take(kFloatTextMax));
    case kShortStringTag:
      return read_short_string(in);
    default:
      fail(in, at, "array element tag", "0 to 3", tag);
  }
}

}  // namespace

void decode_array(Cursor& in, ElementSink out) {
  ElementScope scope(in);
  const uint64_t at = in.offset();
  uint64_t left = in.count("array element count", kElementBytesMin);
  if (left == 0) {
    in.fail(FindingCode::array_empty, {at, in.offset() - at}, "array element count", "at least 1", "0");
  }
  out(ArrayInfo{read_insert_index(in)});
  for (; left > 0; --left) {
    const uint64_t index_at = in.offset();
    const uint64_t index = in.length("array index");
    if (index == kInvalidIndex) fail(in, index_at, "array index", "less than 2^64 - 1", index);
    out(ArrayElement{index, read_element(in)});
    scope.next();
  }
}

void skip_array(Cursor& in) {
  uint64_t left = in.count("array element count", kElementBytesMin);
  read_insert_index(in);
  for (; left > 0; --left) {
    in.length("array index");
    const uint64_t at = in.offset();
    const uint64_t tag = in.length("array element tag");
    if (tag > kShortStringTag) fail(in, at, "array element tag", "0 to 3", tag);
    if (tag == kIntegerTag || tag == kFloatTag)
      in.skip(sizeof(int64_t), "array element");
    else
      skip_string(in, "array element");
  }
}

void encode_array(Encoder& out, const Value& value) {
  const auto elements = in_order(
      out, value.elements, [](const ArrayElement& a, const ArrayElement& b) { return a.index < b.index; });
  out.length(elements.size());
  out.length(value.insert_index ? 1 : 0);
  if (value.insert_index) out.length(*value.insert_index);
  for (const ArrayElement& element : elements) {
    out.length(element.index);
    out.length(kStringTag);
    out.string(element.value);
  }
}

}  // namespace persist
