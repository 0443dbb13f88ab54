// Byte strings and numbers as JSON: valid whatever the bytes, and the same bytes when read back.
#include "text/json_string.hpp"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <random>

#include "support/bytes_builder.hpp"

using namespace persist;
using namespace persist::test;

namespace {

using Json = nlohmann::json;

// In a buffer of its own, so that a sanitizer sees the first byte written beyond it.
std::string json_of(Bytes bytes) {
  ByteBuffer out;
  append_json_string(out, bytes);
  return std::string(out.bytes());
}

std::string json_of(double value) {
  ByteBuffer out;
  append_json_double(out, value);
  return std::string(out.bytes());
}

// The definition of base64, bit by bit.
std::string from_base64(const std::string& text) {
  constexpr Bytes kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  REQUIRE(text.size() % 4 == 0);
  std::string bytes;
  uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    if (c == '=') break;
    const size_t value = kAlphabet.find(c);
    REQUIRE(value != Bytes::npos);
    bits = (bits << 6) | static_cast<uint32_t>(value);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes.push_back(static_cast<char>(bits >> count));
  }
  return bytes;
}

// What stands in the JSON; how it stands there goes into `as_text`.
std::string read_back(const std::string& json, bool& as_text) {
  const Json parsed = Json::parse(json);
  as_text = parsed.is_string();
  if (as_text) return parsed.get<std::string>();
  REQUIRE(parsed.size() == 1);
  return from_base64(parsed.at("$base64").get<std::string>());
}

void check_text(Bytes bytes) {
  bool as_text = false;
  CAPTURE(hex(bytes));
  REQUIRE(read_back(json_of(bytes), as_text) == bytes);
  REQUIRE(as_text);
  REQUIRE(is_json_text(bytes));
}

void check_base64(Bytes bytes) {
  bool as_text = true;
  CAPTURE(hex(bytes));
  REQUIRE(read_back(json_of(bytes), as_text) == bytes);
  REQUIRE_FALSE(as_text);
  REQUIRE_FALSE(is_json_text(bytes));
}

}  // namespace

TEST_CASE("json string: what stands as it is, and what is escaped") {
  CHECK(json_of("") == R"("")");
  CHECK(json_of("hello/\x7f") == "\"hello/\x7f\"");
  CHECK(json_of("a\"b\\c") == R"("a\"b\\c")");
  CHECK(json_of("\b\f\n\r\t") == R"("\b\f\n\r\t")");
  CHECK(json_of(Bytes("\0\x1f\x0b", 3)) == R"("\u0000\u001f\u000b")");
  CHECK(json_of("gr\xc3\xbc\xc3\x9f") == "\"gr\xc3\xbc\xc3\x9f\"");
  CHECK(json_of("\xff") == R"({"$base64":"/w=="})");
  CHECK(json_of(Bytes("\xff\0", 2)) == R"({"$base64":"/wA="})");
  CHECK(json_of(Bytes("\xff\0\xfe", 3)) == R"({"$base64":"/wD+"})");
}

TEST_CASE("json string: every byte, alone and among others") {
  for (int c = 0; c < 256; ++c) {
    const std::string byte(1, static_cast<char>(c));
    if (c < 0x80) {
      check_text(byte);
      check_text("some text" + byte + "and more of it");
    } else {
      check_base64(byte);
      check_base64("some text" + byte + "and more of it");
    }
  }
}

TEST_CASE("json string: an escape at each place of text of each size") {
  for (size_t size = 1; size <= 66; ++size) {
    for (size_t at = 0; at < size; ++at) {
      for (const char c : {'"', '\\', '\n', '\x01', '\0'}) {
        std::string text = noise(size, 3);
        for (char& other : text) other = static_cast<char>('a' + (other & 15));
        text[at] = c;
        check_text(text);
        text[(at * 7 + 3) % size] = '"';
        text[(at * 5 + 1) % size] = '\x1f';
        check_text(text);
      }
    }
  }
}

TEST_CASE("json string: nothing but escapes, of every size") {
  for (size_t size = 0; size <= 2000; size = size * 9 / 8 + 1) {
    check_text(std::string(size, '"'));
    check_text(std::string(size, '\x02'));
    check_text(std::string(size, '\0'));
  }
}

TEST_CASE("json string: UTF-8 at each place") {
  for (const std::string character :
       {"\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80", "\xef\xbf\xbf",
        "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf", "\xe2\x82\xac"}) {
    for (size_t before = 0; before <= 40; ++before) {
      check_text(std::string(before, 'a') + character + "\n" + std::string(before % 17, 'b'));
      check_text(std::string(before, '"') + character + character);
    }
  }
}

TEST_CASE("json string: what is no UTF-8, at each place") {
  for (const std::string bytes : {"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xe0\x80\x80", "\xe0\x9f\xbf",
                                  "\xed\xa0\x80", "\xed\xbf\xbf", "\xf0\x80\x80\x80", "\xf4\x90\x80\x80",
                                  "\xf5\x80\x80\x80", "\xff", "\xc3", "\xe2\x82", "\xf0\x9f\x98"}) {
    for (size_t before = 0; before <= 40; ++before) {
      check_base64(std::string(before, 'a') + bytes);
      check_base64(std::string(before, 'a') + bytes + std::string(before % 17, 'b'));
      check_base64("\xc3\xbc" + std::string(before, '\n') + bytes + "\xc3\xbc");
    }
  }
}

TEST_CASE("json string: nothing is appended where bytes are no text") {
  ByteBuffer out;
  out.append("before");
  CHECK_FALSE(append_json_text(out, std::string(50'000, 'a') + "\xff"));
  CHECK(out.bytes() == "before");
  CHECK_FALSE(append_json_text(out, "\xff"));
  CHECK(out.bytes() == "before");
  CHECK(append_json_text(out, "a"));
  CHECK(out.bytes() == "before\"a\"");
}

TEST_CASE("json string: sizes around the stretches that it works in") {
  for (const size_t size : {32767U, 32768U, 32769U, 65535U, 65536U, 65537U, 200'000U}) {
    CAPTURE(size);
    std::string text(size, 'x');
    check_text(text);
    check_text(std::string(size, '"'));
    text[size - 1] = '\n';
    text[size / 2] = '\x01';
    check_text(text);
    text.replace(size - 2, 2, "\xc3\xbc");
    check_text(text);
    for (size_t at = 32764; at <= 32768 && at + 2 <= size; ++at) {
      std::string straddling(size, 'x');
      straddling.replace(at, 2, "\xc3\xbc");
      check_text(straddling);
    }
    text[size / 3] = '\xff';
    check_base64(text);
  }
}

TEST_CASE("json string: garbage comes back") {
  std::mt19937 random(1);
  for (int round = 0; round < 3000; ++round) {
    std::string bytes = noise(random() % 100, static_cast<uint32_t>(random()));
    if (round % 2 == 0) {
      for (char& c : bytes) c = static_cast<char>(c & 0x7f);
    }
    bool as_text = false;
    REQUIRE(read_back(json_of(bytes), as_text) == bytes);
  }
}

TEST_CASE("json base64: of every size") {
  for (size_t size = 0; size < 100; ++size) {
    ByteBuffer out;
    const std::string bytes = noise(size, static_cast<uint32_t>(size));
    append_json_base64(out, bytes);
    bool as_text = true;
    CHECK(read_back(std::string(out.bytes()), as_text) == bytes);
    CHECK_FALSE(as_text);
  }
}

TEST_CASE("json double: shortest, and the same when read back") {
  CHECK(json_of(1.0) == "1");
  CHECK(json_of(-1.5) == "-1.5");
  CHECK(json_of(0.1) == "0.1");
  CHECK(json_of(0.1 + 0.2) == "0.30000000000000004");
  CHECK(json_of(0.0) == "0");
  CHECK(json_of(-0.0) == "-0.0");
  CHECK(json_of(1e100) == "1e+100");
  CHECK(json_of(5e-324) == "5e-324");
  CHECK(json_of(std::numeric_limits<double>::infinity()) == R"("inf")");
  CHECK(json_of(-std::numeric_limits<double>::infinity()) == R"("-inf")");
  CHECK(json_of(std::nan("")) == R"("nan")");
  CHECK(json_of(-std::nan("")) == R"("nan")");
}

TEST_CASE("json double: any bits") {
  std::mt19937_64 random(2);
  for (int round = 0; round < 20'000; ++round) {
    const auto value = std::bit_cast<double>(random());
    const Json parsed = Json::parse(json_of(value));
    if (!std::isfinite(value)) continue;
    REQUIRE(parsed.is_number());
    REQUIRE(parsed.get<double>() == value);
  }
}
