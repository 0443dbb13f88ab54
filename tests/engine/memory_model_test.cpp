// The model of memory against figures that servers gave, against the writers of containers, and against its
// own rules; tests/server asks a server of every type and size.
#include "engine/memory_model.hpp"

#include <doctest/doctest.h>

#include <random>
#include <set>
#include <string>

#include "base/byte_buffer.hpp"
#include "codec/listpack_writer.hpp"
#include "codec/ziplist_writer.hpp"
#include "codec/zipmap_writer.hpp"
#include "engine/packed_sizes.hpp"
#include "engine/radix_shape.hpp"
#include "types/plain_encoding.hpp"

using namespace persist;

namespace {

class OneServer {
 public:
  OneServer(Bytes server, Allocator allocator) : model_(*find_target(server), allocator) {}

  OneServer& key(ValueType type, Bytes name = "kkk", int64_t expire_at_ms = kNoExpiry) {
    RdbEntry entry;
    entry.key = name;
    entry.encoding = &plain_encoding(type);
    entry.expire_at_ms = expire_at_ms;
    model_.begin(entry);
    return *this;
  }
  template <typename T>
  OneServer& tell(const T& element) {
    model_.add(Element(element));
    return *this;
  }
  Footprint end() { return model_.end(); }
  Footprint string(Bytes value, Bytes name = "kkk", int64_t expire_at_ms = kNoExpiry) {
    return key(ValueType::string, name, expire_at_ms).tell(StringValue{value}).end();
  }
  Footprint hash(size_t fields, size_t value_size, int64_t expire_at_ms = kNoExpiry) {
    const std::string value(value_size, 'v');
    key(ValueType::hash);
    for (size_t i = 0; i < fields; ++i) tell(HashField{std::to_string(i), value, expire_at_ms});
    return end();
  }
  [[nodiscard]] const MemoryModel& model() const { return model_; }

 private:
  MemoryModel model_;
};

// Texts around every boundary of how items are stored.
std::vector<std::string> boundary_items() {
  std::vector<std::string> items = {"",
                                    "-",
                                    "-0",
                                    "0",
                                    "00",
                                    "01",
                                    "-1",
                                    "1a",
                                    "a1",
                                    "9:",
                                    "1 ",
                                    "12/4",
                                    "-05",
                                    "+5",
                                    "--1",
                                    "1-1",
                                    "0x1f",
                                    "12345678:",
                                    "/9",
                                    "1.5",
                                    "9223372036854775808",
                                    "-9223372036854775809",
                                    "99999999999999999999"};
  for (unsigned bits = 0; bits < 64; ++bits) {
    for (const int64_t off : {-1, 0, 1}) {
      const auto number = static_cast<int64_t>((uint64_t{1} << bits) + static_cast<uint64_t>(off));
      items.push_back(std::to_string(number));
      items.push_back(std::to_string(~number));
      items.push_back(std::to_string(number) + "x");
    }
  }
  std::string digits;
  for (int i = 1; i < 24; ++i) {
    digits += static_cast<char>('0' + i % 10);
    items.push_back(digits);
    items.push_back(digits + ":" + digits);
  }
  for (const size_t size :
       {1U, 62U, 63U, 64U, 125U, 126U, 252U, 253U, 254U, 4095U, 4096U, 16380U, 16381U, 16384U, 70000U})
    items.emplace_back(size, 't');
  return items;
}

// A tree of keys of 16 bytes, counted the slow way.
uint64_t count_nodes(const std::vector<std::string>& keys, size_t depth) {
  constexpr size_t kKeyBytes = 16;
  if (keys.size() == 1) return (depth < kKeyBytes ? 1 : 0) + 1;
  const size_t begin = depth;
  while (std::ranges::all_of(keys, [&](const auto& key) { return key[depth] == keys[0][depth]; })) ++depth;
  uint64_t nodes = (depth > begin ? 1 : 0) + 1;
  for (unsigned byte = 0; byte < 256; ++byte) {
    std::vector<std::string> below;
    for (const std::string& key : keys)
      if (key[depth] == static_cast<char>(byte)) below.push_back(key);
    if (!below.empty()) nodes += count_nodes(below, depth + 1);
  }
  return nodes;
}

std::string key_bytes(StreamId id) {
  std::string bytes;
  for (const uint64_t half : {id.ms, id.seq})
    for (int shift = 56; shift >= 0; shift -= 8) bytes += static_cast<char>(half >> shift & 0xff);
  return bytes;
}

}  // namespace

TEST_CASE("allocators round up to their sizes") {
  struct Row {
    uint64_t asked;
    uint64_t jemalloc;
    uint64_t jemalloc_system;
    uint64_t libc;
  };
  constexpr Row kRows[] = {{0, 8, 8, 24},
                           {1, 8, 8, 24},
                           {9, 16, 16, 24},
                           {17, 24, 32, 24},
                           {25, 32, 32, 40},
                           {33, 40, 48, 40},
                           {40, 40, 48, 40},
                           {41, 48, 48, 56},
                           {57, 64, 64, 72},
                           {65, 80, 80, 72},
                           {129, 160, 160, 136},
                           {161, 192, 192, 168},
                           {536, 640, 640, 536},
                           {1024, 1024, 1024, 1032},
                           {1025, 1280, 1280, 1032},
                           {5006, 5120, 5120, 5016},
                           {100006, 114688, 114688, 100008},
                           {1 << 20, 1 << 20, 1 << 20, (1 << 20) + 8}};
  for (const Row& row : kRows) {
    CAPTURE(row.asked);
    CHECK(AllocatorSizes(Allocator::jemalloc)(row.asked) == row.jemalloc);
    CHECK(AllocatorSizes(Allocator::jemalloc_system)(row.asked) == row.jemalloc_system);
    CHECK(AllocatorSizes(Allocator::libc)(row.asked) == row.libc);
  }
}

TEST_CASE("items are measured as they are written") {
  for (const Backlen backlen : {Backlen::wide, Backlen::narrow}) {
    const ListpackSizes sizes{backlen == Backlen::narrow};
    for (const std::string& item : boundary_items()) {
      CAPTURE(item.substr(0, 40));
      ByteBuffer buffer;
      ListpackWriter writer(buffer, backlen);
      writer.add(item);
      CHECK(ListpackSizes::kEmpty + sizes(item) == writer.size());
    }
  }
  ByteBuffer buffer;
  ZiplistWriter ziplist(buffer, ZiplistIntegers::all);
  uint64_t size = ZiplistSizes::kEmpty;
  uint64_t before = 0;
  for (const std::string& item : boundary_items()) {
    CAPTURE(item.substr(0, 40));
    ziplist.add(item);
    size += ZiplistSizes::of(item, before);
    REQUIRE(ziplist.size() == size);
  }
}

TEST_CASE("zipmaps are measured as they are written") {
  ByteBuffer buffer;
  ZipmapWriter zipmap(buffer);
  uint64_t size = ZipmapSizes::kEmpty;
  for (const std::string& item : boundary_items()) {
    zipmap.add(item, item);
    size += ZipmapSizes::of(item, item);
    REQUIRE(zipmap.size() == size);
  }
}

TEST_CASE("an item is an integer where servers take it for one") {
  for (const std::string& item : boundary_items()) {
    CAPTURE(item.substr(0, 40));
    CHECK(item_integer(item) == parse_server_integer(item));
  }
  std::mt19937 random(3);
  for (int i = 0; i < 20000; ++i) {
    std::string item;
    for (size_t size = 1 + random() % 20; item.size() < size;)
      item += "0123456789:/-"[random() % (i % 2 ? 10 : 13)];
    CAPTURE(item);
    REQUIRE(item_integer(item) == parse_server_integer(item));
  }
}

TEST_CASE("trees of IDs have the nodes of a radix tree") {
  std::mt19937_64 random(5);
  const AllocatorSizes sizes(Allocator::jemalloc);
  CHECK(RadixShape().nodes() == 1);
  CHECK(RadixShape().allocated(sizes) == 24 + 8);
  for (int round = 0; round < 60; ++round) {
    std::set<StreamId> ids;
    const uint64_t spread = uint64_t{1} << (round % 40);
    for (int i = 0; i <= round * 3; ++i)
      ids.insert({1'000'000 + random() % spread, random() % (1U << round % 12)});
    RadixShape shape;
    std::vector<std::string> keys;
    for (const StreamId id : ids) {
      shape.add(id, sizes);
      keys.push_back(key_bytes(id));
    }
    CAPTURE(round);
    CHECK(shape.keys() == ids.size());
    CHECK(shape.nodes() == count_nodes(keys, 0));
  }
}

TEST_CASE("a tree of IDs takes what its nodes do") {
  const AllocatorSizes sizes(Allocator::jemalloc);
  RadixShape shape;
  shape.add({1, 1}, sizes);
  CHECK(shape.allocated(sizes) == 24 + 32 + 16);  // head, chain of 16, leaf
  shape.add({1, 2}, sizes);
  CHECK(shape.allocated(sizes) == 24 + 32 + 24 + 2 * 16);  // chain of 15, fork, leaves
  shape.add({2, 0}, sizes);
  // Chain of 7, fork, chains of 7 and 8, fork, leaves.
  CHECK(shape.allocated(sizes) == 24 + 24 + 24 + 24 + 24 + 24 + 3 * 16);
}

TEST_CASE("strings are reported as servers do") {
  struct Row {
    Bytes server;
    Allocator allocator;
    std::vector<std::pair<size_t, uint64_t>> reported;  // by the size of the value
  };
  const Row rows[] = {
      {"redis-7.4",
       Allocator::jemalloc,
       {{5, 64},
        {20, 72},
        {44, 96},
        {45, 104},
        {60, 112},
        {100, 160},
        {1000, 1072},
        {5000, 5168},
        {100000, 114736}}},
      {"redis-7.0",
       Allocator::jemalloc_system,
       {{5, 64},
        {20, 80},
        {44, 96},
        {45, 112},
        {60, 112},
        {100, 160},
        {1000, 1072},
        {5000, 5168},
        {100000, 114736}}},
      {"valkey-8.0", Allocator::jemalloc, {{5, 56}, {20, 64}, {44, 88}, {45, 96}, {100, 152}, {1000, 1064}}},
  };
  for (const Row& row : rows) {
    OneServer server(row.server, row.allocator);
    for (const auto& expected : row.reported) {
      CAPTURE(row.server);
      CAPTURE(expected.first);
      CHECK(server.string(std::string(expected.first, 's')).reported == expected.second);
    }
  }
  CHECK(OneServer("redis-7.4", Allocator::jemalloc).string("12345").reported == 48);
  CHECK(OneServer("redis-8.4", Allocator::jemalloc).string("12345", "k").reported == 20);
  CHECK(OneServer("redis-6.2", Allocator::jemalloc).string("hello").reported == 8 + 24 + 16 + 5 + 2);
}

TEST_CASE("a string is the same whether its bytes are shown or not") {
  for (const Target& target : targets()) {
    MemoryModel model(target, Allocator::jemalloc);
    RdbEntry entry;
    entry.key = "key";
    entry.encoding = &plain_encoding(ValueType::string);
    for (const size_t size : {21U, 38U, 39U, 44U, 45U, 300U, 70000U}) {
      const std::string value(size, '7');
      model.begin(entry);
      model.add(StringValue{value});
      const Footprint shown = model.end();
      model.begin(entry);
      model.add_string(size);
      const Footprint hidden = model.end();
      CAPTURE(target.name);
      CHECK(shown.reported == hidden.reported);
      CHECK(shown.allocated == hidden.allocated);
    }
  }
}

TEST_CASE("numbers that a server has anyway take no object") {
  OneServer server("redis-7.0", Allocator::jemalloc);
  CHECK(server.string("9999").allocated + 16 == server.string("10000").allocated);
  CHECK(server.string("9999").reported == server.string("10000").reported);
  CHECK(server.string("-1").allocated == server.string("10000").allocated);
}

TEST_CASE("an expiry is an entry of a table, or a number in the object") {
  OneServer redis("redis-7.0", Allocator::jemalloc_system);
  CHECK(redis.string("v", "k", 5).allocated - redis.string("v", "k").allocated == 32);
  CHECK(redis.string("v", "k", 5).reported == redis.string("v", "k").reported);
  OneServer valkey("valkey-8.1", Allocator::libc);
  CHECK(valkey.string("twelve bytes", "key").reported == 40);
  CHECK(valkey.string("twelve bytes", "key", 5).reported == 56);
}

TEST_CASE("lists are reported as servers do") {
  OneServer old_redis("redis-6.2", Allocator::jemalloc);
  old_redis.key(ValueType::list, "list");
  for (int i = 0; i < 100; ++i) old_redis.tell(ListItem{std::to_string(i)});
  CHECK(old_redis.end().reported == 418);
  OneServer redis("redis-7.0", Allocator::jemalloc);
  redis.key(ValueType::list);
  for (int i = 0; i < 20000; ++i) redis.tell(ListItem{"fourteen bytes"});
  CHECK(redis.end().reported == 322456);
}

TEST_CASE("a value is packed up to the limits") {
  struct Row {
    size_t fields;
    size_t value_size;
    bool packed;
  };
  constexpr Row kRows[] = {{100, 64, true}, {100, 65, false}, {512, 5, true}, {513, 5, false}};
  for (const Bytes name :
       std::initializer_list<Bytes>{"redis-7.0", "redis-8.2", "valkey-9.0", "redis-2.4", "redis-6.2"}) {
    OneServer server(name, Allocator::jemalloc);
    for (const Row& row : kRows) {
      CAPTURE(name);
      CAPTURE(row.fields);
      const uint64_t payload = row.fields * (row.value_size + 3);
      // What is packed takes a few bytes an item, anything else at least an entry.
      CHECK((server.hash(row.fields, row.value_size).allocated < payload + row.fields * 12 + 170) ==
            row.packed);
    }
  }
}

TEST_CASE("a table that has just grown is there with the one before it") {
  OneServer server("redis-7.0", Allocator::jemalloc);
  const uint64_t head = 24 + 8 + 16 + 56;
  const uint64_t field = 24 + 8 + 80;
  CHECK(server.hash(16, 65).reported == head + 16 * 8 + 16 * field);
  CHECK(server.hash(17, 65).reported == head + (32 + 16) * 8 + 17 * field);
  CHECK(server.hash(18, 65).reported == head + 32 * 8 + 18 * field);
  CHECK(server.hash(513, 65).reported == head + 1024 * 8 + 513 * field);
}

TEST_CASE("expiries of fields count where the server has them") {
  constexpr int64_t kAt = 1'900'000'000'000;
  for (const Bytes name : std::initializer_list<Bytes>{"redis-7.0", "redis-7.2", "valkey-8.1"}) {
    OneServer server(name, Allocator::jemalloc);
    CHECK(server.hash(10, 5, kAt).allocated == server.hash(10, 5).allocated);
  }
  for (const Bytes name : std::initializer_list<Bytes>{"redis-7.4", "redis-8.8", "valkey-9.0"}) {
    OneServer server(name, Allocator::jemalloc);
    CAPTURE(name);
    CHECK(server.hash(10, 5, kAt).allocated >= server.hash(10, 5).allocated + 80);
    CHECK(server.hash(600, 5, kAt).allocated >= server.hash(600, 5).allocated + 600 * 8);
  }
}

TEST_CASE("a set is packed as integers, then as any members, where the server does") {
  const auto set_of = [](OneServer& server, size_t count, const char* extra) {
    server.key(ValueType::set);
    for (size_t i = 0; i < count; ++i) server.tell(SetMember{std::to_string(1000 + i)});
    if (extra != nullptr) server.tell(SetMember{extra});
    return server.end().reported;
  };
  OneServer redis_7_0("redis-7.0", Allocator::jemalloc);
  OneServer redis_7_2("redis-7.2", Allocator::jemalloc);
  const uint64_t head = 24 + 8 + 16;
  CHECK(set_of(redis_7_0, 100, nullptr) == head + 224);
  CHECK(set_of(redis_7_0, 100, "70000") == head + 448);
  CHECK(set_of(redis_7_0, 512, nullptr) == head + 1280);
  CHECK(set_of(redis_7_0, 100, "x") == head + 56 + 128 * 8 + 100 * (24 + 8) + 24 + 8);
  // The table of the first 64 has hardly been emptied when the last member has come.
  CHECK(set_of(redis_7_0, 64, "x") == head + 56 + (128 + 64) * 8 + 65 * (24 + 8));
  CHECK(set_of(redis_7_2, 100, "x") == head + 320);
  CHECK(set_of(redis_7_2, 127, "x") == head + 448);
  CHECK(set_of(redis_7_2, 128, "x") == head + 56 + 256 * 8 + 129 * (24 + 8));
}

TEST_CASE("members that are alone in a bucket have no entry") {
  OneServer server("valkey-8.0", Allocator::jemalloc);
  server.key(ValueType::set);
  for (int i = 0; i < 3000; ++i) server.tell(SetMember{"member:" + std::to_string(i)});
  const uint64_t reported = server.end().reported;
  CHECK(reported > 94'992 * 0.99);
  CHECK(reported < 94'992 * 1.01);
}

TEST_CASE("every server takes at least the bytes of a value, and more for more") {
  for (const Target& target : targets()) {
    for (const Allocator allocator : {Allocator::jemalloc, Allocator::jemalloc_system, Allocator::libc}) {
      CAPTURE(target.name);
      MemoryModel model(target, allocator);
      const std::string text(90, 't');
      const StreamField field{text, text};
      const Element told[] = {StringValue{text},     ListItem{text},
                              SetMember{text},       SortedSetMember{text, 1.5},
                              HashField{text, text}, StreamEntry{{5, 1}, {&field, 1}},
                              ArrayElement{7, text}, ModuleValue{"module-id", 0, text}};
      constexpr ValueType kTypes[] = {ValueType::string, ValueType::list,  ValueType::set,
                                      ValueType::zset,   ValueType::hash,  ValueType::stream,
                                      ValueType::array,  ValueType::module};
      for (size_t i = 0; i < std::size(told); ++i) {
        RdbEntry entry;
        entry.key = "key";
        entry.encoding = &plain_encoding(kTypes[i]);
        uint64_t less = 0;
        for (const size_t times : {1U, 20U, 700U}) {
          if (kTypes[i] == ValueType::string && times > 1) break;
          model.begin(entry);
          for (size_t n = 0; n < times; ++n) model.add(told[i]);
          const Footprint found = model.end();
          CHECK(found.allocated > less);
          CHECK(found.allocated >= 90 * times);
          CHECK(found.allocated < 2000 + 400 * times);
          if (target.release < 400) CHECK(found.reported == found.allocated);
          less = found.allocated;
        }
      }
    }
  }
}

TEST_CASE("a vector set takes what its graph does") {
  OneServer server("redis-8.0", Allocator::jemalloc);
  // 300 components of a byte, 100 elements, 16 links, no flags.
  const std::string head("\x02\x41\x2c\x02\x40\x64\x02\x50\x01\x02\x00", 11);
  const std::string payload = head + std::string(40000, 'p');
  const uint64_t bytes =
      server.key(ValueType::module).tell(ModuleValue{"vectorset", 1, payload}).end().reported;
  CHECK(bytes > 100 * 900);
  CHECK(bytes < 100 * 1400);
  // What is no such head is an estimate by size, and elements that cannot be there are not believed.
  for (const char* broken : {"", "\x02", "\x02\x81\x01", "\x05\x01", "\x02\xff"}) {
    CHECK(server.key(ValueType::module).tell(ModuleValue{"vectorset", 1, broken}).end().reported < 200);
  }
  const std::string many("\x02\x01\x02\x80\xff\xff\xff\xff\x02\x01\x02\x00", 12);
  CHECK(server.key(ValueType::module).tell(ModuleValue{"vectorset", 1, many}).end().reported < 1000);
}

TEST_CASE("tables have a power of two of buckets") {
  const MemoryModel redis(*find_target("redis-7.0"), Allocator::jemalloc);
  CHECK(redis.tables(0, 0) == 0);
  CHECK(redis.tables(1, 0) == 4 * 8);
  CHECK(redis.tables(65536, 0) == 65536 * 8);
  CHECK(redis.tables(65537, 5) == 131072 * 8 + 8 * 8);
  // Redis 8.2: a pointer to the object, and an entry for all but the first in a bucket.
  const MemoryModel entries(*find_target("redis-8.2"), Allocator::jemalloc);
  CHECK(entries.tables(65536, 0) == 65536 * 8 + 24110 * 16);
  // Valkey 8.1: 64 bytes for up to seven; 16384 buckets, and a few more where eight came together.
  const MemoryModel buckets(*find_target("valkey-8.1"), Allocator::jemalloc);
  CHECK(buckets.tables(65536, 0) > 16384 * 64);
  CHECK(buckets.tables(65536, 0) < 16384 * 64 * 1.1);
}
