// Commands of sets: what they answer, what they leave, and whether that counts as a change.
#include <doctest/doctest.h>

#include <algorithm>

#include "support/engine_calls.hpp"

using namespace persist;
using namespace persist::test;

namespace {

// The items of an array without arrays inside, sorted: `[a, b]`.
std::string run_sorted(EngineCalls& calls, const char* line) {
  const std::string reply = calls.run(line);
  if (reply.size() < 2 || reply.front() != '[') return reply;
  std::vector<std::string> items;
  const std::string inside = reply.substr(1, reply.rfind(']') - 1);
  for (size_t at = 0; at < inside.size();) {
    const size_t end = std::min(inside.find(", ", at), inside.size());
    items.push_back(inside.substr(at, end - at));
    at = end + 2;
  }
  std::ranges::sort(items);
  std::string sorted;
  for (const std::string& item : items) sorted += (sorted.empty() ? "" : ", ") + item;
  return "[" + sorted + reply.substr(reply.rfind(']'));
}

}  // namespace

TEST_CASE("members come, go and move, and a set vanishes with its last one") {
  check_rows({
      {"SADD s a b a 1 01", "(integer) 4 changed", "s", "set{01 1 a b}"},
      {"SADD s a", "(integer) 0"},
      {"SREM s a nobody a", "(integer) 1 changed"},
      {"SREM s nobody", "(integer) 0", "s", "set{01 1 b}"},
      {"SREM none a", "(integer) 0"},
      {"SMOVE s t b", "(integer) 1 changed", "t", "set{b}"},
      {"SMOVE s t nobody", "(integer) 0"},
      {"SMOVE s s 1", "(integer) 1"},
      {"SMOVE s s nobody", "(integer) 0"},
      {"SMOVE none t a", "(integer) 0"},
      {"SADD s b", "(integer) 1 changed"},
      {"SMOVE s t b", "(integer) 1 changed", "t", "set{b}"},
      {"SREM s 1 01", "(integer) 2 changed", "s", "none"},
      {"SMOVE t s b", "(integer) 1 changed", "t", "none"},
      {"RPUSH l a", "(integer) 1 changed"},
      {"SADD l a", kWrongType},
      {"SREM l a", kWrongType},
      {"SMOVE l s a", kWrongType},
      {"SMOVE s l nobody", kWrongType},
      {"SMOVE none l a", "(integer) 0"},
  });
}

TEST_CASE("sets are asked about their members") {
  check_rows({
      {"SADD s \"\"", "(integer) 1 changed"},
      {"SMEMBERS s", "[\"\"]"},
      {"SADD s 0 5", "(integer) 2 changed", "s", "set{\"\" 0 5}"},
      {"SCARD s", "(integer) 3"},
      {"SCARD none", "(integer) 0"},
      {"SISMEMBER s 0", "(integer) 1"},
      {"SISMEMBER s 00", "(integer) 0"},
      {"SISMEMBER none 0", "(integer) 0"},
      {"SMISMEMBER s 5 x 0", "[(integer) 1, (integer) 0, (integer) 1]"},
      {"SMISMEMBER none x 0", "[(integer) 0, (integer) 0]"},
      {"SMEMBERS none", "[]"},
      {"RPUSH l a", "(integer) 1 changed"},
      {"SCARD l", kWrongType},
      {"SISMEMBER l a", kWrongType},
      {"SMISMEMBER l a", kWrongType},
      {"SMEMBERS l", kWrongType},
  });
}

TEST_CASE("sets are intersected, united and subtracted") {
  EngineCalls calls;
  check_rows(calls, {{"SADD a 1 2 3 x", "(integer) 4 changed"},
                     {"SADD b 2 3 y", "(integer) 3 changed"},
                     {"SADD c 3 z", "(integer) 2 changed"},
                     {"RPUSH l a", "(integer) 1 changed"}});
  struct Row {
    const char* command;
    const char* reply;
  };
  const Row rows[] = {
      {"SINTER a", "[1, 2, 3, x]"},
      {"SINTER a b", "[2, 3]"},
      {"SINTER a b c a", "[3]"},
      {"SINTER a none", "[]"},
      {"SINTER none l", kWrongType},
      {"SUNION a c none c", "[1, 2, 3, x, z]"},
      {"SUNION none", "[]"},
      {"SUNION a l", kWrongType},
      {"SDIFF a", "[1, 2, 3, x]"},
      {"SDIFF a b", "[1, x]"},
      {"SDIFF a b c none", "[1, x]"},
      {"SDIFF a a", "[]"},
      {"SDIFF b a b", "[]"},
      {"SDIFF none a", "[]"},
      {"SDIFF none l", kWrongType},
      {"SMEMBERS a", "[1, 2, 3, x]"},
      {"SRANDMEMBER a 4", "[1, 2, 3, x]"},
      {"SRANDMEMBER a 100", "[1, 2, 3, x]"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.command);
    CHECK(run_sorted(calls, row.command) == row.reply);
  }
}

TEST_CASE("few members less many others, and many less few, are the same difference") {
  EngineCalls calls;
  for (int i = 0; i < 200; ++i) {
    calls.run("SADD many " + std::to_string(i));
    if (i % 2 == 0) calls.run("SADD even " + std::to_string(i));
  }
  calls.run("SADD few 1 2 1000");
  CHECK(run_sorted(calls, "SDIFF few many") == "[1000]");
  CHECK(calls.run("SDIFFSTORE odd many even") == "(integer) 100 changed");
  CHECK(calls.run("SDIFFSTORE less many few none") == "(integer) 198 changed");
  CHECK(calls.run("SINTERSTORE both odd even") == "(integer) 0");
  CHECK(calls.run("SUNIONSTORE all odd even") == "(integer) 200 changed");
}

TEST_CASE("what is stored takes the place of anything, without expiry") {
  EngineCalls calls;
  check_rows(calls, {{"SADD a 1 2", "(integer) 2 changed"},
                     {"SADD b 2 3", "(integer) 2 changed"},
                     {"RPUSH l x", "(integer) 1 changed"},
                     {"RPUSH m x", "(integer) 1 changed"}});
  for (const char* key : {"a", "l"}) calls.data.db(0).find(key)->expire_at_ms = 5;
  check_rows(calls, {
                        {"SINTERSTORE l a b", "(integer) 1 changed", "l", "set{2}"},
                        {"SUNIONSTORE m a b", "(integer) 3 changed", "m", "set{1 2 3}"},
                        {"SADD a 9", "(integer) 1 changed", "a", "@5 set{1 2 9}"},
                        {"SDIFFSTORE a a b", "(integer) 2 changed", "a", "set{1 9}"},
                        {"SINTERSTORE a a none", "(integer) 0 changed", "a", "none"},
                        {"SINTERSTORE a b none", "(integer) 0"},
                        {"SUNIONSTORE a none", "(integer) 0"},
                        {"SDIFFSTORE m none b", "(integer) 0 changed", "m", "none"},
                        {"RPUSH m x", "(integer) 1 changed"},
                        {"SUNIONSTORE b m", kWrongType, "b", "set{2 3}"},
                        {"SINTERSTORE b none m", kWrongType, "b", "set{2 3}"},
                        {"SDIFFSTORE b b m", kWrongType, "b", "set{2 3}"},
                    });
}

TEST_CASE("old versions count storing nothing, and stop at a missing key") {
  EngineCalls calls({Dialect::redis, 500});
  check_rows(calls, {
                        {"SUNIONSTORE d none", "(integer) 0 changed"},
                        {"SDIFFSTORE d none", "(integer) 0 changed"},
                        {"SINTERSTORE d none", "(integer) 0"},
                        {"RPUSH l a", "(integer) 1 changed"},
                        {"SADD d a", "(integer) 1 changed"},
                        {"SINTERSTORE d l none", kWrongType},
                        {"SINTERSTORE d none l", "(integer) 0 changed", "d", "none"},
                        {"SINTER none l", "[]"},
                        {"SUNION none l", kWrongType},
                    });
}

TEST_CASE("common members are counted up to a limit") {
  check_rows({
      {"SADD a 1 2 3", "(integer) 3 changed"},
      {"SADD b 1 2 3 4", "(integer) 4 changed"},
      {"SINTERCARD 2 a b", "(integer) 3"},
      {"SINTERCARD 2 a b LIMIT 2", "(integer) 2"},
      {"SINTERCARD 2 a b limit 0", "(integer) 3"},
      {"SINTERCARD 2 a none", "(integer) 0"},
      {"SINTERCARD 0 a", "ERR numkeys should be greater than 0"},
      {"SINTERCARD x a", "ERR numkeys should be greater than 0"},
      {"SINTERCARD 2 a", "ERR Number of keys can't be greater than number of args"},
      {"SINTERCARD 1 a LIMIT -1", "ERR LIMIT can't be negative"},
      {"SINTERCARD 1 a LIMIT", "ERR syntax error"},
      {"SINTERCARD 1 a COUNT 1", "ERR syntax error"},
      {"RPUSH l a", "(integer) 1 changed"},
      {"SINTERCARD 2 none l", kWrongType},
  });
}

TEST_CASE("some member is taken, or as many as asked for") {
  EngineCalls calls;
  check_rows(calls, {
                        {"SADD s a", "(integer) 1 changed"},
                        {"SPOP s", "\"a\" changed", "s", "none"},
                        {"SPOP s", "(nil)"},
                        {"SPOP s 2", "[]"},
                        {"SADD s a", "(integer) 1 changed"},
                        {"SPOP s 0", "[]"},
                        {"SPOP s -1", "ERR value is out of range, must be positive"},
                        {"SPOP s x", "ERR value is out of range, must be positive"},
                        {"SPOP s 1 1", "ERR syntax error"},
                        {"SPOP s 9223372036854775807", "[a] changed", "s", "none"},
                        {"SADD s 1 2 3 4 5", "(integer) 5 changed"},
                    });
  const std::string popped = calls.run("SPOP s 3");
  CHECK(std::ranges::count(popped, ',') == 2);
  CHECK(calls.run("SCARD s") == "(integer) 2");
  CHECK(run_sorted(calls, "SPOP s 3").ends_with("] changed"));
  check_rows(calls, {{"RPUSH l a", "(integer) 1 changed"}, {"SPOP l", kWrongType}, {"SPOP l 1", kWrongType}});
}

TEST_CASE("members are shown at random, or told all at once to those who scan") {
  check_rows({
      {"SADD s a", "(integer) 1 changed"},
      {"SRANDMEMBER s", "\"a\""},
      {"SRANDMEMBER s -3", "[a, a, a]"},
      {"SRANDMEMBER s 3", "[a]"},
      {"SRANDMEMBER s 0", "[]"},
      {"SRANDMEMBER s x", kNotInteger},
      {"SRANDMEMBER s 1 1", "ERR syntax error"},
      {"SRANDMEMBER s -9223372036854775807", "ERR value is out of range"},
      {"SRANDMEMBER none", "(nil)"},
      {"SRANDMEMBER none 1", "[]"},
      {"SADD s b1", "(integer) 1 changed"},
      {"SSCAN s 0 MATCH b? COUNT 10", "[0, [b1]]"},
      {"SSCAN s 0 match x*", "[0, []]"},
      {"SSCAN none 0", "[0, []]"},
      {"SSCAN s x", "ERR invalid cursor"},
      {"SSCAN s -", "ERR invalid cursor"},
      {"SSCAN s \"\" MATCH a", "[0, [a]]"},
      {"SSCAN s 0 COUNT 0", "ERR syntax error"},
      {"SSCAN s 0 COUNT x", kNotInteger},
      {"SSCAN s 0 MATCH", "ERR syntax error"},
      {"SSCAN s 0 NOVALUES", "ERR syntax error"},
      {"RPUSH l a", "(integer) 1 changed"},
      {"SSCAN l 0", kWrongType},
      {"SRANDMEMBER l", kWrongType},
  });
}
