// Carving: what is found lies in the image, one behind the other, and is the same by windows of every size;
// what is whole of a find is found again when it stands alone.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "persist/carve.hpp"
#include "support/drip_source.hpp"

namespace {

using namespace persist;

void require(bool holds) {
  if (!holds) std::abort();
}

std::vector<Carved> look_for(ByteSource& image, uint64_t tail_bytes) {
  CarveOptions options;
  options.dry_run = true;
  options.tail_bytes = tail_bytes;
  CarveSummary summary = carve(image, "", options);
  require(summary.found.size() == summary.found_in_all);
  return std::move(summary.found);
}

std::string text_of(const std::vector<Carved>& found) {
  std::string text;
  for (const Carved& carved : found) text += carved_line(carved);
  return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const Bytes image(reinterpret_cast<const char*>(data), size);
  const auto memory = memory_source(image);
  const std::vector<Carved> found = look_for(*memory, 100);
  test::DripSource small_windows(image, true);
  require(text_of(look_for(small_windows, 100)) == text_of(found));
  uint64_t end = 0;
  for (const Carved& carved : found) {
    require(carved.extent.offset >= end && carved.extent.size > 0);
    end = carved.extent.end();
    require(end <= size);
    require(carved.whole == !carved.why);
    require(carved.whole_bytes <= carved.extent.size);
    require(carved.whole ? carved.whole_bytes == carved.extent.size
                         : carved.extent.size <= carved.whole_bytes + 100);
    if (!carved.whole || carved.commands > 0 || !carved.header) continue;
    const Bytes alone =
        image.substr(static_cast<size_t>(carved.extent.offset), static_cast<size_t>(carved.extent.size));
    const std::vector<Carved> again = look_for(*memory_source(alone), 0);
    require(again.size() == 1 && again.front().whole && again.front().keys == carved.keys);
  }
  return 0;
}
