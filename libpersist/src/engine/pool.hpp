// The memory of a dataset: blocks of any size out of large chunks, kept by size class when they are given
// back. Made for hundreds of millions of small blocks: no header, no lock, and pages of 2 MiB where the
// system has them, which are worth more than any other trick since every key is a cache miss of its own.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <unordered_map>
#include <utility>
#include <vector>

#include "persist/bytes.hpp"

// A sanitizer sees nothing of what happens inside a chunk: under it every block is allocated on its own.
#if defined(__SANITIZE_ADDRESS__)
#define PERSIST_BLOCKS_APART
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define PERSIST_BLOCKS_APART
#endif
#endif

namespace persist {

// Bytes may show nothing at no address, which memcpy() must not be given.
inline void copy_bytes(char* to, Bytes bytes) {
  if (!bytes.empty()) std::memcpy(to, bytes.data(), bytes.size());
}

// A thread that has the system clear the pages of the next chunk while the current one is being filled: half
// of the time that a large dataset takes is the kernel's, clearing pages.
class PageFeeder;

class Pool {
 public:
  Pool();
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  // Room for `size` bytes, at least; aligned to eight. Its address fits into 48 bits.
  [[nodiscard]] char* take(size_t size) {
    if (kApart || size > kLargest) [[unlikely]]
      return take_alone(size);
    const size_t row = class_of(size);
    if (Free* block = free_[row]) {
      free_[row] = block->next;
      return reinterpret_cast<char*>(block);
    }
    return carve(row);
  }

  // Takes back a block that was taken for `size` bytes, or for any size of the same capacity.
  void give(char* block, size_t size) {
    if (kApart || size > kLargest) [[unlikely]]
      return give_alone(block, size);
    free_[class_of(size)] = ::new (block) Free{free_[class_of(size)]};
  }

  // How many bytes a block taken for `size` has: it follows from the size alone, so that a block can grow in
  // place for as long as its capacity stays the same.
  [[nodiscard]] static constexpr size_t capacity(size_t size) {
    return size > kLargest ? large_capacity(size) : class_bytes(class_of(size));
  }

  template <typename T, typename... Args>
  [[nodiscard]] T* make(Args&&... args) {
    return ::new (take(sizeof(T))) T(std::forward<Args>(args)...);
  }
  template <typename T>
  void destroy(T* made) {
    made->~T();
    give(reinterpret_cast<char*>(made), sizeof(T));
  }

  // What hashes of this dataset are keyed with: nobody can prepare names that collide.
  [[nodiscard]] uint64_t seed() const { return seed_; }

  // Whether all that was taken goes with the pool, given back or not. Under a sanitizer it does not.
  [[nodiscard]] static constexpr bool frees_everything() { return !kApart; }

 private:
#ifdef PERSIST_BLOCKS_APART
  static constexpr bool kApart = true;
#else
  static constexpr bool kApart = false;
#endif

  struct Free {
    Free* next;
  };

  // Classes: steps of 8 bytes up to 128, then four steps for each doubling.
  static constexpr size_t kSmallMax = 128;
  static constexpr size_t kSmallClasses = kSmallMax / 8;
  static constexpr size_t kLargest = size_t{32} << 10;
  static constexpr size_t kClasses = kSmallClasses + size_t{4} * 8;

  static constexpr size_t class_of(size_t size) {
    if (size <= kSmallMax) return size == 0 ? 0 : (size - 1) / 8;
    const auto log = static_cast<size_t>(std::bit_width(size - 1)) - 1;  // of the doubling it lies in
    const size_t step = ((size - 1) >> (log - 2)) & 3;
    return kSmallClasses + (log - 7) * 4 + step;
  }
  static constexpr size_t class_bytes(size_t row) {
    if (row < kSmallClasses) return (row + 1) * 8;
    const size_t log = 7 + (row - kSmallClasses) / 4;
    const size_t step = (row - kSmallClasses) % 4;
    return (size_t{1} << log) + ((step + 1) << (log - 2));
  }
  // Likewise, in steps of an eighth.
  static constexpr size_t large_capacity(size_t size) {
    const auto log = static_cast<size_t>(std::bit_width(size - 1)) - 1;
    const size_t step = size_t{1} << (log - 3);
    return (size + step - 1) / step * step;
  }

  char* carve(size_t row);
  char* take_chunk(size_t bytes);
  char* take_alone(size_t size);
  void give_alone(char* block, size_t size);

  std::array<Free*, kClasses> free_{};
  char* at_ = nullptr;
  char* end_ = nullptr;
  struct Chunk {
    char* begin;
    size_t size;
  };
  std::vector<Chunk> chunks_;
  std::unique_ptr<PageFeeder> feeder_;
  std::unordered_map<char*, size_t> alone_;  // blocks of their own, with their capacity
  uint64_t seed_;
};

}  // namespace persist
