// Commands about the expiry of fields, by the rules of Redis and by those of Valkey, and what a server sees
// that loads a log with its own clock.
#include <doctest/doctest.h>

#include "engine/commands/table.hpp"
#include "support/engine_calls.hpp"

using namespace persist;
using namespace persist::test;

namespace {

constexpr Profile kRedis{Dialect::redis, 804};
constexpr Profile kValkey{Dialect::valkey, 901};

constexpr const char* kPosition = "ERR Mandatory argument FIELDS is missing or not at the right position";
constexpr const char* kMismatch = "ERR The `numfields` parameter must match the number of arguments";
constexpr const char* kValkeyMismatch =
    "ERR numfields should be greater than 0 and match the provided number of fields";

// Runs a line as a server would whose clock hides fields. Only the effect is told, and what is left.
std::string run_with_clock(EngineCalls& calls, const char* line, int64_t clock_ms) {
  const std::vector<std::string> words = words_of(line);
  const std::vector<Bytes> args(words.begin(), words.end());
  Call call(calls.data, 0, calls.profile, calls.now_ms, nullptr);
  call.args = args;
  call.field_clock_ms = clock_ms;
  const Effect effect = find_handler(*find_command(args[0]))(call);
  const char* told = effect == Effect::changed     ? "changed "
                     : effect == Effect::unchanged ? "unchanged "
                                                   : "failed ";
  return told + calls.show("h");
}

}  // namespace

TEST_CASE("an expiry is set, in any unit, on the fields that are there") {
  for (const Profile& profile : {kRedis, kValkey}) {
    EngineCalls calls(profile);
    CAPTURE(static_cast<int>(profile.family));
    check_rows(
        calls,
        {
            {"HSET h a 1 b 2", "(integer) 2 changed"},
            {"HPEXPIREAT h 2000000000 FIELDS 2 a x", "[(integer) 1, (integer) -2] changed", "h",
             "hash{a=1@2000000000 b=2}"},
            {"HEXPIREAT h 3 FIELDS 1 b", "[(integer) 1] changed", "h", "hash{a=1@2000000000 b=2@3000}"},
            {"HPEXPIRE h 7 FIELDS 1 a", "[(integer) 1] changed", "h", "hash{a=1@1000000007 b=2@3000}"},
            {"HEXPIRE h 7 FIELDS 1 b", "[(integer) 1] changed", "h", "hash{a=1@1000000007 b=2@1000007000}"},
            {"HEXPIRE h 7 FIELDS 1 x", "[(integer) -2]"},
            {"HEXPIRE none 7 FIELDS 2 x y", "[(integer) -2, (integer) -2]", "none", "none"},
            {"HEXPIRE h x FIELDS 1 a", kNotInteger},
            {"HEXPIRE h 9223372036854775807 FIELDS 1 a", "ERR invalid expire time in 'hexpire' command"},
        });
  }
}

TEST_CASE("an expiry is set on conditions") {
  for (const Profile& profile : {kRedis, kValkey}) {
    EngineCalls calls(profile);
    CAPTURE(static_cast<int>(profile.family));
    check_rows(calls, {
                          {"HSET h a 1", "(integer) 1 changed"},
                          {"HPEXPIREAT h 10 XX FIELDS 1 a", "[(integer) 0]"},
                          {"HPEXPIREAT h 10 GT FIELDS 1 a", "[(integer) 0]"},
                          {"HPEXPIREAT h 10 lt FIELDS 1 a", "[(integer) 1] changed", "h", "hash{a=1@10}"},
                          {"HPEXPIREAT h 20 NX FIELDS 1 a", "[(integer) 0]"},
                          {"HPEXPIREAT h 10 GT FIELDS 1 a", "[(integer) 0]"},
                          {"HPEXPIREAT h 11 GT FIELDS 1 a", "[(integer) 1] changed"},
                          {"HPEXPIREAT h 11 LT FIELDS 1 a", "[(integer) 0]"},
                          {"HPEXPIREAT h 9 LT FIELDS 1 a", "[(integer) 1] changed", "h", "hash{a=1@9}"},
                          {"HPEXPIREAT h 8 XX FIELDS 1 a", "[(integer) 1] changed", "h", "hash{a=1@8}"},
                          {"HPERSIST h FIELDS 1 a", "[(integer) 1] changed", "h", "hash{a=1}"},
                          {"HPEXPIREAT h 7 NX FIELDS 1 a", "[(integer) 1] changed", "h", "hash{a=1@7}"},
                      });
  }
}

TEST_CASE("what Redis says of malformed requests") {
  EngineCalls calls(kRedis);
  check_rows(
      calls,
      {
          {"HSET h a 1", "(integer) 1 changed"},
          {"HEXPIRE h -1 FIELDS 1 a", "ERR invalid expire time, must be >= 0"},
          {"HPEXPIREAT h 70368744177664 FIELDS 1 a", "ERR invalid expire time in 'hpexpireat' command"},
          {"HPEXPIREAT h 70368744177663 FIELDS 1 a", "[(integer) 1] changed"},
          {"HPEXPIRE h 70368744177663 FIELDS 1 a", "ERR invalid expire time in 'hpexpire' command"},
          {"HEXPIREAT h 70368744178 FIELDS 1 a", "ERR invalid expire time in 'hexpireat' command"},
          {"HEXPIRE h 1 XX NX FIELDS 1 a", kPosition},
          {"HEXPIRE h 1 FOO FIELDS 1 a", kPosition},
          {"HEXPIRE h 1 NX FOO 1 a", kPosition},
          {"HEXPIRE h 1 FIELDS 0 a", "ERR Parameter `numFields` should be greater than 0"},
          {"HEXPIRE h 1 FIELDS x a", "ERR Parameter `numFields` should be greater than 0"},
          {"HEXPIRE h 1 FIELDS 2 a", kMismatch},
          {"HEXPIRE h 1 FIELDS 1 a b", kMismatch},
          {"HPERSIST h FIELD 1 a", kPosition},
          {"HPERSIST h FIELDS 0 a", "ERR Number of fields must be a positive integer"},
          {"HPERSIST h FIELDS 2 a", kMismatch},
          {"HTTL h FIELDS 2 a", kMismatch},
          {"HGETDEL h FIELDS 2 a", kMismatch},
          {"HGETEX h EX 5 FIELDS 2 a", kMismatch},
          {"HGETEX h EX -5 FIELDS 1 a", "ERR invalid expire time, must be >= 0"},
          {"HGETEX h FOO FIELDS 1 a", kPosition},
      });
}

TEST_CASE("what Valkey says of malformed requests, and that it takes any time") {
  EngineCalls calls(kValkey);
  check_rows(
      calls,
      {
          {"HSET h a 1", "(integer) 1 changed"},
          {"HEXPIRE h -1 FIELDS 1 a", "ERR invalid expire time in 'hexpire' command"},
          {"HPEXPIREAT h 9223372036854775807 FIELDS 1 a", "[(integer) 1] changed", "h",
           "hash{a=1@9223372036854775807}"},
          {"HPEXPIRE h 9223372036854775807 FIELDS 1 a", "ERR invalid expire time in 'hpexpire' command"},
          {"HPEXPIREAT h 8 XX LT FIELDS 1 a", "[(integer) 1] changed", "h", "hash{a=1@8}"},
          {"HEXPIRE h 1 XX NX FIELDS 1 a",
           "ERR NX and XX, GT or LT options at the same time are not compatible"},
          {"HEXPIRE h 1 LT GT FIELDS 1 a", "ERR GT and LT options at the same time are not compatible"},
          {"HEXPIRE h 1 FOO FIELDS 1 a", "ERR Unsupported option"},
          {"HEXPIRE h 1 NX FOO 1 a", kValkeyMismatch},
          {"HEXPIRE h 1 FIELDS 0 a", kValkeyMismatch},
          {"HEXPIRE h 1 FIELDS x a", kNotInteger},
          {"HEXPIRE h 1 FIELDS 2 a", kValkeyMismatch},
          {"HPERSIST h FIELDS 2 a", kValkeyMismatch},
          {"HGETDEL h FIELDS 0 a", kValkeyMismatch},
          {"HSETEX h FIELDS 2 a 1", kValkeyMismatch},
          {"HSETEX h NX XX FIELDS 1 a 1", "ERR syntax error"},
          {"HSETEX h FOO FIELDS 1 a 1", "ERR syntax error"},
          {"HSETEX h a 1 b 2", kValkeyMismatch},
      });
}

TEST_CASE("expiries are taken away") {
  for (const Profile& profile : {kRedis, kValkey}) {
    EngineCalls calls(profile);
    check_rows(calls, {
                          {"HSETEX h PXAT 5 FIELDS 1 a 1", "(integer) 1 changed"},
                          {"HSET h b 2", "(integer) 1 changed"},
                          {"HPERSIST h FIELDS 3 a b c", "[(integer) 1, (integer) -1, (integer) -2] changed",
                           "h", "hash{a=1 b=2}"},
                          {"HPERSIST h FIELDS 1 a", "[(integer) -1]"},
                          {"HPERSIST none FIELDS 1 a", "[(integer) -2]"},
                      });
  }
}

TEST_CASE("expiries are told") {
  EngineCalls redis(kRedis);
  check_rows(redis, {
                        {"HSETEX h PXAT 1000001499 FIELDS 1 a 1", "(integer) 1 changed"},
                        {"HSET h b 2", "(integer) 1 changed"},
                        {"HTTL h FIELDS 3 a b c", "[(integer) 2, (integer) -1, (integer) -2]"},
                        {"HPTTL h FIELDS 1 a", "[(integer) 1499]"},
                        {"HEXPIRETIME h FIELDS 1 a", "[(integer) 1000002]"},
                        {"HPEXPIRETIME h FIELDS 1 a", "[(integer) 1000001499]"},
                        {"HTTL none FIELDS 1 a", "[(integer) -2]"},
                    });
  EngineCalls valkey(kValkey);
  check_rows(valkey, {
                         {"HSETEX h PXAT 1000001499 FIELDS 1 a 1", "(integer) 1 changed"},
                         {"HTTL h FIELDS 1 a", "[(integer) 1]"},
                         {"HPTTL h FIELDS 1 a", "[(integer) 1499]"},
                         {"HEXPIRETIME h FIELDS 1 a", "[(integer) 1000001]"},
                         {"HPEXPIREAT h 5 FIELDS 1 a", "[(integer) 1] changed"},
                         {"HTTL h FIELDS 1 a", "[(integer) 0]"},
                     });
}

TEST_CASE("fields are set together with their expiry") {
  for (const Profile& profile : {kRedis, kValkey}) {
    EngineCalls calls(profile);
    CAPTURE(static_cast<int>(profile.family));
    check_rows(
        calls,
        {
            {"HSETEX h FXX FIELDS 1 a 1", "(integer) 0", "h", "none"},
            {"HSETEX h FNX PXAT 5 FIELDS 2 a 1 b 2", "(integer) 1 changed", "h", "hash{a=1@5 b=2@5}"},
            {"HSETEX h FNX FIELDS 2 c 3 b 3", "(integer) 0"},
            {"HSETEX h FXX FIELDS 2 b 3 c 3", "(integer) 0", "h", "hash{a=1@5 b=2@5}"},
            {"HSETEX h KEEPTTL FIELDS 2 b 3 c 3", "(integer) 1 changed", "h", "hash{a=1@5 b=3@5 c=3}"},
            {"HSETEX h FIELDS 1 b 4", "(integer) 1 changed", "h", "hash{a=1@5 b=4 c=3}"},
            {"HSETEX h fxx ex 7 FIELDS 1 c 5", "(integer) 1 changed", "h", "hash{a=1@5 b=4 c=5@1000007000}"},
            {"HSETEX h PX 7 FIELDS 1 c 5", "(integer) 1 changed"},
            {"HSETEX h EXAT 7 FIELDS 1 a 5", "(integer) 1 changed", "h", "hash{a=5@7000 b=4 c=5@1000000007}"},
        });
  }
}

TEST_CASE("the key itself is a condition only for Valkey") {
  EngineCalls valkey(kValkey);
  check_rows(valkey, {
                         {"HSETEX h XX FIELDS 1 a 1", "(integer) 0", "h", "none"},
                         {"HSETEX h NX FIELDS 1 a 1", "(integer) 1 changed"},
                         {"HSETEX h NX FIELDS 1 a 2", "(integer) 0"},
                         {"HSETEX h XX FIELDS 1 a 3", "(integer) 1 changed", "h", "hash{a=3}"},
                     });
  EngineCalls redis(kRedis);
  CHECK(redis.run("HSETEX h NX FIELDS 1 a 1") == "ERR unknown argument");
}

TEST_CASE("what Redis says of malformed HSETEX") {
  constexpr const char* kArity = "ERR wrong number of arguments for 'hsetex' command";
  EngineCalls calls(kRedis);
  check_rows(calls,
             {
                 {"HSETEX h EX 5 PX 5 FIELDS 1 a 1",
                  "ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified"},
                 {"HSETEX h KEEPTTL KEEPTTL FIELDS 1 a 1",
                  "ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified"},
                 {"HSETEX h FXX FNX FIELDS 1 a 1", "ERR Only one of FXX or FNX arguments can be specified"},
                 {"HSETEX h FNX FNX FIELDS 1 a 1", "ERR Only one of FXX or FNX arguments can be specified"},
                 {"HSETEX h EX x FIELDS 1 a 1", kNotInteger},
                 {"HSETEX h EX -1 FIELDS 1 a 1", "ERR invalid expire time, must be >= 0"},
                 {"HSETEX h EX 70368744178 FIELDS 1 a 1", "ERR invalid expire time in 'hsetex' command"},
                 {"HSETEX h FIELDS 0 a 1", "ERR invalid number of fields"},
                 {"HSETEX h FIELDS 2 a 1", kArity},
                 {"HSETEX h FIELDS 1 a 1 b", kArity},
                 {"HSETEX h FNX EX FIELDS 1 a 1", "ERR missing expire time", "h", "none"},
             });
}

TEST_CASE("values are told and their expiries changed") {
  EngineCalls calls(kRedis);
  check_rows(calls, {
                        {"HSET h a 1 b 2", "(integer) 2 changed"},
                        {"HGETEX h FIELDS 2 a x", "[1, (nil)]"},
                        {"HGETEX h PXAT 5 FIELDS 2 a x", "[1, (nil)] changed", "h", "hash{a=1@5 b=2}"},
                        {"HGETEX h ex 5 FIELDS 1 b", "[2] changed", "h", "hash{a=1@5 b=2@1000005000}"},
                        {"HGETEX h PERSIST FIELDS 1 a", "[1] changed", "h", "hash{a=1 b=2@1000005000}"},
                        {"HGETEX none EX 5 FIELDS 1 a", "[(nil)]"},
                        {"HGETEX h EX 5 FIELDS 1 x", "[(nil)]"},
                        {"HGETDEL h FIELDS 2 a x", "[1, (nil)] changed", "h", "hash{b=2@1000005000}"},
                        {"HGETDEL h FIELDS 1 x", "[(nil)]"},
                        {"HGETDEL h FIELDS 2 b b", "[2, (nil)] changed", "h", "none"},
                        {"HGETDEL h FIELDS 1 b", "[(nil)]"},
                    });
  EngineCalls valkey(kValkey);
  check_rows(valkey, {{"HSET h a 1", "(integer) 1 changed"}, {"HGETEX h PERSIST FIELDS 1 a", "[1]"}});
}

TEST_CASE("all of them ask for a hash") {
  for (const Profile& profile : {kRedis, kValkey}) {
    EngineCalls calls(profile);
    calls.run("SET s v");
    for (const char* line : {"HEXPIRE s 1 FIELDS 1 a", "HPEXPIRE s 1 FIELDS 1 a", "HEXPIREAT s 1 FIELDS 1 a",
                             "HPEXPIREAT s 1 FIELDS 1 a", "HPERSIST s FIELDS 1 a", "HTTL s FIELDS 1 a",
                             "HPTTL s FIELDS 1 a", "HEXPIRETIME s FIELDS 1 a", "HPEXPIRETIME s FIELDS 1 a",
                             "HSETEX s FIELDS 1 a 1", "HGETEX s FIELDS 1 a", "HGETDEL s FIELDS 1 a"}) {
      CAPTURE(line);
      CHECK(calls.run(line) == kWrongType);
    }
    CHECK(calls.show("s") == "string \"v\"");
  }
}

TEST_CASE("a server that loads with its clock does not see fields whose time has passed") {
  struct Row {
    const char* command;
    const char* left;
  };
  // The hash is {a=5@1000 b=6}, the clock stands at 2000.
  const Row rows[] = {
      {"HINCRBY h a 1", "changed hash{a=1@1000 b=6}"},
      {"HINCRBYFLOAT h a 1.5", "changed hash{a=1.5@1000 b=6}"},
      {"HSETNX h a 7", "changed hash{a=7 b=6}"},
      {"HSETEX h FNX FIELDS 1 a 7", "changed hash{a=7 b=6}"},
      {"HSETEX h FXX FIELDS 1 a 7", "unchanged hash{a=5@1000 b=6}"},
      {"HSETEX h KEEPTTL FIELDS 1 a 7", "changed hash{a=7@1000 b=6}"},
      {"HSETEX h PXAT 3000 FIELDS 1 a 7", "changed hash{a=7@3000 b=6}"},
      {"HPERSIST h FIELDS 1 a", "unchanged hash{a=5@1000 b=6}"},
      {"HPEXPIREAT h 3000 FIELDS 1 a", "changed hash{a=5@3000 b=6}"},
      {"HPEXPIREAT h 3000 NX FIELDS 1 a", "unchanged hash{a=5@1000 b=6}"},
      {"HPEXPIREAT h 500 FIELDS 1 a", "changed hash{a=5@500 b=6}"},
      {"HGETEX h PXAT 3000 FIELDS 1 a", "unchanged hash{a=5@1000 b=6}"},
      {"HGETDEL h FIELDS 1 a", "unchanged hash{a=5@1000 b=6}"},
      {"HDEL h a", "changed hash{b=6}"},
      {"HSET h a 7", "changed hash{a=7 b=6}"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.command);
    EngineCalls calls(kRedis);
    calls.run("HSETEX h PXAT 1000 FIELDS 1 a 5");
    calls.run("HSET h b 6");
    CHECK(run_with_clock(calls, row.command, 2000) == row.left);
  }
}

TEST_CASE("a field is seen up to its last millisecond, and without a clock for ever") {
  EngineCalls calls(kRedis);
  calls.run("HSETEX h PXAT 1000 FIELDS 1 a 5");
  CHECK(run_with_clock(calls, "HPERSIST h FIELDS 1 a", 1001) == "unchanged hash{a=5@1000}");
  CHECK(run_with_clock(calls, "HINCRBY h a 1", 1000) == "changed hash{a=6@1000}");
  CHECK(calls.run("HINCRBY h a 1") == "(integer) 7 changed");
  CHECK(calls.run("HPERSIST h FIELDS 1 a") == "[(integer) 1] changed");
}
