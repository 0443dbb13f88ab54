// Reports: histograms, the largest keys, how all of it adds up, and what becomes of it as a partial result.
#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "ops/big_keys.hpp"
#include "ops/prefix_tree.hpp"
#include "persist/stat.hpp"
#include "support/files.hpp"

using namespace persist;
using namespace persist::test;

namespace {

class TextSink : public ByteSink {
 public:
  void write(Bytes bytes) override { text += bytes; }
  std::string text;
};

std::string partial_of(const StatReport& report) {
  TextSink sink;
  write_partial(report, sink);
  return sink.text;
}

StatReport report_of(Bytes text) { return read_partial(*memory_source(text)); }

// What reading has against it; empty if nothing.
std::string complaint_about(Bytes text) {
  try {
    (void)report_of(text);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "";
}

using Random = std::mt19937_64;

StatCount some_count(Random& random) {
  return {random() % 100, random() % 1000, random() >> 20, random() >> 30};
}

BigKey some_key(Random& random) {
  BigKey key;
  key.db = random() % 3;
  key.key = "k" + std::to_string(random() % 20);
  if (random() % 4 == 0) key.key += "\xff\x00\"";
  key.key_bytes = key.key.size();
  key.type = static_cast<ValueType>(random() % 8);
  key.encoding = random() % 3 == 0 ? "" : "listpack";
  key.bytes = random() % 8;
  key.memory = random() % 8;
  key.elements = random() % 8;
  key.largest_element = random() % 8;
  key.expire_at_ms = random() % 2 == 0 ? kNoExpiry : static_cast<int64_t>(random() >> 1);
  return key;
}

Histogram some_histogram(Random& random) {
  Histogram histogram;
  for (uint64_t i = random() % 50; i > 0; --i) histogram.add(random() >> (random() % 64), 1 + random() % 9);
  return histogram;
}

CommandStat some_commands(Random& random) { return {random() % 100, random() >> 9, random() % 10000}; }

LogStat some_log(Random& random) {
  LogStat log;
  for (const char* name : {"set", "del", "\xfe"}) log.by_name[name] = some_commands(random);
  log.other_names = some_commands(random);
  log.by_db[random() % 5] = some_commands(random);
  log.other_dbs = some_commands(random);
  log.total = some_commands(random);
  log.bytes = some_histogram(random);
  log.transactions = random();
  log.flushes = random() % 10;
  log.first_time_s = 1700000000;
  log.last_time_s = 1700001000;
  log.timed_commands = 7;
  log.times.shift = 4;
  log.times.first = 1700000000 >> 4;
  log.times.commands = {1, 0, 6};
  log.rdb_bytes = random() % 1000;
  log.command_bytes = random();
  if (random() % 2 == 0) log.live_bytes = random();
  return log;
}

void fill_keys(StatReport& report, Random& random) {
  PrefixTree tree(report.separators);
  for (int i = 0; i < 300; ++i)
    tree.add("a" + std::to_string(random() % 3) + ":" + std::to_string(random() % 90) + ":\xff-x",
             some_count(random), i % 2 == 0);
  report.prefixes = tree.root();
  report.total = some_count(random);
  for (const uint64_t db : {0U, 7U, 65535U})
    if (random() % 2 == 0) report.dbs[db] = {some_count(random), random() % 50};
  report.other_dbs = {some_count(random), random() % 50};
  for (TypeStat& type : report.types) {
    type.count = some_count(random);
    type.elements = some_histogram(random);
    if (random() % 2 == 0) type.largest = some_key(random);
  }
  report.encodings["hash-listpack"] = {ValueType::hash, some_count(random)};
  if (random() % 2 == 0) report.encodings["string"] = {ValueType::string, some_count(random)};
  report.bytes = some_histogram(random);
  report.sizes[random() % 64] = some_count(random);
  for (TopKeys& top : report.top)
    for (int i = 0; i < 40; ++i) top.offer(some_key(random));
}

StatReport some_report(unsigned seed, bool has_log = false) {
  Random random(seed);
  StatReport report(size_t{10});
  report.target = "redis-7.0";
  report.separators = ":\xff-";
  report.inputs = 1 + random() % 3;
  report.file_bytes = random() >> 5;
  report.errors = random() % 4;
  report.complete = random() % 2 == 0;
  report.writers["redis-7." + std::to_string(random() % 3)] = 2;
  report.as_of_first_ms = static_cast<int64_t>(random() % 1000) - 500;
  report.as_of_last_ms = report.as_of_first_ms + 5;
  fill_keys(report, random);
  report.persistent = some_count(random);
  report.expired = some_count(random);
  report.ttl[random() % report.ttl.size()] = some_count(random);
  report.volatile_fields = random() % 100;
  report.expired_fields = random() % 100;
  report.idle[random() % report.idle.size()] = some_count(random);
  report.freq[random() % report.freq.size()] = some_count(random);
  report.functions = {{"LUA", "lib" + std::to_string(random() % 3)}, {"", "\xff"}};
  report.modules["ReJSON-RL"] = {some_count(random), random() % 3};
  if (has_log) report.log = some_log(random);
  return report;
}

void check_same(const TypeStat& a, const TypeStat& b) {
  CHECK(a.count == b.count);
  CHECK(a.elements == b.elements);
  CHECK(a.largest == b.largest);
}

void check_same(const PrefixNode& a, const PrefixNode& b) {
  REQUIRE(a.children.size() == b.children.size());
  CHECK((a.token == b.token && a.is_any == b.is_any && a.count == b.count &&
         a.persistent_keys == b.persistent_keys));
  for (size_t i = 0; i < a.children.size(); ++i) check_same(a.children[i], b.children[i]);
}

bool is_same(const CommandStat& a, const CommandStat& b) {
  return a.commands == b.commands && a.bytes == b.bytes && a.largest == b.largest;
}

void check_same(const LogStat& a, const LogStat& b) {
  const auto same = [](const auto& x, const auto& y) {
    return x.first == y.first && is_same(x.second, y.second);
  };
  CHECK(std::ranges::equal(a.by_name, b.by_name, same));
  CHECK(std::ranges::equal(a.by_db, b.by_db, same));
  CHECK(is_same(a.other_names, b.other_names));
  CHECK(is_same(a.other_dbs, b.other_dbs));
  CHECK(is_same(a.total, b.total));
  CHECK(a.bytes == b.bytes);
  CHECK((a.transactions == b.transactions && a.flushes == b.flushes));
  CHECK((a.first_time_s == b.first_time_s && a.last_time_s == b.last_time_s));
  CHECK((a.timed_commands == b.timed_commands && a.times.shift == b.times.shift));
  CHECK((a.times.first == b.times.first && a.times.commands == b.times.commands));
  CHECK((a.rdb_bytes == b.rdb_bytes && a.command_bytes == b.command_bytes && a.live_bytes == b.live_bytes));
}

void check_same_keys(const StatReport& a, const StatReport& b) {
  CHECK(a.total == b.total);
  const auto same_db = [](const DbStat& x, const DbStat& y) {
    return x.count == y.count && x.volatile_keys == y.volatile_keys;
  };
  CHECK(std::ranges::equal(a.dbs, b.dbs, [&](const auto& x, const auto& y) {
    return x.first == y.first && same_db(x.second, y.second);
  }));
  CHECK(same_db(a.other_dbs, b.other_dbs));
  for (size_t i = 0; i < a.types.size(); ++i) check_same(a.types[i], b.types[i]);
  CHECK(std::ranges::equal(a.encodings, b.encodings, [](const auto& x, const auto& y) {
    return x.first == y.first && x.second.type == y.second.type && x.second.count == y.second.count;
  }));
  CHECK(a.bytes == b.bytes);
  CHECK(a.sizes == b.sizes);
  for (size_t i = 0; i < kBigBys; ++i) {
    CHECK(a.top[i].by() == b.top[i].by());
    CHECK(a.top[i].most() == b.top[i].most());
    CHECK(a.top[i].sorted() == b.top[i].sorted());
  }
}

// Member by member: what a partial result leaves out would not be missed in a comparison of two of them.
void check_same(const StatReport& a, const StatReport& b) {
  CHECK((a.target == b.target && a.allocator == b.allocator && a.separators == b.separators));
  CHECK((a.inputs == b.inputs && a.file_bytes == b.file_bytes));
  CHECK((a.errors == b.errors && a.complete == b.complete));
  CHECK(a.writers == b.writers);
  CHECK((a.as_of_first_ms == b.as_of_first_ms && a.as_of_last_ms == b.as_of_last_ms));
  check_same_keys(a, b);
  CHECK((a.persistent == b.persistent && a.expired == b.expired && a.ttl == b.ttl));
  CHECK((a.volatile_fields == b.volatile_fields && a.expired_fields == b.expired_fields));
  CHECK((a.idle == b.idle && a.freq == b.freq));
  check_same(a.prefixes, b.prefixes);
  CHECK(a.prefixes_coarsened == b.prefixes_coarsened);
  CHECK(a.functions == b.functions);
  CHECK(std::ranges::equal(a.modules, b.modules, [](const auto& x, const auto& y) {
    return x.first == y.first && x.second.count == y.second.count && x.second.records == y.second.records;
  }));
  REQUIRE(a.log.has_value() == b.log.has_value());
  if (a.log) check_same(*a.log, *b.log);
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const size_t at = text.find(from);
  REQUIRE_MESSAGE(at != std::string::npos, from);
  return text.replace(at, from.size(), to);
}

}  // namespace

TEST_CASE("stat: names of allocators") {
  for (const Allocator one : {Allocator::jemalloc, Allocator::jemalloc_system, Allocator::libc})
    CHECK(find_allocator(allocator_name(one)) == one);
  CHECK(allocator_name(Allocator::jemalloc_system) == "jemalloc-system");
  CHECK(!find_allocator("tcmalloc"));
}

TEST_CASE("histogram: buckets") {
  CHECK(Histogram::bucket_end(15) == 15);
  CHECK(Histogram::bucket_end(16) == 17);
  CHECK(Histogram::bucket_end(23) == 31);
  CHECK(Histogram::bucket_end(24) == 35);
  CHECK(Histogram::bucket_end(Histogram::kBuckets - 1) == ~uint64_t{0});
  for (size_t i = 0; i < Histogram::kBuckets; ++i) {
    CAPTURE(i);
    CHECK(Histogram::bucket_of(Histogram::bucket_end(i)) == i);
    if (i + 1 < Histogram::kBuckets) CHECK(Histogram::bucket_of(Histogram::bucket_end(i) + 1) == i + 1);
  }
}

TEST_CASE("histogram: quantiles") {
  Histogram histogram;
  CHECK(histogram.quantile(0.5) == 0);
  for (uint64_t i = 1; i <= 10; ++i) histogram.add(i);
  struct Row {
    double share;
    uint64_t number;
  };
  for (const Row& row : {Row{0, 1},
                         {0.05, 1},
                         {0.1, 1},
                         {0.11, 2},
                         {0.3, 3},
                         {0.5, 5},
                         {0.7, 7},
                         {0.9, 9},
                         {0.91, 10},
                         {1, 10},
                         {2, 10},
                         {-1, 1}}) {
    CAPTURE(row.share);
    CHECK(histogram.quantile(row.share) == row.number);
  }
  Histogram hundred;
  for (uint64_t i = 0; i < 100; ++i) hundred.add(i < 7 ? 3 : 5);
  CHECK(hundred.quantile(0.07) == 3);
  histogram.add(1000, 90);
  CHECK(histogram.quantile(0.1) == 10);
  CHECK(histogram.quantile(0.5) == 1000);  // not the end of its bucket: none is greater
  histogram.add(100000);
  CHECK(histogram.quantile(0.5) == 1023);
  Histogram full;
  full.add(~uint64_t{0}, ~uint64_t{0});
  CHECK(full.quantile(0.999) == ~uint64_t{0});
}

TEST_CASE("histogram: merged as one that has seen all") {
  Random random(3);
  Histogram all;
  std::array<Histogram, 3> parts;
  for (int i = 0; i < 1000; ++i) {
    const uint64_t number = random() >> (random() % 64);
    all.add(number);
    parts[random() % 3].add(number);
  }
  parts[1].merge(parts[2]);
  parts[0].merge(parts[1]);
  CHECK(parts[0] == all);
}

TEST_CASE("largest keys: largest first, without ties") {
  TopKeys top(BigBy::bytes, 3);
  const auto key = [](uint64_t db, const char* name, uint64_t bytes) {
    BigKey made;
    made.db = db;
    made.key = name;
    made.bytes = bytes;
    return made;
  };
  for (const BigKey& one : {key(1, "a", 5), key(0, "z", 5), key(0, "y", 5)}) {
    CHECK(top.wants(0, one.db, one.key));
    top.offer(one);
  }
  CHECK(!top.wants(4, 0, "a"));
  CHECK(!top.wants(5, 1, "b"));
  CHECK(top.wants(5, 1, "A"));
  CHECK(top.wants(5, 0, "zz"));
  CHECK(top.wants(6, 9, "z"));
  top.offer(key(1, "b", 5));
  top.offer(key(0, "x", 5));
  top.offer(key(9, "small", 4));
  CHECK(top.sorted() == std::vector{key(0, "x", 5), key(0, "y", 5), key(0, "z", 5)});
  top.offer(key(9, "q", 6));
  CHECK(top.sorted() == std::vector{key(9, "q", 6), key(0, "x", 5), key(0, "y", 5)});
  TopKeys none(BigBy::bytes, 0);
  CHECK(!none.wants(~uint64_t{0}, 0, ""));
  none.offer(key(0, "a", 1));
  CHECK(none.sorted().empty());
  top.offer(key(0, std::string(3000, 'k').c_str(), 7));
  CHECK(top.sorted()[0].key.size() == BigKey::kNameShownMax);
}

TEST_CASE("largest keys: neither order nor division matters") {
  Random random(5);
  for (size_t by = 0; by < kBigBys; ++by) {
    std::vector<BigKey> keys;
    for (int i = 0; i < 400; ++i) keys.push_back(some_key(random));
    std::vector<BigKey> expected = keys;
    std::ranges::sort(
        expected, [&](const BigKey& a, const BigKey& b) { return is_larger(a, b, static_cast<BigBy>(by)); });
    expected.resize(25);
    for (int round = 0; round < 5; ++round) {
      std::ranges::shuffle(keys, random);
      std::vector<TopKeys> parts(4, TopKeys(static_cast<BigBy>(by), 25));
      for (const BigKey& key : keys) parts[random() % parts.size()].offer(key);
      std::ranges::shuffle(parts, random);
      for (size_t i = 1; i < parts.size(); ++i) parts[0].merge(parts[i]);
      CHECK(parts[0].sorted() == expected);
    }
  }
  TopKeys few(BigBy::bytes, 2);
  few.merge(TopKeys(BigBy::bytes, 9));
  CHECK(few.most() == 2);
}

TEST_CASE("reports: merged in any order") {
  std::vector<StatReport> reports;
  for (unsigned seed = 1; seed <= 5; ++seed) reports.push_back(some_report(seed, seed % 2 == 0));
  StatReport forth(size_t{10});
  for (const StatReport& report : reports) merge_stat(forth, report);
  StatReport back = reports[4];
  StatReport pair = reports[3];
  merge_stat(pair, reports[1]);
  merge_stat(back, reports[2]);
  merge_stat(back, pair);
  merge_stat(back, StatReport(size_t{10}));
  merge_stat(back, reports[0]);
  check_same(forth, back);
  CHECK(forth.inputs >= 5);
  uint64_t bytes = 0;
  for (const StatReport& report : reports) bytes += report.file_bytes;
  CHECK(forth.file_bytes == bytes);
  const auto earlier = [](const StatReport& a, const StatReport& b) {
    return a.as_of_first_ms < b.as_of_first_ms;
  };
  CHECK(forth.as_of_first_ms == std::ranges::min_element(reports, earlier)->as_of_first_ms);
  CHECK(forth.as_of_last_ms == std::ranges::max_element(reports, earlier)->as_of_last_ms);
}

TEST_CASE("reports: that do not fit") {
  struct Row {
    void (*change)(StatReport&);
    const char* why;
  };
  const Row rows[] = {
      {[](StatReport& r) { r.target = "valkey-9.0"; },
       "reports of other targets: \"redis-7.0\" and \"valkey-9.0\""},
      {[](StatReport& r) { r.allocator = Allocator::libc; },
       "reports of other allocators: \"jemalloc\" and \"libc\""},
      {[](StatReport& r) { r.separators = ":"; }, "reports of other separators: \":\xff-\" and \":\""},
  };
  for (const Row& row : rows) {
    StatReport into = some_report(1);
    StatReport other = some_report(2);
    row.change(other);
    CHECK_THROWS_WITH_AS(merge_stat(into, other), row.why, std::invalid_argument);
    check_same(into, some_report(1));
  }
}

TEST_CASE("reports: what is bounded keeps the first in its order") {
  StatReport into = some_report(1);
  StatReport other = some_report(2);
  for (size_t i = 0; i < StatReport::kNamesMax; ++i) {
    other.writers["z" + std::to_string(i)] = 1;
    other.modules["z" + std::to_string(i)].records = 1;
    other.functions.insert({"Z", std::to_string(i)});
  }
  other.dbs[StatReport::kDbsMax].volatile_keys = 100;
  const uint64_t others = into.other_dbs.volatile_keys + other.other_dbs.volatile_keys;
  merge_stat(into, other);
  CHECK(into.writers.size() == StatReport::kNamesMax);
  CHECK(into.modules.size() == StatReport::kNamesMax);
  CHECK(into.functions.size() == StatReport::kNamesMax);
  CHECK(into.modules.contains("ReJSON-RL"));
  CHECK(!into.modules.contains("z999"));
  CHECK(into.other_dbs.volatile_keys == others + 100);
}

TEST_CASE("partial results: written and read back") {
  for (unsigned seed = 1; seed <= 6; ++seed) {
    CAPTURE(seed);
    const StatReport report = some_report(seed, seed % 2 == 0);
    const std::string text = partial_of(report);
    CHECK(text.starts_with("{\"persist_stat_partial\":1,"));
    CHECK(text.find('\n') == text.size() - 1);
    check_same(report_of(text), report);
    StatReport merged = some_report(seed + 10, true);
    StatReport merged_back = report_of(partial_of(merged));
    merge_stat(merged, report);
    merge_stat(merged_back, report_of(text));
    check_same(merged_back, merged);
  }
  check_same(report_of(partial_of(StatReport())), StatReport());
  StatReport extreme;
  extreme.file_bytes = ~uint64_t{0};
  extreme.as_of_first_ms = std::numeric_limits<int64_t>::min();
  extreme.bytes.add(~uint64_t{0}, ~uint64_t{0});
  check_same(report_of(partial_of(extreme)), extreme);
}

TEST_CASE("partial results: recognised by how they begin") {
  const std::string text = partial_of(StatReport());
  struct Row {
    std::string text;
    bool is;
  };
  const Row rows[] = {{text, true},
                      {" \r\n\t" + text, true},
                      {"{ \"persist_stat_partial\" : 2", true},
                      {"{\"persist_stat_partial", false},
                      {"{\"persist_stat_partials\":1}", false},
                      {"{\"schema\":1}", false},
                      {"REDIS0011", false},
                      {"{", false},
                      {"", false}};
  for (const Row& row : rows) {
    CAPTURE(row.text);
    CHECK(is_partial(*memory_source(row.text)) == row.is);
  }
  PipedSource piped("\n" + text);
  CHECK(is_partial(piped.source()));
  check_same(read_partial(piped.source()), StatReport());
}

TEST_CASE("partial results: what could not have been written is refused") {
  const std::string text = partial_of(some_report(2, true));
  REQUIRE(complaint_about(text).empty());
  struct Row {
    std::string from;
    std::string to;
    const char* why;
  };
  const Row rows[] = {
      {"{\"persist_stat_partial\":1", "{\"persist_stat_partial\":2", "version 2 is not known"},
      {"{\"persist_stat_partial\":1", "{\"persist_stat_partial\":\"1\"", "version \"1\" is not known"},
      {"{\"persist_stat_partial\"", "{\"persist\"", "it does not begin with"},
      {"\"inputs\":", "\"outputs\":", "only members of the schema, found \"outputs\""},
      {"\"inputs\":", "\"inputs\":-", "inputs: expected an integer from 0"},
      {"\"errors\":", "\"errors\":0.", "errors: expected an integer"},
      {"\"jemalloc\"", "\"tcmalloc\"", "allocator: expected a known one, found \"tcmalloc\""},
      {"\"coarsened\":false", "\"coarsened\":0", "coarsened: expected true or false"},
      {"\"by\":\"memory\"", "\"by\":\"bytes\"", "top: expected \"memory\""},
      {"\"most\":10", "\"most\":10001", "top: expected an integer from 0 to 10000"},
      {"\"most\":10", "\"most\":9", "top: expected at most 9, found 10"},
      {"\"nodes\":[[0,", "\"nodes\":[[1,", "prefix: expected each behind its parent"},
      {"\"nodes\":[[0,\"\"", "\"nodes\":[[0,null", "prefix: expected a token"},
      {"[1,\"a0:\"", "[9,\"a0:\"", "prefix: expected an integer from 0 to 8"},
      {"[1,\"a0:\"", "[1,\"\"", "prefix: expected a token"},
      {"\"type\":\"list\"", "\"type\":\"string\"", "types: expected all of them in order"},
      {"\"type\":\"list\"", "\"type\":\"tree\"", "a type of values"},
      {"\"ReJSON-RL\"", "{\"$base64\":\"?\"}", "module: expected base64"},
      {"\"shift\":4", "\"shift\":63", "times: expected an integer from 0 to 62"},
      {"\"shift\":4", "\"shift\":40", "times: expected seconds of 64 bits"},
      {"\"log\":{", "\"log\":[{", "expected one JSON object"},
      {"\"other_dbs\":[", "\"other_dbs\":[1,", "an array of two"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.to);
    const std::string complaint = complaint_about(replaced(text, row.from, row.to));
    CHECK_MESSAGE(complaint.starts_with("not a result of persist stat --partial: "), complaint);
    CHECK_MESSAGE(complaint.find(row.why) != std::string::npos, complaint);
  }
  const std::string empty = partial_of(StatReport());
  const std::string none = "\"max\":0,\"buckets\":[]";
  CHECK(complaint_about(replaced(empty, none, "\"max\":3,\"buckets\":[[3,1]]")).empty());
  for (const char* bad :
       {"\"max\":1,\"buckets\":[]", "\"max\":3,\"buckets\":[[2,1]]", "\"max\":3,\"buckets\":[[3,0]]",
        "\"max\":3,\"buckets\":[[3,1],[2,1]]", "\"max\":999,\"buckets\":[[496,1]]",
        "\"max\":3,\"buckets\":[[2,18446744073709551615],[3,1]]"}) {
    CAPTURE(std::string(bad));
    CHECK(!complaint_about(replaced(empty, none, bad)).empty());
  }
  const std::string root = "[0,\"\",[0,0,0,0],0]";
  CHECK(complaint_about(replaced(empty, root, root + ",[1,\"a:\",[0,0,0,0],0]")).empty());
  for (const char* bad : {",[2,\"a:\",[0,0,0,0],0]", ",[0,\"\",[0,0,0,0],0]", ",[1,\"a:\",[0,0,0],0]"}) {
    CAPTURE(std::string(bad));
    CHECK(!complaint_about(replaced(empty, root, root + bad)).empty());
  }
  CHECK(!complaint_about(replaced(empty, root, "")).empty());
  CHECK(!complaint_about(text + "x").empty());
  CHECK(complaint_about(text + " \n").empty());
  for (size_t size = 0; size + 2 < text.size(); size += 1 + text.size() / 200)
    CHECK(!complaint_about(Bytes(text).substr(0, size)).empty());
}
