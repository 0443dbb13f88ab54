// jemalloc has four sizes for each doubling, but for the small ones, which are multiples of a quantum. The C
// library keeps 8 bytes in front of what it gives out, and both together are a multiple of 16.
#include "engine/allocator_sizes.hpp"

#include <algorithm>
#include <bit>

namespace persist {

namespace {

constexpr uint64_t kSmallestSize = 8;
constexpr unsigned kSizesPerDoublingBits = 2;

uint64_t to_multiple(uint64_t bytes, uint64_t of) { return (bytes + of - 1) / of * of; }

uint64_t jemalloc_size(uint64_t bytes, uint64_t quantum) {
  if (bytes <= kSmallestSize) return kSmallestSize;
  const auto doubling = static_cast<unsigned>(std::bit_width(bytes - 1)) - 1;
  const uint64_t step = (uint64_t{1} << doubling) >> kSizesPerDoublingBits;
  return to_multiple(bytes, std::max(step, quantum));
}

uint64_t libc_size(uint64_t bytes) {
  constexpr uint64_t kFront = 8;
  constexpr uint64_t kLeast = 24;
  return std::max(to_multiple(bytes + kFront, 16) - kFront, kLeast);
}

}  // namespace

AllocatorSizes::AllocatorSizes(Allocator allocator) : allocator_(allocator) {
  for (size_t i = 0; i < table_.size(); ++i) table_[i] = static_cast<uint16_t>(round_up(i * kStep));
}

uint64_t AllocatorSizes::round_up(uint64_t bytes) const {
  switch (allocator_) {
    case Allocator::jemalloc:
      return jemalloc_size(bytes, 8);
    case Allocator::jemalloc_system:
      return jemalloc_size(bytes, 16);
    case Allocator::libc:
      break;
  }
  return libc_size(bytes);
}

}  // namespace persist
