// SORT, of everything that it sorts, BY and GET.
#include <doctest/doctest.h>

#include "support/engine_calls.hpp"

using namespace persist;
using namespace persist::test;

TEST_CASE("elements are sorted as numbers or as text") {
  check_rows({
      {"RPUSH l 10 9 1e1 -3 0x2", "(integer) 5 changed"},
      {"SORT l", "[-3, 0x2, 9, 10, 1e1]"},
      {"SORT l DESC", "[1e1, 10, 9, 0x2, -3]"},
      {"SORT l ALPHA", "[-3, 0x2, 10, 1e1, 9]"},
      {"SORT l LIMIT 1 2", "[0x2, 9]"},
      {"SORT l LIMIT -4 2", "[-3, 0x2]"},
      {"SORT l LIMIT 3 -1", "[10, 1e1]"},
      {"SORT l LIMIT 9 1", "[]"},
      {"SORT_RO l ASC", "[-3, 0x2, 9, 10, 1e1]"},
      {"SORT none", "[]"},
      {"SADD t 3 1 2", "(integer) 3 changed"},
      {"SORT t", "[1, 2, 3]"},
      {"ZADD z 1 30 2 20 3 10", "(integer) 3 changed"},
      {"SORT z", "[10, 20, 30]"},
      {"RPUSH blanks \" 7\" 8 \"\" \"5\\x00x\"", "(integer) 4 changed"},
      {"SORT blanks", "[\"\", \"5\\x00x\", \" 7\", 8]"},
  });
}

TEST_CASE("elements are sorted by what other keys say, and these are told") {
  check_rows({
      {"RPUSH l 1 2 3", "(integer) 3 changed"},
      {"MSET w1 30 w2 20 w3 10", "OK changed"},
      {"HSET h1 f x g 2", "(integer) 2 changed"},
      {"HSET h2 f y g 3", "(integer) 2 changed"},
      {"SORT l BY w*", "[3, 2, 1]"},
      {"SORT l BY w* GET #", "[3, 2, 1]"},
      {"SORT l BY h*->g", "[3, 1, 2]"},
      {"SORT l BY h*->f ALPHA DESC", "[2, 1, 3]"},
      {"SORT l GET w* GET h*->f", "[30, x, 20, y, 10, (nil)]"},
      {"SORT l GET h*", "[(nil), (nil), (nil)]"},
      {"SORT l GET w1", "[(nil), (nil), (nil)]"},
      {"SORT l BY nosort DESC", "[3, 2, 1]"},
      {"SORT l BY nosort LIMIT 1 1", "[2]"},
      {"ZADD z 1 c 2 a 3 b", "(integer) 3 changed"},
      {"SORT z BY nosort", "[c, a, b]"},
      {"SORT z BY nosort DESC LIMIT 0 2", "[b, a]"},
      {"SORT l BY h*->f", "ERR One or more scores can't be converted into double"},
  });
  EngineCalls old({Dialect::redis, 602});
  check_rows(old, {{"RPUSH l 1 3 2", "(integer) 3 changed"}, {"SORT l BY nosort DESC", "[1, 3, 2]"}});
}

TEST_CASE("what ALPHA finds equal keeps its order, unless LIMIT leaves a part out") {
  EngineCalls calls;
  calls.run("RPUSH l j i h g f e d c b a");
  CHECK(calls.run("SORT l BY none* ALPHA") == "[j, i, h, g, f, e, d, c, b, a]");
  CHECK(calls.run("SORT l BY none* ALPHA DESC") == "[j, i, h, g, f, e, d, c, b, a]");
  // As redis-server 7.0 has it.
  CHECK(calls.run("SORT l BY none* ALPHA LIMIT 0 3") == "[a, i, h]");
  CHECK(calls.run("SORT l BY none*") == "[a, b, c, d, e, f, g, h, i, j]");
}

TEST_CASE("what was sorted is stored as a list") {
  check_rows({
      {"RPUSH l 3 1 2", "(integer) 3 changed"},
      {"SORT l STORE to", "(integer) 3 changed", "to", "list[1 2 3]"},
      {"PEXPIREAT to 4000000000000", "(integer) 1 changed"},
      {"SORT l DESC LIMIT 0 2 STORE to", "(integer) 2 changed", "to", "list[3 2]"},
      {"SET w1 x", "OK changed"},
      {"SORT l GET w* GET # STORE to", "(integer) 6 changed", "to", "list[x 1 \"\" 2 \"\" 3]"},
      {"SORT l STORE l", "(integer) 3 changed", "l", "list[1 2 3]"},
      {"SADD t b a c", "(integer) 3 changed"},
      {"SORT t BY nosort STORE to", "(integer) 3 changed", "to", "list[a b c]"},
      {"SORT none STORE w1", "(integer) 0 changed", "w1", "none"},
      {"SORT none STORE w1", "(integer) 0"},
      {"SORT l LIMIT 5 1 STORE to", "(integer) 0 changed", "to", "none"},
  });
}

TEST_CASE("nothing is sorted when anything is wrong") {
  check_rows({
      {"RPUSH l a 1", "(integer) 2 changed"},
      {"SORT l", "ERR One or more scores can't be converted into double"},
      {"SORT l STORE to", "ERR One or more scores can't be converted into double", "to", "none"},
      {"RPUSH m 1e400", "(integer) 1 changed"},
      {"SORT m", "ERR One or more scores can't be converted into double"},
      {"RPUSH n nan", "(integer) 1 changed"},
      {"SORT n", "ERR One or more scores can't be converted into double"},
      {"SORT l LIMIT 1", "ERR syntax error"},
      {"SORT l LIMIT x 1", "ERR value is not an integer or out of range"},
      {"SORT l BY", "ERR syntax error"},
      {"SORT l UP", "ERR syntax error"},
      {"SORT_RO l STORE to", "ERR syntax error"},
      {"SET s v", "OK changed"},
      {"SORT s", kWrongType},
      {"HSET h f v", "(integer) 1 changed"},
      {"SORT h BY nosort STORE to", kWrongType, "to", "none"},
  });
}
