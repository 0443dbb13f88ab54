// The check of logs and sets: each of its findings provoked, and what every server would do at start with the
// logs whose fate is known.
#include "persist/check_set.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <set>

#include "support/aof_builder.hpp"
#include "support/notation.hpp"
#include "support/set_verbs.hpp"
#include "support/verbs.hpp"

using namespace persist;
using namespace persist::test;

namespace {

namespace fs = std::filesystem;

const std::string kFull = resp("SELECT 0") + resp("SET a 1") + resp("SET b 2");  // 23 + 27 + 27 bytes
const std::string kQueued = resp("MULTI") + resp("SET c 1") + resp("SET d 1");   // 15 + 27 + 27
const std::string kTorn = resp("SET e 1").substr(0, 24);

std::string nul(size_t size) { return std::string(size, '\0'); }
std::string without(std::string log, size_t bytes) { return log.substr(0, log.size() - bytes); }

std::string rdb_file(unsigned version = 9) {
  return RdbBuilder(redis, version).aux("aof-preamble", "1").select(0).string("k", "v").eof();
}

const uint64_t kRdbBytes = rdb_file().size();

// --------------------------------------------------------------------------------------------- findings

struct Row {
  std::string ids;  // of all findings, in their order
  std::string log;
};

std::vector<Row> log_rows() {
  return {
      {"aof.truncated-tail", without(kFull, 4)},
      {"aof.truncated-tail", kFull + "*3"},
      {"aof.torn-first-command", rdb_file() + kTorn},
      {"aof.torn-first-command", rdb_file() + kQueued},
      {"aof.torn-transaction", kFull + without(kQueued, 3)},
      {"aof.open-multi", kFull + kQueued},
      {"aof.torn-annotation", kFull + "#TS:16282"},
      {"aof.nul-tail", kFull + nul(20)},
      {"aof.nul-tail", rdb_file() + kFull + nul(4096)},
      {"aof.garbage-tail", kFull + "garbage"},
      {"aof.bad-record", resp("SET a 1") + "xx\r\n" + resp("SET b 2")},
      {"aof.bad-record aof.bad-record aof.truncated-tail", "x" + kFull + "x" + kFull + kTorn},
      {"aof.loose-framing", "*3\n$3\nSET\r\n$1\na\r\n$1\n1\r\n"},
      {"aof.loose-framing", "*3\r\n$3\r\nSETXX$1\r\naYY$1\r\n1ZZ"},
      {"aof.unknown-command", resp("FOO a") + kFull},
      {"aof.unknown-command", resp("XGROUP FROB k g")},
      {"aof.module-command", resp("JSON.SET a $ 1")},
      {"aof.wrong-arity", resp("SET a")},
      {"aof.wrong-arity", resp("INCR a b c")},
      {"aof.wrong-arity", resp("XGROUP CREATE k")},
      {"aof.nested-multi", resp("MULTI") + resp("MULTI") + resp("EXEC")},
      {"aof.stray-exec", kFull + resp("EXEC")},
      {"aof.discard aof.open-multi", resp("MULTI") + resp("DISCARD")},
      {"aof.db-range", resp("SELECT -1") + resp("SET a 1")},
      {"aof.db-range", resp("SELECT abc")},
      {"target.databases", resp("SELECT 99") + resp("SET k 1")},
      {"aof.long-annotation", AofBuilder().annotation(std::string(1021, 'x')).bytes()},
      {"aof.long-annotation", AofBuilder().annotation(std::string(60'000, 'x')).bytes()},
      {"aof.bad-timestamp", "#TS:12x\r\n"},
      {"aof.flush", resp("FLUSHALL")},
      {"aof.flush aof.flush", resp("flushdb ASYNC") + resp("FLUSHALL SYNC")},
      {"aof.script-text", resp("EVAL \"return 1\" 0")},
      // Nothing is wrong with these.
      {"", ""},
      {"", kFull},
      {"", rdb_file()},
      {"", rdb_file() + kFull},
      {"", rdb_file() + kFull + kQueued + resp("EXEC")},
      {"", "#TS:1628217470\r\n" + kFull + "#hello\r\n"},
      {"", AofBuilder().annotation(std::string(1020, 'x')).bytes()},
      {"", resp("SELECT 15") + resp("set a 1") + resp("XGROUP CREATE k g $ MKSTREAM")},
      {"", resp("SCRIPT LOAD \"return 1\"") + resp("FUNCTION FLUSH")},
      {"", resp({"SET", "k", kTorn + nul(20) + "garbage" + resp("FLUSHALL")})},
  };
}

// A set: what is in the folder, or what is done to it.
struct SetRow {
  std::string ids;
  std::function<std::string(const TempFolder&)> make;  // returns the path to check
};

SetBuilder sound_set() { return SetBuilder().base(rdb_file()).incr(kFull); }

std::string with_manifest(const TempFolder& place, const std::string& text) {
  return sound_set().manifest(text).write(place);
}

constexpr Bytes kBaseLine = "file appendonly.aof.1.base.rdb seq 1 type b\n";
constexpr Bytes kIncrLine = "file appendonly.aof.1.incr.aof seq 1 type i\n";
const std::string kBoth = std::string(kBaseLine) + std::string(kIncrLine);

std::vector<SetRow> manifest_rows() {
  const auto manifest = [](const std::string& ids, const std::string& text) {
    return SetRow{ids, [text](const TempFolder& place) { return with_manifest(place, text); }};
  };
  return {
      manifest("", kBoth),
      manifest("manifest.empty", ""),
      manifest("manifest.only-comments", "# nothing\n"),
      manifest("manifest.bad-line manifest.missing-file",
               kBoth + "file " + std::string(1100, 'x') + " seq 2 type i\n"),
      manifest("manifest.bad-line", without(kBoth, 1)),
      manifest("manifest.format", kBoth + "\n"),
      manifest("manifest.path", kBoth + "file ../x seq 2 type i\n"),
      manifest("manifest.duplicate-base", std::string(kBaseLine) + kBoth),
      manifest("manifest.sequence", kBoth + std::string(kIncrLine)),
      manifest("manifest.type", kBoth + "file appendonly.aof.1.incr.aof seq 2 type x\n"),
      manifest("manifest.missing-file", kBoth + "file appendonly.aof.2.incr.aof seq 2 type i\n"),
      {"manifest.missing", [](const TempFolder& place) { return sound_set().no_manifest().write(place); }},
      {"manifest.link",
       [](const TempFolder& place) {
         const std::string path =
             sound_set().line("file appendonly.aof.2.incr.aof seq 2 type i").write(place);
         fs::create_symlink(place.file("elsewhere", kFull), path + "/appendonly.aof.2.incr.aof");
         return path;
       }},
  };
}

std::vector<SetRow> folder_rows() {
  return {
      {"aof.torn-first-command aof.torn-not-last",
       [](const TempFolder& place) {
         return SetBuilder().base(rdb_file() + kTorn).incr(kFull).write(place);
       }},
      {"aof.truncated-tail aof.torn-not-last",
       [](const TempFolder& place) { return sound_set().incr(without(kFull, 3)).incr("").write(place); }},
      {"set.unlisted-file",
       [](const TempFolder& place) {
         return sound_set().unlisted("appendonly.aof.2.incr.aof", kFull).write(place);
       }},
      {"set.history-file",
       [](const TempFolder& place) {
         return SetBuilder().base(rdb_file()).history(kFull).incr(kFull).write(place);
       }},
      {"set.temporary-file",
       [](const TempFolder& place) {
         return sound_set().unlisted("temp-appendonly.aof.incr", kFull).write(place);
       }},
      {"set.old-aof",
       [](const TempFolder& place) {
         (void)sound_set().write(place, "data/appendonlydir");
         write_file(place.path("data/appendonly.aof"), kFull);
         return place.path("data");
       }},
      {"set.rdb-not-loaded",
       [](const TempFolder& place) {
         (void)sound_set().write(place, "data/appendonlydir");
         write_file(place.path("data/dump.rdb"), rdb_file());
         const auto later = fs::file_time_type::clock::now() + std::chrono::hours(1);
         fs::last_write_time(place.path("data/dump.rdb"), later);
         return place.path("data");
       }},
  };
}

// What needs more than a path.
std::string starts_empty() {
  const TempFolder place;
  write_file(place.path("dump.rdb"), rdb_file());
  ServerConf conf;
  conf.appendonly = true;
  SetOptions options;
  options.conf = &conf;
  FindingList findings;
  (void)open_append_set(place.path(), findings, options);
  return all_ids(findings.all);
}

std::string changes_while_read() {
  const TempFolder place;
  const std::string path = sound_set().write(place);
  LogCheckOptions options;
  options.open = [&](const SetPart& part) {
    write_file(path + "/appendonly.aof.manifest", kBoth + "file appendonly.aof.2.incr.aof seq 2 type i\n");
    return open_source(part.path);
  };
  const SetChecked checked = check_path(path, options);
  CHECK(checked.summary.reach == Reach::beyond);
  return all_ids(checked.findings);
}

bool is_ours(Bytes id) {
  if (id == "set.duplicate-member") return false;  // of the type
  return id.starts_with("aof.") || id.starts_with("manifest.") || id.starts_with("set.");
}

}  // namespace

TEST_CASE("findings of logs: each one provoked, and nothing else said") {
  for (const Row& row : log_rows()) {
    CAPTURE(shown(Bytes(row.log).substr(0, 200)));
    const SetChecked checked = check_log(row.log);
    CHECK(all_ids(checked.findings) == row.ids);
    for (const Finding& finding : checked.findings) {
      CHECK(finding.file == "log");
      CHECK(finding.extent.end() <= row.log.size());
      CHECK(finding.db.has_value());
    }
    const bool damaged = std::ranges::any_of(checked.findings, [](const Finding& finding) {
      return finding.kind().severity == Severity::error && !finding.kind().id.starts_with("target.");
    });
    CHECK(checked.summary.sound() == !damaged);
    CHECK(checked.summary.parts.front().size == row.log.size());
    CHECK(checked.summary.valid_up_to <= row.log.size());
  }
}

TEST_CASE("findings of sets: each one provoked, and nothing else said") {
  for (const auto& rows : {manifest_rows(), folder_rows()}) {
    for (const SetRow& row : rows) {
      CAPTURE(row.ids);
      const TempFolder place;
      const std::string path = row.make(place);
      CHECK(all_ids(check_path(path).findings) == row.ids);
    }
  }
  CHECK(starts_empty() == "set.starts-empty");
  CHECK(changes_while_read() == "set.changed");
}

TEST_CASE("findings of logs and sets: the table holds nothing that cannot be provoked") {
  std::set<std::string> provoked = {"set.starts-empty", "set.changed"};
  const auto add = [&](const std::string& ids) {
    for (const std::string& id : split_words(ids)) provoked.insert(id);
  };
  for (const Row& row : log_rows()) add(row.ids);
  for (const auto& rows : {manifest_rows(), folder_rows()}) {
    for (const SetRow& row : rows) add(row.ids);
  }
  for (const FindingKind& kind : finding_kinds()) {
    if (!is_ours(kind.id)) continue;
    CAPTURE(kind.id);
    CHECK(provoked.contains(std::string(kind.id)));
  }
}

TEST_CASE("findings: millions of one kind are counted, not told") {
  std::string log;
  for (int i = 0; i < 12'000; ++i) log += resp("SET a");
  const SetChecked checked = check_log(log);
  CHECK(checked.findings.size() == 10'000);
  CHECK(checked.summary.errors == 12'000);
}

TEST_CASE("findings: options") {
  LogCheckOptions options;
  options.known = {"foo"};
  CHECK(all_ids(check_log(resp("Foo a") + kFull, options).findings).empty());
  options.databases = 4;
  CHECK(all_ids(check_log(resp("SELECT 3"), options).findings).empty());
  CHECK(all_ids(check_log(resp("SELECT 4"), options).findings) == "aof.db-range");
  options.databases = 100;
  CHECK(all_ids(check_log(resp("SELECT 99"), options).findings).empty());
}

// ---------------------------------------------------------------------------------------------- summary

TEST_CASE("summary: what a set holds") {
  const TempFolder place;
  const AofBuilder log = AofBuilder().time(100).command("SELECT 0").multi().command("SET a 1").exec();
  const std::string second = "#TS:200\r\n" + kFull + resp("FLUSHALL") + "#TS:300\r\n" + kTorn;
  const SetChecked checked =
      check_path(SetBuilder().base(rdb_file()).incr(log.bytes()).incr(second).write(place));
  const SetSummary& summary = checked.summary;
  REQUIRE(summary.parts.size() == 3);
  CHECK(summary.keys == 1);
  CHECK(summary.commands == 8);
  CHECK(summary.damaged_part == "appendonly.aof.2.incr.aof");
  CHECK(summary.valid_up_to == second.size() - kTorn.size() - 9);
  CHECK(summary.reach == Reach::tail);
  CHECK_FALSE(summary.parts[0].has_log);
  CHECK(summary.parts[0].log_offset == kRdbBytes);
  CHECK(summary.parts[1].transactions == 1);
  CHECK(summary.parts[1].annotations == 1);
  CHECK(summary.parts[1].first_time_s == 100);
  CHECK(summary.parts[2].first_time_s == 200);
  CHECK(summary.parts[2].last_time_s == 300);
  CHECK(summary.parts[2].flushes == 1);
  CHECK(summary.parts[2].damaged);
}

TEST_CASE("summary: what stands behind the first damage") {
  const SetSummary summary = check_log(kFull + "xx" + kFull + "yy" + kFull).summary;
  CHECK(summary.valid_up_to == kFull.size());
  CHECK(summary.parts.front().commands == 9);
  CHECK(summary.parts.front().commands_behind == 6);
  CHECK(summary.errors == 2);
  CHECK(summary.reach == Reach::beyond);
}

// ----------------------------------------------------------------------------------------------- startup

namespace {

// The same for servers in a row. The names of the files are left out of what is expected.
struct Verdicts {
  Bytes to;  // up to this target, of its family
  std::string start;
};

struct StartRow {
  std::string log;
  std::vector<Verdicts> redis;
  std::vector<Verdicts> valkey;
};

std::string cuts(size_t offset) { return "cuts log@" + std::to_string(offset); }
std::string refuses(size_t offset) { return "refuses log@" + std::to_string(offset); }
std::string empties(size_t offset = 0) { return "cuts to 0 bytes log@" + std::to_string(offset); }

// All the same.
StartRow all(std::string log, const std::string& start) {
  return {std::move(log), {{"redis-8.8", start}}, {{"valkey-9.1", start}}};
}

// Redis 2.6 has no aof-load-truncated.
StartRow from_2_8(std::string log, const std::string& before, const std::string& start) {
  return {std::move(log), {{"redis-2.6", before}, {"redis-8.8", start}}, {{"valkey-9.1", start}}};
}

StartRow from_7_0(std::string log, const std::string& before, const std::string& start) {
  return {std::move(log), {{"redis-6.2", before}, {"redis-8.8", start}}, {{"valkey-9.1", start}}};
}

StartRow with_rdb(std::string log, const std::string& start) {
  return {std::move(log),
          {{"redis-3.2", refuses(0)}, {"redis-4.0", refuses(0)}, {"redis-8.8", start}},
          {{"valkey-9.1", start}}};
}

std::vector<StartRow> start_rows() {
  const std::string open = kFull + kQueued;
  const size_t r = kRdbBytes;
  return {
      all(kFull, "loads"),
      all("", "loads"),
      from_2_8(without(kFull, 4), refuses(50), cuts(50)),
      from_2_8(kFull + "*", refuses(77), cuts(77)),
      from_2_8(kFull + "*3", refuses(77), cuts(77)),
      all(kFull + nul(20), refuses(77)),
      all(kFull + nul(100), refuses(77)),
      all(kFull + "garbage", refuses(77)),
      all(resp("SET a 1") + "xx\r\n" + resp("SET b 2"), refuses(27)),
      all("SET a 1\r\n", refuses(0)),
      all(resp("SET a 1") + "*0\r\n" + resp("SET b 2"), refuses(27)),
      all("*3\r\n$3\r\nSETXX$1\r\naYY$1\r\n1ZZ", "loads"),
      all("*3\n$3\nSET\r\n$1\na\r\n$1\n1\r\n", "loads"),
      all(resp("FOO a") + kFull, refuses(0)),
      all(resp("SET a 1") + resp("LPUSH a x") + resp("SET b 2"), "loads"),
      {open,
       {{"redis-2.6", refuses(77)}, {"redis-3.2", "loads"}, {"redis-8.8", cuts(77)}},
       {{"valkey-9.1", cuts(77)}}},
      // Torn inside of a transaction: it is cut inside of it.
      from_2_8(without(open, 3), refuses(119), cuts(119)),
      all(open + resp("MULTI") + resp("SET d 1") + resp("EXEC") + resp("SET e 1"), "loads"),
      all(kFull + resp("EXEC") + resp("SET e 1"), "loads"),
      from_7_0("#TS:1628217470\r\n" + kFull + "#hello\r\n", refuses(0), "loads"),
      from_7_0(kFull + "#hello\r\n", refuses(77), "loads"),
      from_7_0(kFull + "#TS:16282", refuses(77), "loads"),
      // Annotations do not move the place that is cut at.
      {kFull + "#TS:100\r\n" + kTorn,
       {{"redis-6.2", refuses(77)}, {"redis-8.8", cuts(77)}},
       {{"valkey-9.1", cuts(77)}}},
      from_7_0(AofBuilder().annotation(std::string(1020, 'x')).bytes() + kFull, refuses(0), "loads"),
      all(AofBuilder().annotation(std::string(1021, 'x')).bytes() + kFull, refuses(0)),
      all(resp("SELECT 99") + resp("SET k 1"), "loads"),
      all("*2\r\n$3\r\nGET\r\n$1\r\nabc\r\n" + kFull, refuses(0)),
      // The number of words: Valkey 8.1 counts them.
      {kFull + resp("SET a"),
       {{"redis-8.8", "may crash log@77"}},
       {{"valkey-8.0", "may crash log@77"}, {"valkey-9.1", refuses(77)}}},
      // Commands that came later.
      {kFull + resp("XADD s 1-1 f v"),
       {{"redis-4.0", refuses(77)}, {"redis-8.8", "loads"}},
       {{"valkey-9.1", "loads"}}},
      {resp("HPEXPIREAT h 1800000000000 FIELDS 1 f"),
       {{"redis-7.2", refuses(0)}, {"redis-8.8", "loads"}},
       {{"valkey-8.1", refuses(0)}, {"valkey-9.1", "loads"}}},
      // Behind an RDB part; version 9 came with Redis 5.0.
      with_rdb(rdb_file(), "loads"),
      with_rdb(rdb_file() + kFull, "loads"),
      with_rdb(rdb_file() + kFull + kTorn, cuts(r + 77)),
      with_rdb(rdb_file() + kTorn, empties()),
      with_rdb(rdb_file() + kQueued, empties()),
      with_rdb(rdb_file() + without(kQueued, 3), cuts(r + 42)),
      with_rdb(rdb_file() + resp("SELECT 0") + kTorn, cuts(r + 23)),
      with_rdb(rdb_file() + nul(9), refuses(r)),
      {rdb_file(11) + kFull, {{"redis-7.0", refuses(0)}, {"redis-8.8", "loads"}}, {{"valkey-9.1", "loads"}}},
      {RdbBuilder(valkey, 80).select(0).string("k", "v").eof() + kFull,
       {{"redis-8.8", refuses(0)}},
       {{"valkey-8.1", refuses(0)}, {"valkey-9.1", "loads"}}},
  };
}

// Asks every target, the oldest ones that have no log of today's form left out.
void check_start(const SetChecked& checked, const std::vector<Verdicts>& expected, Dialect family) {
  size_t at = 0;
  for (const StartupVerdict& verdict : checked.summary.startup) {
    const Target& target = *verdict.target;
    if (target.family != family || target.name < "redis-2.6") continue;
    REQUIRE(at < expected.size());
    CAPTURE(target.name);
    CHECK(checked.start(target.name) == expected[at].start);
    if (target.name == expected[at].to) ++at;
  }
  CHECK(at == expected.size());
}

}  // namespace

TEST_CASE("startup: one file, server by server") {
  for (const StartRow& row : start_rows()) {
    CAPTURE(shown(Bytes(row.log).substr(0, 300)));
    const SetChecked checked = check_log(row.log);
    check_start(checked, row.redis, redis);
    check_start(checked, row.valkey, valkey);
  }
}

TEST_CASE("startup: with aof-load-truncated no, nothing is cut") {
  LogCheckOptions options;
  options.aof_load_truncated = false;
  for (const StartRow& row : start_rows()) {
    CAPTURE(shown(Bytes(row.log).substr(0, 300)));
    const SetChecked usual = check_log(row.log);
    const SetChecked strict = check_log(row.log, options);
    for (const StartupVerdict& verdict : usual.summary.startup) {
      const Bytes name = verdict.target->name;
      CAPTURE(name);
      const bool would_cut = verdict.startup == Startup::cuts || verdict.startup == Startup::empties;
      if (would_cut)
        CHECK(strict.start(name).starts_with("refuses"));
      else
        CHECK(strict.start(name) == usual.start(name));
    }
  }
}

namespace {

struct SetStart {
  const char* name;
  std::function<std::string(const TempFolder&)> make;
  std::string start;  // of Redis from 7.0 on and of Valkey; before, all start empty
};

std::vector<SetStart> set_starts() {
  const std::string base = resp("SELECT 0") + resp("SET base 1");  // 53 bytes
  const auto set = [](const std::string& one, const std::string& two) {
    return [=](const TempFolder& place) { return SetBuilder().base(one).incr(two).write(place); };
  };
  const auto manifest = [](const std::string& text) {
    return [=](const TempFolder& place) { return with_manifest(place, text); };
  };
  const std::string incr = "appendonly.aof.1.incr.aof@";
  const std::string rdb = "appendonly.aof.1.base.rdb@";
  return {
      {"sound", set(base, kFull), "loads"},
      {"torn", set(base, without(kFull, 4)), "cuts " + incr + "50"},
      {"torn in its first command", set(base, kTorn), "cuts " + incr + "0"},
      {"an open transaction", set(rdb_file(), kFull + kQueued), "cuts " + incr + "77"},
      {"torn in a transaction", set(base, without(kFull + kQueued, 3)), "cuts " + incr + "119"},
      {"NUL bytes", set(base, kFull + nul(20)), "refuses " + incr + "77"},
      {"no log behind the base", set(base, ""), "loads"},
      {"a torn base", set(without(base, 3), kFull), "refuses appendonly.aof.1.base.aof@23"},
      {"a torn base before an empty file", set(without(base, 3), ""), "refuses appendonly.aof.1.base.aof@23"},
      {"a damaged RDB part", set(without(rdb_file(), 3), kFull), "refuses " + rdb + "0"},
      {"an RDB base with a torn tail alone",
       [](const TempFolder& place) { return SetBuilder().base(rdb_file() + kTorn).write(place); },
       "cuts to 0 bytes " + rdb + "0"},
      {"no manifest", [](const TempFolder& place) { return sound_set().no_manifest().write(place); },
       "starts empty"},
      {"comments alone", manifest("# nothing\n"), "starts empty"},
      {"an empty manifest", manifest(""), "refuses"},
      {"two bases", manifest(std::string(kBaseLine) + kBoth), "refuses"},
      {"a missing file", manifest(kBoth + "file x seq 2 type i\n"), "refuses"},
      {"a history file is missing", manifest("file x seq 2 type h\n" + kBoth), "loads"},
  };
}

}  // namespace

TEST_CASE("startup: sets") {
  for (const SetStart& row : set_starts()) {
    CAPTURE(row.name);
    const TempFolder place;
    const SetChecked checked = check_path(row.make(place));
    for (const char* target :
         {"redis-7.0", "redis-7.4", "redis-8.4", "redis-8.8", "valkey-7.2", "valkey-8.1", "valkey-9.1"}) {
      CAPTURE(target);
      const std::string start = checked.start(target);
      // Of a manifest that is refused, the path stands there.
      CHECK((row.start == "refuses" ? start.starts_with("refuses ") : start == row.start));
      if (row.start != "refuses") CHECK(start == row.start);
    }
    for (const char* target : {"redis-2.6", "redis-4.0", "redis-6.2"})
      CHECK(checked.start(target) == "starts empty");
  }
}
