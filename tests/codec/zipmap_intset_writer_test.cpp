// Writing zipmaps and intsets: exact bytes at their limits, and that they read back.
#include <doctest/doctest.h>

#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "codec/intset.hpp"
#include "codec/intset_writer.hpp"
#include "codec/zipmap.hpp"
#include "codec/zipmap_writer.hpp"
#include "support/blob_builders.hpp"

using namespace persist;
using namespace persist::test;

namespace {

using ZipmapPairs = std::vector<std::pair<std::string, std::string>>;

std::string written_zipmap(const ZipmapPairs& pairs) {
  ByteBuffer out;
  out.append(Bytes("before"));
  ZipmapWriter writer(out);
  for (const auto& [field, value] : pairs) writer.add(field, value);
  const size_t size = writer.size();
  CHECK(writer.count() == pairs.size());
  writer.finish();
  CHECK(out.size() == 6 + size);
  CHECK(out.bytes().starts_with("before"));
  return std::string(out.bytes().substr(6));
}

ZipmapPairs zipmap_pairs(Bytes bytes) {
  ZipmapPairs pairs;
  ZipmapReader reader(Blob{bytes, 0, false});
  Bytes field;
  Bytes value;
  while (reader.next(field, value)) pairs.emplace_back(field, value);
  return pairs;
}

using Integers = std::vector<int64_t>;

std::string written_intset(const Integers& integers) {
  ByteBuffer out;
  out.append(Bytes("before"));
  write_intset(out, integers);
  CHECK(out.bytes().starts_with("before"));
  return std::string(out.bytes().substr(6));
}

Integers intset_integers(Bytes bytes) {
  Integers integers;
  IntsetReader reader(Blob{bytes, 0, false});
  for (int64_t number = 0; reader.next(number);) integers.push_back(number);
  return integers;
}

}  // namespace

TEST_CASE("zipmap writer: empty, and one that a server wrote") {
  CHECK(hex(written_zipmap({})) == "00ff");
  CHECK(hex(written_zipmap({{"f", "v"}, {"n", "12"}})) == "020166010076016e02003132ff");
}

TEST_CASE("zipmap writer: 253 is an ordinary length, 254 the escape") {
  struct {
    size_t size;
    Bytes length;
  } const rows[] = {{0, "00"},
                    {63, "3f"},
                    {253, "fd"},
                    {254, "fe fe 00 00 00"},
                    {255, "fe ff 00 00 00"},
                    {70000, "fe 70 11 01 00"}};
  for (const auto& row : rows) {
    CAPTURE(row.size);
    const std::string text(row.size, 'x');
    const std::string length = unhex(row.length);
    const std::string zipmap = written_zipmap({{text, text}, {"g", "w"}});
    CHECK(zipmap == unhex("02") + length + text + length + unhex("00") + text + unhex("01 67 01 00 77 ff"));
    CHECK(zipmap_pairs(zipmap) == ZipmapPairs{{text, text}, {"g", "w"}});
  }
}

TEST_CASE("zipmap writer: counts up to unknown") {
  for (const size_t count : {253U, 254U, 255U, 256U, 600U}) {
    CAPTURE(count);
    ZipmapPairs pairs;
    for (size_t i = 0; i < count; ++i) pairs.emplace_back(std::to_string(i), "v");
    const std::string zipmap = written_zipmap(pairs);
    CHECK(hex(Bytes(zipmap).substr(0, 1)) == (count == 253 ? "fd" : "fe"));
    CHECK(zipmap_pairs(zipmap) == pairs);
  }
}

TEST_CASE("intset writer: two that servers wrote") {
  CHECK(hex(written_intset({-3, 1, 2})) == "0200000003000000fdff01000200");
  CHECK(hex(written_intset({1, int64_t{1} << 40})) == "080000000200000001000000000000000000000000010000");
}

TEST_CASE("intset writer: the smallest width that holds the first and the last") {
  constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  struct {
    Integers integers;
    unsigned width;
  } const rows[] = {
      {{0}, 2},
      {{-32768, 0, 32767}, 2},
      {{-32768, 32768}, 4},
      {{-32769, 32767}, 4},
      {{-2147483648LL, -1, 2147483647}, 4},
      {{0, 2147483648LL}, 8},
      {{-2147483649LL, 0}, 8},
      {{kMin, -1, 0, 1, kMax}, 8},
  };
  for (const auto& row : rows) {
    CAPTURE(row.integers.front());
    IntsetBuilder builder(row.width);
    for (const int64_t number : row.integers) builder.add(number);
    CHECK(written_intset(row.integers) == builder.bytes());
    CHECK(intset_integers(written_intset(row.integers)) == row.integers);
  }
}
