// stat over whatever comes in: threads, pipes, the parts of a whole, rows, damaged files, logs, JSON Lines
// and hostile ones.
#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "persist/split.hpp"
#include "persist/stat.hpp"
#include "support/aof_builder.hpp"
#include "support/files.hpp"
#include "support/rdb_builder.hpp"
#include "support/samples.hpp"
#include "support/stats.hpp"
#include "support/verbs.hpp"

using namespace persist;
using namespace persist::test;

namespace {

// Enough for several pieces and threads.
constexpr size_t kStatManyKeys = 120'000;

const std::string& stat_large_file() {
  static const std::string file = long_file(kStatManyKeys);
  return file;
}

// The same number of keys, counted in every way that there is.
void check_sums(const StatReport& report) {
  StatCount types;
  StatCount encodings;
  StatCount dbs = report.other_dbs.count;
  StatCount expiries = report.persistent;
  StatCount sizes;
  uint64_t elements = 0;
  for (const TypeStat& type : report.types) {
    types.add(type.count);
    elements += type.elements.count();
  }
  for (const auto& [label, encoding] : report.encodings) encodings.add(encoding.count);
  for (const auto& [number, db] : report.dbs) dbs.add(db.count);
  expiries.add(report.expired);
  for (const StatCount& bin : report.ttl) expiries.add(bin);
  for (const StatCount& size : report.sizes) sizes.add(size);
  CHECK(types == report.total);
  CHECK(encodings == report.total);
  CHECK(dbs == report.total);
  CHECK(expiries == report.total);
  CHECK(sizes == report.total);
  CHECK(report.prefixes.count == report.total);
  CHECK(elements == report.total.keys);
  CHECK(report.bytes.count() == report.total.keys);
}

bool is_within(const StatCount& part, const StatCount& whole) {
  return part.keys <= whole.keys && part.elements <= whole.elements && part.bytes <= whole.bytes &&
         part.memory <= whole.memory;
}

// Parts as one, merged as they come and once more through files.
std::string sums_of_parts(const std::vector<StatReport>& parts) {
  StatReport merged;
  StatReport read;
  for (const StatReport& part : parts) {
    merge_stat(merged, part);
    StringSink sink;
    write_partial(part, sink);
    const auto file = memory_source(sink.text);
    REQUIRE(is_partial(*file));
    merge_stat(read, read_partial(*file));
  }
  CHECK(read.inputs == parts.size());
  CHECK(sums_of(read) == sums_of(merged));
  return sums_of(merged);
}

std::string sums_with_filters(Bytes file, const std::vector<FilterOptions>& choices) {
  std::vector<StatReport> parts;
  for (const FilterOptions& choice : choices) {
    const Filter filter(choice);
    StatOptions options = stat_options();
    options.filter = &filter;
    parts.push_back(stat_rdb(file, options).report);
    CHECK(parts.back().total.keys > 0);
  }
  return sums_of_parts(parts);
}

// The files of a split of a file into so many, each with its report.
std::vector<StatReport> reports_of_split(Bytes file, const char* rule) {
  const TempFolder folder;
  const auto source = memory_source(file);
  ConvertInput input;
  input.rdb = source.get();
  OutputOptions output;
  output.path = folder.path("out");
  SplitOptions options;
  options.rule = parse_split_rule(rule);
  options.convert.write.target = find_target("redis-7.2");
  FindingList found;
  const SplitSummary summary = split(input, output, found, options);
  REQUIRE(summary.convert.committed);
  std::vector<StatReport> reports;
  for (const SplitFile& part : summary.files)
    reports.push_back(stat_rdb(read_file(output.path + "/" + part.name)).report);
  return reports;
}

std::string rows_of(Bytes file, unsigned threads) {
  StringSink rows;
  StatOptions options = stat_options(threads);
  options.key_rows = &rows;
  (void)stat_rdb(file, options);
  return rows.text;
}

// A few keys of all kinds, each with whatever can stand in front of it.
std::string stat_small_file() { return mixed_file(redis); }

std::string stat_log_text() {
  return AofBuilder()
      .command("SELECT 0")
      .command("SET user:1 one")
      .command("SET user:2 two")
      .command("DEL user:1")
      .multi()
      .command("RPUSH list a b c")
      .exec()
      .command("SELECT 3")
      .command("SET x y")
      .bytes();
}

}  // namespace

TEST_CASE("stat: the same report with any number of threads, and through a pipe") {
  const std::string& file = stat_large_file();
  REQUIRE(file.size() > size_t{9} << 20);
  const StatSummary one = stat_rdb(file);
  CHECK(one.keys == kStatManyKeys);
  check_sums(one.report);
  CHECK(!one.report.prefixes_coarsened);
  for (const unsigned threads : {0U, 2U, 4U})
    CHECK(sums_of(stat_rdb(file, stat_options(threads)).report) == sums_of(one.report));
  PipedSource pipe(file);
  const StatSummary piped = stat_rdb(pipe.source(), stat_options(4));
  CHECK(piped.complete);
  CHECK(sums_of(piped.report) == sums_of(one.report));
  CHECK(piped.report.file_bytes == file.size());
  const TempFolder folder;
  const std::string packed = folder.file("packed.gz", gzip_of(file));
  CHECK(sums_of(stat_rdb(*open_source(packed), stat_options(4)).report) == sums_of(one.report));
}

TEST_CASE("stat: rows in the order of the file, with any number of threads") {
  const std::string rows = rows_of(stat_large_file(), 1);
  CHECK(static_cast<size_t>(std::ranges::count(rows, '\n')) == kStatManyKeys + 1);
  CHECK(rows_of(stat_large_file(), 4) == rows);
  const std::string few = RdbBuilder(redis, 11)
                              .select(2)
                              .expire_ms(77)
                              .idle(5)
                              .list("a,\"b\"\r\n", {"x", "yyy"})
                              .freq(9)
                              .string("\xff\x01", "v")
                              .eof();
  const std::vector<std::string> lines = split_lines(rows_of(few, 1));
  REQUIRE(lines.size() == 4);  // a line end in a key is one of the file
  CHECK(lines[0] ==
        "db,key,type,encoding,bytes,elements,memory,memory_usage,largest_element,expire_at_ms,idle_s,freq,"
        "base64\r");
  CHECK(lines[1] == "2,\"a,\"\"b\"\"\r");
  CHECK(lines[2].starts_with("\",list,list,27,2,"));
  CHECK(lines[2].ends_with(",3,77,5,,\r"));
  CHECK(lines[3].starts_with("2,/wE=,string,string,8,1,"));
  CHECK(lines[3].ends_with(",1,,,9,key\r"));
}

TEST_CASE("stat: the parts of a whole add up to it") {
  const std::string whole = sums_of(stat_rdb(stat_large_file()).report);
  std::vector<FilterOptions> dbs(3);
  for (uint64_t db = 0; db < 16; ++db) dbs[db % 3].dbs.push_back(db);
  CHECK(sums_with_filters(stat_large_file(), dbs) == whole);
  std::vector<FilterOptions> slots(2);
  slots[0].slots = {{0, 99}, {9000, 16383}};
  slots[1].slots = {{100, 8999}};
  CHECK(sums_with_filters(stat_large_file(), slots) == whole);

  // A split writes what it is given in its own way: that, and the halves of that.
  const std::vector<StatReport> all = reports_of_split(long_file(4000), "1");
  REQUIRE(all.size() == 1);
  CHECK(all[0].total.keys == 4000);
  std::vector<StatReport> shards = reports_of_split(long_file(4000), "3");
  CHECK(sums_of_parts(shards) == sums_of(all[0]));
  std::ranges::reverse(shards);
  CHECK(sums_of_parts(shards) == sums_of(all[0]));
}

TEST_CASE("stat: a file that ends early tells what is whole of it") {
  const std::string file = stat_small_file();
  const StatReport whole = stat_rdb(file).report;
  uint64_t keys = 0;
  for (size_t size = 0; size < file.size(); ++size) {
    CAPTURE(size);
    const StatSummary cut = stat_rdb(Bytes(file).substr(0, size));
    check_sums(cut.report);
    CHECK(!cut.complete);
    CHECK(cut.errors > 0);
    CHECK(!cut.report.complete);
    CHECK(cut.report.errors == cut.errors);
    CHECK((!cut.has_header || cut.reach == Reach::tail));
    CHECK(is_within(cut.report.total, whole.total));
    CHECK(cut.report.total.bytes <= size);
    CHECK(cut.keys == cut.report.total.keys);
    CHECK(cut.keys >= keys);
    keys = cut.keys;
  }
  CHECK(keys == whole.total.keys);
}

TEST_CASE("stat: a flipped byte is damage, and what is counted still adds up") {
  const std::string file = stat_small_file();
  for (size_t at = 0; at < file.size(); ++at) {
    for (const char flip : {'\x01', '\x80', '\xff'}) {
      CAPTURE(at);
      std::string damaged = file;
      damaged[at] = static_cast<char>(damaged[at] ^ flip);
      const StatSummary summary = stat_rdb(damaged);
      check_sums(summary.report);
      CHECK(summary.report.total.bytes <= file.size());
      CHECK(summary.keys == summary.report.total.keys);
      // But for the version, a higher one of which may be what it says.
      if (at < 9) continue;
      CHECK(summary.errors > 0);
      CHECK(summary.reach != Reach::nothing);
    }
  }
}

TEST_CASE("stat: of a damaged file every number of threads counts the same") {
  const std::string spoilt = long_file(kStatManyKeys, 9999);
  std::string torn = stat_large_file();
  for (size_t at = torn.size() / 2; at < torn.size() / 2 + 300; ++at) torn[at] = '\xc7';
  const std::string cut = torn.substr(0, torn.size() - torn.size() / 4);
  for (const std::string& file : {spoilt, torn, cut}) {
    const StatSummary one = stat_rdb(file);
    CHECK(one.errors > 0);
    CHECK(one.report.total.keys > kStatManyKeys / 3);
    check_sums(one.report);
    const std::string rows = rows_of(file, 1);
    CHECK(static_cast<size_t>(std::ranges::count(rows, '\n')) == one.keys + 1);
    for (const unsigned threads : {2U, 4U}) {
      const StatSummary many = stat_rdb(file, stat_options(threads));
      CHECK(sums_of(many.report) == sums_of(one.report));
      CHECK(many.keys == one.keys);
      CHECK(many.errors == one.errors);
      CHECK(many.complete == one.complete);
      CHECK(many.reach == one.reach);
      CHECK(many.report.errors == one.report.errors);
    }
    CHECK(rows_of(file, 4) == rows);
    PipedSource pipe(file);
    CHECK(sums_of(stat_rdb(pipe.source(), stat_options(4)).report) == sums_of(one.report));
  }
}

TEST_CASE("stat: a log is its commands and what is alive in it") {
  const StatSummary summary = stat_log(stat_log_text());
  CHECK(summary.errors == 0);
  CHECK(summary.complete);
  REQUIRE(summary.replay);
  const StatReport& report = summary.report;
  check_sums(report);
  CHECK(report.total.keys == 3);
  CHECK(report.total.elements == 5);
  CHECK(report.dbs.at(0).count.keys == 2);
  CHECK(report.dbs.at(3).count.keys == 1);
  REQUIRE(report.log);
  CHECK(report.log->total.commands == 9);
  CHECK(report.log->total.bytes == stat_log_text().size());
  CHECK(report.log->transactions == 1);
  CHECK(report.log->by_name.at("set").commands == 3);
  CHECK(report.log->by_db.at(3).commands == 2);
  CHECK(report.log->live_bytes == report.total.bytes);
  // What is alive takes as much as in the file that a conversion writes.
  const std::string small = RdbBuilder(redis, 11).select(0).string("user:2", "two").eof();
  CHECK(report.prefixes.children.at(0).count.bytes == stat_rdb(small).report.total.bytes);

  StatOptions options = stat_options();
  options.replays = false;
  const StatSummary commands = stat_log(stat_log_text(), options);
  CHECK(commands.complete);
  CHECK(!commands.replay);
  CHECK(commands.report.total == StatCount{});
  REQUIRE(commands.report.log);
  CHECK(commands.report.log->total.bytes == report.log->total.bytes);
  CHECK(!commands.report.log->live_bytes);
}

TEST_CASE("stat: a log with an RDB part, rows of it, and several threads") {
  const std::string log =
      AofBuilder()
          .rdb(RdbBuilder(redis, 11).aux("redis-ver", "7.2.6").select(1).string("a:1", "v"))
          .command("SELECT 1")
          .command("SET a:2 w")
          .bytes();
  StringSink rows;
  StatOptions options = stat_options(4);
  options.key_rows = &rows;
  const StatSummary summary = stat_log(log, options);
  CHECK(summary.report.total.keys == 2);
  CHECK(summary.report.dbs.size() == 1);
  CHECK(summary.report.writers.contains("redis-7.2"));
  CHECK(summary.report.log->rdb_bytes + summary.report.log->command_bytes == log.size());
  CHECK(split_lines(rows.text).size() == 3);
  CHECK(sums_of(summary.report) == sums_of(stat_log(log).report));
}

TEST_CASE("stat: logs that end early, or have what cannot be replayed") {
  const std::string log = stat_log_text();
  for (size_t size = 0; size < log.size(); ++size) {
    CAPTURE(size);
    const StatSummary cut = stat_log(Bytes(log).substr(0, size));
    check_sums(cut.report);
    if (cut.report.log) CHECK(cut.report.log->total.bytes <= size);
  }
  const StatSummary unknown =
      stat_log(AofBuilder().command("SELECT 0").command("SET a b").command("NOSUCH a").bytes());
  REQUIRE(unknown.replay);
  CHECK(unknown.errors + (unknown.replay->refused ? 1 : 0) > 0);
  check_sums(unknown.report);
}

TEST_CASE("stat: JSON Lines are counted as the file they would be") {
  const std::string file = long_file(600);
  const StatSummary of_file = stat_rdb(file);
  const StatSummary of_lines = stat_json_lines(dump(file).text);
  CHECK(of_lines.errors == 0);
  CHECK(of_lines.keys == 600);
  check_sums(of_lines.report);
  CHECK(of_lines.report.total.keys == of_file.report.total.keys);
  CHECK(of_lines.report.total.elements == of_file.report.total.elements);
  CHECK(of_lines.report.dbs.size() == of_file.report.dbs.size());
  CHECK(of_lines.report.types[4].elements == of_file.report.types[4].elements);
}

TEST_CASE("stat: nothing, and what is hostile") {
  const StatSummary empty = stat_rdb(RdbBuilder(redis, 11).eof());
  CHECK(empty.has_header);
  CHECK(empty.complete);
  CHECK(empty.report.total == StatCount{});
  CHECK(empty.report.dbs.empty());
  CHECK(empty.report.bytes.quantile(0.5) == 0);
  CHECK(!stat_rdb("").has_header);
  CHECK(!stat_rdb("hello").has_header);

  SUBCASE("lengths that no file holds") {
    for (const uint64_t claim : {uint64_t{1} << 31, uint64_t{1} << 60, ~uint64_t{0}}) {
      for (const int type : {0, 1, 2, 4, 5, 7, 14, 15, 18, 21, 28}) {
        CAPTURE(type);
        RdbBuilder file(redis, 14);
        file.select(0).string("a", "b").key(static_cast<uint8_t>(type), "k").len(claim).raw("abc");
        const StatSummary summary = stat_rdb(file.eof());
        check_sums(summary.report);
        CHECK(summary.errors > 0);
        CHECK(summary.report.total.keys == 1);
      }
    }
  }
  SUBCASE("a compressed string of more than so few bytes can be unpacked to is not counted") {
    for (const uint64_t claim : {uint64_t{1} << 20, uint64_t{1} << 40, uint64_t{1} << 60}) {
      RdbBuilder file(redis, 11);
      file.select(0).string("a", "b").key(0, "k").raw("\xc3").len(5).len(claim).raw("abcde").string("c", "d");
      const StatSummary summary = stat_rdb(file.eof());
      CHECK(summary.errors > 0);
      CHECK(summary.report.total.elements == summary.report.total.keys);
      CHECK(summary.report.total.keys <= 2);
      CHECK(summary.report.types[0].largest->largest_element == 1);
    }
  }
  SUBCASE("names of 100 KB") {
    RdbBuilder file(redis, 11);
    file.select(0);
    for (int i = 0; i < 20; ++i)
      file.string(std::string(100'000, static_cast<char>('a' + i)) + ":" + std::to_string(i), "v");
    file.string(std::string(100'000, ':'), "v");
    const StatSummary summary = stat_rdb(file.eof());
    CHECK(summary.report.total.keys == 21);
    check_sums(summary.report);
    const BigKey largest = summary.report.top[0].sorted().at(0);
    CHECK(largest.key.size() == BigKey::kNameShownMax);
    CHECK(largest.key_bytes == 100'003);
  }
  SUBCASE("very many databases") {
    RdbBuilder file(redis, 11);
    const uint64_t dbs = StatReport::kDbsMax + 34'464;
    for (uint64_t db = 0; db < dbs; ++db) file.select(db).string("k", "v");
    const StatSummary summary = stat_rdb(file.eof());
    check_sums(summary.report);
    CHECK(summary.report.dbs.size() == StatReport::kDbsMax);
    CHECK(summary.report.other_dbs.count.keys == dbs - StatReport::kDbsMax);
  }
  SUBCASE("times that cannot be") {
    const int64_t edges[] = {std::numeric_limits<int64_t>::min(), -1, 0, std::numeric_limits<int64_t>::max()};
    for (const int64_t as_of : edges) {
      RdbBuilder file(redis, 11);
      file.aux("ctime", "9223372036854775807").select(0);
      for (const int64_t expiry : edges) file.expire_ms(expiry).string("k" + std::to_string(expiry), "v");
      StatOptions options = stat_options();
      options.as_of_ms = as_of;
      const StatSummary summary = stat_rdb(file.eof(), options);
      CHECK(summary.report.total.keys == 4);
      check_sums(summary.report);
      options.as_of_ms.reset();
      options.now_ms = 5;
      CHECK(stat_rdb(file.eof(), options).report.as_of_last_ms == 5);
    }
  }
}
