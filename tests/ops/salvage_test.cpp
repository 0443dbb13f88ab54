// What a salvage decides, one kind of damage after the other: which keys are kept and what is said of them,
// which steps were taken and why.
#include <doctest/doctest.h>

#include <algorithm>

#include "support/rdb_builder.hpp"
#include "support/salvages.hpp"
#include "support/verbs.hpp"

using namespace persist;
using namespace persist::test;

namespace {

constexpr uint64_t kUnsealed = 0;  // a checksum that stands for none

// Bytes that begin no record, so many.
std::string garbage(size_t count) { return std::string(count, 'z'); }

RdbBuilder& add_keys(RdbBuilder& builder, const std::string& prefix, int count) {
  for (int i = 0; i < count; ++i) builder.string(prefix + std::to_string(i), "value of " + std::to_string(i));
  return builder;
}

// "0/key 5/other?": ? is uncertain, + salvaged, ~ partial.
std::string keys_of(const Salvaged& salvaged) {
  std::string text;
  for (size_t i = 0; i < salvaged.entries.size(); ++i) {
    const Whole& entry = salvaged.entries[i];
    const auto label = static_cast<size_t>(salvaged.labels[i]);
    text += (text.empty() ? "" : " ") + std::to_string(entry.db) + "/" + entry.key;
    if (label > 0) text += "+~?"[label - 1];
  }
  return text;
}

// What holds for every salvage: the edits make the result, which is sound, and all is counted as it is.
void expect_accounts(const std::string& damaged, const Salvaged& got) {
  REQUIRE_MESSAGE(!got.refused, got.refusal);
  CHECK(applied(damaged, got) == got.file);
  CHECK(check(got.file).summary.sound());
  std::map<uint64_t, SalvageCounts> counted;
  for (size_t i = 0; i < got.entries.size(); ++i) {
    SalvageCounts& counts = counted[got.entries[i].db];
    const auto type = static_cast<size_t>(got.entries[i].type);
    ++counts.kept[type];
    if (got.labels[i] == SalvageLabel::uncertain) ++counts.uncertain[type];
    if (got.labels[i] == SalvageLabel::partial) ++counts.partial[type];
  }
  uint64_t uncertain = 0;
  for (const SalvageCounts& told : got.report.dbs) {
    CAPTURE(told.db);
    CHECK(told.kept == counted[told.db].kept);
    CHECK(told.uncertain == counted[told.db].uncertain);
    CHECK(told.partial == counted[told.db].partial);
    counted.erase(told.db);
    for (const uint64_t count : told.uncertain) uncertain += count;
  }
  CHECK(counted.empty());
  CHECK(got.report.keys_kept == got.entries.size());
  CHECK(got.report.keys_uncertain == uncertain);
  CHECK(std::ranges::is_sorted(got.report.steps, {}, [](const SalvageStep& s) { return s.extent.offset; }));
  CHECK(got.report.steps_in_all == got.report.steps.size());
  CHECK(salvage(got.file, SalvageOptions{}).edits.empty());
}

}  // namespace

// ----------------------------------------------------------------------------------------------- databases

namespace {

// Three databases, of which the second one's SELECTDB, and what else is asked for, is overwritten.
struct LostSelect {
  const char* what;
  bool has_sizes;
  uint64_t second;
  size_t from;  // bytes of the SELECTDB record and the RESIZEDB behind it that are overwritten
  size_t size;
  const char* expected;  // of the keys of the second
};

}  // namespace

TEST_CASE("salvage: the database of records whose SELECTDB is lost") {
  const LostSelect rows[] = {
      {"the number outlived its opcode", true, 5, 0, 1, "5/b0? 5/b1? 5/b2? 5/b3?"},
      {"the number is lost, too: the next one", true, 5, 0, 2, "3/b0? 3/b1? 3/b2? 3/b3?"},
      {"the RESIZEDB is lost, too: there are more keys than the database has", true, 5, 0, 5,
       "3/b0? 3/b1? 3/b2? 3/b3?"},
      {"nothing tells of another database", false, 5, 0, 2, "2/b0? 2/b1+ 2/b2+ 2/b3+"},
  };
  for (const LostSelect& row : rows) {
    CAPTURE(row.what);
    RdbBuilder builder(redis, 11);
    builder.aux("redis-ver", "7.2.6").select(2);
    if (row.has_sizes) builder.resize(4, 0);
    add_keys(builder, "a", 4);
    const size_t select = builder.size();
    builder.select(row.second);
    if (row.has_sizes) builder.resize(4, 0);
    add_keys(builder, "b", 4).select(9);
    if (row.has_sizes) builder.resize(4, 0);
    add_keys(builder, "c", 4);
    std::string damaged = builder.eof(kUnsealed);
    damaged.replace(select + row.from, row.size, garbage(row.size));
    const Salvaged got = salvage(damaged);
    expect_accounts(damaged, got);
    CHECK(keys_of(got) == "2/a0 2/a1 2/a2 2/a3 " + std::string(row.expected) + " 9/c0+ 9/c1+ 9/c2+ 9/c3+");
    CHECK((steps_of(got.report).find("database rdb.db-range\n") != std::string::npos) == row.has_sizes);
    SalvageOptions certain;
    certain.salvage = certain.drop_uncertain = true;
    const Salvaged left = salvage(damaged, certain);
    expect_accounts(damaged, left);
    // Without sizes only the first one behind the gap is in doubt.
    const std::string kept = row.has_sizes ? "" : "2/b1+ 2/b2+ 2/b3+ ";
    CHECK(keys_of(left) == "2/a0 2/a1 2/a2 2/a3 " + kept + "9/c0+ 9/c1+ 9/c2+ 9/c3+");
  }
}

TEST_CASE("salvage: a guess does not leave the order of the databases") {
  RdbBuilder builder(redis, 11);
  builder.select(2).resize(4, 0);
  add_keys(builder, "a", 4);
  const size_t select = builder.size();
  builder.select(7).resize(4, 0);
  add_keys(builder, "b", 4).select(3).resize(4, 0);
  add_keys(builder, "c", 4);
  std::string damaged = builder.eof(kUnsealed);
  damaged.replace(select, 2, garbage(2));
  const Salvaged got = salvage(damaged);
  expect_accounts(damaged, got);
  // There is no room between 2 and 3.
  CHECK(keys_of(got).find("2/b0") != std::string::npos);
  CHECK(keys_of(got).find("3/c0+") != std::string::npos);
}

// ---------------------------------------------------------------------------------- records and their doubts

TEST_CASE("salvage: garbage between records") {
  RdbBuilder builder(redis, 11);
  builder.select(0);
  add_keys(builder, "front:", 3).raw(garbage(50));
  add_keys(builder, "behind:", 5);
  const std::string damaged = builder.eof(kUnsealed);
  const Salvaged got = salvage(damaged);
  expect_accounts(damaged, got);
  CHECK(keys_of(got) ==
        "0/front:0 0/front:1 0/front:2 0/behind:0+ 0/behind:1+ 0/behind:2+ 0/behind:3+ 0/behind:4+");
  CHECK(steps_of(got.report) == "gap rdb.unknown-code\n");
  CHECK(got.report.bytes_lost == 50);
  CHECK(got.report.keys_salvaged == 5);
  CHECK(got.report.keys_dropped == 0);
  REQUIRE(got.edits.size() == 1);
  CHECK(got.edits.front().why == "rdb.unknown-code");
}

TEST_CASE("salvage: records that say little right in front of damage are in doubt") {
  RdbBuilder builder(redis, 11);
  builder.select(0).string("whole", "1").string("a", "1").string("\xff", "2").raw(garbage(20));
  add_keys(builder, "behind:", 5);
  const std::string damaged = builder.eof(kUnsealed);
  const Salvaged got = salvage(damaged);
  expect_accounts(damaged, got);
  CHECK(keys_of(got).starts_with("0/whole 0/a? 0/\xff? 0/behind:0+"));
  CHECK(steps_of(got.report) ==
        "uncertain rdb.unknown-code\nuncertain rdb.unknown-code\ngap rdb.unknown-code\n");
  CHECK(got.report.steps.front().kept);
  SalvageOptions certain;
  certain.salvage = certain.drop_uncertain = true;
  const Salvaged left = salvage(damaged, certain);
  expect_accounts(damaged, left);
  CHECK(keys_of(left).starts_with("0/whole 0/behind:0+"));
  CHECK_FALSE(left.report.steps.front().kept);
  CHECK(left.report.keys_dropped == 2);
}

TEST_CASE("salvage: records of NUL bytes are none, an empty key is one") {
  for (const size_t count : {size_t{8}, size_t{9}, size_t{10}, size_t{64}, size_t{5000}}) {
    CAPTURE(count);
    RdbBuilder builder(redis, 11);
    builder.select(0).string("front", "1").raw(std::string(count, '\0'));
    add_keys(builder, "behind:", 5);
    const std::string damaged = builder.eof(kUnsealed);
    const Salvaged got = salvage(damaged);
    expect_accounts(damaged, got);
    CHECK(keys_of(got).starts_with("0/front 0/behind:0"));
    CHECK(got.entries.size() == 6);
    CHECK(got.report.bytes_lost == count);
    CHECK(steps_of(got.report).find("gap rdb.zeroed\n") != std::string::npos);
  }
  RdbBuilder builder(redis, 11);
  builder.select(0).string("front", "1").string("", "").string("other", "2").blob(16, "bad", "damaged");
  const std::string damaged = add_keys(builder, "behind:", 5).eof(kUnsealed);
  const Salvaged got = salvage(damaged);
  expect_accounts(damaged, got);
  CHECK(keys_of(got).starts_with("0/front 0/ 0/other 0/behind:0"));
}

TEST_CASE("salvage: a value that does not decode") {
  const auto damaged_by = [](RdbBuilder& builder) {
    return add_keys(builder.string("front", "1"), "x", 0)
        .blob(16, "hash", ListpackBuilder().add("f").add("v").add("g").add("w").count(9).bytes())
        .string("behind", "2")
        .eof(kUnsealed);
  };
  RdbBuilder builder(redis, 11);
  builder.select(3);
  const std::string damaged = damaged_by(builder);
  const Salvaged got = salvage(damaged);
  expect_accounts(damaged, got);
  CHECK(keys_of(got) == "3/front 3/behind");
  CHECK(steps_of(got.report) == "value listpack.count-mismatch\n");
  CHECK(got.report.steps.front().key == "hash");
  CHECK(got.report.steps.front().db == 3);
  CHECK(got.report.keys_dropped == 1);
  REQUIRE(got.report.dbs.size() == 1);
  CHECK(got.report.dbs.front().dropped[static_cast<size_t>(ValueType::hash)] == 1);

  SalvageOptions keeping;
  keeping.salvage = keeping.keep_damaged = true;
  const Salvaged part = salvage(damaged, keeping);
  expect_accounts(damaged, part);
  CHECK(keys_of(part) == "3/front 3/hash~ 3/behind");
  CHECK(steps_of(part.report) == "partial listpack.count-mismatch\n");
  CHECK(part.report.keys_partial == 1);
  CHECK(part.report.keys_dropped == 0);

  const Salvaged refused = salvage(damaged, SalvageOptions{});
  CHECK(refused.refused);
  CHECK(refused.refusal.find("listpack.count-mismatch") != std::string::npos);
}

TEST_CASE("salvage: a key twice: the last one is kept") {
  RdbBuilder builder(redis, 11);
  builder.select(0).string("a", "1").string("b", "1").string("a", "2").string("a", "3").select(1);
  const std::string damaged = builder.string("a", "4").eof();
  CHECK(salvage(damaged, SalvageOptions{}).refusal.find("rdb.duplicate-key") != std::string::npos);
  const Salvaged got = salvage(damaged);
  expect_accounts(damaged, got);
  CHECK(keys_of(got) == "0/b 0/a 1/a");
  CHECK(got.entries[1].record.back() == '3');
  CHECK(steps_of(got.report) == "twice rdb.duplicate-key\ntwice rdb.duplicate-key\n");
  CHECK(got.report.keys_dropped == 2);
}

TEST_CASE("salvage: of a key twice the earlier one was kept in part, or in doubt") {
  const std::string bad = ListpackBuilder().add("f").add("v").count(9).bytes();
  SalvageOptions keeping;
  keeping.salvage = keeping.keep_damaged = true;
  RdbBuilder builder(redis, 11);
  builder.select(0).blob(16, "k", bad).string("other", "1").string("k", "2").raw(garbage(20));
  builder.string("k", "3");
  const std::string damaged = add_keys(builder, "behind:", 5).eof(kUnsealed);
  const Salvaged got = salvage(damaged, keeping);
  expect_accounts(damaged, got);
  CHECK(keys_of(got).starts_with("0/other 0/k"));
  CHECK(got.report.keys_partial == 0);
  CHECK(std::ranges::count(got.entries, "k", &Whole::key) == 1);
}

// ------------------------------------------------------------------------------------------------- the end

TEST_CASE("salvage: an EOF opcode with records behind it is none") {
  RdbBuilder builder(redis, 11);
  builder.select(0);
  add_keys(builder, "front:", 3).raw("\xff" + noise(8));
  const std::string damaged = add_keys(builder, "behind:", 5).eof(kUnsealed);
  const Salvaged got = salvage(damaged);
  expect_accounts(damaged, got);
  CHECK(got.entries.size() == 8);
  CHECK(keys_of(got).starts_with("0/front:0 0/front:1 0/front:2 0/behind:0+"));
  CHECK(steps_of(got.report) == "gap rdb.unknown-code\n");
}

TEST_CASE("salvage: what follows the end of a sound file is no concern of it") {
  RdbBuilder builder(redis, 11);
  builder.select(0);
  const std::string sound = add_keys(builder, "k", 5).eof();
  const Salvaged got = salvage(sound + "junk");
  CHECK_FALSE(got.refused);
  CHECK(got.edits.empty());
  CHECK(got.end == sound.size());
  CHECK(got.file == sound);
}

TEST_CASE("salvage: a version that has no checksum, with one behind the end, is damage") {
  RdbBuilder builder(redis, 11);
  builder.select(0);
  std::string file = add_keys(builder, "k", 5).eof();
  file.replace(5, 4, "0003");
  const Salvaged got = salvage(file, SalvageOptions{});
  CHECK(got.report.exact);
  CHECK(got.file.starts_with("REDIS0011"));
}

TEST_CASE("salvage: a replication stream keeps its mark") {
  const std::string mark(40, 'a');
  RdbBuilder builder(redis, 11);
  builder.select(0);
  add_keys(builder, "front:", 3).raw(garbage(20));
  const std::string damaged = "$EOF:" + mark + "\r\n" + add_keys(builder, "behind:", 5).eof(kUnsealed) + mark;
  const Salvaged got = salvage(damaged);
  REQUIRE_FALSE(got.refused);
  CHECK(got.entries.size() == 8);
  CHECK(check(got.file).summary.complete);
  CHECK(got.report.bytes_lost == 20);
}

TEST_CASE("salvage: damage in front of commands") {
  const std::string commands = "*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n";
  SalvageOptions options;
  options.salvage = options.followed = true;
  const auto front = [] {
    RdbBuilder builder(redis, 11);
    builder.aux("aof-base", "1").select(0);
    return add_keys(builder, "front:", 3);
  };
  struct Row {
    const char* what;
    std::string rdb;
    size_t keys;
  };
  const auto with = [&](const std::string& bytes) {
    RdbBuilder builder = front().raw(bytes);
    return add_keys(builder, "behind:", 5);
  };
  const Row rows[] = {
      {"a gap in the middle", with(garbage(30)).eof(kUnsealed), 8},
      {"zeros in the middle", with(std::string(64, '\0')).eof(kUnsealed), 8},
      {"no end", with("").bytes(), 8},
      {"garbage at the end", with("").bytes() + garbage(9), 8},
      {"zeros at the end", with("").bytes() + std::string(32, '\0'), 8},
      {"a record that is cut", with("").bytes() + std::string("\0\x03key\x7f\xffv", 8), 8},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    const std::string damaged = row.rdb + commands;
    const Salvaged got = salvage(damaged, options);
    expect_accounts(damaged, got);
    CHECK(got.end == row.rdb.size());
    CHECK(got.entries.size() == row.keys);
  }
  // A flipped bit in front of commands, whose checksum tells.
  const std::string sound = with("").eof();
  std::string flipped = sound + commands;
  flipped[sound.size() / 2] = static_cast<char>(flipped[sound.size() / 2] ^ 4);
  SalvageOptions correcting;
  correcting.followed = true;
  const Salvaged got = salvage(flipped, correcting);
  CHECK(got.file == sound);
  CHECK(got.report.exact);
  CHECK(got.end == sound.size());
}

TEST_CASE("salvage: function libraries that no server takes are left out") {
  RdbBuilder builder(redis, 11);
  builder.function("#!lua name=a\n1").function("return 1").function("#!lua name=a\n2").select(0);
  const std::string damaged = add_keys(builder, "k", 3).eof();
  const Salvaged got = salvage(damaged);
  expect_accounts(damaged, got);
  CHECK(steps_of(got.report) == "value function.bad-library\nvalue function.duplicate-library\n");
  CHECK(check(got.file).summary.functions == 1);
  CHECK(keys_of(got) == "0/k0 0/k1 0/k2");
}

// -------------------------------------------------------------------------------------------- the checksum

TEST_CASE("salvage: a wrong checksum of what reads well") {
  RdbBuilder builder(redis, 11);
  builder.select(0);
  const std::string damaged = add_keys(builder, "k", 5).eof(0x0123456789abcdef);
  const Salvaged refused = salvage(damaged, SalvageOptions{});
  CHECK(refused.refused);
  CHECK(refused.refusal.find("--reseal") != std::string::npos);
  for (const bool salvages : {false, true}) {
    SalvageOptions options;
    options.salvage = salvages;
    options.reseal = !salvages;
    const Salvaged got = salvage(damaged, options);
    expect_accounts(damaged, got);
    CHECK(got.file.substr(0, got.file.size() - 8) == damaged.substr(0, damaged.size() - 8));
    CHECK(steps_of(got.report) == "sealed rdb.checksum-mismatch\n");
    CHECK_FALSE(got.report.exact);
    CHECK(got.report.bytes_lost == 0);
    CHECK(got.report.stored_checksum == 0x0123456789abcdef);
    CHECK(got.report.computed_checksum.has_value());
  }
}

TEST_CASE("salvage: a file without a checksum is given none") {
  RdbBuilder builder(redis, 11);
  builder.select(0);
  const std::string damaged = add_keys(builder, "k", 5).raw(garbage(20)).eof(kUnsealed);
  const Salvaged got = salvage(damaged);
  expect_accounts(damaged, got);
  CHECK(got.entries.size() == 5);
  RdbBuilder old(redis, 3);
  old.select(0);
  const std::string without = add_keys(add_keys(old, "k", 5).raw(garbage(20)), "l", 5).eof();
  const Salvaged salvaged = salvage(without);
  expect_accounts(without, salvaged);
  CHECK(salvaged.entries.size() == 10);
  CHECK(salvaged.file.back() == '\xff');
}

TEST_CASE("salvage: what is no RDB file at all") {
  for (const std::string& bytes :
       {std::string(100, '\0'), noise(300), std::string("hello, this is a text and nothing else")}) {
    CAPTURE(bytes.size());
    const Salvaged got = salvage(bytes);
    CHECK(got.refused);
    CHECK(got.refusal.find("neither a header nor anything") != std::string::npos);
  }
}
