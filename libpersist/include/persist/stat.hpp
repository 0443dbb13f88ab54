// What a dataset consists of and where the memory goes: counts, sizes, prefixes, expiries, the largest keys.
// persist-stat(1)
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "persist/api.hpp"
#include "persist/append_set.hpp"
#include "persist/convert.hpp"
#include "persist/encoding.hpp"
#include "persist/filter.hpp"
#include "persist/finding.hpp"
#include "persist/sink.hpp"
#include "persist/source.hpp"
#include "persist/target.hpp"

namespace persist {

// What allocates memory for the server: how much is taken for how much that is asked for.
enum class Allocator : uint8_t {
  jemalloc,         // that which comes with servers
  jemalloc_system,  // that of distributions, whose small sizes are multiples of 16
  libc
};
// "jemalloc", "jemalloc-system", "libc"
PERSIST_API Bytes allocator_name(Allocator allocator);
PERSIST_API std::optional<Allocator> find_allocator(Bytes name);

// What some keys add up to.
struct StatCount {
  uint64_t keys = 0;
  uint64_t elements = 0;  // items, members, fields, entries; 1 for a string or a module's value
  uint64_t bytes = 0;     // as they stand in the file, prefixes and names included
  uint64_t memory = 0;    // estimate: bytes in a server, but for the tables of its databases

  void add(const StatCount& other) {
    keys += other.keys;
    elements += other.elements;
    bytes += other.bytes;
    memory += other.memory;
  }
  void subtract(const StatCount& other) {
    keys -= other.keys;
    elements -= other.elements;
    bytes -= other.bytes;
    memory -= other.memory;
  }
  bool operator==(const StatCount&) const = default;
};

// How often numbers occur: exact below 16, else to within an eighth. Any two can be merged, and are then as
// one that has seen all.
class PERSIST_API Histogram {
 public:
  static constexpr unsigned kStepBits = 3;  // 8 buckets for each doubling
  static constexpr size_t kBuckets = 16 + (64 - 4) * (size_t{1} << kStepBits);

  void add(uint64_t number, uint64_t times = 1) {
    buckets_[bucket_of(number)] += times;
    count_ += times;
    if (number > max_) max_ = number;
  }
  void merge(const Histogram& other);

  [[nodiscard]] uint64_t count() const { return count_; }
  [[nodiscard]] uint64_t max() const { return max_; }  // exact; 0 of none
  // The least number that at least that share (0 to 1) of all are not above, rounded up to the end of its
  // bucket, though not beyond the greatest of all; 0 of none.
  [[nodiscard]] uint64_t quantile(double share) const;
  [[nodiscard]] const std::array<uint64_t, kBuckets>& buckets() const { return buckets_; }

  [[nodiscard]] static size_t bucket_of(uint64_t number) {
    if (number < 16) return static_cast<size_t>(number);
    const auto exponent = static_cast<unsigned>(63 - __builtin_clzll(number));  // 4 to 63
    const uint64_t step = (number >> (exponent - kStepBits)) & ((1U << kStepBits) - 1);
    return 16 + ((exponent - 4) << kStepBits) + static_cast<size_t>(step);
  }
  // The greatest number in a bucket.
  [[nodiscard]] static uint64_t bucket_end(size_t bucket);
  // For reading back what was written.
  void set(const std::array<uint64_t, kBuckets>& buckets, uint64_t max);

  bool operator==(const Histogram&) const = default;

 private:
  std::array<uint64_t, kBuckets> buckets_{};
  uint64_t count_ = 0;
  uint64_t max_ = 0;
};

// One of the largest keys. Names are kept up to kNameShownMax bytes.
struct BigKey {
  static constexpr size_t kNameShownMax = 1024;
  uint64_t db = 0;
  std::string key;
  uint64_t key_bytes = 0;  // of the whole name
  ValueType type{};
  std::string encoding;  // as in `dump`; empty if nobody has chosen one
  uint64_t bytes = 0;
  uint64_t elements = 0;
  uint64_t memory = 0;
  uint64_t largest_element = 0;  // bytes: of a field, field and value together
  int64_t expire_at_ms = kNoExpiry;

  bool operator==(const BigKey&) const = default;
};

enum class BigBy : uint8_t { bytes, memory, elements, largest_element };
inline constexpr size_t kBigBys = 4;

// The largest of all keys by one measure: largest first, of equal ones the lower db, then the lesser name.
class PERSIST_API TopKeys {
 public:
  TopKeys(BigBy by, size_t most) : by_(by), most_(most) {}

  // Whether a key of that measure could still come in: the cheap question before offer().
  [[nodiscard]] bool wants(uint64_t measure, uint64_t db, Bytes key) const {
    if (measure > least_ || heap_.size() < most_) return most_ > 0;
    return measure == least_ && most_ > 0 && !comes_behind(heap_.front(), db, key);
  }
  void offer(BigKey key);
  // Keeps as many as the one that keeps fewer.
  void merge(const TopKeys& other);
  [[nodiscard]] std::vector<BigKey> sorted() const;
  [[nodiscard]] BigBy by() const { return by_; }
  [[nodiscard]] size_t most() const { return most_; }

 private:
  // Of two keys that measure the same.
  [[nodiscard]] static bool comes_behind(const BigKey& held, uint64_t db, Bytes key) {
    return db > held.db || (db == held.db && key.substr(0, BigKey::kNameShownMax) > Bytes(held.key));
  }

  BigBy by_;
  size_t most_;
  uint64_t least_ = 0;        // below it, nothing comes in any more
  std::vector<BigKey> heap_;  // the smallest in front
};

// A node of the tree of prefixes: all keys that begin with what leads to it, up to and with a separator.
// Where a node has more children than are worth telling apart, it has one that stands for them all.
struct PrefixNode {
  std::string token;    // with its separator; empty in the root, and in one that stands for many
  bool is_any = false;  // stands for whatever comes in its place: shown as *
  StatCount count;      // of all keys below
  uint64_t persistent_keys = 0;
  std::vector<PrefixNode> children;  // by bytes, largest first, then by token
};

// The bins of expiries and idle times: up to which (exclusive), in seconds; the last one has no end.
inline constexpr std::array<int64_t, 9> kTtlBinsS = {60,     600,     3600,    21600,   86400,
                                                     604800, 2592000, 7776000, 31536000};
inline constexpr std::array<int64_t, 6> kIdleBinsS = {60, 3600, 86400, 604800, 2592000, 31536000};

struct DbStat {
  StatCount count;
  uint64_t volatile_keys = 0;
};

struct TypeStat {
  StatCount count;
  Histogram elements;
  std::optional<BigKey> largest;  // that with the largest element
};

struct EncodingStat {
  ValueType type{};
  StatCount count;
};

struct ModuleStat {
  StatCount count;
  uint64_t records = 0;  // that are no keys
};

// What the commands of a log consist of.
struct CommandStat {
  uint64_t commands = 0;
  uint64_t bytes = 0;    // as they stand in the log
  uint64_t largest = 0;  // bytes of the largest one
};

// Commands by time: buckets of 2^shift seconds, the first of which begins at a multiple of that.
struct TimeLine {
  static constexpr size_t kBucketsMax = 512;
  unsigned shift = 0;
  int64_t first = 0;  // seconds since the epoch >> shift
  std::vector<uint64_t> commands;
};

struct LogStat {
  // Names in lower case as the table of commands has them. Others: the first kOtherNamesMax in the order of
  // their bytes, and the rest together.
  static constexpr size_t kOtherNamesMax = 256;
  std::map<std::string, CommandStat> by_name;
  CommandStat other_names;
  std::map<uint64_t, CommandStat> by_db;  // below kDbsMax
  CommandStat other_dbs;
  CommandStat total;
  Histogram bytes;  // of each command
  uint64_t transactions = 0;
  uint64_t flushes = 0;  // FLUSHALL, FLUSHDB
  std::optional<int64_t> first_time_s;
  std::optional<int64_t> last_time_s;
  uint64_t timed_commands = 0;  // behind the first annotation
  TimeLine times;
  bool complete = true;        // false: damage ended the count; the report says so, too
  uint64_t rdb_bytes = 0;      // of RDB parts
  uint64_t command_bytes = 0;  // of commands and annotations
  // What a fresh base of all that is alive would take; absent if the log was not replayed.
  std::optional<uint64_t> live_bytes;
};

// Everything in it adds up: two reports merged are that of both datasets as one. Its size does not depend on
// that of the dataset.
struct PERSIST_API StatReport {
  static constexpr uint64_t kDbsMax = 65536;  // databases from here on are counted together
  static constexpr size_t kNamesMax = 4096;   // of functions, modules, writers: the first in their order

  // What the estimate is for.
  std::string target;
  Allocator allocator = Allocator::jemalloc;
  std::string separators;

  uint64_t inputs = 0;
  uint64_t file_bytes = 0;
  uint64_t errors = 0;
  bool complete = true;
  std::map<std::string, uint64_t> writers;  // "redis-7.0": inputs
  // What expiries were measured against: milliseconds since the epoch.
  int64_t as_of_first_ms = 0;
  int64_t as_of_last_ms = 0;

  StatCount total;
  std::map<uint64_t, DbStat> dbs;
  DbStat other_dbs;
  std::array<TypeStat, 8> types;                  // by ValueType
  std::map<std::string, EncodingStat> encodings;  // by label: "hash-listpack"
  Histogram bytes;                                // of each key
  std::array<StatCount, 64> sizes;                // by the bits of its bytes: [10] from 512 to 1023

  StatCount persistent;
  StatCount expired;
  std::array<StatCount, kTtlBinsS.size() + 1> ttl;  // of volatile keys that have not expired
  uint64_t volatile_fields = 0;
  uint64_t expired_fields = 0;
  std::array<StatCount, kIdleBinsS.size() + 1> idle;  // of keys that have an idle time
  std::array<StatCount, 256> freq;                    // of keys that have a frequency

  std::array<TopKeys, kBigBys> top;  // by BigBy
  PrefixNode prefixes;
  // True: the tree had to be made coarser than its rules, to bound it; a merge may then come out differently.
  bool prefixes_coarsened = false;

  std::set<std::pair<std::string, std::string>> functions;  // engine, name of the library
  std::map<std::string, ModuleStat> modules;
  std::optional<LogStat> log;

  StatReport();
  explicit StatReport(size_t top_keys);
};

// Throws std::invalid_argument if the reports do not fit: other targets, allocators or separators. One
// without inputs and target fits any.
PERSIST_API void merge_stat(StatReport& into, const StatReport& other);

// What a server would need for all of it: keys, and the tables of databases.
struct MemoryEstimate {
  uint64_t keys = 0;
  uint64_t tables = 0;
  [[nodiscard]] uint64_t total() const { return keys + tables; }
};
PERSIST_API MemoryEstimate estimate_memory(const StatReport& report);

// A report as bytes and back: for merging what was made elsewhere.
PERSIST_API void write_partial(const StatReport& report, ByteSink& output);
// Whether the source begins like one.
PERSIST_API bool is_partial(ByteSource& source);
// Throws std::invalid_argument, with what is wrong, if it is none or not of this version.
PERSIST_API StatReport read_partial(ByteSource& source);

struct StatOptions {
  const Target* target = nullptr;  // of the estimate; null: the server that wrote the input
  Allocator allocator = Allocator::jemalloc;
  size_t top_keys = 10;
  std::string separators = ":;,_-+@=|#";
  std::optional<int64_t> as_of_ms;  // absent: when the input was written, else `now_ms`
  int64_t now_ms = 0;
  const Filter* filter = nullptr;  // null: everything
  bool replays = true;             // a log: also what is alive in it
  unsigned threads = 0;            // 0: as many as are useful
  // Takes a row for every key, in the order of the input, as comma-separated values; null: none.
  ByteSink* key_rows = nullptr;
  std::function<void(uint64_t offset)> progress;
};

struct StatSummary {
  bool has_header = false;
  bool complete = false;
  uint64_t keys = 0;  // whole ones in the input
  uint64_t errors = 0;
  Reach reach = Reach::nothing;
  std::optional<ReplaySummary> replay;  // of a log
  StatReport report;
};

// Of a damaged input: what is whole of it. Throws std::system_error when reading fails.
PERSIST_API StatSummary stat(const ConvertInput& input, FindingSink& findings, const StatOptions& options);

}  // namespace persist
