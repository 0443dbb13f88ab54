// Ziplists: every encoding, both forms of prevlen, every way to be wrong.
#include "codec/ziplist.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <vector>

#include "support/blob_builders.hpp"

using namespace persist;
using namespace persist::test;

namespace {

struct Outcome {
  std::vector<std::string> items;
  std::string finding;
};

Outcome read(Bytes bytes) {
  Outcome outcome;
  try {
    ZiplistReader reader(Blob{bytes, 0, false});
    PackedItem item;
    ItemText text;
    while (reader.next(item)) outcome.items.emplace_back(item.as_text(text));
  } catch (const FormatError& error) {
    outcome.finding =
        std::string(error.finding.kind().id) + " at " + std::to_string(error.finding.extent.offset);
  }
  return outcome;
}

struct Encoded {
  int64_t number;
  Bytes bytes;  // encoding and data
};

// man/persist-rdb.5, ZIPLIST
constexpr Encoded kNumbers[] = {
    {0, "f1"},
    {12, "fd"},
    {13, "fe 0d"},
    {-1, "fe ff"},
    {127, "fe 7f"},
    {-128, "fe 80"},
    {128, "c0 80 00"},
    {-129, "c0 7f ff"},
    {-32768, "c0 00 80"},
    {32768, "f0 00 80 00"},
    {8388607, "f0 ff ff 7f"},
    {-8388608, "f0 00 00 80"},
    {8388608, "d0 00 00 80 00"},
    {std::numeric_limits<int32_t>::min(), "d0 00 00 00 80"},
    {2147483648, "e0 00 00 00 80 00 00 00 00"},
    {std::numeric_limits<int64_t>::min(), "e0 00 00 00 00 00 00 00 80"},
    {std::numeric_limits<int64_t>::max(), "e0 ff ff ff ff ff ff ff 7f"},
};

}  // namespace

TEST_CASE("ziplist: empty") {
  const std::string empty = unhex("0b 00 00 00 0a 00 00 00 00 00 ff");
  CHECK(ZiplistBuilder().bytes() == empty);
  CHECK(read(empty).finding.empty());
  CHECK(read(empty).items.empty());
}

TEST_CASE("ziplist: integers of every width, at their limits") {
  for (const Encoded& row : kNumbers) {
    CAPTURE(row.number);
    const std::string text = std::to_string(row.number);
    CHECK(read(ZiplistBuilder().entry(unhex(row.bytes)).bytes()).items == std::vector<std::string>{text});
    CHECK(hex(ZiplistBuilder().add(text).bytes().substr(11)) == hex(unhex(row.bytes)) + "ff");
  }
}

TEST_CASE("ziplist: immediate integers are 0 to 12") {
  for (int number = 0; number <= 12; ++number) {
    const std::string entry(1, static_cast<char>(0xf1 + number));
    CHECK(read(ZiplistBuilder().entry(entry).bytes()).items ==
          std::vector<std::string>{std::to_string(number)});
  }
}

TEST_CASE("ziplist: strings of every header; prevlens on both sides of 254") {
  std::vector<std::string> texts;
  ZiplistBuilder builder;
  for (const size_t size : {0U, 1U, 63U, 64U, 248U, 249U, 250U, 251U, 252U, 16383U, 16384U, 70000U, 3U}) {
    texts.push_back(noise(size, static_cast<uint32_t>(size)));
    builder.add_string(texts.back());
  }
  CHECK(read(builder.bytes()).items == texts);
  CHECK(read(builder.bytes()).finding.empty());
}

TEST_CASE("ziplist: the five-byte length is big-endian, and the low bits of its first byte do not matter") {
  const std::string text(300, 'x');
  CHECK(read(ZiplistBuilder().entry("\x80" + be(uint32_t{300}) + text).bytes()).items[0] == text);
  CHECK(read(ZiplistBuilder().entry("\xbf" + be(uint32_t{300}) + text).bytes()).items[0] == text);
}

TEST_CASE("ziplist: a long prevlen may hold a small number") {
  const std::string bytes = ZiplistBuilder().add("a").long_prevlen().add("b").add("c").bytes();
  CHECK(read(bytes).finding.empty());
  CHECK(read(bytes).items == std::vector<std::string>{"a", "b", "c"});
}

TEST_CASE("ziplist: prevlens that are not the size of the entry before") {
  CHECK(read(ZiplistBuilder().next_prevlen("\x01").add("a").bytes()).finding ==
        "ziplist.prevlen-mismatch at 10");
  CHECK(read(ZiplistBuilder().add("a").next_prevlen("\x04").add("b").bytes()).finding ==
        "ziplist.prevlen-mismatch at 13");
  CHECK(read(ZiplistBuilder().add("a").next_prevlen("\xfe" + le(uint32_t{4})).add("b").bytes()).finding ==
        "ziplist.prevlen-mismatch at 13");
}

TEST_CASE("ziplist: frames that are wrong") {
  CHECK(read("").finding == "ziplist.size-mismatch at 0");
  CHECK(read(unhex("0a 00 00 00 0a 00 00 00 00 00")).finding == "ziplist.size-mismatch at 0");
  CHECK(read(ZiplistBuilder().add("a").total(13).bytes()).finding == "ziplist.size-mismatch at 0");
  CHECK(read(ZiplistBuilder().add("a").end_mark(0xfe).bytes()).finding == "ziplist.size-mismatch at 13");
  CHECK(read(ZiplistBuilder().add("a").add("b").tail(10).bytes()).finding == "ziplist.tail-mismatch at 4");
  CHECK(read(ZiplistBuilder().tail(0).bytes()).finding == "ziplist.tail-mismatch at 4");
  CHECK(read(ZiplistBuilder().add("a").tail(~uint32_t{0}).bytes()).finding == "ziplist.tail-mismatch at 4");
  CHECK(read(ZiplistBuilder().add("a").count(0).bytes()).finding == "ziplist.count-mismatch at 8");
  CHECK(read(ZiplistBuilder().add("a").count(2).bytes()).finding == "ziplist.count-mismatch at 8");
  CHECK(read(ZiplistBuilder().add("a").count(0xffff).bytes()).finding.empty());
}

TEST_CASE("ziplist: encodings that do not exist") {
  for (int first = 0xc0; first <= 0xff; ++first) {
    const bool known =
        first == 0xc0 || first == 0xd0 || first == 0xe0 || first == 0xf0 || (first >= 0xf1 && first <= 0xfe);
    if (known) continue;
    CAPTURE(first);
    const std::string entry = std::string(1, static_cast<char>(first)) + std::string(8, '\0');
    CHECK(read(ZiplistBuilder().add("a").entry(entry).bytes()).finding == "ziplist.bad-entry at 13");
  }
}

TEST_CASE("ziplist: entries that leave it") {
  for (Bytes entry : {"01", "40", "40 01", "80 00 00 00", "80 00 00 00 01", "80 ff ff ff ff 61", "c0 01",
                      "f0 01 02", "d0 01 02 03", "e0 01 02 03 04 05 06 07", "fe", "3f 61", "7f ff 61"}) {
    CAPTURE(entry);
    const std::string bytes = ZiplistBuilder().add("a").raw("\x03" + unhex(entry), 1).bytes();
    CHECK(read(bytes).finding == "ziplist.bad-entry at 13");
  }
  CHECK(read(ZiplistBuilder().add("a").raw("\x03", 1).bytes()).finding == "ziplist.bad-entry at 13");
  CHECK(read(ZiplistBuilder().add("a").raw("\xfe\x03", 1).bytes()).finding == "ziplist.bad-entry at 13");
}
