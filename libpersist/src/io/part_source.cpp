// Windows of the other source, cut to the part.
#include "io/part_source.hpp"

#include <algorithm>

namespace persist {

PartSource::PartSource(ByteSource& from, Extent part, uint64_t window_max)
    : from_(from), part_(part), window_max_(window_max) {}

Window PartSource::window(uint64_t offset, uint64_t min) {
  if (offset >= part_.size) return {};
  const uint64_t left = part_.size - offset;
  Window window = from_.window(part_.offset + offset, std::min({min, left, window_max_}));
  window.bytes = window.bytes.substr(0, static_cast<size_t>(std::min<uint64_t>(left, window.bytes.size())));
  return window;
}

}  // namespace persist
