// Zipmaps and intsets: legal ones at their limits, and every way to be wrong.
#include <doctest/doctest.h>

#include <limits>

#include "codec/intset.hpp"
#include "codec/zipmap.hpp"
#include "support/blob_builders.hpp"
#include "support/notation.hpp"

using namespace persist;
using namespace persist::test;

namespace {

std::string failure(const FormatError& error) {
  return std::string(error.finding.kind().id) + " at " + std::to_string(error.finding.extent.offset);
}

// The pairs, or what is wrong.
std::string zipmap(Bytes bytes) {
  std::string told;
  try {
    ZipmapReader reader(Blob{bytes, 0, false});
    Bytes field;
    Bytes value;
    while (reader.next(field, value)) told += shown(field) + "=" + shown(value) + " ";
  } catch (const FormatError& error) {
    return failure(error);
  }
  return told;
}

std::string intset(Bytes bytes) {
  std::string told;
  try {
    IntsetReader reader(Blob{bytes, 0, false});
    for (int64_t number = 0; reader.next(number);) told += std::to_string(number) + " ";
  } catch (const FormatError& error) {
    return failure(error);
  }
  return told;
}

}  // namespace

TEST_CASE("zipmap: empty, pairs, free bytes") {
  CHECK(zipmap(ZipmapBuilder().bytes()).empty());
  CHECK(zipmap(ZipmapBuilder().add("f", "v").add("n", "12", 4).add("", "").bytes()) == "f=v n=12 \"\"=\"\" ");
  CHECK(zipmap(ZipmapBuilder().long_lengths().add("f", "v", 255).add("g", "w").bytes()) == "f=v g=w ");
}

TEST_CASE("zipmap: 253 is an ordinary length, 254 the escape") {
  for (const size_t size : {252U, 253U, 254U, 255U, 256U, 70000U}) {
    CAPTURE(size);
    const std::string text(size, 'x');
    CHECK(zipmap(ZipmapBuilder().add(text, text).add("g", "w").bytes()) == text + "=" + text + " g=w ");
  }
  CHECK(ZipmapBuilder().add(std::string(253, 'x'), "v").bytes()[1] == '\xfd');
}

TEST_CASE("zipmap: counts") {
  ZipmapBuilder builder;
  for (int i = 0; i < 300; ++i) builder.add(std::to_string(i), "v");
  CHECK(zipmap(builder.bytes()).ends_with("299=v "));
  CHECK(zipmap(ZipmapBuilder().add("f", "v").count(254).bytes()) == "f=v ");
  CHECK(zipmap(ZipmapBuilder().add("f", "v").count(255).bytes()) == "f=v ");
  CHECK(zipmap(ZipmapBuilder().add("f", "v").count(253).bytes()) == "zipmap.count-mismatch at 0");
  CHECK(zipmap(ZipmapBuilder().add("f", "v").count(0).bytes()) == "zipmap.count-mismatch at 0");
}

TEST_CASE("zipmap: ends that are wrong") {
  CHECK(zipmap("") == "zipmap.damaged at 0");
  CHECK(zipmap(Bytes("\0", 1)) == "zipmap.damaged at 0");
  CHECK(zipmap(ZipmapBuilder().add("f", "v").end("").bytes()).starts_with("zipmap.damaged at 6"));
  CHECK(zipmap(ZipmapBuilder().add("f", "v").end("\xff\xff").bytes()) == "zipmap.damaged at 6");
}

TEST_CASE("zipmap: pairs that leave it") {
  for (Bytes pair : {"01", "01 66", "01 66 01", "01 66 01 00", "01 66 01 01 76", "05 66", "fe 00 00 00",
                     "fe ff ff ff ff 66", "01 66 fe ff ff ff ff 00 76", "01 66 ff 00"}) {
    CAPTURE(pair);
    CHECK(zipmap(ZipmapBuilder().raw(unhex(pair)).end("").count(1).bytes()).starts_with("zipmap.damaged"));
  }
}

TEST_CASE("intset: all widths, limits") {
  CHECK(intset(IntsetBuilder(2).add(-32768).add(0).add(32767).bytes()) == "-32768 0 32767 ");
  CHECK(intset(IntsetBuilder(4).add(-2147483648LL).add(2147483647).bytes()) == "-2147483648 2147483647 ");
  CHECK(intset(IntsetBuilder(8)
                   .add(std::numeric_limits<int64_t>::min())
                   .add(std::numeric_limits<int64_t>::max())
                   .bytes()) == "-9223372036854775808 9223372036854775807 ");
}

TEST_CASE("intset: width, count and size must agree") {
  CHECK(intset("") == "intset.size-mismatch at 0");
  CHECK(intset(unhex("02000000 010000")) == "intset.size-mismatch at 0");
  for (const uint32_t width : {0U, 1U, 3U, 16U, ~0U})
    CHECK(intset(IntsetBuilder(2).add(1).width(width).bytes()) == "intset.size-mismatch at 0");
  CHECK(intset(IntsetBuilder(2).add(1).count(2).bytes()) == "intset.size-mismatch at 4");
  CHECK(intset(IntsetBuilder(2).add(1).count(0).bytes()) == "intset.size-mismatch at 4");
  CHECK(intset(IntsetBuilder(2).add(1).count(~0U).bytes()) == "intset.size-mismatch at 4");
  CHECK(intset(IntsetBuilder(2).add(1).bytes() + "x") == "intset.size-mismatch at 4");
  CHECK(intset(IntsetBuilder(8).bytes()) == "intset.empty at 4");
}

TEST_CASE("intset: must ascend") {
  CHECK(intset(IntsetBuilder(2).add(2).add(1).bytes()) == "intset.unsorted at 10");
  CHECK(intset(IntsetBuilder(4).add(1).add(2).add(2).bytes()) == "intset.unsorted at 16");
}
