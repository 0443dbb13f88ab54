// The whole comparison, over small files whose differences can be seen: order, options, damage, memory.
// What two datasets made by chance differ in is for the property tests.
#include "persist/diff.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>

#include "support/aof_builder.hpp"
#include "support/bytes_builder.hpp"
#include "support/conversions.hpp"
#include "support/differences.hpp"
#include "support/rdb_builder.hpp"
#include "support/samples.hpp"
#include "support/verbs.hpp"
#include "support/violations.hpp"

using namespace persist;
using namespace persist::test;
using namespace std::string_literals;

namespace {

using Lines = std::vector<std::string>;

DatasetBytes diff_rdb(std::string bytes) { return {DatasetBytes::Form::rdb, std::move(bytes), {}}; }
DatasetBytes diff_lines(std::string bytes) { return {DatasetBytes::Form::lines, std::move(bytes), {}}; }

RdbBuilder diff_file() { return RdbBuilder(redis, 14).aux("redis-ver", "8.8.0").select(0); }

Lines diff_told(const RdbBuilder& a, const RdbBuilder& b, const DiffOptions& options = {}) {
  const Diffed diffed = diff_datasets(diff_rdb(a.eof()), diff_rdb(b.eof()), options);
  CHECK(diffed.summary.compared);
  CHECK(diffed.summary.differ() == (!diffed.keys.empty() || !diffed.libraries.empty()));
  return told(diffed);
}

std::string names_told(const Diffed& diffed) {
  std::string names;
  for (const KeyDifference& key : diffed.keys) names += (names.empty() ? "" : " ") + key.key;
  return names;
}

}  // namespace

// --- What is told, and in which order ---------------------------------------------------------------------

TEST_CASE("diff: keys that only A has in the order of A, then others in the order of B") {
  const RdbBuilder a = diff_file().string("d", "1").string("z", "1").string("c", "1").string("y", "1");
  const RdbBuilder b = diff_file().string("y", "2").string("n", "1").string("z", "1").string("m", "1");
  // The index is of the smaller side: either has to be.
  const std::string much(500, 'm');
  for (const bool a_is_larger : {false, true}) {
    RdbBuilder more_a = a;
    RdbBuilder more_b = b;
    (a_is_larger ? more_a : more_b).string("last", much);
    for (const unsigned threads : {1U, 2U}) {
      CAPTURE(a_is_larger);
      CAPTURE(threads);
      DiffOptions options;
      options.threads = threads;
      const Diffed diffed = diff_datasets(diff_rdb(more_a.eof()), diff_rdb(more_b.eof()), options);
      CHECK(names_told(diffed) == (a_is_larger ? "d c last y n m" : "d c y n m last"));
      CHECK(counts_of(diffed.summary) == (a_is_larger ? "a 3, b 2, changed 1, same 1, libraries 0 0 0"
                                                      : "a 2, b 3, changed 1, same 1, libraries 0 0 0"));
    }
  }
}

TEST_CASE("diff: many pieces come in their order, too") {
  // Every seventh key is gone, every eleventh is another one, the file is read by several threads.
  const auto many = [](bool is_b) {
    RdbBuilder file = diff_file();
    for (int i = 0; i < 40000; ++i) {
      if (is_b && i % 7 == 0) continue;
      file.string(std::to_string(i), std::string(40, 'v') + (is_b && i % 11 == 0 ? "b" : "a"));
      if (is_b && i % 13 == 0) file.string("new " + std::to_string(i), "");
    }
    return diff_rdb(file.eof());
  };
  const DatasetBytes a = many(false);
  const DatasetBytes b = many(true);
  const auto names = [](bool from_b) {
    Lines expected;
    for (int i = 0; i < 40000; ++i) {
      if (!from_b && i % 7 == 0) expected.push_back(std::to_string(i));
      if (from_b && i % 7 != 0 && i % 11 == 0) expected.push_back(std::to_string(i));
      if (from_b && i % 7 != 0 && i % 13 == 0) expected.push_back("new " + std::to_string(i));
    }
    return expected;
  };
  Lines expected = names(false);
  std::ranges::copy(names(true), std::back_inserter(expected));
  DiffOptions options;
  options.threads = 2;
  Lines found;
  for (const KeyDifference& key : diff_datasets(a, b, options).keys) found.push_back(key.key);
  CHECK(found == expected);
}

TEST_CASE("diff: heads, types, databases, libraries, data of modules") {
  const RdbBuilder a = RdbBuilder(redis, 14)
                           .aux("redis-ver", "8.8.0")
                           .function("#!lua name=f\nA")
                           .function("#!lua name=g\nA")
                           .module_aux(module_id_of("Az09-_jsN", 3), 2, "\0"s)
                           .select(0)
                           .string("same", "1")
                           .expire_ms(5)
                           .string("k", "1")
                           .idle(7)
                           .string("i", "1")
                           .select(9)
                           .string("same", "2");
  const RdbBuilder b = RdbBuilder(redis, 14)
                           .aux("redis-ver", "7.2.0")
                           .function("#!lua name=g\nB")
                           .function("#!lua name=h\nB")
                           .select(0)
                           .freq(3)
                           .string("i", "1")
                           .set("k", {"a"})
                           .string("same", "1")
                           .select(8)
                           .expire_ms(-7)
                           .string("same", "2");
  CHECK(joined(diff_told(a, b)) ==
        joined({"+ 8 same - string@-7", "- 9 same string -",
                "~ 0 i string string: freq - -> there \"3\"; idle there \"7\" -> -",
                "~ 0 k string@5 set: expiry there \"5\" -> -; type there \"string\" -> there \"set\"",
                "- module Az09-_jsN,\\x20behind\\x20the\\x20keys", "- function f", "~ function g",
                "+ function h"}));
}

TEST_CASE("diff: an expiry before the epoch has its sign") {
  const RdbBuilder a = diff_file().expire_ms(-7).string("k", "1");
  const RdbBuilder b = diff_file().expire_ms(7).string("k", "1");
  CHECK(joined(diff_told(a, b)) == joined({"~ 0 k string@-7 string@7: expiry there \"-7\" -> there \"7\""}));
}

TEST_CASE("diff: counts by type, and of what is only idle") {
  const RdbBuilder a =
      diff_file().idle(1).string("i", "1").idle(1).string("j", "1").set("s", {"a"}).list("l", {"x"});
  const RdbBuilder b =
      diff_file().idle(2).string("i", "1").idle(2).string("j", "2").set("t", {"a"}).hash("l", {{"f", "v"}});
  const auto type_count = [](const DiffSummary& summary, DiffKind kind, ValueType type) {
    return summary.by_type[static_cast<size_t>(kind)][static_cast<size_t>(type)];
  };
  // However few of them are told, all are counted.
  for (const uint64_t keys_max : {uint64_t{0}, uint64_t{1}, ~uint64_t{0}}) {
    CAPTURE(keys_max);
    DiffOptions options;
    options.keys_max = keys_max;
    options.threads = 1;
    const Diffed diffed = diff_datasets(diff_rdb(a.eof()), diff_rdb(b.eof()), options);
    const DiffSummary& summary = diffed.summary;
    CHECK(diffed.keys.size() == std::min<uint64_t>(keys_max, 5));
    CHECK(counts_of(summary) == "a 1, b 1, changed 3, same 0, libraries 0 0 0");
    CHECK(summary.only_idle == 1);
    CHECK(type_count(summary, DiffKind::only_a, ValueType::set) == 1);
    CHECK(type_count(summary, DiffKind::only_b, ValueType::set) == 1);
    CHECK(type_count(summary, DiffKind::changed, ValueType::string) == 2);
    CHECK(type_count(summary, DiffKind::changed, ValueType::hash) == 1);
    CHECK(type_count(summary, DiffKind::changed, ValueType::list) == 0);
  }
}

TEST_CASE("diff: as much as was asked for") {
  Strings words;
  for (int i = 0; i < 30; ++i) words.push_back("member " + std::to_string(i));
  const std::string common(200, 'c');
  const RdbBuilder a = diff_file().set("s", {"kept"}).string("t", common + "x" + common).string("gone", "1");
  Strings with_words = words;
  with_words.push_back("kept");
  const RdbBuilder b = diff_file().set("s", with_words).string("t", common + "y" + common).string("new", "1");
  const auto run = [&](DiffDetail detail, uint64_t differences_max, uint64_t word_bytes_max) {
    DiffOptions options;
    options.detail = detail;
    options.differences_max = differences_max;
    options.word_bytes_max = word_bytes_max;
    const Diffed diffed = diff_datasets(diff_rdb(a.eof()), diff_rdb(b.eof()), options);
    CHECK(counts_of(diffed.summary) == "a 1, b 1, changed 2, same 0, libraries 0 0 0");
    return told(diffed);
  };
  CHECK(run(DiffDetail::counts, 100, 100).empty());
  const Lines keys = {"+ 0 new - string", "- 0 gone string -", "~ 0 s set set", "~ 0 t string string"};
  CHECK(joined(run(DiffDetail::keys, 100, 100)) == joined(keys));
  // A key of which no difference is told differs all the same.
  CHECK(joined(run(DiffDetail::values, 0, 100)) ==
        joined({keys[0], keys[1], keys[2] + " and 30 more", keys[3] + " and 1 more"}));
  // 4 of 16 bytes in front of the difference.
  CHECK(
      joined(run(DiffDetail::values, 2, 16)) ==
      joined(
          {keys[0], keys[1],
           keys[2] + ": member \"member\\x200\" - -> there; member \"member\\x201\" - -> there and 28 more",
           keys[3] + ": string there \"ccccxccccccccccc\"[196/401] -> there \"ccccyccccccccccc\"[196/401]"}));
  CHECK(run(DiffDetail::values, 30, 0)[2].ends_with("; member \"\"\"\"[0/9] - -> there"));
}

// --- What need not be equal -------------------------------------------------------------------------------

TEST_CASE("diff: what is ignored is no difference, and nothing else is ignored with it") {
  StreamSpec plain = {{{{1, 1}, {{"f", "v"}}}}, {1, 1}};
  StreamSpec with_group = plain;
  with_group.groups = {{"g", {1, 1}, 1, {{{1, 1}, 5, 1}}, {{"al", 5, 5, {{1, 1}}}}, {}}};
  StreamSpec with_counters = plain;
  with_counters.last_id = {7, 7};
  with_counters.max_deleted_id = {5, 5};
  StreamSpec with_idmp = plain;
  with_idmp.producers = {{"p", {{"iid", {1, 1}}}}};
  with_idmp.idmp_duration_s = 17;
  struct IgnoreRow {
    DiffIgnore ignore;
    RdbBuilder a;
    RdbBuilder b;
  };
  const IgnoreRow rows[] = {
      {DiffIgnore::ttl, diff_file().expire_ms(1).string("k", "1"), diff_file().string("k", "1")},
      {DiffIgnore::field_ttl, diff_file().hash_ttl("k", {{"f", "1", 1}, {"g", "1", 9}}),
       diff_file().hash("k", {{"g", "1"}, {"f", "1"}})},
      {DiffIgnore::idle, diff_file().idle(1).string("k", "1"), diff_file().string("k", "1")},
      {DiffIgnore::idle, diff_file().freq(1).string("k", "1"), diff_file().freq(2).string("k", "1")},
      {DiffIgnore::groups, diff_file().stream("k", 5, with_group), diff_file().stream("k", 3, plain)},
      {DiffIgnore::counters, diff_file().stream("k", 5, with_counters), diff_file().stream("k", 2, plain)},
      {DiffIgnore::idmp, diff_file().stream("k", 5, with_idmp), diff_file().stream("k", 3, plain)},
      {DiffIgnore::functions, diff_file().function("#!lua name=f\nA"),
       diff_file().function("#!lua name=f\nB")},
      {DiffIgnore::modules, diff_file().module_aux(module_id_of("Az09-_jsN", 3), 2, "\0"s), diff_file()},
  };
  for (const IgnoreRow& row : rows) {
    for (const bool is_swapped : {false, true}) {
      const std::string a = (is_swapped ? row.b : row.a).eof();
      const std::string b = (is_swapped ? row.a : row.b).eof();
      for (size_t i = 0; i < kDiffIgnores; ++i) {
        DiffOptions options;
        options.ignored = {static_cast<DiffIgnore>(i)};
        CAPTURE(diff_ignore_name(row.ignore));
        CAPTURE(diff_ignore_name(options.ignored[0]));
        const Diffed diffed = diff_datasets(diff_rdb(a), diff_rdb(b), options);
        REQUIRE(diffed.summary.compared);
        CHECK(diffed.summary.differ() == (options.ignored[0] != row.ignore));
        CHECK(told(diffed).size() == (options.ignored[0] != row.ignore ? 1 : 0));
      }
    }
  }
  for (size_t i = 0; i < kDiffIgnores; ++i)
    CHECK(find_diff_ignore(diff_ignore_name(static_cast<DiffIgnore>(i))) == static_cast<DiffIgnore>(i));
  CHECK(find_diff_ignore("") == std::nullopt);
}

TEST_CASE("diff: what is ignored is not told beside what differs") {
  StreamSpec one = {{{{1, 1}, {{"f", "v"}}}}, {1, 1}};
  one.groups = {{"g", {1, 1}, 1, {}, {}, {}}};
  StreamSpec other = {{{{1, 1}, {{"f", "w"}}}}, {2, 1}};
  const RdbBuilder a = diff_file().expire_ms(4).idle(9).hash_ttl("h", {{"f", "1", 8}}).stream("s", 5, one);
  const RdbBuilder b = diff_file().expire_ms(5).idle(8).hash_ttl("h", {{"f", "2", 9}}).stream("s", 5, other);
  DiffOptions options;
  for (size_t i = 0; i < kDiffIgnores; ++i) options.ignored.push_back(static_cast<DiffIgnore>(i));
  CHECK(joined(diff_told(a, b, options)) ==
        joined({"~ 0 h hash@4 hash@5: field \"f\" there \"1\" -> there \"2\"",
                "~ 0 s stream stream: entry \"1-1\" there \"f\" \"v\" -> there \"f\" \"w\""}));
}

TEST_CASE("diff: expiries that are near to one another, of keys and of fields") {
  const auto file = [](int64_t of_key, int64_t of_field, const char* value) {
    RdbBuilder made = diff_file();
    if (of_key != 0) made.expire_ms(of_key);
    return diff_rdb(made.hash_ttl("k", {{"f", value, of_field}, {"g", "1"}}).string("same", "1").eof());
  };
  struct ToleranceRow {
    int64_t key_a, field_a, key_b, field_b;
    int64_t tolerance;
    Bytes parts;  // that differ
  };
  constexpr ToleranceRow kToleranceRows[] = {
      {1000, 5000, 1000, 5000, 0, ""},
      {1000, 5000, 1001, 5000, 0, "expiry"},
      {1000, 5000, 1000, 5001, 0, "field_expiry"},
      {1000, 5000, 1010, 5010, 10, ""},
      {1010, 5000, 1000, 5010, 10, ""},
      {1000, 5000, 1011, 5010, 10, "expiry"},
      {1000, 5000, 1010, 5011, 10, "field_expiry"},
      {1000, 5000, 1011, 5011, 10, "expiry field_expiry"},
      // None is not near to anything.
      {0, 5000, 1, 5000, 1'000'000, "expiry"},
      {1000, 0, 1000, 1, 1'000'000, "field_expiry"},
      {1000, 1, 1000, 0, 1'000'000, "field_expiry"},
      {0, 0, 0, 0, 1'000'000, ""},
  };
  for (const ToleranceRow& row : kToleranceRows) {
    for (const DiffDetail detail : {DiffDetail::counts, DiffDetail::keys, DiffDetail::values}) {
      for (const char* value : {"1", "2"}) {
        CAPTURE(row.key_b - row.key_a);
        CAPTURE(row.field_b - row.field_a);
        CAPTURE(value);
        DiffOptions options;
        options.ttl_tolerance_ms = row.tolerance;
        options.detail = detail;
        const Diffed diffed =
            diff_datasets(file(row.key_a, row.field_a, "1"), file(row.key_b, row.field_b, value), options);
        const bool differ = !row.parts.empty() || value[0] == '2';
        CHECK(counts_of(diffed.summary) == (differ ? "a 0, b 0, changed 1, same 1, libraries 0 0 0"
                                                   : "a 0, b 0, changed 0, same 2, libraries 0 0 0"));
        CHECK(diffed.summary.differ() == differ);
        CHECK(diffed.keys.size() == (differ && detail != DiffDetail::counts ? 1 : 0));
        if (diffed.keys.empty()) continue;
        std::string parts;
        for (const Difference& one : diffed.keys[0].differences)
          if (one.part != DiffPart::field)
            parts += (parts.empty() ? "" : " ") + std::string(diff_part_row(one.part).name);
        CHECK(parts == (detail == DiffDetail::values ? row.parts : ""));
      }
    }
  }
}

TEST_CASE("diff: expiries of fields that are near, beside keys that nobody is told of") {
  RdbBuilder a = diff_file();
  RdbBuilder b = diff_file();
  for (int i = 0; i < 50; ++i) {
    const std::string key = "k" + std::to_string(i);
    a.hash_ttl(key, {{"f", "1", 1000}});
    b.hash_ttl(key, {{"f", i % 5 == 0 ? "2" : "1", 1005}});
  }
  for (const uint64_t keys_max : {uint64_t{0}, uint64_t{3}}) {
    DiffOptions options;
    options.ttl_tolerance_ms = 5;
    options.keys_max = keys_max;
    const Diffed diffed = diff_datasets(diff_rdb(a.eof()), diff_rdb(b.eof()), options);
    CHECK(counts_of(diffed.summary) == "a 0, b 0, changed 10, same 40, libraries 0 0 0");
    CHECK(diffed.summary.by_type[2][static_cast<size_t>(ValueType::hash)] == 10);
    CHECK(diffed.keys.size() == keys_max);
  }
}

TEST_CASE("diff: some keys only, and A as it would be called in B") {
  const RdbBuilder a = diff_file().string("old:1", "1").string("old:2", "1").string("other", "1");
  const RdbBuilder b =
      RdbBuilder(redis, 11).select(3).string("new:1", "1").string("new:2", "2").string("this", "1");
  KeyChangeOptions renaming;
  renaming.dbs = {{0, 3}};
  renaming.renames = {{"^old:", "new:", false}};
  const KeyChanges changes(renaming);
  DiffOptions options;
  options.changes_a = &changes;
  CHECK(joined(diff_told(a, b, options)) ==
        joined({"+ 3 this - string", "- 3 other string -",
                "~ 3 new\\x3a2 string string: string there \"1\" -> there \"2\""}));
  // A is asked for by the names it has itself.
  FilterOptions two_parts;
  two_parts.key_globs = {"*:*"};
  const Filter filter(two_parts);
  options.filter = &filter;
  const Diffed diffed = diff_datasets(diff_rdb(a.eof()), diff_rdb(b.eof()), options);
  CHECK(joined(told(diffed)) == joined({"~ 3 new\\x3a2 string string: string there \"1\" -> there \"2\""}));
  CHECK(diffed.summary.a.keys == 3);
  CHECK(diffed.summary.a.compared == 2);
  CHECK(diffed.summary.b.compared == 2);
  renaming.renames = {{":.*", "", false}};
  const KeyChanges to_one(renaming);
  options.changes_a = &to_one;
  CHECK(diff_datasets(diff_rdb(a.eof()), diff_rdb(b.eof()), options).refusal.find("more than once") !=
        std::string::npos);
}

// --- Memory -----------------------------------------------------------------------------------------------

TEST_CASE("diff: what does not fit in memory goes to files, and nothing else changes") {
  constexpr int kKeys = 300'000;  // past what is always kept
  RdbBuilder a = diff_file();
  RdbBuilder b = diff_file();
  std::vector<int> order(kKeys);
  for (int i = 0; i < kKeys; ++i) order[static_cast<size_t>(i)] = i;
  std::mt19937 random(1);
  std::ranges::shuffle(order, random);
  size_t expected = 0;
  for (int i = 0; i < kKeys; ++i) {
    if (i % 100'000 == 0) a.select(static_cast<uint64_t>(i / 100'000));
    a.string_int(std::to_string(i), i);
    expected += i % 97 == 0 || i % 89 == 0 ? 1 : 0;
  }
  for (uint64_t db = 0; db < 3; ++db) {
    b.select(db);
    for (const int i : order) {
      if (static_cast<uint64_t>(i / 100'000) != db || i % 97 == 0) continue;
      b.string_int(std::to_string(i), i % 89 == 0 ? -i - 1 : i);
      expected += i % 101 == 0 ? 1 : 0;
      if (i % 101 == 0) b.string("new " + std::to_string(i), "");
    }
  }
  const DatasetBytes in_a = diff_rdb(a.eof());
  const DatasetBytes in_b = diff_rdb(b.eof());
  DiffOptions options;
  const Diffed in_memory = diff_datasets(in_a, in_b, options, true);
  CHECK(in_memory.keys.size() == expected);
  options.memory_bytes = 120'000;  // 2,800 of the differing keys at once: several rounds
  const Diffed spilled = diff_datasets(in_a, in_b, options, true);
  CHECK(spilled.summary.spilled_bytes > kKeys * 2 * sizeof(KeyDifference) / 100);
  CHECK(counts_of(spilled.summary) == counts_of(in_memory.summary));
  CHECK(spilled.summary.by_type == in_memory.summary.by_type);
  CHECK(told(spilled) == told(in_memory));
  CHECK(spilled.keys.front().kind == DiffKind::only_a);
  CHECK(std::ranges::is_sorted(in_memory.keys, {},
                               [](const KeyDifference& key) { return key.kind != DiffKind::only_a; }));
  CHECK_FALSE(std::ranges::is_sorted(spilled.keys, {},
                                     [](const KeyDifference& key) { return key.kind != DiffKind::only_a; }));
  // The other way round, too.
  CHECK(counts_of(diff_datasets(in_b, in_a, options).summary) ==
        counts_of(diff_datasets(in_b, in_a, {}).summary));
  // Commands: of each round for itself, and each in its database.
  CHECK(spilled.summary.commands_written);
  const auto dataset_after = [&](const std::string& commands) {
    AofBuilder log;
    const std::string of_a = convert_rdb(in_a.bytes, options_for("redis-8.8", OutputForm::resp)).bytes;
    return DatasetBytes{DatasetBytes::Form::log, of_a + commands, ServerVersion{Dialect::redis, 808}};
  };
  CHECK(counts_of(diff_datasets(dataset_after(spilled.commands), in_b).summary)
            .starts_with("a 0, b 0, changed 0, "));
}

TEST_CASE("diff: a value of 5 MB, of which the difference is shown") {
  const std::string long_value = noise(5'000'000, 7);
  std::string other = long_value;
  other[4'000'000] ^= 1;
  const auto file = [](const std::string& value) {
    return diff_file().string("k", value).list("l", {"a", value});
  };
  DiffOptions options;
  options.word_bytes_max = 8;
  const Lines lines = diff_told(file(long_value), file(other), options);
  REQUIRE(lines.size() == 2);
  CHECK(lines[0].find("[3999998/5000000]") != std::string::npos);
  CHECK(diff_told(file(long_value), file(long_value), options).empty());
}

TEST_CASE("diff: what can be read once only is copied") {
  const std::string a = few_keys();
  const std::string b = diff_file().string("a", "1").eof();
  for (const bool a_is_piped : {false, true}) {
    PipedSource pipe(a_is_piped ? a : b);
    const auto file = memory_source(a_is_piped ? b : a);
    ConvertInput piped, other;
    piped.rdb = &pipe.source();
    other.rdb = file.get();
    class Counting : public DiffSink {
     public:
      void key(const KeyDifference&) override { ++keys; }
      void library(const LibraryDifference&) override {}
      size_t keys = 0;
    } sink;
    FindingList findings;
    const DiffSummary summary =
        a_is_piped ? diff(piped, other, sink, findings, {}) : diff(other, piped, sink, findings, {});
    CHECK(counts_of(summary) == "a 2, b 0, changed 1, same 0, libraries 0 0 0");
    CHECK(sink.keys == 3);
  }
}

// --- Damage -----------------------------------------------------------------------------------------------

namespace {

// A small file of all types, and how many of its keys are whole when it is cut at a byte.
struct CutFile {
  RdbBuilder file = RdbBuilder(redis, 11).aux("redis-ver", "7.2.0").select(0);
  std::vector<size_t> ends;
  size_t header = 9;

  CutFile() {
    const auto add = [this](auto put) {
      put();
      ends.push_back(file.size());
    };
    add([&] { file.expire_ms(5).string("a", "1"); });
    add([&] { file.string_lzf("b", std::string(40, 'x')); });
    add([&] { file.hash_listpack("h", {{"f", "v"}}); });
    add([&] { file.stream("s", 3, {{{{1, 1}, {{"f", "v"}}}}, {1, 1}}); });
    add([&] { file.list_quicklist2("l", {{1, "plain"}}); });
    add([&] { file.select(2).set("a", {"m", "n"}); });
  }
  [[nodiscard]] size_t whole_at(size_t size) const {
    return static_cast<size_t>(std::ranges::count_if(ends, [&](size_t end) { return end <= size; }));
  }
};

// All of what a comparison says agrees with itself.
void expect_consistent(const Diffed& diffed, Violations& violations, const std::string& where) {
  std::array<uint64_t, kDiffKinds> kinds{};
  std::array<uint64_t, kDiffKinds> of_types{};
  for (const KeyDifference& key : diffed.keys) ++kinds[static_cast<size_t>(key.kind)];
  const DiffSummary& summary = diffed.summary;
  for (size_t kind = 0; kind < kDiffKinds; ++kind)
    for (const uint64_t count : summary.by_type[kind]) of_types[kind] += count;
  violations.expect(kinds == summary.keys, "told otherwise than counted", where + counts_of(summary));
  violations.expect(of_types == summary.keys, "counted otherwise by type", where + counts_of(summary));
  const uint64_t of_a = summary.same + summary.keys[0] + summary.keys[2];
  const uint64_t of_b = summary.same + summary.keys[1] + summary.keys[2];
  violations.expect(of_a <= summary.a.compared && of_b <= summary.b.compared, "more keys than there are",
                    where);
}

}  // namespace

TEST_CASE("diff: of what is cut anywhere nothing is compared, unless it is salvaged") {
  const CutFile cut;
  const std::string file = cut.file.eof();
  Violations violations;
  for (size_t size = 0; size < file.size(); ++size) {
    for (const bool cut_a : {false, true}) {
      const std::string where = std::string(cut_a ? "A" : "B") + " cut at " + std::to_string(size) + " ";
      const DatasetBytes part = diff_rdb(file.substr(0, size));
      const DatasetBytes& a = cut_a ? part : diff_rdb(file);
      const DatasetBytes& b = cut_a ? diff_rdb(file) : part;
      DiffOptions options;
      options.threads = 1;
      const Diffed careful = diff_datasets(a, b, options, true);
      violations.expect(!careful.summary.compared && careful.keys.empty(), "compared", where);
      violations.expect(careful.commands.empty() && !careful.summary.commands_written, "commands", where);
      options.salvage = true;
      const Diffed salvaged = diff_datasets(a, b, options);
      if (!salvaged.summary.compared) {
        violations.expect(size <= cut.header, "not compared", where);
        continue;
      }
      const uint64_t whole = cut.whole_at(size);
      const uint64_t missing = cut.ends.size() - whole;
      violations.expect(salvaged.summary.same == whole, "other keys are whole",
                        where + counts_of(salvaged.summary));
      violations.expect(salvaged.summary.keys[cut_a ? 1 : 0] == missing && salvaged.summary.keys[2] == 0,
                        "others are missing", where + counts_of(salvaged.summary));
      expect_consistent(salvaged, violations, where);
    }
  }
  violations.report();
}

TEST_CASE("diff: of what has a flipped byte nothing is compared, unless it is salvaged") {
  constexpr size_t kVersionAt = 5;
  constexpr size_t kHeaderEnd = 9;
  const std::string file = CutFile().file.eof();
  Violations violations;
  for (size_t at = 0; at < file.size(); ++at) {
    if (at >= kVersionAt && at < kHeaderEnd) continue;  // version 1 has no checksum
    for (const int bits : {0x01, 0xff}) {
      std::string flipped = file;
      flipped[at] = static_cast<char>(flipped[at] ^ bits);
      const std::string where = "at " + std::to_string(at) + " ";
      for (const bool is_a : {false, true}) {
        const DatasetBytes damaged = diff_rdb(flipped);
        const DatasetBytes& a = is_a ? damaged : diff_rdb(file);
        const DatasetBytes& b = is_a ? diff_rdb(file) : damaged;
        DiffOptions options;
        options.threads = 1;
        // The checksum sees to it.
        violations.expect(!diff_datasets(a, b, options).summary.compared, "compared", where);
        options.salvage = true;
        const Diffed salvaged = diff_datasets(a, b, options);
        if (salvaged.summary.compared) expect_consistent(salvaged, violations, where);
      }
    }
  }
  violations.report();
}

TEST_CASE("diff: a value that is damaged inside is not there, on whichever side") {
  Violations violations;
  const std::string spoiled = long_file(60, 7);
  const std::string whole = long_file(60);
  const std::string empty = RdbBuilder(redis, 11).eof();
  for (const bool a_is_spoiled : {false, true}) {
    for (const std::string& other : {whole, empty, whole + std::string()}) {
      const std::string where =
          std::string(a_is_spoiled ? "A" : "B") + " " + std::to_string(other.size()) + " ";
      DiffOptions options;
      options.salvage = true;
      const Diffed diffed = a_is_spoiled ? diff_datasets(diff_rdb(spoiled), diff_rdb(other), options)
                                         : diff_datasets(diff_rdb(other), diff_rdb(spoiled), options);
      REQUIRE(diffed.summary.compared);
      const uint64_t only_spoiled = diffed.summary.keys[a_is_spoiled ? 0 : 1];
      const uint64_t only_other = diffed.summary.keys[a_is_spoiled ? 1 : 0];
      violations.expect(only_spoiled == (other == empty ? 52 : 0), "the damaged ones",
                        where + counts_of(diffed.summary));
      violations.expect(only_other == (other == empty ? 0 : 8), "the whole ones",
                        where + counts_of(diffed.summary));
      expect_consistent(diffed, violations, where);
    }
  }
  violations.report();
}

TEST_CASE("diff: no keys") {
  const std::string none = RdbBuilder(redis, 11).eof();
  const std::string some = few_keys();
  CHECK(counts_of(diff_datasets(diff_rdb(none), diff_rdb(none)).summary) ==
        "a 0, b 0, changed 0, same 0, libraries 0 0 0");
  CHECK(counts_of(diff_datasets(diff_rdb(some), diff_rdb(none)).summary) ==
        "a 3, b 0, changed 0, same 0, libraries 0 0 0");
  CHECK(counts_of(diff_datasets(diff_lines(""), diff_rdb(some)).summary) ==
        "a 0, b 3, changed 0, same 0, libraries 0 0 0");
  CHECK_FALSE(diff_datasets(diff_rdb(""), diff_rdb(some)).summary.compared);
}

TEST_CASE("diff: a key that stands twice and has changed counts once") {
  const std::string once = diff_file().string("k", "2").string("l", "1").eof();
  const std::string others = diff_file().string("m", "1").eof();
  // Shorter than the other side, and longer: the index is of the shorter one.
  for (const size_t more : {size_t{0}, size_t{300}}) {
    RdbBuilder builder = diff_file().string("k", "1").string("k", "1");
    if (more > 0) builder.string("l", std::string(more, '1'));
    const std::string twice = builder.eof();
    for (const bool a_is_twice : {false, true}) {
      for (const std::string& other : {once, others}) {
        CAPTURE(more);
        CAPTURE(a_is_twice);
        const DatasetBytes a = diff_rdb(a_is_twice ? twice : other);
        const DatasetBytes b = diff_rdb(a_is_twice ? other : twice);
        CHECK_FALSE(diff_datasets(a, b).summary.compared);
        DiffOptions options;
        options.salvage = true;
        const Diffed diffed = diff_datasets(a, b, options);
        REQUIRE(diffed.summary.compared);
        const bool meets = other == once;
        CHECK(diffed.summary.keys[2] == (meets ? (more > 0 ? 2 : 1) : 0));
        CHECK((diffed.summary.keys[a_is_twice ? 0 : 1] == 0) == meets);
        CHECK(diffed.keys.size() == diffed.summary.keys[0] + diffed.summary.keys[1] + diffed.summary.keys[2]);
      }
    }
  }
}

TEST_CASE("diff: lines that are no dataset") {
  const std::string good = "{\"db\":0,\"key\":\"a\",\"type\":\"string\",\"value\":\"1\"}\n";
  struct LineRow {
    std::string lines;
    bool is_salvaged;
    uint64_t same;
  };
  const LineRow rows[] = {
      {good + "{", true, 1},
      {good + "{\"db\":0,\"key\":\"b\",\"type\":\"no\",\"value\":\"1\"}\n", true, 1},
      // nothing behind it is read
      {"{\"db\":0,\"key\":\"b\",\"type\":\"list\",\"value\":{\"a\":1}}\n" + good, true, 0},
      {good + std::string(5000, '[') + "\n", true, 1},
      {good + "{\"db\":99999999999999999999,\"key\":\"b\",\"type\":\"string\",\"value\":\"1\"}\n", true, 1},
      {good + std::string("\0\n", 2), true, 1},
  };
  for (const LineRow& row : rows) {
    CAPTURE(row.lines.substr(0, 150));
    const DatasetBytes a = diff_lines(row.lines);
    CHECK_FALSE(diff_datasets(a, diff_lines(good)).summary.compared);
    CHECK_FALSE(diff_datasets(diff_lines(good), a).summary.compared);
    DiffOptions options;
    options.salvage = true;
    const Diffed diffed = diff_datasets(a, diff_lines(good), options);
    CHECK(diffed.summary.compared == row.is_salvaged);
    CHECK(diffed.summary.same == row.same);
  }
  CHECK(diff_datasets(diff_lines(good + good), diff_lines(good)).refusal.find("more than once") !=
        std::string::npos);
}

TEST_CASE("diff: commands are written whole, or not at all") {
  const std::string a = diff_file().string("k", "1").function("#!lua name=f\nA").eof();
  const std::string b = diff_file()
                            .string("k", "2")
                            .function("#!lua name=f\nB")
                            .stream("s", 1, {{{{1, 1}, {{"f", "v"}}}}, {1, 1}})
                            .eof();
  DiffOptions options;
  options.target = find_target("redis-2.6");
  const Diffed refused = diff_datasets(diff_rdb(a), diff_rdb(b), options, true);
  CHECK(refused.summary.compared);
  CHECK_FALSE(refused.summary.commands_written);
  CHECK(refused.commands.empty());
  CHECK(refused.summary.commands_bytes == 0);
  CHECK(told(refused.summary.losses) == "streams 1/1, functions 1/0");
  options.permitted_losses = all_losses();
  const Diffed permitted = diff_datasets(diff_rdb(a), diff_rdb(b), options, true);
  CHECK(permitted.summary.commands_written);
  CHECK(permitted.commands == resp("SELECT 0") + resp("DEL k") + resp("SET k 2"));
  CHECK(permitted.summary.commands_bytes == permitted.commands.size());
  // The same on both sides: there is nothing to write.
  CHECK(diff_datasets(diff_rdb(b), diff_rdb(b), options, true).commands.empty());
}

TEST_CASE("diff: what cannot be said does not stay what it was") {
  const std::string a = diff_file().list("full", {"a", "b"}).string("k", "1").eof();
  const std::string b = diff_file().list("full", {}).stream("k", 1, {{{{1, 1}, {{"f", "v"}}}}, {1, 1}}).eof();
  DiffOptions options;
  options.salvage = true;  // no server writes lists that are empty
  options.target = find_target("redis-2.6");
  options.permitted_losses = all_losses();
  const Diffed diffed = diff_datasets(diff_rdb(a), diff_rdb(b), options, true);
  REQUIRE(diffed.summary.commands_written);
  CHECK(diffed.commands == resp("SELECT 0") + resp("DEL full") + resp("DEL k"));
}

TEST_CASE("diff: long words of many keys are not all held") {
  constexpr size_t kKeys = 24;
  const std::string large(size_t{1} << 20, 'x');
  RdbBuilder a = diff_file();
  RdbBuilder b = diff_file();
  for (size_t i = 0; i < kKeys; ++i) {
    a.string("k" + std::to_string(i), large);
    b.string("k" + std::to_string(i), "");
  }
  for (const bool whole : {false, true}) {
    DiffOptions options;
    options.word_bytes_max = whole ? ~uint64_t{0} : uint64_t{large.size()};
    const Diffed diffed = diff_datasets(diff_rdb(a.eof()), diff_rdb(b.eof()), options);
    REQUIRE(diffed.keys.size() == kKeys);
    uint64_t bytes = 0;
    for (const KeyDifference& key : diffed.keys) {
      REQUIRE(key.differences.size() == 1);
      const DiffWord& word = key.differences[0].a.words.at(0);
      CHECK(word.size == large.size());
      bytes += word.bytes.size();
    }
    CHECK((bytes == kKeys * large.size()) == whole);
    if (!whole) CHECK(bytes <= (uint64_t{17} << 20) + kKeys * 1024);
  }
}
