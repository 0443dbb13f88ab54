// What single things cost in a server: structures, buffers, strings, tables. Every cost is two sums, since
// MEMORY USAGE counts some things as they were asked for and others as they were allocated.
#pragma once

#include <algorithm>
#include <array>
#include <bit>

#include "engine/allocator_sizes.hpp"
#include "engine/memory_layout.hpp"
#include "persist/bytes.hpp"

namespace persist {

struct Footprint {
  uint64_t reported = 0;   // what MEMORY USAGE key SAMPLES 0 answers
  uint64_t allocated = 0;  // what used_memory grows by, but for the tables of the database

  Footprint& operator+=(const Footprint& other) {
    reported += other.reported;
    allocated += other.allocated;
    return *this;
  }
};

class MemoryCosts {
 public:
  static constexpr uint64_t kFewestBuckets = 4;  // of a table with any

  MemoryCosts(const Target& server, Allocator allocator);

  [[nodiscard]] const MemoryLayout& layout() const { return layout_; }
  [[nodiscard]] const AllocatorSizes& sizes() const { return sizes_; }

  // Structures are reported by their own size.
  [[nodiscard]] Footprint structure(uint64_t bytes, uint64_t times = 1) const {
    return {bytes * times, sizes_(bytes) * times};
  }
  // What holds packed values.
  [[nodiscard]] Footprint buffer(uint64_t bytes) const {
    const uint64_t allocated = sizes_(bytes);
    return {layout_.reports_asked_blobs ? bytes : allocated, allocated};
  }
  [[nodiscard]] Footprint string(uint64_t size) const {
    const uint64_t allocated = string_allocated(size);
    return {layout_.reports_asked_strings ? string_bytes(size) : allocated, allocated};
  }
  [[nodiscard]] uint64_t string_allocated(uint64_t size) const {
    return size < strings_.size() ? strings_[size] : sizes_(string_bytes(size));
  }
  // With what stands in front of it and the NUL behind it.
  [[nodiscard]] uint64_t string_bytes(uint64_t size) const {
    if (!layout_.short_headers) [[unlikely]]
      return size + 9;
    if (size < 32) return size + (size == 0 ? 4 : 2);
    return long_string_bytes(size);
  }
  // Where the shortest form of header is not used.
  [[nodiscard]] static uint64_t long_string_bytes(uint64_t size) {
    return size + (size < 256 ? 4 : size < 65536 ? 6 : 10);
  }

  // A table and its buckets, made for so many elements at once.
  [[nodiscard]] Footprint table(uint64_t elements) const;
  // The buckets alone. 0 for no elements.
  [[nodiscard]] uint64_t bucket_bytes(uint64_t elements) const;
  // How many of them share a bucket with an earlier one, in the mean.
  [[nodiscard]] static uint64_t in_shared_buckets(uint64_t elements);

 private:
  [[nodiscard]] uint64_t wide_bucket_bytes(uint64_t elements) const;

  MemoryLayout layout_;
  AllocatorSizes sizes_;
  std::array<uint16_t, 256> strings_{};  // by their size: branches on sizes are rarely foreseen
};

}  // namespace persist
