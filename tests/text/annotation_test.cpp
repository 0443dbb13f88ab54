// Annotated records: place, size, what it is, and the bytes.
#include <doctest/doctest.h>

#include "support/rdb_builder.hpp"
#include "support/samples.hpp"
#include "support/verbs.hpp"

using namespace persist;
using namespace persist::test;

namespace {

std::string annotated(Bytes file, size_t bytes) {
  DumpOptions options;
  options.annotate = true;
  options.annotate_bytes = bytes;
  return dump(file, options).text;
}

// The bytes that the hexadecimal columns show.
std::string shown_bytes(const std::string& line) {
  const size_t columns = line.find("  ", 4) + 2;
  return unhex(Bytes(line).substr(columns, line.rfind("  |") - columns));
}

}  // namespace

TEST_CASE("annotation: one line a record, then its bytes") {
  const std::string file = RdbBuilder(redis, 11).select(0).expire_ms(1).string("k", "v\n").eof();
  CHECK(
      annotated(file, 32) ==
      "0x00000000 size 9 header redis version 11\n"
      "    0x00000000  52 45 44 49 53 30 30 31 31                       |REDIS0011|\n"
      "0x00000009 size 2 selectdb 0\n"
      "    0x00000009  fe 00                                            |..|\n"
      "0x0000000b size 15 string db 0 key \"k\" expire_at_ms 1 elements 1\n"
      "    0x0000000b  fc 01 00 00 00 00 00 00 00 00 01 6b 02 76 0a     |...........k.v.|\n"
      "0x0000001a size 9 eof checksum good\n"
      "    0x0000001a  ff " +
          [&] {
            std::string text;
            for (const char c : file.substr(file.size() - 8)) text += hex(std::string(1, c)) + " ";
            return text.substr(0, text.size() - 1);
          }() +
          "                       |" +
          [&] {
            std::string text = ".";
            for (const char c : file.substr(file.size() - 8)) text += c >= ' ' && c <= '~' ? c : '.';
            return text;
          }() +
          "|\n");
}

TEST_CASE("annotation: all the bytes of every sample, in order") {
  for (const Sample& sample : samples()) {
    CAPTURE(sample.name);
    std::string bytes;
    for (const std::string& line : split_lines(annotated(sample.file, 1'000'000))) {
      if (line.starts_with("    0x")) bytes += shown_bytes(line);
    }
    CHECK(hex(bytes) == hex(sample.file));
  }
}

TEST_CASE("annotation: no more bytes than asked for") {
  const std::string text = annotated(RdbBuilder(redis, 11).string("k", std::string(100, 'x')).eof(), 4);
  CHECK(text.find("    0x00000009  00 01 6b 40                                      |..k@|\n") !=
        std::string::npos);
  CHECK(text.find("    ... 101 more bytes\n") != std::string::npos);
  CHECK(annotated(RdbBuilder(redis, 11).string("k", "v").eof(), 0).find("    ") == std::string::npos);
}
