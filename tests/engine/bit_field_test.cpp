// Bits of strings: fields against a model that knows bits only one by one, and the answers of servers where
// they are not what one expects.
#include "engine/bit_field.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <random>
#include <vector>

#include "support/violations.hpp"

using namespace persist;
using namespace persist::test;
using namespace std::string_literals;

namespace {

constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
constexpr int64_t kMin = std::numeric_limits<int64_t>::min();

BitField field(const char* type, uint64_t offset) { return {parse_bit_field_type(type).value(), offset}; }

using Bits = std::vector<bool>;

Bits bits_of(Bytes value) {
  Bits bits;
  for (const char byte : value)
    for (int i = 7; i >= 0; --i) bits.push_back(((static_cast<uint8_t>(byte) >> i) & 1) != 0);
  return bits;
}

// The low bits of a number, the highest of them first.
Bits bits_of(int64_t number, size_t width) {
  Bits bits;
  for (size_t i = width; i-- > 0;) bits.push_back(((static_cast<uint64_t>(number) >> i) & 1) != 0);
  return bits;
}

std::string random_bytes(std::mt19937_64& random, size_t size) {
  std::string bytes;
  while (bytes.size() < size) bytes += static_cast<char>(random() & 0xff);
  return bytes;
}

}  // namespace

TEST_CASE("types and offsets are read as servers read them") {
  const struct {
    std::string text;
    uint32_t width;  // 0: refused
    bool is_signed;
  } kTypes[] = {{"i1", 1, true},      {"i64", 64, true}, {"u1", 1, false}, {"u63", 63, false},
                {"u64", 0, false},    {"i65", 0, true},  {"i0", 0, true},  {"", 0, false},
                {"u", 0, false},      {"8", 0, false},   {"I8", 0, true},  {"u08", 0, false},
                {"u8\0x"s, 8, false}, {"u+8", 0, false}, {"i-1", 0, true}};
  for (const auto& row : kTypes) {
    CAPTURE(row.text);
    const auto type = parse_bit_field_type(row.text);
    REQUIRE(type.has_value() == (row.width != 0));
    if (!type) continue;
    CHECK(type->width == row.width);
    CHECK(type->is_signed == row.is_signed);
  }
  const struct {
    const char* text;
    std::optional<uint64_t> plain;
    std::optional<uint64_t> of_field;  // of u6
  } kOffsets[] = {{"0", 0, 0},
                  {"17", 17, 17},
                  {"9223372036854775807", kMax, kMax},
                  {"#0", {}, 0},
                  {"#7", {}, 42},
                  {"#6148914691236517206", {}, 4},  // 6 times that is 2^65 + 4
                  {"#3074457345618258602", {}, {}},
                  {"-1", {}, {}},
                  {"#-1", {}, {}},
                  {"#", {}, {}},
                  {"", {}, {}},
                  {"07", {}, {}},
                  {"+7", {}, {}},
                  {"9223372036854775808", {}, {}}};
  for (const auto& row : kOffsets) {
    CAPTURE(row.text);
    CHECK(parse_bit_offset(row.text) == row.plain);
    CHECK(parse_bit_field_offset(row.text, {6, false}) == row.of_field);
  }
  CHECK(parse_bit_overflow("sAt") == BitOverflow::saturate);
  CHECK(parse_bit_overflow("wrap") == BitOverflow::wrap);
  CHECK(parse_bit_overflow("FAIL") == BitOverflow::fail);
  CHECK_FALSE(parse_bit_overflow("saturate"));
}

TEST_CASE("fields lie where they should") {
  std::mt19937_64 random(1);
  Violations violations;
  for (int round = 0; round < 20000; ++round) {
    const bool is_signed = random() % 2 == 0;
    const auto width = static_cast<uint32_t>(1 + random() % (is_signed ? 64 : 63));
    const BitField place = {{width, is_signed}, random() % 100};
    std::string value = random_bytes(random, random() % 24);
    const auto number = static_cast<int64_t>(random());
    const std::string where = std::to_string(width) + " bits at " + std::to_string(place.offset);

    Bits model = bits_of(value);
    if (model.size() < place.bytes_needed() * 8) model.resize(place.bytes_needed() * 8);
    const auto begin = model.begin() + static_cast<std::ptrdiff_t>(place.offset);
    const Bits old(begin, begin + width);
    const Bits put = bits_of(number, width);
    std::copy(put.begin(), put.end(), begin);

    const int64_t before = read_bit_field(value, place);
    violations.expect(bits_of(before, width) == old, "reads the bits", where);
    violations.expect(is_signed || before >= 0, "is unsigned", where);
    violations.expect(!is_signed || (before < 0) == old.front(), "has its sign", where);
    violations.expect(set_bit_field(value, place, number, BitOverflow::wrap) == before, "answers", where);
    violations.expect(bits_of(value) == model, "writes the bits and no others", where);
  }
  violations.report();
}

TEST_CASE("overflow is met as by servers") {
  enum Do { set, add };
  const struct {
    const char* type;
    int64_t old;
    Do what;
    int64_t operand;
    int64_t wrapped;
    int64_t saturated;
    bool fails;
  } kRows[] = {
      {"u8", 250, add, 5, 255, 255, false},
      {"u8", 250, add, 6, 0, 255, true},
      {"u8", 5, add, -6, 255, 0, true},
      {"u8", 5, set, 257, 1, 255, true},
      {"u8", 5, set, -1, 255, 255, true},  // too small, and taken for too large
      {"u63", kMax, add, 1, 0, kMax, true},
      {"u63", 5, add, kMin, 5, 0, true},
      {"i8", 127, add, 1, -128, 127, true},
      {"i8", -128, add, -1, 127, -128, true},
      {"i8", -128, add, 255, 127, 127, false},
      {"i8", 0, set, -129, 127, -128, true},
      {"i8", 0, set, kMin + 128, -128, -128, true},
      {"i8", 0, set, kMin + 127, 127, 127, true},  // from here on a difference overflows in servers
      {"i8", 0, set, kMin, 0, 127, true},
      {"i1", 0, set, 1, -1, 0, true},
      {"i64", kMax, add, 1, kMin, kMax, true},
      {"i64", kMin, add, -1, kMax, kMin, true},
      {"i64", 0, set, kMin, kMin, kMin, false},
  };
  for (const auto& row : kRows) {
    CAPTURE(row.type);
    CAPTURE(row.old);
    CAPTURE(row.operand);
    const BitField place = field(row.type, 3);
    for (const BitOverflow overflow : {BitOverflow::wrap, BitOverflow::saturate, BitOverflow::fail}) {
      std::string value;
      REQUIRE(set_bit_field(value, place, row.old, BitOverflow::wrap) == 0);
      const bool refused = row.fails && overflow == BitOverflow::fail;
      const int64_t now = overflow == BitOverflow::saturate ? row.saturated : row.wrapped;
      std::optional<int64_t> answer = row.what == set ? row.old : now;
      if (refused) answer.reset();
      const auto act = row.what == set ? set_bit_field : increment_bit_field;
      CHECK(act(value, place, row.operand, overflow) == answer);
      CHECK(read_bit_field(value, place) == (refused ? row.old : now));
    }
  }
}

TEST_CASE("strings grow as far as the field, even in vain") {
  std::string value;
  CHECK(increment_bit_field(value, field("u8", 20), 256, BitOverflow::fail) == std::nullopt);
  CHECK(value == std::string(4, '\0'));
  CHECK(write_bit(value, 39, false) == false);
  CHECK(value == std::string(5, '\0'));
  CHECK(write_bit(value, 0, true) == false);
  CHECK(write_bit(value, 0, true) == true);
  CHECK(value == "\x80\0\0\0\0"s);
  CHECK(read_bit(value, 0));
  CHECK_FALSE(read_bit(value, 1));
  CHECK_FALSE(read_bit(value, 4000));
  CHECK(read_bit_field(value, field("i64", kMax)) == 0);
}

TEST_CASE("operations on whole strings") {
  const Bytes a = "\xf0\xf0\xf0";
  const Bytes b = "\xcc\xcc";
  const Bytes c = "\xaa\xaa\xaa\xaa";
  const struct {
    const char* name;
    std::vector<Bytes> sources;
    std::string result;
  } kRows[] = {
      {"and", {a, b, c}, "\x80\x80\0\0"s},
      {"AND", {a, c}, "\xa0\xa0\xa0\0"s},
      {"or", {a, b, c}, "\xfe\xfe\xfa\xaa"},
      {"xor", {a, b, c}, "\x96\x96\x5a\xaa"},
      {"not", {a}, "\x0f\x0f\x0f"},
      {"diff", {a, b, c}, "\x10\x10\x50\0"s},
      {"diff1", {a, b, c}, "\x0e\x0e\x0a\xaa"},
      {"andor", {a, b, c}, "\xe0\xe0\xa0\0"s},
      {"one", {a, b, c}, "\x16\x16\x5a\xaa"},
      {"one", {a}, "\xf0\xf0\xf0"},
      {"or", {"", ""}, ""},
      {"and", {"", c}, "\0\0\0\0"s},
  };
  for (const auto& row : kRows) {
    CAPTURE(row.name);
    const auto operation = parse_bit_operation(row.name);
    REQUIRE(operation);
    REQUIRE(row.sources.size() >= sources_min(*operation));
    CHECK(apply_bit_operation(*operation, row.sources) == row.result);
  }
  CHECK(sources_min(BitOperation::diff) == 2);
  CHECK(sources_min(BitOperation::one) == 1);
  CHECK_FALSE(parse_bit_operation("nand"));
}

TEST_CASE("operations take words and bytes alike") {
  std::mt19937_64 random(2);
  Violations violations;
  for (int round = 0; round < 500; ++round) {
    std::vector<std::string> strings;
    for (size_t count = 2 + random() % 4; count > 0; --count)
      strings.push_back(random_bytes(random, random() % 40));
    const std::vector<Bytes> sources(strings.begin(), strings.end());
    for (const char* name : {"and", "or", "xor", "diff", "diff1", "andor", "one"}) {
      const BitOperation operation = parse_bit_operation(name).value();
      const Bits result = bits_of(apply_bit_operation(operation, sources));
      for (size_t i = 0; i < result.size(); ++i) {
        size_t taken = 0;
        for (const Bytes source : sources) taken += read_bit(source, i) ? 1U : 0U;
        const bool first = read_bit(sources[0], i);
        const size_t others = taken - (first ? 1U : 0U);
        const bool expected[] = {
            taken == sources.size(), taken > 0,           taken % 2 == 1, false, first && others == 0,
            !first && others > 0,    first && others > 0, taken == 1};
        violations.expect(result[i] == expected[static_cast<size_t>(operation)], name, std::to_string(i));
      }
    }
  }
  violations.report();
}

TEST_CASE("ranges are counted from both ends") {
  const struct {
    int64_t start;
    int64_t end;
    BitUnit unit;
    uint64_t size_bytes;
    uint64_t first;
    uint64_t last_plus_1;  // equal: nothing
  } kRows[] = {
      {0, -1, BitUnit::byte, 3, 0, 24},     {1, 1, BitUnit::byte, 3, 8, 16},
      {-2, -1, BitUnit::bit, 3, 22, 24},    {5, 100, BitUnit::bit, 3, 5, 24},
      {-100, 1, BitUnit::byte, 3, 0, 16},   {2, 1, BitUnit::byte, 3, 0, 0},
      {3, -1, BitUnit::byte, 3, 0, 0},      {0, -1, BitUnit::byte, 0, 0, 0},
      {kMin, kMax, BitUnit::bit, 3, 0, 24}, {0, -100, BitUnit::byte, 3, 0, 8},
  };
  for (const auto& row : kRows) {
    CAPTURE(row.start);
    CAPTURE(row.end);
    for (const auto resolve : {bitcount_range, bitpos_range}) {
      const BitRange range = resolve(row.start, row.end, row.unit, row.size_bytes);
      CHECK(range.first == row.first);
      CHECK(range.end == row.last_plus_1);
    }
  }
  CHECK(bitcount_range(-50, -60, BitUnit::byte, 3).end == 0);
  CHECK(bitpos_range(-50, -60, BitUnit::byte, 3).end == 8);
  CHECK(bitpos_range(-50, -60, BitUnit::bit, 3).end == 1);
}

TEST_CASE("counting and finding bits") {
  std::mt19937_64 random(3);
  Violations violations;
  for (int round = 0; round < 3000; ++round) {
    // Long runs of one kind, so that whole words are passed over.
    std::string value(random() % 60, random() % 2 == 0 ? '\0' : '\xff');
    for (size_t flips = random() % 3; flips > 0 && !value.empty(); --flips)
      value[random() % value.size()] = static_cast<char>(random() & 0xff);
    const Bits bits = bits_of(value);
    BitRange range = {random() % (bits.size() + 1), random() % (bits.size() + 1)};
    if (range.first > range.end) std::swap(range.first, range.end);
    uint64_t count = 0;
    std::optional<uint64_t> first_of[2];
    for (uint64_t i = range.first; i < range.end; ++i) {
      count += bits[i] ? 1U : 0U;
      if (!first_of[bits[i] ? 1 : 0]) first_of[bits[i] ? 1 : 0] = i;
    }
    const std::string where = std::to_string(range.first) + " to " + std::to_string(range.end);
    violations.expect(count_bits(value, range) == count, "counts", where);
    violations.expect(find_bit(value, range, false) == first_of[0], "finds a zero", where);
    violations.expect(find_bit(value, range, true) == first_of[1], "finds a one", where);
  }
  violations.report();
}
