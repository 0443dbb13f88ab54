// Values put away and read back: the same to the last bit, of every type.
#include "ops/value_spool.hpp"

#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <bit>
#include <cerrno>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "persist/rdb_reader.hpp"
#include "support/files.hpp"
#include "support/samples.hpp"
#include "support/values.hpp"

using namespace persist;
using namespace persist::test;

namespace {

// Every part of every element, in words. That all are named is the compiler's to see: a structured binding
// has to name each of them.
class ElementWords {
 public:
  void operator()(const StringValue& told) {
    const auto& [value] = told;
    add("string", value);
  }
  void operator()(const ListItem& told) {
    const auto& [value] = told;
    add("item", value);
  }
  void operator()(const SetMember& told) {
    const auto& [member] = told;
    add("member", member);
  }
  void operator()(const SortedSetMember& told) {
    const auto& [member, score] = told;
    add("scored", member, std::bit_cast<uint64_t>(score));
  }
  void operator()(const HashField& told) {
    const auto& [field, value, expire_at_ms] = told;
    add("field", field, value, expire_at_ms);
  }
  void operator()(const StreamInfo& told) {
    const auto& [length, last_id, first_id, max_deleted_id, entries_added] = told;
    add("info", length, last_id, first_id, max_deleted_id, entries_added);
  }
  void operator()(const StreamEntry& told) {
    const auto& [id, fields] = told;
    add("entry", id, fields.size());
    for (const StreamField& part : fields) {
      const auto& [field, value] = part;
      add("", field, value);
    }
  }
  void operator()(const StreamGroup& told) {
    const auto& [name, last_id, has_entries_read, entries_read] = told;
    add("group", name, last_id, has_entries_read, entries_read);
  }
  void operator()(const StreamPending& told) {
    const auto& [id, consumer, delivery_time_ms, delivery_count, nack_rank] = told;
    add("pending", id, consumer, delivery_time_ms, delivery_count, nack_rank);
  }
  void operator()(const StreamConsumer& told) {
    const auto& [name, seen_time_ms, has_active_time, active_time_ms] = told;
    add("consumer", name, seen_time_ms, has_active_time, active_time_ms);
  }
  void operator()(const StreamProducer& told) {
    const auto& [id] = told;
    add("producer", id);
  }
  void operator()(const StreamIid& told) {
    const auto& [iid, id] = told;
    add("iid", iid, id);
  }
  void operator()(const StreamIdmp& told) {
    const auto& [duration_s, max_entries, iids_added, iids_duplicates] = told;
    add("idmp", duration_s, max_entries, iids_added, iids_duplicates);
  }
  void operator()(const ArrayInfo& told) {
    const auto& [insert_index] = told;
    add("array", insert_index);
  }
  void operator()(const ArrayElement& told) {
    const auto& [index, value] = told;
    add("element", index, value);
  }
  void operator()(const ModuleValue& told) {
    const auto& [module, encver, payload] = told;
    add("module", module, encver, payload);
  }

  std::string words;

 private:
  template <typename... T>
  void add(Bytes name, const T&... parts) {
    words += name;
    (word(parts), ...);
    words += '\n';
  }
  void word(Bytes bytes) { (words += " '" + std::to_string(bytes.size()) + ":") += bytes; }
  template <typename T>
  requires std::is_arithmetic_v<T>
  void word(T number) { words += " " + std::to_string(number); }
  void word(StreamId id) { words += " " + std::to_string(id.ms) + "-" + std::to_string(id.seq); }
  template <typename T>
  void word(const std::optional<T>& part) {
    if (!part) words += " none";
    if (part) word(*part);
  }
};

std::string element_words(const Value& value) {
  ElementWords words;
  value.tell([&](const Element& element) { std::visit(words, element); });
  return std::string(value_type_name(value.type)) + " " + std::to_string(value.longest) + "\n" + words.words;
}

// Puts the value away and reads it back into one that held something else.
bool comes_back(const Value& value, SpooledHead head) {
  head.type = value.type;
  ByteBuffer out;
  out.append("before");
  append_spooled(out, head, value);
  std::string bytes(out.bytes().substr(6));
  Value again;
  again.begin(ValueType::hash);
  again.add(HashField{"stale", "stale", 1});
  if (read_spooled(bytes, again) != head) return false;
  bytes.assign(bytes.size(), '#');  // nothing of it is a view of that
  return element_words(again) == element_words(value);
}

// A stream in which nothing is as it is by default.
void make_full_stream(Value& value) {
  value.begin(ValueType::stream);
  value.add(StreamInfo{7, {~uint64_t{0}, 2}, StreamId{3, 4}, StreamId{5, 6}, uint64_t{8}});
  const StreamField fields[] = {{"f", "1"}, {"", ""}, {"f", std::string_view("\0\xff", 2)}};
  value.add(StreamEntry{{3, 4}, fields});
  value.add(StreamEntry{{3, 5}, {}});
  value.add(StreamGroup{"g", {9, 10}, true, uint64_t{11}});
  value.add(StreamPending{{3, 4}, Bytes("alice"), -12, ~uint64_t{0}, uint64_t{0}});
  value.add(StreamPending{{3, 5}, Bytes(""), 14, 15, std::nullopt});
  value.add(StreamPending{{3, 6}, std::nullopt, 16, 17, uint64_t{18}});
  value.add(StreamConsumer{"alice", 19, true, int64_t{-20}});
  value.add(StreamConsumer{"bob", -21, true, std::nullopt});
  value.add(StreamConsumer{"carol", 22, false, std::nullopt});
  value.add(StreamGroup{"h", {0, 0}, true, std::nullopt});
  value.add(StreamGroup{"i", {0, 1}, false, std::nullopt});
  value.add(StreamProducer{"p"});
  value.add(StreamIid{"iid", {23, 24}});
  value.add(StreamProducer{"q"});
  value.add(StreamIdmp{25, 26, 27, 28});
}

constexpr int64_t kSomeTime = 1'700'000'000'123;

}  // namespace

TEST_CASE("value spool: every value of all samples comes back") {
  size_t values = 0;
  std::array<size_t, 8> by_type{};
  for (const Sample& sample : samples()) {
    CAPTURE(sample.name);
    FindingList findings;
    const std::unique_ptr<ByteSource> source = memory_source(sample.file);
    RdbReader reader(*source, findings);
    while (const RdbRecord* record = reader.next()) {
      const auto* entry = std::get_if<RdbEntry>(&record->body);
      if (entry == nullptr) continue;
      Value value;
      value.begin(entry->encoding->type);
      reader.visit([&](const Element& element) { value.add(element); });
      CHECK(comes_back(value, {value.type, entry->expire_at_ms, entry->idle_s, entry->freq}));
      ++by_type[static_cast<size_t>(value.type)];
      ++values;
    }
  }
  CHECK(values > 50);
  for (const size_t count : by_type) CHECK(count > 0);
}

TEST_CASE("value spool: values by chance come back") {
  ValueMaker maker(3);
  maker.with_ttl = true;
  Value value;
  for (const ValueType type : {ValueType::string, ValueType::list, ValueType::set, ValueType::zset,
                               ValueType::hash, ValueType::array, ValueType::module}) {
    for (const size_t count : {0U, 1U, 3U, 200U}) {
      CAPTURE(value_type_name(type));
      CAPTURE(count);
      maker.make(value, type, count);
      CHECK(comes_back(value, {type, kNoExpiry, std::nullopt, std::nullopt}));
    }
  }
  for (int layout = 1; layout <= 5; ++layout) {
    StreamMaker streams(static_cast<uint64_t>(layout), layout);
    for (const size_t entries : {0U, 1U, 300U}) {
      CAPTURE(layout);
      CAPTURE(entries);
      streams.make(value, entries);
      CHECK(comes_back(value, {value.type, kSomeTime, std::nullopt, uint8_t{0}}));
    }
  }
}

TEST_CASE("value spool: heads, and streams in which all is set") {
  Value value;
  make_full_stream(value);
  CHECK(comes_back(value, {value.type, kNoExpiry, std::nullopt, std::nullopt}));
  CHECK(comes_back(value, {value.type, 0, uint64_t{0}, std::nullopt}));
  CHECK(comes_back(value, {value.type, kSomeTime, ~uint64_t{0}, uint8_t{255}}));
  value.begin(ValueType::array);
  value.add(ArrayInfo{~uint64_t{0}});
  CHECK(comes_back(value, {value.type, -2, std::nullopt, std::nullopt}));
}

TEST_CASE("value spool: scores keep their bits") {
  Value value;
  value.begin(ValueType::zset);
  for (const uint64_t bits : {uint64_t{0}, uint64_t{1} << 63, uint64_t{0x7ff8000000000001},
                              uint64_t{0xfff0000000000123}, uint64_t{0x7ff0000000000000}, uint64_t{1}})
    value.add(SortedSetMember{std::to_string(bits), std::bit_cast<double>(bits)});
  CHECK(comes_back(value, {value.type, kNoExpiry, std::nullopt, std::nullopt}));
}

TEST_CASE("value spool: texts on both sides of what one byte counts") {
  for (const size_t size : {0U, 1U, 254U, 255U, 256U, 70'000U}) {
    CAPTURE(size);
    Value value;
    value.begin(ValueType::string);
    value.add(StringValue{std::string(size, '\xff')});
    CHECK(comes_back(value, {value.type, kNoExpiry, std::nullopt, std::nullopt}));
  }
}

TEST_CASE("value spool: bytes that end too early, too late or in something else are told") {
  Value value;
  make_full_stream(value);
  ByteBuffer out;
  append_spooled(out, {ValueType::stream, kSomeTime, uint64_t{1}, uint8_t{2}}, value);
  const std::string bytes(out.bytes());
  Value again;
  const auto error_for = [&](Bytes some) {
    // Apart, so that a sanitizer sees who reads on.
    const std::vector<char> apart(some.begin(), some.end());
    return error_of([&] { read_spooled(Bytes(apart.data(), apart.size()), again); }, temporary_folder());
  };
  CHECK(error_for(bytes) == 0);
  for (size_t size = 0; size < bytes.size(); ++size) {
    CAPTURE(size);
    CHECK(error_for(Bytes(bytes).substr(0, size)) == EIO);
  }
  CHECK(error_for(bytes + "\xff") == EIO);
  CHECK(error_for(bytes.substr(0, bytes.size() - 1) + "\x10") == EIO);
}

namespace {

std::string spooled_text(size_t i) {
  constexpr size_t kSizes[] = {0, 1, 90, 4087, 4088, 4089, 20'000, 300};
  std::string text(kSizes[i % 8], static_cast<char>('a' + i % 26));
  text += std::to_string(i);
  return text;
}

}  // namespace

TEST_CASE("value spool: what was appended is read in any order") {
  ValueSpool spool;
  CHECK(spool.size() == 0);
  for (int round = 0; round < 2; ++round) {
    std::vector<std::string> texts;
    for (size_t i = 0; i < 1500; ++i) texts.push_back(spooled_text(i));
    texts.emplace_back(size_t{1} << 20, 'm');
    texts.emplace_back((size_t{3} << 20) + 5, 'n');
    texts.emplace_back("");
    texts.emplace_back("last");
    std::vector<uint64_t> places;
    uint64_t size = 0;
    for (const std::string& text : texts) {
      places.push_back(spool.append(text));
      size += text.size() + 8;
    }
    CHECK(spool.size() == size);
    ByteBuffer room;
    for (size_t i = texts.size(); i-- > 0;) REQUIRE(spool.read(places[i], room) == texts[i]);
    for (size_t i = 0; i < texts.size(); i += 7) REQUIRE(spool.read(places[i], room) == texts[i]);
    spool.clear();
    CHECK(spool.size() == 0);
  }
}

TEST_CASE("value spool: threads read while another one appends") {
  constexpr size_t kTexts = 3000;
  ValueSpool spool;
  std::vector<uint64_t> places(kTexts);
  std::atomic<size_t> appended = 0;
  std::atomic<size_t> wrong = 0;
  std::vector<std::thread> readers;
  for (uint64_t seed = 0; seed < 2; ++seed) {
    readers.emplace_back([&, seed] {
      std::mt19937_64 random(seed);
      ByteBuffer room;
      size_t there = 0;
      do {
        there = appended;
        if (there == 0) continue;
        const size_t i = random() % there;
        if (spool.read(places[i], room) != spooled_text(i)) ++wrong;
      } while (there < kTexts);
    });
  }
  for (size_t i = 0; i < kTexts; ++i) {
    places[i] = spool.append(spooled_text(i));
    appended = i + 1;
  }
  for (std::thread& reader : readers) reader.join();
  CHECK(wrong == 0);
}

TEST_CASE("value spool: a full disk is told") {
  ValueSpool spool;
  const FileSizeLimit limit(100'000);
  const std::string text(size_t{2} << 20, 'x');
  CHECK(error_of([&] { spool.append(text); }, temporary_folder()) == EFBIG);
}
