// Commands of sorted sets, by member and by range: what they answer, what they leave, and whether that counts
// as a change.
#include <doctest/doctest.h>

#include "support/engine_calls.hpp"

using namespace persist;
using namespace persist::test;

namespace {

constexpr const char* kNoFloat = "ERR value is not a valid float";
constexpr const char* kNoInteger = "ERR value is not an integer or out of range";
constexpr const char* kSyntaxError = "ERR syntax error";

}  // namespace

TEST_CASE("members are added with a score, under conditions") {
  check_rows({
      {"ZADD z 1 a 2 b", "(integer) 2 changed", "z", "zset{a:1 b:2}"},
      {"ZADD z 1 a 3 c", "(integer) 1 changed", "z", "zset{a:1 b:2 c:3}"},
      {"ZADD z 1 a", "(integer) 0"},
      {"ZADD z CH 5 a 4 d", "(integer) 2 changed", "z", "zset{b:2 c:3 d:4 a:5}"},
      {"ZADD z NX 9 a 6 e", "(integer) 1 changed", "z", "zset{b:2 c:3 d:4 a:5 e:6}"},
      {"ZADD z XX CH 7 e 1 f", "(integer) 1 changed", "z", "zset{b:2 c:3 d:4 a:5 e:7}"},
      {"ZADD z GT CH 1 b 9 c", "(integer) 1 changed", "z", "zset{b:2 d:4 a:5 e:7 c:9}"},
      {"ZADD z LT 1 b 8 g", "(integer) 1 changed", "z", "zset{b:1 d:4 a:5 e:7 g:8 c:9}"},
      {"ZADD z LT XX CH 0 b 8 h", "(integer) 1 changed", "z", "zset{b:0 d:4 a:5 e:7 g:8 c:9}"},
      {"zadd z incr 2.5 b", "\"2.5\" changed", "z", "zset{b:2.5 d:4 a:5 e:7 g:8 c:9}"},
      {"ZADD z NX INCR 1 b", "(nil)"},
      {"ZADD z GT INCR -1 b", "(nil)"},
      {"ZADD z INCR 0 b", "\"2.5\""},
      {"ZADD none XX 1 a", "(integer) 0", "none", "none"},
      {"ZADD none XX INCR 1 a", "(nil)", "none", "none"},
      {"ZADD z 1 x 2 x 2 x", "(integer) 1 changed"},
      {"ZSCORE z x", "\"2\""},
  });
}

TEST_CASE("nothing is added when anything is wrong") {
  check_rows({
      {"ZADD z 1 a 2", kSyntaxError, "z", "none"},
      {"ZADD z NX", "ERR wrong number of arguments for 'zadd' command"},
      {"ZADD z NX CH XX", kSyntaxError},
      {"ZADD z NX XX 1 a", "ERR XX and NX options at the same time are not compatible"},
      {"ZADD z NX GT 1 a", "ERR GT, LT, and/or NX options at the same time are not compatible"},
      {"ZADD z NX LT 1 a", "ERR GT, LT, and/or NX options at the same time are not compatible"},
      {"ZADD z GT LT 1 a", "ERR GT, LT, and/or NX options at the same time are not compatible"},
      {"ZADD z INCR 1 a 2 b", "ERR INCR option supports a single increment-element pair"},
      {"ZADD z 1 a x b", kNoFloat, "z", "none"},
      {"ZADD z nan a", kNoFloat},
      {"ZADD z 1e400 a", kNoFloat},
      {"ZADD z 1e-400 a", kNoFloat},
      {"ZADD z \" 1\" a", kNoFloat},
      {"ZADD z \"\" a", kNoFloat, "z", "none"},
      {"ZADD z inf a -Infinity b 0x10 c 5e-324 d", "(integer) 4 changed"},
      {"ZINCRBY z -inf a", "ERR resulting score is not a number (NaN)"},
      {"ZADD z INCR inf b", "ERR resulting score is not a number (NaN)"},
      {"ZINCRBY z x a", kNoFloat, "z", "zset{b:-inf d:5e-324 c:16 a:inf}"},
      {"SET s v", "OK changed"},
      {"ZADD s 1 a", kWrongType},
      {"ZADD s XX 1 a", kWrongType},
      {"ZADD s x a", kNoFloat},
      {"ZINCRBY s 1 a", kWrongType, "s", "string \"v\""},
  });
}

TEST_CASE("scores are added to, and members are taken away") {
  check_rows({
      {"ZINCRBY z 1.5 a", "\"1.5\" changed", "z", "zset{a:1.5}"},
      {"ZINCRBY z 1e17 a", "\"1e+17\" changed"},
      {"ZINCRBY z 0.1 b", "\"0.10000000000000001\" changed"},
      {"ZREM z a b b c", "(integer) 2 changed", "z", "none"},
      {"ZREM z a", "(integer) 0"},
      {"ZADD z 1 a 2 b", "(integer) 2 changed"},
      {"PEXPIREAT z 4000000000000", "(integer) 1 changed"},
      {"ZREM z a", "(integer) 1 changed", "z", "@4000000000000 zset{b:2}"},
      {"ZREM z c", "(integer) 0"},
      {"SET s v", "OK changed"},
      {"ZREM s a", kWrongType},
  });
  EngineCalls later({Dialect::redis, 702});
  check_rows(later, {{"ZINCRBY z 1e17 a", "\"100000000000000000\" changed"},
                     {"ZINCRBY z 0.1 b", "\"0.1\" changed"}});
}

TEST_CASE("a negative zero keeps its sign only in what is large, or before 7.0") {
  const std::string longer(65, 'm');
  const auto score_after = [](EngineCalls& calls, const std::string& line, const char* member) {
    calls.run(line);
    return calls.run(std::string("ZSCORE z ") + member);
  };
  EngineCalls packed;
  CHECK(score_after(packed, "ZADD z -0 a", "a") == "\"0\"");
  CHECK(score_after(packed, "ZADD z 1 " + longer + " -0 b", "b") == "\"-0\"");
  packed.run("ZREM z " + longer);
  CHECK(score_after(packed, "ZADD z -0 c", "c") == "\"-0\"");
  packed.run("COPY z y");
  packed.run("RENAME y z");
  CHECK(score_after(packed, "ZADD z -0 d", "d") == "\"-0\"");
  // What is stored is packed when it is whole.
  CHECK(score_after(packed, "ZUNIONSTORE z 1 z", "d") == "\"0\"");
  packed.run("SORT z BY nosort");
  CHECK(score_after(packed, "ZADD z -0 e", "e") == "\"-0\"");
  CHECK(score_after(packed, "ZRANGESTORE z z 0 -1", "e") == "\"0\"");

  EngineCalls old({Dialect::redis, 602});
  CHECK(score_after(old, "ZADD z -0 a", "a") == "\"-0\"");

  EngineCalls many;
  for (int i = 0; i < 128; ++i) many.run("ZADD z 1 m" + std::to_string(i));
  CHECK(score_after(many, "ZADD z -0 m1", "m1") == "\"0\"");
  CHECK(score_after(many, "ZADD z -0 more", "more") == "\"-0\"");
}

TEST_CASE("the lowest and the highest members are popped") {
  check_rows({
      {"ZADD z 1 a 2 b 3 c 4 d 5 e 6 f 7 g 8 h", "(integer) 8 changed"},
      {"ZPOPMIN z", "[a, 1] changed"},
      {"ZPOPMAX z", "[h, 8] changed"},
      {"ZPOPMIN z 0", "[]"},
      {"ZPOPMAX z 2", "[g, 7, f, 6] changed", "z", "zset{b:2 c:3 d:4 e:5}"},
      {"BZPOPMIN none z 0", "[z, b, 2] changed"},
      {"BZPOPMAX z 0.1", "[z, e, 5] changed"},
      {"BZPOPMIN none 0", "(nil)"},
      {"BZPOPMIN z x", "ERR timeout is not a float or out of range"},
      {"BZPOPMAX z -1", "ERR timeout is negative", "z", "zset{c:3 d:4}"},
      {"ZMPOP 2 none z MIN", "[z, [[c, 3]]] changed"},
      {"ZMPOP 1 z max COUNT 9", "[z, [[d, 4]]] changed", "z", "none"},
      {"ZMPOP 1 z MAX", "(nil)"},
      {"ZADD z 1 a", "(integer) 1 changed"},
      {"BZMPOP 0 1 z MIN COUNT 1", "[z, [[a, 1]]] changed", "z", "none"},
      {"ZPOPMIN z 5", "[]"},
      {"ZPOPMIN z -1", "ERR value is out of range, must be positive"},
      {"ZPOPMIN z x", "ERR value is out of range, must be positive"},
      {"ZPOPMIN z 1 2", kSyntaxError},
      {"ZMPOP 0 z MIN", "ERR numkeys should be greater than 0"},
      {"ZMPOP x z MIN", "ERR numkeys should be greater than 0"},
      {"ZMPOP 2 z MIN", kSyntaxError},
      {"ZMPOP 1 z MID", kSyntaxError},
      {"ZMPOP 1 z MIN COUNT 0", "ERR count should be greater than 0"},
      {"ZMPOP 1 z MIN COUNT 0 1", "ERR count should be greater than 0"},
      {"ZMPOP 1 z MIN COUNT 1 1", kSyntaxError},
      {"ZMPOP 1 z MIN COUNT", kSyntaxError},
      {"BZMPOP x 1 z MIN", "ERR timeout is not a float or out of range"},
      {"BZMPOP x 1 z MID", kSyntaxError},
      {"SET s v", "OK changed"},
      {"ZPOPMIN s", kWrongType},
      {"BZPOPMAX s 0", kWrongType},
      {"ZMPOP 2 none s MIN", kWrongType},
  });
}

TEST_CASE("members are asked for") {
  check_rows({
      {"ZADD z 1 a 2 b 2 c inf d", "(integer) 4 changed"},
      {"ZCARD z", "(integer) 4"},
      {"ZCARD none", "(integer) 0"},
      {"ZSCORE z d", "\"inf\""},
      {"ZSCORE z x", "(nil)"},
      {"ZSCORE none x", "(nil)"},
      {"ZMSCORE z a x c", "[1, (nil), 2]"},
      {"ZMSCORE none a", "[(nil)]"},
      {"ZRANK z c", "(integer) 2"},
      {"ZREVRANK z c", "(integer) 1"},
      {"ZRANK z a WITHSCORE", "[(integer) 0, 1]"},
      {"ZRANK z a SCORE", kSyntaxError},
      {"ZRANK z x", "(nil)"},
      {"ZREVRANK none x", "(nil)"},
      {"ZSCAN z 0 MATCH a COUNT 2", "[0, [a, 1]]"},
      {"ZSCAN none 0", "[0, []]"},
      {"ZSCAN z x", "ERR invalid cursor"},
      {"ZSCAN z 0 COUNT 0", kSyntaxError},
      {"ZSCAN z 0 COUNT x", kNoInteger},
      {"ZSCAN z 0 MATCH", kSyntaxError},
      {"SET s v", "OK changed"},
      {"ZCARD s", kWrongType},
      {"ZSCORE s a", kWrongType},
      {"ZMSCORE s a", kWrongType},
      {"ZRANK s a", kWrongType},
      {"ZREVRANK s a", kWrongType},
      {"ZSCAN s 0", kWrongType},
  });
}

TEST_CASE("ranges by rank and score") {
  check_rows({
      {"ZADD z 1 a 2 b 2 c 3 d -inf e", "(integer) 5 changed"},
      {"ZRANGE z 0 -1", "[e, a, b, c, d]"},
      {"ZRANGE z 1 2 WITHSCORES", "[a, 1, b, 2]"},
      {"ZRANGE z -2 9", "[c, d]"},
      {"ZRANGE z 3 1", "[]"},
      {"ZRANGE z 0 1 REV", "[d, c]"},
      {"ZREVRANGE z 0 1 WITHSCORES", "[d, 3, c, 2]"},
      {"ZRANGE none 0 1", "[]"},
      {"ZRANGE z 0 1 LIMIT 0 -1", "[e, a]"},
      {"ZRANGE z 0 1 LIMIT 0 1",
       "ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX"},
      {"ZRANGE z x 1", kNoInteger},
      {"ZRANGE z 0 1 LIMIT x 1", kNoInteger},
      {"ZRANGE z 0 1 REV REV", kSyntaxError},
      {"ZREVRANGE z 0 1 REV", kSyntaxError},
      {"ZRANGEBYSCORE z 1 2", "[a, b, c]"},
      {"ZRANGEBYSCORE z (1 (3", "[b, c]"},
      {"ZRANGEBYSCORE z -inf +inf LIMIT 1 2 WITHSCORES", "[a, 1, b, 2]"},
      {"ZRANGEBYSCORE z -inf +inf LIMIT -1 2", "[]"},
      {"ZRANGEBYSCORE z -inf +inf LIMIT 3 -7", "[c, d]"},
      {"ZRANGEBYSCORE z 2 1", "[]"},
      {"ZRANGEBYSCORE z (2 2", "[]"},
      {"ZRANGEBYSCORE z \" 1\" 1e400", "[a, b, c, d]"},
      {"ZRANGEBYSCORE z \"\" 1", "[a]"},
      {"ZRANGEBYSCORE z x 1", "ERR min or max is not a float"},
      {"ZRANGEBYSCORE z nan 1", "ERR min or max is not a float"},
      {"ZREVRANGEBYSCORE z 3 (1", "[d, c, b]"},
      {"ZREVRANGEBYSCORE z +inf -inf LIMIT 1 2", "[c, b]"},
      {"ZRANGE z 3 1 BYSCORE REV LIMIT 0 2", "[d, c]"},
      {"ZRANGE z 1 2 BYSCORE BYSCORE", kSyntaxError},
      {"ZCOUNT z 1 2", "(integer) 3"},
      {"ZCOUNT none 1 2", "(integer) 0"},
      {"ZCOUNT z 1 x", "ERR min or max is not a float"},
      {"SET s v", "OK changed"},
      {"ZRANGE s 0 1", kWrongType},
      {"ZRANGEBYSCORE s 0 1", kWrongType},
      {"ZCOUNT s 0 1", kWrongType},
      {"ZRANGE s x 1", kNoInteger},
  });
}

TEST_CASE("ranges by member") {
  check_rows({
      {"ZADD z 0 a 0 b 0 c 0 d", "(integer) 4 changed"},
      {"ZRANGEBYLEX z - +", "[a, b, c, d]"},
      {"ZRANGEBYLEX z [b (d", "[b, c]"},
      {"ZRANGEBYLEX z (a [c LIMIT 1 1", "[c]"},
      {"ZRANGEBYLEX z + -", "[]"},
      {"ZRANGEBYLEX z [c [b", "[]"},
      {"ZRANGEBYLEX z (b [b", "[]"},
      {"ZRANGEBYLEX z [ [bb", "[a, b]"},
      {"ZREVRANGEBYLEX z + (b", "[d, c]"},
      {"ZRANGE z [d [b BYLEX REV LIMIT 0 2", "[d, c]"},
      {"ZRANGE z - + BYLEX WITHSCORES",
       "ERR syntax error, WITHSCORES not supported in combination with BYLEX"},
      {"ZRANGEBYLEX z a +", "ERR min or max not valid string range item"},
      {"ZRANGEBYLEX z - \"\"", "ERR min or max not valid string range item"},
      {"ZRANGEBYLEX z - + WITHSCORES", kSyntaxError},
      {"ZLEXCOUNT z [b +", "(integer) 3"},
      {"ZLEXCOUNT none - +", "(integer) 0"},
      {"ZLEXCOUNT z b +", "ERR min or max not valid string range item"},
      // Of a small one whose scores differ servers take what follows from the end where they start.
      {"ZADD m 1 c 2 a 3 b", "(integer) 3 changed"},
      {"ZRANGEBYLEX m [a [b", "[]"},
      {"ZRANGEBYLEX m [a [c", "[c, a, b]"},
      {"ZRANGEBYLEX m [b [c", "[c, a, b]"},
      {"ZREVRANGEBYLEX m [c [b", "[b]"},
      {"SET s v", "OK changed"},
      {"ZRANGEBYLEX s - +", kWrongType},
      {"ZLEXCOUNT s - +", kWrongType},
  });
}

TEST_CASE("ranges are removed") {
  check_rows({
      {"ZADD z 1 a 2 b 3 c 4 d 5 e 6 f", "(integer) 6 changed"},
      {"ZREMRANGEBYRANK z 1 2", "(integer) 2 changed", "z", "zset{a:1 d:4 e:5 f:6}"},
      {"ZREMRANGEBYRANK z 7 9", "(integer) 0"},
      {"ZREMRANGEBYSCORE z (4 5", "(integer) 1 changed", "z", "zset{a:1 d:4 f:6}"},
      {"ZREMRANGEBYSCORE z 7 9", "(integer) 0"},
      {"ZREMRANGEBYLEX z [e [e", "(integer) 0", "z", "zset{a:1 d:4 f:6}"},
      {"ZREMRANGEBYLEX z [d +", "(integer) 2 changed", "z", "zset{a:1}"},
      {"ZREMRANGEBYRANK z 0 -1", "(integer) 1 changed", "z", "none"},
      {"ZREMRANGEBYSCORE z -inf inf", "(integer) 0"},
      {"ZREMRANGEBYRANK z x 1", kNoInteger},
      {"ZREMRANGEBYSCORE z x 1", "ERR min or max is not a float"},
      {"ZREMRANGEBYLEX z x 1", "ERR min or max not valid string range item"},
      {"SET s v", "OK changed"},
      {"ZREMRANGEBYRANK s 0 1", kWrongType},
      {"ZREMRANGEBYSCORE s 0 1", kWrongType},
      {"ZREMRANGEBYLEX s - +", kWrongType},
  });
}
