// Growing the buffer.
#include "base/byte_buffer.hpp"

#include <algorithm>

namespace persist {

void ByteBuffer::make_room(size_t size) {
  constexpr size_t kDrainBytesMin = size_t{128} << 10;
  if (drain_ != nullptr && size_ > kDrainBytesMin) {
    const char last = back();
    (*drain_)(bytes().substr(0, size_ - 1));
    data_[0] = last;
    size_ = 1;
  }
  if (capacity_ - size_ < size) grow(size);
}

void ByteBuffer::grow(size_t size) {
  constexpr size_t kLeast = 4096;
  const size_t capacity = std::max({size_ + size, capacity_ * 2, kLeast});
  std::unique_ptr<char[]> data = std::make_unique_for_overwrite<char[]>(capacity);
  if (size_ > 0) std::memcpy(data.get(), data_.get(), size_);
  data_ = std::move(data);
  capacity_ = capacity;
}

}  // namespace persist
