// A fork is a node with a byte and a pointer for each child; what lies between two forks, or a fork and a
// leaf, is one node, a chain of bytes; a leaf has the pointer to what the key stands for.
#include "engine/radix_shape.hpp"

#include <bit>

namespace persist {

namespace {

constexpr uint64_t kNodeHead = 4;
constexpr uint64_t kPointer = 8;
constexpr uint64_t kTreeHead = 24;

uint64_t aligned_node(uint64_t bytes) { return (kNodeHead + bytes + kPointer - 1) / kPointer * kPointer; }

uint64_t chain_bytes(unsigned length) { return aligned_node(length) + kPointer; }
uint64_t fork_bytes(unsigned children) { return aligned_node(children) + children * kPointer; }

unsigned shared_bytes(StreamId a, StreamId b) {
  constexpr unsigned kByteBits = 8;
  const unsigned of_ms = static_cast<unsigned>(std::countl_zero(a.ms ^ b.ms)) / kByteBits;
  if (of_ms < kPointer) return of_ms;
  return of_ms + static_cast<unsigned>(std::countl_zero(a.seq ^ b.seq)) / kByteBits;
}

}  // namespace

void RadixShape::add_chain(unsigned length, const AllocatorSizes& sizes) {
  if (length == 0) return;
  ++nodes_;
  bytes_ += sizes(chain_bytes(length));
}

void RadixShape::take_chain(unsigned length, const AllocatorSizes& sizes) {
  if (length == 0) return;
  --nodes_;
  bytes_ -= sizes(chain_bytes(length));
}

void RadixShape::add_leaf(const AllocatorSizes& sizes) {
  ++nodes_;
  bytes_ += sizes(aligned_node(0) + kPointer);
}

// The chain that the last key has at that byte gives way to what stands above, a fork and what stands below.
void RadixShape::split(unsigned depth, const AllocatorSizes& sizes) {
  const uint32_t above = forks_ & ((uint32_t{1} << depth) - 1);
  const uint32_t below = forks_ >> depth >> 1;
  const auto begin = static_cast<unsigned>(std::bit_width(above));
  const unsigned end = below == 0 ? kKeyBytes : depth + 1 + static_cast<unsigned>(std::countr_zero(below));
  take_chain(end - begin, sizes);
  add_chain(depth - begin, sizes);
  add_chain(end - depth - 1, sizes);
  ++nodes_;
  children_[depth] = 1;
  bytes_ += sizes(fork_bytes(1));
}

void RadixShape::add(StreamId id, const AllocatorSizes& sizes) {
  if (keys_ == 0) {
    nodes_ = 0;
    add_chain(kKeyBytes, sizes);
  } else {
    const unsigned depth = shared_bytes(id, last_);
    if (depth == kKeyBytes) return;
    const uint32_t fork = uint32_t{1} << depth;
    if ((forks_ & fork) == 0) split(depth, sizes);
    forks_ = (forks_ & (fork - 1)) | fork;
    bytes_ -= sizes(fork_bytes(children_[depth]));
    bytes_ += sizes(fork_bytes(++children_[depth]));
    add_chain(kKeyBytes - 1 - depth, sizes);
  }
  add_leaf(sizes);
  ++keys_;
  last_ = id;
}

uint64_t RadixShape::allocated(const AllocatorSizes& sizes) const {
  return sizes(kTreeHead) + (keys_ == 0 ? sizes(aligned_node(0)) : bytes_);
}

}  // namespace persist
