// Memory for tables so large that every look into them misses the cache: on pages of 2 MiB where the system
// has them, and given back to the system at once, which the heap does not promise.
#pragma once

#include <cstddef>
#include <new>
#include <vector>

namespace persist {

inline constexpr size_t kLargePageBytes = size_t{2} << 20;

// Zeros, at a multiple of kLargePageBytes. Throws std::bad_alloc.
[[nodiscard]] void* map_pages(size_t size);
void unmap_pages(void* pages, size_t size);

// What is smaller than a large page comes from the heap.
template <typename T>
struct PageAllocator {
  using value_type = T;

  PageAllocator() = default;
  template <typename U>
  PageAllocator(const PageAllocator<U>&) {}  // NOLINT(google-explicit-constructor): containers rebind it

  [[nodiscard]] T* allocate(size_t count) {
    const size_t size = count * sizeof(T);
    return static_cast<T*>(size < kLargePageBytes ? ::operator new(size) : map_pages(size));
  }
  void deallocate(T* block, size_t count) {
    const size_t size = count * sizeof(T);
    if (size < kLargePageBytes)
      ::operator delete(block);
    else
      unmap_pages(block, size);
  }
  bool operator==(const PageAllocator&) const { return true; }
};

template <typename T>
using PageVector = std::vector<T, PageAllocator<T>>;

}  // namespace persist
