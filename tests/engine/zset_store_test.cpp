// Sorted sets that are made from others.
#include <doctest/doctest.h>

#include "support/engine_calls.hpp"

using namespace persist;
using namespace persist::test;

namespace {

constexpr const char* kSyntaxError = "ERR syntax error";

// z1, z2 and a set to work on.
void fill(EngineCalls& calls) {
  check_rows(calls, {{"ZADD z1 1 a 2 b 3 c", "(integer) 3 changed"},
                     {"ZADD z2 10 b 20 c 30 d", "(integer) 3 changed"},
                     {"SADD s c d e", "(integer) 3 changed"},
                     {"SET text v", "OK changed"}});
}

}  // namespace

TEST_CASE("unions are stored") {
  EngineCalls calls;
  fill(calls);
  check_rows(
      calls,
      {{"ZUNIONSTORE to 2 z1 z2", "(integer) 4 changed", "to", "zset{a:1 b:12 c:23 d:30}"},
       {"ZUNIONSTORE to 2 z1 s", "(integer) 5 changed", "to", "zset{a:1 d:1 e:1 b:2 c:4}"},
       {"ZUNIONSTORE to 2 z1 z2 WEIGHTS 2 -1", "(integer) 4 changed", "to", "zset{d:-30 c:-14 b:-6 a:2}"},
       {"ZUNIONSTORE to 2 z1 z2 AGGREGATE MIN", "(integer) 4 changed", "to", "zset{a:1 b:2 c:3 d:30}"},
       {"ZUNIONSTORE to 2 z1 z2 aggregate max", "(integer) 4 changed", "to", "zset{a:1 b:10 c:20 d:30}"},
       {"ZUNIONSTORE z1 2 z1 z1", "(integer) 3 changed", "z1", "zset{a:2 b:4 c:6}"},
       {"PEXPIREAT to 4000000000000", "(integer) 1 changed"},
       {"ZUNIONSTORE to 1 none", "(integer) 0 changed", "to", "none"},
       {"ZUNIONSTORE to 1 none", "(integer) 0"},
       {"ZADD i inf a 1 b", "(integer) 2 changed"},
       {"ZADD j -inf a 1 b", "(integer) 2 changed"},
       {"ZUNIONSTORE to 2 i j", "(integer) 2 changed", "to", "zset{a:0 b:2}"},
       {"ZUNIONSTORE to 1 i WEIGHTS 0", "(integer) 2 changed", "to", "zset{a:0 b:0}"},
       {"ZUNIONSTORE text 1 i", "(integer) 2 changed", "text", "zset{b:1 a:inf}"},
       {"ZUNION 2 i j WITHSCORES", "[a, 0, b, 2]"},
       {"ZUNION 1 none", "[]"}});
}

TEST_CASE("intersections are stored, and counted") {
  EngineCalls calls;
  fill(calls);
  check_rows(
      calls,
      {{"ZINTERSTORE to 2 z1 z2", "(integer) 2 changed", "to", "zset{b:12 c:23}"},
       {"ZINTERSTORE to 3 z1 z2 s", "(integer) 1 changed", "to", "zset{c:24}"},
       {"ZINTERSTORE to 2 z1 z1 WEIGHTS 1 10", "(integer) 3 changed", "to", "zset{a:11 b:22 c:33}"},
       {"ZINTERSTORE to 2 z1 z2 WEIGHTS 1 2 AGGREGATE MAX", "(integer) 2 changed", "to", "zset{b:20 c:40}"},
       {"ZINTERSTORE to 2 z1 none", "(integer) 0 changed", "to", "none"},
       {"ZINTER 2 z1 z2 AGGREGATE MIN WITHSCORES", "[b, 2, c, 3]"},
       {"ZINTERCARD 2 z1 z2", "(integer) 2"},
       {"ZINTERCARD 2 z1 z2 LIMIT 1", "(integer) 1"},
       {"ZINTERCARD 2 z1 z2 LIMIT 0", "(integer) 2"},
       {"ZINTERCARD 2 z1 none", "(integer) 0"},
       {"ZINTERCARD 0 z1", "ERR at least 1 input key is needed for 'zintercard' command"},
       {"ZINTERCARD 2 z1", kSyntaxError},
       {"ZINTERCARD 1 z1 LIMIT -1", "ERR LIMIT can't be negative"},
       {"ZINTERCARD 1 z1 LIMIT", kSyntaxError},
       {"ZINTERCARD 1 text", kWrongType}});
}

TEST_CASE("differences are stored") {
  EngineCalls calls;
  fill(calls);
  check_rows(calls, {{"ZDIFFSTORE to 2 z1 z2", "(integer) 1 changed", "to", "zset{a:1}"},
                     {"ZDIFFSTORE to 2 z2 s", "(integer) 1 changed", "to", "zset{b:10}"},
                     {"ZDIFFSTORE to 2 z1 z1", "(integer) 0 changed", "to", "none"},
                     {"ZDIFFSTORE z1 2 z1 s", "(integer) 2 changed", "z1", "zset{a:1 b:2}"},
                     {"ZDIFF 1 z1 WITHSCORES", "[a, 1, b, 2]"},
                     {"ZDIFF 2 none z1", "[]"},
                     {"ZDIFFSTORE to 1 z1 WEIGHTS 1", kSyntaxError}});
}

TEST_CASE("ranges are stored") {
  EngineCalls calls;
  fill(calls);
  check_rows(calls,
             {{"ZRANGESTORE to z1 0 1", "(integer) 2 changed", "to", "zset{a:1 b:2}"},
              {"ZRANGESTORE to z1 0 0 REV", "(integer) 1 changed", "to", "zset{c:3}"},
              {"ZRANGESTORE to z1 (1 +inf BYSCORE LIMIT 1 5", "(integer) 1 changed", "to", "zset{c:3}"},
              {"ZRANGESTORE to z1 [b + BYLEX", "(integer) 2 changed", "to", "zset{b:2 c:3}"},
              {"ZRANGESTORE z1 z1 0 1", "(integer) 2 changed", "z1", "zset{a:1 b:2}"},
              {"ZRANGESTORE to none 0 1", "(integer) 0 changed", "to", "none"},
              {"ZRANGESTORE to z1 5 6", "(integer) 0"},
              {"ZRANGESTORE to z1 0 1 WITHSCORES", kSyntaxError},
              {"ZRANGESTORE to z1 x 1", "ERR value is not an integer or out of range"},
              {"ZRANGESTORE to text 0 1", kWrongType},
              {"ZRANGESTORE text z1 0 0", "(integer) 1 changed", "text", "zset{a:1}"}});
}

TEST_CASE("nothing is stored when anything is wrong") {
  for (const char* name : {"ZUNIONSTORE", "ZINTERSTORE", "ZDIFFSTORE"}) {
    CAPTURE(name);
    EngineCalls calls;
    fill(calls);
    calls.run("SET to v");
    const std::string to = std::string(name) + " to ";
    std::string lower(name);
    for (char& c : lower) c = static_cast<char>(c - 'A' + 'a');
    CHECK(calls.run(to + "0 z1") == "ERR at least 1 input key is needed for '" + lower + "' command");
    CHECK(calls.run(to + "x z1") == "ERR value is not an integer or out of range");
    CHECK(calls.run(to + "3 z1 z2") == kSyntaxError);
    CHECK(calls.run(to + "2 z1 text") == kWrongType);
    CHECK(calls.run(to + "1 z1 WITHSCORES") == kSyntaxError);
    CHECK(calls.show("to") == "string \"v\"");
  }
  EngineCalls calls;
  fill(calls);
  check_rows(calls, {{"ZUNIONSTORE to 2 z1 z2 WEIGHTS 1", kSyntaxError},
                     {"ZUNIONSTORE to 1 z1 WEIGHTS x", "ERR weight value is not a float"},
                     {"ZUNIONSTORE to 1 z1 WEIGHTS nan", "ERR weight value is not a float"},
                     {"ZUNIONSTORE to 1 z1 AGGREGATE AVG", kSyntaxError},
                     {"ZUNIONSTORE to 1 z1 AGGREGATE", kSyntaxError, "to", "none"}});
}
