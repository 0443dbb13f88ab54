// Memory in large pages: aligned, zero, usable to the last byte, on both sides of the least size.
#include "base/pages.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <new>
#include <utility>

using namespace persist;

TEST_CASE("pages: large ones begin at a multiple of their size, and are zero") {
  for (const size_t size : {kLargePageBytes, kLargePageBytes + 1, kLargePageBytes * 3 - 4096}) {
    CAPTURE(size);
    auto* const pages = static_cast<unsigned char*>(map_pages(size));
    CHECK(reinterpret_cast<uintptr_t>(pages) % kLargePageBytes == 0);
    CHECK(std::all_of(pages, pages + size, [](unsigned char byte) { return byte == 0; }));
    std::fill(pages, pages + size, static_cast<unsigned char>(7));
    CHECK(std::count(pages, pages + size, 7) == static_cast<std::ptrdiff_t>(size));
    unmap_pages(pages, size);
  }
}

TEST_CASE("pages: a vector that grows from the heap into large pages keeps what it has") {
  PageVector<uint64_t> numbers;
  const size_t count = kLargePageBytes / sizeof(uint64_t) * 3;
  for (uint64_t i = 0; i < count; ++i) numbers.push_back(i);
  const PageVector<uint64_t> moved = std::move(numbers);
  REQUIRE(moved.size() == count);
  uint64_t wrong = 0;
  for (uint64_t i = 0; i < count; ++i) wrong += moved[i] == i ? 0U : 1U;
  CHECK(wrong == 0);
}

TEST_CASE("pages: more than there can be is refused") {
  CHECK_THROWS_AS(static_cast<void>(map_pages(size_t{1} << 60)), std::bad_alloc);
}
