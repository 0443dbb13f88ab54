// What the verbs that replay a log make of it: the digest, what flushes cost, commands that fail, effects,
// the life of a key.
#include "persist/replay.hpp"

#include <doctest/doctest.h>

#include <set>

#include "persist/check_set.hpp"
#include "persist/digest.hpp"
#include "persist/dump.hpp"
#include "persist/history.hpp"
#include "persist/log.hpp"
#include "persist/undo_flush.hpp"
#include "support/aof_builder.hpp"
#include "support/set_verbs.hpp"
#include "support/verbs.hpp"

using namespace persist;
using namespace persist::test;

namespace {

const ServerVersion kRedis72{Dialect::redis, 702};

ReplayOptions as(const ServerVersion& server) {
  ReplayOptions options;
  options.as = server;
  return options;
}

// A log in memory as a set.
struct LogInMemory {
  explicit LogInMemory(std::string log, const ServerVersion& server = kRedis72)
      : bytes(std::move(log)), set(single_file_set("log.aof")), options(as(server)) {
    options.open = [this](const SetPart&) { return memory_source(bytes, "log.aof"); };
  }
  LogInMemory(const LogInMemory&) = delete;
  LogInMemory& operator=(const LogInMemory&) = delete;

  std::string bytes;
  AppendSet set;
  ReplayOptions options;
};

RdbBuilder base() {
  RdbBuilder file(redis, 11);
  file.aux("redis-ver", "7.2.6").aux("aof-base", "1").select(0);
  return file;
}

LogDigestSummary digest_of(const std::string& log, const DigestOptions& options,
                           const ServerVersion& server = kRedis72) {
  const LogInMemory held(log, server);
  FindingList findings;
  return digest_log(held.set, findings, options, held.options);
}

DigestOptions full_digest_options() {
  DigestOptions options;
  options.full = true;
  return options;
}

std::string counts_text(const std::optional<KeyCounts>& counts) {
  if (!counts) return "none";
  std::string text;
  for (const KeyCount& count : *counts) {
    text += (text.empty() ? "" : " ") + std::to_string(count.db) + ":" +
            std::string(value_type_name(count.type)) + ":" + std::to_string(count.keys);
  }
  return text;
}

struct Costs {
  std::vector<std::string> wiped;
  std::string end;
  std::string end_without_all;
  std::string obstacle;
};

Costs costs_of(const std::string& log) {
  const TempFolder folder;
  const AppendSet set = open_set(folder.file("log.aof", log));
  FlushReport report = find_flushes(set);
  const EndCounts end = count_flushed(set, report, as(kRedis72));
  Costs costs;
  for (const Flush& flush : report.flushes) costs.wiped.push_back(counts_text(flush.wiped));
  costs.end = counts_text(end.keys);
  costs.end_without_all = counts_text(count_without(set, report, report.flushes, as(kRedis72)).keys);
  if (end.obstacle) costs.obstacle = end.obstacle->kind().id;
  return costs;
}

std::string effects_of(const std::string& log, bool skip_modules = false) {
  LogInMemory held(log);
  held.options.skip_module_commands = skip_modules;
  LogOptions options;
  options.effects = &held.options;
  StringSink written;
  FindingList findings;
  list_log(held.set, written, findings, options);
  std::string effects;
  for (const std::string& line : split_lines(written.text)) {
    const size_t at = line.find(" - ");
    effects += line.substr(at + 3) + "; ";
  }
  return effects;
}

std::string history_of(const std::string& log, const HistoryOptions& wanted) {
  LogInMemory held(log);
  HistoryOptions options = wanted;
  options.replay = held.options;
  StringSink written;
  FindingList findings;
  tell_history(held.set, written, findings, options);
  std::string events;
  for (const std::string& line : split_lines(written.text)) {
    const size_t at = line.find(" - ");
    events += line.substr(line.find(" db") + 1, 3) + " " + line.substr(at + 3) + "; ";
  }
  return events;
}

std::string history_of(const std::string& log, const std::string& key) {
  HistoryOptions options;
  options.key = key;
  return history_of(log, options);
}

}  // namespace

TEST_CASE("digest of a log: the same as that of an RDB file with the same keys") {
  const std::string log = AofBuilder()
                              .command("SELECT 0")
                              .command("SET str hello")
                              .command("RPUSH gone a")
                              .command("LPOP gone")
                              .command("SELECT 3")
                              .command("SADD s x y")
                              .command("PEXPIREAT s 4102444800000")
                              .bytes();
  const std::string file = RdbBuilder(redis, 11)
                               .select(3)
                               .expire_ms(4102444800000)
                               .set("s", {"y", "x"})
                               .select(0)
                               .string("str", "hello")
                               .eof();
  for (const bool full : {false, true}) {
    CAPTURE(full);
    DigestOptions options;
    options.full = full;
    if (!full) options.server = find_target("redis-7.2");
    const auto source = memory_source(file);
    FindingList findings;
    const DigestSummary of_file = digest_rdb(*source, findings, options);
    const LogDigestSummary of_log = digest_of(log, options);
    CHECK(of_log.digest.digest == of_file.digest);
    CHECK(of_log.digest.dbs == of_file.dbs);
    CHECK(of_log.digest.server == of_file.server);
    CHECK(of_log.digest.keys == 2);
    CHECK(of_log.digest.counted == 2);
    CHECK(of_log.digest.complete);
  }
}

TEST_CASE("digest of a log: the server of the replay, unless another is asked for") {
  const std::string log = AofBuilder().command("ZADD z 0.1 m").bytes();
  const std::string of_70 = digest_of(log, {}, {Dialect::redis, 700}).digest.digest;
  const std::string of_72 = digest_of(log, {}, kRedis72).digest.digest;
  CHECK(of_70 != of_72);
  DigestOptions options;
  options.server = find_target("redis-7.0");
  const LogDigestSummary asked = digest_of(log, options, kRedis72);
  CHECK(asked.digest.digest == of_70);
  CHECK(asked.digest.server == "redis-7.0");
  CHECK(asked.replay.server == kRedis72);
}

TEST_CASE("digest of a log: vector sets, before and after they were in an RDB file") {
  const ServerVersion redis80{Dialect::redis, 800};
  const std::string log = AofBuilder()
                              .command("VADD v VALUES 2 1 2 a")
                              .command("VADD v VALUES 2 -3 0.5 b SETATTR {\"x\":1}")
                              .bytes();
  const LogInMemory held(log, redis80);
  StringSink dumped;
  FindingList findings;
  CHECK(dump_log(held.set, dumped, findings, {}, held.options).written == 1);
  for (const DigestOptions& options : {DigestOptions(), full_digest_options()}) {
    const std::string digest = digest_of(log, options, redis80).digest.digest;
    CHECK(digest.size() == 40);
    const std::string other = AofBuilder().raw(log).command("VSETATTR v a {}").bytes();
    CHECK(digest_of(other, options, redis80).digest.digest != digest);
    const std::string back =
        AofBuilder().raw(other).command("VADD v VALUES 2 1 2 c").command("VREM v c").bytes();
    CHECK(digest_of(back, options, redis80).digest.digest ==
          digest_of(other, options, redis80).digest.digest);
  }
}

TEST_CASE("digest of a log: filters, fields whose time is up, function libraries") {
  const ServerVersion redis74{Dialect::redis, 704};
  const std::string log = AofBuilder()
                              .command("SET a 1")
                              .command("HSET h f 1 g 2")
                              .command("HPEXPIREAT h 1000 FIELDS 1 f")
                              .command("HSET all f 1")
                              .command("HPEXPIREAT all 1000 FIELDS 1 f")
                              .bytes();
  DigestOptions options = full_digest_options();
  options.hide_fields_past_ms = 1000;
  const std::string without = AofBuilder().command("SET a 1").command("HSET h g 2").bytes();
  CHECK(digest_of(log, options, redis74).digest.digest ==
        digest_of(without, full_digest_options(), redis74).digest.digest);
  CHECK(digest_of(log, options, redis74).digest.counted == 2);
  options.hide_fields_past_ms = 999;
  CHECK(digest_of(log, options, redis74).digest.digest ==
        digest_of(log, full_digest_options(), redis74).digest.digest);

  FilterOptions only;
  only.types = {ValueType::string};
  const Filter filter(only);
  options.filter = &filter;
  CHECK(digest_of(log, options, redis74).digest.digest ==
        digest_of(AofBuilder().command("SET a 1").bytes(), full_digest_options()).digest.digest);

  const std::string library = AofBuilder().command("FUNCTION LOAD \"#!lua name=l\\n\"").bytes();
  const LogDigestSummary of_library = digest_of(library, full_digest_options());
  CHECK(of_library.digest.libraries.size() == 40);
  CHECK(of_library.digest.digest == of_library.digest.libraries);
  CHECK(digest_of(library, {}).digest.digest == std::string(40, '0'));
}

TEST_CASE("digest of a log: what damage leaves, and nothing of what cannot be replayed") {
  const std::string log = AofBuilder().command("SET a 1").bytes();
  const LogDigestSummary torn = digest_of(log + "*1\r\n$4\r\nSA", {});
  CHECK(torn.digest.digest == digest_of(log, {}).digest.digest);
  CHECK(torn.digest.errors == 1);
  CHECK(torn.digest.reach == Reach::tail);
  CHECK(!torn.digest.complete);
  const LogDigestSummary refused = digest_of(log + resp("NO.SUCH a"), {});
  CHECK(refused.replay.refused);
  CHECK(refused.digest.digest.empty());
}

TEST_CASE("flushes: what each took away, and what there is in the end") {
  const std::string log = AofBuilder()
                              .command("SET a 1")
                              .command("SADD s 1")
                              .command("SELECT 1")
                              .command("SET b 1")
                              .command("FLUSHDB")
                              .command("SET c 1")
                              .multi()
                              .command("FLUSHALL ASYNC")
                              .exec()
                              .command("FLUSHALL NOW")
                              .command("HSET h f v")
                              .bytes();
  const Costs costs = costs_of(log);
  CHECK(costs.wiped == std::vector<std::string>{"1:string:1", "0:string:1 0:set:1 1:string:1", ""});
  CHECK(costs.end == "1:hash:1");
  CHECK(costs.end_without_all == "0:string:1 0:set:1 1:string:2 1:hash:1");
  CHECK(costs.obstacle.empty());
}

TEST_CASE("flushes: those that were not run are not counted") {
  const std::string begin = AofBuilder().command("SET a 1").command("FLUSHALL").bytes();
  const Costs torn = costs_of(AofBuilder().raw(begin).multi().command("FLUSHALL").bytes());
  CHECK(torn.wiped == std::vector<std::string>{"0:string:1", "none"});
  CHECK(torn.obstacle.empty());
  const Costs refused = costs_of(
      AofBuilder().raw(begin).command("MODULE.SET a").command("SET z 1").command("FLUSHALL").bytes());
  CHECK(refused.wiped == std::vector<std::string>{"0:string:1", "none"});
  CHECK(refused.obstacle == "replay.module-command");
}

TEST_CASE("a check with a replay: commands that fail, and the keys in the end") {
  const std::string log =
      AofBuilder().command("SET a 1").command("LPUSH a x").command("SELECT 2").command("INCR b").bytes();
  const LogInMemory held(log);
  SetChecked checked = check_log(log);
  CHECK(checked.summary.warnings == 0);
  FindingList findings;
  check_replay(held.set, findings, held.options, checked.summary);
  REQUIRE(findings.all.size() == 1);
  const Finding& finding = findings.all.front();
  CHECK(finding.kind().id == "replay.command-error");
  CHECK(finding.file == "log.aof");
  CHECK(finding.extent == Extent{resp("SET a 1").size(), resp("LPUSH a x").size()});
  CHECK(finding.subject == "command 1, lpush");
  CHECK(finding.found == "WRONGTYPE Operation against a key holding the wrong kind of value");
  CHECK(finding.key == "a");
  CHECK(checked.summary.warnings == 1);
  REQUIRE(checked.summary.replay);
  CHECK(checked.summary.replay->keys == 2);
  CHECK(checked.summary.replay->failed == 1);
}

TEST_CASE("a check with a replay tells damage once, and of millions of failures only some") {
  const std::string torn = AofBuilder().command("SET a 1").bytes() + "*1\r\n$4\r\nSA";
  SetChecked checked = check_log(torn);
  FindingList findings;
  const LogInMemory held(torn);
  check_replay(held.set, findings, held.options, checked.summary);
  CHECK(findings.all.empty());
  CHECK(checked.summary.errors == 1);
  CHECK(!checked.summary.replay->complete);

  AofBuilder many;
  many.command("SET a 1");
  for (int i = 0; i < 10'010; ++i) many.command("LPUSH a x");
  const LogInMemory held_many(many.bytes());
  SetSummary summary;
  check_replay(held_many.set, findings, held_many.options, summary);
  CHECK(findings.all.size() == 10'000);
  CHECK(summary.warnings == 10'010);
}

TEST_CASE("replay: every finding provoked") {
  struct Row {
    const char* command;
    Bytes id;
    bool refused;
  };
  std::set<Bytes> provoked;
  for (const Row& row : {Row{"MODULE.SET a", "replay.module-command", true},
                         Row{"MIGRATE host 1 a 0 1", "replay.no-rule", true},
                         Row{"EVALSHA 0123456789012345678901234567890123456789 0", "replay.script", true},
                         Row{"LPUSH a x", "replay.command-error", false}}) {
    CAPTURE(row.id);
    const LogInMemory held(AofBuilder().command("SET a 1").command(row.command).bytes());
    FindingList findings;
    SetSummary summary;
    check_replay(held.set, findings, held.options, summary);
    REQUIRE(findings.all.size() == 1);
    CHECK(findings.all.front().kind().id == row.id);
    CHECK(findings.all.front().extent.offset == resp("SET a 1").size());
    CHECK(summary.replay->refused == row.refused);
    provoked.insert(row.id);
  }
  for (const FindingKind& kind : finding_kinds()) {
    CAPTURE(kind.id);
    CHECK(kind.id.starts_with("replay.") == (provoked.count(kind.id) == 1));
  }
}

TEST_CASE("effects: a transaction's commands have theirs, in order") {
  const std::string log = AofBuilder()
                              .command("SET a 1")
                              .multi()
                              .command("DEL nothing")
                              .command("LPUSH a x")
                              .command("INCR a")
                              .exec()
                              .command("X.Y z")
                              .multi()
                              .command("SET never 1")
                              .bytes();
  CHECK(effects_of(log, true) ==
        "changed SET a 1; unchanged MULTI; unchanged DEL nothing; failed LPUSH a x (WRONGTYPE Operation "
        "against "
        "a key holding the wrong kind of value); changed INCR a; unchanged EXEC; skipped X.Y z; ");
}

TEST_CASE("history: what stands in the RDB part, and what comes of it") {
  const std::string log = AofBuilder()
                              .rdb(base().string("k", "v").string("other", "w"))
                              .command("SELECT 0")
                              .command("APPEND k w")
                              .command("GETSET other 2")
                              .command("RENAME other k")
                              .command("SWAPDB 0 1")
                              .command("COPY k x")
                              .command("FLUSHALL")
                              .bytes();
  const LogInMemory held(log);
  StringSink written;
  FindingList findings;
  HistoryOptions options;
  options.key = "k";
  options.replay = held.options;
  const HistorySummary summary = tell_history(held.set, written, findings, options);
  CHECK(summary.events == 6);
  CHECK(!summary.exists);
  CHECK(split_lines(written.text).front() == "log.aof RDB db0 - loaded -> string, 1 byte");
  CHECK(history_of(log, "k") ==
        "db0 loaded -> string, 1 byte; db0 changed APPEND k w -> string, 2 bytes; "
        "db0 renamed RENAME other k -> string, 1 byte; db0 moved SWAPDB 0 1 -> gone; "
        "db1 moved SWAPDB 0 1 -> string, 1 byte; db1 flushed FLUSHALL -> gone; ");
}

TEST_CASE("history: the events that a key may have") {
  const std::string log = AofBuilder()
                              .command("LPUSH k a")
                              .command("RPOP k")
                              .command("SET k 1")
                              .command("PEXPIREAT k 4102444800000")
                              .command("SADD k no")
                              .command("SET k 2")
                              .command("UNLINK k")
                              .bytes();
  HistoryOptions options;
  options.key = "k";
  CHECK(history_of(log, options) ==
        "db0 created LPUSH k a -> list, 1 item; db0 deleted RPOP k -> gone; db0 created SET k 1 -> string, 1 "
        "byte; "
        "db0 changed PEXPIREAT k 4102444800000 -> string, 1 byte, expires 2100-01-01T00:00:00Z; "
        "db0 overwritten SET k 2 -> string, 1 byte; db0 deleted UNLINK k -> gone; ");
  options.all = true;
  CHECK(history_of(log, options).find("db0 untouched SADD k no -> string") != std::string::npos);
  options.db = 1;
  CHECK(history_of(log, options).empty());
}
