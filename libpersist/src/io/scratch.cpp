// The slow path of Scratch: another chunk.
#include "io/scratch.hpp"

namespace persist {

namespace {

constexpr size_t kChunkBytes = size_t{64} << 10;

// What is kept between records. More is given back: one huge record must not set the size of the process for
// good.
constexpr size_t kKeptBytes = size_t{2} << 20;

}  // namespace

char* Scratch::take_chunk(size_t rounded) {
  while (++chunk_ < chunks_.size()) {
    if (chunks_[chunk_].capacity >= rounded) break;
  }
  if (chunk_ >= chunks_.size()) {
    chunk_ = chunks_.size();
    const size_t capacity = std::max(rounded, kChunkBytes << std::min<size_t>(chunks_.size(), 4));
    chunks_.push_back({std::make_unique_for_overwrite<char[]>(capacity), capacity});
  }
  used_ = rounded;
  return chunks_[chunk_].data.get();
}

void Scratch::trim() {
  size_t kept = 0;
  size_t count = 0;
  while (count < chunks_.size() && kept + chunks_[count].capacity <= kKeptBytes)
    kept += chunks_[count++].capacity;
  chunks_.resize(count);
}

}  // namespace persist
