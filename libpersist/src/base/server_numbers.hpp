// Numbers as servers read and write them in commands, values and digests. persist-digest(1), NUMBERS
//
// Texts depend on the version in two ways: which printer makes the digits (DoubleStyle) and how far whole
// numbers are printed as integers (IntegerShortcut). The locale of the process plays no part anywhere.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "persist/bytes.hpp"
#include "persist/encoding.hpp"

namespace persist {

// 0 or -?[1-9][0-9]* within 64 bits, and nothing else: no plus, no leading zeros, no blanks, no "-0".
[[nodiscard]] std::optional<int64_t> parse_server_integer(Bytes text);

// What servers before 3.2 took for one: as strtoll, so a plus and leading zeros are fine, nothing at all is
// 0, and a NUL byte ends the text. A blank in front is refused, as is anything behind.
[[nodiscard]] std::optional<int64_t> parse_old_server_integer(Bytes text);

// What servers take for an unsigned number where they parse by hand: one as above that is not negative, or
// whatever strtoull takes wholly, up to a NUL byte: "+7", " 5", "-0", even "-18446744073709551615", which
// is 1.
[[nodiscard]] std::optional<uint64_t> parse_server_unsigned(Bytes text);

// As strtod: decimal or hexadecimal with or without exponent, "inf" and "infinity" in any case, a sign.
// Refused: blanks, trailing bytes, nan, and what leaves the range, to infinity or to zero.
[[nodiscard]] std::optional<double> parse_server_double(Bytes text);

// What the ends of score ranges and the keys of SORT are read as: as strtod() itself, so that blanks in front
// are fine, a NUL ends the text, and nothing at all is 0. Refused: trailing bytes and nan.
struct LooseDouble {
  double value = 0;
  bool out_of_range = false;  // as errno says; the value is then the nearest there is
};
[[nodiscard]] std::optional<LooseDouble> parse_loose_double(Bytes text);

// As strtold, by the rules of parse_server_double(); a text of 5 KiB or more is refused. The precision is
// that of the platform, which is that of the servers' own on the same platform.
[[nodiscard]] std::optional<long double> parse_server_long_double(Bytes text);

// Room for any text of the two printers below.
inline constexpr size_t kDoubleTextMax = 40;

enum class DoubleStyle : uint8_t {
  printf17,  // "%.17g": Redis up to 7.0
  shortest,  // Grisu2 digits, nearly always the fewest that read back the same: Redis 7.2+, Valkey
};

enum class IntegerShortcut : uint8_t {
  narrow,  // Redis up to 6.2: up to 52 bits
  wide,    // Redis 7.0+, Valkey: up to 2^62
};

// Those of a release, which is major * 100 + minor. Release candidates of Redis 7.2 call themselves 7.1.
[[nodiscard]] constexpr DoubleStyle double_style(Dialect family, unsigned release) {
  return family == Dialect::redis && release < 701 ? DoubleStyle::printf17 : DoubleStyle::shortest;
}
[[nodiscard]] constexpr IntegerShortcut integer_shortcut(Dialect family, unsigned release) {
  return family == Dialect::redis && release < 700 ? IntegerShortcut::narrow : IntegerShortcut::wide;
}

// The plain printer, which rewrites and digests use: 1e17 is "1e+17" in both styles.
// The text is written to `room`, which must have kDoubleTextMax bytes.
[[nodiscard]] Bytes double_to_text(double value, DoubleStyle style, char* room);

// What small sorted sets store, and what Redis 7.2+ and Valkey reply (up to 7.0 replies are plain): whole
// numbers as integers where the shortcut reaches.
[[nodiscard]] Bytes score_to_text(double value, DoubleStyle style, IntegerShortcut shortcut, char* room);

// What INCRBYFLOAT and HINCRBYFLOAT store: at most 17 decimals, no trailing zeros, no exponent, "0" for -0.
// Empty for infinity and nan, which servers answer with an error.
[[nodiscard]] std::string long_double_to_text(long double value);

}  // namespace persist
