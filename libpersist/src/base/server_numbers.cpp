// The texts of the "shortest" style are not always the shortest, and byte for byte the same as the servers':
// both the digits, which Grisu2 gets wrong by one place in half a percent of all cases, and the layout are
// theirs.
#include "base/server_numbers.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <charconv>
#include <clocale>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "base/decimal.hpp"
#include "base/letters.hpp"

namespace persist {

namespace {

// As isspace() has them in the C locale.
bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

// ------------------------------------------------------------------------------------------------ reading

bool has_sign(Bytes text) { return !text.empty() && (text[0] == '+' || text[0] == '-'); }

bool has_hex_prefix(Bytes text) { return text.size() > 2 && text[0] == '0' && lower(text[1]) == 'x'; }

// Whether the digits before the exponent mean zero, not just something too small.
bool is_all_zeros(Bytes digits, char exponent_mark) {
  for (const char c : digits) {
    if (lower(c) == exponent_mark) return true;
    if (c != '0' && c != '.') return false;
  }
  return true;
}

// The text has no sign. std::from_chars knows the grammar but for the prefix, and is not to be asked about
// zero: libraries differ in what they say of numbers too small.
std::optional<double> parse_magnitude(Bytes text) {
  const bool hex = has_hex_prefix(text);
  if (hex) text.remove_prefix(2);
  if (text.empty() || has_sign(text)) return std::nullopt;
  double value = 0;
  const char* const end = text.data() + text.size();
  const auto read =
      std::from_chars(text.data(), end, value, hex ? std::chars_format::hex : std::chars_format::general);
  if (read.ec != std::errc{} || read.ptr != end || std::isnan(value)) return std::nullopt;
  if (hex && std::isinf(value)) return std::nullopt;
  if (!hex && std::isinf(value) && lower(text[0]) != 'i') return std::nullopt;
  if (value == 0 && !is_all_zeros(text, hex ? 'p' : 'e')) return std::nullopt;
  return value;
}

locale_t c_locale() {
  static const locale_t kCLocale = ::newlocale(LC_ALL_MASK, "C", nullptr);
  return kCLocale;
}

// ------------------------------------------------------------------------------------------------ writing

// significand * 2^exponent
struct Scaled {
  uint64_t significand;
  int exponent;
};

Scaled normalised(Scaled number) {
  const int shift = std::countl_zero(number.significand);
  return {number.significand << shift, number.exponent - shift};
}

// 10^-348, 10^-340 ... 10^340, each rounded to the nearest 64-bit significand with the highest bit set.
constexpr int kFirstPower = -348;
constexpr int kPowerStep = 8;
constexpr std::array<uint64_t, 87> kPowers = {
    0xfa8fd5a0081c0288, 0xbaaee17fa23ebf76, 0x8b16fb203055ac76, 0xcf42894a5dce35ea, 0x9a6bb0aa55653b2d,
    0xe61acf033d1a45df, 0xab70fe17c79ac6ca, 0xff77b1fcbebcdc4f, 0xbe5691ef416bd60c, 0x8dd01fad907ffc3c,
    0xd3515c2831559a83, 0x9d71ac8fada6c9b5, 0xea9c227723ee8bcb, 0xaecc49914078536d, 0x823c12795db6ce57,
    0xc21094364dfb5637, 0x9096ea6f3848984f, 0xd77485cb25823ac7, 0xa086cfcd97bf97f4, 0xef340a98172aace5,
    0xb23867fb2a35b28e, 0x84c8d4dfd2c63f3b, 0xc5dd44271ad3cdba, 0x936b9fcebb25c996, 0xdbac6c247d62a584,
    0xa3ab66580d5fdaf6, 0xf3e2f893dec3f126, 0xb5b5ada8aaff80b8, 0x87625f056c7c4a8b, 0xc9bcff6034c13053,
    0x964e858c91ba2655, 0xdff9772470297ebd, 0xa6dfbd9fb8e5b88f, 0xf8a95fcf88747d94, 0xb94470938fa89bcf,
    0x8a08f0f8bf0f156b, 0xcdb02555653131b6, 0x993fe2c6d07b7fac, 0xe45c10c42a2b3b06, 0xaa242499697392d3,
    0xfd87b5f28300ca0e, 0xbce5086492111aeb, 0x8cbccc096f5088cc, 0xd1b71758e219652c, 0x9c40000000000000,
    0xe8d4a51000000000, 0xad78ebc5ac620000, 0x813f3978f8940984, 0xc097ce7bc90715b3, 0x8f7e32ce7bea5c70,
    0xd5d238a4abe98068, 0x9f4f2726179a2245, 0xed63a231d4c4fb27, 0xb0de65388cc8ada8, 0x83c7088e1aab65db,
    0xc45d1df942711d9a, 0x924d692ca61be758, 0xda01ee641a708dea, 0xa26da3999aef774a, 0xf209787bb47d6b85,
    0xb454e4a179dd1877, 0x865b86925b9bc5c2, 0xc83553c5c8965d3d, 0x952ab45cfa97a0b3, 0xde469fbd99a05fe3,
    0xa59bc234db398c25, 0xf6c69a72a3989f5c, 0xb7dcbf5354e9bece, 0x88fcf317f22241e2, 0xcc20ce9bd35c78a5,
    0x98165af37b2153df, 0xe2a0b5dc971f303a, 0xa8d9d1535ce3b396, 0xfb9b7cd9a4a7443c, 0xbb764c4ca7a44410,
    0x8bab8eefb6409c1a, 0xd01fef10a657842c, 0x9b10a4e5e9913129, 0xe7109bfba19c0c9d, 0xac2820d9623bf429,
    0x80444b5e7aa7cf85, 0xbf21e44003acdd2d, 0x8e679c2f5e44ff8f, 0xd433179d9c8cb841, 0x9e19db92b4e31ba9,
    0xeb96bf6ebadf77d9, 0xaf87023b9bf0ee6b,
};

// The exponent of the significand of 10^power: floor(power * log2(10)) - 63.
constexpr int binary_exponent(int power) { return ((power * 217706) >> 16) - 63; }

// The power of ten that brings a normalised number into the range in which digits can be cut off it.
struct CachedPower {
  Scaled scaled;
  int power;
};

CachedPower find_power(int exponent) {
  constexpr double kLog10Of2 = 0.30102999566398114;
  constexpr int kLowest = -60;
  constexpr int kHighest = -32;
  const int estimate = static_cast<int>(-(exponent + 87) * kLog10Of2);
  int index = (estimate - kFirstPower) / kPowerStep;
  for (;;) {
    const int power = kFirstPower + kPowerStep * index;
    const int product = exponent + binary_exponent(power) + 64;
    if (product < kLowest) {
      ++index;
    } else if (product > kHighest) {
      --index;
    } else {
      return {{kPowers[static_cast<size_t>(index)], binary_exponent(power)}, power};
    }
  }
}

// The upper half of the product. Rounded, but not as one would: the half is added to the middle parts, and
// what carries out of the lowest is part of them already.
Scaled multiply(Scaled a, Scaled b) {
  constexpr uint64_t kLow = 0xffffffff;
  const uint64_t high_low = (a.significand >> 32) * (b.significand & kLow);
  const uint64_t low_high = (a.significand & kLow) * (b.significand >> 32);
  const uint64_t low_low = (a.significand & kLow) * (b.significand & kLow);
  const uint64_t high_high = (a.significand >> 32) * (b.significand >> 32);
  const uint64_t middle = (high_low & kLow) + (low_high & kLow) + (low_low >> 32) + (uint64_t{1} << 31);
  return {high_high + (high_low >> 32) + (low_high >> 32) + (middle >> 32), a.exponent + b.exponent + 64};
}

// Decimal digits and the power of ten that the last of them counts.
struct Digits {
  std::array<char, 24> digits{};
  int count = 0;
  int power = 0;

  // Leading zeros are left out.
  void push(uint64_t digit) {
    if (digit != 0 || count > 0) digits[static_cast<size_t>(count++)] = static_cast<char>('0' + digit);
  }
};

// Lowers the last digit as long as that comes nearer to the number, which lies `distance` under the upper
// bound, as `rest` does what the digits say, and does not leave the interval `delta`. One of that digit is
// `step`.
void lower_last_digit(Digits& out, uint64_t rest, uint64_t step, uint64_t distance, uint64_t delta) {
  char& last = out.digits[static_cast<size_t>(out.count - 1)];
  while (rest < distance && delta - rest >= step &&
         (rest + step < distance || distance - rest > rest + step - distance)) {
    --last;
    rest += step;
  }
}

// Digits of the upper bound, as many as it takes to tell it from the lower one.
void cut_digits(Scaled number, Scaled upper, Scaled lower, Digits& out) {
  const int shift = -upper.exponent;
  const uint64_t one = uint64_t{1} << shift;
  uint64_t distance = upper.significand - number.significand;
  uint64_t delta = upper.significand - lower.significand;
  uint64_t whole = upper.significand >> shift;
  uint64_t fraction = upper.significand & (one - 1);
  int place = 10;
  for (uint64_t unit = 1'000'000'000; unit > 0; unit /= 10) {
    out.push(whole / unit);
    whole %= unit;
    --place;
    const uint64_t rest = (whole << shift) + fraction;
    if (rest <= delta) {
      out.power += place;
      return lower_last_digit(out, rest, unit << shift, distance, delta);
    }
  }
  do {
    fraction *= 10;
    delta *= 10;
    distance *= 10;  // may wrap around, as it does in the servers
    out.push(fraction >> shift);
    fraction &= one - 1;
    --place;
  } while (fraction >= delta);
  out.power += place;
  lower_last_digit(out, fraction, one, distance, delta);
}

// `value` is positive and finite.
Digits grisu_digits(double value) {
  constexpr int kSignificandBits = 52;
  constexpr uint64_t kHidden = uint64_t{1} << kSignificandBits;
  const auto bits = std::bit_cast<uint64_t>(value);
  const int biased = static_cast<int>(bits >> kSignificandBits);
  const uint64_t stored = bits & (kHidden - 1);
  const Scaled exact = biased == 0 ? Scaled{stored, -1074} : Scaled{stored | kHidden, biased - 1075};

  Scaled upper = normalised({2 * exact.significand + 1, exact.exponent - 1});
  // Right below a power of two, the numbers lie twice as close.
  Scaled lower = exact.significand == kHidden ? Scaled{4 * exact.significand - 1, exact.exponent - 2}
                                              : Scaled{2 * exact.significand - 1, exact.exponent - 1};
  lower = {lower.significand << (lower.exponent - upper.exponent), upper.exponent};

  const CachedPower power = find_power(upper.exponent);
  const Scaled number = multiply(normalised(exact), power.scaled);
  upper = multiply(upper, power.scaled);
  lower = multiply(lower, power.scaled);
  --upper.significand;
  ++lower.significand;
  Digits out;
  out.power = -power.power;
  cut_digits(number, upper, lower, out);
  return out;
}

char* append(char* to, Bytes text) { return std::ranges::copy(text, to).out; }
char* append_zeros(char* to, int count) { return std::fill_n(to, count, '0'); }

char* append_plain(char* to, Bytes digits, int power) {
  const int point = static_cast<int>(digits.size()) + power;  // digits in front of the point
  if (point <= 0) return append(append_zeros(append(to, "0."), -point), digits);
  to = append(to, digits.substr(0, static_cast<size_t>(point)));
  *to++ = '.';
  return append(to, digits.substr(static_cast<size_t>(point)));
}

char* append_with_exponent(char* to, Bytes digits, int exponent) {
  *to++ = digits[0];
  if (digits.size() > 1) {
    *to++ = '.';
    to = append(to, digits.substr(1));
  }
  to = append(to, exponent < 0 ? "e-" : "e+");
  char room[kDecimalMax];
  return append(to, to_decimal(std::abs(exponent), room));
}

char* append_shortest(char* to, double value, bool negative) {
  const Digits cut = grisu_digits(value);
  Bytes digits(cut.digits.data(), static_cast<size_t>(cut.count));
  const int exponent = cut.power + cut.count - 1;  // of the first digit
  if (cut.power >= 0 && std::abs(exponent) < cut.count + 7)
    return append_zeros(append(to, digits), cut.power);
  if (cut.power < 0 && (cut.power > -7 || std::abs(exponent) < 4)) return append_plain(to, digits, cut.power);
  digits = digits.substr(0, negative ? 17 : 18);
  return append_with_exponent(to, digits, exponent);
}

Bytes shortest_text(double value, char* room) {
  char* to = room;
  const bool negative = std::signbit(value);
  if (negative) *to++ = '-';
  value = std::abs(value);
  if (value == 0)
    *to++ = '0';
  else if (std::isnan(value))
    to = append(to, "nan");
  else if (std::isinf(value))
    to = append(to, "inf");
  else
    to = append_shortest(to, value, negative);
  return {room, static_cast<size_t>(to - room)};
}

// Whether the servers' printer treats it as an integer.
bool is_in_shortcut(double value, IntegerShortcut shortcut) {
  constexpr double kWide = 4611686018427387904.0;  // LLONG_MAX / 2 as a double
  if (shortcut == IntegerShortcut::wide) return value >= -kWide && value <= kWide;
  return value > -4503599627370495.0 && value < 4503599627370496.0;
}

}  // namespace

std::optional<int64_t> parse_server_integer(Bytes text) {
  if (text == "0") return 0;
  const Bytes digits = text.substr(text.starts_with('-') ? 1 : 0);
  if (digits.empty() || digits[0] < '1' || digits[0] > '9') return std::nullopt;
  return parse_decimal<int64_t>(text);
}

std::optional<int64_t> parse_old_server_integer(Bytes text) {
  text = text.substr(0, text.find('\0'));
  if (text.empty()) return 0;
  if (text[0] == '+') {
    text.remove_prefix(1);
    if (text.starts_with('-')) return std::nullopt;
  }
  return parse_decimal<int64_t>(text);
}

std::optional<uint64_t> parse_server_unsigned(Bytes text) {
  if (const std::optional<uint64_t> number = parse_decimal<uint64_t>(text)) return number;
  if (parse_server_integer(text) || text.empty()) return std::nullopt;
  const std::string terminated(text);
  char* end = nullptr;
  errno = 0;
  const uint64_t number = std::strtoull(terminated.c_str(), &end, 10);
  if (errno != 0 || end == terminated.c_str() || *end != '\0') return std::nullopt;
  return number;
}

std::optional<double> parse_server_double(Bytes text) {
  const bool negative = text.starts_with('-');
  if (has_sign(text)) text.remove_prefix(1);
  const std::optional<double> magnitude = parse_magnitude(text);
  return magnitude && negative ? -*magnitude : magnitude;
}

std::optional<LooseDouble> parse_loose_double(Bytes text) {
  const std::string terminated(text);
  errno = 0;
  char* end = nullptr;
  const double value = ::strtod_l(terminated.c_str(), &end, c_locale());
  if (*end != '\0' || std::isnan(value)) return std::nullopt;
  return LooseDouble{value, errno == ERANGE};
}

std::optional<long double> parse_server_long_double(Bytes text) {
  constexpr size_t kRoom = size_t{5} * 1024;
  if (text.empty() || text.size() >= kRoom || is_blank(text[0])) return std::nullopt;
  char room[kRoom];
  std::memcpy(room, text.data(), text.size());
  room[text.size()] = '\0';
  errno = 0;
  char* end = nullptr;
  const long double value = ::strtold_l(room, &end, c_locale());
  if (end != room + text.size() || std::isnan(value)) return std::nullopt;
  if (errno == ERANGE && (std::isinf(value) || value == 0)) return std::nullopt;
  return value;
}

Bytes double_to_text(double value, DoubleStyle style, char* room) {
  if (style == DoubleStyle::shortest) return shortest_text(value, room);
  constexpr int kDigits = 17;
  const auto end = std::to_chars(room, room + kDoubleTextMax, value, std::chars_format::general, kDigits).ptr;
  return {room, static_cast<size_t>(end - room)};
}

Bytes score_to_text(double value, DoubleStyle style, IntegerShortcut shortcut, char* room) {
  if (std::isnan(value)) return "nan";
  if (value != 0 && is_in_shortcut(value, shortcut) && value == std::trunc(value))
    return to_decimal(static_cast<int64_t>(value), room);
  return double_to_text(value, style, room);
}

std::string long_double_to_text(long double value) {
  constexpr int kDecimals = 17;
  if (!std::isfinite(value)) return {};
  char room[5 * 1024];
  const auto end = std::to_chars(room, room + sizeof room, value, std::chars_format::fixed, kDecimals).ptr;
  Bytes text(room, static_cast<size_t>(end - room));
  text = text.substr(0, text.find_last_not_of('0') + 1);
  if (text.ends_with('.')) text.remove_suffix(1);
  return std::string(text == "-0" ? "0" : text);
}

}  // namespace persist
