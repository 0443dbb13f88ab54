// Captures of packets: whatever they hold, the streams have no more bytes than the capture, and their holes
// lie in them, in order.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "io/capture.hpp"
#include "persist/source.hpp"

using namespace persist;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto image = memory_source(Bytes(reinterpret_cast<const char*>(data), size));
  if (!is_capture(*image)) return 0;
  uint64_t bytes = 0;
  for (const CaptureStream& stream : open_capture(*image)) {
    const uint64_t there = stream.bytes->window(0, UINT64_MAX).bytes.size();
    if (there == 0 || there != stream.bytes->size()) std::abort();
    bytes += there;
    if (stream.holes.size() > stream.holes_in_all) std::abort();
    for (size_t i = 0; i < stream.holes.size(); ++i)
      if (stream.holes[i] > there || (i > 0 && stream.holes[i] <= stream.holes[i - 1])) std::abort();
  }
  if (bytes > size) std::abort();
  return 0;
}
