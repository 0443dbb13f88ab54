// What the radix trees of streams take: those whose keys are the IDs of nodes or of pending entries. Only the
// rightmost path is kept, which is enough as long as IDs come in ascending order.
#pragma once

#include <array>
#include <cstdint>

#include "engine/allocator_sizes.hpp"
#include "persist/element.hpp"

namespace persist {

class RadixShape {
 public:
  // A greater ID than all before; any other may make it a little wrong.
  void add(StreamId id, const AllocatorSizes& sizes);

  [[nodiscard]] uint64_t keys() const { return keys_; }
  [[nodiscard]] uint64_t nodes() const { return nodes_; }
  // Of its nodes and its head, as allocated.
  [[nodiscard]] uint64_t allocated(const AllocatorSizes& sizes) const;

 private:
  static constexpr unsigned kKeyBytes = 16;

  void split(unsigned depth, const AllocatorSizes& sizes);
  void add_chain(unsigned length, const AllocatorSizes& sizes);
  void take_chain(unsigned length, const AllocatorSizes& sizes);
  void add_leaf(const AllocatorSizes& sizes);

  uint64_t keys_ = 0;
  uint64_t nodes_ = 1;
  uint64_t bytes_ = 0;
  StreamId last_;
  uint32_t forks_ = 0;                          // bit d: the path of the last key forks at its byte d
  std::array<uint16_t, kKeyBytes> children_{};  // of these
};

}  // namespace persist
