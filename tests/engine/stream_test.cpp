// The value of a stream: each operation alone, all of them at random against a plain model, and all streams
// of testdata through it and out again.
#include "engine/stream.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <random>

#include "persist/rdb_reader.hpp"
#include "support/notation.hpp"

using namespace persist;
using namespace persist::test;

namespace {

constexpr StreamId kIdMax{~uint64_t{0}, ~uint64_t{0}};

using Texts = std::vector<std::pair<std::string, std::string>>;

void append(Stream& stream, StreamId id, const Texts& texts) {
  std::vector<StreamField> fields;
  for (const auto& [name, value] : texts) fields.push_back({name, value});
  stream.append(id, fields);
}

// Entries 1-0, 2-0...
Stream numbered(uint64_t count) {
  Stream stream;
  for (uint64_t i = 1; i <= count; ++i) append(stream, {i, 0}, {{"n", std::to_string(i)}});
  return stream;
}

std::string ids_of(const Stream& stream, StreamId from = {}, StreamId to = kIdMax) {
  std::string ids;
  stream.entries().for_each(from, to, [&](const StreamEntry& entry) {
    ids += (ids.empty() ? "" : " ") + shown(entry.id);
    return true;
  });
  return ids;
}

std::string told(const Stream& stream, StreamLayout layout = StreamLayout::v5) {
  Notation notation;
  notation.begin(ValueType::stream);
  stream.tell([&](const Element& element) { notation.add(element); }, layout);
  return notation.end();
}

// Whether the stream takes the element.
bool add(Stream& stream, const Element& element) {
  return std::visit(
      [&](const auto& one) {
        if constexpr (requires { stream.add(one); }) {
          return stream.add(one);
        } else {
          return false;
        }
      },
      element);
}

Stream copy_of(const Stream& stream) {
  Stream copy;
  stream.tell([&](const Element& element) { CHECK(add(copy, element)); });
  return copy;
}

std::string pending_of(const ConsumerGroup& group) {
  std::string text;
  for (const auto& [id, pending] : group.pending()) {
    const ConsumerGroup::Consumer* owner = group.owner_of(pending);
    text += (text.empty() ? "" : " ") + shown(id) + ">" + (owner != nullptr ? std::string(owner->name) : "-");
  }
  return text;
}

}  // namespace

// --- Entries
// ------------------------------------------------------------------------------------------------

TEST_CASE("stream: a new one") {
  const Stream stream;
  CHECK(told(stream) == "stream{length=0 last=0-0 first=0-0 deleted=0-0 added=0 idmp=100s/100 iids=0+0}");
  CHECK(told(stream, StreamLayout::v1) == "stream{length=0 last=0-0}");
  CHECK(!stream.contains({0, 0}));
}

TEST_CASE("stream: entries come out as they went in") {
  const std::vector<Texts> entries = {
      {{"a", "1"}, {"b", "2"}},                    // opens the chunk
      {{"a", "3"}, {"b", ""}},                     // the same names
      {{"a", "1"}},                                // fewer
      {{"a", "1"}, {"b", "2"}, {"c", "3"}},        // more
      {{"b", "2"}, {"a", "1"}},                    // in another order
      {{"", ""}},                                  // nothing in it
      {},                                          // not even that
      {{"a", std::string(5000, 'x')}},             // larger than a chunk
      {{std::string(200, 'n'), "1"}},              // a length of two bytes
      {{"a", "4"}, {"b", std::string(300, 'y')}},  //
      {{std::string(70000, 'n'), "1"}},            // names larger than a chunk
      {{std::string(70000, 'n'), "2"}},            //
      {{"a", "5"}, {"b", "6"}},                    //
  };
  Stream stream;
  for (uint64_t i = 0; i < entries.size(); ++i) append(stream, {7, i + 1}, entries[i]);
  uint64_t i = 0;
  stream.entries().for_each({}, kIdMax, [&](const StreamEntry& entry) {
    CAPTURE(i);
    CHECK(entry.id == StreamId{7, i + 1});
    Texts texts;
    for (const StreamField& field : entry.fields) texts.emplace_back(field.field, field.value);
    CHECK(texts == entries[i++]);
    return true;
  });
  CHECK(i == entries.size());
}

TEST_CASE("stream: IDs of all sizes") {
  constexpr uint64_t kMost = ~uint64_t{0};
  const std::vector<StreamId> ids = {
      {0, 1},     {0, kMost},    {1, 0}, {1, kMost - 1}, {1, kMost}, {2, kMost}, {uint64_t{1} << 40, 7},
      {kMost, 0}, {kMost, kMost}};
  Stream stream;
  std::string expected;
  for (const StreamId id : ids) {
    append(stream, id, {{"f", "v"}});
    expected += (expected.empty() ? "" : " ") + shown(id);
    CHECK(stream.last_id() == id);
    CHECK(stream.entries().last_id() == id);
  }
  CHECK(ids_of(stream) == expected);
  CHECK(stream.entries().first_id() == StreamId{0, 1});
  for (const StreamId id : ids) CHECK(stream.contains(id));
  for (const StreamId id : {StreamId{0, 0}, {0, 2}, {1, 1}, {2, 0}, {kMost, 1}}) CHECK(!stream.contains(id));
}

TEST_CASE("stream: ranges") {
  const Stream stream = numbered(1000);
  CHECK(ids_of(stream, {998, 0}) == "998-0 999-0 1000-0");
  CHECK(ids_of(stream, {}, {2, 5}) == "1-0 2-0");
  CHECK(ids_of(stream, {400, 0}, {401, 0}) == "400-0 401-0");
  CHECK(ids_of(stream, {400, 1}, {400, 9}).empty());
  CHECK(ids_of(stream, {5, 0}, {4, 0}).empty());
  CHECK(ids_of(stream, {1000, 1}).empty());
  size_t seen = 0;
  stream.entries().for_each({}, kIdMax, [&](const StreamEntry&) { return ++seen < 300; });
  CHECK(seen == 300);
}

TEST_CASE("stream: removing in any order") {
  constexpr uint64_t kCount = 2000;
  std::vector<uint64_t> order(kCount);
  for (uint64_t i = 0; i < kCount; ++i) order[i] = i + 1;
  std::mt19937_64 random(1);
  for (const char* how : {"ascending", "descending", "shuffled"}) {
    CAPTURE(how);
    if (how[0] == 'd') std::ranges::reverse(order);
    if (how[0] == 's') std::shuffle(order.begin(), order.end(), random);
    Stream stream = numbered(kCount);
    std::vector<bool> there(kCount + 1, true);
    uint64_t left = kCount;
    for (const uint64_t i : order) {
      CHECK(stream.remove({i, 0}));
      CHECK(!stream.remove({i, 0}));
      CHECK(!stream.contains({i, 0}));
      there[i] = false;
      CHECK(stream.size() == --left);
      if (left % 97 != 0) continue;
      std::string expected;
      for (uint64_t n = 1; n <= kCount; ++n)
        if (there[n]) expected += (expected.empty() ? "" : " ") + std::to_string(n) + "-0";
      CHECK(ids_of(stream) == expected);
    }
    CHECK(told(stream, StreamLayout::v2) ==
          "stream{length=0 last=2000-0 first=0-0 deleted=2000-0 added=2000}");
    append(stream, {3000, 0}, {{"n", "v"}});
    CHECK(ids_of(stream) == "3000-0");
  }
}

TEST_CASE("stream: the last entry and the last ID") {
  Stream stream = numbered(500);
  for (uint64_t i = 500; i > 300; --i) {
    stream.remove({i, 0});
    CHECK(stream.entries().last_id() == StreamId{i - 1, 0});
  }
  CHECK(stream.last_id() == StreamId{500, 0});
  append(stream, {500, 1}, {{"n", "v"}});
  CHECK(stream.entries().last_id() == StreamId{500, 1});
  stream.set_last_id({900, 0});
  CHECK(stream.last_id() == StreamId{900, 0});
  CHECK(stream.max_deleted_id == StreamId{500, 0});
  stream.remove({1, 0});
  CHECK(stream.max_deleted_id == StreamId{500, 0});
}

TEST_CASE("stream: trimming") {
  Stream stream = numbered(1000);
  CHECK(stream.trim_to_size(1000) == 0);
  CHECK(stream.trim_to_size(999) == 1);
  CHECK(stream.entries().first_id() == StreamId{2, 0});
  CHECK(stream.trim_below({2, 0}) == 0);
  CHECK(stream.trim_below({2, 1}) == 1);
  CHECK(stream.trim_below({500, 0}) == 497);
  CHECK(stream.entries().first_id() == StreamId{500, 0});
  CHECK(stream.trim_to_size(3) == 498);
  CHECK(ids_of(stream) == "998-0 999-0 1000-0");
  CHECK(stream.trim_below(kIdMax) == 3);
  CHECK(stream.entries().last_id() == StreamId{});
  CHECK(stream.trim_below(kIdMax) == 0);
  CHECK(stream.trim_to_size(0) == 0);
  CHECK(told(stream, StreamLayout::v2) == "stream{length=0 last=1000-0 first=0-0 deleted=0-0 added=1000}");
}

TEST_CASE("stream: one that is kept short") {
  Stream stream;
  for (uint64_t i = 1; i <= 5000; ++i) {
    append(stream, {i, 0}, {{"n", std::to_string(i)}});
    CHECK(stream.trim_to_size(3) == (i > 3 ? 1 : 0));
  }
  CHECK(ids_of(stream) == "4998-0 4999-0 5000-0");
  for (uint64_t i = 5001; i <= 6000; ++i) {
    append(stream, {i, 0}, {{"n", "v"}});
    CHECK(stream.trim_below({i + 1, 0}) == (i == 5001 ? 4 : 1));
  }
}

// --- Groups
// -------------------------------------------------------------------------------------------------

TEST_CASE("stream: groups have their names for themselves") {
  Stream stream;
  ConsumerGroup* group = stream.make_group("g", {5, 0}, 7);
  REQUIRE(group != nullptr);
  CHECK(stream.make_group("g", {6, 0}, 8) == nullptr);
  CHECK(stream.find_group("g") == group);
  CHECK(group->last_id == StreamId{5, 0});
  CHECK(group->entries_read == 7);
  CHECK(stream.find_group("h") == nullptr);
  CHECK(!stream.remove_group("h"));
  CHECK(stream.remove_group("g"));
  CHECK(stream.find_group("g") == nullptr);
}

TEST_CASE("stream: pending entries and their owners") {
  ConsumerGroup group({}, std::nullopt);
  ConsumerGroup::Consumer& a = group.make_consumer("a", 11);
  ConsumerGroup::Consumer& b = group.make_consumer("b", 12);
  CHECK(&group.make_consumer("a", 99) == &a);
  CHECK(a.seen_time_ms == 11);
  CHECK(!a.active_time_ms);
  for (const uint64_t ms : {5U, 1U, 3U, 4U, 2U}) group.give({ms, 0}, a);
  CHECK(pending_of(group) == "1-0>a 2-0>a 3-0>a 4-0>a 5-0>a");
  group.find_pending({3, 0})->delivery_count = 9;
  CHECK(group.give({3, 0}, b).delivery_count == 9);
  group.give({2, 0}, b);
  group.give({6, 0}, b);
  CHECK(pending_of(group) == "1-0>a 2-0>b 3-0>b 4-0>a 5-0>a 6-0>b");
  CHECK(a.pending == 3);
  CHECK(b.pending == 3);
  CHECK(group.acknowledge({4, 0}));
  CHECK(!group.acknowledge({4, 0}));
  CHECK(!group.acknowledge({7, 0}));
  CHECK(group.find_pending({4, 0}) == nullptr);
  CHECK(group.remove_consumer("b"));
  CHECK(!group.remove_consumer("b"));
  CHECK(pending_of(group) == "1-0>a 5-0>a");
  CHECK(group.remove_consumer("a"));
  CHECK(group.pending().empty());
  CHECK(group.consumers().empty());
}

TEST_CASE("stream: what is handed back waits in that order") {
  Stream stream;
  ConsumerGroup& group = *stream.make_group("g", {}, std::nullopt);
  ConsumerGroup::Consumer& a = group.make_consumer("a", 0);
  for (const uint64_t ms : {1U, 2U, 3U, 4U}) group.give({ms, 0}, a).delivery_time_ms = 50;
  group.nack({3, 0});
  group.nack({1, 0}).delivery_count = 2;
  group.nack({3, 0});
  group.nack({9, 0});
  CHECK(a.pending == 2);
  CHECK(group.nacked() == 3);
  CHECK(group.is_nacked(*group.find_pending({9, 0})));
  CHECK(group.owner_of(*group.find_pending({9, 0})) == nullptr);
  const std::string expected =
      "group g@0-0 read=-{1-0>-*2@0 nack=1 2-0>a*0@50 3-0>-*0@0 nack=0 4-0>a*0@50 9-0>-*0@0 nack=2 "
      "consumer a seen=0 active=-}";
  CHECK(told(stream).find(expected) != std::string::npos);
  CHECK(told(copy_of(stream)) == told(stream));
  CHECK(told(stream, StreamLayout::v4).find("1-0>-*2@0 2-0") != std::string::npos);

  group.give({3, 0}, a);
  group.acknowledge({9, 0});
  CHECK(group.nacked() == 1);
  group.nack({3, 0});
  CHECK(told(stream).find("1-0>-*2@0 nack=0 2-0>a*0@50 3-0>-*0@0 nack=1") != std::string::npos);
  CHECK(group.remove_consumer("a"));
  CHECK(pending_of(group) == "1-0>- 3-0>-");
}

TEST_CASE("stream: removing and the references of groups") {
  // Group g: 1 and 3 pending, up to 4 delivered; group h: 2 pending, all delivered.
  const auto prepared = [] {
    Stream stream = numbered(5);
    ConsumerGroup& g = *stream.make_group("g", {4, 0}, std::nullopt);
    g.give({1, 0}, g.make_consumer("c", 0));
    g.give({3, 0}, g.make_consumer("c", 0));
    ConsumerGroup& h = *stream.make_group("h", {5, 0}, std::nullopt);
    h.give({2, 0}, h.make_consumer("c", 0));
    return stream;
  };
  Stream stream = prepared();
  for (const uint64_t ms : {1U, 2U, 3U, 5U, 6U}) CHECK(stream.is_referenced({ms, 0}));
  CHECK(!stream.is_referenced({4, 0}));
  CHECK(!stream.remove({1, 0}, References::acknowledged));
  CHECK(!stream.remove({5, 0}, References::acknowledged));
  CHECK(stream.remove({4, 0}, References::acknowledged));
  CHECK(stream.remove({1, 0}));
  CHECK(stream.is_referenced({1, 0}));
  CHECK(stream.remove({2, 0}, References::drop));
  CHECK(!stream.remove({1, 0}, References::drop));
  CHECK(pending_of(*stream.find_group("g")) == "1-0>c 3-0>c");
  CHECK(pending_of(*stream.find_group("h")).empty());
  CHECK(ids_of(stream) == "3-0 5-0");
  CHECK(stream.drop_references({1, 0}));
  CHECK(!stream.drop_references({1, 0}));
  CHECK(!stream.is_referenced({1, 0}));

  stream = prepared();
  CHECK(stream.trim_to_size(3, References::keep) == 2);
  CHECK(stream.is_referenced({1, 0}));
  stream = prepared();
  CHECK(stream.trim_to_size(3, References::drop) == 2);
  CHECK(pending_of(*stream.find_group("g")) == "3-0>c");
  CHECK(pending_of(*stream.find_group("h")).empty());
  stream = prepared();
  CHECK(stream.trim_to_size(2, References::acknowledged) == 1);
  CHECK(ids_of(stream) == "1-0 2-0 3-0 5-0");
  stream = prepared();
  CHECK(stream.trim_below({4, 0}, References::acknowledged) == 0);
  CHECK(stream.trim_below({6, 0}, References::acknowledged) == 1);
  CHECK(stream.trim_below({4, 0}, References::drop) == 3);
  CHECK(ids_of(stream) == "5-0");
  CHECK(stream.max_deleted_id == StreamId{});
}

// --- Idempotency
// --------------------------------------------------------------------------------------------

TEST_CASE("stream: iids") {
  Idempotency idmp;
  CHECK(!idmp.configure(100, 100));
  CHECK(idmp.configure(100, 2));
  CHECK(idmp.add("p", "i1", {10, 0}));
  CHECK(!idmp.add("p", "i1", {11, 0}));
  CHECK(idmp.find("p", "i1") == StreamId{10, 0});
  CHECK(!idmp.find("p", "i2"));
  CHECK(!idmp.find("q", "i1"));
  CHECK(idmp.add("q", "i1", {12, 0}));
  CHECK(idmp.add("p", "i2", {20, 0}));
  CHECK(idmp.add("p", "i3", {30, 0}));
  CHECK(!idmp.find("p", "i1"));
  CHECK(idmp.find("p", "i3") == StreamId{30, 0});
  CHECK(idmp.iids_added() == 4);
  idmp.count_duplicate();
  CHECK(idmp.iids_duplicates() == 1);
  idmp.forget_before(20);
  CHECK(!idmp.find("q", "i1"));
  CHECK(idmp.find("p", "i2") == StreamId{20, 0});
  CHECK(idmp.add("p", "i1", {40, 0}));
  CHECK(!idmp.find("p", "i2"));
  CHECK(!idmp.configure(100, 2));
  CHECK(idmp.find("p", "i1"));
  CHECK(idmp.configure(60, 2));
  CHECK(!idmp.find("p", "i1"));
  CHECK(idmp.duration_s() == 60);
  CHECK(idmp.max_entries() == 2);
}

TEST_CASE("stream: iids are told from the oldest on") {
  Stream stream;
  Idempotency& idmp = stream.idempotency();
  idmp.add("p", "z", {1, 0});
  idmp.add("p", "a", {2, 0});
  idmp.add("b", "z", {3, 0});
  idmp.count_duplicate();
  const std::string expected = "producer b{z=3-0} producer p{z=1-0 a=2-0} idmp=100s/100 iids=3+1}";
  CHECK(told(stream).ends_with(expected));
  Stream copy = copy_of(stream);
  CHECK(told(copy) == told(stream));
  copy.idempotency().forget_before(2);
  CHECK(told(copy).ends_with("producer b{z=3-0} producer p{a=2-0} idmp=100s/100 iids=3+1}"));
  copy.idempotency().forget_before(3);
  CHECK(told(copy).ends_with(" added=0 producer b{z=3-0} idmp=100s/100 iids=3+1}"));
  CHECK(told(stream, StreamLayout::v3).find("idmp") == std::string::npos);
}

// --- Being told
// ---------------------------------------------------------------------------------------------

TEST_CASE("stream: what an old encoding does not know") {
  const auto told_v1 = [](StreamId group_last_id, bool with_entries) {
    const StreamField field{"f", "v"};
    Stream stream;
    stream.add(StreamInfo{with_entries ? 2U : 0U, {9, 0}, {}, {}, {}});
    if (with_entries) stream.add(StreamEntry{{5, 0}, {&field, 1}});
    if (with_entries) stream.add(StreamEntry{{7, 0}, {&field, 1}});
    stream.add(StreamGroup{"g", group_last_id, false, {}});
    stream.add(StreamPending{{5, 0}, "c", 33, 1, {}});
    stream.add(StreamConsumer{"c", 44, false, {}});
    return told(stream, StreamLayout::v3);
  };
  const std::string inside = "{5-0>c*1@33 consumer c seen=44 active=44}}";
  const std::string head = "stream{length=2 last=9-0 first=5-0 deleted=0-0 added=2 5-0{f=v} 7-0{f=v} ";
  CHECK(told_v1({0, 0}, true) == head + "group g@0-0 read=0" + inside);
  CHECK(told_v1({4, 9}, true) == head + "group g@4-9 read=0" + inside);
  CHECK(told_v1({5, 0}, true) == head + "group g@5-0 read=1" + inside);
  CHECK(told_v1({7, 0}, true) == head + "group g@7-0 read=-" + inside);
  CHECK(told_v1({9, 0}, true) == head + "group g@9-0 read=2" + inside);
  CHECK(told_v1({9, 1}, true) == head + "group g@9-1 read=-" + inside);
  CHECK(told_v1({9, 0}, false) ==
        "stream{length=0 last=9-0 first=0-0 deleted=0-0 added=0 group g@9-0 read=0" + inside);
}

TEST_CASE("stream: what cannot be is passed over") {
  const StreamField field{"f", "v"};
  Stream stream;
  CHECK(!stream.add(StreamPending{{1, 0}, "c", 0, 0, {}}));
  CHECK(!stream.add(StreamConsumer{"c", 0, false, {}}));
  CHECK(stream.add(StreamInfo{3, {4, 0}, {}, {}, 3}));
  CHECK(stream.add(StreamEntry{{5, 0}, {&field, 1}}));
  CHECK(!stream.add(StreamEntry{{5, 0}, {&field, 1}}));
  CHECK(!stream.add(StreamEntry{{4, 9}, {&field, 1}}));
  CHECK(stream.last_id() == StreamId{5, 0});
  CHECK(stream.add(StreamGroup{"g", {}, true, 1}));
  CHECK(stream.add(StreamPending{{1, 0}, {}, 5, 6, {}}));
  CHECK(!stream.add(StreamPending{{1, 0}, "c", 0, 0, {}}));
  CHECK(!stream.add(StreamGroup{"g", {}, true, 2}));
  CHECK(!stream.add(StreamPending{{2, 0}, "c", 0, 0, {}}));
  CHECK(stream.add(StreamProducer{"p"}));
  CHECK(stream.add(StreamProducer{"q"}));
  CHECK(stream.add(StreamIid{"i", {5, 0}}));
  CHECK(!stream.add(StreamProducer{"q"}));
  CHECK(told(stream) ==
        "stream{length=1 last=5-0 first=5-0 deleted=0-0 added=3 5-0{f=v} group g@0-0 read=1{1-0>-*6@5} "
        "producer q{i=5-0} idmp=100s/100 iids=0+0}");
}

namespace {

StreamLayout layout_of(const Encoding& encoding) {
  switch (encoding.code) {
    case 15:
      return StreamLayout::v1;
    case 19:
      return StreamLayout::v2;
    case 21:
      return StreamLayout::v3;
    case 26:
      return StreamLayout::v4;
    default:
      return StreamLayout::v5;
  }
}

// Through a Stream and out again. Returns whether the entry is a stream.
bool passes_through(RdbReader& reader, const RdbEntry& entry) {
  if (entry.encoding->type != ValueType::stream) return false;
  Notation notation;
  notation.begin(ValueType::stream);
  Stream stream;
  reader.visit([&](const Element& element) {
    CHECK(add(stream, element));
    notation.add(element);
  });
  CHECK(told(stream, layout_of(*entry.encoding)) == notation.end());
  CHECK(told(copy_of(stream)) == told(stream));
  return true;
}

}  // namespace

TEST_CASE("stream: all streams of testdata") {
  size_t streams = 0;
  for (const auto& file : std::filesystem::recursive_directory_iterator(PERSIST_TESTDATA "/rdb")) {
    if (file.path().extension() != ".rdb") continue;
    CAPTURE(file.path().string());
    const auto source = open_source(file.path().string());
    FindingList findings;
    RdbReader reader(*source, findings);
    while (const RdbRecord* record = reader.next()) {
      if (const auto* entry = std::get_if<RdbEntry>(&record->body))
        if (passes_through(reader, *entry)) ++streams;
    }
  }
  CHECK(streams > 100);
}

// --- At random
// ----------------------------------------------------------------------------------------------

namespace {

// The same, as plain as can be.
struct Model {
  struct Pending {
    std::string owner;  // "": handed back
    int64_t delivery_time_ms = 0;
    uint64_t delivery_count = 0;
  };
  struct Group {
    StreamId last_id;
    std::map<StreamId, Pending> pending;
    std::vector<StreamId> zone;
    std::map<std::string, int64_t> consumers;

    void leave_zone(StreamId id) { std::erase(zone, id); }
    bool acknowledge(StreamId id) {
      leave_zone(id);
      return pending.erase(id) > 0;
    }
  };

  [[nodiscard]] bool is_referenced(StreamId id) const {
    return std::ranges::any_of(groups, [&](const auto& named) {
      return id > named.second.last_id || named.second.pending.contains(id);
    });
  }
  bool remove(StreamId id, References references) {
    if (!entries.contains(id) || (references == References::acknowledged && is_referenced(id))) return false;
    if (references == References::drop)
      for (auto& [name, group] : groups) group.acknowledge(id);
    entries.erase(id);
    return true;
  }
  uint64_t trim(uint64_t most, StreamId below, References references) {
    std::vector<StreamId> ids;
    for (const auto& [id, texts] : entries) ids.push_back(id);
    uint64_t removed = 0;
    for (const StreamId id : ids)
      if (entries.size() > most && id < below && remove(id, references)) ++removed;
    return removed;
  }
  [[nodiscard]] std::string told() const;

  std::map<StreamId, Texts> entries;
  StreamId last_id;
  StreamId max_deleted_id;
  uint64_t entries_added = 0;
  std::map<std::string, Group> groups;
};

std::string Model::told() const {
  Notation notation;
  notation.begin(ValueType::stream);
  const StreamId first_id = entries.empty() ? StreamId{} : entries.begin()->first;
  notation.add(StreamInfo{entries.size(), last_id, first_id, max_deleted_id, entries_added});
  for (const auto& [id, texts] : entries) {
    std::vector<StreamField> fields;
    for (const auto& [name, value] : texts) fields.push_back({name, value});
    notation.add(StreamEntry{id, fields});
  }
  for (const auto& [name, group] : groups) {
    notation.add(StreamGroup{name, group.last_id, true, std::nullopt});
    for (const auto& [id, pending] : group.pending) {
      StreamPending one{id, std::nullopt, pending.delivery_time_ms, pending.delivery_count, std::nullopt};
      const auto in_zone = std::ranges::find(group.zone, id);
      if (in_zone == group.zone.end())
        one.consumer = pending.owner;
      else
        one.nack_rank = static_cast<uint64_t>(in_zone - group.zone.begin());
      notation.add(one);
    }
    for (const auto& [consumer, seen_time_ms] : group.consumers)
      notation.add(StreamConsumer{consumer, seen_time_ms, true, std::nullopt});
  }
  notation.add(StreamIdmp{100, 100, 0, 0});
  return notation.end();
}

// One step after the other on both.
class Walk {
 public:
  explicit Walk(uint64_t seed) : random_(seed) {}

  void step(uint64_t removals) {
    const uint64_t kind = below(100);
    if (kind < 40) return append_one();
    if (kind < 40 + removals) return remove_one();
    if (kind < 62) return trim();
    if (kind < 66) return change_groups();
    change_pending();
  }

  [[nodiscard]] const Stream& stream() const { return stream_; }
  void compare() {
    CHECK(told(stream_) == model_.told());
    const StreamId from = some_id();
    const StreamId to = some_id();
    std::string expected;
    for (const auto& [id, texts] : model_.entries)
      if (from <= id && id <= to) expected += (expected.empty() ? "" : " ") + shown(id);
    CHECK(ids_of(stream_, from, to) == expected);
  }
  void replace_by_copy() { stream_ = copy_of(stream_); }

 private:
  uint64_t below(uint64_t end) { return random_() % end; }
  StreamId some_id() { return {below(model_.last_id.ms + 2), below(3)}; }
  References some_references() { return static_cast<References>(below(3)); }
  std::string some_name(const char* stem) { return stem + std::to_string(below(4)); }

  void append_one() {
    StreamId id = model_.last_id;
    id = below(3) == 0 ? StreamId{id.ms, id.seq + 1} : StreamId{id.ms + 1 + below(2), below(2)};
    Texts texts;
    const uint64_t shape = below(40);
    for (uint64_t i = 0; i < 1 + shape % 3 % 2; ++i)
      texts.emplace_back("f" + std::to_string(i), std::string(below(60), 'v'));
    if (shape == 0) texts.front().second = std::string(5000, 'x');
    append(stream_, id, texts);
    model_.entries[id] = texts;
    model_.last_id = id;
    ++model_.entries_added;
  }

  void remove_one() {
    const StreamId id = some_id();
    const References references = some_references();
    const bool removed = model_.remove(id, references);
    if (removed) model_.max_deleted_id = std::max(model_.max_deleted_id, id);
    CHECK(stream_.remove(id, references) == removed);
    CHECK(stream_.contains(id) == model_.entries.contains(id));
  }

  void trim() {
    const References references = some_references();
    if (below(2) == 0) {
      const uint64_t most = model_.entries.size() - std::min<uint64_t>(below(4), model_.entries.size());
      CHECK(stream_.trim_to_size(most, references) == model_.trim(most, kIdMax, references));
    } else {
      StreamId id = model_.entries.empty() ? StreamId{} : model_.entries.begin()->first;
      id.ms += below(3);
      CHECK(stream_.trim_below(id, references) == model_.trim(0, id, references));
    }
  }

  void change_groups() {
    const std::string name = some_name("g");
    const bool is_there = model_.groups.contains(name);
    if (below(8) == 0) {
      CHECK(stream_.remove_group(name) == is_there);
      model_.groups.erase(name);
      return;
    }
    const StreamId id = some_id();
    CHECK((stream_.make_group(name, id, std::nullopt) != nullptr) == !is_there);
    if (!is_there) {
      model_.groups[name].last_id = id;
    } else {
      stream_.find_group(name)->last_id = model_.groups[name].last_id = id;
    }
  }

  void change_pending() {
    const std::string name = some_name("g");
    ConsumerGroup* group = stream_.find_group(name);
    if (group == nullptr) return;
    Model::Group& plain = model_.groups.at(name);
    const StreamId id = some_id();
    const std::string consumer = some_name("c");
    const uint64_t kind = below(10);
    if (kind < 5) {
      const auto time = static_cast<int64_t>(below(1000));
      ConsumerGroup::Pending& pending = group->give(id, group->make_consumer(consumer, time));
      pending.delivery_time_ms = time;
      ++pending.delivery_count;
      plain.consumers.try_emplace(consumer, time);
      plain.pending[id] = {consumer, time, plain.pending[id].delivery_count + 1};
      plain.leave_zone(id);
    } else if (kind < 7) {
      CHECK(group->acknowledge(id) == plain.acknowledge(id));
    } else if (kind < 9) {
      group->nack(id);
      plain.pending[id].delivery_time_ms = 0;
      if (std::ranges::find(plain.zone, id) == plain.zone.end()) plain.zone.push_back(id);
    } else {
      CHECK(group->remove_consumer(consumer) == (plain.consumers.erase(consumer) > 0));
      std::erase_if(plain.pending, [&](const auto& pending) {
        return pending.second.owner == consumer &&
               std::ranges::find(plain.zone, pending.first) == plain.zone.end();
      });
    }
  }

  std::mt19937_64 random_;
  Stream stream_;
  Model model_;
};

}  // namespace

TEST_CASE("stream: at random, held against a plain model") {
  // With few removals the stream grows long, with many it is empty time and again.
  for (const uint64_t removals : {2U, 10U, 18U}) {
    for (uint64_t seed = 1; seed <= 3; ++seed) {
      CAPTURE(removals);
      CAPTURE(seed);
      Walk walk(seed * 1000 + removals);
      for (int i = 1; i <= 3000; ++i) {
        walk.step(removals);
        if (i % 50 == 0) walk.compare();
        if (i % 500 == 0) walk.replace_by_copy();
      }
    }
  }
}
