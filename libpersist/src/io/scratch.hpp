// Memory for what a decoder makes: inflated strings, numbers as text, lists of IDs. Taken like a stack, kept
// for the next record, so that reading allocates nothing once it is warm.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <new>
#include <span>
#include <type_traits>
#include <vector>

namespace persist {

class Scratch {
 public:
  // This many bytes behind what was asked for may be overwritten too: room for wide copies.
  static constexpr size_t kSlack = 64;

  struct Mark {
    size_t chunk = 0;
    size_t used = 0;
  };

  // Uninitialised, aligned for any plain type. Addresses stay good until a rewind to before them.
  char* take(size_t size) {
    const size_t rounded = (size + kSlack + kAlignment - 1) & ~(kAlignment - 1);
    if (chunk_ < chunks_.size() && chunks_[chunk_].capacity - used_ >= rounded) [[likely]] {
      char* taken = chunks_[chunk_].data.get() + used_;
      used_ += rounded;
      return taken;
    }
    return take_chunk(rounded);
  }

  template <typename T>
  requires std::is_trivially_destructible_v<T> std::span<T> array(size_t count) {
    return {new (take(count * sizeof(T))) T[count], count};
  }

  [[nodiscard]] Mark mark() const { return {chunk_, used_}; }
  void rewind(Mark to) {
    chunk_ = to.chunk;
    used_ = to.used;
  }

  // Forgets everything and gives back what only an unusually large record needed.
  void reset() {
    chunk_ = used_ = 0;
    if (chunks_.size() > 1) trim();
  }

 private:
  static constexpr size_t kAlignment = 16;
  struct Chunk {
    std::unique_ptr<char[]> data;
    size_t capacity = 0;
  };

  char* take_chunk(size_t rounded);
  void trim();

  std::vector<Chunk> chunks_;
  size_t chunk_ = 0;
  size_t used_ = 0;
};

// A list that grows in a Scratch: for counts that cannot be trusted, so that nothing is taken before the
// bytes are there.
template <typename T>
class ScratchList {
 public:
  explicit ScratchList(Scratch& scratch) : scratch_(scratch) {}
  void push(const T& item) {
    if (size_ == room_.size()) grow();
    room_[size_++] = item;
  }
  void clear() { size_ = 0; }
  [[nodiscard]] std::span<T> items() const { return room_.first(size_); }

 private:
  void grow() {
    const std::span<T> larger = scratch_.array<T>(room_.empty() ? 16 : room_.size() * 2);
    std::copy(room_.begin(), room_.end(), larger.begin());
    room_ = larger;
  }
  Scratch& scratch_;
  std::span<T> room_;
  size_t size_ = 0;
};

}  // namespace persist
