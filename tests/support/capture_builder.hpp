// Captures of packets, built from the inside out: a segment, the datagram around it, what the link puts
// before that, and the file of packets.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "persist/bytes.hpp"

namespace persist::test {

struct Segment {
  uint32_t sequence = 0;
  std::string bytes;
  bool is_syn = false;
  bool is_reply = false;  // from port 6379 to 50000, instead of the other way round
  uint16_t client_port = 50000;
};

[[nodiscard]] std::string tcp(const Segment& segment);

// From 10.0.0.2 to 10.0.0.1, or back if it is a reply. `options` is padded to words of four bytes.
[[nodiscard]] std::string ipv4(const Segment& segment, Bytes options = "", uint16_t fragment = 0);
// From fd00::2 to fd00::1. `extensions` stands before the segment; `type` is that of the first of them.
[[nodiscard]] std::string ipv6(const Segment& segment, uint8_t type = 6, Bytes extensions = "");
// `tags`: the types of VLAN tags.
[[nodiscard]] std::string ethernet(Bytes datagram, const std::vector<uint16_t>& tags = {});

// The numbers of links in files.
inline constexpr uint32_t kLoopbackLink = 0;
inline constexpr uint32_t kEthernetLink = 1;
inline constexpr uint32_t kRawLink = 101;
inline constexpr uint32_t kCookedLink = 113;
inline constexpr uint32_t kCookedV2Link = 276;

// A packet of which `captured` bytes are in the file.
struct CapturedPacket {
  std::string bytes;
  size_t captured = SIZE_MAX;
};

enum class CaptureForm : uint8_t { pcap, pcap_ns, pcap_big_endian, pcapng, pcapng_big_endian };
inline constexpr CaptureForm kCaptureForms[] = {CaptureForm::pcap, CaptureForm::pcap_ns,
                                                CaptureForm::pcap_big_endian, CaptureForm::pcapng,
                                                CaptureForm::pcapng_big_endian};

[[nodiscard]] std::string capture_of(const std::vector<CapturedPacket>& packets,
                                     CaptureForm form = CaptureForm::pcap, uint32_t link = kEthernetLink);

}  // namespace persist::test
