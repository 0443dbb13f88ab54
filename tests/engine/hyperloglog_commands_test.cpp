// Commands of HyperLogLogs; what is in them is tested in hyperloglog_test.cpp.
#include <doctest/doctest.h>

#include "support/engine_calls.hpp"

namespace persist::test {

TEST_CASE("commands of HyperLogLogs") {
  constexpr const char* kNone = "WRONGTYPE Key is not a valid HyperLogLog string value.";
  constexpr const char* kWrong = "WRONGTYPE Operation against a key holding the wrong kind of value";
  EngineCalls calls;
  calls.data.db(0).create("list").make_value<List>(calls.data.pool()).push_back("x");
  check_rows(calls, {
                        {"PFADD h", "(integer) 1 changed"},
                        {"PFADD h", "(integer) 0"},
                        {"PFADD h a b c", "(integer) 1 changed"},
                        {"PFADD h a", "(integer) 0"},
                        {"PEXPIREAT h 5", "(integer) 1 changed"},
                        {"PFCOUNT h", "(integer) 3 changed"},
                        {"PFCOUNT h", "(integer) 3"},
                        {"PFCOUNT none", "(integer) 0", "none", "none"},
                        {"PFADD g c d", "(integer) 1 changed"},
                        {"PFCOUNT h g none", "(integer) 4"},
                        {"PFCOUNT g h", "(integer) 4"},
                        {"PFMERGE h g none", "OK changed"},
                        {"PFCOUNT h", "(integer) 4 changed"},
                        {"PTTL h", "(integer) 0"},
                        {"PFDEBUG ENCODING h", "sparse"},
                        {"PFDEBUG TODENSE h", "(integer) 1 changed"},
                        {"PFDEBUG TODENSE h", "(integer) 0"},
                        {"PFDEBUG ENCODING h", "dense"},
                        {"STRLEN h", "(integer) 12304"},
                        {"PFCOUNT h", "(integer) 4"},
                        {"PFMERGE new h", "OK changed"},
                        {"PFDEBUG ENCODING new", "dense"},
                        {"PFDEBUG FOO h", "ERR Unknown PFDEBUG subcommand"},
                        {"PFDEBUG ENCODING none", "ERR The specified key does not exist"},
                        {"SET s word", "OK changed"},
                        {"PFADD s a", kNone},
                        {"PFCOUNT s", kNone},
                        {"PFCOUNT s h", kNone},
                        {"PFMERGE h s", kNone},
                        {"PFMERGE s h", kNone, "s", "string \"word\""},
                        {"PFDEBUG ENCODING s", kNone},
                        {"PFADD list a", kWrong},
                        {"PFCOUNT list", kWrong},
                        {"PFMERGE h list", kWrong},
                    });
}

TEST_CASE("a HyperLogLog that breaks off") {
  constexpr const char* kCorrupt = "INVALIDOBJ Corrupted HLL object detected";
  EngineCalls calls;
  check_rows(calls, {
                        {"SET h \"HYLL\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x80\\x7f\"",
                         "OK changed"},
                        {"PFADD h a", kCorrupt},
                        {"PFCOUNT h", kCorrupt},
                        {"PFCOUNT h none", kCorrupt},
                        {"PFMERGE d h", kCorrupt, "d", "none"},
                        {"PFDEBUG TODENSE h", kCorrupt},
                    });
}

TEST_CASE("a merge is dense where servers are older than 4.0") {
  EngineCalls calls({Dialect::redis, 302});
  check_rows(calls, {
                        {"PFADD h a", "(integer) 1 changed"},
                        {"PFMERGE d h", "OK changed"},
                        {"STRLEN d", "(integer) 12304"},
                        {"PFCOUNT d", "(integer) 1 changed"},
                    });
}

TEST_CASE("registers one by one") {
  EngineCalls calls;
  calls.run("PFADD h a");
  const std::string registers = calls.run("PFDEBUG GETREG h");
  CHECK(calls.effect() == Effect::changed);
  size_t zeros = 0;
  for (size_t at = 0; (at = registers.find("(integer) 0", at)) != std::string::npos; ++at) ++zeros;
  CHECK(zeros == 16383);
  calls.run("PFDEBUG GETREG h");
  CHECK(calls.effect() == Effect::unchanged);
}

}  // namespace persist::test
