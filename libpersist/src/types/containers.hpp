// Entries of a packed container (listpack or ziplist) taken one, two or three at a time.
#pragma once

#include <array>

#include "codec/packed_item.hpp"
#include "persist/finding.hpp"

namespace persist {

// Calls `each(items)` with every N entries. Throws FormatError if entries are left over.
template <size_t N, typename Reader, typename Each>
void for_each_tuple(Reader& reader, const char* noun, Each each) {
  std::array<PackedItem, N> items;
  while (reader.next(items[0])) {
    for (size_t i = 1; i < N; ++i) {
      if (!reader.next(items[i])) {
        reader.blob().fail(FindingCode::container_tuple, items[0].at, 0, noun,
                           "entries in groups of " + std::to_string(N), std::to_string(i) + " left over");
      }
    }
    each(items);
  }
}

}  // namespace persist
