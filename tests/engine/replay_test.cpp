// Commands of a log run on a dataset: databases, transactions, counts, and what cannot be replayed.
#include "engine/replay.hpp"

#include <doctest/doctest.h>

#include "base/sha1.hpp"
#include "support/aof_builder.hpp"
#include "support/engine_calls.hpp"

using namespace persist;
using namespace persist::test;

namespace {

struct Replayed {
  EngineCalls calls;  // for its dataset, and to show it
  Replay::Stop stop = Replay::Stop::end;
  ReplayCounts counts;
  std::optional<ReplayRefusal> refusal;
  std::vector<std::string> seen;  // what the observer was told
};

class Notes : public ReplayObserver {
 public:
  explicit Notes(std::vector<std::string>& to) : to_(to) {}
  void before(const LoggedCommand& command) override { before_ = command.index; }
  void after(const LoggedCommand& command, Effect effect, const char* error) override {
    CHECK(before_ == command.index);
    std::string note = "db" + std::to_string(command.db) + " " + std::string(command.args.front());
    note += effect == Effect::changed ? " changed" : "";
    to_.push_back(note + (error != nullptr ? " failed" : ""));
  }

 private:
  std::vector<std::string>& to_;
  uint64_t before_ = 0;
};

std::string encoded(std::initializer_list<const char*> lines) {
  std::string log;
  for (const char* line : lines) {
    const std::vector<std::string> words = split_words(line);
    log += "*" + std::to_string(words.size()) + "\r\n";
    for (const std::string& word : words) log += "$" + std::to_string(word.size()) + "\r\n" + word + "\r\n";
  }
  return log;
}

void replay(Replayed& result, Bytes log, bool skip_module_commands = false) {
  const auto source = memory_source(log);
  LogWalk walk(*source, 0, Hold::whole, {});
  ReplayRules rules;
  rules.profile = {Dialect::redis, 700};
  rules.skip_module_commands = skip_module_commands;
  Notes notes(result.seen);
  Replay replay(result.calls.data, rules, &notes);
  replay.begin_file();
  result.stop = replay.run(walk, [] {});
  result.counts = replay.counts();
  if (result.stop == Replay::Stop::refused) result.refusal = replay.refusal();
}

}  // namespace

TEST_CASE("commands run in their database, and are counted") {
  Replayed done;
  replay(done, encoded({"SELECT 2", "SET a 1", "INCR a", "INCR a", "LPUSH a x", "DEL b", "SELECT x",
                        "SET c 1", "SWAPDB 2 5"}));
  CHECK(done.stop == Replay::Stop::end);
  CHECK(done.calls.show_all() == "db5 a = string \"3\"; db5 c = string \"1\"");
  CHECK(done.counts.changed == 5);
  CHECK(done.counts.unchanged == 2);
  CHECK(done.counts.failed == 2);
  CHECK(done.seen[1] == "db2 SET changed");
  CHECK(done.seen[4] == "db2 LPUSH failed");
}

TEST_CASE("a transaction runs at its EXEC, or not at all") {
  Replayed done;
  replay(done, encoded({"MULTI", "SET a 1", "SELECT 1", "SET b 2", "LPUSH b x", "EXEC", "SET c 3"}));
  CHECK(done.stop == Replay::Stop::end);
  CHECK(done.calls.show_all() == "a = string \"1\"; db1 b = string \"2\"; db1 c = string \"3\"");

  Replayed torn;
  replay(torn, encoded({"SET a 1", "MULTI", "SET a 2", "SET b 2"}));
  CHECK(torn.stop == Replay::Stop::damage);
  CHECK(torn.calls.show_all() == "a = string \"1\"");
}

TEST_CASE("more commands than a batch holds, with keys that are there already") {
  std::string log;
  for (int i = 0; i < 10'000; ++i)
    log += encoded({("SET k" + std::to_string(i % 6000) + " " + std::to_string(i)).c_str()});
  for (int i = 0; i < 6000; ++i) log += encoded({("INCR k" + std::to_string(i)).c_str()});
  Replayed done;
  replay(done, log);
  CHECK(done.counts.changed == 16'000);
  CHECK(done.calls.data.keys() == 6000);
  CHECK(done.calls.show("k1") == "string \"6002\"");
  CHECK(done.calls.show("k5999") == "string \"6000\"");
}

TEST_CASE("what no rule is known for ends the replay") {
  const auto refused = [](const char* line, ReplayRefusal::Kind kind) {
    CAPTURE(line);
    Replayed done;
    replay(done, encoded({"SET a 1", line, "SET b 2"}));
    REQUIRE(done.refusal.has_value());
    CHECK(done.refusal->kind == kind);
    CHECK(done.refusal->index == 1);
    CHECK(done.calls.show_all() == "a = string \"1\"");
  };
  refused("NONSENSE a", ReplayRefusal::Kind::unknown_command);
  refused("JSON.SET a", ReplayRefusal::Kind::module_command);
  refused("EVALSHA 0123456789012345678901234567890123456789 0", ReplayRefusal::Kind::script);

  Replayed done;
  replay(done, encoded({"SET a 1", "JSON.SET a", "SET b 2"}), true);
  CHECK(done.stop == Replay::Stop::end);
  CHECK(done.counts.module_commands == 1);
  CHECK(done.calls.data.keys() == 2);
}

TEST_CASE("the scripts of old logs are run") {
  if (!ScriptEngine::available()) return;
  const std::string log =
      encoded({"EVAL \"redis.call('SET', KEYS[1], ARGV[1]); return redis.call('INCR', KEYS[2])\" 2 a n v",
               "EVAL \"redis.call('SELECT', 3); redis.call('SET', 'there', 1)\" 0", "SET here 1",
               "EVALSHA 9b6b3d9d6f8c3e9f0d0000000000000000000000 0"});
  Replayed done;
  replay(done, log);
  CHECK(done.calls.show_all() ==
        "a = string \"v\"; here = string \"1\"; n = string \"1\"; db3 there = string \"1\"");
  CHECK(done.counts.changed == 3);
  REQUIRE(done.refusal.has_value());  // whose text was never there
  CHECK(done.refusal->index == 3);
}

TEST_CASE("a script is remembered under its hash, and what it did before an error stays") {
  if (!ScriptEngine::available()) return;
  Replayed done;
  replay(done,
         encoded({"SCRIPT LOAD \"return redis.call('INCR', KEYS[1])\"",
                  ("EVALSHA " + to_hex(sha1("return redis.call('INCR', KEYS[1])")) + " 1 n").c_str(),
                  "EVAL \"redis.call('SET', 'a', 1); redis.call('LPUSH', 'a', 'x')\" 0", "SCRIPT FLUSH"}));
  CHECK(done.stop == Replay::Stop::end);
  CHECK(done.calls.show_all() == "a = string \"1\"; n = string \"1\"");
  CHECK(done.counts.changed == 2);
}

TEST_CASE("a script that draws a member by lot is refused") {
  if (!ScriptEngine::available()) return;
  Replayed done;
  replay(done, encoded({"SADD s a b c", "EVAL \"return redis.call('SPOP', 's')\" 0"}));
  REQUIRE(done.refusal.has_value());
  CHECK(done.refusal->kind == ReplayRefusal::Kind::script);
  CHECK(done.refusal->why.find("SPOP") != std::string::npos);
}
