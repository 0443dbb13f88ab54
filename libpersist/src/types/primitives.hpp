// STR and the numbers of RDB: what values are made of. man/persist-rdb.5, STRING, DOUBLES AND TIMES
#pragma once

#include "codec/blob.hpp"
#include "io/cursor.hpp"
#include "persist/element.hpp"

namespace persist {

// First bytes from here on introduce a special string; below, a length.
inline constexpr uint8_t kSpecialString = 0xc0;

// The special string that began with `first`, as bytes in the scratch memory.
Blob read_special_string(Cursor& in, uint8_t first, const char* noun);
void skip_special_string(Cursor& in, uint8_t first, const char* noun);
void validate_special_string(Cursor& in, uint8_t first, const char* noun);

// How long a string is by what stands in front of it, without looking at it. Absent for a number, and for
// what so few bytes cannot be unpacked to.
std::optional<uint64_t> string_size(Cursor& in, const char* noun);

// A string. Valid until the cursor releases or its scratch memory is rewound.
inline Bytes read_string(Cursor& in, const char* noun) {
  const uint8_t first = in.u8(noun);
  if (first < kSpecialString) [[likely]]
    return in.take(in.length_after(first, noun), noun);
  return read_special_string(in, first, noun).bytes;
}

// A string that only whoever receives it cares about: comes out empty if in.payloads says that nobody does.
inline Bytes read_payload(Cursor& in, const char* noun) {
  const uint8_t first = in.u8(noun);
  if (first < kSpecialString) [[likely]] {
    const uint64_t length = in.length_after(first, noun);
    if (in.payloads == Payloads::wanted) return in.take(length, noun);
    in.skip(length, noun);
    return {};
  }
  if (in.payloads == Payloads::wanted) return read_special_string(in, first, noun).bytes;
  validate_special_string(in, first, noun);
  return {};
}

// A string that holds a container, with its place.
Blob read_blob(Cursor& in, const char* noun);

inline void skip_string(Cursor& in, const char* noun) {
  const uint8_t first = in.u8(noun);
  if (first < kSpecialString) [[likely]]
    return in.skip(in.length_after(first, noun), noun);
  skip_special_string(in, first, noun);
}

// A stream ID as two lengths, and as sixteen bytes.
StreamId read_length_id(Cursor& in, const char* noun);
StreamId read_raw_id(Cursor& in, const char* noun);

// The text form of a score: inf, -inf and nan are bytes of their own.
double read_text_double(Cursor& in, const char* noun);
void skip_text_double(Cursor& in, const char* noun);

// A score as text in a compact sorted set, read as servers do (strtod).
std::optional<double> parse_score(Bytes text);

}  // namespace persist
