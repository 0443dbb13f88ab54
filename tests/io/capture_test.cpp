// Captures become the streams of their connections, whichever files and links they come in, and however
// damaged.
#include "io/capture.hpp"

#include <doctest/doctest.h>

#include <cerrno>
#include <string>
#include <system_error>
#include <vector>

#include "io/packet.hpp"
#include "support/bytes_builder.hpp"
#include "support/capture_builder.hpp"
#include "support/files.hpp"

using namespace persist;
using namespace persist::test;

namespace {

std::string segment_in(Link link, Bytes packet, uint64_t size = 0) {
  const auto segment = tcp_segment(link, packet, size);
  if (!segment) return "none";
  std::string shown(segment->bytes);
  if (segment->missing != 0) shown += '+' + std::to_string(segment->missing);
  return shown;
}

const Segment kHello{1, "hello"};

std::string cooked(Bytes datagram, uint16_t type = 0x0800) {
  return std::string(14, '\0') + be(type) + std::string(datagram);
}
std::string cooked_v2(Bytes datagram) {
  return be(uint16_t{0x0800}) + std::string(18, '\0') + std::string(datagram);
}

}  // namespace

TEST_CASE("packets: links, datagrams and what is none") {
  const std::string v4 = ipv4(kHello);
  const std::string v6 = ipv6(kHello);
  struct Row {
    const char* what;
    Link link;
    std::string packet;
    const char* segment;
  };
  const std::string hop("\x3c\0\x01\x04\0\0\0\0", 8);  // then a destination header
  const std::string destination("\x2b\x01", 2);        // of 16 bytes, then a routing header
  const std::string routing("\x06\0\0\0\0\0\0\0", 8);
  const std::vector<Row> rows{
      {"Ethernet", Link::ethernet, ethernet(v4), "hello"},
      {"and IPv6", Link::ethernet, ethernet(v6), "hello"},
      {"a VLAN", Link::ethernet, ethernet(v4, {0x8100}), "hello"},
      {"a VLAN in a VLAN", Link::ethernet, ethernet(v6, {0x88a8, 0x8100}), "hello"},
      {"VLANs and nothing else", Link::ethernet, std::string(12, 'x') + unhex("8100 0001 8100 0001 8100"),
       "none"},
      {"another type", Link::ethernet, std::string(12, 'x') + be(uint16_t{0x0806}) + v4, "none"},
      {"raw", Link::raw_ip, v4, "hello"},
      {"raw IPv6", Link::raw_ip, v6, "hello"},
      {"neither", Link::raw_ip, "\x55" + v4.substr(1), "none"},
      {"empty", Link::raw_ip, "", "none"},
      {"SLL", Link::linux_cooked, cooked(v4), "hello"},
      {"SLL of a VLAN", Link::linux_cooked, cooked(unhex("0001 0800") + v4, 0x8100), "hello"},
      {"SLL2", Link::linux_cooked_v2, cooked_v2(v4), "hello"},
      {"loopback", Link::bsd_loopback, le(uint32_t{2}) + v4, "hello"},
      {"loopback of IPv6", Link::bsd_loopback, be(uint32_t{30}) + v6, "hello"},
      {"options", Link::raw_ip, ipv4(kHello, "\x94\x04xx\x01"), "hello"},
      {"may not be cut", Link::raw_ip, ipv4(kHello, "", 0x4000), "hello"},
      {"the first fragment", Link::raw_ip, ipv4(kHello, "", 0x2000), "none"},
      {"the last fragment", Link::raw_ip, ipv4(kHello, "", 0x0003), "none"},
      {"extension headers", Link::raw_ip,
       ipv6(kHello, 0, hop + destination + std::string(14, '\0') + routing), "hello"},
      {"authentication", Link::raw_ip, ipv6(kHello, 51, "\x06\x04" + std::string(22, 'x')), "hello"},
      {"a fragment that is all of it", Link::raw_ip, ipv6(kHello, 44, unhex("06 00 0000 00000001")), "hello"},
      {"a fragment", Link::raw_ip, ipv6(kHello, 44, unhex("06 00 0001 00000001")), "none"},
      {"another fragment", Link::raw_ip, ipv6(kHello, 44, unhex("06 00 0008 00000001")), "none"},
      {"no next header", Link::raw_ip, ipv6(kHello, 59), "none"},
      {"UDP", Link::raw_ip, v4.substr(0, 9) + '\x11' + v4.substr(10), "none"},
      {"UDP over IPv6", Link::raw_ip, ipv6(kHello, 17), "none"},
      {"no length: the network card was to cut it", Link::raw_ip,
       v4.substr(0, 2) + unhex("0000") + v4.substr(4), "hello"},
      {"padding", Link::raw_ip, v4 + "padding", "hello"},
      {"a length shorter than the headers", Link::raw_ip, v4.substr(0, 2) + unhex("0013") + v4.substr(4),
       "none"},
      {"a segment header longer than all", Link::raw_ip, v4.substr(0, 32) + '\xf0' + v4.substr(33), "none"},
      {"a segment header too short", Link::raw_ip, v4.substr(0, 32) + '\x40' + v4.substr(33), "none"},
      {"a datagram header too short", Link::raw_ip, '\x44' + v4.substr(1), "none"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    CHECK(segment_in(row.link, row.packet) == row.segment);
  }
}

TEST_CASE("packets: not all was captured") {
  const std::string packet = ethernet(ipv4({1, std::string(100, 'x')}));
  const size_t headers = packet.size() - 100;
  CHECK(segment_in(Link::ethernet, packet, packet.size()) == std::string(100, 'x'));
  CHECK(segment_in(Link::ethernet, packet.substr(0, headers + 3), packet.size()) == "xxx+97");
  CHECK(segment_in(Link::ethernet, packet.substr(0, headers), packet.size()) == "+100");
  // Without the options of the segment, and without the last byte that is needed.
  CHECK(segment_in(Link::ethernet, packet.substr(0, headers - 4), packet.size()) == "+100");
  CHECK(segment_in(Link::ethernet, packet.substr(0, headers - 5), packet.size()) == "none");
  // The length that the datagram states is believed, where the file says nothing.
  CHECK(segment_in(Link::ethernet, packet.substr(0, headers + 3)) == "xxx+97");
}

TEST_CASE("packets: who sends to whom") {
  const auto path = [](const std::string& datagram) {
    return tcp_segment(Link::raw_ip, datagram, 0)->path.name();
  };
  CHECK(path(ipv4(kHello)) == "10.0.0.2:50000 > 10.0.0.1:6379");
  CHECK(path(ipv4({1, "x", false, true})) == "10.0.0.1:6379 > 10.0.0.2:50000");
  CHECK(path(ipv6(kHello)) == "[fd00::2]:50000 > [fd00::1]:6379");
  const auto segment = tcp_segment(Link::raw_ip, ipv4({0x01020304, "x", true}), 0);
  CHECK(segment->sequence == 0x01020304);
  CHECK(segment->is_syn);
  CHECK_FALSE(tcp_segment(Link::raw_ip, ipv4(kHello), 0)->is_syn);
}

#ifndef PERSIST_WITH_PCAP

TEST_CASE("a build without libpcap recognises no capture") {
  const std::string bytes = capture_of({{ethernet(ipv4(kHello))}});
  const auto image = memory_source(bytes);
  CHECK_FALSE(is_capture(*image));
  CHECK(open_capture(*image).empty());
}

#else

namespace {

// "name: bytes" a line; a '|' where a hole is.
std::string show_capture(ByteSource& image) {
  std::string shown;
  for (const CaptureStream& stream : open_capture(image)) {
    std::string bytes(stream.bytes->window(0, ~uint64_t{0}).bytes);
    for (size_t i = stream.holes.size(); i-- > 0;) bytes.insert(stream.holes[i], "|");
    CHECK(stream.bytes->name() == stream.name);
    shown += stream.name + ": " + bytes + '\n';
  }
  return shown;
}

std::string show_capture(Bytes bytes) { return show_capture(*memory_source(bytes)); }

std::vector<CapturedPacket> conversation() {
  return {
      {ethernet(ipv4({99, "", true}))},
      {ethernet(ipv4({499, "", true, true}))},
      {ethernet(ipv4({100, "PING"}))},
      {ethernet(ipv4({505, "!", false, true}))},  // early
      {ethernet(ipv4({500, "+PONG", false, true}))},
      {ethernet(ipv4({100, "PING"}))},
      {ethernet(ipv6({7, "six"}), {0x8100})},
      {ethernet(ipv4({110, "QUIT"}))},                                 // six bytes are missing
      {ethernet(ipv4({514, std::string(90, 'x'), false, true})), 60},  // nine more, and then most of it
  };
}

const std::string kConversation =
    "10.0.0.2:50000 > 10.0.0.1:6379: PING|QUIT\n"
    "10.0.0.1:6379 > 10.0.0.2:50000: +PONG!|xx|\n"
    "[fd00::2]:50000 > [fd00::1]:6379: six\n";

class FailingSource : public ByteSource {
 public:
  explicit FailingSource(std::string bytes) : bytes_(std::move(bytes)) {}
  Window window(uint64_t from, uint64_t /*min*/) override {
    if (from >= bytes_.size()) throw std::system_error(EIO, std::generic_category(), name_);
    return {Bytes(bytes_).substr(from), nullptr};
  }
  [[nodiscard]] bool rereadable() const override { return true; }
  [[nodiscard]] std::optional<uint64_t> size() const override { return bytes_.size() + 1; }
  [[nodiscard]] const std::string& name() const override { return name_; }

 private:
  std::string bytes_;
  std::string name_ = "failing";
};

}  // namespace

TEST_CASE("captures: of every form") {
  for (const CaptureForm form : kCaptureForms) {
    CAPTURE(static_cast<int>(form));
    const std::string bytes = capture_of(conversation(), form);
    CHECK(is_capture(*memory_source(bytes)));
    CHECK(show_capture(bytes) == kConversation);
  }
}

TEST_CASE("captures: of every link") {
  const std::string wanted = "10.0.0.2:50000 > 10.0.0.1:6379: hello\n";
  const std::string datagram = ipv4(kHello);
  CHECK(show_capture(capture_of({{datagram}}, CaptureForm::pcap, kRawLink)) == wanted);
  CHECK(show_capture(capture_of({{cooked(datagram)}}, CaptureForm::pcap, kCookedLink)) == wanted);
  CHECK(show_capture(capture_of({{cooked_v2(datagram)}}, CaptureForm::pcapng, kCookedV2Link)) == wanted);
  CHECK(show_capture(capture_of({{le(uint32_t{2}) + datagram}}, CaptureForm::pcap, kLoopbackLink)) == wanted);
  CHECK(show_capture(capture_of({{datagram}}, CaptureForm::pcap, 147)).empty());  // of anybody's own
}

TEST_CASE("captures: what is one") {
  const auto is_one = [](Bytes bytes) { return is_capture(*memory_source(bytes)); };
  const std::string rest(20, '\0');
  for (const char* magic : {"d4c3b2a1", "a1b2c3d4", "4d3cb2a1", "a1b23c4d", "34cdb2a1", "a1b2cd34"}) {
    CAPTURE(magic);
    CHECK(is_one(unhex(magic) + rest));
  }
  CHECK(is_one(unhex("0a0d0d0a 1c000000 4d3c2b1a")));
  CHECK(is_one(unhex("0a0d0d0a 0000001c 1a2b3c4d")));
  CHECK_FALSE(is_one(unhex("0a0d0d0a 0000001c 1a2b3c4e")));
  CHECK_FALSE(is_one(unhex("0a0d0d0a 0000001c 1a2b3c")));
  CHECK_FALSE(is_one("REDIS0011" + rest));
  CHECK_FALSE(is_one(""));
  CHECK_FALSE(is_one(unhex("d4c3b2a1")));
}

TEST_CASE("captures: from a pipe, longer than what is read at once") {
  std::vector<CapturedPacket> packets;
  const std::string sent = noise(2'000'000);
  for (size_t at = 0; at < sent.size(); at += 1000)
    packets.push_back({ethernet(ipv4({static_cast<uint32_t>(at), sent.substr(at, 1000)}))});
  PipedSource pipe(capture_of(packets));
  CHECK(is_capture(pipe.source()));
  const auto streams = open_capture(pipe.source());
  REQUIRE(streams.size() == 1);
  CHECK(streams[0].bytes->window(0, ~uint64_t{0}).bytes == sent);
  CHECK(streams[0].holes.empty());
}

TEST_CASE("captures: cut short anywhere, the streams only shrink") {
  for (const CaptureForm form : {CaptureForm::pcap, CaptureForm::pcapng}) {
    const std::string bytes = capture_of(
        {{ethernet(ipv4({1, "one"}))}, {ethernet(ipv4({4, "two"}))}, {ethernet(ipv4({7, "three"}))}}, form);
    const std::string whole = show_capture(bytes);
    REQUIRE(whole == "10.0.0.2:50000 > 10.0.0.1:6379: onetwothree\n");
    std::string before;
    for (size_t size = 0; size < bytes.size(); ++size) {
      std::string shown = show_capture(Bytes(bytes).substr(0, size));
      if (!shown.empty()) shown.pop_back();
      CHECK(shown.size() >= before.size());
      CHECK(whole.starts_with(shown));
      before = shown;
    }
    CHECK(before.ends_with("onetwo"));
  }
}

TEST_CASE("captures: any byte may be wrong") {
  for (const CaptureForm form : {CaptureForm::pcap, CaptureForm::pcapng}) {
    const std::string bytes = capture_of(conversation(), form);
    for (size_t at = 0; at < bytes.size(); ++at) {
      for (const int flip : {0x01, 0x80, 0xff}) {
        std::string damaged = bytes;
        damaged[at] = static_cast<char>(damaged[at] ^ flip);
        uint64_t size = 0;
        for (const CaptureStream& stream : open_capture(*memory_source(damaged)))
          size += *stream.bytes->size();
        CHECK(size <= bytes.size());
      }
    }
  }
}

TEST_CASE("captures: a source that fails is told") {
  const std::string bytes = capture_of(conversation());
  for (const size_t size : {size_t{20}, size_t{24}, size_t{100}, bytes.size()}) {
    CAPTURE(size);
    FailingSource image(bytes.substr(0, size));
    CHECK(error_of([&] { (void)open_capture(image); }, "failing") == EIO);
  }
}

#endif
