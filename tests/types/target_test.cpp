// What each server accepts: the acceptance table of man/persist-rdb.5, cell by cell, and the headers.
#include "persist/target.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "support/rdb_builder.hpp"
#include "support/verbs.hpp"

using namespace persist;
using namespace persist::test;

namespace {

// The columns of the table, by one server of each.
constexpr Bytes kColumns[] = {"redis-2.2", "redis-2.4",  "redis-2.8", "redis-3.2", "redis-4.0",
                              "redis-6.2", "redis-7.0",  "redis-7.2", "redis-8.4", "redis-8.6",
                              "redis-8.8", "valkey-8.1", "valkey-9.0"};

struct Row {
  std::vector<uint8_t> codes;
  Bytes accepted;
  Dialect dialect = redis;
};

// man/persist-rdb.5, ACCEPTANCE
const std::vector<Row>& type_rows() {
  static const std::vector<Row> rows = {
      {{0, 1, 2, 3, 4}, "YYYYYYYYYYYYY"},
      {{9, 10, 11, 12}, "-YYYYYYYYYYYY"},
      {{13}, "--YYYYYYYYYYY"},
      {{14}, "---YYYYYYYYYY"},
      {{5, 7}, "----YYYYYYYYY"},
      {{6}, "----YYY------"},
      {{15}, "-----YYYYYYYY"},
      {{16, 17, 18, 19}, "------YYYYYYY"},
      {{20, 21}, "-------YYYYYY"},
      {{22, 23, 24, 25}, "--------YYY--"},
      {{22}, "------------Y", valkey},
      {{26}, "---------YY--"},
      {{27, 28}, "----------Y--"},
  };
  return rows;
}

const Target& target(Bytes name) {
  const Target* found = find_target(name);
  REQUIRE(found != nullptr);
  return *found;
}

// The code of the obstacle, if there is one.
std::optional<FindingCode> obstacle(Bytes name, Dialect dialect, decltype(RdbRecord::body) body,
                                    const RecordTraits& traits = {},
                                    VersionCheck check = VersionCheck::strict) {
  RdbRecord record;
  record.body = std::move(body);
  const std::optional<Finding> found = find_obstacle(target(name), check, dialect, record, traits);
  return found ? std::optional(found->code) : std::nullopt;
}

RdbEntry entry_of(Dialect dialect, uint8_t code) {
  RdbEntry entry;
  entry.encoding = find_encoding(dialect, code);
  REQUIRE(entry.encoding != nullptr);
  return entry;
}

RdbEntry string_entry() { return entry_of(redis, 0); }

void check_opcode(Bytes accepted, const decltype(RdbRecord::body)& body, Dialect dialect = redis) {
  for (size_t column = 0; column < std::size(kColumns); ++column) {
    CAPTURE(kColumns[column]);
    const std::optional<FindingCode> found = obstacle(kColumns[column], dialect, body);
    CHECK((found == FindingCode::target_opcode) == (accepted[column] == '-'));
  }
}

bool accepts_header(Bytes name, Dialect dialect, uint32_t version,
                    VersionCheck check = VersionCheck::strict) {
  return !obstacle(name, dialect, RdbHeader{dialect, version}, {}, check);
}

}  // namespace

TEST_CASE("targets: value types") {
  for (const Row& row : type_rows()) {
    for (const uint8_t code : row.codes) {
      for (size_t column = 0; column < std::size(kColumns); ++column) {
        CAPTURE(code);
        CAPTURE(kColumns[column]);
        const std::optional<FindingCode> found =
            obstacle(kColumns[column], row.dialect, entry_of(row.dialect, code));
        CHECK((found == FindingCode::target_encoding) == (row.accepted[column] == '-'));
      }
    }
  }
}

TEST_CASE("targets: opcodes") {
  RdbEntry entry = string_entry();
  entry.expire_at_ms = 5;
  check_opcode("--YYYYYYYYYYY", entry);
  entry.expiry_in_seconds = true;
  check_opcode("YYYYYYYYYYYYY", entry);
  entry = string_entry();
  entry.idle_s = 0;
  check_opcode("-----YYYYYYYY", entry);
  entry = string_entry();
  entry.freq = 0;
  check_opcode("-----YYYYYYYY", entry);
  entry = string_entry();
  const std::string meta = length(1) + le(key_meta_class("KMT1", 1, 1)) + length(0);
  entry.key_meta = meta;
  check_opcode("---------YY--", entry);
  check_opcode("---YYYYYYYYYY", AuxField{"a", "b"});
  check_opcode("---YYYYYYYYYY", ResizeDb{1, 0});
  check_opcode("YYYYYYYYYYYYY", SelectDb{0});
  check_opcode("-----YYYYYYYY", ModuleAux{"test__rdb", 1, 1, {}});
  check_opcode("------YYYYYYY", FunctionLibrary{"code", false, {}, {}, {}});
  check_opcode("------Y------", FunctionLibrary{"code", true, "name", "LUA", {}});
  check_opcode("--------YYY-Y", SlotInfo{1, 1, 0});
  check_opcode("------------Y", SlotImport{}, valkey);
  check_opcode("YYYYYYYYYYYYY", RdbEnd{});
}

TEST_CASE("targets: 64-bit lengths") {
  for (size_t column = 0; column < std::size(kColumns); ++column) {
    CAPTURE(kColumns[column]);
    const bool refused =
        obstacle(kColumns[column], redis, string_entry(), {true, {}}) == FindingCode::target_length;
    CHECK(refused == (column < 4));
  }
}

TEST_CASE("targets: Redis accepts every version up to its own, and no VALKEY") {
  const std::pair<Bytes, uint32_t> own[] = {
      {"redis-2.0", 1},  {"redis-2.2", 1},  {"redis-2.4", 2},  {"redis-2.6", 6},  {"redis-3.0", 6},
      {"redis-3.2", 7},  {"redis-4.0", 8},  {"redis-5.0", 9},  {"redis-6.2", 9},  {"redis-7.0", 10},
      {"redis-7.2", 11}, {"redis-7.4", 12}, {"redis-8.0", 12}, {"redis-8.2", 12}, {"redis-8.4", 12},
      {"redis-8.6", 13}, {"redis-8.8", 14}};
  for (const auto& row : own) {
    const Bytes name = row.first;
    const uint32_t most = row.second;
    for (uint32_t version = 0; version <= 20; ++version) {
      CAPTURE(name);
      CAPTURE(version);
      CHECK(accepts_header(name, redis, version) == (version >= 1 && version <= most));
      CHECK_FALSE(accepts_header(name, valkey, version));
    }
    CHECK_FALSE(accepts_header(name, valkey, 80));
    CHECK_FALSE(accepts_header(name, valkey, 80, VersionCheck::relaxed));
    CHECK_FALSE(accepts_header(name, redis, 80, VersionCheck::relaxed));
  }
}

TEST_CASE("targets: Valkey's headers, strict and relaxed") {
  constexpr VersionCheck kRelaxed = VersionCheck::relaxed;
  for (const Bytes name : {"valkey-7.2", "valkey-8.0"}) {
    CHECK(accepts_header(name, redis, 11));
    CHECK_FALSE(accepts_header(name, redis, 12));
    CHECK_FALSE(accepts_header(name, valkey, 80));
    CHECK_FALSE(accepts_header(name, valkey, 11));
  }
  CHECK(accepts_header("valkey-8.1", redis, 11));
  CHECK(accepts_header("valkey-8.1", valkey, 11));
  CHECK_FALSE(accepts_header("valkey-8.1", valkey, 80));
  CHECK(accepts_header("valkey-8.1", valkey, 80, kRelaxed));
  CHECK(accepts_header("valkey-8.1", valkey, 81, kRelaxed));
  CHECK_FALSE(accepts_header("valkey-8.1", redis, 12, kRelaxed));
  CHECK_FALSE(accepts_header("valkey-8.1", redis, 80, kRelaxed));
  for (const Bytes name : {"valkey-9.0", "valkey-9.1"}) {
    CHECK(accepts_header(name, redis, 1));
    CHECK(accepts_header(name, redis, 11));
    CHECK_FALSE(accepts_header(name, redis, 12));
    CHECK(accepts_header(name, valkey, 80));
    CHECK_FALSE(accepts_header(name, valkey, 79));
    CHECK_FALSE(accepts_header(name, valkey, 81));
    CHECK(accepts_header(name, redis, 12, kRelaxed));
    CHECK(accepts_header(name, redis, 79, kRelaxed));
    CHECK_FALSE(accepts_header(name, redis, 80, kRelaxed));
    CHECK(accepts_header(name, valkey, 81, kRelaxed));
    CHECK_FALSE(accepts_header(name, valkey, 79, kRelaxed));
  }
}

TEST_CASE("targets: under a REDIS magic, Valkey 9 refuses what is 22 to 243, relaxed or not") {
  for (const VersionCheck check : {VersionCheck::strict, VersionCheck::relaxed}) {
    CHECK(obstacle("valkey-9.0", redis, entry_of(redis, 22), {}, check) == FindingCode::target_encoding);
    CHECK(obstacle("valkey-9.0", redis, entry_of(redis, 24), {}, check) == FindingCode::target_encoding);
    CHECK_FALSE(obstacle("valkey-9.0", redis, SlotInfo{}, {}, check));
  }
}

TEST_CASE("targets: modules") {
  const RdbEntry module = entry_of(redis, 7);
  CHECK(obstacle("redis-7.4", redis, module, {false, "vectorset"}) == FindingCode::target_module);
  CHECK_FALSE(obstacle("redis-8.0", redis, module, {false, "vectorset"}));
  CHECK(obstacle("redis-8.0", redis, module, {false, "ReJSON-RL"}) == FindingCode::target_module);
  CHECK(obstacle("valkey-9.0", redis, module, {false, "vectorset"}) == FindingCode::target_module);
  CHECK(obstacle("redis-8.8", redis, ModuleAux{"test__rdb", 1, 1, {}}) == FindingCode::target_module);
  CHECK(obstacle("redis-7.0", redis, entry_of(redis, 6), {false, "test__rdb"}) == FindingCode::target_module);
}

TEST_CASE("targets: key metadata may be ignored only where its flags say so") {
  RdbEntry entry = string_entry();
  const auto with_flags = [](unsigned one, unsigned two) {
    return length(2) + le(key_meta_class("KMT1", 1, one)) + length(2) + length(7) + length(0) +
           le(key_meta_class("KMT2", 1, two)) + length(0);
  };
  const std::string both = with_flags(1, 1);
  const std::string only_first = with_flags(1, 0);
  entry.key_meta = both;
  CHECK_FALSE(obstacle("redis-8.6", redis, entry));
  entry.key_meta = only_first;
  CHECK(obstacle("redis-8.6", redis, entry) == FindingCode::target_module);
}

TEST_CASE("targets: databases and slot imports are told, as warnings") {
  CHECK_FALSE(obstacle("redis-7.2", redis, SelectDb{15}));
  CHECK(obstacle("redis-7.2", redis, SelectDb{16}) == FindingCode::target_databases);
  CHECK(obstacle("valkey-9.0", valkey, SlotImport{}) == FindingCode::target_slot_import);
  CHECK(finding_kind(FindingCode::target_databases).severity == Severity::warning);
  CHECK(finding_kind(FindingCode::target_slot_import).severity == Severity::warning);
}

TEST_CASE("targets: names") {
  CHECK(find_target("redis-7.2")->name == "redis-7.2");
  CHECK(find_target("redis-7.2.6")->name == "redis-7.2");
  CHECK(find_target("valkey-9.1.0")->name == "valkey-9.1");
  for (const Bytes name :
       {"", "redis", "redis-", "redis-7", "redis-7.20", "redis-9.0", "valkey-7.0", "Redis-7.2"}) {
    CAPTURE(name);
    CHECK(find_target(name) == nullptr);
  }
  for (const Target& target : targets()) CHECK(find_target(target.name) == &target);
}

TEST_CASE("targets: an obstacle names the record") {
  RdbRecord record;
  RdbEntry entry = entry_of(redis, 24);
  entry.db = 3;
  entry.key = "k";
  record.extent = {10, 20};
  record.body = entry;
  const auto found = find_obstacle(target("redis-7.2"), VersionCheck::strict, redis, record, {});
  REQUIRE(found.has_value());
  CHECK(found->extent == Extent{10, 20});
  CHECK(found->db == 3);
  CHECK(found->key == "k");
  CHECK(found->record == "hash-ttl");
}
