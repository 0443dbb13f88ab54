// What encoders write: byte for byte where that is fixed, and that it reads back the same everywhere else.
// Streams have a file of their own.
#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <functional>
#include <limits>
#include <memory>
#include <random>

#include "base/server_numbers.hpp"
#include "codec/listpack.hpp"
#include "codec/ziplist.hpp"
#include "support/bytes_builder.hpp"
#include "support/notation.hpp"
#include "support/values.hpp"
#include "types/encodings.hpp"
#include "types/primitives.hpp"

using namespace persist;
using namespace persist::test;

namespace {

using Words = std::vector<std::string>;

// In what and for whom.
struct Written {
  Bytes target;
  int code;
};

WriteRules rules_for(Bytes target, const PackLimits& limits = {}, bool compress = true) {
  const Target* found = find_target(target);
  REQUIRE(found != nullptr);
  return {found, limits, compress};
}

const EncodingRow& row_for(const Target& target, int code) {
  const Encoding* encoding = find_encoding(target.header().dialect, static_cast<uint8_t>(code));
  REQUIRE(encoding != nullptr);
  return row_of(*encoding);
}

std::string written(const Value& value, const EncodingRow& row, const WriteRules& rules) {
  ByteBuffer buffer;
  Encoder out(buffer, rules);
  row.encode(out, value);
  return std::string(buffer.bytes());
}

void read_back(Bytes bytes, const EncodingRow& row, Value& into) {
  Scratch scratch;
  Cursor in(bytes, 0, scratch);
  into.begin(row.type);
  row.decode(in, [&into](const Element& element) { into.add(element); });
  CHECK(in.offset() == bytes.size());
}

// Scores by their bits: -0 is not 0.
bool same(const Value& a, const Value& b) {
  return a.type == b.type && a.text == b.text && a.items == b.items && a.longest == b.longest &&
         a.insert_index == b.insert_index &&
         std::ranges::equal(a.members, b.members,
                            [](const SortedSetMember& x, const SortedSetMember& y) {
                              return x.member == y.member &&
                                     std::bit_cast<uint64_t>(x.score) == std::bit_cast<uint64_t>(y.score);
                            }) &&
         std::ranges::equal(a.fields, b.fields,
                            [](const HashField& x, const HashField& y) {
                              return x.field == y.field && x.value == y.value &&
                                     x.expire_at_ms == y.expire_at_ms;
                            }) &&
         std::ranges::equal(a.elements, b.elements,
                            [](const ArrayElement& x, const ArrayElement& y) {
                              return x.index == y.index && x.value == y.value;
                            }) &&
         a.module.module == b.module.module && a.module.encver == b.module.encver &&
         a.module.payload == b.module.payload;
}

void make_list(Value& value, const Words& items) {
  value.begin(ValueType::list);
  for (const std::string& item : items) value.add(ListItem{item});
}
void make_set(Value& value, const Words& members) {
  value.begin(ValueType::set);
  for (const std::string& member : members) value.add(SetMember{member});
}
void make_zset(Value& value, const std::vector<std::pair<std::string, double>>& members) {
  value.begin(ValueType::zset);
  for (const auto& [member, score] : members) value.add(SortedSetMember{member, score});
}
void make_hash(Value& value, const std::vector<HashField>& fields) {
  value.begin(ValueType::hash);
  for (const HashField& field : fields) value.add(field);
}

// `count` different short words, the longest of `size` bytes; integers if `size` is 0.
Words words(size_t count, size_t size) {
  Words made;
  for (size_t i = 0; i < count; ++i) made.push_back((size == 0 ? "" : "m") + std::to_string(i));
  if (size > 0) made.back().resize(size, 'x');
  return made;
}

}  // namespace

// --- Bytes ------------------------------------------------------------------------------------------------

TEST_CASE("encoders: what servers wrote comes out the same when it is read and written again") {
  struct Example {
    Bytes name;
    Bytes target;
    int code;
    Bytes bytes;
    Bytes becomes = {};  // where our choice differs from that of the server
  };
  constexpr Example kExamples[] = {
      {"int8", "redis-2.6", 0, "c0fb"},
      {"int32", "redis-2.6", 0, "c2a0860100"},
      {"zeros", "redis-2.6", 0, "03 303037"},
      {"list", "redis-2.0", 1, "02 0161 c002"},
      {"set", "redis-2.6", 2, "03 c003 0162 0161"},
      {"zset-text", "redis-2.2", 3, "02 0161 13302e3130303030303030303030303030303031 0162 03322e35"},
      {"zset-inf", "redis-2.6", 3, "02 0170fe 016dff"},
      {"zset-whole", "redis-2.6", 3, "03 0161 022d37 0162 0531652b3137 0163 022d30"},
      {"hash", "redis-2.0", 4, "01 0166 0176"},
      {"zset2", "redis-4.0", 5, "02 0170 000000000000f07f 0161 000000000000f83f"},
      {"zipmap", "redis-2.4", 9, "0d 02 01 66 01 00 76 01 6e 02 00 3132 ff"},
      {"ziplist24", "redis-2.4", 10, "1a 1a000000 15000000 0400 00 0161 03 c00200 04 c0fdff 04 c02c01 ff"},
      {"ziplist26", "redis-2.6", 10, "17 17000000 12000000 0400 00 0161 03 f3 02 fefd 03 c02c01 ff"},
      {"intset16", "redis-2.6", 11, "0e 02000000 03000000 fdff 0100 0200"},
      {"intset64", "redis-2.6", 11, "18 08000000 02000000 0100000000000000 0000000000010000"},
      {"zset-zl", "redis-2.6", 12,
       "1e 1e000000 18000000 0600 00 0163 03 fefd 03 0161 03 f2 02 0162 03 03322e35 ff"},
      {"hash-zl", "redis-2.6", 13, "16 16000000 13000000 0400 00 0166 03 0176 03 016e 03 fd ff"},
      {"quicklist", "redis-3.2", 14, "01 17 17000000 12000000 0400 00 0161 03 f3 02 fefd 03 c02c01 ff"},
      {"hash-lp", "redis-7.0", 16, "12 12000000 0400 816602 817602 816e02 0c01 ff"},
      {"zset-lp", "redis-7.0", 17, "1a 1a000000 0600 816302 dffd02 816102 0101 816202 83322e3504 ff"},
      {"ql2", "redis-7.0", 18, "01 02 12 12000000 0400 816102 0201 dffd02 c12c02 ff"},
      {"set-lp", "redis-7.2", 20, "0f 0f000000 0300 816102 816202 0301 ff"},
      {"ttl24", "redis-7.4", 24, "00d8c32cbb030000 03 00 0166 0176 01 0167 c001 407c 0168 0177"},
      {"ttl25, whose smallest expiry is stale", "redis-7.4", 25,
       "7bd8c32cbb030000 2c 2c000000 0900 816302 0301 f400d8c32cbb03000009 816202 0201 "
       "f47bd8c32cbb03000009 816102 0101 0001 ff",
       "00d8c32cbb030000 2c 2c000000 0900 816302 0301 f400d8c32cbb03000009 816202 0201 "
       "f47bd8c32cbb03000009 816102 0101 0001 ff"},
      {"hash_2", "valkey-9.0", 22,
       "03 0161c001 ffffffffffffffff 0162c002 7bd8c32cbb030000 0163c003 00d8c32cbb030000"},
      {"array", "redis-8.8", 28,
       "05 00 00 01 0700000000000000 01 02 0000000000000c40 02 03 03616263 "
       "03 00 0f61206c6f6e67657220737472696e67 04 01 f7ffffffffffffff",
       "05 00 00 00 c007 01 00 03332e35 02 00 03616263 03 00 0f61206c6f6e67657220737472696e67 04 00 c0f7"},
      {"array-ins", "redis-8.8", 28, "02 01 01 00 03 0171 01 03 0172", "02 01 01 00 00 0171 01 00 0172"},
      {"array, indexes in any order", "redis-8.8", 28, "02 00 4064 00 0171 07 00 0172",
       "02 00 07 00 0172 4064 00 0171"},
      {"vset", "redis-8.0", 7,
       "81bde72da2bb1eb400 0203 0201 0250 00 0200 05 03656c31 05 0c77d6883e77d6083fb2414d3f "
       "0209 0201 0280 01000001 0200 0220 0200 0200 0210 0200 0280 406f7751 00"},
      {"module id of version 3", "redis-7.0", 7, "8145e25238df912c03 00"},
  };
  Value value;
  for (const Example& example : kExamples) {
    CAPTURE(example.name);
    const WriteRules rules = rules_for(example.target, {}, false);  // compressors choose differently
    const EncodingRow& row = row_for(*rules.target, example.code);
    read_back(unhex(example.bytes), row, value);
    CHECK(hex(written(value, row, rules)) ==
          hex(unhex(example.becomes.empty() ? example.bytes : example.becomes)));
  }
}

TEST_CASE("encoders: sorted sets are packed by score, then by bytes") {
  constexpr double kInf = std::numeric_limits<double>::infinity();
  Value value;
  make_zset(
      value,
      {{"b", 1}, {"\x80", 1}, {"up", kInf}, {"aa", 1}, {"a", 1}, {"", 1}, {"n", -0.5}, {"down", -kInf}});
  for (const Written& into : {Written{"redis-6.2", 12}, {"redis-7.0", 17}, {"valkey-9.1", 17}}) {
    const Bytes target = into.target;
    const int code = into.code;
    CAPTURE(target);
    const WriteRules rules = rules_for(target);
    Value told;
    read_back(written(value, row_for(*rules.target, code), rules), row_for(*rules.target, code), told);
    CHECK(notation_of(told) == "zset{down:-inf n:-0.5 \"\":1 a:1 aa:1 b:1 \\x80:1 up:inf}");
  }
}

TEST_CASE("encoders: packed scores are texts of the target's printer") {
  struct Row {
    Bytes target;
    double score;
    Bytes entry;  // behind the member, in a listpack or ziplist
  };
  constexpr double kBeyondNarrow = 1e17;  // an integer for newer servers only
  constexpr Row kRows[] = {
      {"redis-6.2", 0.1, "0.10000000000000001"},
      {"redis-7.0", 0.1, "0.10000000000000001"},
      {"redis-7.2", 0.1, "0.1"},
      {"valkey-7.2", 0.1, "0.1"},
      {"redis-6.2", kBeyondNarrow, "1e+17"},
      {"redis-7.0", kBeyondNarrow, "100000000000000000"},
      {"valkey-9.0", 1e30, "1e+30"},
      {"redis-8.8", -0.0, "-0"},
  };
  for (const Row& row : kRows) {
    CAPTURE(row.target);
    CAPTURE(row.score);
    Value value;
    make_zset(value, {{"m", row.score}});
    const WriteRules rules = rules_for(row.target);
    const EncodingRow& encoding = *choose_encoding(value, rules);
    const std::string bytes = written(value, encoding, rules);
    Scratch scratch;
    Cursor in(bytes, 0, scratch);
    const Blob blob = read_blob(in, "blob");
    PackedItem score;
    ItemText text;
    if (encoding.code == 12) {
      ZiplistReader reader(blob);
      REQUIRE((reader.next(score) && reader.next(score)));
      CHECK(score.as_text(text) == row.entry);
    } else {
      ListpackReader reader(blob);
      REQUIRE((reader.next(score) && reader.next(score)));
      CHECK(score.as_text(text) == row.entry);
    }
  }
}

TEST_CASE("encoders: expiries of fields at the edges of what the families know") {
  Value value;
  Value told;
  make_hash(value, {{"a", "1", 0}, {"b", "2"}, {"c", "3", std::numeric_limits<int64_t>::max()}});
  const WriteRules valkey = rules_for("valkey-9.0");
  read_back(written(value, row_for(*valkey.target, 22), valkey), row_for(*valkey.target, 22), told);
  CHECK(same(value, told));

  // Where 0 is none, it becomes 1.
  make_hash(value, {{"b", "2"}, {"c", "3", 5}, {"a", "1", 0}});
  const WriteRules redis = rules_for("redis-7.4");
  read_back(written(value, row_for(*redis.target, 24), redis), row_for(*redis.target, 24), told);
  CHECK(notation_of(told) == "hash{b=2 c=3@5 a=1@1}");
  read_back(written(value, row_for(*redis.target, 25), redis), row_for(*redis.target, 25), told);
  CHECK(notation_of(told) == "hash{a=1@1 c=3@5 b=2}");
}

// --- Choice -----------------------------------------------------------------------------------------------

TEST_CASE("choice: every target gets what its server would write") {
  enum Case {
    kList,
    kLongList,
    kInts,
    kSet,
    kLargeSet,
    kZset,
    kLargeZset,
    kHash,
    kLargeHash,
    kTtl,
    kLargeTtl,
    kStream,
    kArray,
    kModule,
    kCases
  };
  struct Row {
    std::vector<Bytes> targets;
    int codes[kCases];  // -1: none
  };
  const Row rows[] = {
      {{"redis-2.0", "redis-2.2"}, {1, 1, 2, 2, 2, 3, 3, 4, 4, -1, -1, -1, -1, -1}},
      {{"redis-2.4"}, {10, 1, 11, 2, 2, 12, 3, 9, 4, -1, -1, -1, -1, -1}},
      {{"redis-2.6", "redis-2.8", "redis-3.0"}, {10, 1, 11, 2, 2, 12, 3, 13, 4, -1, -1, -1, -1, -1}},
      {{"redis-3.2"}, {14, 14, 11, 2, 2, 12, 3, 13, 4, -1, -1, -1, -1, -1}},
      {{"redis-4.0"}, {14, 14, 11, 2, 2, 12, 5, 13, 4, -1, -1, -1, -1, 7}},
      {{"redis-5.0", "redis-6.0", "redis-6.2"}, {14, 14, 11, 2, 2, 12, 5, 13, 4, -1, -1, 15, -1, 7}},
      {{"redis-7.0"}, {18, 18, 11, 2, 2, 17, 5, 16, 4, -1, -1, 19, -1, 7}},
      {{"redis-7.2", "valkey-7.2", "valkey-8.0", "valkey-8.1"},
       {18, 18, 11, 20, 2, 17, 5, 16, 4, -1, -1, 21, -1, 7}},
      {{"redis-7.4", "redis-8.0", "redis-8.2", "redis-8.4"},
       {18, 18, 11, 20, 2, 17, 5, 16, 4, 25, 24, 21, -1, 7}},
      {{"redis-8.6"}, {18, 18, 11, 20, 2, 17, 5, 16, 4, 25, 24, 26, -1, 7}},
      {{"redis-8.8"}, {18, 18, 11, 20, 2, 17, 5, 16, 4, 25, 24, 27, 28, 7}},
      {{"valkey-9.0", "valkey-9.1"}, {18, 18, 11, 20, 2, 17, 5, 16, 4, 22, 22, 21, -1, 7}},
  };
  Value values[kCases];
  make_list(values[kList], words(3, 5));
  make_list(values[kLongList], words(600, 5));
  make_set(values[kInts], words(512, 0));
  make_set(values[kSet], words(3, 5));
  make_set(values[kLargeSet], words(200, 5));
  make_zset(values[kZset], {{"a", 1}});
  make_zset(values[kLargeZset], {{std::string(65, 'x'), 1}});
  make_hash(values[kHash], {{"f", "v"}});
  const std::string long_value(65, 'v');
  make_hash(values[kLargeHash], {{"f", long_value}});
  make_hash(values[kTtl], {{"f", "v"}, {"g", "v", 5}});
  make_hash(values[kLargeTtl], {{"f", long_value}, {"g", "v", 5}});
  values[kStream].begin(ValueType::stream);
  values[kArray].begin(ValueType::array);
  values[kArray].add(ArrayElement{1, "a"});
  values[kModule].begin(ValueType::module);
  values[kModule].add(ModuleValue{"vectorset", 0, Bytes("\0", 1)});
  Value text;
  text.begin(ValueType::string);
  text.add(StringValue{"v"});

  size_t seen = 0;
  for (const Row& row : rows) {
    for (const Bytes target : row.targets) {
      CAPTURE(target);
      const WriteRules rules = rules_for(target);
      for (size_t i = 0; i < kCases; ++i) {
        CAPTURE(i);
        const EncodingRow* chosen = choose_encoding(values[i], rules);
        CHECK((chosen == nullptr ? -1 : chosen->code) == row.codes[i]);
      }
      CHECK(choose_encoding(text, rules)->code == 0);
      ++seen;
    }
  }
  CHECK(seen == targets().size());
}

TEST_CASE("choice: limits, and one beyond each") {
  using Make = std::function<void(Value&, size_t count, size_t size)>;
  const Make list = [](Value& v, size_t count, size_t size) { make_list(v, words(count, size)); };
  const Make set = [](Value& v, size_t count, size_t size) { make_set(v, words(count, size)); };
  const Make zset = [](Value& v, size_t count, size_t size) {
    v.begin(ValueType::zset);
    for (const std::string& word : words(count, size)) v.add(SortedSetMember{word, 1.5});
  };
  const Make fields = [](Value& v, size_t count, size_t size) {
    v.begin(ValueType::hash);
    for (const std::string& word : words(count, size)) v.add(HashField{word, "v"});
  };
  const Make field_values = [](Value& v, size_t count, size_t size) {
    v.begin(ValueType::hash);
    for (const std::string& word : words(count, size)) v.add(HashField{word.substr(0, 5), word});
  };
  const Make ttls = [](Value& v, size_t count, size_t size) {
    v.begin(ValueType::hash);
    for (const std::string& word : words(count, size)) v.add(HashField{word, "v", 5});
  };
  struct Row {
    Bytes name;
    Bytes target;
    Make make;
    size_t count;
    size_t size;
    int code;
  };
  const Row rows[] = {
      {"list", "redis-3.0", list, 512, 64, 10},
      {"list", "redis-3.0", list, 513, 64, 1},
      {"list", "redis-3.0", list, 512, 65, 1},
      {"set", "redis-7.2", set, 128, 64, 20},
      {"set", "redis-7.2", set, 129, 64, 2},
      {"set", "redis-7.2", set, 128, 65, 2},
      {"ints", "redis-7.2", set, 512, 0, 11},
      {"ints", "redis-7.2", set, 513, 0, 2},
      {"zset", "redis-6.2", zset, 128, 64, 12},
      {"zset", "redis-6.2", zset, 129, 64, 5},
      {"zset", "redis-6.2", zset, 128, 65, 5},
      {"fields", "redis-7.0", fields, 512, 64, 16},
      {"fields", "redis-7.0", fields, 513, 64, 4},
      {"fields", "redis-7.0", fields, 512, 65, 4},
      {"values", "redis-2.4", field_values, 512, 64, 9},
      {"values", "redis-2.4", field_values, 512, 65, 4},
      {"ttls", "redis-7.4", ttls, 512, 64, 25},
      {"ttls", "redis-7.4", ttls, 513, 64, 24},
      {"ttls", "redis-7.4", ttls, 512, 65, 24},
  };
  Value value;
  for (const Row& row : rows) {
    CAPTURE(row.name);
    CAPTURE(row.count);
    CAPTURE(row.size);
    row.make(value, row.count, row.size);
    CHECK(choose_encoding(value, rules_for(row.target))->code == row.code);
  }
}

TEST_CASE("choice: no limit leads to a container that servers would refuse") {
  PackLimits limits;
  limits.hash_entries = limits.hash_value = limits.zset_entries = limits.zset_value = ~uint64_t{0};
  Value value;
  make_hash(value, {{"f", "v"}});
  CHECK(choose_encoding(value, rules_for("redis-7.0", limits))->code == 16);
  value.longest = size_t{300} << 20;  // as if one of them were
  CHECK(choose_encoding(value, rules_for("redis-7.0", limits))->code == 4);
  make_zset(value, {{"m", 1}});
  value.longest = size_t{1} << 40;
  CHECK(choose_encoding(value, rules_for("redis-7.0", limits))->code == 5);
}

TEST_CASE("choice: integers that are not canonical are no integers") {
  Value value;
  for (Bytes member : {"007", "-0", "+1", "", " 1", "9223372036854775808", "-9223372036854775809", "1.0"}) {
    CAPTURE(member);
    make_set(value, {"1", std::string(member)});
    CHECK(choose_encoding(value, rules_for("redis-6.2"))->code == 2);
  }
  make_set(value, {"9223372036854775807", "-9223372036854775808"});
  CHECK(choose_encoding(value, rules_for("redis-6.2"))->code == 11);
}

// --- Quicklists -------------------------------------------------------------------------------------------

namespace {

struct SeenNode {
  bool plain = false;
  size_t bytes = 0;
  Words items;
};

std::vector<SeenNode> nodes_of(Bytes bytes, bool listpacks) {
  std::vector<SeenNode> nodes;
  Scratch scratch;
  Cursor in(bytes, 0, scratch);
  const auto take_items = [](auto reader, SeenNode& node) {
    PackedItem item;
    ItemText text;
    while (reader.next(item)) node.items.emplace_back(item.as_text(text));
  };
  for (uint64_t left = in.count("nodes"); left > 0; --left) {
    SeenNode& node = nodes.emplace_back();
    node.plain = listpacks && in.length("container") == 1;
    const Blob blob = read_blob(in, "node");
    node.bytes = blob.bytes.size();
    if (node.plain)
      node.items.emplace_back(blob.bytes);
    else if (listpacks)
      take_items(ListpackReader(blob), node);
    else
      take_items(ZiplistReader(blob), node);
  }
  CHECK(in.offset() == bytes.size());
  return nodes;
}

}  // namespace

TEST_CASE("quicklists: nodes are as full as the limit permits, and large items have one to themselves") {
  struct Row {
    int64_t configured;
    size_t bytes;
    size_t entries;
  };
  constexpr size_t kAny = ~size_t{0};
  constexpr Row kRows[] = {{-1, 4096, kAny},
                           {-2, 8192, kAny},
                           {-3, 16384, kAny},
                           {-4, 32768, kAny},
                           {-5, 65536, kAny},
                           {0, 8192, 1},
                           {1, 8192, 1},
                           {3, 8192, 3},
                           {1000, 8192, 1000},
                           {-9, 65536, kAny},
                           {std::numeric_limits<int64_t>::min(), 65536, kAny}};
  constexpr size_t kItemRoomMax = 10;
  std::mt19937 random(3);
  Words items;
  for (size_t i = 0; i < 300; ++i) {
    const size_t size = i % 23 == 0   ? 4096 + random() % 8192
                        : i % 50 == 0 ? 65536 + random() % 9
                                      : random() % 300;
    items.push_back(noise(size, static_cast<uint32_t>(i + 1)));
  }
  constexpr size_t kSizes[] = {4096, 4097, 8192, 8193, 16378, 16384, 16385, 65536, 65537};
  for (const size_t size : kSizes) items.emplace_back(size, 'b');
  Value value;
  make_list(value, items);
  for (const Row& row : kRows) {
    CAPTURE(row.configured);
    PackLimits limits;
    limits.list_node = row.configured;
    for (const Written& into : {Written{"redis-6.2", 14}, {"redis-7.0", 18}, {"redis-8.8", 18}}) {
      const Bytes target = into.target;
      const int code = into.code;
      CAPTURE(target);
      const WriteRules rules = rules_for(target, limits, false);
      const auto nodes = nodes_of(written(value, row_for(*rules.target, code), rules), code == 18);
      Words told;
      for (size_t i = 0; i < nodes.size(); ++i) {
        const SeenNode& node = nodes[i];
        CAPTURE(i);
        REQUIRE(!node.items.empty());
        told.insert(told.end(), node.items.begin(), node.items.end());
        const bool large = node.items.front().size() > row.bytes;
        CHECK(node.plain == (code == 18 && large));
        CHECK(node.items.size() <= row.entries);
        if (node.items.size() > 1) CHECK(node.bytes <= row.bytes);
        if (i + 1 == nodes.size() || large) continue;
        const size_t next = nodes[i + 1].items.front().size();
        CHECK((node.items.size() == row.entries || node.bytes + next + kItemRoomMax > row.bytes));
      }
      CHECK(told == items);
    }
  }
}

// --- Anything ---------------------------------------------------------------------------------------------

namespace {

PackLimits wide_limits(int64_t list_node) {
  PackLimits limits;
  limits.hash_entries = limits.hash_value = limits.list_entries = limits.list_value = limits.set_ints =
      limits.set_entries = limits.set_value = limits.zset_entries = limits.zset_value = uint64_t{1} << 20;
  limits.list_node = list_node;
  return limits;
}

// Writes the value in every layout that the target reads and that fits it, and reads it back. Counts.
size_t round_trips(Encoder& out, Value& value) {
  const WriteRules& rules = out.rules();
  const Dialect dialect = rules.target->header().dialect;
  size_t trips = 0;
  for (const Encoding* encoding : encodings()) {
    const EncodingRow& row = row_of(*encoding);
    if (row.type != value.type || row.encode == nullptr || find_encoding(dialect, row.code) != encoding ||
        !accepts_type(*rules.target, dialect, row.code) || (row.fits != nullptr && !row.fits(value, rules))) {
      continue;
    }
    CAPTURE(row.label);
    out.out().clear();
    row.encode(out, value);
    Value told;
    read_back(out.out().bytes(), row, told);
    Scratch scratch;
    Cursor in(out.out().bytes(), 0, scratch);
    row.skip(in);
    CHECK(in.offset() == out.out().size());
    told.sort();
    Value sorted;
    sorted.begin(value.type);
    sorted.text = value.text;
    sorted.items = value.items;
    sorted.members = value.members;
    sorted.fields = value.fields;
    sorted.elements = value.elements;
    sorted.insert_index = value.insert_index;
    sorted.module = value.module;
    sorted.longest = value.longest;
    sorted.sort();
    CHECK(same(sorted, told));
    ++trips;
  }
  return trips;
}

}  // namespace

TEST_CASE("encoders: containers of more items than their header can count") {
  constexpr size_t kCount = 70000;
  Value value;
  Value fields;
  make_set(value, words(kCount, 6));
  fields.begin(ValueType::hash);
  for (const std::string& word : words(kCount / 2, 6)) fields.add(HashField{word, "v"});
  for (const Bytes target : {"redis-2.6", "redis-7.2"}) {
    CAPTURE(target);
    ByteBuffer buffer;
    Encoder out(buffer, rules_for(target, wide_limits(-2)));
    CHECK(round_trips(out, value) == (target == "redis-2.6" ? 1 : 2));
    CHECK(round_trips(out, fields) == (target == "redis-2.6" ? 3 : 4));
  }
}

TEST_CASE("encoders: any value reads back the same from any layout, for any target") {
  ValueMaker generator(20260101);
  std::vector<std::unique_ptr<Value>> values;
  const auto add = [&](ValueType type, size_t count) {
    generator.make(*values.emplace_back(std::make_unique<Value>()), type, count);
  };
  for (size_t i = 0; i < 20; ++i) add(ValueType::string, 1);
  add(ValueType::module, 1);
  constexpr size_t kCounts[] = {1, 2, 3, 20, 128, 513};
  for (const size_t longest : {size_t{64}, ~size_t{0}}) {
    generator.longest = longest;
    for (const size_t count : kCounts) {
      for (const ValueType type :
           {ValueType::list, ValueType::set, ValueType::zset, ValueType::hash, ValueType::array})
        add(type, count);
      generator.with_ttl = true;
      add(ValueType::hash, count);
      generator.with_ttl = false;
      generator.only_numbers = true;
      add(ValueType::set, count);
      generator.only_numbers = false;
    }
  }
  size_t trips = 0;
  for (const Target& target : targets()) {
    CAPTURE(target.name);
    for (const bool wide : {false, true}) {
      CAPTURE(wide);
      const WriteRules rules{&target, wide ? wide_limits(target.release % 5 == 0 ? 7 : -3) : PackLimits{},
                             wide};
      ByteBuffer buffer;
      Encoder out(buffer, rules);
      for (size_t i = 0; i < values.size(); ++i) {
        CAPTURE(i);
        trips += round_trips(out, *values[i]);
      }
    }
  }
  CHECK(trips > 4000);
}
