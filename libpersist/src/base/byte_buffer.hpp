// One growing run of bytes that output is made in: room is asked for once, stores are unchecked, nothing is
// cleared.
#pragma once

#include <cstring>
#include <functional>
#include <memory>

#include "base/decimal.hpp"
#include "persist/bytes.hpp"

namespace persist {

class ByteBuffer {
 public:
  // At least `size` bytes to write to. Whoever writes says with advance() how far it went.
  char* room(size_t size) {
    if (capacity_ - size_ < size) [[unlikely]]
      make_room(size);
    return data_.get() + size_;
  }

  // From now on, what has come together goes to `drain` instead of making the buffer grow; what is gone
  // cannot be truncated any more. The last byte always stays. Null: grow again.
  void set_drain(const std::function<void(Bytes)>* drain) { drain_ = drain; }
  void advance(const char* to) { size_ = static_cast<size_t>(to - data_.get()); }

  void append(Bytes bytes) {
    char* to = room(bytes.size());
    if (!bytes.empty()) std::memcpy(to, bytes.data(), bytes.size());
    size_ += bytes.size();
  }
  // Literals: their size is known, so the copy is a store or two.
  template <size_t n>
  void append(const char (&text)[n]) {
    std::memcpy(room(n), text, n);
    size_ += n - 1;
  }
  void append(char c) {
    *room(1) = c;
    ++size_;
  }
  template <std::integral T>
  requires(!std::same_as<T, char>) void append_number(T number) {
    char* to = room(kDecimalMax);
    advance(to + to_decimal(number, to).size());
  }

  // Takes back everything from `size` on.
  void truncate(size_t size) { size_ = size; }
  void clear() { size_ = 0; }
  // Gives memory back that only an unusually large record needed.
  void shrink(size_t most) {
    if (capacity_ <= most) return;
    data_.reset();
    size_ = capacity_ = 0;
  }

  [[nodiscard]] size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] char back() const { return data_[size_ - 1]; }
  [[nodiscard]] Bytes bytes() const { return {data_.get(), size_}; }

 private:
  void make_room(size_t size);
  void grow(size_t size);

  const std::function<void(Bytes)>* drain_ = nullptr;

  std::unique_ptr<char[]> data_;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

}  // namespace persist
