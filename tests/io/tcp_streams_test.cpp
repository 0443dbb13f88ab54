// Segments become streams: in order, each byte once, and what never came is told.
#include "io/tcp_streams.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cerrno>
#include <random>
#include <string>
#include <vector>

#include "support/bytes_builder.hpp"
#include "support/files.hpp"

using namespace persist;
using namespace persist::test;

namespace {

TcpPath test_path(uint16_t port) {
  TcpPath path;
  path.from = {{10, 0, 0, 1}, 6379};
  path.to = {{10, 0, 0, 2}, port};
  return path;
}

// One segment as a test writes it.
struct Sent {
  uint32_t sequence = 0;
  std::string bytes;
  uint32_t missing = 0;
  bool is_syn = false;
  uint16_t port = 1;
};

Sent syn(uint32_t sequence, std::string bytes = "") { return {sequence, std::move(bytes), 0, true}; }

// "bytes", with a '|' where a hole is; streams are parted by blanks.
std::string show(const std::vector<CaptureStream>& streams) {
  std::string shown;
  for (const CaptureStream& stream : streams) {
    if (!shown.empty()) shown += ' ';
    std::string bytes(stream.bytes->window(0, ~uint64_t{0}).bytes);
    CHECK(stream.bytes->size() == bytes.size());
    CHECK(stream.holes_in_all == stream.holes.size());
    for (size_t i = stream.holes.size(); i-- > 0;) bytes.insert(stream.holes[i], "|");
    shown += bytes;
  }
  return shown;
}

std::string streams_of(const std::vector<Sent>& segments, const TcpLimits& limits = {}) {
  TcpStreams streams(limits);
  for (const Sent& sent : segments)
    streams.add({test_path(sent.port), sent.sequence, sent.is_syn, sent.bytes, sent.missing});
  return show(streams.finish());
}

}  // namespace

TEST_CASE("tcp streams: what comes of segments") {
  struct Row {
    const char* what;
    std::vector<Sent> segments;
    std::string streams;
  };
  const std::vector<Row> rows{
      {"nothing", {}, ""},
      {"no bytes", {syn(9), {10, ""}}, ""},
      {"in order", {syn(9), {10, "abc"}, {13, "de"}, {15, ""}}, "abcde"},
      {"bytes with the SYN", {syn(9, "abc"), {13, "de"}}, "abcde"},
      {"from the middle", {{1000, "abc"}, {1003, "de"}}, "abcde"},
      {"reordered", {syn(9), {15, "f"}, {13, "de"}, {10, "abc"}}, "abcdef"},
      {"the SYN late", {{10, "abc"}, syn(9), {13, "d"}}, "abcd"},
      {"sent again", {syn(9), {10, "abc"}, {10, "abc"}, {13, "d"}, {10, "abc"}, syn(9), {14, "e"}}, "abcde"},
      {"older than the first", {{10, "abc"}, {9, "x"}, {5, "xxxxx"}, {13, "d"}}, "abcd"},
      {"older, and new ones with it", {{10, "abc"}, {8, "xxXXXd"}}, "abcd"},
      {"the first bytes win", {syn(9), {10, "abc"}, {11, "XXd"}, {14, "e"}}, "abcde"},
      {"of those that wait too", {syn(9), {12, "cd"}, {11, "bXXe"}, {10, "aXXXXf"}}, "abcdef"},
      {"around several that wait",
       {syn(9), {11, "b"}, {13, "d"}, {15, "f"}, {10, "aXcXeXg"}, {17, "h"}},
       "abcdefgh"},
      {"covered by one that waits", {syn(9), {11, "bcde"}, {12, "XX"}, {11, "XXXX"}, {10, "a"}}, "abcde"},
      {"the first is missing", {syn(9), {12, "cd"}}, "|cd"},
      {"one is missing", {{10, "ab"}, {15, "cd"}, {17, "e"}}, "ab|cde"},
      {"two are", {{10, "ab"}, {20, "e"}, {15, "cd"}}, "ab|cd|e"},
      {"not all captured", {{10, "ab", 3}, {15, "cd", 1}, {18, "e"}}, "ab|cd|e"},
      {"and what was not is sent again: a hole is a hole", {{10, "ab", 3}, {12, "XYZ"}, {15, "cd"}}, "ab|cd"},
      {"nothing captured, twice: one hole", {{10, "ab"}, {12, "", 3}, {15, "", 3}, {18, "cd"}}, "ab|cd"},
      {"not all captured, early", {{10, "ab"}, {15, "d", 1}, {12, "cXX"}, {17, "e"}}, "abcXXd|e"},
      {"not all captured, at the end", {{10, "ab", 3}}, "ab|"},
      {"the numbers begin again",
       {syn(0xfffffffd), {0xfffffffe, "abcd"}, {2, "e"}, {0xffffffff, "XXXX"}, {3, "f"}},
       "abcdef"},
      {"reordered around that", {syn(0xfffffffd), {2, "e"}, {0xfffffffe, "abcd"}}, "abcde"},
      {"far ahead", {{10, "ab"}, {0x90000000, "cd"}, {12, "X"}}, "abX|cd"},
      {"a SYN of its own begins a stream", {syn(9), {10, "abc"}, syn(5009), {5010, "de"}}, "abc de"},
      {"what waited goes with the old one", {syn(9), {12, "c"}, syn(5009), {5010, "de"}}, "|c de"},
      {"a stray SYN before the bytes", {syn(5009), {10, "abc"}, {13, "d"}}, "abcd"},
      {"two directions", {{10, "ab", 0, false, 1}, {70, "xy", 0, false, 2}, {12, "c"}}, "abc xy"},
      {"the order is that of the first segments",
       {{9, "", 0, true, 2}, {10, "ab"}, {10, "xy", 0, false, 2}},
       "xy ab"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    CHECK(streams_of(row.segments) == row.streams);
  }
}

TEST_CASE("tcp streams: more than 2^32 bytes") {
  TcpStreams streams;
  uint64_t at = 77;
  for (int i = 0; i < 100; ++i) {
    streams.add({test_path(1), static_cast<uint32_t>(at), false, "ab", 99'999'998});
    at += 100'000'000;
  }
  const auto finished = streams.finish();
  REQUIRE(finished.size() == 1);
  CHECK(finished[0].bytes->size() == 200);
  CHECK(finished[0].holes_in_all == 100);
}

TEST_CASE("tcp streams: limits") {
  TcpLimits limits;
  SUBCASE("so many segments wait, then what is missing is given up") {
    limits.waiting_segments = 2;
    CHECK(streams_of({{10, "a"}, {12, "c"}, {14, "e"}, {11, "b"}, {13, "d"}}, limits) == "abcde");
    CHECK(streams_of({{10, "a"}, {12, "c"}, {14, "e"}, {16, "g"}, {11, "b"}, {13, "d"}}, limits) ==
          "a|cde|g");
  }
  SUBCASE("so many bytes wait") {
    limits.waiting_bytes = 2000;
    const std::string part(500, 'x');
    const std::vector<Sent> segments{{10, "a"}, {12, part}, {512, part}, {1012, part}, {11, "b"}};
    CHECK(streams_of(segments, limits) == "ab" + part + part + part);
    limits.waiting_bytes = 1500;
    CHECK(streams_of(segments, limits) == "a|" + part + part + part);
  }
  SUBCASE("so many bytes wait in all streams") {
    limits.waiting_bytes_in_all = 300;
    CHECK(streams_of({{10, "a"}, {12, "c"}, {10, "x", 0, false, 2}, {12, "z", 0, false, 2}, {11, "b"}},
                     limits) == "abc x|z");
    limits.waiting_bytes_in_all = 200;
    CHECK(streams_of({{10, "a"}, {12, "c"}, {10, "x", 0, false, 2}, {12, "z", 0, false, 2}, {11, "b"}},
                     limits) == "a|c x|z");
  }
  SUBCASE("so many streams") {
    limits.streams = 2;
    const std::vector<Sent> segments{
        {10, "a", 0, false, 1}, {10, "b", 0, false, 2}, {10, "c", 0, false, 3}, {11, "d", 0, false, 1}};
    CHECK(streams_of(segments, limits) == "ad b");
    limits.streams = 3;
    CHECK(streams_of(segments, limits) == "ad b c");
  }
  SUBCASE("so many SYNs; without theirs, streams begin with their first bytes") {
    limits.streams = 2;
    CHECK(streams_of({{9, "", 0, true, 1}, {9, "", 0, true, 2}, {9, "", 0, true, 3}, {12, "a"}}, limits) ==
          "a");
  }
  SUBCASE("so many holes are told") {
    limits.holes_told = 2;
    TcpStreams streams(limits);
    for (uint32_t i = 0; i < 5; ++i) streams.add({test_path(1), 10 * i, false, "ab", 8});
    const auto finished = streams.finish();
    REQUIRE(finished.size() == 1);
    CHECK(finished[0].holes == std::vector<uint64_t>{2, 4});
    CHECK(finished[0].holes_in_all == 5);
  }
}

TEST_CASE("tcp streams: shuffled, cut anew and sent again, the bytes are the same") {
  std::mt19937 random(3);
  const auto below = [&](size_t bound) {
    return std::uniform_int_distribution<size_t>(0, bound - 1)(random);
  };
  for (const size_t gathered : {size_t{1}, size_t{1000}, size_t{64} << 10}) {
    CAPTURE(gathered);
    TcpLimits limits;
    limits.gathered_bytes = gathered;
    limits.gathered_bytes_in_all = gathered * 3 / 2;
    TcpStreams streams(limits);
    std::string bytes[2];
    struct Part {
      int stream;
      size_t at;
      size_t size;
    };
    std::vector<Part> parts;
    for (int i : {0, 1}) {
      bytes[i] = noise(100'000, static_cast<uint32_t>(i + 1));
      streams.add({test_path(static_cast<uint16_t>(i)), 0xffff0000, true, "", 0});
      for (size_t at = 0; at < bytes[i].size(); at += 100) parts.push_back({i, at, 100 + below(300)});
    }
    std::sort(parts.begin(), parts.end(), [](const Part& a, const Part& b) { return a.at < b.at; });
    for (size_t at = 0; at + 20 < parts.size(); at += 10) std::shuffle(&parts[at], &parts[at] + 20, random);
    for (const Part& part : parts) {
      streams.add({test_path(static_cast<uint16_t>(part.stream)), static_cast<uint32_t>(0xffff0001 + part.at),
                   false, Bytes(bytes[part.stream]).substr(part.at, part.size), 0});
    }
    const auto finished = streams.finish();
    REQUIRE(finished.size() == 2);
    for (size_t i : {size_t{0}, size_t{1}}) {
      ByteSource& source = *finished[i].bytes;
      CHECK(finished[i].holes.empty());
      CHECK(source.rereadable());
      CHECK(source.window(0, ~uint64_t{0}).bytes == bytes[i]);
      CHECK(source.window(bytes[i].size(), 1).bytes.empty());
      for (int step = 0; step < 50; ++step) {
        const size_t at = below(bytes[i].size());
        const size_t min = below(3000);
        const Bytes window = source.window(at, min).bytes;
        CHECK(window.size() >= std::min(min, bytes[i].size() - at));
        CHECK(window == Bytes(bytes[i]).substr(at, window.size()));
      }
    }
  }
}

TEST_CASE("tcp streams: names") {
  TcpPath path = test_path(51234);
  CHECK(path.name() == "10.0.0.1:6379 > 10.0.0.2:51234");
  path = {};
  path.is_ipv6 = true;
  path.from.address[15] = 1;
  path.from.port = 80;
  path.to.address = {0xfd};
  path.to.port = 65535;
  CHECK(path.name() == "[::1]:80 > [fd00::]:65535");
}

TEST_CASE("tcp streams: a disk that is full is told") {
  const FileSizeLimit limit(100);
  TcpStreams streams;
  const std::string bytes(101, 'x');
  streams.add({test_path(1), 0, false, bytes, 0});
  CHECK(error_of([&] { (void)streams.finish(); }, "temporary") == EFBIG);
}
