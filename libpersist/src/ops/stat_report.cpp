// How reports add up, and the parts of them that are more than a sum.
#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <tuple>

#include "ops/big_keys.hpp"
#include "ops/log_stat.hpp"
#include "ops/prefix_tree.hpp"
#include "persist/stat.hpp"

namespace persist {

namespace {

constexpr std::array<Bytes, 3> kAllocatorNames = {"jemalloc", "jemalloc-system", "libc"};

}  // namespace

Bytes allocator_name(Allocator allocator) { return kAllocatorNames[static_cast<size_t>(allocator)]; }

std::optional<Allocator> find_allocator(Bytes name) {
  const auto found = std::ranges::find(kAllocatorNames, name);
  if (found == kAllocatorNames.end()) return std::nullopt;
  return static_cast<Allocator>(found - kAllocatorNames.begin());
}

// --- Histogram --------------------------------------------------------------------------------------------

void Histogram::merge(const Histogram& other) {
  for (size_t i = 0; i < kBuckets; ++i) buckets_[i] += other.buckets_[i];
  count_ += other.count_;
  max_ = std::max(max_, other.max_);
}

uint64_t Histogram::quantile(double share) const {
  // A share such as 0.07 is no binary number, and its product may be a trifle too large to be rounded up.
  constexpr double kTrifle = 0x1p-51;
  const auto all = static_cast<double>(count_);
  uint64_t left = 1;
  if (share >= 1)
    left = count_;
  else if (share > 0)
    left = std::max(left, static_cast<uint64_t>(std::ceil(share * all * (1 - kTrifle))));
  for (size_t i = 0; i < kBuckets; ++i) {
    if (buckets_[i] >= left) return std::min(bucket_end(i), max_);
    left -= buckets_[i];
  }
  return max_;
}

uint64_t Histogram::bucket_end(size_t bucket) {
  if (bucket < 16) return bucket;
  constexpr size_t kSteps = size_t{1} << kStepBits;
  const size_t doubling = (bucket - 16) / kSteps;
  const uint64_t step = (bucket - 16) % kSteps;
  const size_t width_bits = doubling + 4 - kStepBits;
  return ((kSteps + step) << width_bits) + ((uint64_t{1} << width_bits) - 1);
}

void Histogram::set(const std::array<uint64_t, kBuckets>& buckets, uint64_t max) {
  buckets_ = buckets;
  max_ = max;
  count_ = 0;
  for (const uint64_t times : buckets) count_ += times;
}

// --- The largest keys -------------------------------------------------------------------------------------

uint64_t measure_of(const BigKey& key, BigBy by) {
  const std::array<uint64_t, kBigBys> measures = {key.bytes, key.memory, key.elements, key.largest_element};
  return measures[static_cast<size_t>(by)];
}

bool is_larger(const BigKey& a, const BigKey& b, BigBy by) {
  const uint64_t of_a = measure_of(a, by);
  const uint64_t of_b = measure_of(b, by);
  if (of_a != of_b) return of_a > of_b;
  const auto rest = [](const BigKey& key) {
    return std::tie(key.db, key.key, key.key_bytes, key.type, key.encoding, key.bytes, key.elements,
                    key.memory, key.largest_element, key.expire_at_ms);
  };
  return rest(a) < rest(b);
}

void take_larger(std::optional<BigKey>& largest, const BigKey& key) {
  if (!largest || is_larger(key, *largest, BigBy::largest_element)) largest = key;
}

// The heap has the smallest of them in front: that which goes when a larger one comes.
void TopKeys::offer(BigKey key) {
  if (most_ == 0) return;
  if (key.key.size() > BigKey::kNameShownMax) key.key.resize(BigKey::kNameShownMax);
  const auto larger = [this](const BigKey& a, const BigKey& b) { return is_larger(a, b, by_); };
  if (heap_.size() == most_) {
    if (!larger(key, heap_.front())) return;
    std::ranges::pop_heap(heap_, larger);
    heap_.pop_back();
  }
  heap_.push_back(std::move(key));
  std::ranges::push_heap(heap_, larger);
  if (heap_.size() == most_) least_ = measure_of(heap_.front(), by_);
}

// Of two that keep different numbers, the larger keys are known only as far as both go.
void TopKeys::merge(const TopKeys& other) {
  TopKeys both(by_, std::min(most_, other.most_));
  for (const TopKeys* one : {static_cast<const TopKeys*>(this), &other})
    for (const BigKey& key : one->heap_) both.offer(key);
  *this = std::move(both);
}

std::vector<BigKey> TopKeys::sorted() const {
  std::vector<BigKey> keys = heap_;
  std::ranges::sort(keys, [this](const BigKey& a, const BigKey& b) { return is_larger(a, b, by_); });
  return keys;
}

// --- The report -------------------------------------------------------------------------------------------

StatReport::StatReport() : StatReport(StatOptions().top_keys) {}

StatReport::StatReport(size_t top_keys)
    : top{TopKeys(BigBy::bytes, top_keys), TopKeys(BigBy::memory, top_keys),
          TopKeys(BigBy::elements, top_keys), TopKeys(BigBy::largest_element, top_keys)} {}

namespace {

template <size_t N>
void add_counts(std::array<StatCount, N>& into, const std::array<StatCount, N>& other) {
  for (size_t i = 0; i < N; ++i) into[i].add(other[i]);
}

// The first of a set or map, in its order.
template <typename Names>
void keep_first(Names& names) {
  while (names.size() > StatReport::kNamesMax) names.erase(std::prev(names.end()));
}

void require_same(const std::string& a, const std::string& b, const char* what) {
  if (a == b) return;
  throw std::invalid_argument(std::string("reports of other ") + what + ": \"" + a + "\" and \"" + b + "\"");
}

// What both are for. A report that has seen nothing yet is for whatever comes.
void agree(StatReport& into, const StatReport& other) {
  if (other.target.empty() && other.inputs == 0) return;
  if (into.target.empty() && into.inputs == 0) {
    into.target = other.target;
    into.allocator = other.allocator;
    into.separators = other.separators;
    for (size_t i = 0; i < kBigBys; ++i) into.top[i] = TopKeys(static_cast<BigBy>(i), other.top[i].most());
    return;
  }
  require_same(into.target, other.target, "targets");
  require_same(std::string(allocator_name(into.allocator)), std::string(allocator_name(other.allocator)),
               "allocators");
  require_same(into.separators, other.separators, "separators");
}

void add_inputs(StatReport& into, const StatReport& other) {
  if (into.inputs == 0) {
    into.as_of_first_ms = other.as_of_first_ms;
    into.as_of_last_ms = other.as_of_last_ms;
  } else if (other.inputs > 0) {
    into.as_of_first_ms = std::min(into.as_of_first_ms, other.as_of_first_ms);
    into.as_of_last_ms = std::max(into.as_of_last_ms, other.as_of_last_ms);
  }
  into.inputs += other.inputs;
  into.file_bytes += other.file_bytes;
  into.errors += other.errors;
  into.complete = into.complete && other.complete;
  for (const auto& [writer, inputs] : other.writers) into.writers[writer] += inputs;
  keep_first(into.writers);
}

void add_db(DbStat& into, const DbStat& other) {
  into.count.add(other.count);
  into.volatile_keys += other.volatile_keys;
}

void add_keys(StatReport& into, const StatReport& other) {
  into.total.add(other.total);
  for (const auto& [number, db] : other.dbs)
    add_db(number < StatReport::kDbsMax ? into.dbs[number] : into.other_dbs, db);
  add_db(into.other_dbs, other.other_dbs);
  for (size_t i = 0; i < into.types.size(); ++i) {
    into.types[i].count.add(other.types[i].count);
    into.types[i].elements.merge(other.types[i].elements);
    if (other.types[i].largest) take_larger(into.types[i].largest, *other.types[i].largest);
  }
  for (const auto& [label, encoding] : other.encodings) {
    EncodingStat& of = into.encodings[label];
    of.type = encoding.type;
    of.count.add(encoding.count);
  }
  into.bytes.merge(other.bytes);
  add_counts(into.sizes, other.sizes);
  for (size_t i = 0; i < kBigBys; ++i) into.top[i].merge(other.top[i]);
}

void add_expiries_and_use(StatReport& into, const StatReport& other) {
  into.persistent.add(other.persistent);
  into.expired.add(other.expired);
  add_counts(into.ttl, other.ttl);
  into.volatile_fields += other.volatile_fields;
  into.expired_fields += other.expired_fields;
  add_counts(into.idle, other.idle);
  add_counts(into.freq, other.freq);
}

void add_prefixes(StatReport& into, const StatReport& other) {
  PrefixTree both(into.separators);
  both.merge(into.prefixes, into.prefixes_coarsened);
  both.merge(other.prefixes, other.prefixes_coarsened);
  into.prefixes = both.root();
  into.prefixes_coarsened = both.coarsened();
}

void add_libraries(StatReport& into, const StatReport& other) {
  into.functions.insert(other.functions.begin(), other.functions.end());
  keep_first(into.functions);
  for (const auto& [name, module] : other.modules) {
    ModuleStat& of = into.modules[name];
    of.count.add(module.count);
    of.records += module.records;
  }
  keep_first(into.modules);
}

}  // namespace

void merge_stat(StatReport& into, const StatReport& other) {
  agree(into, other);
  add_inputs(into, other);
  add_keys(into, other);
  add_expiries_and_use(into, other);
  add_prefixes(into, other);
  add_libraries(into, other);
  if (!other.log) return;
  if (into.log)
    merge_log_stat(*into.log, *other.log);
  else
    into.log = other.log;
}

}  // namespace persist
