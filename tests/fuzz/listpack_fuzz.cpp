// Listpacks: whatever the bytes, every entry lies inside and the walk ends.
#include "codec/listpack.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

using namespace persist;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const Bytes bytes(reinterpret_cast<const char*>(data), size);
  try {
    ListpackReader reader(Blob{bytes, 0, false});
    PackedItem item;
    ItemText text;
    size_t before = 0;
    while (reader.next(item)) {
      if (item.at <= before || item.at >= size) std::abort();
      before = item.at;
      const Bytes told = item.as_text(text);
      if (!item.is_number && (told.data() < bytes.data() || told.end() > bytes.end())) std::abort();
    }
  } catch (const FormatError& error) {
    if (error.finding.extent.end() > size) std::abort();
  }
  return 0;
}
