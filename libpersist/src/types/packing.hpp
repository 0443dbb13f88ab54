// What the encoders share: containers as the target reads them, what is small enough for one, and elements in
// the order that a layout wants.
#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include "codec/listpack_writer.hpp"
#include "codec/ziplist_writer.hpp"
#include "types/encoder.hpp"
#include "types/value.hpp"

namespace persist {

[[nodiscard]] inline Backlen backlen_of(const Target& target) {
  return target.narrow_backlen ? Backlen::narrow : Backlen::wide;
}

[[nodiscard]] inline ZiplistIntegers ziplist_integers_of(const Target& target) {
  constexpr unsigned kAllSince = 206;
  return target.release < kAllSince ? ZiplistIntegers::wide : ZiplistIntegers::all;
}

// A STR that is one listpack or ziplist: of what `add(writer)` adds.
template <typename Writer, typename Form, typename Add>
void put_container(Encoder& out, Form form, Add add) {
  ByteBuffer& container = out.container();
  Writer writer(container, form);
  add(writer);
  writer.finish();
  out.blob(container.bytes());
}
template <typename Add>
void put_listpack(Encoder& out, Add add) {
  put_container<ListpackWriter>(out, backlen_of(*out.rules().target), add);
}
template <typename Add>
void put_ziplist(Encoder& out, Add add) {
  put_container<ZiplistWriter>(out, ziplist_integers_of(*out.rules().target), add);
}

// Servers make no container of 1 GiB. Limits that somebody has set may lead there; half of it is where we
// stop.
inline constexpr uint64_t kPackedBytesMax = uint64_t{512} << 20;

// Whether the value is within the limits, and a container that holds `items` for each element within ours.
[[nodiscard]] inline bool is_small(const Value& value, uint64_t entries_max, uint64_t longest_max,
                                   uint64_t items) {
  constexpr uint64_t kItemRoom = 32;  // a number, or what an item takes besides its bytes
  const uint64_t count = value.count();
  return count <= entries_max && value.longest <= longest_max &&
         count * items <= kPackedBytesMax / (value.longest + kItemRoom);
}

// The elements in order: themselves if they are, else a copy in the encoder's scratch memory.
template <typename T, typename Before>
[[nodiscard]] std::span<const T> in_order(Encoder& out, const std::vector<T>& elements, Before before) {
  if (std::is_sorted(elements.begin(), elements.end(), before)) return elements;
  const std::span<T> sorted = out.scratch().array<T>(elements.size());
  std::copy(elements.begin(), elements.end(), sorted.begin());
  std::sort(sorted.begin(), sorted.end(), before);
  return sorted;
}

}  // namespace persist
