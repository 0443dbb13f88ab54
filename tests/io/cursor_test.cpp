// The cursor: reading, failing with a place and a noun, crossing windows, going back.
#include "io/cursor.hpp"

#include <doctest/doctest.h>

#include "io/block_source.hpp"
#include "io/sources.hpp"
#include "support/bytes_builder.hpp"
#include "support/files.hpp"

using namespace persist;
using namespace persist::test;

namespace {

// What the reading throws: id, place, sentence.
template <typename Read>
std::string failure(Read read) {
  try {
    read();
  } catch (const FormatError& error) {
    const Finding& finding = error.finding;
    return std::string(finding.kind().id) + " " + std::to_string(finding.extent.offset) + "+" +
           std::to_string(finding.extent.size) + " " + finding.message();
  }
  return "nothing";
}

template <typename Read>
std::string failure_over(Bytes bytes, Read read) {
  Scratch scratch;
  Cursor in(bytes, 100, scratch);
  return failure([&] { read(in); });
}

struct LengthRow {
  Bytes bytes;
  uint64_t value;
  bool is_long;
};
constexpr LengthRow kLengths[] = {
    {"00", 0, false},
    {"3f", 63, false},
    {"40 40", 64, false},
    {"7f ff", 16383, false},
    {"40 00", 0, false},
    {"80 00 00 40 00", 16384, false},
    {"80 ff ff ff ff", 0xffffffff, false},
    {"81 00 00 00 01 00 00 00 00", uint64_t{1} << 32, true},
    {"81 80 00 00 00 00 00 00 00", uint64_t{1} << 63, true},
    {"81 ff ff ff ff ff ff ff ff", ~uint64_t{0}, true},
};

}  // namespace

TEST_CASE("cursor: numbers") {
  Scratch scratch;
  const std::string bytes = unhex("01  0203  04050607  0807060504030201  61626364");
  Cursor in(bytes, 0, scratch);
  CHECK(in.u8("x") == 1);
  CHECK(in.le<uint16_t>("x") == 0x0302);
  CHECK(in.be<uint32_t>("x") == 0x04050607);
  CHECK(in.le<int64_t>("x") == 0x0102030405060708);
  CHECK(in.take(2, "x") == "ab");
  CHECK(in.offset() == 17);
  CHECK(in.remaining() == 2);
  in.skip(2, "x");
  CHECK(in.at_end());
}

TEST_CASE("cursor: lengths of every form") {
  for (const LengthRow& row : kLengths) {
    CAPTURE(row.bytes);
    Scratch scratch;
    const std::string bytes = unhex(row.bytes);
    Cursor in(bytes, 0, scratch);
    CHECK(in.length("x") == row.value);
    CHECK(in.saw_long_length() == row.is_long);
    CHECK(in.at_end());
  }
}

TEST_CASE("cursor: bytes that begin no length") {
  for (int first = 0x82; first <= 0xff; ++first) {
    const std::string bytes = static_cast<char>(first) + std::string(9, '\0');
    CHECK(failure_over(bytes, [](Cursor& in) { in.length("item count"); }) ==
          "rdb.bad-length 100+1 item count: expected a length, found byte 0x" + hex(bytes.substr(0, 1)));
  }
}

TEST_CASE("cursor: truncation names what was being read") {
  CHECK(failure_over("", [](Cursor& in) { in.u8("type code"); }) ==
        "rdb.truncated 100+0 type code: expected 1 byte, found the end of the file");
  CHECK(failure_over("abc", [](Cursor& in) { in.le<uint64_t>("checksum"); }) ==
        "rdb.truncated 100+3 checksum: expected 8 bytes, found 3 bytes before the end of the file");
  CHECK(failure_over("abc", [](Cursor& in) { in.take(4, "key"); }) ==
        "rdb.truncated 100+3 key: expected 4 bytes, found 3 bytes before the end of the file");
  CHECK(failure_over("abc", [](Cursor& in) { in.skip(4, "key"); }) ==
        "rdb.truncated 100+3 key: expected 4 bytes, found 3 bytes before the end of the file");
  CHECK(failure_over("a", [](Cursor& in) { in.take(~uint64_t{0}, "key"); }) ==
        "rdb.truncated 100+1 key: expected 18446744073709551615 bytes, found 1 byte before the end of the "
        "file");
  CHECK(failure_over(unhex("80 01"), [](Cursor& in) { in.length("key"); }) ==
        "rdb.truncated 101+1 key: expected 4 bytes, found 1 byte before the end of the file");
}

TEST_CASE("cursor: counts that the rest cannot hold") {
  CHECK(failure_over(unhex("03 61 61"), [](Cursor& in) { in.count("items"); }) ==
        "rdb.length-overrun 100+1 items: expected at most 2, found 3");
  CHECK(failure_over(unhex("02 61 61"), [](Cursor& in) { CHECK(in.count("items") == 2); }) == "nothing");
  CHECK(failure_over(unhex("02 61 61 61"), [](Cursor& in) { in.count("pairs", 2); }) ==
        "rdb.length-overrun 100+1 pairs: expected at most 1, found 2");
  CHECK(failure_over(long_length(uint64_t{1} << 63), [](Cursor& in) { in.count("items", 2); }) ==
        "rdb.length-overrun 100+9 items: expected at most 0, found 9223372036854775808");
}

TEST_CASE("cursor: a failure shows the bytes around its place") {
  Scratch scratch;
  const std::string bytes = noise(100);
  Cursor in(bytes, 1000, scratch);
  in.skip(50, "x");
  try {
    in.fail(FindingCode::rdb_bad_string, {1050, 1}, "x", "", "");
  } catch (const FormatError& error) {
    CHECK(error.finding.context_offset == 1042);
    CHECK(error.finding.context == Bytes(bytes).substr(42, 16));
  }
  try {
    in.fail(FindingCode::rdb_bad_string, {1003, 1}, "x", "", "");
  } catch (const FormatError& error) {
    CHECK(error.finding.context_offset == 1000);
    CHECK(error.finding.context == Bytes(bytes).substr(0, 16));
  }
}

namespace {

// What a walk over records of growing size must see, whatever the source.
std::string records_of(size_t count) {
  std::string bytes;
  for (size_t i = 0; i < count; ++i)
    bytes += length(i * 37 % 9000) + noise(i * 37 % 9000, static_cast<uint32_t>(i));
  return bytes;
}

void walk_records(ByteSource& source, size_t count) {
  Scratch scratch;
  Checksum checksum;
  Cursor in(source, 0, scratch, &checksum);
  uint64_t offset = 0;
  for (size_t i = 0; i < count; ++i) {
    const size_t size = i * 37 % 9000;
    in.begin_record();
    REQUIRE(in.offset() == offset);
    REQUIRE(in.count("size") == size);
    const Bytes record = in.take(size, "record");
    REQUIRE(record == noise(size, static_cast<uint32_t>(i)));
    // Back to its beginning, and over it once more by skipping.
    in.seek(in.record_offset());
    in.skip(in.length("size"), "record");
    offset = in.offset();
  }
  CHECK(in.at_end());
  in.settle_checksum();
  CHECK(checksum.value == crc64(0, records_of(count)));
}

}  // namespace

TEST_CASE("cursor: records that straddle windows, from a file, a pipe and a packed file") {
  constexpr size_t kCount = 700;  // about 3 MiB
  const std::string bytes = records_of(kCount);
  REQUIRE(bytes.size() > 5 * kWindowBytes);
  const TempFolder folder;
  walk_records(*memory_source(bytes), kCount);
  walk_records(*open_source(folder.file("data", bytes)), kCount);
  walk_records(*open_source(folder.file("data.gz", gzip_of(bytes))), kCount);
  PipedSource pipe(bytes);
  walk_records(pipe.source(), kCount);
}

namespace {

// One record of many items, larger than any window: every item is seen, and what was pinned stays.
void walk_large(ByteSource& source, const std::string& bytes) {
  Scratch scratch;
  Checksum checksum;
  Cursor in(source, 0, scratch, &checksum);
  in.begin_record();
  const Bytes name = in.take(8, "name");
  in.pin();
  const uint64_t items_at = in.offset();
  for (int round = 0; round < 2; ++round) {
    while (in.offset() < bytes.size()) {
      const Bytes item = in.take(1000, "item");
      REQUIRE(item == Bytes(bytes).substr(in.offset() - 1000, 1000));
      in.release();
    }
    REQUIRE(name == Bytes(bytes).substr(0, 8));
    in.seek(items_at);
  }
  in.skip(bytes.size() - 8, "items");
  in.settle_checksum();
  CHECK(checksum.value == crc64(0, bytes));
}

}  // namespace

TEST_CASE("cursor: a record larger than windows, walked twice, from a file and a pipe") {
  const std::string bytes = noise(8 + 4'000'000);
  const TempFolder folder;
  walk_large(*open_source(folder.file("data", bytes)), bytes);
  PipedSource pipe(bytes);
  walk_large(pipe.source(), bytes);
}

TEST_CASE("cursor: hostile lengths over a pipe end in truncation, not in memory") {
  const std::string bytes = noise(100'000);
  for (const uint64_t size : {uint64_t{100'001}, uint64_t{1} << 40, uint64_t{1} << 63, ~uint64_t{0}}) {
    CAPTURE(size);
    PipedSource taken(bytes);
    Scratch scratch;
    Cursor in(taken.source(), 0, scratch);
    in.begin_record();
    in.skip(10, "x");
    CHECK(failure([&] { in.take(size, "key"); }) ==
          "rdb.truncated 10+99990 key: expected " + std::to_string(size) +
              " bytes, found 99990 bytes before the end of the file");
    PipedSource skipped(bytes);
    Cursor other(skipped.source(), 0, scratch);
    other.begin_record();
    CHECK(failure([&] { other.skip(size, "key"); }).starts_with("rdb.truncated 100000+0 key"));
  }
}

TEST_CASE("cursor: hostile lengths over a file are refused before reading") {
  const TempFolder folder;
  const auto source = open_source(folder.file("data", noise(1000)));
  Scratch scratch;
  Cursor in(*source, 0, scratch);
  for (const uint64_t size : {uint64_t{1001}, uint64_t{1} << 63, ~uint64_t{0}}) {
    CAPTURE(size);
    CHECK(failure([&] { in.take(size, "key"); }).starts_with("rdb.truncated 0+1000 key"));
    CHECK(failure([&] { in.skip(size, "key"); }).starts_with("rdb.truncated 0+1000 key"));
  }
}

TEST_CASE("scratch: memory stays where it is until it is given back") {
  Scratch scratch;
  std::vector<std::pair<char*, size_t>> taken;
  for (size_t i = 0; i < 200; ++i) {
    const size_t size = i * i * 7 % 50'000;
    char* room = scratch.take(size);
    CHECK(reinterpret_cast<uintptr_t>(room) % 16 == 0);
    std::fill_n(room, size + Scratch::kSlack, static_cast<char>(i));
    taken.emplace_back(room, size);
  }
  for (size_t i = 0; i < taken.size(); ++i)
    CHECK(Bytes(taken[i].first, taken[i].second) == std::string(taken[i].second, static_cast<char>(i)));
  const Scratch::Mark mark = scratch.mark();
  const char* again = scratch.take(10);
  scratch.rewind(mark);
  CHECK(scratch.take(10) == again);
  scratch.reset();
  CHECK(scratch.take(1) == taken[0].first);
}

TEST_CASE("scratch: a list grows and keeps what it has") {
  Scratch scratch;
  ScratchList<uint64_t> list(scratch);
  CHECK(list.items().empty());
  for (uint64_t i = 0; i < 10'000; ++i) list.push(i * i);
  REQUIRE(list.items().size() == 10'000);
  for (uint64_t i = 0; i < 10'000; ++i) REQUIRE(list.items()[i] == i * i);
  list.clear();
  CHECK(list.items().empty());
}
