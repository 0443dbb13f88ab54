// The engine's commands over a dataset of their own, so that a test of a command is a table of texts:
//
//   calls.run("SADD s a b a")    (integer) 2 changed
//   calls.run("SADD s a")        (integer) 0
//   calls.run("SMEMBERS s")      [a, b]
//   calls.run("GET s")           WRONGTYPE Operation against a key holding the wrong kind of value
//   calls.show("s")              set{a b}
//
// Replies: (integer) 1, "text" between quotes, (nil), a status as it is, [array, of, replies] in which texts
// stand without quotes unless they need them, an error as it is. Behind it ` changed` if the server would
// count a change. Values are shown in the notation of notation.hpp, sorted, with `@expiry ` in front if the
// key has one.
//
// Words of a line are separated by blanks; one between double quotes may hold \" \\ \n \r \t and \xNN.
#pragma once

#include <string>
#include <vector>

#include "engine/commands/call.hpp"

namespace persist::test {

class EngineCalls {
 public:
  static constexpr int64_t kNow = 1'000'000'000;

  explicit EngineCalls(const Profile& rules = {Dialect::redis, 700}) : profile(rules) {}

  // As a server that loads a log runs it, except that SELECT is select(), and what no handler runs is an
  // unknown command.
  std::string run(Bytes line);
  std::string run_words(const std::vector<std::string>& words);
  // Of the last run.
  [[nodiscard]] Effect effect() const { return effect_; }

  void select(uint64_t db_number) { db_number_ = db_number; }

  // `none` if there is no such key.
  [[nodiscard]] std::string show(Bytes key);
  // All keys of all databases by name: `a = string "1"; db1 b = list[x]`; `empty` if there are none.
  [[nodiscard]] std::string show_all();

  Dataset data;
  Profile profile;
  int64_t now_ms = kNow;

 private:
  uint64_t db_number_ = 0;
  Effect effect_ = Effect::unchanged;
};

// What a test of many commands is made of. A row without `show` shows nothing.
struct EngineRow {
  const char* command;
  const char* reply;
  const char* show = nullptr;   // the key that is then looked at
  const char* value = nullptr;  // and its value
};

// Runs the rows one after the other over one dataset and checks each.
void check_rows(EngineCalls& calls, std::initializer_list<EngineRow> rows);
void check_rows(std::initializer_list<EngineRow> rows);

[[nodiscard]] std::vector<std::string> words_of(Bytes line);

}  // namespace persist::test
