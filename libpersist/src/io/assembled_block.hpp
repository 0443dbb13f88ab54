// For sources of known size whose bytes lie in several places: windows out of blocks that are put together
// when asked for. The last block is kept, for those who go on from where they are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "io/block_source.hpp"
#include "persist/function_ref.hpp"
#include "persist/source.hpp"

namespace persist {

class AssembledBlock {
 public:
  // Several sources may have one pool.
  explicit AssembledBlock(std::shared_ptr<BlockPool> pool = std::make_shared<BlockPool>())
      : pool_(std::move(pool)) {}

  // Writes the `room` bytes from `offset` on; fewer if some cannot be had. Returns their number.
  using PutTogether = FunctionRef<size_t(uint64_t offset, char* to, size_t room)>;

  // At least `min` bytes, of the `left` that there are from `offset` on; fewer only if PutTogether writes
  // fewer.
  [[nodiscard]] Window window(uint64_t offset, uint64_t min, uint64_t left, PutTogether put_together);

 private:
  [[nodiscard]] uint64_t filled_from(uint64_t offset) const;

  std::shared_ptr<BlockPool> pool_;
  std::shared_ptr<Block> block_;
  uint64_t begin_ = 0;  // of the block, in the source
  size_t filled_ = 0;
};

}  // namespace persist
