// Commands of bits; the arithmetic itself is tested in bit_field_test.cpp.
#include <doctest/doctest.h>

#include "support/engine_calls.hpp"

namespace persist::test {

namespace {

constexpr const char* kWrong = "WRONGTYPE Operation against a key holding the wrong kind of value";
constexpr const char* kNoInteger = "ERR value is not an integer or out of range";
constexpr const char* kBadOffset = "ERR bit offset is not an integer or out of range";
constexpr const char* kBadType =
    "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.";

void add_list(EngineCalls& calls) {
  Pool& pool = calls.data.pool();
  calls.data.db(0).create("list").make_value<List>(pool).push_back("x");
}

}  // namespace

TEST_CASE("SETBIT and GETBIT") {
  EngineCalls calls;
  add_list(calls);
  check_rows(calls, {
                        {"SETBIT k 1 1", "(integer) 0 changed", "k", "string \"@\""},
                        {"SETBIT k 1 1", "(integer) 1"},
                        {"SETBIT k 15 1", "(integer) 0 changed"},
                        {"SETBIT k 16 0", "(integer) 0 changed"},
                        {"GET k", "\"@\\x01\\x00\""},
                        {"SETBIT k 1 0", "(integer) 1 changed"},
                        {"GETBIT k 15", "(integer) 1"},
                        {"GETBIT k 99", "(integer) 0"},
                        {"GETBIT none 0", "(integer) 0"},
                        {"GETBIT list 0", kWrong},
                        {"SETBIT list 0 1", kWrong},
                        {"GETBIT k x", kBadOffset},
                        {"GETBIT k -1", kBadOffset},
                        {"SETBIT k x 1", kBadOffset},
                        {"SETBIT k 0 2", "ERR bit is not an integer or out of range"},
                        {"SETBIT none 4294967296 1", kBadOffset, "none", "none"},
                        {"SETBIT none 9223372036854775807 1", kBadOffset, "none", "none"},
                    });
  // Older servers count every SETBIT as a change.
  EngineCalls old({Dialect::redis, 602});
  check_rows(old, {{"SETBIT k 1 1", "(integer) 0 changed"}, {"SETBIT k 1 1", "(integer) 1 changed"}});
}

TEST_CASE("BITCOUNT and BITPOS") {
  EngineCalls calls;
  add_list(calls);
  check_rows(calls, {
                        {"SET k foobar", "OK changed"},
                        {"SET ones \"\\xff\\xff\"", "OK changed"},
                        {"BITCOUNT k", "(integer) 26"},
                        {"BITCOUNT k 1 1", "(integer) 6"},
                        {"BITCOUNT k 5 30 BIT", "(integer) 17"},
                        {"BITCOUNT none", "(integer) 0"},
                        {"BITCOUNT list", kWrong},
                        {"BITCOUNT k 1", "ERR syntax error"},
                        {"BITCOUNT k 1 2 WORD", "ERR syntax error"},
                        {"BITCOUNT k x 2", kNoInteger},
                        {"BITPOS k 1", "(integer) 1"},
                        {"BITPOS k 0", "(integer) 0"},
                        {"BITPOS ones 0", "(integer) 16"},
                        {"BITPOS ones 0 1", "(integer) 16"},
                        {"BITPOS ones 0 0 -1", "(integer) -1"},
                        {"BITPOS ones 1 9 -1 BIT", "(integer) 9"},
                        {"BITPOS none 0", "(integer) 0"},
                        {"BITPOS none 1", "(integer) -1"},
                        {"BITPOS list 1", kWrong},
                        {"BITPOS k 2", "ERR The bit argument must be 1 or 0."},
                        {"BITPOS k x", kNoInteger},
                        {"BITPOS k 1 x", kNoInteger},
                        {"BITPOS k 1 0 x", kNoInteger},
                        {"BITPOS k 1 0 1 WORD", "ERR syntax error"},
                        {"BITPOS k 1 0 1 BIT x", "ERR syntax error"},
                    });
}

TEST_CASE("BITOP") {
  EngineCalls calls;
  add_list(calls);
  check_rows(calls, {
                        {"MSET a abc b ABCD", "OK changed"},
                        {"PEXPIREAT b 5", "(integer) 1 changed"},
                        {"BITOP AND d a b", "(integer) 4 changed"},
                        {"GET d", "\"ABC\\x00\""},
                        {"BITOP or b a b", "(integer) 4 changed", "b", "string \"abcD\""},
                        {"BITOP NOT d a", "(integer) 3 changed"},
                        {"GET d", "\"\\x9e\\x9d\\x9c\""},
                        {"BITOP XOR list a none", "(integer) 3 changed", "list", "string \"abc\""},
                        {"BITOP AND d none nope", "(integer) 0 changed", "d", "none"},
                        {"BITOP AND d none nope", "(integer) 0"},
                        {"BITOP NOT d a b", "ERR BITOP NOT must be called with a single source key."},
                        {"BITOP DIFF d a b", "ERR syntax error"},
                        {"BITOP FOO d a b", "ERR syntax error"},
                    });
  EngineCalls later({Dialect::redis, 802});
  add_list(later);
  check_rows(later, {
                        {"MSET a abc b \"\\x01\"", "OK changed"},
                        {"BITOP DIFF d a b", "(integer) 3 changed", "d", "string \"`bc\""},
                        {"BITOP DIFF d a", "ERR BITOP must be called with at least two source keys."},
                        {"BITOP OR d a list", kWrong, "d", "string \"`bc\""},
                    });
}

TEST_CASE("BITFIELD") {
  EngineCalls calls;
  add_list(calls);
  check_rows(calls, {
                        {"BITFIELD k GET u8 0", "[(integer) 0]", "k", "none"},
                        {"BITFIELD k SET u8 0 97 INCRBY u8 #1 98 GET u8 0",
                         "[(integer) 0, (integer) 98, (integer) 97] "
                         "changed",
                         "k", "string \"ab\""},
                        {"BITFIELD k SET u8 0 97", "[(integer) 97]", "k", "string \"ab\""},
                        {"BITFIELD k SET u4 12 353", "[(integer) 2] changed", "k", "string \"aa\""},
                        {"BITFIELD k OVERFLOW SAT INCRBY i8 0 100 OVERFLOW FAIL INCRBY u8 8 200",
                         "[(integer) 127, (nil)] changed"},
                        {"BITFIELD short OVERFLOW FAIL INCRBY u4 8 16", "[(nil)]"},
                        {"STRLEN short", "(integer) 2"},
                        {"BITFIELD_RO k GET u8 8", "[(integer) 97]"},
                        {"BITFIELD_RO k SET u8 8 1", "ERR BITFIELD_RO only supports the GET subcommand"},
                        {"BITFIELD k", "[]"},
                        {"BITFIELD list GET u8 0", kWrong},
                        {"BITFIELD_RO list GET u8 0", kWrong},
                        {"BITFIELD list SET u8 0 1", kWrong},
                        {"BITFIELD k GET u64 0", kBadType},
                        {"BITFIELD k GET u8 -1", kBadOffset},
                        {"BITFIELD k GET u8 #x", kBadOffset},
                        {"BITFIELD none SET u8 4294967290 1", kBadOffset, "none", "none"},
                        {"BITFIELD k SET u8 0 x", kNoInteger},
                        {"BITFIELD k OVERFLOW x", "ERR Invalid OVERFLOW type specified"},
                        {"BITFIELD k GET u8", "ERR syntax error"},
                        {"BITFIELD k FOO u8 0", "ERR syntax error"},
                    });
}

}  // namespace persist::test
