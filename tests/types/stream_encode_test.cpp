// Streams as they are written: the bytes of servers where these can be met, the way entries are packed into
// nodes, and what comes back out of all five layouts.
#include <doctest/doctest.h>

#include "io/cursor.hpp"
#include "support/blob_builders.hpp"
#include "support/notation.hpp"
#include "support/rdb_builder.hpp"
#include "support/values.hpp"
#include "types/encode.hpp"
#include "types/primitives.hpp"
#include "types/stream_state.hpp"
#include "types/types.hpp"

using namespace persist;
using namespace persist::test;

namespace {

struct StreamLayoutRow {
  DecodeValue decode;
  EncodeValue encode;
  Bytes target;
};
constexpr StreamLayoutRow kStreamLayouts[] = {{decode_stream_v1, encode_stream_v1, "redis-5.0"},
                                              {decode_stream_v2, encode_stream_v2, "redis-7.0"},
                                              {decode_stream_v3, encode_stream_v3, "valkey-8.0"},
                                              {decode_stream_v4, encode_stream_v4, "redis-8.6"},
                                              {decode_stream_v5, encode_stream_v5, "redis-8.8"}};

WriteRules stream_rules(int layout, uint64_t node_bytes = 4096, uint64_t node_entries = 100) {
  WriteRules rules;
  rules.target = find_target(kStreamLayouts[layout - 1].target);
  rules.compress = false;
  rules.limits.stream_node_bytes = node_bytes;
  rules.limits.stream_node_entries = node_entries;
  return rules;
}

std::string encoded(const Value& value, int layout, const WriteRules& rules) {
  ByteBuffer bytes;
  bytes.append("in front");
  Encoder out(bytes, rules);
  kStreamLayouts[layout - 1].encode(out, value);
  return std::string(bytes.bytes().substr(8));
}

std::string encoded(const Value& value, int layout) { return encoded(value, layout, stream_rules(layout)); }

void decode_into(Value& value, Bytes bytes, int layout) {
  Scratch scratch;
  Cursor in(bytes, 0, scratch);
  value.begin(ValueType::stream);
  kStreamLayouts[layout - 1].decode(in, [&](const Element& element) { value.add(element); });
  CHECK(in.at_end());
}

std::string decoded_notation(Bytes bytes, int layout) {
  Scratch scratch;
  Cursor in(bytes, 0, scratch);
  Notation notation;
  notation.begin(ValueType::stream);
  kStreamLayouts[layout - 1].decode(in, [&](const Element& element) { notation.add(element); });
  return notation.end();
}

// The value as a decoder of the layout has to tell it.
std::string expected_notation(const Value& value, int layout) {
  const StreamContent& stream = value.stream;
  Notation notation;
  notation.begin(ValueType::stream);
  StreamInfo info{stream.entries.size(), stream.info.last_id, std::nullopt, std::nullopt, std::nullopt};
  if (layout >= 2) {
    info.first_id = stream.entries.empty() ? StreamId{} : stream.entries.front().id;
    info.max_deleted_id = stream.info.max_deleted_id.value_or(StreamId{});
    info.entries_added = stream.info.entries_added.value_or(stream.entries.size());
  }
  notation.add(info);
  for (const StreamEntry& entry : stream.entries) notation.add(entry);
  for (const GroupValue& group : stream.groups) {
    StreamGroup head = group.head;
    head.has_entries_read = layout >= 2;
    if (layout < 2) head.entries_read.reset();
    notation.add(head);
    for (const StreamPending& pending : group.pending) notation.add(pending);
    for (StreamConsumer consumer : group.consumers) {
      if (!consumer.has_active_time) consumer.active_time_ms = consumer.seen_time_ms;
      consumer.has_active_time = layout >= 3;
      notation.add(consumer);
    }
  }
  if (layout >= 4) {
    for (const ProducerValue& producer : stream.producers) {
      notation.add(StreamProducer{producer.id});
      for (const StreamIid& iid : producer.iids) notation.add(iid);
    }
    notation.add(stream.idmp.value_or(StreamIdmp{100, 100, 0, 0}));
  }
  return notation.end();
}

// The listpacks of a stream, each with the ID in its key.
struct ToldNode {
  StreamId master;
  std::string listpack;
};
std::vector<ToldNode> stream_nodes_of(const std::string& bytes) {
  Scratch scratch;
  Cursor in(bytes, 0, scratch);
  std::vector<ToldNode> nodes;
  for (uint64_t left = in.length("nodes"); left > 0; --left) {
    const std::string key(read_string(in, "key"));
    CHECK(key.size() == 16);
    const StreamId master{load_be<uint64_t>(key.data()), load_be<uint64_t>(key.data() + 8)};
    nodes.push_back({master, std::string(read_string(in, "node"))});
  }
  return nodes;
}

void add_entry(Value& value, StreamId id, const Pairs& pairs) {
  std::vector<StreamField> fields;
  for (const auto& [field, text] : pairs) fields.push_back({field, text});
  value.add(StreamEntry{id, fields});
  value.stream.info.last_id = id;
}

}  // namespace

TEST_CASE("streams that servers wrote are written in the same bytes") {
  struct Row {
    int layout;
    Bytes bytes;
  };
  // As in persist-rdb(5), EXAMPLES, but for what was removed from the first two.
  const Row rows[] = {
      {1,
       "01 10 00000000000000010000000000000001"
       "3c 3c000000 1800 0301 0001 0101 816602 0001 0201 0001 0001 816102 0401"
       "0201 0201 0201 816302 0401 0001 0201 0301 0201 816702 0101 816802 0201 0801 ff"
       "03 03 04 01 0167 01 01 01 00000000000000010000000000000001 814701fba1010000 01"
       "01 02616c 814701fba1010000 01 00000000000000010000000000000001"},
      {3,
       "01 10 00000000000000010000000000000001"
       "3c 3c000000 1800 0301 0001 0101 816602 0001 0201 0001 0001 816102 0401"
       "0201 0201 0201 816302 0401 0001 0201 0301 0201 816702 0101 816802 0201 0801 ff"
       "03 03 04  01 01  02 02  04 01 0167 01 01 81ffffffffffffffff"
       "01 00000000000000010000000000000001 e74701fba1010000 01"
       "01 02616c e74701fba1010000 e74701fba1010000 01 00000000000000010000000000000001"},
      {5,
       "01 10 00000000000000010000000000000001"
       "28 28000000 0f00 0201 0001 0101 816602 0001 0201 0001 0001 816102 0401 0201 0101 0101 816202 0401 ff"
       "02 02 02 01 01 00 00 02  01 0167 02 02 02"
       "02 00000000000000010000000000000001 3f6203fba1010000 01"
       "00000000000000020000000000000002 0000000000000000 01"
       "01 02616c 3f6203fba1010000 3f6203fba1010000 01 00000000000000010000000000000001"
       "01 00000000000000020000000000000002 4064 4064 00 00 00"},
      {3, "00 00 00 00 00 00 00 00 00 01 0167 00 00 81ffffffffffffffff 00 00"},
      {4,
       "00 00 00 00 00 00 00 00 00 00 4064 4064 02 027032 01 10 4b802c8d000102030405060708d1ebd3"
       "81000001a1fb03621a 01 0570726f6441 01 05 6969642d31 81000001a1fb03621a 00 02 00"},
  };
  for (const Row& row : rows) {
    const std::string bytes = unhex(row.bytes);
    Value value;
    decode_into(value, bytes, row.layout);
    CHECK(hex(encoded(value, row.layout)) == hex(bytes));
  }
}

TEST_CASE("what a layout stores comes back") {
  for (int layout = 1; layout <= 5; ++layout) {
    for (uint32_t seed = 1; seed <= 40; ++seed) {
      CAPTURE(layout);
      CAPTURE(seed);
      Value value;
      StreamMaker(seed, layout).make(value, seed % 10 == 0 ? 0 : seed * 8);
      WriteRules rules = stream_rules(layout, seed % 7 == 0 ? 0 : 4096, seed % 5 == 0 ? 0 : 100);
      rules.compress = seed % 2 == 0;
      const std::string bytes = encoded(value, layout, rules);
      const bool is_same = decoded_notation(bytes, layout) == expected_notation(value, layout);
      CHECK(is_same);
      // And so does what came back.
      Value again;
      decode_into(again, bytes, layout);
      const bool is_stable = encoded(again, layout, rules) == bytes;
      CHECK(is_stable);
    }
  }
}

TEST_CASE("a node ends where a server ends it") {
  // The listpack of a node with n entries "f" = "v", IDs 1-1 to 1-n: 22 bytes and 11 for each entry beyond
  // the first. An entry comes in as long as what is there and its two bytes are less than the limit.
  const auto sizes = [](uint64_t node_bytes, uint64_t node_entries, uint64_t entries) {
    Value value;
    value.begin(ValueType::stream);
    for (uint64_t i = 1; i <= entries; ++i) add_entry(value, {1, i}, {{"f", "v"}});
    std::string told;
    uint64_t first = 1;
    for (const ToldNode& node :
         stream_nodes_of(encoded(value, 1, stream_rules(1, node_bytes, node_entries)))) {
      CHECK(node.master == StreamId{1, first});
      const uint64_t count = (load_le<uint16_t>(node.listpack.data() + 4) - 5U) / 5;
      told += (told.empty() ? "" : " ") + std::to_string(count);
      first += count;
    }
    return told;
  };
  CHECK(sizes(4096, 100, 250) == "100 100 50");
  CHECK(sizes(4096, 1, 3) == "1 1 1");
  CHECK(sizes(1, 100, 3) == "1 1 1");
  CHECK(sizes(0, 100, 101) == "100 1");
  CHECK(sizes(0, 0, 1000) == "1000");
  CHECK(sizes(31, 100, 4) == "1 1 1 1");
  CHECK(sizes(32, 100, 4) == "2 2");
  CHECK(sizes(42, 100, 4) == "2 2");
  CHECK(sizes(43, 100, 4) == "3 1");
}

TEST_CASE("numbers of entries of every width stand where they belong") {
  for (const uint64_t entries :
       {uint64_t{127}, uint64_t{128}, uint64_t{4095}, uint64_t{4096}, uint64_t{32768}}) {
    CAPTURE(entries);
    Value value;
    value.begin(ValueType::stream);
    for (uint64_t i = 1; i <= entries; ++i) add_entry(value, {1, i}, {{"f", "v"}});
    const std::vector<ToldNode> nodes = stream_nodes_of(encoded(value, 1, stream_rules(1, 0, 0)));
    REQUIRE(nodes.size() == 1);
    ListpackBuilder begin;
    begin.add_number(static_cast<int64_t>(entries)).add_number(0).add_number(1).add("f").add_number(0);
    const std::string front = begin.bytes();
    CHECK(nodes[0].listpack.substr(6, front.size() - 7) == front.substr(6, front.size() - 7));
    CHECK(decoded_notation(encoded(value, 1, stream_rules(1, 0, 0)), 1) == expected_notation(value, 1));
  }
}

TEST_CASE("ten thousand entries, with more nodes than a length of one byte counts") {
  Value value;
  value.begin(ValueType::stream);
  for (uint64_t i = 0; i < 10'000; ++i)
    add_entry(value, {1700000000000 + i * 7, i % 3}, {{"n", std::to_string(i)}});
  for (int layout = 1; layout <= 5; ++layout) {
    const std::string bytes = encoded(value, layout);
    CHECK(stream_nodes_of(bytes).size() == 100);
    const bool is_same = decoded_notation(bytes, layout) == expected_notation(value, layout);
    CHECK(is_same);
  }
}

TEST_CASE("values alone, if all names are those of the node's first entry") {
  Value value;
  value.begin(ValueType::stream);
  add_entry(value, {5, 9}, {{"a", "1"}, {"12", "2"}});
  add_entry(value, {6, 1}, {{"a", "x"}, {"12", ""}});
  add_entry(value, {6, 2}, {{"12", "2"}, {"a", "1"}});
  add_entry(value, {6, 3}, {{"a", "1"}});
  add_entry(value, {6, 4}, {{"a", "1"}, {"012", "2"}});
  const std::vector<ToldNode> nodes = stream_nodes_of(encoded(value, 2));
  REQUIRE(nodes.size() == 1);
  ListpackBuilder node;
  const auto add_all = [&](std::initializer_list<const char*> texts) {
    for (const char* text : texts) node.add(text);
  };
  add_all({"5", "0", "2", "a", "12", "0"});
  add_all({"2", "0", "0", "1", "2", "5"});
  add_all({"2", "1", "-8", "x", "", "5"});
  add_all({"0", "1", "-7", "2", "12", "2", "a", "1", "8"});
  add_all({"0", "1", "-6", "1", "a", "1", "6"});
  add_all({"0", "1", "-5", "2", "a", "1", "012", "2", "8"});
  CHECK(hex(nodes[0].listpack) == hex(node.bytes()));
}

TEST_CASE("IDs at the ends of their range, and entries with one of the sizes that servers dispute") {
  constexpr uint64_t kMost = ~uint64_t{0};
  for (const int layout : {4, 5}) {
    Value value;
    value.begin(ValueType::stream);
    add_entry(value, {0, 1}, {{"f", std::string(16378, 'x')}});
    add_entry(value, {uint64_t{1} << 63, 0}, {{"f", "v"}});
    add_entry(value, {kMost, kMost}, {{"f", "v"}});
    WriteRules rules = stream_rules(layout, 0, 0);
    const std::string bytes = encoded(value, layout, rules);
    CHECK(decoded_notation(bytes, layout) == expected_notation(value, layout));
    const Bytes backlen = layout == 5 ? Bytes("x\x7f\xff") : Bytes("x\x00\xff\xff", 4);
    CHECK(bytes.find(backlen) != std::string::npos);
  }
}

TEST_CASE("what the layout of the source did not store") {
  struct Row {
    StreamId last_id;  // of the group
    Bytes read;
  };
  // As Redis 7.0 estimates it for a stream 1-1 2-1 3-1 of the oldest layout.
  for (const Row& row :
       {Row{{0, 0}, "0"}, Row{{1, 1}, "1"}, Row{{2, 1}, "-"}, Row{{3, 1}, "3"}, Row{{4, 0}, "-"}}) {
    CAPTURE(row.last_id.ms);
    Value value;
    value.begin(ValueType::stream);
    for (uint64_t i = 1; i <= 3; ++i) add_entry(value, {i, 1}, {{"f", "v"}});
    value.add(StreamGroup{"g", row.last_id, false, std::nullopt});
    value.add(StreamConsumer{"c", 7, false, std::nullopt});
    const std::string told = decoded_notation(encoded(value, 4), 4);
    CHECK(told ==
          "stream{length=3 last=3-1 first=1-1 deleted=0-0 added=3 1-1{f=v} 2-1{f=v} 3-1{f=v} group g@" +
              shown(row.last_id) + " read=" + std::string(row.read) +
              "{consumer c seen=7 active=7} idmp=100s/100 iids=0+0}");
  }
  Value empty;
  empty.begin(ValueType::stream);
  empty.stream.info.last_id = {5, 5};
  empty.add(StreamGroup{"g", {5, 5}, false, std::nullopt});
  CHECK(decoded_notation(encoded(empty, 2), 2) ==
        "stream{length=0 last=5-5 first=0-0 deleted=0-0 added=0 group g@5-5 read=0{}}");
}

TEST_CASE("every pending entry finds its owner") {
  Value value;
  value.begin(ValueType::stream);
  value.add(StreamGroup{"g", {9, 0}, true, std::nullopt});
  value.add(StreamPending{{1, 0}, "new", 50, 1, std::nullopt});
  value.add(StreamPending{{2, 0}, std::nullopt, 5, 3, 1});
  value.add(StreamPending{{3, 0}, "b", 60, 1, std::nullopt});
  value.add(StreamPending{{4, 0}, std::nullopt, 5, 4, std::nullopt});
  value.add(StreamPending{{5, 0}, "new", 70, 1, std::nullopt});
  value.add(StreamPending{{6, 0}, "", 70, 1, std::nullopt});
  value.add(StreamPending{{7, 0}, std::nullopt, 0, 5, 0});
  value.add(StreamConsumer{"b", 1, true, std::nullopt});
  value.add(StreamConsumer{"a", 2, true, 1});
  value.add(StreamConsumer{"b", 3, true, 2});
  CHECK(decoded_notation(encoded(value, 5), 5) ==
        "stream{length=0 last=0-0 first=0-0 deleted=0-0 added=0 group g@9-0 read=-{"
        "1-0>new*1@50 2-0>-*3@0 nack=1 3-0>b*1@60 4-0>-*4@0 nack=2 5-0>new*1@70 6-0>\"\"*1@70 "
        "7-0>-*5@0 nack=0 consumer a seen=2 active=1 consumer b seen=1 active=- "
        "consumer \"\" seen=70 active=70 consumer new seen=70 active=70} idmp=100s/100 iids=0+0}");
}
