// Room for bytes that must stay where they are until all of them are done with.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <type_traits>
#include <vector>

#include "persist/bytes.hpp"

namespace persist {

class Arena {
 public:
  // A copy of the bytes, valid until clear().
  Bytes keep(Bytes bytes) {
    if (bytes.empty()) return {};
    char* at = take(bytes.size(), 1);
    std::memcpy(at, bytes.data(), bytes.size());
    return {at, bytes.size()};
  }

  // Objects that nobody has to destroy, not initialised.
  template <typename T>
  requires(std::is_trivially_destructible_v<T>) std::span<T> make(size_t count) {
    if (count == 0) return {};
    char* at = take(count * sizeof(T), alignof(T));
    return {reinterpret_cast<T*>(at), count};
  }

  // What was kept is void. Memory is kept for what comes, but for what only something unusually large needed.
  void clear();

 private:
  struct Block {
    std::unique_ptr<char[]> bytes;
    size_t size = 0;
  };

  char* take(size_t size, size_t alignment) {
    const size_t skip = (alignment - reinterpret_cast<uintptr_t>(at_) % alignment) % alignment;
    if (at_ == nullptr || static_cast<size_t>(end_ - at_) < size + skip) [[unlikely]]
      return take_block(size);
    char* taken = at_ + skip;
    at_ = taken + size;
    return taken;
  }
  char* take_block(size_t size);

  char* at_ = nullptr;
  char* end_ = nullptr;
  std::vector<Block> blocks_;
};

}  // namespace persist
