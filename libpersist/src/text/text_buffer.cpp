// Growing the buffer.
#include "text/text_buffer.hpp"

#include <algorithm>

namespace persist {

void TextBuffer::grow(size_t size) {
  constexpr size_t kLeast = 4096;
  const size_t capacity = std::max({size_ + size, capacity_ * 2, kLeast});
  std::unique_ptr<char[]> data = std::make_unique_for_overwrite<char[]>(capacity);
  if (size_ > 0) std::memcpy(data.get(), data_.get(), size_);
  data_ = std::move(data);
  capacity_ = capacity;
}

}  // namespace persist
