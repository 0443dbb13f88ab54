// From the outside in: each layer checks that its header is there, takes it off, and cuts what is padding.
//
//   link      Ethernet: addresses, type u16. SLL: 14 bytes, type u16. SLL2: type u16, 18 bytes. BSD: family
//   u32 VLAN      tag u16, type u16, as often as the type before says so IPv4      version and header words
//   u4 u4, u8, total length u16, u16, fragment u16, u8, protocol u8, u16,
//             addresses u32 u32, options
//   IPv6      version u4 …, payload length u16, next header u8, u8, addresses of 16 bytes, extension headers
//   TCP       ports u16 u16, sequence u32, u32, header words u4 …, flags u8, …, options
#include "io/packet.hpp"

#include <algorithm>

#include "base/endian.hpp"

namespace persist {

namespace {

struct LinkLayout {
  size_t header;
  std::optional<size_t> type_at;  // of what follows; else that tells itself by its first bits
};

constexpr LinkLayout kLinkLayouts[] = {{14, 12}, {0, std::nullopt}, {16, 14}, {20, 0}, {4, std::nullopt}};

constexpr uint16_t kTypeIpv4 = 0x0800;
constexpr uint16_t kTypeIpv6 = 0x86dd;
constexpr uint16_t kVlanTypes[] = {0x8100, 0x88a8, 0x9100};

enum IpProtocol : uint8_t {
  kHopByHop = 0,
  kTcp = 6,
  kRouting = 43,
  kFragment = 44,
  kAuthentication = 51,
  kDestination = 60
};

// No datagram is larger, however it was handed to the network card.
constexpr uint64_t kDatagramMax = uint64_t{1} << 20;

// What is left of a packet.
struct Packet {
  Bytes bytes;
  uint64_t size = 0;  // as it was sent, at least that of the bytes

  [[nodiscard]] uint8_t u8(size_t at) const { return static_cast<uint8_t>(bytes[at]); }
  [[nodiscard]] uint16_t u16(size_t at) const { return load_be<uint16_t>(bytes.data() + at); }
  [[nodiscard]] bool take(size_t count) {
    if (count > bytes.size()) return false;
    bytes.remove_prefix(count);
    size -= count;
    return true;
  }
  // What is behind that is padding.
  void cut(uint64_t to) {
    size = to;
    bytes = bytes.substr(0, to);
  }
};

bool take_link(Link link, Packet& packet) {
  const LinkLayout& layout = kLinkLayouts[static_cast<size_t>(link)];
  if (packet.bytes.size() < layout.header) return false;
  if (!layout.type_at) return packet.take(layout.header);
  uint16_t type = packet.u16(*layout.type_at);
  if (!packet.take(layout.header)) return false;
  while (std::find(std::begin(kVlanTypes), std::end(kVlanTypes), type) != std::end(kVlanTypes)) {
    if (packet.bytes.size() < 4) return false;
    type = packet.u16(2);
    if (!packet.take(4)) return false;
  }
  return type == kTypeIpv4 || type == kTypeIpv6;
}

// A length of 0 is that of a datagram which the network card was to cut into segments: it is all there is.
bool cut_to_stated(Packet& packet, uint64_t stated) {
  if (stated != 0) packet.cut(stated);
  return packet.size <= kDatagramMax;
}

bool take_ipv4(Packet& packet, TcpPath& path) {
  if (packet.bytes.size() < 20) return false;
  const size_t header = size_t{4} * (packet.u8(0) & 0x0f);
  const uint16_t stated = packet.u16(2);
  if (header < 20 || (stated != 0 && stated < header)) return false;
  if ((packet.u16(6) & 0x3fff) != 0 || packet.u8(9) != kTcp)
    return false;  // more fragments, or not the first
  std::copy_n(packet.bytes.begin() + 12, 4, path.from.address.begin());
  std::copy_n(packet.bytes.begin() + 16, 4, path.to.address.begin());
  return cut_to_stated(packet, stated) && packet.take(header);
}

// The size of the extension header of that type at the front; 0 if it is none, or leads to no segment.
size_t extension_size(const Packet& packet, uint8_t type) {
  if (packet.bytes.size() < 8) return 0;
  switch (type) {
    case kHopByHop:
    case kRouting:
    case kDestination:
      return 8 * (size_t{packet.u8(1)} + 1);
    case kAuthentication:
      return 4 * (size_t{packet.u8(1)} + 2);
    case kFragment:
      return (packet.u16(2) & 0xfff9) == 0 ? 8 : 0;  // a whole datagram may have this header too
    default:
      return 0;
  }
}

bool take_ipv6(Packet& packet, TcpPath& path) {
  if (packet.bytes.size() < 40) return false;
  const uint16_t stated = packet.u16(4);
  uint8_t type = packet.u8(6);
  path.is_ipv6 = true;
  std::copy_n(packet.bytes.begin() + 8, 16, path.from.address.begin());
  std::copy_n(packet.bytes.begin() + 24, 16, path.to.address.begin());
  if (!packet.take(40) || !cut_to_stated(packet, stated)) return false;
  while (type != kTcp) {
    const size_t size = extension_size(packet, type);
    if (size == 0) return false;
    type = packet.u8(0);
    if (!packet.take(size)) return false;
  }
  return true;
}

bool take_ip(Packet& packet, TcpPath& path) {
  if (packet.bytes.empty()) return false;
  switch (packet.u8(0) >> 4) {
    case 4:
      return take_ipv4(packet, path);
    case 6:
      return take_ipv6(packet, path);
    default:
      return false;
  }
}

}  // namespace

std::optional<TcpSegment> tcp_segment(Link link, Bytes captured, uint64_t size) {
  Packet packet{captured, std::max<uint64_t>(size, captured.size())};
  TcpSegment segment;
  if (!take_link(link, packet) || !take_ip(packet, segment.path) || packet.bytes.size() < 20)
    return std::nullopt;
  segment.path.from.port = packet.u16(0);
  segment.path.to.port = packet.u16(2);
  segment.sequence = load_be<uint32_t>(packet.bytes.data() + 4);
  segment.is_syn = (packet.u8(13) & 0x02) != 0;
  const size_t header = size_t{4} * (packet.u8(12) >> 4);
  if (header < 20 || header > packet.size) return std::nullopt;
  packet.size -= header;
  segment.bytes = packet.bytes.substr(std::min(header, packet.bytes.size()));
  segment.missing = static_cast<uint32_t>(packet.size - segment.bytes.size());
  return segment;
}

}  // namespace persist
