// A capture of packets (pcap, pcapng) as the byte streams of its TCP connections: what each side sent, in
// order, once. Needs libpcap; without it no capture is recognised.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "persist/source.hpp"

namespace persist {

struct CaptureStream {
  std::string name;  // "10.0.0.1:6379 > 10.0.0.2:51234"
  // Rereadable; a hole is closed up: what follows stands right behind. Once read it holds a block: whoever is
  // done with one of many streams lets go of it.
  std::unique_ptr<ByteSource> bytes;
  std::vector<uint64_t> holes;  // where in `bytes` something is missing, ascending; the first ones
  uint64_t holes_in_all = 0;
};

[[nodiscard]] bool is_capture(ByteSource& image);

// The streams in the order of their first packets. Their bytes are kept in a file without a name. Throws
// std::system_error. What cannot be read of a damaged capture is left out: what is behind the damage.
[[nodiscard]] std::vector<CaptureStream> open_capture(ByteSource& image);

}  // namespace persist
