// Commands of hashes: what they answer, what they leave, and whether that counts as a change.
#include <doctest/doctest.h>

#include "support/engine_calls.hpp"

using namespace persist;
using namespace persist::test;

TEST_CASE("fields are set and removed, and a hash vanishes with its last one") {
  check_rows({
      {"HSET h a 1 b 2 a 3", "(integer) 2 changed", "h", "hash{a=3 b=2}"},
      {"HSET h a 3", "(integer) 0 changed"},
      {"HMSET h b 4 c \"\"", "OK changed", "h", "hash{a=3 b=4 c=\"\"}"},
      {"HSETNX h c 5", "(integer) 0", "h", "hash{a=3 b=4 c=\"\"}"},
      {"HSETNX h d 5", "(integer) 1 changed", "h", "hash{a=3 b=4 c=\"\" d=5}"},
      {"HSETNX new d 5", "(integer) 1 changed", "new", "hash{d=5}"},
      {"HDEL h a a nobody b", "(integer) 2 changed", "h", "hash{c=\"\" d=5}"},
      {"HDEL h nobody", "(integer) 0"},
      {"HDEL h c d e", "(integer) 2 changed", "h", "none"},
      {"HDEL h c", "(integer) 0"},
      {"HSET h a", "ERR wrong number of arguments for 'hset' command"},
      {"HSET h a 1 b", "ERR wrong number of arguments for 'hset' command"},
      {"HMSET h a 1 b", "ERR wrong number of arguments for 'hmset' command", "h", "none"},
      {"SET s v", "OK changed"},
      {"HSET s a 1", kWrongType},
      {"HMSET s a 1", kWrongType},
      {"HSETNX s a 1", kWrongType},
      {"HDEL s a", kWrongType, "s", "string \"v\""},
  });
}

TEST_CASE("fields are counted with") {
  check_rows({
      {"HINCRBY h a 5", "(integer) 5 changed", "h", "hash{a=5}"},
      {"HINCRBY h a -7", "(integer) -2 changed"},
      {"HSET h max 9223372036854775807 min -9223372036854775808 text x old 007", "(integer) 4 changed"},
      {"HINCRBY h max 1", "ERR increment or decrement would overflow"},
      {"HINCRBY h min -1", "ERR increment or decrement would overflow"},
      {"HINCRBY h max -9223372036854775808", "(integer) -1 changed"},
      {"HINCRBY h text 1", "ERR hash value is not an integer"},
      {"HINCRBY h old 1", "ERR hash value is not an integer"},
      {"HINCRBY h a x", kNotInteger},
      {"HINCRBY none a x", kNotInteger, "none", "none"},
      {"SET s v", "OK changed"},
      {"HINCRBY s a 1", kWrongType},
      {"HINCRBY s a x", kNotInteger},
  });
}

TEST_CASE("fields are counted with in fractions") {
  check_rows({
      {"HINCRBYFLOAT h a 0.1", "\"0.1\" changed", "h", "hash{a=0.1}"},
      {"HINCRBYFLOAT h a 0.2", "\"0.3\" changed"},
      {"HINCRBYFLOAT h a -3e-1", "\"0\" changed"},
      {"HSET h n 3.0e3 text x top inf", "(integer) 3 changed"},
      {"HINCRBYFLOAT h n 1", "\"3001\" changed"},
      {"HINCRBYFLOAT h text 1", "ERR hash value is not a float"},
      {"HINCRBYFLOAT h top 1", "ERR increment would produce NaN or Infinity"},
      {"HINCRBYFLOAT h n x", "ERR value is not a valid float"},
      {"HINCRBYFLOAT h n inf", "ERR value is NaN or Infinity"},
      {"HINCRBYFLOAT none n -inf", "ERR value is NaN or Infinity", "none", "none"},
      {"SET s v", "OK changed"},
      {"HINCRBYFLOAT s a 1", kWrongType},
  });
}

TEST_CASE("hashes are read") {
  check_rows({
      {"HSET h a 1", "(integer) 1 changed"},
      {"HGETALL h", "[a, 1]"},
      {"HKEYS h", "[a]"},
      {"HVALS h", "[1]"},
      {"HRANDFIELD h", "\"a\""},
      {"HRANDFIELD h 5", "[a]"},
      {"HRANDFIELD h -2 WITHVALUES", "[a, 1, a, 1]"},
      {"HRANDFIELD h 1 withvalues", "[a, 1]"},
      {"HRANDFIELD h 0", "[]"},
      {"HRANDFIELD h x", kNotInteger},
      {"HRANDFIELD h 1 foo", "ERR syntax error"},
      {"HRANDFIELD h 1 WITHVALUES x", "ERR syntax error"},
      {"HRANDFIELD h 9223372036854775807 WITHVALUES", "ERR value is out of range"},
      {"HRANDFIELD h -9223372036854775807", "ERR value is out of range"},
      {"HRANDFIELD none", "(nil)"},
      {"HRANDFIELD none 1", "[]"},
      {"HSET h bb 22", "(integer) 1 changed"},
      {"HGET h bb", "\"22\""},
      {"HGET h c", "(nil)"},
      {"HGET none c", "(nil)"},
      {"HMGET h a c bb", "[1, (nil), 22]"},
      {"HMGET none a c", "[(nil), (nil)]"},
      {"HLEN h", "(integer) 2"},
      {"HLEN none", "(integer) 0"},
      {"HEXISTS h a", "(integer) 1"},
      {"HEXISTS h c", "(integer) 0"},
      {"HSTRLEN h bb", "(integer) 2"},
      {"HSTRLEN h c", "(integer) 0"},
      {"HGETALL none", "[]"},
      {"HKEYS none", "[]"},
      {"HVALS none", "[]"},
      {"HSCAN h 0 MATCH b*", "[0, [bb, 22]]"},
      {"HSCAN h 0 MATCH x", "[0, []]"},
      {"HSCAN none 0", "[0, []]"},
      {"HSCAN h x", "ERR invalid cursor"},
      {"HSCAN h 0 COUNT 0", "ERR syntax error"},
      {"HSCAN h 0 NOVALUES", "ERR syntax error"},
  });
}

TEST_CASE("reading asks for a hash") {
  EngineCalls calls;
  calls.run("SET s v");
  for (const char* line : {"HGET s a", "HMGET s a", "HGETALL s", "HKEYS s", "HVALS s", "HLEN s",
                           "HEXISTS s a", "HSTRLEN s a", "HRANDFIELD s", "HRANDFIELD s 1", "HSCAN s 0"}) {
    CAPTURE(line);
    CHECK(calls.run(line) == kWrongType);
  }
}

TEST_CASE("younger servers scan without values") {
  EngineCalls redis({Dialect::redis, 704});
  check_rows(redis, {{"HSET h a 1", "(integer) 1 changed"}, {"HSCAN h 0 NOVALUES", "[0, [a]]"}});
  EngineCalls valkey({Dialect::valkey, 800});
  check_rows(valkey, {{"HSET h a 1", "(integer) 1 changed"}, {"HSCAN h 0 novalues", "[0, [a]]"}});
}

TEST_CASE("setting a field takes its expiry away, counting with it does not") {
  EngineCalls calls({Dialect::redis, 704});
  check_rows(calls, {
                        {"HSET h a 1 b 2 c 3", "(integer) 3 changed"},
                        {"HPEXPIREAT h 5 FIELDS 3 a b c", "[(integer) 1, (integer) 1, (integer) 1] changed",
                         "h", "hash{a=1@5 b=2@5 c=3@5}"},
                        {"HINCRBY h a 1", "(integer) 2 changed"},
                        {"HINCRBYFLOAT h b 1", "\"3\" changed"},
                        {"HSET h c 4", "(integer) 0 changed", "h", "hash{a=2@5 b=3@5 c=4}"},
                        {"HSETNX h a 9", "(integer) 0"},
                        {"HMSET h a 9", "OK changed", "h", "hash{a=9 b=3@5 c=4}"},
                    });
}
