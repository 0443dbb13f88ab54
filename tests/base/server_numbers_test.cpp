// Numbers as servers read and write them. The texts expected are what servers answered.
#include "base/server_numbers.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <random>

using namespace persist;

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kSmallest = 5e-324;
constexpr double kLargest = std::numeric_limits<double>::max();

std::string plain(double value, DoubleStyle style) {
  char room[kDoubleTextMax];
  return std::string(double_to_text(value, style, room));
}

std::string score(double value, DoubleStyle style, IntegerShortcut shortcut) {
  char room[kDoubleTextMax];
  return std::string(score_to_text(value, style, shortcut, room));
}

// Without zeros at either end, point and exponent.
std::string digits_of(std::string_view text) {
  std::string digits;
  for (const char c : text.substr(0, text.find('e')))
    if (c >= '0' && c <= '9' && !(c == '0' && digits.empty())) digits += c;
  digits.resize(digits.find_last_not_of('0') + 1);
  return digits;
}

}  // namespace

TEST_CASE("server integer: the grammar") {
  struct {
    Bytes text;
    std::optional<int64_t> strict;
    std::optional<int64_t> old;
  } const rows[] = {
      {"0", 0, 0},
      {"7", 7, 7},
      {"-7", -7, -7},
      {"9223372036854775807", INT64_MAX, INT64_MAX},
      {"-9223372036854775808", INT64_MIN, INT64_MIN},
      {"9223372036854775808", {}, {}},
      {"-9223372036854775809", {}, {}},
      {"18446744073709551617", {}, {}},
      {"", {}, 0},
      {"-", {}, {}},
      {"+", {}, {}},
      {"+5", {}, 5},
      {"+-5", {}, {}},
      {"--5", {}, {}},
      {"005", {}, 5},
      {"-05", {}, -5},
      {"00", {}, 0},
      {"-0", {}, 0},
      {"000000000000000000000000005", {}, 5},
      {" 5", {}, {}},
      {"5 ", {}, {}},
      {"5x", {}, {}},
      {"0x10", {}, {}},
      {"1.0", {}, {}},
      {"1e3", {}, {}},
      {Bytes("5\0", 2), {}, 5},
      {Bytes("5\0x", 3), {}, 5},
  };
  for (const auto& row : rows) {
    CAPTURE(row.text);
    CHECK(parse_server_integer(row.text) == row.strict);
    CHECK(parse_old_server_integer(row.text) == row.old);
  }
}

TEST_CASE("server double: what is one") {
  struct {
    Bytes text;
    double value;
  } const rows[] = {
      {"0", 0},
      {"1.5", 1.5},
      {"+1.5", 1.5},
      {"-1.5", -1.5},
      {"007", 7},
      {"5.", 5},
      {".5", 0.5},
      {"-.5e1", -5},
      {"1e3", 1000},
      {"1E+3", 1000},
      {"0e9999", 0},
      {"0.000e-9999", 0},
      {"inf", kInfinity},
      {"+Inf", kInfinity},
      {"-INFINITY", -kInfinity},
      {"0x10", 16},
      {"-0X1.8p1", -3},
      {"0xep1", 28},
      {"0x0p-5000", 0},
      {"0x.8", 0.5},
      {"5e-324", kSmallest},
      {"3e-324", kSmallest},
      {"2.2250738585072011e-308", 2.2250738585072011e-308},
      {"1.7976931348623157e308", kLargest},
      {"0.1000000000000000055511151231257827021181583404541015625", 0.1},
  };
  for (const auto& row : rows) {
    CAPTURE(row.text);
    CHECK(parse_server_double(row.text) == row.value);
    CHECK(parse_server_long_double(row.text).has_value());
  }
  CHECK(std::signbit(*parse_server_double("-0")));
  CHECK_FALSE(std::signbit(*parse_server_double("+0")));
}

TEST_CASE("server double: what is none") {
  for (const Bytes text :
       {Bytes(""),          Bytes(" 1"),     Bytes("\t1"),      Bytes("1 "),        Bytes("+"),
        Bytes("-"),         Bytes("+-1"),    Bytes("--1"),      Bytes("++1"),       Bytes("nan"),
        Bytes("-nan"),      Bytes("nan(1)"), Bytes("0xnan"),    Bytes("0xinf"),     Bytes("1e400"),
        Bytes("-1e400"),    Bytes("1e-400"), Bytes("0x1p5000"), Bytes("0x1p-5000"), Bytes("1e"),
        Bytes("1e+"),       Bytes("0x"),     Bytes("0x-1"),     Bytes("0x.p1"),     Bytes("0x1p"),
        Bytes("."),         Bytes("e5"),     Bytes("1,5"),      Bytes("1.5.5"),     Bytes("infin"),
        Bytes("infinityx"), Bytes("1\0", 2), Bytes("\0", 1)}) {
    CAPTURE(text);
    CHECK_FALSE(parse_server_double(text).has_value());
    // Its range is larger.
    if (text.find("400") == Bytes::npos && text.find("5000") == Bytes::npos)
      CHECK_FALSE(parse_server_long_double(text).has_value());
  }
  CHECK_FALSE(parse_server_long_double("1e5000").has_value());
  CHECK_FALSE(parse_server_long_double("1e-5000").has_value());
  CHECK(parse_server_long_double(std::string(5119, '0')) == 0);
  CHECK_FALSE(parse_server_long_double(std::string(5120, '0')).has_value());
}

// The C library is what the servers ask.
TEST_CASE("server double: agrees with strtod on texts made up of its alphabet") {
  std::mt19937_64 random(20);
  constexpr Bytes kAlphabet = "0011234589..eE+-xXpPaf";
  size_t numbers = 0;
  for (int round = 0; round < 100'000; ++round) {
    std::string text;
    for (uint64_t left = 1 + random() % 12; left > 0; --left) text += kAlphabet[random() % kAlphabet.size()];
    errno = 0;
    char* end = nullptr;
    const double value = std::strtod(text.c_str(), &end);
    const bool is_number = *end == '\0' && !(errno == ERANGE && (std::isinf(value) || value == 0));
    const std::optional<double> parsed = parse_server_double(text);
    CAPTURE(text);
    REQUIRE(parsed.has_value() == is_number);
    if (is_number) REQUIRE(std::bit_cast<uint64_t>(*parsed) == std::bit_cast<uint64_t>(value));
    numbers += is_number ? 1 : 0;
  }
  CHECK(numbers > 10'000);
}

TEST_CASE("double to text: both styles") {
  struct {
    double value;
    const char* printf17;
    const char* shortest;
  } const rows[] = {
      {0.0, "0", "0"},
      {-0.0, "-0", "-0"},
      {kInfinity, "inf", "inf"},
      {-kInfinity, "-inf", "-inf"},
      {1, "1", "1"},
      {-1.5, "-1.5", "-1.5"},
      {0.1, "0.10000000000000001", "0.1"},
      {0.2, "0.20000000000000001", "0.2"},
      {-0.001, "-0.001", "-0.001"},
      {0.0001, "0.0001", "0.0001"},
      {0.00001, "1.0000000000000001e-05", "0.00001"},
      {0.000001, "9.9999999999999995e-07", "0.000001"},
      {1e-7, "9.9999999999999995e-08", "1e-7"},
      {1.5e-7, "1.4999999999999999e-07", "1.5e-7"},
      {123456789, "123456789", "123456789"},
      {1e7, "10000000", "10000000"},
      {1e8, "100000000", "1e+8"},
      {1e9, "1000000000", "1e+9"},
      {1e17, "1e+17", "1e+17"},
      {1.5e300, "1.5000000000000001e+300", "1.5e+300"},
      {200.7712097, "200.77120970000001", "200.77120970000001"},
      {kSmallest, "4.9406564584124654e-324", "5e-324"},
      {-kSmallest, "-4.9406564584124654e-324", "-5e-324"},
      {kLargest, "1.7976931348623157e+308", "1.7976931348623157e+308"},
      {9007199254740992, "9007199254740992", "9007199254740992"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.printf17);
    CHECK(plain(row.value, DoubleStyle::printf17) == row.printf17);
    CHECK(plain(row.value, DoubleStyle::shortest) == row.shortest);
  }
  CHECK(plain(std::nan(""), DoubleStyle::shortest) == "nan");
}

TEST_CASE("double to text: every bit pattern reads back, and fits") {
  std::mt19937_64 random(21);
  size_t not_shortest = 0;
  constexpr int kRounds = 50'000;
  for (int round = 0; round < kRounds; ++round) {
    const auto value = std::bit_cast<double>(random());
    if (!std::isfinite(value)) continue;
    const std::string shortest = plain(value, DoubleStyle::shortest);
    CAPTURE(shortest);
    REQUIRE(shortest.size() <= 25);
    REQUIRE(parse_server_double(shortest) == value);
    char printf17[kDoubleTextMax];
    std::snprintf(printf17, sizeof printf17, "%.17g", value);
    REQUIRE(plain(value, DoubleStyle::printf17) == printf17);
    char fewest[kDoubleTextMax] = {};
    std::to_chars(fewest, fewest + sizeof fewest, value, std::chars_format::scientific);
    if (digits_of(shortest) != digits_of(fewest)) ++not_shortest;
  }
  // Servers do not always find the shortest text: about one in two hundred.
  CHECK(not_shortest > kRounds / 1000);
  CHECK(not_shortest < kRounds / 100);
}

TEST_CASE("score to text: how far integers go") {
  using enum DoubleStyle;
  using enum IntegerShortcut;
  CHECK(score(0.0, shortest, wide) == "0");
  CHECK(score(-0.0, shortest, wide) == "-0");
  CHECK(score(-0.0, printf17, narrow) == "-0");
  CHECK(score(std::nan(""), printf17, narrow) == "nan");
  CHECK(score(-kInfinity, shortest, wide) == "-inf");
  CHECK(score(1e8, shortest, wide) == "100000000");
  CHECK(score(1e17, shortest, wide) == "100000000000000000");
  CHECK(score(1e17, printf17, wide) == "100000000000000000");
  CHECK(score(1e17, printf17, narrow) == "1e+17");
  CHECK(score(0.1, printf17, wide) == "0.10000000000000001");
  CHECK(score(0.1, shortest, wide) == "0.1");
  // The limits: 2^62, included; 2^52 and -(2^52 - 1), not.
  CHECK(score(0x1p62, shortest, wide) == "4611686018427387904");
  CHECK(score(-0x1p62, shortest, wide) == "-4611686018427387904");
  CHECK(score(0x1.0000000000001p62, shortest, wide) == "4611686018427389000");
  CHECK(score(0x1p63, shortest, wide) == "9223372036854776000");
  CHECK(score(0x1p64, shortest, wide) == "18446744073709552000");
  CHECK(score(0x1p62, printf17, narrow) == "4.6116860184273879e+18");
  CHECK(score(4503599627370495, printf17, narrow) == "4503599627370495");
  CHECK(score(1e21, shortest, narrow) == "1e+21");
}

TEST_CASE("long double to text") {
  const auto sum = [](Bytes a, Bytes b) {
    return long_double_to_text(*parse_server_long_double(a) + *parse_server_long_double(b));
  };
  CHECK(sum("3.0e3", "0.1") == "3000.10000000000000009");
  CHECK(sum("0.1", "0.2") == "0.3");
  CHECK(sum("1e300", "1").size() == 301);
  CHECK(sum("10", "-10") == "0");
  CHECK(sum("5", "-7.5") == "-2.5");
  CHECK(long_double_to_text(100) == "100");
  CHECK(long_double_to_text(-0.0L) == "0");
  CHECK(long_double_to_text(-1e-30L) == "0");
  CHECK(long_double_to_text(std::numeric_limits<long double>::max()).size() == 4933);
  CHECK(long_double_to_text(std::numeric_limits<long double>::infinity()).empty());
  CHECK(long_double_to_text(std::numeric_limits<long double>::quiet_NaN()).empty());
}

TEST_CASE("server numbers: unsigned ones parsed by hand") {
  const std::pair<Bytes, std::optional<uint64_t>> rows[] = {
      {"0", 0},
      {"42", 42},
      {"18446744073709551615", ~uint64_t{0}},
      {"+7", 7},
      {"007", 7},
      {" 5", 5},
      {"-0", 0},
      {"-5", {}},
      {"-18446744073709551615", 1},
      {"5 ", {}},
      {"0x5", {}},
      {"", {}},
      {"x", {}},
      {"18446744073709551616", {}},
      {Bytes("5\0x", 3), 5},
  };
  for (const auto& row : rows) {
    CAPTURE(row.first);
    CHECK(parse_server_unsigned(row.first) == row.second);
  }
}
