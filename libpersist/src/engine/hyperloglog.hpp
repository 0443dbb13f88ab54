// HyperLogLogs: strings that PFADD, PFMERGE and PFCOUNT read and write, byte for byte as a server does.
//
// Every function works on the whole value as the key holds it, header included. All but is_hyperloglog
// expect a value that passed it. That test looks at the header and the size alone: what stands behind the
// header of a sparse value may still be nonsense, which is what `corrupt`, `false` and an absent count say;
// a server answers INVALIDOBJ there.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "persist/bytes.hpp"

namespace persist {

// How a server turns registers into a cardinality. It matters on replay, because PFCOUNT stores the result.
enum class HllEstimator {
  raw,           // 2.8.9 to 3.2
  log_log_beta,  // 4.0
  ertl           // 5.0 and later
};

enum class HllChange { unchanged, changed, corrupt };

// hll-sparse-max-bytes as servers have it by default: the whole value, header included.
inline constexpr size_t kHllSparseBytesMax = 3000;

// A sparse value without elements and with a valid cache. Commands that create one invalidate it.
[[nodiscard]] std::string new_hyperloglog();

// The type check of the commands.
[[nodiscard]] bool is_hyperloglog(Bytes value);

// Adds one element, and invalidates the cache if that changed a register.
[[nodiscard]] HllChange hll_add(std::string& value, Bytes element,
                                size_t sparse_bytes_max = kHllSparseBytesMax);

// Absent: the cache is invalid.
[[nodiscard]] std::optional<uint64_t> hll_cached(Bytes value);
void hll_store_cached(std::string& value, uint64_t cardinality);
void hll_invalidate(std::string& value);

// Counts anew, whatever the cache says. Absent: corrupt.
[[nodiscard]] std::optional<uint64_t> hll_count(Bytes value, HllEstimator estimator);
// The cardinality of the union of several. Nothing can be stored.
[[nodiscard]] std::optional<uint64_t> hll_count_union(std::span<const Bytes> values, HllEstimator estimator);

enum class HllMergeResult {
  dense_if_any,  // dense if the target or a source is: 4.0 and later
  dense          // dense always: up to 3.2
};

// PFMERGE: every register of `target` becomes the largest of its own and those of `sources`; the cache
// becomes invalid. False: one of them is corrupt, and `target` is as it was.
[[nodiscard]] bool hll_merge(std::string& target, std::span<const Bytes> sources, HllMergeResult result,
                             size_t sparse_bytes_max = kHllSparseBytesMax);

// Keeps the cache. False: corrupt, and `value` is as it was.
[[nodiscard]] bool hll_to_dense(std::string& value);

}  // namespace persist
