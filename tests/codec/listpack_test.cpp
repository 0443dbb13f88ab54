// Listpacks: every encoding, both dialects of backlen, every way to be wrong.
#include "codec/listpack.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <vector>

#include "support/blob_builders.hpp"

using namespace persist;
using namespace persist::test;

namespace {

struct Outcome {
  std::vector<std::string> items;
  std::string finding;  // its id, and where
};

Outcome read(Bytes bytes, uint64_t offset = 0, bool inflated = false) {
  Outcome outcome;
  try {
    ListpackReader reader(Blob{bytes, offset, inflated});
    PackedItem item;
    ItemText text;
    while (reader.next(item)) outcome.items.emplace_back(item.as_text(text));
    CHECK_FALSE(reader.more());
  } catch (const FormatError& error) {
    outcome.finding =
        std::string(error.finding.kind().id) + " at " + std::to_string(error.finding.extent.offset);
  }
  return outcome;
}

std::string only_item(Bytes bytes) {
  const Outcome outcome = read(bytes);
  CHECK(outcome.finding.empty());
  REQUIRE(outcome.items.size() == 1);
  return outcome.items.front();
}

struct Encoded {
  int64_t number;
  Bytes bytes;  // of the entry, backlen included
};

// man/persist-rdb.5, LISTPACK
constexpr Encoded kNumbers[] = {
    {0, "00 01"},
    {127, "7f 01"},
    {128, "c0 80 02"},
    {-1, "df ff 02"},
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
    {2147483647, "f3 ff ff ff 7f 05"},
    {std::numeric_limits<int32_t>::min(), "f3 00 00 00 80 05"},
    {2147483648, "f4 00 00 00 80 00 00 00 00 09"},
    {std::numeric_limits<int64_t>::min(), "f4 00 00 00 00 00 00 00 80 09"},
    {std::numeric_limits<int64_t>::max(), "f4 ff ff ff ff ff ff ff 7f 09"},
};

}  // namespace

TEST_CASE("listpack: empty") {
  CHECK(read(unhex("07 00 00 00 00 00 ff")).items.empty());
  CHECK(read(unhex("07 00 00 00 00 00 ff")).finding.empty());
  CHECK(ListpackBuilder().bytes() == unhex("07 00 00 00 00 00 ff"));
}

TEST_CASE("listpack: integers of every width, at their limits") {
  for (const Encoded& row : kNumbers) {
    CAPTURE(row.number);
    const std::string text = std::to_string(row.number);
    CHECK(only_item(ListpackBuilder().raw(unhex(row.bytes), 1).bytes()) == text);
    CHECK(hex(ListpackBuilder().add(text).bytes().substr(6)) == hex(unhex(row.bytes)) + "ff");
  }
}

TEST_CASE("listpack: strings of every header, at their limits") {
  for (const size_t size : {0U, 1U, 63U, 64U, 125U, 126U, 127U, 128U, 4095U, 4096U, 16377U, 16379U, 70000U}) {
    CAPTURE(size);
    const std::string text = noise(size, static_cast<uint32_t>(size));
    CHECK(only_item(ListpackBuilder().add_string(text).bytes()) == text);
  }
  CHECK(hex(ListpackBuilder().add("a").bytes().substr(6)) == "816102ff");
  CHECK(ListpackBuilder().add(std::string(4095, 'x')).bytes().ends_with(unhex("20 81 ff")));
  CHECK(ListpackBuilder().add(std::string(4096, 'x')).bytes().ends_with(unhex("20 85 ff")));
}

TEST_CASE("listpack: digits stored as a string are the same text") {
  CHECK(only_item(ListpackBuilder().add_string("12").bytes()) == "12");
  CHECK(only_item(ListpackBuilder().add_string("007").bytes()) == "007");
}

TEST_CASE("listpack: backlens of the boundary sizes in both dialects") {
  for (const size_t size : {16378U, 2097146U}) {
    CAPTURE(size);
    const std::string text(size, 'x');
    const std::string narrow = ListpackBuilder().add(text).add("end").bytes();
    const std::string wide = ListpackBuilder().wide().add(text).add("end").bytes();
    CHECK(wide.size() == narrow.size() + 1);
    CHECK(read(narrow).items == std::vector<std::string>{text, "end"});
    CHECK(read(wide).items == std::vector<std::string>{text, "end"});
    CHECK(read(ListpackBuilder().wide().add(text).bytes()).items == std::vector<std::string>{text});
  }
}

TEST_CASE("listpack: sizes beside the boundary have one form only") {
  for (const size_t size : {16377U, 16379U}) {
    CAPTURE(size);
    const std::string wider = '\0' + listpack_backlen(size + 5);
    std::string padded = wider;
    padded[1] = static_cast<char>(padded[1] | 0x80);
    const std::string bytes = ListpackBuilder().next_backlen(padded).add(std::string(size, 'x')).bytes();
    CHECK(read(bytes).finding == "listpack.backlen-mismatch at " + std::to_string(6 + size + 5));
  }
}

TEST_CASE("listpack: backlens that are not the size") {
  CHECK(read(ListpackBuilder().add("a").next_backlen("\x03").add("b").bytes()).finding ==
        "listpack.backlen-mismatch at 11");
  const std::string text(200, 'x');
  CHECK(read(ListpackBuilder().next_backlen(unhex("01 cb")).add(text).bytes()).finding ==
        "listpack.backlen-mismatch at 208");
  CHECK(read(ListpackBuilder().next_backlen(unhex("01 4a")).add(text).bytes()).finding ==
        "listpack.backlen-mismatch at 208");
  CHECK(read(ListpackBuilder().add(text).bytes()).finding.empty());
}

TEST_CASE("listpack: an unknown count is none to be held to") {
  ListpackBuilder builder;
  builder.count(0xffff);
  CHECK(read(builder.bytes()).finding.empty());
  for (int i = 0; i < 70000; ++i) builder.add_number(i & 1);
  CHECK(read(builder.bytes()).items.size() == 70000);
}

TEST_CASE("listpack: frames that are wrong") {
  CHECK(read("").finding == "listpack.size-mismatch at 0");
  CHECK(read(unhex("06 00 00 00 00 00")).finding == "listpack.size-mismatch at 0");
  CHECK(read(ListpackBuilder().add("a").total(9).bytes()).finding == "listpack.size-mismatch at 0");
  CHECK(read(ListpackBuilder().add("a").total(11).bytes()).finding == "listpack.size-mismatch at 0");
  CHECK(read(ListpackBuilder().add("a").end_mark(0xfe).bytes()).finding == "listpack.size-mismatch at 9");
  CHECK(read(ListpackBuilder().add("a").count(2).bytes()).finding == "listpack.count-mismatch at 4");
  CHECK(read(ListpackBuilder().add("a").count(0).bytes()).finding == "listpack.count-mismatch at 4");
}

TEST_CASE("listpack: encodings that do not exist") {
  for (int first = 0xf5; first <= 0xff; ++first) {
    CAPTURE(first);
    const std::string byte(1, static_cast<char>(first));
    CHECK(read(ListpackBuilder().add("a").raw(byte + "\x01", 1).bytes()).finding ==
          "listpack.bad-entry at 9");
  }
}

TEST_CASE("listpack: entries that leave it") {
  // Headers cut short, data cut short, backlens cut short; with nothing behind but the end mark.
  for (Bytes entry :
       {"80", "82 61", "c0", "e0", "e0 02 61", "f0 ff ff ff", "f0 ff ff ff ff 61", "f1 01", "f2 01 02",
        "f3 01 02 03", "f4 01 02 03 04 05 06 07", "00", "81 61", "f4 00 00 00 00 00 00 00 00"}) {
    CAPTURE(entry);
    const std::string bytes = ListpackBuilder().add("a").raw(unhex(entry), 1).bytes();
    CHECK(read(bytes).finding == "listpack.length-overrun at 9");
    CHECK(read(bytes).items == std::vector<std::string>{"a"});
  }
}

TEST_CASE("listpack: places are those of the file, or of the inflated string") {
  const std::string bytes = ListpackBuilder().add("a").raw("\xf9\x01", 1).bytes();
  CHECK(read(bytes, 1000).finding == "listpack.bad-entry at 1009");
  try {
    ListpackReader reader(Blob{bytes, 1000, true});
    PackedItem item;
    while (reader.next(item)) {
    }
    FAIL("nothing was found");
  } catch (const FormatError& error) {
    CHECK(error.finding.extent == Extent{1000, 0});
    CHECK(error.finding.inflated_offset == 9);
    CHECK(error.finding.context_offset == 1);
    CHECK(error.finding.context == Bytes(bytes).substr(1, 16));
  }
}
