// A real redis-server that holds A and runs the commands which diff() writes holds B then: datasets that
// random commands made, of which one came of the other by more of them. The server says whether they are the
// same.
//
// What no command can say does not come of these seeds: a score of -0, a greatest deleted ID above the last.
#include <doctest/doctest.h>

#include <algorithm>

#include "server/answers.hpp"
#include "server/command_generator.hpp"
#include "server/facts.hpp"
#include "server/live_server.hpp"
#include "support/conversions.hpp"
#include "support/differences.hpp"
#include "support/files.hpp"

namespace persist::test {

namespace {

constexpr uint64_t kDiffedDbs = 4;

void run_at_random(Client& client, CommandGenerator& generator, size_t count, uint64_t seed) {
  for (size_t i = 0; i < count; ++i) {
    if (i % 40 == 0) client.call({"SELECT", std::to_string((i / 40 + seed) % kDiffedDbs)});
    const std::vector<CommandWords> commands = generator.next();
    std::string bytes;
    for (const CommandWords& words : commands) bytes += encoded(words);
    client.send(bytes + encoded({"ECHO", "done"}));
    while (read_answer(client).text != "done") {
    }
  }
}

void load_library(Client& client, const std::string& name, const std::string& function, int answer) {
  client.call({"FUNCTION", "LOAD", "REPLACE",
               "#!lua name=" + name + "\nredis.register_function('" + function + "', function() return " +
                   std::to_string(answer) + " end)"});
}
void load_function(Client& client, const std::string& name, int answer) {
  load_library(client, name, "f_" + name, answer);
}

DatasetBytes saved(const LiveServer& server, Client& client) {
  client.call({"SAVE"});
  return {DatasetBytes::Form::rdb, read_file(server.rdb()), {}};
}

void load_saved(const LiveServer& server, Client& client, const DatasetBytes& data) {
  client.call({"FLUSHALL"});
  client.call({"FUNCTION", "FLUSH"});
  write_file(server.rdb(), data.bytes);
  client.call({"DEBUG", "RELOAD", "NOSAVE"});
}

// Everything that a client can see, but for the times when consumers were last seen, which commands set to
// now.
struct Held {
  std::string digest;
  std::map<std::pair<uint64_t, std::string>, std::string> keys;  // type, expiry and value
  std::vector<std::string> functions;
};

Held held_by(Client& client) {
  Held held;
  held.digest = client.call({"DEBUG", "DIGEST"}).text;
  for (const auto& [place, facts] : ask_all(client, kDiffedDbs)) {
    std::string text = facts.type + " " + std::to_string(facts.expire_at_ms);
    for (size_t i = 0; i < facts.value.size(); ++i) {
      const bool is_seen_time = facts.type == "stream" && i >= 2 && facts.value[i - 2] == "consumer";
      if (!is_seen_time) text += " " + std::to_string(facts.value[i].size()) + ":" + facts.value[i];
    }
    held.keys[place] = text;
  }
  for (const Reply& library : client.call({"FUNCTION", "LIST", "WITHCODE"}).items)
    held.functions.push_back(library.field("library_code").text);
  std::ranges::sort(held.functions);
  return held;
}

void run_commands(Client& client, const std::string& commands) {
  client.send(commands + encoded({"ECHO", "done"}));
  for (Answer answer = read_answer(client); answer.text != "done"; answer = read_answer(client))
    REQUIRE_MESSAGE(answer.kind != '-', answer.text);
}

void check_same_held(Client& client, const Held& wanted) {
  const Held held = held_by(client);
  for (const auto& key : wanted.keys) {
    CAPTURE(key.first.first);
    CAPTURE(key.first.second);
    const auto found = held.keys.find(key.first);
    CHECK((found == held.keys.end() ? std::string("none") : found->second) == key.second);
  }
  CHECK(held.keys.size() == wanted.keys.size());
  CHECK(held.functions == wanted.functions);
  CHECK(held.digest == wanted.digest);
}

// Loads A, runs what makes B out of it, and sees whether it is B.
void check_turns_into(const LiveServer& server, Client& client, const DatasetBytes& a,
                      const DatasetBytes& b) {
  load_saved(server, client, b);
  const Held wanted = held_by(client);
  DiffOptions options;
  options.ignored = {DiffIgnore::idle};
  const Diffed diffed = diff_datasets(a, b, options, true);
  REQUIRE(diffed.summary.commands_written);
  CHECK(diffed.summary.target == find_target("redis-7.0"));
  CHECK(diffed.summary.keys[0] > 0);
  CHECK(diffed.summary.keys[1] > 0);
  CHECK(diffed.summary.keys[2] > 5);
  load_saved(server, client, a);
  run_commands(client, diffed.commands);
  check_same_held(client, wanted);
  // And so it is in the server's own file, if it is read once more.
  client.call({"SELECT", "0"});
  CHECK(told(diff_datasets(saved(server, client), b, options)).empty());
}

}  // namespace

TEST_CASE("a server that runs the commands of a comparison holds the other dataset") {
  const LiveServer server({"--maxmemory-policy", "noeviction"});
  Client client(server.port());
  client.call({"DEBUG", "SET-ACTIVE-EXPIRE", "0"});
  for (const uint64_t seed : {1U, 2U, 3U}) {
    CAPTURE(seed);
    client.call({"FLUSHALL"});
    client.call({"FUNCTION", "FLUSH"});
    CommandGenerator generator(seed, Replies::certain);
    run_at_random(client, generator, 1500, seed);
    for (const char* name : {"gone", "changed", "same"}) load_function(client, name, 1);
    load_library(client, "left", "one", 1);
    load_library(client, "right", "two", 2);
    const DatasetBytes a = saved(server, client);
    run_at_random(client, generator, 400, seed + 1);
    for (const char* name : {"gone", "left", "right"}) client.call({"FUNCTION", "DELETE", name});
    load_library(client, "left", "two", 2);
    load_library(client, "right", "one", 1);
    load_function(client, "changed", 2);
    load_function(client, "come", 1);
    const DatasetBytes b = saved(server, client);
    check_turns_into(server, client, a, b);
    check_turns_into(server, client, b, a);
  }
}

TEST_CASE("a server that runs the commands from nothing, and to nothing") {
  const LiveServer server({});
  Client client(server.port());
  CommandGenerator generator(7, Replies::certain);
  run_at_random(client, generator, 600, 7);
  const DatasetBytes some = saved(server, client);
  load_saved(server, client, some);
  const Held wanted = held_by(client);
  client.call({"FLUSHALL"});
  const Held nothing = held_by(client);
  const DatasetBytes none = saved(server, client);
  run_commands(client, diff_datasets(none, some, {}, true).commands);
  check_same_held(client, wanted);
  client.call({"SELECT", "0"});
  run_commands(client, diff_datasets(some, none, {}, true).commands);
  check_same_held(client, nothing);
}

}  // namespace persist::test
