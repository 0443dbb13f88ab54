// Numbers out of bytes and out of text.
#include <doctest/doctest.h>

#include <limits>

#include "base/decimal.hpp"
#include "base/endian.hpp"
#include "base/hash64.hpp"
#include "support/bytes_builder.hpp"

using namespace persist;
using namespace persist::test;

TEST_CASE("endian: both byte orders, all widths") {
  const std::string bytes = unhex("01 02 03 04 05 06 07 88");
  const char* at = bytes.data();
  CHECK(load_le<uint8_t>(at) == 1);
  CHECK(load_le<uint16_t>(at) == 0x0201);
  CHECK(load_be<uint16_t>(at) == 0x0102);
  CHECK(load_le<uint32_t>(at) == 0x04030201);
  CHECK(load_be<uint32_t>(at) == 0x01020304);
  CHECK(load_le<uint64_t>(at) == 0x8807060504030201);
  CHECK(load_be<uint64_t>(at) == 0x0102030405060788);
  CHECK(load_le<int64_t>(at) < 0);
  CHECK(load_le<int8_t>(at + 7) == -120);
}

TEST_CASE("endian: unaligned, floats") {
  const std::string bytes = "x" + le(-2.5);
  CHECK(load_le<double>(bytes.data() + 1) == -2.5);
}

TEST_CASE("endian: three signed bytes") {
  CHECK(load_i24le(unhex("000000").data()) == 0);
  CHECK(load_i24le(unhex("ffff7f").data()) == 8388607);
  CHECK(load_i24le(unhex("000080").data()) == -8388608);
  CHECK(load_i24le(unhex("ffffff").data()) == -1);
  CHECK(load_i24le(unhex("008000").data()) == 32768);
}

TEST_CASE("byteswap") {
  CHECK(byteswap(uint8_t{0x12}) == 0x12);
  CHECK(byteswap(uint16_t{0x1234}) == 0x3412);
  CHECK(byteswap(uint32_t{0x12345678}) == 0x78563412);
  CHECK(byteswap(uint64_t{0x0102030405060708}) == 0x0807060504030201);
}

TEST_CASE("decimal: there and back at the limits") {
  char room[kDecimalMax];
  CHECK(to_decimal(std::numeric_limits<int64_t>::min(), room) == "-9223372036854775808");
  CHECK(to_decimal(std::numeric_limits<uint64_t>::max(), room) == "18446744073709551615");
  CHECK(to_decimal(0, room) == "0");
  CHECK(parse_decimal<int64_t>("-9223372036854775808") == std::numeric_limits<int64_t>::min());
  CHECK(parse_decimal<uint64_t>("18446744073709551615") == std::numeric_limits<uint64_t>::max());
}

TEST_CASE("decimal: what is no number") {
  for (const Bytes text : {"", " 1", "1 ", "+1", "1x", "-", "0x10", "9223372036854775808", "1.0"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_decimal<int64_t>(text).has_value());
  }
  CHECK_FALSE(parse_decimal<uint64_t>("-1").has_value());
}

TEST_CASE("hash64: depends on bytes, size and seed") {
  CHECK(hash64("a", 1) == hash64("a", 1));
  CHECK(hash64("a", 1) != hash64("a", 2));
  CHECK(hash64("a", 1) != hash64(Bytes("a\0", 2), 1));
  CHECK(random_seed() != random_seed());
}
