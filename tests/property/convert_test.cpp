// What is written for one server and then for another: up and down again, through lines, through commands,
// through a log made short. Nothing is different afterwards but what was said to be lost, and nothing comes
// of an input that is cut anywhere.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <random>

#include "persist/compact.hpp"
#include "persist/digest.hpp"
#include "support/aof_builder.hpp"
#include "support/conversions.hpp"
#include "support/files.hpp"
#include "support/rdb_builder.hpp"
#include "support/set_verbs.hpp"
#include "support/values.hpp"
#include "support/verbs.hpp"
#include "support/violations.hpp"
#include "types/plain_encoding.hpp"

using namespace persist;
using namespace persist::test;

namespace {

constexpr ValueType kTypes[] = {ValueType::string, ValueType::list,   ValueType::set,   ValueType::zset,
                                ValueType::hash,   ValueType::stream, ValueType::array, ValueType::module};

const std::vector<std::string>& module_names() {
  static const std::vector<std::string> names = {"Az09-_jsN"};
  return names;
}

ConvertOptions converting_to(const Target& target, OutputForm form = OutputForm::rdb) {
  ConvertOptions options = lossy_options_for(target.name, form);
  options.write.modules = module_names();
  return options;
}

// Keys of all types in two dbs, as far as the target has them.
std::string file_of_values(const Target& target, uint64_t seed, size_t longest) {
  StringSink sink;
  WriteOptions options;
  options.target = &target;
  options.modules = module_names();
  RdbWriter writer(sink, options);
  ValueMaker maker(seed);
  maker.longest = longest;
  StreamMaker streams(seed, 5);
  streams.pending_max = 12;
  std::mt19937_64 random(seed);
  Value value;
  for (size_t i = 0; i < 24; ++i) {
    const ValueType type = kTypes[i % std::size(kTypes)];
    maker.with_ttl = i % 16 == 4;
    maker.only_numbers = i % 16 == 2;
    if (type == ValueType::stream)
      streams.make(value, random() % 12);
    else
      maker.make(value, type, 1 + random() % 30);
    const std::string key = "\xff\n\"" + std::to_string(i) + std::string(i % 3 * 20, '\0');
    RdbEntry head;
    head.db = i / 16;
    head.key = key;
    head.encoding = &plain_encoding(type);
    if (i % 5 == 1) head.expire_at_ms = static_cast<int64_t>(random() >> (i % 2 == 0 ? 4 : 24));
    writer.entry(head, [&](ElementSink out) { value.tell(out); });
  }
  writer.finish();
  return sink.text;
}

// Each key as a line that depends on nothing but what it holds.
struct Content {
  std::map<std::string, std::pair<std::string, std::string>> keys;  // type and line
};

const nlohmann::json& no_idempotency() {
  static const nlohmann::json none = nlohmann::json::parse(
      R"({"producers":[],"duration_s":100,"max_entries":100,"iids_added":0,"iids_duplicates":0})");
  return none;
}

Content content_of_lines(const std::string& lines) {
  Content content;
  for (const std::string& line : split_lines(lines)) {
    nlohmann::json json = nlohmann::json::parse(line);
    if (!json.contains("key")) continue;
    const std::string key = json["db"].dump() + " " + json["key"].dump();
    const std::string type = json["type"].get<std::string>();
    // Servers that know of idempotency have its defaults where others have nothing.
    if (type == "stream" && json["value"].value("idmp", nlohmann::json()) == no_idempotency())
      json["value"].erase("idmp");
    content.keys[key] = {type, json.dump()};
  }
  return content;
}

Content content_of(const std::string& file, const Target& target) {
  ConvertOptions options = converting_to(target, OutputForm::jsonl);
  options.canonical = true;
  return content_of_lines(convert_rdb(file, options).bytes);
}

// Losses that a key of each type can have, in how many keys.
using LostKeys = std::map<std::string, uint64_t>;

void add_losses(LostKeys& lost, const LossReport& losses) {
  using enum LossFeature;
  const auto add = [&](const char* type, std::initializer_list<LossFeature> features) {
    for (const LossFeature feature : features) lost[type] += losses.of(feature).keys;
  };
  add("hash", {field_ttl});
  add("zset", {tiny_scores});
  add("array", {arrays});
  add("module", {modules});
  add("stream", {streams, nack, idmp, pending, stream_counters, entries_read, consumers, consumer_times});
  add("any", {expiry_precision, expiry_2038});
}

// In how many keys of each type the two differ; no key is more than there was.
void expect_lost(const Content& before, const Content& after, const LostKeys& lost, Violations& violations,
                 const std::string& where) {
  LostKeys different;
  for (const auto& [key, held] : before.keys) {
    const auto found = after.keys.find(key);
    if (found == after.keys.end() || found->second.second != held.second) ++different[held.first];
  }
  for (const auto& [key, held] : after.keys)
    violations.expect(before.keys.contains(key), "a key out of nowhere", where);
  const auto lost_of = [&](const std::string& type) {
    const auto found = lost.find(type);
    return found == lost.end() ? uint64_t{0} : found->second;
  };
  for (const auto& [type, count] : different)
    violations.expect(count <= lost_of(type) + lost_of("any"), "more is different than was said to be lost",
                      where + " " + type);
}

ConvertInput of_log(const AppendSet& set, const ReplayOptions& replay) {
  ConvertInput input;
  input.log = &set;
  input.replay = replay;
  return input;
}

}  // namespace

TEST_CASE("up and down: for any two servers, nothing is different but what was lost") {
  Violations violations;
  size_t pairs = 0;
  for (const Target& from : targets()) {
    for (const size_t longest : {size_t{70}, size_t{20000}}) {
      const std::string file = file_of_values(from, from.release + longest, longest);
      const Content before = content_of(file, from);
      CHECK(before.keys.size() >= 15);
      for (const Target& to : targets()) {
        // Large values are slow: not each with each.
        if (longest > 70 && (from.release + to.release) % 7 != 0) continue;
        const std::string where = std::string(from.name) + " to " + std::string(to.name);
        ++pairs;
        const Converted there = convert_rdb(file, converting_to(to));
        const Converted back = convert_rdb(there.bytes, converting_to(from));
        violations.expect(there.summary.committed && back.summary.committed, "not converted", where);
        LostKeys lost;
        add_losses(lost, there.summary.losses);
        add_losses(lost, back.summary.losses);
        expect_lost(before, content_of(back.bytes, from), lost, violations, where);
        if (&from == &to) violations.expect(there.losses().empty(), "lost at home", where);
      }
    }
  }
  CHECK(pairs > targets().size() * targets().size());
  violations.report();
}

TEST_CASE("lines: a file comes back out of them as it went in, whatever bytes are in it") {
  Violations violations;
  for (const Target& target : targets()) {
    for (const uint64_t seed : {1U, 2U}) {
      const std::string where(target.name);
      const std::string file = file_of_values(target, seed, seed == 1 ? 70 : 20000);
      ConvertOptions canonical = converting_to(target);
      canonical.canonical = true;
      const std::string expected = convert_rdb(file, canonical).bytes;
      for (const OutputForm form : {OutputForm::jsonl, OutputForm::dump}) {
        const Converted lines = convert_rdb(file, converting_to(target, form));
        const Converted back = convert_json(lines.bytes, converting_to(target));
        violations.expect(back.findings.empty() && back.summary.committed, "a line is not right", where);
        violations.expect(lines.losses().empty() && back.losses().empty(), "something is lost", where);
        violations.expect(convert_rdb(back.bytes, canonical).bytes == expected, "not what it was", where);
      }
    }
  }
  violations.report();
}

TEST_CASE("commands: the server that replays them has what was read, but for what was lost") {
  Violations violations;
  const Target* sources[] = {find_target("redis-8.8"), find_target("valkey-9.1")};
  for (const Target* from : sources) {
    const std::string file = file_of_values(*from, 5, 300);
    const Content before = content_of(file, *from);
    for (const Target& to : targets()) {
      for (const bool restore : {false, true}) {
        if (restore && to.release < 206) continue;
        const std::string where = std::string(to.name) + (restore ? " restore" : "");
        ConvertOptions options = converting_to(to, OutputForm::resp);
        options.restore = restore;
        const Converted commands = convert_rdb(file, options);
        violations.expect(commands.summary.committed, "not converted", where);
        LostKeys lost;
        add_losses(lost, commands.summary.losses);
        ConvertOptions lines = converting_to(to, OutputForm::jsonl);
        lines.canonical = true;
        const Converted replayed = convert_log(commands.bytes, lines, ServerVersion{to.family, to.release});
        violations.expect(replayed.summary.committed, "not replayed", where);
        if (replayed.summary.replay)
          violations.expect(replayed.summary.replay->failed == 0, "a command failed", where);
        expect_lost(before, content_of_lines(replayed.bytes), lost, violations, where);
      }
    }
  }
  violations.report();
}

namespace {

// Commands on a few keys of each type.
std::string random_log(uint64_t seed, size_t commands) {
  std::mt19937_64 random(seed);
  const auto pick = [&](uint64_t sides) { return std::to_string(random() % sides); };
  AofBuilder log;
  log.command("SELECT 0");
  for (size_t i = 0; i < commands; ++i) {
    const std::string key = pick(6);
    switch (random() % 16) {
      case 0:
        log.command("SET str" + key + " " + pick(100000));
        break;
      case 1:
        log.command("APPEND str" + key + " \"\\x00\\xff" + std::string(random() % 30, 'z') + "\"");
        break;
      case 2:
        log.command("RPUSH list" + key + " a" + pick(9) + " " + std::string(random() % 90, 'b'));
        break;
      case 3:
        log.command("LPOP list" + key);
        break;
      case 4:
        log.command("SADD set" + key + " " + pick(30) + " " + pick(30));
        break;
      case 5:
        log.command("SADD set" + key + " m" + pick(30));
        break;
      case 6:
        log.command("SREM set" + key + " " + pick(30));
        break;
      case 7:
      case 8:
        log.command("ZADD zset" + key + " " + pick(9) + "." + pick(9) + " m" + pick(20));
        break;
      case 9:
        log.command("ZREM zset" + key + " m" + pick(20));
        break;
      case 10:
      case 11:
        log.command("HSET hash" + key + " f" + pick(20) + " " + pick(1000));
        break;
      case 12:
        log.command("HDEL hash" + key + " f" + pick(20));
        break;
      case 13:
        log.command("PEXPIREAT hash" + key + " 19000000" + pick(100000));
        break;
      case 14:
        log.command("SELECT " + pick(3));
        break;
      default:
        log.command("DEL str" + key);
    }
  }
  return log.bytes();
}

}  // namespace

TEST_CASE("compact: a log is the same dataset afterwards, and shorter") {
  const TempFolder folder;
  size_t count = 0;
  for (const Bytes name : {"redis-4.0", "redis-6.2", "redis-7.0", "redis-8.8", "valkey-9.1"}) {
    CAPTURE(name);
    const Target& target = *find_target(name);
    const std::string number = std::to_string(count++);
    const std::string in = folder.file("log" + number, random_log(count, 1500));
    const AppendSet set = open_set(in);
    ReplayOptions replay;
    replay.as = ServerVersion{target.family, target.release};
    DigestOptions full;
    full.full = true;
    FindingList findings;
    const std::string digest = digest_log(set, findings, full, replay).digest.digest;
    REQUIRE(digest.size() == 40);
    for (const bool of_commands : {false, true}) {
      ConvertOptions options = options_for(name, OutputForm::aof);
      options.base_of_commands = of_commands;
      OutputOptions output;
      output.path = folder.path("out" + number + (of_commands ? "c" : "r"));
      const ConvertSummary summary = compact(of_log(set, replay), output, findings, options);
      CHECK(summary.committed);
      CHECK(summary.proven);
      CHECK(summary.bytes_written < read_file(in).size());
      CHECK(digest_log(open_set(output.path), findings, full, replay).digest.digest == digest);
      // Once more, it is as short as it was.
      OutputOptions again = output;
      again.path += "again";
      const AppendSet compacted = open_set(output.path);
      CHECK(compact(of_log(compacted, replay), again, findings, options).bytes_written ==
            summary.bytes_written);
    }
    CHECK(problems(findings.all).empty());
  }
}

TEST_CASE("damage: of an input that is cut anywhere, nothing is written") {
  Violations violations;
  const std::string file = RdbBuilder(redis, 11)
                               .aux("redis-ver", "7.2.0")
                               .select(0)
                               .resize(2, 1)
                               .expire_ms(5)
                               .string_lzf("a", std::string(40, 'x'))
                               .hash_listpack("h", {{"f", "v"}})
                               .stream("s", 3, {{{{1, 1}, {{"f", "v"}}}}, {1, 1}})
                               .list_quicklist2("l", {{1, "plain"}})
                               .eof();
  const auto expect_nothing = [&](const Converted& converted, size_t size, const char* what) {
    const std::string where = std::string(what) + " cut at " + std::to_string(size);
    violations.expect(!converted.summary.committed, "committed", where);
    violations.expect(converted.bytes.empty(), "written", where);
  };
  std::vector<ConvertOptions> ways;
  for (const OutputForm form : {OutputForm::rdb, OutputForm::jsonl, OutputForm::resp})
    ways.push_back(lossy_options_for("redis-7.0", form));
  ways.push_back(options_for("redis-7.2"));
  ways.push_back(options_for("redis-7.2"));
  ways.back().canonical = true;
  const std::string lines = convert_rdb(file, options_for("redis-7.2", OutputForm::jsonl)).bytes;
  for (const ConvertOptions& way : ways) {
    CHECK(convert_rdb(file, way).summary.committed);
    for (size_t size = 0; size < file.size(); ++size)
      expect_nothing(convert_rdb(Bytes(file).substr(0, size), way), size, "a file");
    for (size_t size = 0; size < lines.size(); ++size) {
      // A line may end without its line end.
      if (size == 0 || lines[size] == '\n' || lines[size - 1] == '\n') continue;
      expect_nothing(convert_json(Bytes(lines).substr(0, size), way), size, "lines");
    }
  }
  AofBuilder log;
  log.command("SELECT 0").command("SET a 1").multi().command("RPUSH l a b").exec().command("SET b 2");
  for (size_t size = 1; size < log.size(); ++size) {
    const bool is_whole = std::ranges::any_of(log.boundaries(), [&](const Boundary& boundary) {
      return boundary.offset == size && !boundary.in_multi;
    });
    const Converted converted = convert_log(Bytes(log.bytes()).substr(0, size), options_for("redis-7.2"));
    if (!is_whole) expect_nothing(converted, size, "a log");
    if (is_whole) CHECK(converted.summary.committed);
  }
  violations.report();
}
