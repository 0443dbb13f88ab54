// Windows out of blocks. A new window starts a new block, so that views into the old one stay good.
#include "io/block_source.hpp"

#include <algorithm>
#include <cstring>
#include <limits>

namespace persist {

namespace {

// A run that is being searched for in a pipe may not be there at all; ask for memory only as bytes arrive.
constexpr size_t kGrowthFactor = 2;
constexpr size_t kBlocksKept = 8;

}  // namespace

std::shared_ptr<Block> BlockPool::take(size_t capacity) {
  std::unique_ptr<Block> block;
  if (capacity == kWindowBytes) {
    const std::lock_guard lock(mutex_);
    if (!free_.empty()) {
      block = std::move(free_.back());
      free_.pop_back();
    }
  }
  if (!block) {
    block = std::make_unique<Block>();
    block->data = std::make_unique_for_overwrite<char[]>(capacity + kBlockSlack);
    block->capacity = capacity;
    std::memset(block->data.get() + capacity, 0, kBlockSlack);
  }
  return {block.release(), [pool = shared_from_this()](Block* returned) {
            pool->give_back(std::unique_ptr<Block>(returned));
          }};
}

void BlockPool::give_back(std::unique_ptr<Block> block) {
  if (block->capacity != kWindowBytes) return;
  const std::lock_guard lock(mutex_);
  if (free_.size() < kBlocksKept) free_.push_back(std::move(block));
}

void BlockSource::seek(uint64_t /*offset*/) {}

void BlockSource::set_damage(FindingCode code, uint64_t offset, std::string found) {
  damage_.emplace();
  damage_->code = code;
  damage_->file = name_;
  damage_->extent.offset = offset;
  damage_->found = std::move(found);
}

Window BlockSource::window(uint64_t from, uint64_t min) {
  if (from < start_ || from > end()) move_to(from);
  if (end() < from || end() - from < min) grow(from, min);
  if (from >= end()) return {};
  return {Bytes(block_->data.get() + (from - start_), end() - from), block_};
}

// To a place outside the block: by seeking, or by reading over what lies between.
void BlockSource::move_to(uint64_t from) {
  if (rereadable()) {
    seek(from);
    start_ = from;
    filled_ = 0;
    ended_ = false;
    block_.reset();
    return;
  }
  while (end() < from && !ended_) grow(end(), 1);
}

// A new block that begins at `from` and holds at least `min` bytes, or all there are.
void BlockSource::grow(uint64_t from, uint64_t min) {
  const uint64_t left = size() ? std::max(*size(), from) - from : std::numeric_limits<uint64_t>::max();
  const auto wanted = static_cast<size_t>(std::min(min, left));
  // Whoever asks for a little more again and again does not have everything copied each time.
  const auto again = static_cast<size_t>(std::min<uint64_t>(2 * (end() - from), left));
  size_t capacity = size() ? std::max({kWindowBytes, wanted, again}) : kWindowBytes;
  while (!ended_ && end() - from < wanted) {
    const auto carried = static_cast<size_t>(end() - from);
    while (capacity <= carried) capacity *= kGrowthFactor;
    const std::shared_ptr<Block> next = pool_->take(capacity);
    if (carried > 0) std::memcpy(next->data.get(), block_->data.get() + (from - start_), carried);
    const size_t got = fill(next->data.get() + carried, capacity - carried);
    ended_ = got < capacity - carried;
    block_ = next;
    start_ = from;
    filled_ = carried + got;
  }
}

}  // namespace persist
