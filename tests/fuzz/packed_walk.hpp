// What holds of the containers of packed items: whatever the bytes, every entry lies inside and the walk
// ends.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "codec/blob.hpp"
#include "codec/packed_item.hpp"
#include "persist/finding.hpp"

namespace persist {

template <typename Reader>
void walk_packed(const uint8_t* data, size_t size) {
  const Bytes bytes(reinterpret_cast<const char*>(data), size);
  try {
    Reader reader(Blob{bytes, 0, false});
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
}

}  // namespace persist
