// The rarer forms of strings and numbers.
//
//   c0 i8   c1 i16le   c2 i32le         the decimal text of the integer
//   c3 LEN packed LEN size, packed...   LZF
#include "types/primitives.hpp"

#include <cmath>
#include <limits>

#include "base/decimal.hpp"
#include "codec/lzf.hpp"

namespace persist {

namespace {

constexpr uint8_t kInt8 = 0xc0;
constexpr uint8_t kInt16 = 0xc1;
constexpr uint8_t kInt32 = 0xc2;
constexpr uint8_t kLzf = 0xc3;

// From this size on a compressed string is walked once before memory is taken for what it claims to inflate
// to.
constexpr uint64_t kTrustedInflatedBytes = uint64_t{1} << 20;

struct PackedString {
  uint64_t offset;  // of the string's first byte
  uint64_t packed;
  uint64_t size;
};

PackedString read_packed_sizes(Cursor& in, const char* noun) {
  PackedString sizes{};
  sizes.offset = in.offset() - 1;
  sizes.packed = in.length(noun);
  sizes.size = in.length(noun);
  in.count_inflated(sizes.size);
  return sizes;
}

[[noreturn]] void fail_lzf(const Cursor& in, const PackedString& sizes, LzfFault fault, const char* noun) {
  const bool length = fault == LzfFault::output_short || fault == LzfFault::output_overrun;
  in.fail(length ? FindingCode::lzf_length : FindingCode::lzf_damaged,
          {sizes.offset, in.offset() - sizes.offset}, std::string("compressed ") + noun,
          std::to_string(sizes.size) + " bytes", lzf_fault_text(fault));
}

void refuse_impossible_size(const Cursor& in, const PackedString& sizes, const char* noun) {
  if (sizes.size > lzf_size_max(sizes.packed)) fail_lzf(in, sizes, LzfFault::output_short, noun);
}

Blob inflate(Cursor& in, const char* noun) {
  const PackedString sizes = read_packed_sizes(in, noun);
  const Bytes packed = in.take(sizes.packed, noun);
  refuse_impossible_size(in, sizes, noun);
  if (sizes.size > kTrustedInflatedBytes) {
    const LzfFault fault = validate_lzf(packed, sizes.size);
    if (fault != LzfFault::none) fail_lzf(in, sizes, fault, noun);
  }
  static_assert(Scratch::kSlack >= kLzfSlack);
  char* room = in.scratch().take(static_cast<size_t>(sizes.size));
  const LzfFault fault = inflate_lzf(packed, room, static_cast<size_t>(sizes.size));
  if (fault != LzfFault::none) fail_lzf(in, sizes, fault, noun);
  return {Bytes(room, static_cast<size_t>(sizes.size)), sizes.offset, true};
}

[[noreturn]] void fail_special(const Cursor& in, uint8_t first, const char* noun) {
  in.fail(FindingCode::rdb_bad_string, {in.offset() - 1, 1}, noun, "a string", "byte " + hex_byte(first));
}

}  // namespace

Blob read_special_string(Cursor& in, uint8_t first, const char* noun) {
  const uint64_t offset = in.offset() - 1;
  int32_t number = 0;
  switch (first) {
    case kInt8:
      number = int32_t{in.le<int8_t>(noun)};  // NOLINT(bugprone-signed-char-misuse): a small number
      break;
    case kInt16:
      number = in.le<int16_t>(noun);
      break;
    case kInt32:
      number = in.le<int32_t>(noun);
      break;
    case kLzf:
      return inflate(in, noun);
    default:
      fail_special(in, first, noun);
  }
  return {to_decimal(number, in.scratch().take(kDecimalMax)), offset, true};
}

void skip_special_string(Cursor& in, uint8_t first, const char* noun) {
  switch (first) {
    case kInt8:
      return in.skip(1, noun);
    case kInt16:
      return in.skip(2, noun);
    case kInt32:
      return in.skip(4, noun);
    case kLzf:
      return in.skip(read_packed_sizes(in, noun).packed, noun);
    default:
      fail_special(in, first, noun);
  }
}

void validate_special_string(Cursor& in, uint8_t first, const char* noun) {
  if (first != kLzf) return skip_special_string(in, first, noun);
  const PackedString sizes = read_packed_sizes(in, noun);
  const Bytes packed = in.take(sizes.packed, noun);
  const LzfFault fault = validate_lzf(packed, sizes.size);
  if (fault != LzfFault::none) fail_lzf(in, sizes, fault, noun);
}

std::optional<uint64_t> string_size(Cursor& in, const char* noun) {
  const uint8_t first = in.u8(noun);
  if (first < kSpecialString) return in.length_after(first, noun);
  if (first != kLzf) return std::nullopt;
  const uint64_t packed = in.length(noun);
  const uint64_t size = in.length(noun);
  return size <= lzf_size_max(packed) ? std::optional(size) : std::nullopt;
}

Blob read_blob(Cursor& in, const char* noun) {
  const uint8_t first = in.u8(noun);
  if (first >= kSpecialString) return read_special_string(in, first, noun);
  const uint64_t length = in.length_after(first, noun);
  const uint64_t offset = in.offset();
  return {in.take(length, noun), offset, false};
}

StreamId read_length_id(Cursor& in, const char* noun) {
  const uint64_t ms = in.length(noun);
  return {ms, in.length(noun)};
}

StreamId read_raw_id(Cursor& in, const char* noun) {
  const auto ms = in.be<uint64_t>(noun);
  return {ms, in.be<uint64_t>(noun)};
}

double read_text_double(Cursor& in, const char* noun) {
  const uint64_t at = in.offset();
  const uint8_t length = in.u8(noun);
  switch (length) {
    case 253:
      return std::numeric_limits<double>::quiet_NaN();
    case 254:
      return std::numeric_limits<double>::infinity();
    case 255:
      return -std::numeric_limits<double>::infinity();
    default:
      break;
  }
  const Bytes text = in.take(length, noun);
  const std::optional<double> score = parse_score(text);
  if (!score) {
    in.fail(FindingCode::zset_score, {at, in.offset() - at}, noun, "a number",
            "\"" + std::string(text) + "\"");
  }
  return *score;
}

void skip_text_double(Cursor& in, const char* noun) {
  constexpr uint8_t kLongest = 252;
  const uint8_t length = in.u8(noun);
  if (length <= kLongest) in.skip(length, noun);
}

std::optional<double> parse_score(Bytes text) {
  // Servers take a plus sign, which from_chars does not.
  if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
  double value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end != text.data() + text.size() || text.empty()) return std::nullopt;
  if (error == std::errc{}) return value;
  if (error != std::errc::result_out_of_range) return std::nullopt;
  // Too large or too small: what strtod makes of it is infinity or next to zero.
  return std::strtod(std::string(text).c_str(), nullptr);
}

}  // namespace persist
