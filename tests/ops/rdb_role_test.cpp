// What a file of a set begins with, and whether commands may follow, by its place, its name and its head.
#include "ops/rdb_role.hpp"

#include <doctest/doctest.h>

#include "support/rdb_builder.hpp"

using namespace persist;
using namespace persist::test;

TEST_CASE("rdb_role: what is RDB data, and what may follow it") {
  const std::string plain = RdbBuilder(redis, 11).select(0).string("k", "v").eof();
  const std::string preamble = RdbBuilder(redis, 9).aux("aof-preamble", "1").select(0).eof();
  const std::string no_preamble = RdbBuilder(redis, 9).aux("aof-preamble", "0").select(0).eof();
  const std::string old = RdbBuilder(redis, 6).select(0).string("k", "v").eof();
  const std::string commands = "*1\r\n$4\r\nPING\r\n";
  const std::string zeros(64, '\0');
  struct Row {
    const char* name;
    PartRole role;
    const std::string& bytes;
    bool is_rdb;
    bool may_be_followed;
  };
  const Row rows[] = {
      {"dump.rdb", PartRole::single, plain, true, false},
      {"dump.rdb", PartRole::single, preamble, true, true},
      {"dump.rdb", PartRole::single, zeros, true, false},
      {"dump", PartRole::single, plain, true, true},
      {"dump", PartRole::single, no_preamble, true, false},
      {"dump", PartRole::single, old, true, false},
      {"appendonly.aof", PartRole::single, plain, true, true},
      {"appendonly.aof", PartRole::single, no_preamble, true, true},
      {"appendonly.aof", PartRole::single, commands, false, false},
      {"appendonly.aof", PartRole::single, zeros, true, true},
      {"a.1.base.rdb", PartRole::base, plain, true, false},
      {"a.1.base.rdb", PartRole::base, preamble, true, false},
      {"a.1.base.rdb", PartRole::base, zeros, true, false},
      {"a.1.base.aof", PartRole::base, commands, false, false},
      {"a.1.incr.aof", PartRole::incr, commands, false, false},
      {"a.1.incr.aof", PartRole::incr, zeros, false, false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    CAPTURE(row.bytes.substr(0, 20));
    SetPart part;
    part.name = row.name;
    part.role = row.role;
    const auto source = memory_source(row.bytes);
    const bool has_magic = row.bytes.starts_with("REDIS");
    const RdbRole role = rdb_role(part, *source, has_magic);
    CHECK(role.is_rdb == row.is_rdb);
    CHECK(role.may_be_followed == row.may_be_followed);
  }
}

TEST_CASE("rdb_role: an empty file is RDB data only by its name") {
  SetPart part;
  const auto source = memory_source("");
  part.name = "appendonly.aof";
  CHECK_FALSE(rdb_role(part, *source, false).is_rdb);
  part.name = "dump.rdb";
  CHECK(rdb_role(part, *source, false).is_rdb);
}
