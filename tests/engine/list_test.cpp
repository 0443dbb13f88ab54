// Commands of lists: what they answer, what they leave, and whether that counts as a change.
#include <doctest/doctest.h>

#include "support/engine_calls.hpp"

using namespace persist;
using namespace persist::test;

TEST_CASE("lists are pushed to, each item in its turn") {
  check_rows({
      {"RPUSH l a b c", "(integer) 3 changed", "l", "list[a b c]"},
      {"LPUSH l x y", "(integer) 5 changed", "l", "list[y x a b c]"},
      {"LPUSHX l z", "(integer) 6 changed", "l", "list[z y x a b c]"},
      {"RPUSHX l 1 2", "(integer) 8 changed", "l", "list[z y x a b c 1 2]"},
      {"LPUSHX none a", "(integer) 0", "none", "none"},
      {"RPUSHX none a", "(integer) 0", "none", "none"},
      {"LLEN l", "(integer) 8"},
      {"LLEN none", "(integer) 0"},
      {"SET s v", "OK changed"},
      {"LPUSH s a", kWrongType},
      {"RPUSH s a", kWrongType},
      {"LPUSHX s a", kWrongType},
      {"RPUSHX s a", kWrongType, "s", "string \"v\""},
      {"LLEN s", kWrongType},
  });
}

TEST_CASE("lists are popped from, and vanish with their last item") {
  check_rows({
      {"RPUSH l a b c d e f", "(integer) 6 changed"},
      {"LPOP l", "\"a\" changed"},
      {"RPOP l", "\"f\" changed", "l", "list[b c d e]"},
      {"LPOP l 0", "[]"},
      {"LPOP l 2", "[b, c] changed"},
      {"RPOP l 2", "[e, d] changed", "l", "none"},
      {"LPOP l", "(nil)"},
      {"RPOP l 3", "(nil)"},
      {"RPUSH l a b", "(integer) 2 changed"},
      {"RPOP l 9223372036854775807", "[b, a] changed", "l", "none"},
      {"LPOP l -1", "ERR value is out of range, must be positive"},
      {"RPOP l x", "ERR value is out of range, must be positive"},
      {"LPOP l 1 2", "ERR wrong number of arguments for 'lpop' command"},
      {"RPOP l 1 2", "ERR wrong number of arguments for 'rpop' command"},
      {"SET s v", "OK changed"},
      {"LPOP s", kWrongType},
      {"RPOP s 1", kWrongType},
  });
}

TEST_CASE("what blocks takes at once what is there, or nothing") {
  check_rows({
      {"RPUSH l a b c d", "(integer) 4 changed"},
      {"BLPOP none l 0", "[l, a] changed"},
      {"BRPOP none l 0.5", "[l, d] changed", "l", "list[b c]"},
      {"BLPOP none none2 0", "(nil)"},
      {"BRPOPLPUSH l m 0", "\"c\" changed", "m", "list[c]"},
      {"BLMOVE l m LEFT RIGHT 0", "\"b\" changed", "m", "list[c b]"},
      {"BRPOPLPUSH l m 0", "(nil)"},
      {"BLMOVE l m LEFT RIGHT 0", "(nil)", "l", "none"},
      {"BLMPOP 0 2 l m LEFT COUNT 5", "[m, [c, b]] changed", "m", "none"},
      {"BLMPOP 0 1 l LEFT", "(nil)"},
      {"BLPOP l -1", "ERR timeout is negative"},
      {"BRPOP l x", "ERR timeout is not a float or out of range"},
      {"BLPOP l inf", "ERR timeout is negative"},
      {"BRPOPLPUSH l m x", "ERR timeout is not a float or out of range"},
      {"BLMOVE l m LEFT UP 0", "ERR syntax error"},
      {"BLMOVE l m LEFT LEFT x", "ERR timeout is not a float or out of range"},
      {"BLMPOP x 1 l LEFT", "ERR timeout is not a float or out of range"},
      {"BLMPOP x 0 l LEFT", "ERR numkeys should be greater than 0"},
      {"SET s v", "OK changed"},
      {"BLPOP s 0", kWrongType},
      {"BLMPOP 0 1 s LEFT", kWrongType},
      {"BRPOPLPUSH s m 0", kWrongType},
      {"BLMOVE s m LEFT LEFT 0", kWrongType},
  });
}

TEST_CASE("items are popped from the first list of several") {
  check_rows({
      {"RPUSH l a b c d", "(integer) 4 changed"},
      {"LMPOP 2 none l RIGHT", "[l, [d]] changed"},
      {"LMPOP 1 l left count 2", "[l, [a, b]] changed", "l", "list[c]"},
      {"LMPOP 1 l LEFT COUNT 9223372036854775807", "[l, [c]] changed", "l", "none"},
      {"LMPOP 1 l LEFT", "(nil)"},
      {"LMPOP 0 l LEFT", "ERR numkeys should be greater than 0"},
      {"LMPOP x l LEFT", "ERR numkeys should be greater than 0"},
      {"LMPOP 2 l LEFT", "ERR syntax error"},
      {"LMPOP 9223372036854775807 l LEFT", "ERR syntax error"},
      {"LMPOP 1 l UP", "ERR syntax error"},
      {"LMPOP 1 l LEFT COUNT", "ERR syntax error"},
      {"LMPOP 1 l LEFT COUNT 0", "ERR count should be greater than 0"},
      {"LMPOP 1 l LEFT COUNT 1 COUNT 1", "ERR syntax error"},
      {"LMPOP 1 l LEFT LIMIT 1", "ERR syntax error"},
      {"SET s v", "OK changed"},
      {"LMPOP 2 none s LEFT", kWrongType},
  });
}

TEST_CASE("an item moves from one list to another, or around in one") {
  check_rows({
      {"RPUSH l a b c", "(integer) 3 changed"},
      {"RPOPLPUSH l l", "\"c\" changed", "l", "list[c a b]"},
      {"LMOVE l l LEFT RIGHT", "\"c\" changed", "l", "list[a b c]"},
      {"LMOVE l l LEFT LEFT", "\"a\" changed", "l", "list[a b c]"},
      {"LMOVE l l right right", "\"c\" changed", "l", "list[a b c]"},
      {"LMOVE l m LEFT LEFT", "\"a\" changed", "m", "list[a]"},
      {"LMOVE l m RIGHT RIGHT", "\"c\" changed", "m", "list[a c]"},
      {"RPOPLPUSH l m", "\"b\" changed", "m", "list[b a c]"},
      {"LLEN l", "(integer) 0", "l", "none"},
      {"RPOPLPUSH l m", "(nil)"},
      {"LMOVE l m LEFT UP", "ERR syntax error"},
      {"LMOVE l m UP LEFT", "ERR syntax error"},
      {"SET s v", "OK changed"},
      {"RPOPLPUSH s m", kWrongType},
      {"RPOPLPUSH m s", kWrongType, "m", "list[b a c]"},
      {"LMOVE m s LEFT LEFT", kWrongType},
      {"RPOPLPUSH none s", "(nil)"},
      {"RPUSH one x", "(integer) 1 changed"},
      {"RPOPLPUSH one one", "\"x\" changed", "one", "list[x]"},
  });
}

TEST_CASE("items are replaced, cut off, removed and put in between") {
  check_rows({
      {"RPUSH l a b a c a", "(integer) 5 changed"},
      {"LSET l 0 x", "OK changed"},
      {"LSET l -1 y", "OK changed", "l", "list[x b a c y]"},
      {"LSET l 5 z", "ERR index out of range"},
      {"LSET l -6 z", "ERR index out of range"},
      {"LSET l i z", kNotInteger},
      {"LSET none 0 z", "ERR no such key"},
      {"LINSERT l BEFORE a 1", "(integer) 6 changed"},
      {"LINSERT l after y 2", "(integer) 7 changed", "l", "list[x b 1 a c y 2]"},
      {"LINSERT l BEFORE nobody 1", "(integer) -1"},
      {"LINSERT none BEFORE a 1", "(integer) 0"},
      {"LINSERT l BESIDE a 1", "ERR syntax error"},
      {"LTRIM l 1 -2", "OK changed", "l", "list[b 1 a c y]"},
      {"LTRIM l 0 -1", "OK"},
      {"LTRIM l -100 100", "OK"},
      {"LTRIM none 0 0", "OK"},
      {"LTRIM l x 0", kNotInteger},
      {"LTRIM l 3 1", "OK changed", "l", "none"},
      {"RPUSH l a b a b a 1 01", "(integer) 7 changed"},
      {"LREM l 1 a", "(integer) 1 changed", "l", "list[b a b a 1 01]"},
      {"LREM l -1 b", "(integer) 1 changed", "l", "list[b a a 1 01]"},
      {"LREM l 0 a", "(integer) 2 changed", "l", "list[b 1 01]"},
      {"LREM l 0 1", "(integer) 1 changed", "l", "list[b 01]"},
      {"LREM l 0 nobody", "(integer) 0"},
      {"LREM l x b", kNotInteger},
      {"LREM none 0 b", "(integer) 0"},
      {"LREM l -9223372036854775808 b", "(integer) 1 changed"},
      {"LREM l 5 01", "(integer) 1 changed", "l", "none"},
      {"SET s v", "OK changed"},
      {"LSET s 0 x", kWrongType},
      {"LTRIM s 0 1", kWrongType},
      {"LREM s 0 1", kWrongType},
      {"LINSERT s BEFORE a b", kWrongType},
  });
}

TEST_CASE("lists are read") {
  check_rows({
      {"RPUSH l a b \"\" 12 a", "(integer) 5 changed"},
      {"LRANGE l 0 -1", "[a, b, \"\", 12, a]"},
      {"LRANGE l -2 100", "[12, a]"},
      {"LRANGE l 3 1", "[]"},
      {"LRANGE l -9223372036854775808 9223372036854775807", "[a, b, \"\", 12, a]"},
      {"LRANGE none 0 -1", "[]"},
      {"LRANGE l 0 x", kNotInteger},
      {"LINDEX l 3", "\"12\""},
      {"LINDEX l -4", "\"b\""},
      {"LINDEX l 5", "(nil)"},
      {"LINDEX none x", "(nil)"},
      {"LINDEX l x", kNotInteger},
      {"SET s v", "OK changed"},
      {"LRANGE s 0 1", kWrongType},
      {"LINDEX s 0", kWrongType},
  });
}

TEST_CASE("positions are counted from the head, wherever the search begins") {
  check_rows({
      {"RPUSH l a b c a b a", "(integer) 6 changed"},
      {"LPOS l a", "(integer) 0"},
      {"LPOS l z", "(nil)"},
      {"LPOS l a RANK 2", "(integer) 3"},
      {"LPOS l a RANK -1", "(integer) 5"},
      {"LPOS l a RANK -9223372036854775808", "(integer) 5"},
      {"LPOS l a RANK -9223372036854775808 COUNT 1", "[(integer) 5, (integer) 3, (integer) 0]"},
      {"LPOS l a RANK 9223372036854775807", "(nil)"},
      {"LPOS l a COUNT 0", "[(integer) 0, (integer) 3, (integer) 5]"},
      {"LPOS l a COUNT 2", "[(integer) 0, (integer) 3]"},
      {"LPOS l a COUNT 2 RANK -2", "[(integer) 3, (integer) 0]"},
      {"LPOS l a COUNT 0 MAXLEN 4", "[(integer) 0, (integer) 3]"},
      {"LPOS l a MAXLEN 1 RANK 2", "(nil)"},
      {"LPOS l z COUNT 1", "[]"},
      {"LPOS none a COUNT 1", "[]"},
      {"LPOS none a", "(nil)"},
      {"LPOS l a RANK 0",
       "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use negative "
       "to "
       "start from the end of the list"},
      {"LPOS l a RANK x", kNotInteger},
      {"LPOS l a COUNT -1", "ERR COUNT can't be negative"},
      {"LPOS l a MAXLEN -1", "ERR MAXLEN can't be negative"},
      {"LPOS l a COUNT", "ERR syntax error"},
      {"LPOS l a FOO 1", "ERR syntax error"},
      {"SET s v", "OK changed"},
      {"LPOS s a", kWrongType},
  });
}

TEST_CASE("what is changed inside keeps the expiry of its key") {
  EngineCalls calls;
  check_rows(calls, {{"RPUSH l a b c", "(integer) 3 changed"}, {"RPUSH m x", "(integer) 1 changed"}});
  calls.data.db(0).find("l")->expire_at_ms = 5;
  check_rows(calls, {
                        {"LPUSH l z", "(integer) 4 changed", "l", "@5 list[z a b c]"},
                        {"LMOVE m l LEFT LEFT", "\"x\" changed", "l", "@5 list[x z a b c]"},
                        {"LTRIM l 0 1", "OK changed", "l", "@5 list[x z]"},
                    });
}

TEST_CASE("versions differ about trimming nothing and the lowest of all counts") {
  EngineCalls old({Dialect::redis, 600});
  check_rows(old, {{"RPUSH l a", "(integer) 1 changed"}, {"LTRIM l 0 -1", "OK changed"}});
  constexpr const char* kRange =
      "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807";
  EngineCalls younger({Dialect::redis, 704});
  check_rows(younger, {{"RPUSH l a", "(integer) 1 changed"},
                       {"LREM l -9223372036854775808 a", kRange},
                       {"LPOS l a RANK -9223372036854775808", kRange}});
}

TEST_CASE("since 7.2 the index of LSET has 32 bits") {
  EngineCalls old({Dialect::redis, 700});
  check_rows(old, {{"RPUSH l a b", "(integer) 2 changed"},
                   {"LSET l 4294967297 x", "ERR index out of range"},
                   {"LSET l 9223372036854775807 x", "ERR index out of range", "l", "list[a b]"}});
  for (const Profile& profile : {Profile{Dialect::redis, 702}, Profile{Dialect::valkey, 800}}) {
    EngineCalls calls(profile);
    check_rows(calls, {{"RPUSH l a b c", "(integer) 3 changed"},
                       {"LSET l 4294967297 x", "OK changed", "l", "list[a x c]"},
                       {"LSET l 9223372036854775807 y", "OK changed", "l", "list[a x y]"},
                       {"LSET l 2147483648 z", "ERR index out of range"}});
  }
}
