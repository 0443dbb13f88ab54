// Blocks double, so that a large value needs few of them.
#include "base/arena.hpp"

#include <algorithm>

namespace persist {

namespace {
constexpr size_t kFirstBlockBytes = size_t{64} << 10;
constexpr size_t kKeptBytesMax = size_t{4} << 20;
}  // namespace

char* Arena::take_block(size_t size) {
  const size_t doubled =
      blocks_.empty() ? kFirstBlockBytes : std::min(blocks_.back().size * 2, kKeptBytesMax);
  const size_t block_size = std::max(size, doubled);
  // new[] aligns for every fundamental type.
  blocks_.push_back({std::make_unique_for_overwrite<char[]>(block_size), block_size});
  at_ = blocks_.back().bytes.get() + size;
  end_ = blocks_.back().bytes.get() + block_size;
  return blocks_.back().bytes.get();
}

void Arena::clear() {
  if (blocks_.empty()) return;
  // The last block is the largest of those that grew by doubling.
  if (blocks_.size() > 1) {
    std::swap(blocks_.front(), blocks_.back());
    blocks_.resize(1);
  }
  if (blocks_.front().size > kKeptBytesMax) blocks_.clear();
  at_ = blocks_.empty() ? nullptr : blocks_.front().bytes.get();
  end_ = blocks_.empty() ? nullptr : at_ + blocks_.front().size;
}

}  // namespace persist
