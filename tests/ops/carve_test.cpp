// carve: what is found in any bytes, where it begins and ends, what is written of it, and what is not taken
// for a find.
#include "persist/carve.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cerrno>

#include "io/capture.hpp"
#include "support/aof_builder.hpp"
#include "support/bytes_builder.hpp"
#include "support/capture_builder.hpp"
#include "support/drip_source.hpp"
#include "support/files.hpp"
#include "support/rdb_builder.hpp"
#include "support/samples.hpp"
#include "support/verbs.hpp"

using namespace persist;
using namespace persist::test;

namespace {

CarveOptions only_looking() {
  CarveOptions options;
  options.dry_run = true;
  return options;
}

std::vector<Carved> carved_of(Bytes image, const CarveOptions& options = only_looking()) {
  CarveSummary summary = carve(*memory_source(image), "", options);
  CHECK(summary.found_in_all == summary.found.size());
  return std::move(summary.found);
}

// "rdb 5+120 whole", "log 200+31/20 aof.truncated-tail": kind, offset, size, and how much of it is whole.
std::string line_of(const Carved& carved) {
  std::string line(carved_kind_name(carved.kind));
  line += " " + std::to_string(carved.extent.offset) + "+" + std::to_string(carved.extent.size);
  if (carved.whole_bytes != carved.extent.size) line += "/" + std::to_string(carved.whole_bytes);
  CHECK(carved.whole == !carved.why.has_value());
  return line + " " + (carved.why ? std::string(finding_kind(*carved.why).id) : "whole");
}

std::string find_lines(const std::vector<Carved>& all) {
  std::string text;
  for (const Carved& carved : all) text += (text.empty() ? "" : "; ") + line_of(carved);
  return text;
}

std::string found_in(Bytes image, const CarveOptions& options = only_looking()) {
  return find_lines(carved_of(image, options));
}

std::string told_at(CarvedKind kind, size_t offset, size_t size) {
  return std::string(carved_kind_name(kind)) + " " + std::to_string(offset) + "+" + std::to_string(size);
}

std::string small_rdb(Bytes key = "key") {
  return RdbBuilder(redis, 11).aux("redis-ver", "7.2.6").select(0).string(key, "value").eof();
}

std::string small_log(size_t commands = 6) {
  AofBuilder log;
  log.command("SELECT 0");
  for (size_t i = 1; i < commands; ++i) log.command("SET key:" + std::to_string(i) + " value");
  return log.bytes();
}

struct CarveCase {
  std::string bytes;
  std::string expected;
};

const std::string kManifest =
    "file appendonly.aof.1.base.rdb seq 1 type b\nfile appendonly.aof.1.incr.aof seq 1 type i\n";

}  // namespace

TEST_CASE("what is whole is found, wherever it stands, and nothing else") {
  const std::string rdb = small_rdb();
  const std::string log = small_log();
  const std::string noise_before = noise(1000, 7);
  const std::string expected_rdb = told_at(CarvedKind::rdb, 1000, rdb.size()) + " whole";
  const std::string expected_log = told_at(CarvedKind::log, 1000, log.size()) + " whole";
  CHECK(found_in(noise_before + rdb + noise(1000, 8)) == expected_rdb);
  CHECK(found_in(noise_before + log + noise(1000, 8)) == expected_log);
  CHECK(found_in(noise_before + "\n" + kManifest + "\n\n") ==
        told_at(CarvedKind::manifest, 1001, kManifest.size()) + " whole");
  CHECK(found_in(rdb) == told_at(CarvedKind::rdb, 0, rdb.size()) + " whole");
  CHECK(found_in("") == "");
  CHECK(found_in(noise(100000, 3)) == "");
  CHECK(found_in(std::string(100000, '\0')) == "");
}

TEST_CASE("every sample is found whole between other bytes") {
  for (const Sample& sample : samples()) {
    if (check(sample.file).summary.errors > 0) continue;
    CAPTURE(sample.name);
    const std::vector<Carved> found = carved_of("xx" + sample.file + std::string(20, '\xf0'));
    REQUIRE(found.size() == 1);
    CHECK(found[0].extent == Extent{2, sample.file.size()});
    CHECK(found[0].whole);
    CHECK(found[0].header->dialect == sample.dialect);
  }
}

TEST_CASE("files that touch are told apart") {
  const std::string one = small_rdb("one");
  const std::string two = mixed_file(valkey);
  const std::string log = small_log();
  const std::string image = one + two + kManifest + kManifest + one;
  const std::vector<Carved> found = carved_of(image);
  REQUIRE(found.size() == 4);
  CHECK(found[0].extent == Extent{0, one.size()});
  CHECK(found[1].extent == Extent{one.size(), two.size()});
  CHECK(found[1].header->dialect == valkey);
  CHECK(found[2].kind == CarvedKind::manifest);
  CHECK(found[2].why == FindingCode::manifest_two_bases);  // nothing tells where the second begins
  CHECK(found[3].extent == Extent{image.size() - one.size(), one.size()});
  CHECK(found_in(log + one) == told_at(CarvedKind::log, 0, log.size()) + " whole; " +
                                   told_at(CarvedKind::rdb, log.size(), one.size()) + " whole");
}

TEST_CASE("commands behind RDB data belong to it, however few") {
  const std::string rdb = small_rdb();
  const std::string log = AofBuilder().time(1700000000).command("SET a b").bytes();
  const std::vector<Carved> found = carved_of("?" + rdb + log + "?");
  REQUIRE(found.size() == 1);
  CHECK(line_of(found[0]) == told_at(CarvedKind::preamble, 1, rdb.size() + log.size()) + " whole");
  CHECK(found[0].commands == 1);
  CHECK(found[0].keys == 1);
  CHECK(found[0].checksum == ChecksumState::good);
  // A torn one.
  const std::string torn = resp("SET key value").substr(0, 20);
  CarveOptions options = only_looking();
  options.tail_bytes = 0;
  CHECK(found_in(rdb + log + torn, options) ==
        told_at(CarvedKind::preamble, 0, rdb.size() + log.size()) + " aof.truncated-tail");
  CHECK(found_in(rdb + torn, options) ==
        told_at(CarvedKind::preamble, 0, rdb.size()) + " aof.torn-first-command");
}

TEST_CASE("RDB data that are cut off") {
  const std::string file = mixed_file(redis);
  RdbBuilder records(redis, 11);
  records.aux("redis-ver", "7.2.6").select(0);
  const size_t head = records.size();
  const std::string whole = records.string("one", "1").eof();
  CarveOptions options = only_looking();
  options.tail_bytes = 5;
  // At the end of the image, and in the middle of other bytes.
  const std::string cut = whole.substr(0, head + 3);
  CHECK(found_in(cut, options) ==
        told_at(CarvedKind::rdb, 0, cut.size()) + "/" + std::to_string(head) + " rdb.truncated");
  CHECK(found_in(whole.substr(0, head) + std::string(50, '\xf0'), options) ==
        told_at(CarvedKind::rdb, 0, head + 5) + "/" + std::to_string(head) + " rdb.unknown-code");
  // However much of it is left: what is said to be whole reads well, and never less than with fewer bytes.
  uint64_t last = 0;
  for (size_t size = 9; size < file.size(); ++size) {
    const std::vector<Carved> found = carved_of(Bytes(file).substr(0, size), options);
    if (found.empty()) {
      CHECK(last == 0);
      continue;
    }
    REQUIRE(found.size() == 1);
    CHECK_FALSE(found[0].whole);
    CHECK(found[0].whole_bytes >= last);
    CHECK(found[0].extent.end() <= size);
    last = found[0].whole_bytes;
  }
  CHECK(last > file.size() / 2);
}

TEST_CASE("where a torn file reads into the next one, that one is found all the same") {
  // The value would be 4000 bytes long; half of them are those of other files.
  RdbBuilder records(redis, 11);
  records.aux("redis-ver", "7.2.6").select(0).string("first", "value");
  const size_t whole_bytes = records.size();
  const std::string torn =
      records.string("long", std::string(4000, 'x')).bytes().substr(0, whole_bytes + 2000);
  const std::string next = long_file(100);
  const std::vector<Carved> found = carved_of(torn + next);
  REQUIRE(found.size() == 2);
  CHECK(found[0].whole_bytes == whole_bytes);
  CHECK(found[0].keys == 1);
  CHECK_FALSE(found[0].whole);
  CHECK(found[0].extent.end() == torn.size());  // the tail ends where the next begins
  CHECK(found[1].extent == Extent{torn.size(), next.size()});
  CHECK(found[1].whole);
  const std::string log = small_log(400);
  const std::vector<Carved> before_log = carved_of(torn + log);
  REQUIRE(before_log.size() == 2);
  CHECK(before_log[1].extent == Extent{torn.size(), log.size()});
}

TEST_CASE("what is in a value is no find") {
  const std::string inner = small_rdb("inner");
  const std::string log = small_log();
  RdbBuilder outer(redis, 11);
  outer.aux("redis-ver", "7.2.6").select(0);
  outer.string("rdb", inner).string("log", log).string("manifest", "\n" + kManifest);
  CHECK(found_in(outer.eof()) == told_at(CarvedKind::rdb, 0, outer.eof().size()) + " whole");
  CarveOptions options = only_looking();
  options.tail_bytes = 0;
  const std::string torn = outer.bytes() + "\xf0";
  CHECK(found_in(torn, options) == told_at(CarvedKind::rdb, 0, outer.size()) + " rdb.unknown-code");
  const std::string commands = AofBuilder()
                                   .command("SELECT 0")
                                   .args({"SET", "k", inner})
                                   .command("SET a b")
                                   .args({"SET", "l", small_log()})
                                   .bytes();
  CHECK(found_in(commands) == told_at(CarvedKind::log, 0, commands.size()) + " whole");
}

TEST_CASE("NUL bytes read like keys without a name and hide nothing") {
  for (size_t zeros = 0; zeros < 12; ++zeros) {
    CAPTURE(zeros);
    RdbBuilder records(redis, 11);
    records.aux("redis-ver", "7.2.6").select(0).string("first", "value");
    const std::string next = long_file(60);
    const std::string image = records.bytes() + std::string(zeros, '\0') + next;
    const std::vector<Carved> found = carved_of(image);
    REQUIRE(found.size() == 2);
    CHECK(found[0].whole_bytes == records.size());
    CHECK(found[0].keys == 1);
    CHECK(found[1].extent == Extent{records.size() + zeros, next.size()});
  }
  const std::string zeroed = RdbBuilder(redis, 11).select(0).bytes() + std::string(5000, '\0');
  const std::vector<Carved> found = carved_of(zeroed);
  REQUIRE(found.size() == 1);
  CHECK(found[0].whole_bytes == 11);
  CHECK(found[0].why == FindingCode::rdb_zeroed);
}

TEST_CASE("a magic alone is nothing") {
  const std::string eof_and_nothing = std::string("\xff") + std::string(8, '\0');
  const std::vector<CarveCase> images = {
      {"REDIS0011", ""},
      {"REDIS0011" + std::string(1000, '\0'), ""},
      {"REDIS0011 and VALKEY080 begin RDB files, REDIS0003\n too", ""},
      {"REDIS0011" + eof_and_nothing, told_at(CarvedKind::rdb, 0, 18) + " whole"},  // an empty one
      {"REDIS0011\xff"
       "8 bytes.",
       ""},
      {RdbBuilder(valkey, 80).eof(), told_at(CarvedKind::rdb, 0, 18) + " whole"},
      {"REDIS0003\xff", told_at(CarvedKind::rdb, 0, 10) + " whole"},
      // Of a version that nobody has written a little is not enough.
      {"REDIS0042" + RdbBuilder().select(0).bytes(), ""},
      {"REDIS1242" + RdbBuilder().aux("a", "b").aux("c", "d").aux("e", "f").select(0).bytes(), ""},
      {"REDIS0042" + RdbBuilder().aux("a", "b").aux("c", "d").aux("e", "f").select(0).bytes(),
       told_at(CarvedKind::rdb, 0, 26) + " rdb.truncated"},
      {RdbBuilder(redis, 42).aux("a", "b").eof(), told_at(CarvedKind::rdb, 0, 23) + " whole"},
  };
  for (const CarveCase& image : images) {
    CAPTURE(image.bytes);
    CHECK(found_in(image.bytes) == image.expected);
  }
}

TEST_CASE("damage inside of RDB data") {
  RdbBuilder damaged(redis, 11);
  damaged.aux("redis-ver", "7.2.6").select(0).string("a", "b");
  damaged.blob(11, "broken", "no intset").string("c", "d");
  const std::string file = damaged.eof();
  const std::vector<Carved> found = carved_of(file + "tail");
  REQUIRE(found.size() == 1);
  CHECK(found[0].extent == Extent{0, file.size()});  // it is read to its end all the same
  CHECK_FALSE(found[0].whole);
  CHECK(found[0].keys == 2);
  CHECK(finding_kind(*found[0].why).id == "intset.size-mismatch");
  std::string flipped = small_rdb();
  flipped[flipped.size() - 12] ^= 1;
  CHECK(found_in(flipped) == told_at(CarvedKind::rdb, 0, flipped.size()) + " rdb.checksum-mismatch");
}

TEST_CASE("logs") {
  const std::string log = small_log(5);
  CarveOptions options = only_looking();
  options.tail_bytes = 0;
  SUBCASE("too few commands") {
    CHECK(found_in(small_log(3)) == "");
    CHECK(found_in(small_log(4)) != "");
    options.commands_min = 1;
    CHECK(found_in(small_log(1), options) != "");
    options.commands_min = 6;
    CHECK(found_in(log, options) == "");
  }
  SUBCASE("reads and what nobody knows do not count, but belong to it") {
    const std::string reads =
        AofBuilder().command("GET a").command("GET b").command("GET c").command("GET d").bytes();
    CHECK(found_in(reads) == "");
    const std::string mixed = log + resp("JSON.SET k . 1") + resp("SET a b");
    CHECK(found_in(mixed) == told_at(CarvedKind::log, 0, mixed.size()) + " whole");
    const std::string strange = log + resp("\"not a\\nname\" b");
    CHECK(found_in(strange) == told_at(CarvedKind::log, 0, log.size()) + " whole");
  }
  SUBCASE("annotations in front, between and behind") {
    const std::string timed =
        AofBuilder().time(1).time(22).raw(log).time(333).command("SET a b").time(4444).bytes();
    CHECK(found_in("x#TS:1\n" + timed) == told_at(CarvedKind::log, 7, timed.size()) + " whole");
    CHECK(found_in(log + "#TS:17", options) ==
          told_at(CarvedKind::log, 0, log.size()) + " aof.torn-annotation");
  }
  SUBCASE("torn") {
    const std::string more = resp("SET key value");
    for (size_t size = 1; size < more.size(); ++size) {
      CAPTURE(size);
      CHECK(found_in(log + more.substr(0, size), options) ==
            told_at(CarvedKind::log, 0, log.size()) + " aof.truncated-tail");
    }
    CHECK(found_in(log + resp("MULTI") + resp("SET a b"), options) ==
          told_at(CarvedKind::log, 0, log.size() + resp("MULTI").size() + resp("SET a b").size()) +
              " aof.open-multi");
  }
  SUBCASE("a damaged place in the middle begins a new one") {
    const std::string spoiled = "*3\r\n$3\r\nSET\r\n$9\r\nkey\r\n$1\r\nv\r\n";
    const std::string expected = told_at(CarvedKind::log, 0, log.size()) + " aof.truncated-tail; " +
                                 told_at(CarvedKind::log, log.size() + spoiled.size(), log.size()) + " whole";
    CHECK(found_in(log + spoiled + log, options) == expected);
    options.tail_bytes = 1 << 20;
    CHECK(carved_of(log + spoiled + log, options)[0].extent.end() == log.size() + spoiled.size());
  }
  SUBCASE("a large argument") {
    const std::string large =
        AofBuilder().raw(log).args({"SET", "large", std::string(3 << 20, 'x')}).command("SET a b").bytes();
    CHECK(found_in("y" + large) == told_at(CarvedKind::log, 1, large.size()) + " whole");
  }
}

TEST_CASE("manifests") {
  const std::vector<CarveCase> images = {
      {"the file a seq 1 type b\n", ""},
      {"a file with seq and type\n", ""},
      {"file a seq 0 type b\n", ""},
      {"\nfile a seq 1 type x\n", ""},
      {"\nfile a seq 1 type b", ""},
      {"\nfile a seq 1 type b\nfile b", "manifest 1+20 manifest.bad-line"},
      {"\nfile \"a b\" seq 1 type b\nrest", "manifest 1+24 whole"},
      {std::string("\0file a seq 2 type i\n", 21), "manifest 1+20 whole"},
  };
  for (const CarveCase& image : images) {
    CAPTURE(image.bytes);
    CHECK(found_in(image.bytes) == image.expected);
  }
}

TEST_CASE("only what was asked for") {
  const std::string image = small_rdb() + "\n" + kManifest + small_log();
  CarveOptions options = only_looking();
  options.logs = options.manifests = false;
  CHECK(carved_of(image, options).size() == 1);
  options.rdb = false;
  CHECK(found_in(image, options) == "");
  options.manifests = true;
  CHECK(carved_of(image, options).at(0).kind == CarvedKind::manifest);
  options.manifests = false;
  options.logs = true;
  CHECK(carved_of(image, options).at(0).kind == CarvedKind::log);
}

TEST_CASE("a replication stream") {
  const std::string mark(40, 'a');
  const std::string rdb = small_rdb();
  const std::string command = resp("SET a b");
  const std::string by_mark = "+FULLRESYNC x 1\r\n$EOF:" + mark + "\r\n" + rdb + mark + command + "x";
  const size_t begin = by_mark.find(rdb);
  CHECK(found_in(by_mark) == told_at(CarvedKind::rdb, begin, rdb.size()) + " whole; " +
                                 told_at(CarvedKind::log, begin + rdb.size() + 40, command.size()) +
                                 " whole");
  const std::string by_length = "$" + std::to_string(rdb.size()) + "\r\n" + rdb + command;
  CHECK(found_in(by_length) ==
        told_at(CarvedKind::preamble, by_length.find(rdb), rdb.size() + command.size()) + " whole");
}

TEST_CASE("the result does not depend on the windows of the source") {
  std::string image = noise(700, 1);
  image += small_rdb() + small_log() + noise(50, 2) + "\n" + kManifest + mixed_file(redis).substr(0, 900);
  image += long_file(20) + "#TS:1\r\n" + small_log() + noise(300, 5);
  DripSource drip(image, true);
  const std::vector<Carved> by_drops = carve(drip, "", only_looking()).found;
  CHECK(find_lines(by_drops) == found_in(image));
  CHECK(by_drops.size() >= 4);
  // Around the places where one window of the scan ends and the next begins.
  const std::string rdb = small_rdb();
  for (size_t offset = (512 << 10) - 40; offset < (512 << 10) + 4; ++offset) {
    CAPTURE(offset);
    CHECK(found_in(std::string(offset, '.') + rdb) ==
          told_at(CarvedKind::rdb, offset, rdb.size()) + " whole");
  }
}

namespace {

// What a primary sends, in packets of 100 bytes; those at `lost` are not in the capture.
std::string capture_of_reply(Bytes stream, const std::vector<size_t>& lost) {
  constexpr size_t kSegmentBytes = 100;
  std::vector<CapturedPacket> packets;
  packets.push_back({ethernet(ipv4({0, "", true, true}))});
  for (size_t i = 0; i * kSegmentBytes < stream.size(); ++i) {
    if (std::ranges::count(lost, i) > 0) continue;
    const auto sequence = static_cast<uint32_t>(1 + i * kSegmentBytes);
    const std::string bytes(stream.substr(i * kSegmentBytes, kSegmentBytes));
    packets.push_back({ethernet(ipv4({sequence, bytes, false, true}))});
  }
  return capture_of(packets);
}

}  // namespace

TEST_CASE("a capture of packets: stream by stream, with their holes") {
  const std::string rdb = RdbBuilder(redis, 11).aux("redis-ver", "7.2.6").select(0).eof();
  std::string log;
  for (size_t i = 0; i < 30; ++i) log += resp("INCR count");  // of 25 bytes
  const std::string preface = "$" + std::to_string(rdb.size()) + "\r\n";
  const std::string stream = preface + rdb + log;
  const std::string sound = capture_of_reply(stream, {});
  if (!is_capture(*memory_source(sound))) return;  // built without libpcap
  const CarveSummary summary = carve(*memory_source(sound), "", only_looking());
  CHECK(summary.is_capture);
  CHECK(summary.packets_missing == 0);
  REQUIRE(summary.found.size() == 1);
  CHECK(line_of(summary.found[0]) ==
        told_at(CarvedKind::preamble, preface.size(), rdb.size() + log.size()) + " whole");
  CHECK(summary.found[0].stream == "10.0.0.1:6379 > 10.0.0.2:50000");
  // Four commands fewer: what is left reads well, and yet something is missing.
  const TempFolder place;
  const CarveSummary holed = carve(*memory_source(capture_of_reply(stream, {3})), place.path("out"), {});
  CHECK(holed.packets_missing == 1);
  REQUIRE(holed.found.size() == 1);
  const Carved& found = holed.found[0];
  CHECK(found.commands == 26);
  CHECK_FALSE(found.whole);
  CHECK(found.why == FindingCode::aof_bad_record);
  CHECK(found.name == "0001-s01-0x" + std::string(1, "0123456789abcdef"[preface.size()]) + ".aof");
  CHECK(read_file(place.path("out/" + found.name)).size() == found.extent.size);
}

TEST_CASE("the folder") {
  const TempFolder place;
  const std::string rdb = small_rdb();
  const std::string log = small_log();
  const std::string torn = rdb.substr(0, 40);
  const std::string image = "abc" + rdb + log + "\n" + kManifest + log + torn + "the rest";
  CarveOptions options;
  const CarveSummary summary = carve(*memory_source(image), place.path("out"), options);
  CHECK(summary.folder == place.path("out"));
  CHECK(summary.bytes_read == image.size());
  CHECK_FALSE(summary.is_capture);
  REQUIRE(summary.found.size() == 4);
  std::string index;
  for (const Carved& carved : summary.found) {
    CHECK(read_file(place.path("out/" + carved.name)) ==
          image.substr(carved.extent.offset, carved.extent.size));
    index += carved_line(carved);
  }
  CHECK(read_file(place.path("out/index.jsonl")) == index);
  CHECK(summary.found[0].name == "0001-0x3.aof");
  CHECK(summary.found[1].name.ends_with(".manifest"));
  CHECK(names_in(place.path("out")).size() == 5);
  // Something is there already.
  CHECK(error_of([&] { (void)carve(*memory_source(image), place.path("out"), options); }, "out") == EEXIST);
  options.force = true;
  CHECK(carve(*memory_source(rdb), place.path("out"), options).found.size() == 1);
  CHECK(names_in(place.path("out")) == std::vector<std::string>{"0001-0x0.rdb", "index.jsonl"});
  // Nothing is found: nothing is made, nothing replaced.
  const CarveSummary nothing = carve(*memory_source("nothing"), place.path("out"), options);
  CHECK(nothing.folder.empty());
  CHECK(names_in(place.path("out")).size() == 2);
  CHECK(place.names().size() == 1);
  // Somebody else's files are not replaced.
  write_file(place.path("out/dump.rdb"), "x");
  CHECK_THROWS_AS((void)carve(*memory_source(rdb), place.path("out"), options), EditRefused);
}

TEST_CASE("lines of the index") {
  const std::vector<Carved> found = carved_of(small_rdb() + small_log());
  REQUIRE(found.size() == 1);
  Carved carved = found[0];
  CHECK(carved_line(carved) ==
        R"({"kind":"preamble","offset":0,"size":246,"whole":true,"whole_bytes":246,"dialect":"redis",)"
        R"("version":11,"keys":1,"checksum":"good","commands":6})"
        "\n");
  carved.stream = "10.0.0.1:6379 > 10.0.0.2:51234";
  carved.name = "0001-s01-0x0.aof";
  carved.whole = false;
  carved.why = FindingCode::aof_truncated;
  CHECK(carved_line(carved) ==
        R"({"kind":"preamble","file":"0001-s01-0x0.aof","stream":"10.0.0.1:6379 > 10.0.0.2:51234",)"
        R"("offset":0,"size":246,"whole":false,"whole_bytes":246,"dialect":"redis","version":11,"keys":1,)"
        R"("checksum":"good","commands":6,"finding":"aof.truncated-tail"})"
        "\n");
}

TEST_CASE("an image made of beginnings costs a bounded number of times its size") {
  // Each begins a set of all that follows, whose members are such beginnings, and which fails at the end of
  // the image. Read from each of them to there, that would be more than 100 GB.
  const std::string beginning("REDIS0011\x02\x01k\x80\x00\x10\x00\x00", 17);
  std::string image = beginning;
  for (size_t i = 0; i < 120000; ++i) image += plain_string(beginning);
  image += std::string(size_t{1} << 20, '.');
  const std::string hidden = long_file(200);
  CHECK(found_in(image + hidden) == told_at(CarvedKind::rdb, image.size(), hidden.size()) + " whole");
  // Commands, each with an argument that ends where the next one has begun.
  std::string commands;
  for (size_t i = 0; i < 20000; ++i) commands += "*9\r\n$3\r\nSET\r\n$700000\r\n";
  CHECK(found_in(commands + hidden) == told_at(CarvedKind::rdb, commands.size(), hidden.size()) + " whole");
}
