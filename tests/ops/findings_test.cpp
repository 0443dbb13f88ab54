// The table of findings, provoked row by row: what must be done to a file to make the check say each of them,
// and that it says nothing else. A finding that nothing here provokes fails the test.
#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <set>

#include "base/crc64.hpp"
#include "io/block_source.hpp"
#include "support/files.hpp"
#include "support/rdb_builder.hpp"
#include "support/salvages.hpp"
#include "support/samples.hpp"
#include "support/verbs.hpp"

using namespace persist;
using namespace persist::test;

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

struct Row {
  Bytes id;
  std::string file;
};

// Findings that need another way than a file: another test provokes them.
const std::set<std::string> kElsewhere = {
    "rdb.duplicates-unknown",  // ops/duplicates_test.cpp: millions of keys, and no folder to spill to
};

// Of logs and sets: ops/check_set_test.cpp provokes them all. Of replays: ops/replay_test.cpp does. Of gates:
// the tool reports them. Of JSON Lines: text/json_reader_test.cpp does. Of clusters:
// ops/check_cluster_test.cpp.
bool is_of_others(Bytes id) {
  if (id == "set.duplicate-member") return false;  // of the type
  constexpr Bytes kPrefixes[] = {"aof.", "manifest.", "set.", "replay.", "gate.", "json.", "cluster."};
  return std::ranges::any_of(kPrefixes, [&](Bytes prefix) { return id.starts_with(prefix); });
}

RdbBuilder file14() { return RdbBuilder(redis, 14); }

// A value between two others that are sound.
std::string around(const std::function<void(RdbBuilder&)>& add, Dialect dialect = redis,
                   unsigned version = 14) {
  RdbBuilder builder(dialect, version);
  builder.select(0).string("before", "1");
  add(builder);
  return builder.string("after", "2").eof();
}

std::string with_blob(uint8_t type, const std::string& bytes) {
  return around([&](RdbBuilder& b) { b.blob(type, "k", bytes); });
}

std::string with_value(uint8_t type, const std::string& bytes) {
  return around([&](RdbBuilder& b) { b.key(type, "k").raw(bytes); });
}

// A stream whose only node is this listpack; it states a length of one and a last ID of 1-1.
std::string with_node(const ListpackBuilder& node, const std::string& key = raw_id({1, 1})) {
  return around([&](RdbBuilder& b) {
    b.key(15, "k").len(1).str(key).str(node.bytes()).len(1).raw(length_id({1, 1})).len(0);
  });
}

// The beginning of a node: live and deleted entries, one field "f".
ListpackBuilder node(int64_t live, int64_t deleted) {
  ListpackBuilder builder;
  return builder.add_number(live).add_number(deleted).add_number(1).add("f").add_number(0);
}

StreamSpec one_entry() {
  StreamSpec spec;
  spec.entries = {{{1, 1}, {{"f", "v"}}}};
  spec.last_id = {1, 1};
  return spec;
}

std::string with_stream(const std::function<void(StreamSpec&)>& change, int layout = 5) {
  StreamSpec spec = one_entry();
  change(spec);
  return around([&](RdbBuilder& b) { b.stream("k", layout, spec); });
}

std::vector<Row> input_rows() {
  return {
      {"input.empty", ""},
      {"input.all-nul", std::string(100, '\0')},
      {"input.aof", "*1\r\n$4\r\nPING\r\n"},
      {"input.manifest", "file a.rdb seq 1 type b\n"},
      {"input.html", "<html>"},
      {"input.json", "{}"},
      {"input.archive", "PK\x03\x04"},
      {"input.valkey-envelope", "VKCS"},
      {"input.not-an-rdb", "hello"},
  };
}

std::vector<Row> framing_rows() {
  const std::string meta = le(key_meta_class("KMT1", 1, 1)) + length(0);
  const std::string whole = file14().string("k", "v").eof();
  std::string bad_version = "REDIS00x1\xff";
  bad_version += le(crc64(0, bad_version));
  return {
      {"rdb.truncated", whole.substr(0, whole.size() - 1)},
      {"rdb.bad-version", bad_version},
      {"rdb.unknown-version", RdbBuilder(redis, 15).eof()},
      {"rdb.unknown-code", around([](RdbBuilder& b) { b.key(100, "k"); })},
      {"rdb.unestablished-code", around([](RdbBuilder& b) { b.raw("\xf2"); })},
      {"rdb.bad-length", with_value(1, "\x82")},
      {"rdb.length-overrun", with_value(1, length(1'000'000))},
      {"rdb.bad-string", with_value(0, "\xc7")},
      {"rdb.db-range", around([](RdbBuilder& b) { b.select(uint64_t{1} << 31); })},
      {"rdb.misplaced-prefix", file14().expire_ms(5).select(0).string("k", "v").eof()},
      {"rdb.bad-key-meta", file14().key_meta(8, meta).string("k", "v").eof()},
      {"rdb.bad-slot-info", file14().aux("slot-info", "1,2").eof()},
      {"rdb.checksum-mismatch", file14().eof(1)},
      {"rdb.checksum-disabled", file14().eof(0)},
      {"rdb.trailing-bytes", whole + "x"},
      {"rdb.aof-tail", whole + "*1\r\n$4\r\nPING\r\n"},
      {"rdb.eof-mark", "$EOF:" + std::string(40, 'a') + "\r\n" + whole + std::string(40, 'b')},
      {"rdb.wrapper-length", "$7\r\n" + whole},
      {"rdb.duplicate-key", file14().string("k", "v").string("k", "v").eof()},
      {"rdb.empty-collection", with_value(1, length(0))},
      {"rdb.empty-collection", with_value(2, length(0))},
      {"rdb.empty-collection", with_value(4, length(0))},
      {"rdb.empty-collection", with_value(5, length(0))},
      {"rdb.empty-collection", with_value(18, length(0))},
      {"rdb.empty-collection", with_blob(10, ZiplistBuilder().bytes())},
      {"rdb.empty-collection", with_blob(16, ListpackBuilder().bytes())},
      {"rdb.empty-collection", with_blob(20, ListpackBuilder().bytes())},
      {"function.bad-library", file14().function("return 1").eof()},
      {"function.bad-library", file14().function("#!lua\nname=x").eof()},
      {"function.duplicate-library", file14().function("#!lua name=a\n1").function("#!lua name=a\n2").eof()},
      {"function.duplicate-library",
       file14().function("#!lua name=a\n1").function_pre_release("a", "LUA", std::nullopt, "2").eof()},
  };
}

std::vector<Row> container_rows() {
  ListpackBuilder pairs;
  pairs.add("f").add("v");
  return {
      {"lzf.damaged", with_value(0, unhex("c3 02 05 2000"))},
      {"lzf.length-mismatch", with_value(0, unhex("c3 02 02 0061"))},
      {"zipmap.damaged", with_blob(9, ZipmapBuilder().add("f", "v").end("").bytes())},
      {"zipmap.count-mismatch", with_blob(9, ZipmapBuilder().add("f", "v").count(2).bytes())},
      {"ziplist.size-mismatch", with_blob(10, ZiplistBuilder().add("a").total(5).bytes())},
      {"ziplist.bad-entry", with_blob(10, ZiplistBuilder().entry("\xc1").bytes())},
      {"ziplist.prevlen-mismatch", with_blob(10, ZiplistBuilder().next_prevlen("\x01").add("a").bytes())},
      {"ziplist.tail-mismatch", with_blob(10, ZiplistBuilder().add("a").tail(11).bytes())},
      {"ziplist.count-mismatch", with_blob(10, ZiplistBuilder().add("a").count(2).bytes())},
      {"intset.size-mismatch", with_blob(11, IntsetBuilder(2).add(1).width(3).bytes())},
      {"intset.unsorted", with_blob(11, IntsetBuilder(2).add(2).add(1).bytes())},
      {"intset.empty", with_blob(11, IntsetBuilder(2).bytes())},
      {"listpack.size-mismatch", with_blob(20, ListpackBuilder().add("a").total(5).bytes())},
      {"listpack.bad-entry", with_blob(20, ListpackBuilder().raw("\xf9\x01", 1).bytes())},
      {"listpack.length-overrun", with_blob(20, ListpackBuilder().raw("\x85", 1).bytes())},
      {"listpack.backlen-mismatch", with_blob(20, ListpackBuilder().next_backlen("\x05").add("a").bytes())},
      {"listpack.count-mismatch", with_blob(20, ListpackBuilder().add("a").count(2).bytes())},
      {"container.odd-entries", with_blob(16, ListpackBuilder().add("a").bytes())},
      {"container.odd-entries", with_blob(12, ZiplistBuilder().add("a").bytes())},
      {"container.odd-entries", with_blob(23, pairs.bytes())},
      {"quicklist.bad-container", around([](RdbBuilder& b) {
         b.list_quicklist2("k", {{3, "a"}});
       })},
  };
}

std::vector<Row> value_rows() {
  const auto value = [](const std::function<void(RdbBuilder&)>& add) { return around(add); };
  return {
      {"set.duplicate-member", value([](RdbBuilder& b) {
         b.set("k", {"a", "b", "a"});
       })},
      {"set.duplicate-member", value([](RdbBuilder& b) {
         b.set_listpack("k", {"1", "b", "1"});
       })},
      {"zset.duplicate-member", value([](RdbBuilder& b) {
         b.zset("k", {{"a", 1}, {"a", 2}});
       })},
      {"zset.duplicate-member", value([](RdbBuilder& b) {
         b.zset_listpack("k", {{"a", "1"}, {"a", "2"}});
       })},
      {"zset.unsorted", value([](RdbBuilder& b) {
         b.zset_listpack("k", {{"a", "2"}, {"b", "1"}});
       })},
      {"zset.unsorted", value([](RdbBuilder& b) {
         b.zset_ziplist("k", {{"b", "1"}, {"a", "1"}});
       })},
      {"zset.nan-score", value([](RdbBuilder& b) {
         b.zset("k", {{"a", kNan}});
       })},
      {"zset.nan-score", value([](RdbBuilder& b) {
         b.zset_text("k", {{"a", "nan"}});
       })},
      {"zset.nan-score", value([](RdbBuilder& b) {
         b.zset_listpack("k", {{"a", "nan"}});
       })},
      {"zset.bad-score", value([](RdbBuilder& b) {
         b.zset_listpack("k", {{"a", "x"}});
       })},
      {"hash.duplicate-field", value([](RdbBuilder& b) {
         b.hash("k", {{"f", "1"}, {"f", "2"}});
       })},
      {"hash.duplicate-field", value([](RdbBuilder& b) {
         b.hash_zipmap("k", {{"f", "1"}, {"f", "2"}});
       })},
      {"hash.duplicate-field", value([](RdbBuilder& b) {
         b.hash_ttl("k", {{"f", "1", 5}, {"f", "2", 0}});
       })},
      {"hash.bad-field-ttl", value([](RdbBuilder& b) {
         b.hash_ttl_pre("k", {{"f", "1", int64_t{1} << 48}});
       })},
      {"hash.field-ttl-order", value([](RdbBuilder& b) {
         b.hash_listpack_ttl("k", {{"f", "1", 6}, {"g", "2", 5}});
       })},
      {"array.damaged", around([](RdbBuilder& b) { b.array("k", 1, std::nullopt, "\x01\x09\x01x"); })},
      {"array.empty", around([](RdbBuilder& b) { b.array("k", 0, std::nullopt, ""); })},
      {"module.damaged", around([](RdbBuilder& b) { b.module("k", module_id_of("test__rdb", 1), "\x07"); })},
      {"module.pre-release", with_value(6, long_length(module_id_of("test__rdb", 1)))},
  };
}

std::vector<Row> stream_node_rows() {
  const auto entry = [](ListpackBuilder builder, int64_t flags, int64_t lp_count) {
    return builder.add_number(flags).add_number(0).add_number(0).add("v").add_number(lp_count);
  };
  return {
      {"stream.bad-node", with_node(entry(node(1, 0), 2, 4), "short")},
      {"stream.bad-entry", with_node(node(-1, 0))},
      {"stream.bad-entry", with_node(node(1'000'000, 0))},
      {"stream.bad-entry",
       with_node(ListpackBuilder().add_number(1).add_number(0).add_number(0).add_number(7))},
      {"stream.bad-entry", with_node(entry(node(1, 0), 4, 4))},
      {"stream.bad-entry", with_node(entry(node(1, 0), 2, 5))},
      {"stream.bad-entry", with_node(node(1, 0))},
      {"stream.bad-entry", with_node(node(1, 0).add("x"))},
      {"stream.count-mismatch", with_node(entry(node(0, 1), 2, 4))},
      {"stream.count-mismatch", with_node(entry(node(1, 0), 2, 4).add("more"))},
      {"stream.length-mismatch", with_stream([](StreamSpec& s) { s.length = 2; })},
      {"stream.unsorted", with_stream([](StreamSpec& s) {
         s.entries.push_back({{1, 1}, {{"f", "w"}}});
         s.entries_per_node = 1;
       })},
      {"stream.id-beyond-last", with_stream([](StreamSpec& s) {
         s.last_id = {1, 0};
       })},
  };
}

std::vector<Row> stream_group_rows() {
  using Group = StreamSpec::Group;
  return {
      {"stream.duplicate-group", with_stream([](StreamSpec& s) {
         s.groups = {Group{"g", {}, 0, {}, {}, {}}, Group{"g", {}, 0, {}, {}, {}}};
       })},
      {"stream.duplicate-consumer", with_stream([](StreamSpec& s) {
         s.groups = {Group{"g", {}, 0, {}, {{"c", 1, 1, {}}, {"c", 1, 1, {}}}, {}}};
       })},
      // Owned but not pending; pending twice; owned twice; owned and handed back.
      {"stream.bad-pending", with_stream([](StreamSpec& s) {
         s.groups = {Group{"g", {}, 0, {}, {{"c", 1, 1, {{1, 1}}}}, {}}};
       })},
      {"stream.bad-pending", with_stream([](StreamSpec& s) {
         s.groups = {Group{"g", {}, 0, {{{1, 1}, 5, 1}, {{1, 1}, 5, 1}}, {}, {}}};
       })},
      {"stream.bad-pending", with_stream([](StreamSpec& s) {
         s.groups = {Group{"g", {}, 0, {{{1, 1}, 5, 1}}, {{"c", 1, 1, {{1, 1}}}, {"d", 1, 1, {{1, 1}}}}, {}}};
       })},
      {"stream.bad-pending", with_stream([](StreamSpec& s) {
         s.groups = {Group{"g", {}, 0, {{{1, 1}, 5, 1}}, {{"c", 1, 1, {{1, 1}}}}, {{1, 1}}}};
       })},
      {"stream.pending-unowned", with_stream([](StreamSpec& s) {
         s.groups = {Group{"g", {}, 0, {{{1, 1}, 5, 1}}, {}, {}}};
       })},
      {"stream.bad-idempotency", with_stream([](StreamSpec& s) { s.idmp_duration_s = 0; })},
      {"stream.bad-idempotency", with_stream([](StreamSpec& s) { s.idmp_duration_s = 86401; })},
      {"stream.bad-idempotency", with_stream([](StreamSpec& s) { s.idmp_max_entries = 10001; })},
      {"stream.bad-idempotency", with_stream([](StreamSpec& s) {
         s.producers = {{"p", {}}, {"p", {}}};
       })},
  };
}

std::vector<Row> rows() {
  std::vector<Row> all;
  for (const std::vector<Row>& some : {input_rows(), framing_rows(), container_rows(), value_rows(),
                                       stream_node_rows(), stream_group_rows()})
    all.insert(all.end(), some.begin(), some.end());
  return all;
}

// What needs more than the bytes of a file.
struct Special {
  Bytes id;
  std::function<std::vector<Finding>()> provoke;
};

std::vector<Finding> check_torn(std::string (*pack)(Bytes)) {
  const TempFolder folder;
  const std::string packed = pack(long_file(1000));
  return check(*open_source(folder.file("torn", packed.substr(0, packed.size() / 2)))).findings;
}

std::vector<Finding> check_shrinking() {
  const TempFolder folder;
  const std::string file = long_file(10'000);
  const std::string path = folder.file("dump.rdb", file);
  const auto source = open_source(path);
  write_file(path, file.substr(0, kWindowBytes));
  return check(*source).findings;
}

std::vector<Finding> check_payload(const std::string& payload) {
  FindingList findings;
  check_dump_payload(payload, "payload", findings, CheckOptions{});
  return findings.all;
}

// What a salvage gives as the reasons of what it did.
std::vector<Finding> reasons_of_salvage(const std::string& file) {
  std::vector<Finding> reasons;
  for (const SalvageStep& step : salvage(file).report.steps) {
    Finding reason;
    reason.code = step.why;
    reason.extent = step.extent;
    reasons.push_back(reason);
  }
  return reasons;
}

std::vector<Finding> check_for(Bytes target, const std::string& file) {
  CheckOptions options;
  options.target = find_target(target);
  return check(file, options).findings;
}

std::vector<Special> special_rows() {
  const std::string payload = RdbBuilder().raw(unhex("00 01 76")).dump_payload(11);
  std::vector<Special> all = {
      {"source.shrank", check_shrinking},
      {"source.gzip-damaged", [] { return check_torn(gzip_of); }},
      {"dump.checksum-mismatch", [=] { return check_payload(payload.substr(0, payload.size() - 1) + "!"); }},
      {"dump.size-mismatch",
       [] { return check_payload(RdbBuilder().raw(unhex("00 01 76 00")).dump_payload(11)); }},
      {"dump.size-mismatch", [] { return check_payload("short"); }},
      {"rdb.zeroed",
       [] { return reasons_of_salvage(around([](RdbBuilder& b) { b.raw(std::string(64, '\0')); })); }},
      {"target.header", [] { return check_for("redis-7.0", RdbBuilder(redis, 11).eof()); }},
      {"target.encoding",
       [] { return check_for("redis-7.0", RdbBuilder(redis, 10).set_listpack("k", {"a"}).eof()); }},
      {"target.opcode", [] { return check_for("redis-3.0", RdbBuilder(redis, 6).aux("a", "b").eof()); }},
      {"target.length",
       [] {
         return check_for("redis-3.0", RdbBuilder(redis, 6).key(1, "k").raw(long_length(1)).str("a").eof());
       }},
      {"target.module",
       [] {
         return check_for("redis-7.0",
                          RdbBuilder(redis, 10).module("k", module_id_of("test__rdb", 1), length(0)).eof());
       }},
      {"target.slot-import",
       [] { return check_for("valkey-9.0", RdbBuilder(valkey, 80).slot_import("j", {}).eof()); }},
      {"target.databases",
       [] { return check_for("redis-7.2", RdbBuilder(redis, 11).select(16).string("k", "v").eof()); }},
  };
#ifdef PERSIST_WITH_ZSTD
  all.push_back({"source.zstd-damaged", [] { return check_torn(zstd_of); }});
#endif
#ifdef PERSIST_WITH_LZ4
  all.push_back({"source.lz4-damaged", [] { return check_torn(lz4_of); }});
#endif
  return all;
}

std::string ids(const std::vector<Finding>& findings) { return joined(ids_of(findings)); }

}  // namespace

TEST_CASE("findings: each one provoked, and nothing else said") {
  for (const Row& row : rows()) {
    CAPTURE(row.id);
    CAPTURE(hex(row.file.substr(0, 200)));
    const Checked checked = check(row.file);
    CHECK(ids(checked.findings) == std::string(row.id) + "\n");
    if (checked.findings.empty()) continue;
    const Finding& finding = checked.findings.front();
    CHECK(finding.file == "<memory>");
    CHECK(finding.extent.offset <= row.file.size());
    CHECK_FALSE(finding.message().empty());
    const bool is_error = finding.kind().severity == Severity::error;
    CHECK(checked.summary.errors == (is_error ? 1 : 0));
    CHECK(checked.summary.sound() == !is_error);
    CHECK(checked.summary.reach == (is_error ? finding.kind().reach : Reach::nothing));
    CHECK(checked.summary.valid_up_to <= row.file.size());
  }
}

TEST_CASE("findings: the same through a pipe") {
  for (const Row& row : rows()) {
    CAPTURE(row.id);
    if (Bytes(row.id) == "rdb.length-overrun") continue;  // in a pipe nobody knows what is left
    PipedSource pipe(row.file);
    CHECK(ids(check(pipe.source()).findings) == std::string(row.id) + "\n");
  }
}

TEST_CASE("findings: those that need more than a file") {
  for (const Special& row : special_rows()) {
    CAPTURE(row.id);
    const std::vector<Finding> findings = row.provoke();
    REQUIRE_FALSE(findings.empty());
    CHECK(findings.front().kind().id == row.id);
  }
}

TEST_CASE("findings: values name their key") {
  for (const auto& some : {container_rows(), value_rows(), stream_node_rows(), stream_group_rows()}) {
    for (const Row& row : some) {
      CAPTURE(row.id);
      const Checked checked = check(row.file);
      REQUIRE_FALSE(checked.findings.empty());
      CHECK(checked.findings.front().key == "k");
      CHECK(checked.findings.front().db == 0);
      CHECK_FALSE(checked.findings.front().record.empty());
    }
  }
}

TEST_CASE("findings: what can be passed over is passed over") {
  for (const auto& some : {container_rows(), value_rows(), stream_node_rows(), stream_group_rows()}) {
    for (const Row& row : some) {
      CAPTURE(row.id);
      const Bytes id = row.id;
      // These put in doubt where the value ends.
      constexpr Bytes kFraming[] = {"module.damaged", "module.pre-release", "array.damaged",
                                    "quicklist.bad-container", "stream.bad-node"};
      if (std::ranges::find(kFraming, id) != std::end(kFraming)) continue;
      const Checked checked = check(row.file);
      CHECK(checked.summary.complete);
      CHECK(checked.summary.checksum == ChecksumState::good);
      CHECK(checked.summary.keys >= 2);
      CHECK(dump(row.file).text.find("\"after\"") != std::string::npos);
    }
  }
}

TEST_CASE("findings: the table holds nothing that cannot be provoked") {
  std::set<std::string> provoked = kElsewhere;
  for (const Row& row : rows()) provoked.emplace(row.id);
  for (const Special& row : special_rows()) provoked.emplace(row.id);
  for (const FindingKind& kind : finding_kinds()) {
    if (is_of_others(kind.id)) continue;
    CAPTURE(kind.id);
    CHECK(provoked.erase(std::string(kind.id)) == 1);
  }
  CHECK(provoked.empty());  // and nothing is provoked that is not in the table
}
