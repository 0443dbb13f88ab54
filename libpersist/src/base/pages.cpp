// The mapping: more than is needed, of which what lies outside the large pages goes back.
#include "base/pages.hpp"

#include <sys/mman.h>

#include <cstdint>

namespace persist {

namespace {

// In whole pages of any system.
size_t mapped_bytes(size_t size) {
  constexpr size_t kPageBytesMax = size_t{64} << 10;
  return (size + kPageBytesMax - 1) / kPageBytesMax * kPageBytesMax;
}

}  // namespace

void* map_pages(size_t size) {
  const size_t kept = mapped_bytes(size);
  const size_t mapped = kept + kLargePageBytes;
  void* const all = ::mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (all == MAP_FAILED) throw std::bad_alloc();
  char* const begin = static_cast<char*>(all);
  const size_t before =
      (kLargePageBytes - reinterpret_cast<uintptr_t>(begin) % kLargePageBytes) % kLargePageBytes;
  char* const pages = begin + before;
  if (before > 0) ::munmap(begin, before);
  ::munmap(pages + kept, mapped - before - kept);
#ifdef MADV_HUGEPAGE
  ::madvise(pages, kept, MADV_HUGEPAGE);  // a hint: refusal changes nothing
#endif
  return pages;
}

void unmap_pages(void* pages, size_t size) { ::munmap(pages, mapped_bytes(size)); }

}  // namespace persist
