// Carving where little is believed: commands that say nothing, files that read on into others, captures that
// are none. Times are not measured: what takes too long here takes minutes.
#include <doctest/doctest.h>

#include "persist/carve.hpp"
#include "support/aof_builder.hpp"
#include "support/rdb_builder.hpp"

namespace persist::test {

namespace {

std::vector<Carved> carved_dry(Bytes image) {
  CarveOptions options;
  options.dry_run = true;
  return carve(*memory_source(image), "", options).found;
}

std::string times(size_t count, const std::string& piece) {
  std::string text;
  for (size_t i = 0; i < count; ++i) text += piece;
  return text;
}

std::string one_key_rdb() {
  return RdbBuilder(redis, 11).aux("redis-ver", "7.2.6").select(0).string("k", "v").eof();
}

}  // namespace

TEST_CASE("commands that only read are passed, and what stands among them is found") {
  const std::string reads = times(100'000, resp("GET key"));
  CHECK(carved_dry(reads).empty());
  CHECK(carved_dry(times(500, times(200, "#TS:1\r\n") + resp("PING"))).empty());

  const std::string log = times(5, resp("SET a b"));
  const std::string inside = "*2\r\n$4\r\nECHO\r\n$" + std::to_string(log.size()) + "\r\n" + log + "\r\n";
  const std::vector<Carved> found = carved_dry(reads + inside + reads);
  REQUIRE(found.size() == 1);
  CHECK(found[0].kind == CarvedKind::log);
  CHECK(found[0].extent.offset == reads.size() + inside.find(log));
  CHECK(found[0].commands == 5);
}

TEST_CASE("what stands in a file whose checksum is bad does not hide the file behind it") {
  // It reads on far behind the file that it stands in.
  const std::string torn =
      RdbBuilder(redis, 11).aux("redis-ver", "7.2.6").select(0).string("k", "v").bytes() +
      std::string("\0\1x\x7f\xff", 5);
  std::string outer = RdbBuilder(redis, 11).select(0).string("value", torn).string("z", "y").eof();
  outer.back() = static_cast<char>(outer.back() ^ 1);
  const std::string sound = one_key_rdb();
  const std::vector<Carved> found =
      carved_dry(outer + std::string(50, 'U') + sound + std::string(20'000, 'U'));
  REQUIRE(found.size() == 2);
  CHECK(found[0].checksum == ChecksumState::bad);
  CHECK(found[0].extent == Extent{0, outer.size()});
  CHECK(found[1].extent == Extent{outer.size() + 50, sound.size()});
  CHECK(found[1].whole);
}

TEST_CASE("what only begins like a capture is looked through as it is") {
  const std::string head("\xd4\xc3\xb2\xa1\2\0\4\0\0\0\0\0\0\0\0\0\0\0\4\0\x69\0\0\0",
                         24);  // of a link unknown here

  CarveOptions options;
  options.dry_run = true;
  const CarveSummary summary = carve(*memory_source(head + one_key_rdb()), "", options);
  CHECK_FALSE(summary.is_capture);
  REQUIRE(summary.found.size() == 1);
  CHECK(summary.found[0].extent.offset == head.size());
}

}  // namespace persist::test
