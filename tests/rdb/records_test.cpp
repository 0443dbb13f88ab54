// Records: what stands between and in front of keys, and how the reading goes on or ends at damage.
#include <doctest/doctest.h>

#include "persist/rdb_reader.hpp"
#include "support/files.hpp"
#include "support/notation.hpp"
#include "support/rdb_builder.hpp"
#include "support/samples.hpp"
#include "support/verbs.hpp"

using namespace persist;
using namespace persist::test;

namespace {

// Every record but entries, in words.
struct Describe {
  std::string operator()(const RdbHeader& header) const {
    return std::string(dialect_name(header.dialect)) + " " + std::to_string(header.version);
  }
  std::string operator()(const AuxField& aux) const {
    return "aux " + std::string(aux.name) + "=" + std::string(aux.value);
  }
  std::string operator()(const SelectDb& select) const { return "select " + std::to_string(select.db); }
  std::string operator()(const ResizeDb& resize) const {
    return "resize " + std::to_string(resize.keys) + " " + std::to_string(resize.volatile_keys);
  }
  std::string operator()(const SlotInfo& info) const {
    return "slot-info " + std::to_string(info.slot) + " " + std::to_string(info.keys) + " " +
           std::to_string(info.volatile_keys);
  }
  std::string operator()(const SlotImport& import) const {
    std::string text = "slot-import " + std::string(import.job);
    for (const SlotRange& range : import.slots)
      text += " " + std::to_string(range.first) + "-" + std::to_string(range.last);
    return text;
  }
  std::string operator()(const FunctionLibrary& library) const {
    std::string text = library.pre_release ? "pre-release function " : "function ";
    if (library.pre_release) text += std::string(library.name) + " " + std::string(library.engine) + " ";
    if (library.description) text += "(" + std::string(*library.description) + ") ";
    return text + std::string(library.code);
  }
  std::string operator()(const ModuleAux& aux) const {
    return "module-aux " + std::string(aux.module) + "/" + std::to_string(aux.encver) + " when " +
           std::to_string(aux.when) + " " + hex(aux.payload);
  }
  std::string operator()(const RdbEntry& entry) const { return "key " + std::string(entry.key); }
  std::string operator()(const RdbEnd& end) const {
    return "end " + std::string(checksum_state_name(end.checksum));
  }
};

struct Reading {
  std::vector<std::string> records;
  std::vector<Finding> findings;
  std::vector<Extent> extents;
  bool complete = false;
  uint64_t valid_up_to = 0;
};

Reading read(Bytes file) {
  const auto source = memory_source(file);
  FindingList findings;
  RdbReader reader(*source, findings);
  Reading reading;
  while (const RdbRecord* record = reader.next()) {
    reading.records.push_back(std::visit(Describe{}, record->body));
    reading.extents.push_back(record->extent);
  }
  CHECK(reader.next() == nullptr);
  reading.findings = findings.all;
  reading.complete = reader.complete();
  reading.valid_up_to = reader.valid_up_to();
  return reading;
}

std::string id_of(const Reading& reading) { return joined(ids_of(reading.findings)); }

RdbBuilder file14() { return RdbBuilder(redis, 14); }

}  // namespace

TEST_CASE("records: every opcode is told") {
  const Reading reading =
      read(file14()
               .aux("redis-ver", "8.8.0")
               .aux("ctime", "")
               .module_aux(module_id_of("test__rdb", 2), 1, length(2) + length(5) + length(0))
               .function("#!lua name=lib\ncode")
               .function_pre_release("lib2", "LUA", Bytes("says"), "code2")
               .function_pre_release("lib3", "LUA", std::nullopt, "code3")
               .select(0)
               .resize(1, 70000)
               .slot_info(16383, 3, 2)
               .string("k", "v")
               .aux("lua", "return 1")
               .module_aux(module_id_of("test__rdb", 2), 2, length(0))
               .eof());
  CHECK(joined(reading.records) ==
        "redis 14\naux redis-ver=8.8.0\naux ctime=\nmodule-aux test__rdb/2 when 1 020500\n"
        "function #!lua name=lib\ncode\npre-release function lib2 LUA (says) code2\n"
        "pre-release function lib3 LUA code3\nselect 0\nresize 1 70000\nslot-info 16383 3 2\nkey k\n"
        "aux lua=return 1\nmodule-aux test__rdb/2 when 2 00\nend good\n");
  CHECK(id_of(reading).empty());
  CHECK(reading.complete);
}

TEST_CASE("records: code 243 by dialect") {
  CHECK(read(RdbBuilder(valkey, 80).slot_import("job", {{0, 5}, {100, 16383}}).eof()).records[1] ==
        "slot-import job 0-5 100-16383");
  CHECK(read(RdbBuilder(valkey, 80).slot_import("job", {}).eof()).records[1] == "slot-import job");
  CHECK(tell(file14().key_meta(1, le(key_meta_class("KMT1", 1, 1)) + length(0)).string("k", "v").eof())
            .lines[0] == "meta=6 k = string \"v\"");
}

TEST_CASE("records: numbers and strings of AUX fields may be in any form") {
  CHECK(read(file14().raw("\xfa").str("a").raw(integer_string(64)).eof()).records[1] == "aux a=64");
  CHECK(read(file14().raw("\xfa").raw(lzf_string("aaaaaaaaaaaa")).raw(integer_string(-70000)).eof())
            .records[1] == "aux aaaaaaaaaaaa=-70000");
}

TEST_CASE("records: extents join up, from the magic to the checksum") {
  for (const Sample& sample : samples()) {
    CAPTURE(sample.name);
    const Reading reading = read(sample.file);
    uint64_t at = 0;
    for (const Extent& extent : reading.extents) {
      CHECK(extent.offset == at);
      at = extent.end();
    }
    CHECK(at == sample.file.size());
    CHECK(reading.valid_up_to == sample.file.size());
  }
}

TEST_CASE("prefixes: in any order, repeated, for one key only") {
  const Told told = tell(file14()
                             .expire_ms(5)
                             .idle(7)
                             .string("a", "1")
                             .freq(9)
                             .expire_ms(6)
                             .expire_ms(-2)
                             .string("b", "2")
                             .string("c", "3")
                             .expire_ms(-1)
                             .string("d", "4")
                             .expire_s(-1)
                             .string("e", "5")
                             .expire_s(7)
                             .expire_ms(8)
                             .string("f", "6")
                             .eof());
  CHECK(joined(told.lines) ==
        "@5 idle=7 a = string \"1\"\n@-2 freq=9 b = string \"2\"\nc = string \"3\"\nd = string \"4\"\n"
        "@-1000 seconds e = string \"5\"\n@8 f = string \"6\"\n");
  CHECK(told.findings.empty());
}

TEST_CASE("prefixes: carried over whatever is not a key, with a warning") {
  const Told told =
      tell(file14().expire_ms(5).select(2).idle(3).aux("a", "b").string("k", "v").string("l", "w").eof());
  CHECK(joined(told.lines) == "db2 @5 idle=3 k = string \"v\"\ndb2 l = string \"w\"\n");
  CHECK(joined(told.findings) == "rdb.misplaced-prefix\nrdb.misplaced-prefix\n");
  const Told at_end = tell(file14().string("k", "v").expire_ms(5).eof());
  CHECK(joined(at_end.findings) == "rdb.misplaced-prefix\n");
  CHECK(at_end.complete);
}

TEST_CASE("key metadata: must stand right before a key, with one to seven classes") {
  const std::string one_class = le(key_meta_class("KMT1", 1, 1)) + length(0);
  const auto id = [&](const RdbBuilder& builder) { return id_of(read(builder.eof())); };
  CHECK(id(file14().key_meta(1, one_class).string("k", "v")).empty());
  CHECK(id(file14().expire_ms(5).idle(1).key_meta(1, one_class).string("k", "v")).empty());
  CHECK(id(file14().key_meta(1, one_class).expire_ms(5).string("k", "v")) == "rdb.bad-key-meta\n");
  CHECK(id(file14().key_meta(1, one_class).select(0).string("k", "v")) == "rdb.bad-key-meta\n");
  CHECK(id(file14().key_meta(1, one_class)) == "rdb.bad-key-meta\n");
  CHECK(id(file14().key_meta(0, "").string("k", "v")) == "rdb.bad-key-meta\n");
  CHECK(id(file14().key_meta(8, one_class).string("k", "v")) == "rdb.bad-key-meta\n");
  std::string seven;
  for (int i = 0; i < 7; ++i) seven += one_class;
  CHECK(id(file14().key_meta(7, seven).string("k", "v")).empty());
  CHECK(id(file14().key_meta(1, one_class.substr(0, 4) + length(9)).string("k", "v")) == "module.damaged\n");
}

TEST_CASE("key metadata: what is wrong names its place, and what came before was read") {
  RdbBuilder builder = file14();
  builder.string("before", "1");
  const uint64_t at = builder.size() + 7;
  builder.key_meta(1, le(key_meta_class("KMT1", 1, 1)) + length(0)).aux("a", "b").string("k", "v");
  const Reading reading = read(builder.eof());
  CHECK(joined(reading.records) == "redis 14\nkey before\n");
  REQUIRE(reading.findings.size() == 1);
  CHECK(reading.findings[0].extent == Extent{at, 1});
  CHECK_FALSE(reading.complete);
}

TEST_CASE("codes: unknown ones end the reading, with their place") {
  for (const int code : {8, 34, 100, 200, 241, 242}) {
    CAPTURE(code);
    RdbBuilder builder(valkey, 80);
    builder.select(0).string("before", "1");
    const uint64_t at = builder.size();
    const Reading reading =
        read(builder.key(static_cast<uint8_t>(code), "k").str("v").string("l", "w").eof());
    CHECK(joined(reading.records) == "valkey 80\nselect 0\nkey before\n");
    CHECK(id_of(reading) == (code == 242 ? "rdb.unestablished-code\n" : "rdb.unknown-code\n"));
    REQUIRE(reading.findings.size() == 1);
    CHECK(reading.findings[0].extent == Extent{at, 1});
    CHECK(reading.valid_up_to == at);
    CHECK_FALSE(reading.complete);
  }
}

TEST_CASE("codes: those whose layout is not established are called so, by dialect") {
  const auto id = [](Dialect dialect, unsigned version, uint8_t code) {
    return id_of(read(RdbBuilder(dialect, version).select(0).string("a", "1").key(code, "k").str("v").eof()));
  };
  for (const uint8_t code : {uint8_t{29}, uint8_t{30}, uint8_t{31}, uint8_t{32}, uint8_t{33}, uint8_t{242}}) {
    CAPTURE(code);
    CHECK(id(redis, 15, code) ==
          (code == 242 || code < 34 ? "rdb.unknown-version\nrdb.unestablished-code\n" : ""));
    CHECK(id(redis, 14, code) == "rdb.unestablished-code\n");
  }
  CHECK(id(valkey, 80, 23) == "rdb.unestablished-code\n");
  CHECK(id(valkey, 80, 242) == "rdb.unestablished-code\n");
  for (const uint8_t code : {uint8_t{24}, uint8_t{25}, uint8_t{26}, uint8_t{28}, uint8_t{29}, uint8_t{33}})
    CHECK(id(valkey, 80, code) == "rdb.unknown-code\n");
}

TEST_CASE("databases: numbers, repeated, none") {
  CHECK(joined(tell(file14().string("k", "v").eof()).lines) == "k = string \"v\"\n");
  CHECK(joined(tell(file14().select(3).string("k", "v").select(3).select(0).string("k", "v").eof()).lines) ==
        "db3 k = string \"v\"\nk = string \"v\"\n");
  CHECK(id_of(read(file14().select(0x7fffffff).eof())).empty());
  CHECK(id_of(read(file14().select(0x80000000).eof())) == "rdb.db-range\n");
  CHECK(id_of(read(file14().raw("\xfe").raw(long_length(uint64_t{1} << 63)).eof())) == "rdb.db-range\n");
}

TEST_CASE("module aux: malformed ones end the reading") {
  const auto id = [](const std::string& behind_id) {
    return id_of(
        read(file14().raw("\xf7").raw(long_length(module_id_of("test__rdb", 1))).raw(behind_id).eof()));
  };
  CHECK(id(length(2) + length(1) + length(0)).empty());
  CHECK(id(length(1) + length(1) + length(0)) == "module.damaged\n");
  CHECK(id(length(2) + length(0) + length(0)) == "module.damaged\n");
  CHECK(id(length(2) + length(3) + length(0)) == "module.damaged\n");
  CHECK(id(length(2) + length(1) + length(6)) == "module.damaged\n");
}

TEST_CASE("the end: checksums") {
  RdbBuilder builder = file14();
  builder.string("k", "v");
  CHECK(read(builder.eof()).records.back() == "end good");
  const Reading disabled = read(builder.eof(0));
  CHECK(disabled.records.back() == "end disabled");
  CHECK(id_of(disabled) == "rdb.checksum-disabled\n");
  const Reading bad = read(builder.eof(0x1234));
  CHECK(bad.records.back() == "end bad");
  CHECK(id_of(bad) == "rdb.checksum-mismatch\n");
  CHECK(bad.complete);
  CHECK(bad.findings[0].found == "0000000000001234");
  CHECK(bad.findings[0].extent == Extent{builder.size() + 1, 8});
}

TEST_CASE("the end: versions before 5 have no checksum") {
  CHECK(read(RdbBuilder(redis, 4).string("k", "v").eof()).records.back() == "end absent");
  CHECK(id_of(read(RdbBuilder(redis, 4).eof() + std::string(8, 'x'))) == "rdb.trailing-bytes\n");
}

TEST_CASE("the end: bytes behind it") {
  CHECK(id_of(read(file14().eof() + "x")) == "rdb.trailing-bytes\n");
  CHECK(id_of(read(file14().eof() + file14().eof())) == "rdb.trailing-bytes\n");
  CHECK(id_of(read(file14().eof() + "*1\r\n$4\r\nPING\r\n")) == "rdb.aof-tail\n");
  CHECK(id_of(read(file14().eof() + "#TS:1\r\n*1\r\n$4\r\nPING\r\n")) == "rdb.aof-tail\n");
  CHECK(read(file14().eof() + "x").complete);
  const Reading reading = read(file14().eof() + "four");
  CHECK(reading.findings[0].extent == Extent{file14().eof().size(), 4});
}

TEST_CASE("damage: a value whose framing is intact is passed over, alone") {
  RdbBuilder builder = file14();
  builder.select(1).string("before", "1");
  const uint64_t bad_at = builder.size();
  builder.expire_ms(77).blob(16, "bad", ListpackBuilder().add("f").add("v").count(9).bytes());
  const std::string file = builder.string("after", "2").eof();
  const Reading reading = read(file);
  CHECK(joined(reading.records) == "redis 14\nselect 1\nkey before\nkey after\nend good\n");
  REQUIRE(reading.findings.size() == 1);
  const Finding& finding = reading.findings[0];
  CHECK(finding.kind().id == "listpack.count-mismatch");
  CHECK(finding.db == 1);
  CHECK(finding.key == "bad");
  CHECK(finding.record == "hash-listpack");
  CHECK(finding.file == "<memory>");
  CHECK(finding.extent.offset == bad_at + 9 + 1 + 4 + 1 + 4);
  CHECK(reading.complete);
  CHECK(reading.valid_up_to == bad_at);
  CHECK(joined(tell(file).lines) == "db1 before = string \"1\"\ndb1 after = string \"2\"\n");
}

TEST_CASE("damage: a value without a certain end ends the reading") {
  for (Bytes value : {"c5", "82", "81 8000000000000000"}) {
    CAPTURE(value);
    RdbBuilder builder = file14();
    builder.string("before", "1");
    const uint64_t bad_at = builder.size();
    const Reading reading = read(builder.key(4, "bad").len(1).raw(unhex(value)).string("after", "2").eof());
    CHECK(joined(reading.records) == "redis 14\nkey before\n");
    CHECK(reading.findings.size() == 1);
    CHECK(reading.findings[0].key == "bad");
    CHECK_FALSE(reading.complete);
    CHECK(reading.valid_up_to == bad_at);
  }
}

TEST_CASE("damage: places inside a compressed string are told in what it inflates to") {
  const std::string blob = ListpackBuilder().add("f").add(std::string(100, 'z')).count(9).bytes();
  RdbBuilder builder = file14();
  const uint64_t string_at = builder.size() + 3;
  const Reading reading = read(builder.compressed().blob(16, "k", blob).eof());
  REQUIRE(reading.findings.size() == 1);
  CHECK(reading.findings[0].extent == Extent{string_at, 0});
  CHECK(reading.findings[0].inflated_offset == 4);
  CHECK(reading.findings[0].context_offset == 0);
}

TEST_CASE("damage: many broken values, all told once, the rest read") {
  const Told told = tell(long_file(3000, 10));
  CHECK(told.findings.size() == 300);
  CHECK(told.lines.size() == 2700);
  CHECK(told.complete);
}

TEST_CASE("reader: what is truncated is told with the carrier's damage first") {
  const TempFolder folder;
  const std::string packed = gzip_of(long_file(2000));
  const auto source = open_source(folder.file("torn.gz", packed.substr(0, packed.size() / 2)));
  const Told told = tell(*source);
  CHECK(joined(told.findings) == "source.gzip-damaged\nrdb.truncated\n");
  CHECK(told.lines.size() > 100);
  CHECK_FALSE(told.complete);
}

TEST_CASE("reader: visit() tells the value as often as one likes, and nothing where there is none") {
  const std::string file = file14().select(0).set("k", {"a", "b"}).eof();
  const auto source = memory_source(file);
  FindingList findings;
  RdbReader reader(*source, findings);
  size_t elements = 0;
  const auto count = [&](const Element&) { ++elements; };
  reader.visit(count);
  REQUIRE(reader.next() != nullptr);  // the header
  reader.visit(count);
  REQUIRE(reader.next() != nullptr);  // the database
  reader.visit(count);
  CHECK(elements == 0);
  REQUIRE(reader.next() != nullptr);
  for (int i = 0; i < 3; ++i) reader.visit(count);
  CHECK(elements == 6);
}

TEST_CASE("reader: next_head() and read_value()") {
  const std::string file =
      file14().string("a", "1").blob(16, "bad", ListpackBuilder().add("f").bytes()).string("b", "2").eof();
  const auto source = memory_source(file);
  FindingList findings;
  RdbReader reader(*source, findings);
  std::string told;
  const auto tell_value = [&](const Element& element) {
    if (const auto* value = std::get_if<StringValue>(&element)) told += value->value;
  };
  while (const RdbRecord* record = reader.next_head()) {
    const auto* entry = std::get_if<RdbEntry>(&record->body);
    if (entry == nullptr) {
      CHECK_FALSE(reader.read_value(tell_value));
      continue;
    }
    told += std::string(entry->key) + "=";
    const bool bad = entry->key == "bad";
    CHECK(reader.read_value(tell_value) == !bad);
    CHECK_FALSE(reader.read_value(tell_value));  // it has been read
    told += ";";
  }
  CHECK(told == "a=1;bad=;b=2;");
  CHECK(joined(ids_of(findings.all)) == "container.odd-entries\n");
  CHECK(reader.complete());
}

TEST_CASE("reader: skipping over a pipe does not overflow at hostile counts") {
  // A consumer that owns 2^60 entries of 16 bytes: 2^64 bytes, which is 0 to whoever multiplies carelessly.
  const std::string file = RdbBuilder(redis, 11)
                               .select(0)
                               .key(21, "stream")
                               .raw(unhex("00 00 00 00 00 00 00 00 00"))
                               .len(1)
                               .str("group")
                               .raw(unhex("00 00 00 00"))
                               .len(1)
                               .str("consumer")
                               .raw(std::string(16, '\0'))
                               .raw(long_length(uint64_t{1} << 60))
                               .string("invented", "v")
                               .eof();
  PipedSource pipe(file);
  FindingList findings;
  RdbReader reader(pipe.source(), findings);
  std::vector<std::string> keys;
  while (const RdbRecord* record = reader.next_head()) {
    if (const auto* entry = std::get_if<RdbEntry>(&record->body)) keys.emplace_back(entry->key);
  }
  CHECK(joined(keys) == "stream\n");
  CHECK_FALSE(reader.complete());
  CHECK(findings.all.size() == 1);
}
