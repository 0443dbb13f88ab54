// Commands to databases, to function libraries and to servers.
#include <doctest/doctest.h>

#include "support/engine_calls.hpp"
#include "support/rdb_builder.hpp"

namespace persist::test {

namespace {

// A library as FUNCTION DUMP tells it.
std::string record_of(const std::string& code) {
  return '\xf5' + std::string(1, static_cast<char>(code.size())) + code;
}

std::string libraries_of(const EngineCalls& calls) {
  std::string names;
  for (const auto& [name, code] : calls.data.functions)
    names += name + "=" + code.substr(code.find('\n') + 1) + " ";
  return names;
}

}  // namespace

TEST_CASE("databases") {
  EngineCalls calls;
  check_rows(calls, {{"SET a 1 PXAT 5", "OK changed"}, {"SWAPDB 0 3", "OK changed", "a", "none"}});
  CHECK(calls.show_all() == "db3 a = @5 string \"1\"");
  check_rows(calls, {
                        {"SET b 2", "OK changed"},
                        {"SWAPDB 3 3", "OK changed"},
                        {"SWAPDB x 3", "ERR invalid first DB index"},
                        {"SWAPDB 1 4294967296", "ERR invalid second DB index"},
                        {"SWAPDB -1 3", "ERR DB index is out of range"},
                        {"FLUSHDB FOO", "ERR syntax error"},
                        {"FLUSHDB ASYNC", "OK changed"},
                    });
  CHECK(calls.show_all() == "db3 a = @5 string \"1\"");
  check_rows(calls, {
                        {"FLUSHALL SYNC ASYNC", "ERR syntax error"},
                        {"FLUSHALL sync", "OK changed"},
                        {"FLUSHALL", "OK changed"},
                    });
  CHECK(calls.show_all() == "empty");
}

TEST_CASE("FUNCTION: libraries come and go") {
  EngineCalls calls;
  check_rows(calls,
             {
                 {"FUNCTION LOAD \"#!lua name=one\\n1\"", "\"one\" changed"},
                 {"FUNCTION LOAD \"#!lua name=one\\n2\"", "ERR Library already exists"},
                 {"FUNCTION LOAD REPLACE \"#!lua name=one\\n3\"", "\"one\" changed"},
                 {"FUNCTION LOAD \"#!lua name=two\\n4\"", "\"two\" changed"},
                 {"FUNCTION LOAD FOO \"#!lua name=x\\n4\"", "ERR Unknown option given"},
                 {"FUNCTION LOAD code", "ERR Missing library metadata"},
                 {"FUNCTION LOAD \"#!lua name=x\"", "ERR Invalid library metadata"},
                 {"FUNCTION LOAD \"#!lua\\n\"", "ERR Library name was not given"},
                 {"FUNCTION LOAD \"#!lua name=a-b\\n\"",
                  "ERR Library names can only contain letters, numbers, or underscores(_) and must be at "
                  "least one character long"},
             });
  CHECK(libraries_of(calls) == "one=3 two=4 ");
  check_rows(calls, {
                        {"FLUSHALL", "OK changed"},
                        {"FUNCTION DELETE two", "OK changed"},
                        {"FUNCTION DELETE two", "ERR Library not found"},
                        {"FUNCTION STATS", "ERR unknown subcommand or wrong number of arguments"},
                        {"FUNCTION FLUSH FOO", "ERR FUNCTION FLUSH only supports SYNC|ASYNC option"},
                        {"FUNCTION FLUSH SYNC x", "ERR unknown subcommand or wrong number of arguments"},
                    });
  CHECK(libraries_of(calls) == "one=3 ");
  CHECK(calls.run("FUNCTION FLUSH ASYNC") == "OK changed");
  CHECK(libraries_of(calls).empty());
}

TEST_CASE("FUNCTION RESTORE: all or nothing") {
  EngineCalls calls;
  const auto restore = [&](const std::string& payload, const std::string& policy) {
    return calls.run_words({"FUNCTION", "RESTORE", payload, policy});
  };
  const std::string body = record_of("#!lua name=one\nnew") + record_of("#!lua name=two\nnew");
  const std::string payload = RdbBuilder().raw(body).dump_payload(10);
  calls.run("FUNCTION LOAD \"#!lua name=one\\nold\"");
  calls.run("FUNCTION LOAD \"#!lua name=ten\\nold\"");
  CHECK(restore(payload, "APPEND") == "ERR Library already exists");
  CHECK(restore(payload, "FOO") ==
        "ERR Wrong restore policy given, value should be either FLUSH, APPEND or REPLACE.");
  CHECK(restore("x" + payload, "FLUSH") == "ERR DUMP payload version or checksum are wrong");
  CHECK(restore("short", "FLUSH") == "ERR DUMP payload version or checksum are wrong");
  CHECK(restore(RdbBuilder().raw("x" + body).dump_payload(10), "FLUSH") ==
        "ERR given type is not a function");
  CHECK(restore(RdbBuilder().raw(body.substr(0, 30)).dump_payload(10), "FLUSH") ==
        "ERR failed to read data type");
  CHECK(restore(RdbBuilder().raw(body + body).dump_payload(10), "FLUSH") == "ERR Library already exists");
  CHECK(libraries_of(calls) == "one=old ten=old ");
  CHECK(restore(payload, "replace") == "OK changed");
  CHECK(libraries_of(calls) == "one=new ten=old two=new ");
  CHECK(restore(payload, "FLUSH") == "OK changed");
  CHECK(libraries_of(calls) == "one=new two=new ");
  calls.run("FUNCTION FLUSH");
  CHECK(calls.run_words({"FUNCTION", "RESTORE", payload}) == "OK changed");
  CHECK(calls.run_words({"FUNCTION", "RESTORE", payload, "FLUSH", "x"}) ==
        "ERR unknown subcommand or wrong number of arguments");
  CHECK(libraries_of(calls) == "one=new two=new ");
}

TEST_CASE("what leaves the dataset alone") {
  constexpr const char* kNoCluster = "ERR This instance has cluster support disabled";
  EngineCalls calls;
  calls.run("SET a 1");
  check_rows(calls, {
                        {"PING", "PONG"},
                        {"PING hi", "\"hi\""},
                        {"PING hi ho", "ERR wrong number of arguments for 'ping' command"},
                        {"ECHO hi", "\"hi\""},
                        {"TIME", "[1000000, 0]"},
                        {"PUBLISH channel message", "(integer) 0"},
                        {"SPUBLISH channel message", "(integer) 0"},
                        {"CLUSTER FLUSHSLOT 15495", kNoCluster},
                        {"CLUSTER SYNCSLOTS FINISH", "OK"},
                        {"TRIMSLOTS RANGES 1 0 16383", kNoCluster},
                        {"SFLUSH 0 16383", kNoCluster},
                    });
  CHECK(calls.show_all() == "a = string \"1\"");
}

}  // namespace persist::test
