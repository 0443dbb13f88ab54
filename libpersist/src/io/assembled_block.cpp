// A new window starts a new block, so that views into the old one stay good.
#include "io/assembled_block.hpp"

#include <algorithm>

namespace persist {

// How much of what was put together stands at `offset` and behind it.
uint64_t AssembledBlock::filled_from(uint64_t offset) const {
  if (offset < begin_ || offset - begin_ >= filled_) return 0;
  return filled_ - (offset - begin_);
}

Window AssembledBlock::window(uint64_t offset, uint64_t min, uint64_t left, PutTogether put_together) {
  if (const uint64_t filled = filled_from(offset); filled < min) {
    // Whoever asks for a little more again and again does not have everything copied each time.
    const uint64_t room = std::min(std::max({min, uint64_t{kWindowBytes}, 2 * filled}), left);
    const std::shared_ptr<Block> next = pool_->take(std::max<size_t>(room, kWindowBytes));
    filled_ = put_together(offset, next->data.get(), room);
    begin_ = offset;
    block_ = next;
  }
  const uint64_t filled = filled_from(offset);
  if (filled == 0) return {};
  return {Bytes(block_->data.get() + (offset - begin_), filled), block_};
}

}  // namespace persist
