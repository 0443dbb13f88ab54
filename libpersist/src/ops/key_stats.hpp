// What one thread has counted of the keys that it met. Thousands of them make no more of it than one.
#pragma once

#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "engine/memory_model.hpp"
#include "ops/prefix_tree.hpp"
#include "persist/stat.hpp"

namespace persist {

// What all threads go by.
struct StatRules {
  const Target* target = nullptr;  // of the estimate
  Allocator allocator = Allocator::jemalloc;
  size_t top_keys = 0;
  std::string separators;
  int64_t as_of_ms = 0;
};

// What was found out of one key.
struct KeyStat {
  const Encoding* encoding = nullptr;
  uint64_t bytes = 0;
  uint64_t elements = 0;
  uint64_t memory = 0;
  uint64_t memory_usage = 0;  // what MEMORY USAGE with SAMPLES 0 would answer
  uint64_t largest_element = 0;
};

class KeyStats {
 public:
  explicit KeyStats(const StatRules& rules);

  // A key: its head, its elements as decoders tell them, and its end. One that was begun need not be ended.
  void begin(const RdbEntry& entry);
  void add(const Element& told);
  void add(const StringValue& told) {
    memory_.add(told);
    count(told.value.size());
  }
  // Instead of its element, of a string of more than kNumberBytesMax bytes that nobody looks at.
  static constexpr uint64_t kNumberBytesMax = 20;
  void add_string(uint64_t size);
  // `encoding` null: that of the entry.
  KeyStat end(uint64_t bytes, const Encoding* encoding = nullptr);

  // What is no key.
  void record(const RdbRecord& record);

  void add_to(StatReport& report);

  // One overload an element.
  void operator()(const StringValue& told) { count(told.value.size()); }
  void operator()(const ListItem& told) { count(told.value.size()); }
  void operator()(const SetMember& told) { count(told.member.size()); }
  void operator()(const SortedSetMember& told) { count(told.member.size()); }
  void operator()(const HashField& told);
  void operator()(const StreamEntry& told);
  void operator()(const ArrayElement& told) { count(told.value.size()); }
  void operator()(const ModuleValue& told);
  template <typename Uncounted>
  void operator()(const Uncounted& /*told*/) {}

 private:
  void count(uint64_t element_bytes) {
    ++elements_;
    if (element_bytes > largest_) largest_ = element_bytes;
  }
  // What keys can have in common.
  struct Alike {
    const Encoding* encoding = nullptr;
    uint64_t db = 0;
    uint64_t bytes = 0;
    uint64_t elements = 0;
    uint64_t memory = 0;
    bool operator==(const Alike&) const = default;
  };
  void count_alike();
  StatCount& bin_of_expiry(int64_t expire_at_ms);
  StatCount& bin_of_idle(uint64_t idle_s);
  using Measures = std::array<uint64_t, kBigBys>;  // by BigBy
  void offer(const KeyStat& key);
  [[nodiscard]] bool is_wanted(const KeyStat& key, const Measures& measures) const;
  [[nodiscard]] bool is_larger_element(const KeyStat& key) const;
  void keep(const KeyStat& key, const Measures& measures);
  DbStat& db_stat(uint64_t db);

  const StatRules& rules_;
  MemoryModel memory_;
  PrefixTree prefixes_;
  StatReport report_;
  std::unordered_map<const Encoding*, StatCount> encodings_;
  const Encoding* last_encoding_ = nullptr;
  StatCount* of_last_encoding_ = nullptr;
  uint64_t last_db_ = 0;
  DbStat* of_last_db_ = nullptr;

  // The last keys, and how many of them are alike, which have not been counted yet.
  Alike alike_;
  uint64_t times_ = 0;

  // One that none of the lists of large keys wanted.
  struct Unwanted {
    KeyStat stat;
    uint64_t db = 0;
    std::string key;
  };
  Unwanted unwanted_;

  // Of the key that was begun.
  const RdbEntry* entry_ = nullptr;
  uint64_t elements_ = 0;
  uint64_t largest_ = 0;
  uint64_t fields_volatile_ = 0;
  uint64_t fields_expired_ = 0;
  std::string module_;
};

// One KeyStats for each thread, and what they come to.
class StatCounters {
 public:
  explicit StatCounters(const StatRules& rules) : rules_(rules) {}

  // Lives as long as this.
  KeyStats& add();
  void add_to(StatReport& report);
  void clear() { each_.clear(); }

 private:
  const StatRules& rules_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<KeyStats>> each_;
};

}  // namespace persist
