// Tables: powers of two, filled at random.
#include "engine/memory_costs.hpp"

#include <cmath>

namespace persist {

namespace {

constexpr uint64_t kBucketPointer = 8;

// More elements than memory can hold: counts of partial results may be anything.
constexpr uint64_t kMostElements = uint64_t{1} << 59;

uint64_t chained_buckets(uint64_t elements) {
  return std::bit_ceil(std::clamp(elements, MemoryCosts::kFewestBuckets, kMostElements));
}

// A bucket of seven places gives one up for the next one in its chain. How many more than its first it has in
// the mean if `load` elements come to it.
double further_buckets(double load) {
  constexpr unsigned kPlaces = 7;
  constexpr unsigned kMostInBucket = 64;
  double probability = std::exp(-load);
  double further = 0;
  for (unsigned elements = 1; elements <= kMostInBucket; ++elements) {
    probability *= load / elements;
    const unsigned chained = elements > kPlaces ? (elements - kPlaces + kPlaces - 2) / (kPlaces - 1) : 0;
    further += probability * chained;
  }
  return further;
}

}  // namespace

MemoryCosts::MemoryCosts(const Target& server, Allocator allocator)
    : layout_(memory_layout(server)), sizes_(allocator) {
  for (size_t i = 0; i < strings_.size(); ++i) strings_[i] = static_cast<uint16_t>(sizes_(string_bytes(i)));
}

uint64_t MemoryCosts::in_shared_buckets(uint64_t elements) {
  const auto buckets = static_cast<double>(chained_buckets(elements));
  const auto count = static_cast<double>(elements);
  const double taken = -buckets * std::expm1(-count / buckets);
  return elements - std::min(elements, static_cast<uint64_t>(taken));
}

uint64_t MemoryCosts::wide_bucket_bytes(uint64_t elements) const {
  constexpr uint64_t kBucketBytes = 64;
  elements = std::min(elements, kMostElements);
  // The load that a table is made for: 6.4 to a bucket.
  const uint64_t buckets = std::bit_ceil((elements * 5 + 31) / 32);
  const double load = static_cast<double>(elements) / static_cast<double>(buckets);
  const auto further =
      static_cast<uint64_t>(std::round(static_cast<double>(buckets) * further_buckets(load)));
  return sizes_(buckets * kBucketBytes) + further * sizes_(kBucketBytes);
}

uint64_t MemoryCosts::bucket_bytes(uint64_t elements) const {
  if (elements == 0) return 0;
  return layout_.wide_buckets ? wide_bucket_bytes(elements)
                              : sizes_(chained_buckets(elements) * kBucketPointer);
}

Footprint MemoryCosts::table(uint64_t elements) const {
  const uint64_t buckets = bucket_bytes(elements);
  return {layout_.table + buckets, sizes_(layout_.table) + buckets};
}

}  // namespace persist
