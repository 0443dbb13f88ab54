// One captured packet: the TCP segment in it, if that is what it holds.
#pragma once

#include <cstdint>
#include <optional>

#include "io/tcp_streams.hpp"
#include "persist/bytes.hpp"

namespace persist {

// What a packet begins with.
enum class Link : uint8_t {
  ethernet,
  raw_ip,
  linux_cooked,     // SLL
  linux_cooked_v2,  // SLL2
  bsd_loopback      // a family of addresses, which differs from system to system
};

// `size` is that of the packet as it was sent; less of it may have been captured. The bytes of the segment
// are views into those of the packet. Fragments of datagrams are not put together and hold no segment.
[[nodiscard]] std::optional<TcpSegment> tcp_segment(Link link, Bytes captured, uint64_t size);

}  // namespace persist
