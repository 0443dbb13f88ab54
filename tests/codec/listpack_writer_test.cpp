// Writing listpacks: exact bytes of every encoding, both dialects of backlen, and that they read back.
#include "codec/listpack_writer.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <random>
#include <vector>

#include "codec/listpack.hpp"
#include "support/blob_builders.hpp"

using namespace persist;
using namespace persist::test;

namespace {

using ListpackItems = std::vector<std::string>;

std::string written_listpack(const ListpackItems& items, Backlen backlen = Backlen::narrow) {
  ByteBuffer out;
  ListpackWriter writer(out, backlen);
  for (const std::string& item : items) writer.add(item);
  const size_t size = writer.size();
  CHECK(writer.count() == items.size());
  writer.finish();
  CHECK(out.size() == size);
  return std::string(out.bytes());
}

ListpackItems listpack_items(Bytes bytes) {
  ListpackItems items;
  ListpackReader reader(Blob{bytes, 0, false});
  PackedItem item;
  ItemText text;
  while (reader.next(item)) items.emplace_back(item.as_text(text));
  return items;
}

// The only entry of a listpack, without what stands around it.
std::string entry_bytes(Bytes listpack) {
  REQUIRE(listpack.size() > 7);
  return hex(listpack.substr(6, listpack.size() - 7));
}

struct WrittenNumber {
  int64_t number;
  Bytes entry;
};

// man/persist-rdb.5, LISTPACK
constexpr WrittenNumber kWrittenNumbers[] = {
    {0, "00 01"},
    {1, "01 01"},
    {127, "7f 01"},
    {128, "c0 80 02"},
    {-1, "df ff 02"},
    {-3, "df fd 02"},
    {300, "c1 2c 02"},
    {4095, "cf ff 02"},
    {-4096, "d0 00 02"},
    {4096, "f1 00 10 03"},
    {-4097, "f1 ff ef 03"},
    {32767, "f1 ff 7f 03"},
    {-32768, "f1 00 80 03"},
    {32768, "f2 00 80 00 04"},
    {-32769, "f2 ff 7f ff 04"},
    {8388607, "f2 ff ff 7f 04"},
    {-8388608, "f2 00 00 80 04"},
    {8388608, "f3 00 00 80 00 05"},
    {-8388609, "f3 ff ff 7f ff 05"},
    {2147483647, "f3 ff ff ff 7f 05"},
    {std::numeric_limits<int32_t>::min(), "f3 00 00 00 80 05"},
    {2147483648, "f4 00 00 00 80 00 00 00 00 09"},
    {-2147483649, "f4 ff ff ff 7f ff ff ff ff 09"},
    {std::numeric_limits<int64_t>::min(), "f4 00 00 00 00 00 00 00 80 09"},
    {std::numeric_limits<int64_t>::max(), "f4 ff ff ff ff ff ff ff 7f 09"},
};

struct WrittenString {
  size_t size;
  Bytes header;
  Bytes backlen;
};

constexpr WrittenString kWrittenStrings[] = {
    {0, "80", "01"},
    {1, "81", "02"},
    {63, "bf", "40"},
    {64, "e0 40", "42"},
    {125, "e0 7d", "7f"},
    {126, "e0 7e", "01 80"},
    {4095, "ef ff", "20 81"},
    {4096, "f0 00 10 00 00", "20 85"},
    {16377, "f0 f9 3f 00 00", "7f fe"},
    {16379, "f0 fb 3f 00 00", "01 80 80"},
    {2097145, "f0 f9 ff 1f 00", "7f ff fe"},
    {2097147, "f0 fb ff 1f 00", "01 80 80 80"},
};

}  // namespace

TEST_CASE("listpack writer: empty") { CHECK(hex(written_listpack({})) == "070000000000ff"); }

TEST_CASE("listpack writer: integers of every width, from text and from numbers") {
  for (const WrittenNumber& row : kWrittenNumbers) {
    CAPTURE(row.number);
    CHECK(entry_bytes(written_listpack({std::to_string(row.number)})) == hex(unhex(row.entry)));
    ByteBuffer out;
    ListpackWriter writer(out, Backlen::wide);
    writer.add_integer(row.number);
    writer.finish();
    CHECK(out.bytes() == written_listpack({std::to_string(row.number)}));
    CHECK(listpack_items(out.bytes()) == ListpackItems{std::to_string(row.number)});
  }
}

TEST_CASE("listpack writer: strings of every header, at their limits") {
  for (const WrittenString& row : kWrittenStrings) {
    CAPTURE(row.size);
    const std::string text(row.size, 'x');
    for (const Backlen backlen : {Backlen::wide, Backlen::narrow}) {
      const std::string listpack = written_listpack({text}, backlen);
      CHECK(listpack.substr(6, listpack.size() - 7) == unhex(row.header) + text + unhex(row.backlen));
      CHECK(listpack_items(listpack) == ListpackItems{text});
    }
  }
}

TEST_CASE("listpack writer: the sizes at which servers disagree") {
  struct {
    size_t size;
    Bytes narrow;
    Bytes wide;
  } const rows[] = {{16378, "7f ff", "00 ff ff"}, {2097146, "7f ff ff", "00 ff ff ff"}};
  for (const auto& row : rows) {
    CAPTURE(row.size);
    const ListpackItems items = {std::string(row.size, 'x'), "end"};
    const std::string end = unhex("83") + "end" + unhex("04 ff");
    CHECK(written_listpack(items, Backlen::narrow).ends_with("x" + unhex(row.narrow) + end));
    CHECK(written_listpack(items, Backlen::wide).ends_with("x" + unhex(row.wide) + end));
    CHECK(listpack_items(written_listpack(items, Backlen::narrow)) == items);
    CHECK(listpack_items(written_listpack(items, Backlen::wide)) == items);
  }
}

TEST_CASE("listpack writer: what only looks like a number is a string") {
  for (const char* text :
       {"", "-", "-0", "+1", "01", "007", "1 ", " 1", "1.0", "1e3", "0x1", "--1", "1-1",
        "9223372036854775808", "-9223372036854775809", "99999999999999999999", "100000000000000000000"}) {
    CAPTURE(text);
    CHECK(written_listpack({text}) == ListpackBuilder().add_string(text).bytes());
  }
  const std::string with_nul("1\0", 2);
  CHECK(written_listpack({with_nul}) == ListpackBuilder().add_string(with_nul).bytes());
}

TEST_CASE("listpack writer: whole listpacks that servers wrote") {
  CHECK(hex(written_listpack({"f", "v", "n", "12"})) == "120000000400816602817602816e020c01ff");
  CHECK(hex(written_listpack({"c", "-3", "a", "1", "b", "3.5"})) ==
        "1a0000000600816302dffd02816102010181620283332e3504ff");
  CHECK(hex(written_listpack({"a", "2", "-3", "300"})) == "1200000004008161020201dffd02c12c02ff");
  CHECK(hex(written_listpack({"c", "3", "4102444800000", "b", "2", "4102444800123", "a", "1", "0"})) ==
        hex(unhex("2c000000 0900 816302 0301 f400d8c32cbb03000009 816202 0201 f47bd8c32cbb03000009"
                  "816102 0101 0001 ff")));
}

TEST_CASE("listpack writer: counts up to unknown") {
  for (const size_t count : {65534U, 65535U, 65536U, 70000U}) {
    CAPTURE(count);
    const ListpackItems items(count, "7");
    const std::string listpack = written_listpack(items);
    CHECK(hex(Bytes(listpack).substr(4, 2)) == (count == 65534 ? "feff" : "ffff"));
    CHECK(listpack_items(listpack) == items);
  }
}

TEST_CASE("listpack writer: behind what is in the buffer already") {
  ByteBuffer out;
  out.append(Bytes("before"));
  for (const char* item : {"first", "second"}) {
    const size_t begin = out.size();
    ListpackWriter writer(out, Backlen::narrow);
    CHECK(writer.size() == 7);
    writer.add(item);
    writer.finish();
    CHECK(listpack_items(out.bytes().substr(begin)) == ListpackItems{item});
  }
  CHECK(out.bytes().starts_with("before"));
}

TEST_CASE("listpack writer: many items as the builder makes them") {
  std::mt19937 random(3);
  for (int round = 0; round < 40; ++round) {
    ListpackItems items;
    ListpackBuilder builder;
    for (size_t left = random() % 200; left > 0; --left) {
      const auto bits = static_cast<int64_t>(random()) << 31 ^ static_cast<int64_t>(random());
      items.push_back(random() % 2 == 0 ? std::to_string((bits >> (random() % 62)) * (random() % 2 ? 1 : -1))
                                        : noise(random() % 300, static_cast<uint32_t>(random())));
      builder.add(items.back());
    }
    CHECK(written_listpack(items) == builder.bytes());
    CHECK(listpack_items(written_listpack(items)) == items);
  }
}
