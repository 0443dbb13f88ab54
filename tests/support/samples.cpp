// The samples, by type.
#include "support/samples.hpp"

#include <functional>

#include "support/rdb_builder.hpp"

namespace persist::test {

namespace {

constexpr int64_t kSoon = 1'700'000'000'123;
constexpr int64_t kLater = 1'900'000'000'000;

const std::string kRun = "abcabcabcabcabcabcabcabc";

using Add = std::function<void(RdbBuilder&)>;

struct Row {
  const char* name;
  Dialect dialect;
  unsigned version;
  int code;
  Add add;
};

StreamSpec small_stream(int layout) {
  StreamSpec spec;
  spec.entries = {{{1, 1}, {{"f", "a"}}},
                  {{2, 2}, {{"f", "b"}}, true},
                  {{3, 3}, {{"f", kRun}}},
                  {{3, 4}, {{"g", "1"}, {"h", "2"}}}};
  spec.last_id = {3, 4};
  spec.max_deleted_id = {2, 2};
  spec.entries_per_node = 3;
  spec.groups = {{"group", {3, 3}, 2, {{{1, 1}, kSoon, 1}, {{3, 3}, kSoon, 7}}, {}, {}},
                 {"none", {}, 0, {}, {}, {}}};
  spec.groups[0].consumers = {{"alice", kSoon, kSoon, {{1, 1}}}, {"bob", kSoon, -1, {{3, 3}}}};
  if (layout >= 4) spec.producers = {{"p", {{"iid-1", {1, 1}}, {"iid-2", {3, 3}}}}, {"q", {}}};
  if (layout >= 5) {
    spec.groups[0].consumers[1].owns.clear();
    spec.groups[0].nacked = {{3, 3}};
  }
  return spec;
}

// One of each annotated value: 7, 300, 1.5, 2.5, "text".
const std::string kAnnotated = length(1) + length(7) + length(2) + length(300) + length(3) + le(0x3fc00000) +
                               length(4) + le(2.5) + length(5) + plain_string("text") + length(0);

std::vector<Row> plain_rows() {
  return {
      {"string", redis, 11, 0, [](RdbBuilder& b) { b.string("k", kRun); }},
      {"string-int", redis, 6, 0,
       [](RdbBuilder& b) { b.string_int("i8", -5).string_int("i16", 1000).string_int("i32", -100000); }},
      {"list", redis, 1, 1,
       [](RdbBuilder& b) {
         b.list("k", {"a", "", kRun});
       }},
      {"list-ziplist", redis, 6, 10,
       [](RdbBuilder& b) {
         b.list_ziplist("k", {"a", "2", "-3", "300", "100000", "5000000000", kRun});
       }},
      {"list-quicklist", redis, 9, 14,
       [](RdbBuilder& b) {
         b.list_quicklist("k", {{"a", "7"}, {kRun}});
       }},
      {"list-quicklist2", redis, 11, 18,
       [](RdbBuilder& b) {
         b.list_quicklist2("k", {{2, ListpackBuilder().add("a").add("-1").add(kRun).bytes()}, {1, kRun}});
       }},
      {"set", redis, 6, 2,
       [](RdbBuilder& b) {
         b.set("k", {"a", "b", kRun});
       }},
      {"set-intset", redis, 6, 11,
       [](RdbBuilder& b) {
         b.set_intset("k", {-3, 1, 2});
       }},
      {"set-intset-wide", redis, 6, 11,
       [](RdbBuilder& b) {
         b.set_intset("k", {1, int64_t{1} << 40}, 8);
       }},
      {"set-listpack", redis, 11, 20,
       [](RdbBuilder& b) {
         b.set_listpack("k", {"a", "3", kRun});
       }},
      {"zset-text", redis, 6, 3,
       [](RdbBuilder& b) {
         b.zset_text("k", {{"a", "0.10000000000000001"}, {"p", "inf"}, {"m", "-inf"}});
       }},
      {"zset", redis, 11, 5,
       [](RdbBuilder& b) {
         b.zset("k", {{"b", 2.5}, {"a", -1}});
       }},
      {"zset-ziplist", redis, 6, 12,
       [](RdbBuilder& b) {
         b.zset_ziplist("k", {{"c", "-2"}, {"a", "1"}, {kRun, "2.5"}});
       }},
      {"zset-listpack", redis, 11, 17,
       [](RdbBuilder& b) {
         b.zset_listpack("k", {{"c", "-2"}, {"a", "1"}, {kRun, "2.5"}});
       }},
      {"hash", redis, 6, 4,
       [](RdbBuilder& b) {
         b.hash("k", {{"f", "v"}, {"g", kRun}});
       }},
      {"hash-zipmap", redis, 2, 9,
       [](RdbBuilder& b) {
         b.hash_zipmap("k", {{"f", "v"}, {"g", kRun}});
       }},
      {"hash-ziplist", redis, 6, 13,
       [](RdbBuilder& b) {
         b.hash_ziplist("k", {{"f", "v"}, {"n", "12"}});
       }},
      {"hash-listpack", redis, 11, 16,
       [](RdbBuilder& b) {
         b.hash_listpack("k", {{"f", "v"}, {"n", kRun}});
       }},
      {"module2", redis, 12, 7,
       [](RdbBuilder& b) { b.module("k", module_id_of("test__rdb", 1), kAnnotated); }},
  };
}

std::vector<Row> newer_rows() {
  const std::vector<TtlField> unsorted = {{"a", "1", 0}, {"b", kRun, kLater}, {"c", "3", kSoon}};
  const std::vector<TtlField> sorted = {{"c", "3", kSoon}, {"b", kRun, kLater}, {"a", "1", 0}};
  std::vector<Row> rows = {
      {"hash-ttl-pre", redis, 12, 22, [=](RdbBuilder& b) { b.hash_ttl_pre("k", unsorted); }},
      {"hash-listpack-ttl-pre", redis, 12, 23, [=](RdbBuilder& b) { b.hash_listpack_ttl_pre("k", sorted); }},
      {"hash-ttl", redis, 12, 24, [=](RdbBuilder& b) { b.hash_ttl("k", unsorted); }},
      {"hash-listpack-ttl", redis, 12, 25, [=](RdbBuilder& b) { b.hash_listpack_ttl("k", sorted); }},
      {"hash-ttl-valkey", valkey, 80, 22, [=](RdbBuilder& b) { b.hash_valkey("k", unsorted); }},
      {"array", redis, 14, 28,
       [](RdbBuilder& b) {
         b.array("k", 5, 9,
                 length(0) + length(0) + plain_string(kRun) + length(1) + length(1) + le(int64_t{-9}) +
                     length(2) + length(2) + le(3.5) + length(7) + length(3) + plain_string("abc") +
                     length(uint64_t{1} << 40) + length(2) + le(7.0));
       }},
  };
  constexpr uint8_t kStreamCodes[] = {0, 15, 19, 21, 26, 27};
  constexpr unsigned kStreamVersions[] = {0, 9, 10, 11, 13, 14};
  constexpr const char* kStreamNames[] = {"", "stream1", "stream2", "stream3", "stream4", "stream5"};
  for (int layout = 1; layout <= 5; ++layout) {
    rows.push_back({kStreamNames[layout], redis, kStreamVersions[layout], kStreamCodes[layout],
                    [layout](RdbBuilder& b) { b.stream("k", layout, small_stream(layout)); }});
  }
  return rows;
}

std::vector<Row> opcode_rows() {
  return {
      {"opcodes", redis, 14, -1,
       [](RdbBuilder& b) {
         b.aux("redis-ver", "8.8.0").aux("redis-bits", "64");
         b.module_aux(module_id_of("test__rdb", 1), 1, kAnnotated);
         b.function("#!lua name=lib\nreturn 1");
         b.select(3).resize(2, 1).slot_info(5061, 1, 1);
         b.expire_ms(kSoon).idle(300).key_meta(1, le(key_meta_class("KMT1", 1, 1)) + kAnnotated);
         b.string("k", "v").expire_s(2'000'000'000).freq(9).string("l", "w");
       }},
      {"functions-pre-release", redis, 10, -1,
       [](RdbBuilder& b) {
         b.function_pre_release("lib", "LUA", Bytes("says hello"), "return 1");
         b.function_pre_release("other", "LUA", std::nullopt, "return 2");
       }},
      {"slot-import", valkey, 80, -1,
       [](RdbBuilder& b) {
         b.aux("slot-info", "12,1,0,0").slot_import(std::string(40, 'a'), {{0, 5}, {100, 200}});
         b.select(0).string("k", "v");
       }},
      {"empty", redis, 11, -1, [](RdbBuilder&) {}},
  };
}

// The key in front makes "what stands before the damage survives" a matter of fact.
std::string file_of(const Row& row, bool compressed) {
  RdbBuilder builder(row.dialect, row.version);
  if (row.code >= 0) builder.select(0).string("first", "1");
  builder.compressed(compressed);
  row.add(builder);
  builder.compressed(false);
  if (row.code >= 0) builder.string("last", "2");
  return builder.eof();
}

std::vector<Sample> make_samples() {
  std::vector<Row> rows = plain_rows();
  for (const std::vector<Row>& more : {newer_rows(), opcode_rows()})
    rows.insert(rows.end(), more.begin(), more.end());
  std::vector<Sample> all;
  for (const Row& row : rows) {
    all.push_back({row.name, file_of(row, false), row.dialect, row.code});
    const std::string compressed = file_of(row, true);
    if (compressed != all.back().file)
      all.push_back({std::string(row.name) + "-compressed", compressed, row.dialect, row.code});
  }
  return all;
}

}  // namespace

const std::vector<Sample>& samples() {
  static const std::vector<Sample> all = make_samples();
  return all;
}

std::string mixed_file(Dialect dialect) {
  RdbBuilder builder(dialect, dialect == redis ? 14 : 80);
  builder.aux("redis-ver", "8.8.0").function("#!lua name=lib\nreturn 1").select(0).resize(9, 1);
  builder.expire_ms(kSoon).string("string", kRun).list("list", {"a", "b"}).set("set", {"a", "b"});
  builder.set_intset("intset", {1, 2}).set_listpack("set-listpack", {"x", "1"});
  builder.zset("zset", {{"a", 1.5}, {"b", 2}}).zset_listpack("zset-listpack", {{"a", "1"}});
  builder.hash("hash", {{"f", "v"}}).hash_listpack("hash-listpack", {{"f", "v"}});
  builder.hash("not-text", {{"\xff", "v"}}).select(5).stream("stream", 3, small_stream(3));
  if (dialect == redis) {
    builder.hash_ttl("ttl", {{"a", "1", kSoon}, {"b", "2", 0}}).stream("stream5", 5, small_stream(5));
    builder.idle(77).module("module", module_id_of("test__rdb", 1), kAnnotated);
  } else {
    builder.hash_valkey("ttl", {{"a", "1", kSoon}, {"b", "2", 0}});
  }
  return builder.eof();
}

std::string long_file(size_t keys, size_t spoil) {
  RdbBuilder builder(redis, 11);
  builder.aux("redis-ver", "7.2.6");
  for (size_t i = 0; i < keys; ++i) {
    const std::string key = "key:" + std::to_string(i);
    const std::string text = noise(100, static_cast<uint32_t>(i));
    if (i % 5000 == 0) builder.select(i / 5000 % 16);
    if (spoil != 0 && i % spoil == spoil - 1) {
      builder.blob(16, key, ListpackBuilder().add("f").add(text).count(9).bytes());
      continue;
    }
    switch (i % 6) {
      case 0:
        builder.string(key, text);
        break;
      case 1:
        builder.expire_ms(kSoon + static_cast<int64_t>(i)).hash(key, {{"f", text}, {"g", "2"}});
        break;
      case 2:
        builder.list(key, {text, "b", "c"});
        break;
      case 3:
        builder.zset(key, {{text, 1}, {"b", 0.5}});
        break;
      case 4:
        builder.hash_listpack(key, {{"f", text}, {"n", "12"}});
        break;
      default:
        builder.string_lzf(key, std::string(i % 2000, 'z'));
    }
  }
  return builder.eof();
}

}  // namespace persist::test
