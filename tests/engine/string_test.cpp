// Commands of strings: effects, answers and errors, command by command.
#include <doctest/doctest.h>

#include "support/engine_calls.hpp"

namespace persist::test {

namespace {

constexpr const char* kWrong = "WRONGTYPE Operation against a key holding the wrong kind of value";
constexpr const char* kNoInteger = "ERR value is not an integer or out of range";

// A key `list` that is no string.
void add_list(EngineCalls& calls) {
  Pool& pool = calls.data.pool();
  calls.data.db(0).create("list").make_value<List>(pool).push_back("x");
}

}  // namespace

TEST_CASE("SET and its kin") {
  EngineCalls calls;
  add_list(calls);
  check_rows(calls, {
                        {"SET k v", "OK changed", "k", "string \"v\""},
                        {"SET k 1 EX 10", "OK changed", "k", "@1000010000 string \"1\""},
                        {"SET k 2 KEEPTTL", "OK changed", "k", "@1000010000 string \"2\""},
                        {"SET k 3 px 5 GET", "\"2\" changed", "k", "@1000000005 string \"3\""},
                        {"SET k 4 NX", "(nil)", "k", "@1000000005 string \"3\""},
                        {"SET k 4 XX PXAT 77", "OK changed", "k", "@77 string \"4\""},
                        {"SET k 5 EXAT 8", "OK changed", "k", "@8000 string \"5\""},
                        {"SET k 6", "OK changed", "k", "string \"6\""},
                        {"SET new v XX", "(nil)", "new", "none"},
                        {"SET new v NX GET", "(nil) changed", "new", "string \"v\""},
                        {"SET k v EX 0", "ERR invalid expire time in 'set' command", "k", "string \"6\""},
                        {"SET k v EX x", kNoInteger},
                        {"SET k v EX 9223372036854775807", "ERR invalid expire time in 'set' command"},
                        {"SET k v PX 9223372036854775807", "ERR invalid expire time in 'set' command"},
                        {"SET k v NX XX", "ERR syntax error"},
                        {"SET k v EX", "ERR syntax error"},
                        {"SET k v EX 1 PX 1", "ERR syntax error"},
                        {"SET k v PERSIST", "ERR syntax error"},
                        {"SET list v GET", kWrong, "list", "list[x]"},
                        {"SET list v", "OK changed", "list", "string \"v\""},
                        {"SETNX k x", "(integer) 0"},
                        {"SETNX k2 x", "(integer) 1 changed", "k2", "string \"x\""},
                        {"SETEX k 2 v", "OK changed", "k", "@1000002000 string \"v\""},
                        {"PSETEX k 2 v", "OK changed", "k", "@1000000002 string \"v\""},
                        {"SETEX k 0 v", "ERR invalid expire time in 'setex' command"},
                        {"PSETEX k -1 v", "ERR invalid expire time in 'psetex' command"},
                        {"SETEX k x v", kNoInteger},
                        {"GETSET k w", "\"v\" changed", "k", "string \"w\""},
                        {"GETSET none w", "(nil) changed", "none", "string \"w\""},
                    });
}

TEST_CASE("options are as old as the server") {
  struct Row {
    Profile profile;
    const char* command;
    const char* reply;
  };
  constexpr Profile kRedis30{Dialect::redis, 300};
  constexpr Profile kRedis62{Dialect::redis, 602};
  constexpr Profile kRedis84{Dialect::redis, 804};
  constexpr Profile kValkey80{Dialect::valkey, 800};
  constexpr Profile kValkey81{Dialect::valkey, 801};
  const Row rows[] = {
      {kRedis30, "SET k 1 EX 5", "OK changed"},         {kRedis30, "SET k 1 KEEPTTL", "ERR syntax error"},
      {kRedis30, "SET k 1 PXAT 5", "ERR syntax error"}, {kRedis62, "SET k 1 NX GET", "ERR syntax error"},
      {kRedis62, "SET k 1 XX GET", "\"1\" changed"},    {kRedis62, "SET k 1 IFEQ 1", "ERR syntax error"},
      {kRedis84, "SET k 1 IFEQ 1", "OK changed"},       {kValkey80, "SET k 1 IFEQ 1", "ERR syntax error"},
      {kValkey81, "SET k 1 IFEQ 1", "OK changed"},      {kValkey81, "SET k 1 IFNE 1", "ERR syntax error"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.command);
    EngineCalls calls(row.profile);
    calls.run("SET k 1");
    CHECK(calls.run(row.command) == row.reply);
  }
}

TEST_CASE("conditions on the value") {
  EngineCalls calls({Dialect::redis, 804});
  add_list(calls);
  constexpr const char* kBad = "ERR must be exactly 16 hexadecimal characters";
  check_rows(calls, {
                        {"SET k hello", "OK changed"},
                        {"DIGEST k", "\"9555e8555c62dcfd\""},
                        {"DIGEST none", "(nil)"},
                        {"DIGEST list", kWrong},
                        {"SET k v IFEQ x", "(nil)", "k", "string \"hello\""},
                        {"SET k v IFNE hello", "(nil)"},
                        {"SET k v IFDEQ 9555e8555c62dcfe", "(nil)"},
                        {"SET k v IFDNE 9555E8555C62DCFD", "(nil)"},
                        {"SET k v IFDEQ 9555", kBad},
                        {"SET k v IFEQ hello IFNE x", "ERR syntax error"},
                        {"SET k v IFEQ x GET", "\"hello\"", "k", "string \"hello\""},
                        {"SET none v IFEQ x", "(nil)", "none", "none"},
                        {"SET none v IFDEQ 9555e8555c62dcfd", "(nil)", "none", "none"},
                        {"SET none v IFNE x", "OK changed", "none", "string \"v\""},
                        {"SET none2 v IFDNE x", "OK changed", "none2", "string \"v\""},
                        {"SET list v IFEQ x", kWrong, "list", "list[x]"},
                        {"SET k 12 IFDEQ 9555E8555c62dcfd", "OK changed", "k", "string \"12\""},
                        {"SET k w IFEQ 12 PX 5", "OK changed", "k", "@1000000005 string \"w\""},
                        {"DELEX k IFEQ x", "(integer) 0", "k", "@1000000005 string \"w\""},
                        {"DELEX k IFFY x", "ERR Invalid condition. Use IFEQ, IFNE, IFDEQ, or IFDNE"},
                        {"DELEX k IFEQ", "ERR wrong number of arguments for 'delex' command"},
                        {"DELEX k IFDEQ x", kBad},
                        {"DELEX list IFEQ x", "ERR Key should be of string type if conditions are specified"},
                        {"DELEX gone IFEQ x", "(integer) 0"},
                        {"DELEX k IFNE x", "(integer) 1 changed", "k", "none"},
                        {"DELEX list", "(integer) 1 changed", "list", "none"},
                        {"DELIFEQ none x", "(integer) 0"},
                        {"DELIFEQ none v", "(integer) 1 changed", "none", "none"},
                    });
}

TEST_CASE("several keys at once") {
  EngineCalls calls({Dialect::redis, 804});
  add_list(calls);
  check_rows(calls, {
                        {"MSET a 1 b 2 a 3", "OK changed", "a", "string \"3\""},
                        {"MSET a 1 b", "ERR wrong number of arguments for 'mset' command"},
                        {"MSETNX c 1 a 2", "(integer) 0", "c", "none"},
                        {"MSETNX c 1 d 2", "(integer) 1 changed", "d", "string \"2\""},
                        {"MSETNX c 1 d", "ERR wrong number of arguments for 'msetnx' command"},
                        {"MSETEX 2 a 1 b 2 PXAT 7", "(integer) 1 changed", "b", "@7 string \"2\""},
                        {"MSETEX 1 a 9 KEEPTTL XX", "(integer) 1 changed", "a", "@7 string \"9\""},
                        {"MSETEX 2 a 1 zz 2 XX", "(integer) 0", "a", "@7 string \"9\""},
                        {"MSETEX 2 zz 1 a 2 NX", "(integer) 0", "zz", "none"},
                        {"MSETEX 0 a 1", "ERR invalid numkeys value"},
                        {"MSETEX x a 1", "ERR invalid numkeys value"},
                        {"MSETEX 2147483647 a 1", "ERR wrong number of key-value pairs"},
                        {"MSETEX 1 a 1 IFEQ 1", "ERR syntax error"},
                        {"MSETEX 1 a 1 EX 0", "ERR invalid expire time in 'msetex' command"},
                        {"MGET a nope list b", "[9, (nil), (nil), 2]"},
                    });
}

TEST_CASE("reading, with and without a change") {
  EngineCalls calls;
  add_list(calls);
  check_rows(calls, {
                        {"SET k hello", "OK changed"},
                        {"GET k", "\"hello\""},
                        {"GET none", "(nil)"},
                        {"GET list", kWrong},
                        {"STRLEN k", "(integer) 5"},
                        {"STRLEN none", "(integer) 0"},
                        {"STRLEN list", kWrong},
                        {"GETRANGE k 1 -2", "\"ell\""},
                        {"GETRANGE k 0 -100", "\"h\""},
                        {"GETRANGE k -1 -2", "\"\""},
                        {"GETRANGE k 7 9", "\"\""},
                        {"SUBSTR k -3 100", "\"llo\""},
                        {"GETRANGE none 0 1", "\"\""},
                        {"GETRANGE list 0 1", kWrong},
                        {"GETRANGE none x 1", kNoInteger},
                        {"GETEX k", "\"hello\"", "k", "string \"hello\""},
                        {"GETEX k PERSIST", "\"hello\""},
                        {"GETEX k PX 5", "\"hello\" changed", "k", "@1000000005 string \"hello\""},
                        {"GETEX k EXAT 1", "\"hello\" changed", "k", "@1000 string \"hello\""},
                        {"GETEX k PERSIST", "\"hello\" changed", "k", "string \"hello\""},
                        {"GETEX k EX 0", "ERR invalid expire time in 'getex' command"},
                        {"GETEX k KEEPTTL", "ERR syntax error"},
                        {"GETEX none EX 0", "(nil)"},
                        {"GETEX list", kWrong},
                        {"GETDEL k", "\"hello\" changed", "k", "none"},
                        {"GETDEL k", "(nil)"},
                        {"GETDEL list", kWrong, "list", "list[x]"},
                    });
}

TEST_CASE("APPEND and SETRANGE") {
  EngineCalls calls;
  add_list(calls);
  constexpr const char* kTooLong = "ERR string exceeds maximum allowed size (proto-max-bulk-len)";
  check_rows(calls, {
                        {"APPEND k \"\"", "(integer) 0 changed", "k", "string \"\""},
                        {"APPEND k 12", "(integer) 2 changed", "k", "string \"12\""},
                        {"PEXPIREAT k 5", "(integer) 1 changed"},
                        {"APPEND k 3", "(integer) 3 changed", "k", "@5 string \"123\""},
                        {"INCR k", "(integer) 124 changed", "k", "@5 string \"124\""},
                        {"APPEND list x", kWrong},
                        {"SETRANGE k 1 ab", "(integer) 3 changed", "k", "@5 string \"1ab\""},
                        {"SETRANGE k 1 \"\"", "(integer) 3", "k", "@5 string \"1ab\""},
                        {"SETRANGE k 2 xyz", "(integer) 5 changed", "k", "@5 string \"1axyz\""},
                        {"SETRANGE none 3 \"\"", "(integer) 0", "none", "none"},
                        {"SETRANGE k -1 x", "ERR offset is out of range"},
                        {"SETRANGE k x x", kNoInteger},
                        {"SETRANGE list 0 x", kWrong},
                        {"SETRANGE none 536870912 x", kTooLong, "none", "none"},
                        {"SETRANGE none 9223372036854775807 x", kTooLong, "none", "none"},
                        {"SETRANGE new 2 x", "(integer) 3 changed"},
                        {"GET new", "\"\\x00\\x00x\""},
                    });
}

TEST_CASE("counting") {
  EngineCalls calls;
  add_list(calls);
  check_rows(calls, {
                        {"INCR n", "(integer) 1 changed", "n", "string \"1\""},
                        {"INCRBY n 9", "(integer) 10 changed"},
                        {"DECR n", "(integer) 9 changed"},
                        {"DECRBY n -1", "(integer) 10 changed", "n", "string \"10\""},
                        {"PEXPIREAT n 5", "(integer) 1 changed"},
                        {"INCR n", "(integer) 11 changed", "n", "@5 string \"11\""},
                        {"INCRBY n 9223372036854775807", "ERR increment or decrement would overflow"},
                        {"DECRBY n -9223372036854775808", "ERR decrement would overflow"},
                        {"INCRBY n +1", kNoInteger},
                        {"INCRBY n 1.0", kNoInteger},
                        {"SET t 007", "OK changed"},
                        {"INCR t", kNoInteger},
                        {"INCR list", kWrong},
                        {"INCRBYFLOAT n 0.5", "\"11.5\" changed", "n", "@5 string \"11.5\""},
                        {"INCRBYFLOAT n x", "ERR value is not a valid float"},
                        {"INCRBYFLOAT t -7", "\"0\" changed", "t", "string \"0\""},
                        {"SET w word", "OK changed"},
                        {"INCRBYFLOAT w 1", "ERR value is not a valid float"},
                        {"INCRBYFLOAT n inf", "ERR increment would produce NaN or Infinity"},
                        {"INCRBYFLOAT list 1", kWrong},
                        {"INCRBYFLOAT f 3.0e3", "\"3000\" changed", "f", "string \"3000\""},
                    });
  // What was a number before 3.2.
  EngineCalls old({Dialect::redis, 300});
  check_rows(old, {{"SET t 007", "OK changed"}, {"INCR t", "(integer) 8 changed", "t", "string \"8\""}});
}

TEST_CASE("INCREX") {
  EngineCalls calls({Dialect::redis, 808});
  add_list(calls);
  check_rows(
      calls,
      {
          {"INCREX n", "[(integer) 1, (integer) 1] changed", "n", "string \"1\""},
          {"INCREX n BYINT 5 UBOUND 4", "[(integer) 1, (integer) 0]", "n", "string \"1\""},
          {"INCREX n BYINT 5 UBOUND 4 SATURATE", "[(integer) 4, (integer) 3] changed", "n", "string \"4\""},
          {"INCREX n BYINT -9 LBOUND 2 SATURATE", "[(integer) 2, (integer) -2] changed"},
          {"INCREX n BYINT 9223372036854775807", "[(integer) 2, (integer) 0]"},
          {"INCREX n EX 5", "[(integer) 3, (integer) 1] changed", "n", "@1000005000 string \"3\""},
          {"INCREX n EX 50 ENX", "[(integer) 4, (integer) 1] changed", "n", "@1000005000 string \"4\""},
          {"INCREX n PERSIST", "[(integer) 5, (integer) 1] changed", "n", "string \"5\""},
          {"INCREX n BYFLOAT 0.5 PXAT 7", "[5.5, 0.5] changed", "n", "@7 string \"5.5\""},
          {"INCREX n BYFLOAT 10 UBOUND 6", "[5.5, 0]"},
          {"INCREX n BYFLOAT 10 UBOUND 6 SATURATE", "[6, 0.5] changed", "n", "@7 string \"6\""},
          {"INCREX n ENX", "ERR ENX flag requires an expiration"},
          {"INCREX n EX 0", "ERR invalid expire time in 'increx' command"},
          {"INCREX n EX 1 PX 1", "ERR syntax error"},
          {"INCREX n PERSIST EX 1", "ERR syntax error"},
          {"INCREX n BYINT 1 BYFLOAT 1", "ERR syntax error"},
          {"INCREX n BYINT", "ERR syntax error"},
          {"INCREX n BYINT x", "ERR Increment is not an integer or out of range"},
          {"INCREX n BYFLOAT x", "ERR Increment is not a valid float"},
          {"INCREX n BYFLOAT inf", "ERR BYFLOAT increment cannot be Infinity"},
          {"INCREX n LBOUND x", "ERR LBOUND is not an integer or out of range"},
          {"INCREX n UBOUND x", "ERR UBOUND is not an integer or out of range"},
          {"INCREX n LBOUND 2 UBOUND 1", "ERR LBOUND can't be greater than UBOUND"},
          {"INCREX list", kWrong},
          {"INCREX list BYFLOAT 1", kWrong},
      });
}

}  // namespace persist::test
