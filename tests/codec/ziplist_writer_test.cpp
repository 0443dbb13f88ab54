// Writing ziplists: exact bytes of every encoding in both sets of integers, and that they read back.
#include "codec/ziplist_writer.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <random>
#include <vector>

#include "codec/ziplist.hpp"
#include "support/blob_builders.hpp"

using namespace persist;
using namespace persist::test;

namespace {

using ZiplistItems = std::vector<std::string>;

std::string written_ziplist(const ZiplistItems& items, ZiplistIntegers integers = ZiplistIntegers::all) {
  ByteBuffer out;
  ZiplistWriter writer(out, integers);
  for (const std::string& item : items) writer.add(item);
  const size_t size = writer.size();
  CHECK(writer.count() == items.size());
  writer.finish();
  CHECK(out.size() == size);
  return std::string(out.bytes());
}

ZiplistItems ziplist_items(Bytes bytes) {
  ZiplistItems items;
  ZiplistReader reader(Blob{bytes, 0, false});
  PackedItem item;
  ItemText text;
  while (reader.next(item)) items.emplace_back(item.as_text(text));
  return items;
}

// Encoding and data of an only entry.
std::string item_bytes(Bytes ziplist) {
  REQUIRE(ziplist.size() > 12);
  return hex(ziplist.substr(11, ziplist.size() - 12));
}

struct ZiplistNumber {
  int64_t number;
  Bytes all;
  Bytes wide;
};

// man/persist-rdb.5, ZIPLIST
constexpr ZiplistNumber kZiplistNumbers[] = {
    {0, "f1", "c0 00 00"},
    {1, "f2", "c0 01 00"},
    {12, "fd", "c0 0c 00"},
    {13, "fe 0d", "c0 0d 00"},
    {-1, "fe ff", "c0 ff ff"},
    {127, "fe 7f", "c0 7f 00"},
    {-128, "fe 80", "c0 80 ff"},
    {128, "c0 80 00", "c0 80 00"},
    {-129, "c0 7f ff", "c0 7f ff"},
    {32767, "c0 ff 7f", "c0 ff 7f"},
    {-32768, "c0 00 80", "c0 00 80"},
    {32768, "f0 00 80 00", "d0 00 80 00 00"},
    {-32769, "f0 ff 7f ff", "d0 ff 7f ff ff"},
    {8388607, "f0 ff ff 7f", "d0 ff ff 7f 00"},
    {-8388608, "f0 00 00 80", "d0 00 00 80 ff"},
    {8388608, "d0 00 00 80 00", "d0 00 00 80 00"},
    {-8388609, "d0 ff ff 7f ff", "d0 ff ff 7f ff"},
    {2147483647, "d0 ff ff ff 7f", "d0 ff ff ff 7f"},
    {std::numeric_limits<int32_t>::min(), "d0 00 00 00 80", "d0 00 00 00 80"},
    {2147483648, "e0 00 00 00 80 00 00 00 00", "e0 00 00 00 80 00 00 00 00"},
    {-2147483649, "e0 ff ff ff 7f ff ff ff ff", "e0 ff ff ff 7f ff ff ff ff"},
    {std::numeric_limits<int64_t>::min(), "e0 00 00 00 00 00 00 00 80", "e0 00 00 00 00 00 00 00 80"},
    {std::numeric_limits<int64_t>::max(), "e0 ff ff ff ff ff ff ff 7f", "e0 ff ff ff ff ff ff ff 7f"},
};

}  // namespace

TEST_CASE("ziplist writer: empty") { CHECK(hex(written_ziplist({})) == "0b0000000a0000000000ff"); }

TEST_CASE("ziplist writer: integers of every width in both sets") {
  for (const ZiplistNumber& row : kZiplistNumbers) {
    CAPTURE(row.number);
    const ZiplistItems items = {std::to_string(row.number)};
    CHECK(item_bytes(written_ziplist(items)) == hex(unhex(row.all)));
    CHECK(item_bytes(written_ziplist(items, ZiplistIntegers::wide)) == hex(unhex(row.wide)));
    CHECK(ziplist_items(written_ziplist(items)) == items);
    CHECK(ziplist_items(written_ziplist(items, ZiplistIntegers::wide)) == items);
  }
}

TEST_CASE("ziplist writer: strings of every header, at their limits") {
  struct {
    size_t size;
    Bytes header;
  } const rows[] = {{0, "00"},
                    {1, "01"},
                    {63, "3f"},
                    {64, "40 40"},
                    {253, "40 fd"},
                    {254, "40 fe"},
                    {4095, "4f ff"},
                    {4096, "50 00"},
                    {16383, "7f ff"},
                    {16384, "80 00 00 40 00"},
                    {70000, "80 00 01 11 70"}};
  for (const auto& row : rows) {
    CAPTURE(row.size);
    const std::string text(row.size, 'x');
    CHECK(item_bytes(written_ziplist({text})) == hex(unhex(row.header) + text));
    CHECK(ziplist_items(written_ziplist({text})) == ZiplistItems{text});
  }
}

TEST_CASE("ziplist writer: prevlens below and from 254") {
  struct {
    size_t size;  // of the string in front, whose entry has three bytes more
    Bytes prevlen;
  } const rows[] = {
      {0, "02"}, {250, "fd"}, {251, "fe fe 00 00 00"}, {252, "fe ff 00 00 00"}, {70000, "fe 76 11 01 00"}};
  for (const auto& row : rows) {
    CAPTURE(row.size);
    const ZiplistItems items = {std::string(row.size, 'x'), "5", "end"};
    const std::string ziplist = written_ziplist(items);
    const size_t prevlen_bytes = unhex(row.prevlen).size();
    const std::string entries =
        unhex(row.prevlen) + "\xf6" + static_cast<char>(prevlen_bytes + 1) + "\x03" + "end\xff";
    CHECK(hex(Bytes(ziplist).substr(ziplist.size() - entries.size())) == hex(entries));
    CHECK(ziplist_items(ziplist) == items);
  }
}

TEST_CASE("ziplist writer: what only looks like a number is a string") {
  for (const char* text : {"", "-", "-0", "+1", "007", "1 ", "1.0", "9223372036854775808"}) {
    CAPTURE(text);
    CHECK(written_ziplist({text}) == ZiplistBuilder().add_string(text).bytes());
  }
}

TEST_CASE("ziplist writer: whole ziplists that servers wrote") {
  const ZiplistItems list = {"a", "2", "-3", "300"};
  CHECK(hex(written_ziplist(list, ZiplistIntegers::wide)) ==
        "1a000000150000000400000161"
        "03c00200"
        "04c0fdff"
        "04c02c01"
        "ff");
  CHECK(hex(written_ziplist(list)) ==
        "17000000120000000400000161"
        "03f3"
        "02fefd"
        "03c02c01"
        "ff");
  CHECK(hex(written_ziplist({"c", "-3", "a", "1", "b", "3.5"})) ==
        "1e000000180000000600000163"
        "03fefd"
        "030161"
        "03f2"
        "020162"
        "0303332e35"
        "ff");
  CHECK(hex(written_ziplist({"f", "v", "n", "12"})) ==
        "16000000130000000400000166"
        "030176"
        "03016e"
        "03fd"
        "ff");
}

TEST_CASE("ziplist writer: counts up to unknown") {
  for (const size_t count : {65534U, 65535U, 70000U}) {
    CAPTURE(count);
    const ZiplistItems items(count, "7");
    const std::string ziplist = written_ziplist(items);
    CHECK(hex(Bytes(ziplist).substr(8, 2)) == (count == 65534 ? "feff" : "ffff"));
    CHECK(ziplist_items(ziplist) == items);
  }
}

TEST_CASE("ziplist writer: behind what is in the buffer already") {
  ByteBuffer out;
  out.append(Bytes("before"));
  for (const char* item : {"first", "second"}) {
    const size_t begin = out.size();
    ZiplistWriter writer(out, ZiplistIntegers::all);
    CHECK(writer.size() == 11);
    writer.add(item);
    writer.add(item);
    writer.finish();
    CHECK(ziplist_items(out.bytes().substr(begin)) == ZiplistItems{item, item});
  }
  CHECK(out.bytes().starts_with("before"));
}

TEST_CASE("ziplist writer: many items as the builder makes them") {
  std::mt19937 random(3);
  for (int round = 0; round < 40; ++round) {
    ZiplistItems items;
    ZiplistBuilder all;
    ZiplistBuilder wide;
    wide.old_integers();
    for (size_t left = random() % 200; left > 0; --left) {
      const auto bits = static_cast<int64_t>(random()) << 31 ^ static_cast<int64_t>(random());
      items.push_back(random() % 2 == 0 ? std::to_string((bits >> (random() % 62)) * (random() % 2 ? 1 : -1))
                                        : noise(random() % 400, static_cast<uint32_t>(random())));
      all.add(items.back());
      wide.add(items.back());
    }
    CHECK(written_ziplist(items) == all.bytes());
    CHECK(written_ziplist(items, ZiplistIntegers::wide) == wide.bytes());
    CHECK(ziplist_items(written_ziplist(items)) == items);
  }
}
