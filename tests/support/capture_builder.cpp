// The layouts are those of the RFCs; checksums stay zero, as they do where network cards are to fill them in.
#include "support/capture_builder.hpp"

#include <algorithm>

#include "support/bytes_builder.hpp"

namespace persist::test {

namespace {

std::string address(const Segment& segment, bool is_sender, Bytes network, size_t size) {
  std::string bytes(network);
  bytes.resize(size - 1);
  return bytes + (segment.is_reply == is_sender ? '\x01' : '\x02');
}

// Numbers in the byte order of the file.
struct FileNumbers {
  bool is_big_endian;

  template <typename T>
  [[nodiscard]] std::string operator()(T value) const {
    return is_big_endian ? be(value) : le(value);
  }
};

std::string captured_part(const CapturedPacket& packet) { return packet.bytes.substr(0, packet.captured); }

std::string pcap_of(const std::vector<CapturedPacket>& packets, CaptureForm form, uint32_t link) {
  const FileNumbers n{form == CaptureForm::pcap_big_endian};
  const uint32_t magic = form == CaptureForm::pcap_ns ? 0xa1b23c4d : 0xa1b2c3d4;
  std::string file =
      n(magic) + n(uint16_t{2}) + n(uint16_t{4}) + n(uint64_t{0}) + n(uint32_t{65535}) + n(link);
  for (const CapturedPacket& packet : packets) {
    const std::string part = captured_part(packet);
    file += n(uint64_t{0}) + n(static_cast<uint32_t>(part.size())) +
            n(static_cast<uint32_t>(packet.bytes.size())) + part;
  }
  return file;
}

std::string pcapng_block(const FileNumbers& n, uint32_t type, std::string body) {
  body.resize((body.size() + 3) / 4 * 4);
  const auto size = static_cast<uint32_t>(body.size() + 12);
  return n(type) + n(size) + body + n(size);
}

std::string pcapng_of(const std::vector<CapturedPacket>& packets, CaptureForm form, uint32_t link) {
  const FileNumbers n{form == CaptureForm::pcapng_big_endian};
  std::string file = pcapng_block(
      n, 0x0a0d0d0a, n(uint32_t{0x1a2b3c4d}) + n(uint16_t{1}) + n(uint16_t{0}) + n(~uint64_t{0}));
  file += pcapng_block(n, 1, n(static_cast<uint16_t>(link)) + n(uint16_t{0}) + n(uint32_t{65535}));
  for (const CapturedPacket& packet : packets) {
    const std::string part = captured_part(packet);
    file += pcapng_block(n, 6,
                         n(uint32_t{0}) + n(uint64_t{0}) + n(static_cast<uint32_t>(part.size())) +
                             n(static_cast<uint32_t>(packet.bytes.size())) + part);
  }
  return file;
}

}  // namespace

std::string tcp(const Segment& segment) {
  const uint16_t server_port = 6379;
  const uint16_t from = segment.is_reply ? server_port : segment.client_port;
  const uint16_t to = segment.is_reply ? segment.client_port : server_port;
  const uint8_t flags = segment.is_syn ? 0x02 : 0x10;
  return be(from) + be(to) + be(segment.sequence) + be(uint32_t{0}) + be(uint8_t{0x60}) + be(flags) +
         be(uint16_t{1000}) + be(uint32_t{0}) + be(uint32_t{0x01010101}) + segment.bytes;
}

std::string ipv4(const Segment& segment, Bytes options, uint16_t fragment) {
  const std::string inside = tcp(segment);
  const size_t words = 5 + (options.size() + 3) / 4;
  std::string padded(options);
  padded.resize((words - 5) * 4);
  const Bytes network("\x0a\0\0", 3);
  return be(static_cast<uint8_t>(0x40 | words)) + be(uint8_t{0}) +
         be(static_cast<uint16_t>(words * 4 + inside.size())) + be(uint16_t{0}) + be(fragment) +
         be(uint8_t{64}) + be(uint8_t{6}) + be(uint16_t{0}) + address(segment, true, network, 4) +
         address(segment, false, network, 4) + padded + inside;
}

std::string ipv6(const Segment& segment, uint8_t type, Bytes extensions) {
  const std::string inside = std::string(extensions) + tcp(segment);
  return be(uint32_t{0x60000000}) + be(static_cast<uint16_t>(inside.size())) + be(type) + be(uint8_t{64}) +
         address(segment, true, "\xfd", 16) + address(segment, false, "\xfd", 16) + inside;
}

std::string ethernet(Bytes datagram, const std::vector<uint16_t>& tags) {
  std::string frame(12, '\x02');
  for (const uint16_t tag : tags) frame += be(tag) + be(uint16_t{42});
  frame += be(static_cast<uint16_t>((datagram[0] >> 4) == 4 ? 0x0800 : 0x86dd));
  frame += datagram;
  frame.resize(std::max<size_t>(frame.size(), 60));  // a shorter one is padded
  return frame;
}

std::string capture_of(const std::vector<CapturedPacket>& packets, CaptureForm form, uint32_t link) {
  const bool is_ng = form == CaptureForm::pcapng || form == CaptureForm::pcapng_big_endian;
  return is_ng ? pcapng_of(packets, form, link) : pcap_of(packets, form, link);
}

}  // namespace persist::test
