// A log replayed by the engine gives what a real redis-server has when it has loaded that log: after
// thousands of random commands, again and again, with rewrites of both kinds in between.
//
// The seed is fixed. PERSIST_SEED and PERSIST_COMMANDS are for runs by hand. A log that shows a difference is
// made as short as it goes and printed.
#include <doctest/doctest.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <thread>

#include "aof/log_reader.hpp"
#include "engine/digest.hpp"
#include "engine/load_rdb.hpp"
#include "ops/replay_set.hpp"
#include "server/answers.hpp"
#include "server/command_generator.hpp"
#include "server/facts.hpp"
#include "server/log_shrinker.hpp"
#include "support/files.hpp"
#include "support/set_verbs.hpp"
#include "text/command_line.hpp"

namespace persist::test {

namespace {

const std::vector<std::string> kOptions = {
    "--appendonly",           "yes", "--appendfsync", "no", "--auto-aof-rewrite-percentage", "0",
    "--enable-debug-command", "yes", "--hz",          "100"};

// --- Datasets -------------------------------------------------------------------------------------------

std::string digest_of(const Dataset& data, DigestKind kind) {
  HoleBudget holes;
  DatasetDigest all(kind);
  const auto digest =
      kind == DigestKind::full ? full_digest() : server_digest(digest_rules(Dialect::redis, 700), holes);
  for (const auto& [number, db] : data.dbs()) {
    const uint64_t n = number;
    db.for_each([&](const KeyEntry& entry) {
      digest->begin({n, entry.key(), entry.type(), entry.expire_at_ms});
      entry.tell([&](const Element& told) { digest->add(told); }, true);
      all.add(n, digest->finish());
    });
  }
  for (const auto& [name, code] : data.functions) all.add_library(code);
  return to_hex(all.total());
}

// Each key in a line of its own.
std::map<std::string, std::string> lines_of(const Dataset& data) {
  std::map<std::string, std::string> lines;
  for (const auto& [number, db] : data.dbs()) {
    const uint64_t n = number;
    db.for_each([&](const KeyEntry& entry) {
      FactSink facts;
      entry.tell([&](const Element& told) { facts.add(told); }, true);
      lines["db " + std::to_string(n) + " " + line_of({std::string(entry.key())})] =
          std::string(value_type_name(entry.type())) + " @" + std::to_string(entry.expire_at_ms) + " " +
          line_of(facts.take(entry.type()));
    });
  }
  for (const auto& [name, code] : data.functions) lines["library " + name] = code;
  return lines;
}

std::string differences(const Dataset& ours, const Dataset& theirs) {
  std::string text;
  const auto our_lines = lines_of(ours);
  const auto their_lines = lines_of(theirs);
  const auto line = [](const std::map<std::string, std::string>& lines, const std::string& key) {
    const auto at = lines.find(key);
    return at == lines.end() ? std::string("none") : at->second;
  };
  auto keys = our_lines;
  keys.insert(their_lines.begin(), their_lines.end());
  for (const auto& [key, ignored] : keys) {
    const std::string our = line(our_lines, key);
    const std::string their = line(their_lines, key);
    if (our != their) text += key + "\n  engine " + our + "\n  server " + their + "\n";
  }
  return text;
}

// --- The server with the log ----------------------------------------------------------------------------

class LoggingServer {
 public:
  LoggingServer() : server_(kOptions), client(server_.port()) {
    client.call({"DEBUG", "SET-ACTIVE-EXPIRE", "0"});
  }

  // What is different once both have read the log; empty if nothing is.
  std::string difference() {
    client.call({"DEBUG", "LOADAOF"});
    const std::string digest = client.call({"DEBUG", "DIGEST"}).text;
    client.call({"SAVE"});

    Dataset theirs;
    FindingList findings;
    const auto source = open_source(server_.rdb().string());
    if (!load_rdb(*source, findings, theirs, {}).complete) return "what the server saves cannot be read";
    // The reader of RDB files is not to hide anything.
    if (digest_of(theirs, DigestKind::server) != digest) return "what the server saves is not what it has";

    Dataset ours;
    ReplayOptions options;
    options.as = ServerVersion{Dialect::redis, 700};  // a log without an RDB part does not say
    const ReplaySummary summary = replay_set(log(), findings, options, {}, ours);
    if (!summary.complete) return "the replay ends early: " + problems(findings.all);
    if (digest_of(ours, DigestKind::server) == digest &&
        digest_of(ours, DigestKind::full) == digest_of(theirs, DigestKind::full))
      return {};
    return "engine and server differ\n" + differences(ours, theirs);
  }

  [[nodiscard]] AppendSet log() const { return open_set((server_.folder() / "appendonlydir").string()); }

  void rewrite(bool as_rdb) {
    client.call({"CONFIG", "SET", "aof-use-rdb-preamble", as_rdb ? "yes" : "no"});
    client.call({"BGREWRITEAOF"});
  }

  void wait_for_rewrite() {
    using namespace std::chrono_literals;
    for (int i = 0; i < 4000; ++i) {
      const std::string info = client.call({"INFO", "persistence"}).text;
      if (info.find("aof_rewrite_in_progress:0") != std::string::npos &&
          info.find("aof_rewrite_scheduled:0") != std::string::npos)
        return;
      std::this_thread::sleep_for(5ms);
    }
    throw std::runtime_error("the rewrite does not end");
  }

 private:
  LiveServer server_;

 public:
  Client client;
};

// --- A log that shows a difference ----------------------------------------------------------------------

struct SplitLog {
  std::string rdb;  // of its base; empty if that has none
  LogCommands commands;
};

SplitLog split_log(const AppendSet& set) {
  SplitLog split;
  for (const SetPart& part : set.parts) {
    const std::string bytes = read_file(part.path);
    if (bytes.starts_with("REDIS")) {
      split.rdb = bytes;
      continue;
    }
    const auto source = memory_source(bytes);
    LogReader reader(*source, 0, Hold::whole);
    for (LogStep step = reader.next(); step != LogStep::end; step = reader.next()) {
      if (step == LogStep::command) split.commands.emplace_back(reader.args().begin(), reader.args().end());
    }
  }
  return split;
}

// A server takes an open transaction at the end for a torn log.
bool closes_transactions(const LogCommands& commands) {
  bool open = false;
  for (const CommandWords& words : commands) {
    if (words.front() == "MULTI") open = true;
    if (words.front() == "EXEC") open = false;
  }
  return !open;
}

// The shortest log that shows a difference, and the difference.
std::string shrunk(const SplitLog& log) {
  constexpr size_t kTrialsMax = 3000;
  LoggingServer server;
  const AppendSet set = server.log();
  std::string rdb = log.rdb;
  const auto difference = [&](const LogCommands& commands) {
    std::string bytes;
    for (const CommandWords& words : commands) bytes += encoded(words);
    write_file(set.parts.front().path, rdb);
    write_file(set.parts.back().path, bytes);
    return server.difference();
  };
  const auto fails = [&](const LogCommands& commands) {
    return closes_transactions(commands) && !difference(commands).empty();
  };
  if (!fails(log.commands)) return "it does not show when the log is loaded once more";
  if (!rdb.empty()) {
    rdb.clear();
    if (!fails(log.commands)) rdb = log.rdb;
  }
  const LogCommands commands = shrink(log.commands, fails, kTrialsMax);
  std::string text = rdb.empty() ? "" : "behind an RDB part of " + std::to_string(rdb.size()) + " bytes\n";
  for (const CommandWords& words : commands) text += line_of(words) + "\n";
  return text + difference(commands);
}

// --- Rounds ---------------------------------------------------------------------------------------------

class Rounds {
 public:
  explicit Rounds(uint64_t seed) : generator_(seed, Replies::any), random_(seed) {}

  // False after a difference, which has been told.
  bool run(uint64_t commands) {
    const uint64_t rewrite_kind = random_() % 6;
    for (uint64_t done = 0; done < commands;) {
      const uint64_t before = done;
      done += run_batch();
      if (rewrite_kind < 2 && before < commands / 2 && done >= commands / 2)
        server_.rewrite(rewrite_kind == 0);
    }
    server_.wait_for_rewrite();
    const std::string difference = server_.difference();
    if (difference.empty()) return true;
    FAIL_CHECK(difference.substr(0, kShownMax));
    FAIL_CHECK("the shortest log that shows a difference:\n", shrunk(split_log(server_.log())));
    return false;
  }

 private:
  static constexpr size_t kBatch = 200;
  static constexpr size_t kShownMax = 4000;

  uint64_t run_batch() {
    std::vector<CommandWords> batch;
    std::string requests;
    while (batch.size() < kBatch) {
      for (CommandWords& words : generator_.next()) {
        requests += encoded(words);
        batch.push_back(std::move(words));
      }
    }
    server_.client.send(requests);
    for (const CommandWords& words : batch) {
      const Answer answer = read_answer(server_.client);
      if (words.front() == "DUMP" && answer.kind == '$') generator_.learn_payload(answer.text);
    }
    return batch.size();
  }

  LoggingServer server_;
  CommandGenerator generator_;
  std::mt19937_64 random_;
};

}  // namespace

TEST_CASE("a replayed log gives what the server has that loads it") {
  constexpr uint64_t kRound = 5000;
  const uint64_t seed = from_environment("PERSIST_SEED", 1);
  const uint64_t commands = from_environment("PERSIST_COMMANDS", 600'000);
  CAPTURE(seed);
  Rounds rounds(seed);
  for (uint64_t done = 0; done < commands; done += kRound) {
    CAPTURE(done);
    const bool same = rounds.run(kRound);
    REQUIRE(same);
  }
}

TEST_CASE("a failing list of commands is made as short as it goes") {
  LogCommands commands;
  for (int i = 0; i < 1000; ++i) commands.push_back({"SET", std::to_string(i)});
  const auto has = [](const LogCommands& all, const char* what) {
    for (const CommandWords& words : all)
      if (words[1] == what) return true;
    return false;
  };
  size_t trials = 0;
  const auto fails = [&](const LogCommands& all) {
    ++trials;
    return has(all, "0") && has(all, "617") && has(all, "999");
  };
  CHECK(shrink(commands, fails, 1000) == LogCommands{{"SET", "0"}, {"SET", "617"}, {"SET", "999"}});
  CHECK(trials < 200);
  CHECK(shrink(
            commands, [](const LogCommands&) { return true; }, 1000)
            .empty());
  CHECK(shrink(commands, fails, 3).size() > 3);
}

}  // namespace persist::test
