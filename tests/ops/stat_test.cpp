// stat: every number of a report against a bookkeeping of its own; nothing depends on the order of the keys.
#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include "persist/stat.hpp"
#include "support/rdb_builder.hpp"
#include "support/stats.hpp"

using namespace persist;
using namespace persist::test;

namespace {

// --- A dataset of which everything is known

struct StatKey {
  uint64_t db = 0;
  std::string key;
  ValueType type = ValueType::string;
  std::string label;
  std::string record;  // as it stands in a file
  uint64_t elements = 1;
  uint64_t largest = 0;
  int64_t expire_at_ms = kNoExpiry;
  std::optional<uint64_t> idle_s;
  std::optional<uint8_t> freq;
  uint64_t ttl_fields = 0;
  uint64_t expired_fields = 0;
  uint64_t memory = 0;

  [[nodiscard]] StatCount count() const { return {1, elements, record.size(), memory}; }
  [[nodiscard]] uint64_t measure(BigBy by) const {
    const uint64_t measures[] = {record.size(), memory, elements, largest};
    return measures[static_cast<size_t>(by)];
  }
};

class StatKeyMaker {
 public:
  explicit StatKeyMaker(uint64_t seed) : dice_(seed) {}

  StatKey make(size_t i) {
    StatKey key;
    const uint64_t dbs[] = {0, 3, 15, StatReport::kDbsMax - 1, StatReport::kDbsMax, (uint64_t{1} << 31) - 1};
    key.db = dbs[roll(6)];
    const char* stems[] = {"user:", "a:b:", "\xff:", "", ":", "x-y_"};
    key.key = stems[roll(6)] + std::to_string(i);
    RdbBuilder record;
    add_head(record, key);
    add_value(record, key);
    key.record = record.bytes();
    return key;
  }

 private:
  uint64_t roll(uint64_t sides) { return dice_() % sides; }
  std::string text() { return std::string(roll(roll(9) == 0 ? 3000 : 40), 'v') + std::to_string(roll(1000)); }

  void add_head(RdbBuilder& record, StatKey& key) {
    if (roll(2) == 0) {
      const int64_t ends[] = {
          std::numeric_limits<int64_t>::min(),
          -1,
          kStatNowMs,
          kStatNowMs + 1,
          kStatNowMs + 59'999,
          kStatNowMs + 60'000,
          kStatNowMs + kTtlBinsS[roll(kTtlBinsS.size())] * 1000 - static_cast<int64_t>(roll(2)),
          std::numeric_limits<int64_t>::max()};
      key.expire_at_ms = ends[roll(8)];
      record.expire_ms(key.expire_at_ms);
    }
    if (roll(3) == 0) {
      key.idle_s = kIdleBinsS[roll(kIdleBinsS.size())] - static_cast<int64_t>(roll(2));
      if (roll(9) == 0) key.idle_s = ~uint64_t{0};
      record.idle(*key.idle_s);
    } else if (roll(3) == 0) {
      key.freq = static_cast<uint8_t>(roll(256));
      record.freq(*key.freq);
    }
  }

  void count_texts(StatKey& key, const Strings& texts) {
    key.elements = texts.size();
    for (const std::string& one : texts) key.largest = std::max<uint64_t>(key.largest, one.size());
  }

  Strings texts() {
    Strings made;
    for (uint64_t n = 1 + roll(roll(20) == 0 ? 900 : 9); n > 0; --n) made.push_back(text());
    return made;
  }

  void add_value(RdbBuilder& record, StatKey& key) {
    const auto is = [&](ValueType type, const char* label) {
      key.type = type;
      key.label = label;
    };
    const Strings some = texts();
    switch (roll(11)) {
      case 0:
        is(ValueType::string, "string");
        count_texts(key, {some[0]});
        record.compressed(roll(2) == 0).string(key.key, some[0]);
        break;
      case 1:
        is(ValueType::string, "string");
        count_texts(key, {"-12345"});
        record.string_int(key.key, -12345);
        break;
      case 2:
        is(ValueType::list, "list-quicklist");
        count_texts(key, some);
        record.list_quicklist(key.key, {some});
        break;
      case 3:
        is(ValueType::set, "set");
        count_texts(key, some);
        record.set(key.key, some);
        break;
      case 4:
        is(ValueType::set, "set-intset");
        count_texts(key, {"-300", "1", "2"});
        record.set_intset(key.key, {-300, 1, 2});
        break;
      case 5: {
        is(ValueType::zset, "zset2");
        Scores scores;
        for (const std::string& one : some) scores.emplace_back(one, 1.5);
        count_texts(key, some);
        record.zset(key.key, scores);
        break;
      }
      case 6:
        is(ValueType::hash, "hash-listpack");
        count_texts(key, {"f" + some[0], "g-17"});
        record.hash_listpack(key.key, {{"f", some[0]}, {"g", "-17"}});
        break;
      case 7:
        is(ValueType::hash, "hash-ttl");
        count_texts(key, {"f" + some[0], "gg", "hhh"});
        key.ttl_fields = 2;
        key.expired_fields = 1;
        record.hash_ttl(key.key, {{"f", some[0], 0}, {"g", "g", kStatNowMs}, {"h", "hh", kStatNowMs + 1}});
        break;
      case 8: {
        is(ValueType::stream, "stream3");
        StreamSpec spec;
        spec.entries = {{{1, 1}, {{"f", some[0]}}}, {{2, 1}, {{"f", "x"}, {"g", "abc"}}}};
        spec.last_id = {2, 1};
        count_texts(key, {"f" + some[0], "fxgabc"});
        record.stream(key.key, 3, spec);
        break;
      }
      case 9:
        is(ValueType::array, "array");
        count_texts(key, {some[0], "-9"});
        record.array(key.key, 2, 9,
                     length(0) + length(0) + plain_string(some[0]) + length(1) + length(1) + le(int64_t{-9}));
        break;
      default: {
        is(ValueType::module, "module2");
        const std::string payload = length(5) + plain_string(some[0]) + length(0);
        key.largest = payload.size();
        record.module(key.key, module_id_of("test__rdb", 1), payload);
      }
    }
  }

  std::mt19937_64 dice_;
};

RdbBuilder stat_head() { return RdbBuilder(redis, 14).aux("redis-ver", "8.8.0").aux("ctime", "1700000000"); }

// Only these keys, in this order.
RdbBuilder file_of_keys(const std::vector<StatKey>& keys) {
  RdbBuilder file = stat_head();
  std::optional<uint64_t> db;
  for (const StatKey& key : keys) {
    if (db != key.db) file.select(key.db);
    db = key.db;
    file.raw(key.record);
  }
  return file;
}

// What one key takes is what a file with no other key takes.
std::vector<StatKey> stat_dataset(size_t keys, uint64_t seed) {
  StatKeyMaker maker(seed);
  std::vector<StatKey> made;
  for (size_t i = 0; i < keys; ++i) {
    StatKey key = maker.make(i);
    const StatSummary alone = stat_rdb(file_of_keys({key}).eof());
    CAPTURE(key.label);
    REQUIRE(alone.errors == 0);
    REQUIRE(alone.report.total.keys == 1);
    key.memory = alone.report.total.memory;
    made.push_back(key);
  }
  return made;
}

// --- What is to be so

template <typename Takes>
StatCount sum_of(const std::vector<StatKey>& keys, const Takes& takes) {
  StatCount sum;
  for (const StatKey& key : keys)
    if (takes(key)) sum.add(key.count());
  return sum;
}

void check_quantiles(const Histogram& histogram, std::vector<uint64_t> numbers) {
  REQUIRE(histogram.count() == numbers.size());
  if (numbers.empty()) return;
  std::ranges::sort(numbers);
  CHECK(histogram.max() == numbers.back());
  for (const double share : {0.5, 0.9, 0.99, 0.999}) {
    const auto rank = static_cast<size_t>(std::ceil(share * static_cast<double>(numbers.size())));
    const uint64_t exact = numbers[std::max<size_t>(rank, 1) - 1];
    CHECK(histogram.quantile(share) >= exact);
    CHECK(histogram.quantile(share) <= exact + exact / 8);
  }
}

void check_top(const TopKeys& top, std::vector<StatKey> keys, size_t most) {
  std::ranges::sort(keys, [&](const StatKey& a, const StatKey& b) {
    if (a.measure(top.by()) != b.measure(top.by())) return a.measure(top.by()) > b.measure(top.by());
    return std::tie(a.db, a.key) < std::tie(b.db, b.key);
  });
  const std::vector<BigKey> found = top.sorted();
  REQUIRE(found.size() == std::min(most, keys.size()));
  for (size_t i = 0; i < found.size(); ++i) {
    const StatKey& key = keys[i];
    CHECK(found[i].db == key.db);
    CHECK(found[i].key == key.key);
    CHECK(found[i].key_bytes == key.key.size());
    CHECK(found[i].type == key.type);
    CHECK(StatCount{1, found[i].elements, found[i].bytes, found[i].memory} == key.count());
    CHECK(found[i].largest_element == key.largest);
    CHECK(found[i].expire_at_ms == key.expire_at_ms);
  }
}

struct PrefixSum {
  StatCount count;
  uint64_t persistent_keys = 0;
};

void check_prefixes(const PrefixNode& node, const std::string& prefix,
                    std::map<std::string, PrefixSum>& expected) {
  for (const PrefixNode& child : node.children) {
    const std::string name = prefix + child.token;
    CAPTURE(name);
    REQUIRE(!child.is_any);
    REQUIRE(expected.contains(name));
    CHECK(child.count == expected[name].count);
    CHECK(child.persistent_keys == expected[name].persistent_keys);
    check_prefixes(child, name, expected);
    expected.erase(name);
  }
}

void check_tree(const StatReport& report, const std::vector<StatKey>& keys) {
  std::map<std::string, PrefixSum> expected;
  for (const StatKey& key : keys) {
    for (size_t i = 0; i < key.key.size(); ++i) {
      if (report.separators.find(key.key[i]) == std::string::npos) continue;
      PrefixSum& sum = expected[key.key.substr(0, i + 1)];
      sum.count.add(key.count());
      sum.persistent_keys += key.expire_at_ms == kNoExpiry ? 1 : 0;
    }
  }
  CHECK(report.prefixes.count == report.total);
  check_prefixes(report.prefixes, "", expected);
  CHECK(expected.empty());
}

void check_expiries(const StatReport& report, const std::vector<StatKey>& keys) {
  const auto left_ms = [](const StatKey& key) { return key.expire_at_ms - kStatNowMs; };
  CHECK(report.persistent == sum_of(keys, [](const StatKey& key) { return key.expire_at_ms == kNoExpiry; }));
  CHECK(report.expired == sum_of(keys, [](const StatKey& key) {
          return key.expire_at_ms != kNoExpiry && key.expire_at_ms <= kStatNowMs;
        }));
  for (size_t bin = 0; bin < report.ttl.size(); ++bin) {
    CAPTURE(bin);
    CHECK(report.ttl[bin] == sum_of(keys, [&](const StatKey& key) {
            if (key.expire_at_ms == kNoExpiry || key.expire_at_ms <= kStatNowMs) return false;
            const bool is_below = bin == kTtlBinsS.size() || left_ms(key) < kTtlBinsS[bin] * 1000;
            return is_below && (bin == 0 || left_ms(key) >= kTtlBinsS[bin - 1] * 1000);
          }));
  }
  uint64_t fields = 0;
  uint64_t expired = 0;
  for (const StatKey& key : keys) {
    fields += key.ttl_fields;
    expired += key.expired_fields;
  }
  CHECK(report.volatile_fields == fields);
  CHECK(report.expired_fields == expired);
}

void check_use(const StatReport& report, const std::vector<StatKey>& keys) {
  for (size_t bin = 0; bin < report.idle.size(); ++bin) {
    CHECK(report.idle[bin] == sum_of(keys, [&](const StatKey& key) {
            if (!key.idle_s) return false;
            const bool is_below =
                bin == kIdleBinsS.size() || *key.idle_s < static_cast<uint64_t>(kIdleBinsS[bin]);
            return is_below && (bin == 0 || *key.idle_s >= static_cast<uint64_t>(kIdleBinsS[bin - 1]));
          }));
  }
  for (size_t freq = 0; freq < report.freq.size(); ++freq)
    CHECK(report.freq[freq] == sum_of(keys, [&](const StatKey& key) { return key.freq == freq; }));
}

void check_types(const StatReport& report, const std::vector<StatKey>& keys) {
  std::map<std::string, StatCount> labels;
  for (const StatKey& key : keys) labels[key.label].add(key.count());
  CHECK(labels.size() == report.encodings.size());
  for (const auto& label : labels) {
    CAPTURE(label.first);
    REQUIRE(report.encodings.contains(label.first));
    CHECK(report.encodings.at(label.first).count == label.second);
  }
  for (size_t i = 0; i < report.types.size(); ++i) {
    const TypeStat& type = report.types[i];
    CAPTURE(i);
    std::vector<uint64_t> elements;
    const StatKey* largest = nullptr;
    for (const StatKey& key : keys) {
      if (key.type != static_cast<ValueType>(i)) continue;
      elements.push_back(key.elements);
      if (largest == nullptr || key.largest > largest->largest ||
          (key.largest == largest->largest &&
           std::tie(key.db, key.key) < std::tie(largest->db, largest->key)))
        largest = &key;
    }
    CHECK(type.count ==
          sum_of(keys, [&](const StatKey& key) { return key.type == static_cast<ValueType>(i); }));
    check_quantiles(type.elements, elements);
    REQUIRE(type.largest.has_value() == (largest != nullptr));
    if (largest == nullptr) continue;
    CHECK(type.largest->key == largest->key);
    CHECK(type.largest->largest_element == largest->largest);
  }
}

void check_dbs(const StatReport& report, const std::vector<StatKey>& keys) {
  std::map<uint64_t, DbStat> dbs;
  DbStat others;
  for (const StatKey& key : keys) {
    DbStat& db = key.db < StatReport::kDbsMax ? dbs[key.db] : others;
    db.count.add(key.count());
    db.volatile_keys += key.expire_at_ms != kNoExpiry ? 1 : 0;
  }
  CHECK(dbs.size() == report.dbs.size());
  for (const auto& db : dbs) {
    CAPTURE(db.first);
    REQUIRE(report.dbs.contains(db.first));
    CHECK(report.dbs.at(db.first).count == db.second.count);
    CHECK(report.dbs.at(db.first).volatile_keys == db.second.volatile_keys);
  }
  CHECK(report.other_dbs.count == others.count);
  CHECK(report.other_dbs.volatile_keys == others.volatile_keys);
}

void check_report(const StatReport& report, const std::vector<StatKey>& keys, size_t most) {
  CHECK(report.total == sum_of(keys, [](const StatKey& /*key*/) { return true; }));
  check_types(report, keys);
  check_dbs(report, keys);
  check_expiries(report, keys);
  check_use(report, keys);
  check_tree(report, keys);
  for (const TopKeys& top : report.top) check_top(top, keys, most);
  std::vector<uint64_t> bytes;
  for (const StatKey& key : keys) bytes.push_back(key.record.size());
  check_quantiles(report.bytes, bytes);
  for (size_t bits = 0; bits < report.sizes.size(); ++bits)
    CHECK(report.sizes[bits] == sum_of(keys, [&](const StatKey& key) {
            return static_cast<size_t>(std::bit_width(key.record.size())) == bits;
          }));
}

}  // namespace

TEST_CASE("stat: every number of a dataset of all types") {
  for (const uint64_t seed : {1U, 2U}) {
    std::vector<StatKey> keys = stat_dataset(600, seed);
    const std::string file = file_of_keys(keys).eof();
    const StatSummary summary = stat_rdb(file);
    CHECK(summary.has_header);
    CHECK(summary.complete);
    CHECK(summary.errors == 0);
    CHECK(summary.keys == keys.size());
    CHECK(summary.report.inputs == 1);
    CHECK(summary.report.file_bytes == file.size());
    CHECK(summary.report.writers == std::map<std::string, uint64_t>{{"redis-8.8", 1}});
    CHECK(summary.report.as_of_last_ms == kStatNowMs);
    check_report(summary.report, keys, 10);
    REQUIRE(summary.report.modules.size() == 1);
    CHECK(summary.report.modules.at("test__rdb").count == summary.report.types[7].count);
    CHECK(!summary.report.log);

    std::ranges::shuffle(keys, std::mt19937_64(seed));
    const StatSummary shuffled = stat_rdb(file_of_keys(keys).eof());
    CHECK(sums_of(shuffled.report) == sums_of(summary.report));
  }
}
