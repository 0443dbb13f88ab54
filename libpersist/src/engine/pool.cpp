// Where the chunks of a pool come from.
#include "engine/pool.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cassert>
#include <condition_variable>
#include <mutex>
#include <system_error>
#include <thread>

#include "base/hash64.hpp"

namespace persist {

namespace {

// Chunks double from the first to the last of these, so that a small dataset stays small.
constexpr size_t kChunkBytesMin = size_t{64} << 10;
constexpr size_t kPoolChunkBytesMax = size_t{16} << 20;
constexpr size_t kHugePageBytes = size_t{2} << 20;

std::align_val_t alignment_of(size_t size) {
  return std::align_val_t{size >= kHugePageBytes ? kHugePageBytes : size_t{64}};
}

char* allocate_pages(size_t size) {
  char* block = static_cast<char*>(::operator new(size, alignment_of(size)));
#ifdef MADV_HUGEPAGE
  if (size >= kHugePageBytes) ::madvise(block, size, MADV_HUGEPAGE);  // a hint: refusal changes nothing
#endif
  return block;
}

void release_pages(char* block, size_t size) { ::operator delete(block, alignment_of(size)); }

}  // namespace

// Holds one chunk of the largest size ready.
class PageFeeder {
 public:
  PageFeeder() : thread_([this] { run(); }) {}
  ~PageFeeder() {
    {
      const std::lock_guard lock(mutex_);
      ends_ = true;
    }
    wanted_.notify_one();
    thread_.join();
    if (ready_ != nullptr) release_pages(ready_, kPoolChunkBytesMax);
  }
  PageFeeder(const PageFeeder&) = delete;
  PageFeeder& operator=(const PageFeeder&) = delete;

  // The chunk, or null if it is not ready: whoever asks is then faster than the thread. Another one follows.
  char* take() {
    char* taken = nullptr;
    {
      const std::lock_guard lock(mutex_);
      taken = std::exchange(ready_, nullptr);
    }
    wanted_.notify_one();
    return taken;
  }

 private:
  void run() {
    std::unique_lock lock(mutex_);
    while (true) {
      wanted_.wait(lock, [this] { return ends_ || ready_ == nullptr; });
      if (ends_) return;
      lock.unlock();
      char* chunk = static_cast<char*>(
          ::operator new(kPoolChunkBytesMax, alignment_of(kPoolChunkBytesMax), std::nothrow));
      if (chunk != nullptr) touch(chunk);
      lock.lock();
      if (chunk == nullptr) return;
      ready_ = chunk;
    }
  }

  static void touch(char* chunk) {
#ifdef MADV_HUGEPAGE
    ::madvise(chunk, kPoolChunkBytesMax, MADV_HUGEPAGE);
#endif
    constexpr size_t kPageBytes = 4096;
    for (size_t at = 0; at < kPoolChunkBytesMax; at += kPageBytes) chunk[at] = 0;
  }

  std::mutex mutex_;
  std::condition_variable wanted_;
  char* ready_ = nullptr;
  bool ends_ = false;
  std::thread thread_;
};

Pool::Pool() : seed_(random_seed()) {}

Pool::~Pool() {
  for (const Chunk& chunk : chunks_) release_pages(chunk.begin, chunk.size);
  for (const auto& [block, size] : alone_) release_pages(block, size);
}

// A new block of the class: from the current chunk, or else from a new one.
char* Pool::carve(size_t row) {
  const size_t size = class_bytes(row);
  if (static_cast<size_t>(end_ - at_) < size) {
    const size_t grown = chunks_.empty() ? kChunkBytesMin : chunks_.back().size * 2;
    const size_t bytes = std::max(std::min(grown, kPoolChunkBytesMax), size);
    chunks_.reserve(chunks_.size() + 1);
    at_ = take_chunk(bytes);
    end_ = at_ + bytes;
    chunks_.push_back({at_, bytes});
    assert(reinterpret_cast<uintptr_t>(end_) >> 48 == 0);
  }
  char* block = at_;
  at_ += size;
  return block;
}

char* Pool::take_chunk(size_t bytes) {
  if (bytes < kPoolChunkBytesMax) return allocate_pages(bytes);
  if (!feeder_) {
    try {
      feeder_ = std::make_unique<PageFeeder>();
    } catch (const std::system_error&) {
      return allocate_pages(bytes);  // no thread to be had: slower, that is all
    }
  }
  char* ready = feeder_->take();
  return ready != nullptr ? ready : allocate_pages(bytes);
}

char* Pool::take_alone(size_t size) {
  const size_t bytes = capacity(size);
  if (kApart) return allocate_pages(bytes);
  char* block = allocate_pages(bytes);
  alone_.emplace(block, bytes);
  return block;
}

void Pool::give_alone(char* block, size_t size) {
  if (!kApart) alone_.erase(block);
  release_pages(block, capacity(size));
}

}  // namespace persist
