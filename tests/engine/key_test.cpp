// Commands of keys whatever their values are.
#include <doctest/doctest.h>

#include "support/engine_calls.hpp"
#include "support/rdb_builder.hpp"

namespace persist::test {

namespace {

constexpr const char* kNoInteger = "ERR value is not an integer or out of range";

std::string payload_of(Bytes body) { return RdbBuilder().raw(body).dump_payload(10); }

void add_list(EngineCalls& calls) {
  Pool& pool = calls.data.pool();
  calls.data.db(0).create("list").make_value<List>(pool).push_back("x");
}

}  // namespace

TEST_CASE("DEL and asking about keys") {
  EngineCalls calls;
  add_list(calls);
  check_rows(calls, {
                        {"MSET a 1 b 2", "OK changed"},
                        {"EXISTS a b a none", "(integer) 3"},
                        {"TOUCH a none", "(integer) 1"},
                        {"TYPE a", "string"},
                        {"TYPE list", "list"},
                        {"TYPE none", "none"},
                        {"DBSIZE", "(integer) 3"},
                        {"KEYS l*", "[list]"},
                        {"KEYS x*", "[]"},
                        {"RANDOMKEY", "\"list\""},
                        {"SCAN 0 MATCH [a] COUNT 5", "[0, [a]]"},
                        {"SCAN 0 TYPE list", "[0, [list]]"},
                        {"SCAN x", "ERR invalid cursor"},
                        {"SCAN 0 COUNT 0", "ERR syntax error"},
                        {"SCAN 0 COUNT x", kNoInteger},
                        {"SCAN 0 MATCH", "ERR syntax error"},
                        {"SCAN 0 FOO x", "ERR syntax error"},
                        {"DUMP none", "(nil)"},
                        {"DUMP a", "ERR there is no such answer without a server"},
                        {"OBJECT ENCODING none", "(nil)"},
                        {"OBJECT ENCODING a", "ERR there is no such answer without a server"},
                        {"OBJECT HELP", "ERR Unknown subcommand or wrong number of arguments"},
                        {"DEL a none a", "(integer) 1 changed", "a", "none"},
                        {"DEL a", "(integer) 0"},
                        {"UNLINK b list", "(integer) 2 changed"},
                        {"RANDOMKEY", "(nil)"},
                    });
  CHECK(calls.show_all() == "empty");
}

TEST_CASE("expiries") {
  EngineCalls calls;
  check_rows(
      calls,
      {
          {"SET k v", "OK changed"},
          {"EXPIRE k 10", "(integer) 1 changed", "k", "@1000010000 string \"v\""},
          {"PEXPIRE k 10", "(integer) 1 changed", "k", "@1000000010 string \"v\""},
          {"EXPIREAT k 10", "(integer) 1 changed", "k", "@10000 string \"v\""},
          {"PEXPIREAT k -10", "(integer) 1 changed", "k", "@-10 string \"v\""},
          {"PTTL k", "(integer) 0"},
          {"EXPIRE none 1", "(integer) 0", "none", "none"},
          {"PEXPIREAT k 1000001600", "(integer) 1 changed"},
          {"TTL k", "(integer) 2"},
          {"PTTL k", "(integer) 1600"},
          {"EXPIRETIME k", "(integer) 1000002"},
          {"PEXPIRETIME k", "(integer) 1000001600"},
          {"PEXPIREAT k 7 NX", "(integer) 0"},
          {"PEXPIREAT k 7 GT", "(integer) 0"},
          {"PEXPIREAT k 1000001600 GT", "(integer) 0"},
          {"PEXPIREAT k 1000001600 LT", "(integer) 0"},
          {"PEXPIREAT k 1000001601 GT XX", "(integer) 1 changed", "k", "@1000001601 string \"v\""},
          {"PEXPIREAT k 8 lt", "(integer) 1 changed", "k", "@8 string \"v\""},
          {"PERSIST k", "(integer) 1 changed", "k", "string \"v\""},
          {"PERSIST k", "(integer) 0"},
          {"PERSIST none", "(integer) 0"},
          {"TTL k", "(integer) -1"},
          {"PTTL none", "(integer) -2"},
          {"EXPIRETIME k", "(integer) -1"},
          {"PEXPIREAT k 9 XX", "(integer) 0"},
          {"PEXPIREAT k 9 GT", "(integer) 0"},
          {"PEXPIREAT k 9 LT", "(integer) 1 changed"},
          {"PEXPIREAT k 9 FOO", "ERR Unsupported option"},
          {"PEXPIREAT k 9 NX XX", "ERR NX and XX, GT or LT options at the same time are not compatible"},
          {"PEXPIREAT k 9 GT LT", "ERR GT and LT options at the same time are not compatible"},
          {"EXPIRE k x", kNoInteger},
          {"EXPIRE k 9223372036854775807", "ERR invalid expire time in 'expire' command"},
          {"EXPIREAT k -9223372036854775808", "ERR invalid expire time in 'expireat' command"},
          {"PEXPIRE k 9223372036854775807", "ERR invalid expire time in 'pexpire' command"},
          {"PEXPIREAT k 9223372036854775807", "(integer) 1 changed"},
          {"TTL k", "(integer) 9223372035854776"},
          {"PEXPIREAT k -9223372036854775808", "(integer) 1 changed"},
          {"PTTL k", "(integer) 0"},
      });
  // A server that knows no conditions does not look at them.
  EngineCalls old({Dialect::redis, 602});
  check_rows(old, {{"SET k v", "OK changed"}, {"PEXPIREAT k 9 XX", "(integer) 1 changed"}});
}

TEST_CASE("RENAME and RENAMENX") {
  EngineCalls calls;
  add_list(calls);
  check_rows(calls, {
                        {"SET a 1 PXAT 5", "OK changed"},
                        {"RENAME a list", "OK changed", "list", "@5 string \"1\""},
                        {"SET b 2", "OK changed", "a", "none"},
                        {"RENAME b list", "OK changed", "list", "string \"2\""},
                        {"RENAME list list", "OK", "list", "string \"2\""},
                        {"RENAME none x", "ERR no such key"},
                        {"RENAME none none", "ERR no such key"},
                        {"SET c 3", "OK changed"},
                        {"RENAMENX c list", "(integer) 0", "c", "string \"3\""},
                        {"RENAMENX c c", "(integer) 0"},
                        {"RENAMENX c d", "(integer) 1 changed", "d", "string \"3\""},
                        {"RENAMENX c d", "ERR no such key"},
                    });
  EngineCalls old({Dialect::redis, 300});
  check_rows(old, {{"RENAME k k", "ERR source and destination objects are the same"}});
}

TEST_CASE("MOVE and COPY") {
  constexpr const char* kSame = "ERR source and destination objects are the same";
  constexpr const char* kRange = "ERR DB index is out of range";
  EngineCalls calls;
  add_list(calls);
  check_rows(calls, {
                        {"SET a 1 PXAT 5", "OK changed"},
                        {"MOVE a 1", "(integer) 1 changed", "a", "none"},
                        {"MOVE a 1", "(integer) 0"},
                        {"SET a 2", "OK changed"},
                        {"MOVE a 1", "(integer) 0", "a", "string \"2\""},
                        {"MOVE a 0", kSame},
                        {"MOVE a -1", kRange},
                        {"MOVE a x", kNoInteger},
                        {"MOVE a 4294967296",
                         "ERR value is out of range, value must between -2147483648 and 2147483647"},
                        {"COPY list l2", "(integer) 1 changed", "l2", "list[x]"},
                        {"COPY a list", "(integer) 0", "list", "list[x]"},
                        {"COPY a list REPLACE", "(integer) 1 changed", "list", "string \"2\""},
                        {"COPY l2 a DB 1", "(integer) 0"},
                        {"COPY l2 a DB 1 REPLACE", "(integer) 1 changed"},
                        {"COPY a a", kSame},
                        {"COPY none b", "(integer) 0"},
                        {"COPY a b DB -1", kRange},
                        {"COPY a b DB x", kNoInteger},
                        {"COPY a b DB", "ERR syntax error"},
                        {"COPY a b FOO", "ERR syntax error"},
                        {"SET t v PXAT 9", "OK changed"},
                        {"COPY t u", "(integer) 1 changed", "u", "@9 string \"v\""},
                    });
  CHECK(calls.show_all() ==
        "a = string \"2\"; l2 = list[x]; list = string \"2\"; t = @9 string \"v\"; u = @9 string \"v\"; "
        "db1 a = list[x]");
  EngineCalls old({Dialect::redis, 206});
  check_rows(old, {{"SET a 1", "OK changed"},
                   {"PEXPIREAT a 5", "(integer) 1 changed"},
                   {"MOVE a 1", "(integer) 1 changed"}});
  CHECK(old.show_all() == "db1 a = string \"1\"");
}

TEST_CASE("RESTORE") {
  constexpr const char* kFormat = "ERR Bad data format";
  constexpr const char* kFrame = "ERR DUMP payload version or checksum are wrong";
  const std::string string_payload =
      payload_of(Bytes("\x00\x03"
                       "abc",
                       5));
  const std::string set_payload = payload_of(
      "\x02\x02\x01"
      "a\x01"
      "b");
  const std::string no_set = payload_of(Bytes("\x02\x00", 2));
  const std::string half = payload_of(
      "\x02\x02\x01"
      "a");
  std::string damaged = set_payload;
  damaged[3] = 'x';
  EngineCalls calls;
  const auto restore = [&](const char* key, const char* ttl, const std::string& payload,
                           const std::vector<std::string>& options = {}) {
    std::vector<std::string> words{"RESTORE", key, ttl, payload};
    words.insert(words.end(), options.begin(), options.end());
    return calls.run_words(words);
  };
  CHECK(restore("k", "0", string_payload) == "OK changed");
  CHECK(calls.show("k") == "string \"abc\"");
  CHECK(restore("k", "0", set_payload) == "BUSYKEY Target key name already exists.");
  CHECK(restore("k", "7", set_payload, {"replace"}) == "OK changed");
  CHECK(calls.show("k") == "@1000000007 set{a b}");
  CHECK(restore("k", "7", set_payload, {"REPLACE", "ABSTTL", "IDLETIME", "5"}) == "OK changed");
  CHECK(calls.show("k") == "@7 set{a b}");
  CHECK(calls.data.db(0).find("k")->idle_s == 5);
  CHECK(restore("k", "0", set_payload, {"REPLACE", "FREQ", "9"}) == "OK changed");
  CHECK(calls.data.db(0).find("k")->idle_s == KeyEntry::kNoIdle);
  CHECK(calls.data.db(0).find("k")->freq == 9);
  CHECK(calls.show("k") == "set{a b}");
  CHECK(restore("n", "x", set_payload) == kNoInteger);
  CHECK(restore("n", "-1", set_payload) == "ERR Invalid TTL value, must be >= 0");
  CHECK(restore("n", "0", set_payload, {"FOO"}) == "ERR syntax error");
  CHECK(restore("n", "0", set_payload, {"IDLETIME"}) == "ERR syntax error");
  CHECK(restore("n", "0", set_payload, {"IDLETIME", "1", "FREQ", "1"}) == "ERR syntax error");
  CHECK(restore("n", "0", set_payload, {"IDLETIME", "-1"}) == "ERR Invalid IDLETIME value, must be >= 0");
  CHECK(restore("n", "0", set_payload, {"FREQ", "256"}) == "ERR Invalid FREQ value, must be >= 0 and <= 255");
  CHECK(restore("n", "0", set_payload, {"FREQ", "x"}) == kNoInteger);
  CHECK(restore("n", "0", damaged) == kFrame);
  CHECK(restore("n", "0", "short") == kFrame);
  CHECK(restore("n", "0", half) == kFormat);
  CHECK(restore("n", "0", no_set) == kFormat);
  CHECK(calls.show("n") == "none");
  CHECK(calls.run_words({"RESTORE-ASKING", "n", "0", set_payload}) == "OK changed");
}

}  // namespace persist::test
