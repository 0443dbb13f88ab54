// The checksum against its published vectors.
#include "base/crc64.hpp"

#include <doctest/doctest.h>

#include "support/rdb_builder.hpp"

using namespace persist;
using namespace persist::test;

namespace {

// The definition, bit by bit.
uint64_t crc64_by_bits(Bytes bytes) {
  constexpr uint64_t kPolynomial = 0x95ac9329ac4bc9b5;
  uint64_t crc = 0;
  for (const char c : bytes) {
    crc ^= static_cast<uint8_t>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1) != 0 ? (crc >> 1) ^ kPolynomial : crc >> 1;
  }
  return crc;
}

struct EmptyFile {
  Dialect dialect;
  unsigned version;
  Bytes behind_header;
};

// man/persist-rdb.5, CHECKSUM
constexpr EmptyFile kEmptyFiles[] = {
    {redis, 1, "ff"},
    {redis, 2, "ff"},
    {redis, 6, "ff dc b3 43 f0 5a dc f2 56"},
    {redis, 9, "ff 9a ac 7a bc fb 0f ad 74"},
    {redis, 10, "ff a9 fd 37 fe 89 a7 7e eb"},
    {redis, 11, "ff c0 22 8a 8d 74 38 97 62"},
    {redis, 12, "ff 10 d0 db 41 20 be f4 d3"},
    {redis, 13, "ff 79 0f 66 32 dd 21 1d 5a"},
    {redis, 14, "ff db a6 ef 81 da 94 6a 9a"},
    {valkey, 80, "ff 43 9d a4 8f c1 80 6c 23"},
};

}  // namespace

TEST_CASE("crc64: the check value") {
  CHECK(crc64(0, "123456789") == 0xe9c6d914c4b8d9ca);
  CHECK(crc64(0, "") == 0);
  CHECK(crc64(0, Bytes("\x01", 1)) == 0x7ad870c830358979);
}

TEST_CASE("crc64: the empty files of every version") {
  for (const EmptyFile& row : kEmptyFiles) {
    CAPTURE(row.version);
    CHECK(hex(RdbBuilder(row.dialect, row.version).eof().substr(9)) == hex(unhex(row.behind_header)));
  }
}

TEST_CASE("crc64: any length, in any pieces, equals the definition") {
  const std::string bytes = noise(1500);
  for (size_t size = 0; size < 300; ++size) {
    const Bytes part = Bytes(bytes).substr(size / 7, size);
    CAPTURE(size);
    REQUIRE(crc64(0, part) == crc64_by_bits(part));
  }
  for (size_t cut = 0; cut <= bytes.size(); cut += 37)
    CHECK(crc64(crc64(0, Bytes(bytes).substr(0, cut)), Bytes(bytes).substr(cut)) == crc64_by_bits(bytes));
}

TEST_CASE("Checksum: bytes seen twice count once") {
  const std::string bytes = noise(1000);
  const Bytes all(bytes);
  Checksum checksum{0, 100};  // the file's first byte is at offset 100
  checksum.extend(all.substr(0, 400), 100);
  CHECK(checksum.upto == 500);
  checksum.extend(all.substr(300, 300), 400);  // overlaps by 100
  CHECK(checksum.upto == 700);
  checksum.extend(all.substr(0, 600), 100);  // nothing new
  checksum.extend(all.substr(200, 100), 300);
  checksum.extend({}, 700);
  CHECK(checksum.upto == 700);
  CHECK(checksum.value == crc64_by_bits(all.substr(0, 600)));
  checksum.extend(all.substr(600), 700);
  CHECK(checksum.upto == 1100);
  CHECK(checksum.value == crc64_by_bits(all));
}

TEST_CASE("Checksum: bytes behind a gap are not taken in") {
  Checksum checksum;
  checksum.extend("abc", 0);
  const uint64_t before = checksum.value;
  checksum.extend("xyz", 4);
  CHECK(checksum.upto == 3);
  CHECK(checksum.value == before);
}
