// The public writer: its files are sound, are for whom they are said to be, and hold what was told.
#include <doctest/doctest.h>

#include <algorithm>
#include <stdexcept>

#include "persist/rdb_writer.hpp"
#include "rdb/function_code.hpp"
#include "support/conversions.hpp"
#include "support/notation.hpp"
#include "support/rdb_builder.hpp"
#include "support/samples.hpp"
#include "support/verbs.hpp"
#include "types/plain_encoding.hpp"

using namespace persist;
using namespace persist::test;

namespace {

WriteOptions writing_for(const Target& target) {
  WriteOptions options;
  options.target = &target;
  return options;
}

RdbEntry entry_of(ValueType type, Bytes key, uint64_t db = 0) {
  RdbEntry entry;
  entry.db = db;
  entry.key = key;
  entry.encoding = &plain_encoding(type);
  return entry;
}

struct WrittenFile {
  std::string bytes;
  std::string losses;
  std::vector<std::string> left_out;  // keys
};

// All of a file once more.
WrittenFile rewrite(Bytes file, const WriteOptions& options) {
  WrittenFile written;
  StringSink sink;
  RdbWriter writer(sink, options);
  FindingList findings;
  const auto source = memory_source(file);
  RdbReader reader(*source, findings);
  while (const RdbRecord* record = reader.next()) {
    if (const auto* entry = std::get_if<RdbEntry>(&record->body)) {
      if (!writer.entry(*entry, [&](ElementSink out) { reader.visit(out); }))
        written.left_out.emplace_back(entry->key);
    } else if (const auto* library = std::get_if<FunctionLibrary>(&record->body)) {
      writer.function(function_code(*library));
    }
  }
  CHECK(findings.all.empty());
  writer.finish();
  written.bytes = sink.text;
  written.losses = told(writer.losses());
  return written;
}

Checked check_for(Bytes file, const Target& target) {
  CheckOptions options;
  options.target = &target;
  return check(file, options);
}

}  // namespace

TEST_CASE("writer: files of everything, for every target") {
  struct Row {
    std::vector<Bytes> targets;
    Bytes losses;
    std::vector<std::string> left_out;
  };
  // What is lost of a mixed file of Redis 8.8.
  const Row rows[] = {
      {{"redis-2.0", "redis-2.2", "redis-2.4"},
       "field-ttl 1/1, streams 2/2, modules 1/1, functions 1/0, expiry-precision 1/1",
       {"stream", "stream5", "module"}},
      {{"redis-2.6", "redis-2.8", "redis-3.0", "redis-3.2", "redis-4.0"},
       "field-ttl 1/1, streams 2/2, modules 1/1, functions 1/0",
       {"stream", "stream5", "module"}},
      {{"redis-5.0", "redis-6.0", "redis-6.2"},
       "field-ttl 1/1, modules 1/1, functions 1/0, nack 1/1, idmp 2/1, stream-counters 3/2, "
       "entries-read 4/2, consumer-times 2/2",
       {"module"}},
      {{"redis-7.0"},
       "field-ttl 1/1, modules 1/1, nack 1/1, idmp 2/1, stream-counters 1/1, consumer-times 2/2",
       {"module"}},
      {{"redis-7.2", "valkey-7.2", "valkey-8.0", "valkey-8.1"},
       "field-ttl 1/1, modules 1/1, nack 1/1, idmp 2/1, stream-counters 1/1",
       {"module"}},
      {{"redis-7.4", "redis-8.0", "redis-8.2", "redis-8.4", "valkey-9.0", "valkey-9.1"},
       "modules 1/1, nack 1/1, idmp 2/1, stream-counters 1/1",
       {"module"}},
      {{"redis-8.6"}, "modules 1/1, nack 1/1", {"module"}},
      {{"redis-8.8"}, "modules 1/1", {"module"}},
  };
  size_t seen_targets = 0;
  for (const Row& row : rows) {
    for (const Bytes name : row.targets) {
      CAPTURE(name);
      ++seen_targets;
      const Target& target = *find_target(name);
      const WrittenFile written = rewrite(mixed_file(redis), writing_for(target));
      CHECK(written.losses == row.losses);
      CHECK(joined(written.left_out) == joined(row.left_out));
      const Checked checked = check_for(written.bytes, target);
      CHECK(joined(lines_of(checked.findings)).empty());
      CHECK(checked.summary.sound());
      CHECK(checked.summary.keys == 14 - row.left_out.size());
      CHECK(checked.summary.dialect == target.header().dialect);
      CHECK(checked.summary.version == target.header().version);
      CHECK(checked.summary.checksum ==
            (target.header().version >= 5 ? ChecksumState::good : ChecksumState::absent));
    }
  }
  CHECK(seen_targets == targets().size());
}

TEST_CASE("writer: each sample once more, in the layout of its time") {
  for (const Sample& sample : samples()) {
    CAPTURE(sample.name);
    const Target& target = *find_target(sample.dialect == redis ? "redis-8.8" : "valkey-9.1");
    WriteOptions options = writing_for(target);
    options.modules = {"test__rdb", "KMT1"};
    const WrittenFile written = rewrite(sample.file, options);
    CHECK(written.losses.empty());
    const Checked checked = check(written.bytes);
    CHECK(joined(lines_of(checked.findings)).empty());
    CHECK(checked.summary.keys == check(sample.file).summary.keys);
  }
}

TEST_CASE("writer: who can read a file stands in its AUX fields") {
  struct Row {
    Bytes target;
    std::string fields;
  };
  const Row rows[] = {
      {"redis-3.0", ""},
      {"redis-3.2", "redis-ver=3.2.0\nredis-bits=64\n"},
      {"redis-4.0", "redis-ver=4.0.0\nredis-bits=64\naof-preamble=0\n"},
      {"redis-6.2", "redis-ver=6.2.0\nredis-bits=64\naof-preamble=0\n"},
      {"redis-7.0", "redis-ver=7.0.0\nredis-bits=64\naof-base=0\n"},
      {"redis-8.8", "redis-ver=8.8.0\nredis-bits=64\naof-base=0\n"},
      {"valkey-7.2", "redis-ver=7.2.0\nredis-bits=64\naof-base=0\n"},
      {"valkey-9.1", "valkey-ver=9.1.0\nredis-bits=64\naof-base=0\n"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.target);
    StringSink sink;
    RdbWriter writer(sink, writing_for(*find_target(row.target)));
    writer.aux("mine", "1");
    writer.finish();
    std::vector<std::string> fields;
    CheckOptions options;
    options.observe = [&](const RdbRecord& record, uint64_t /*offset*/) {
      if (const auto* aux = std::get_if<AuxField>(&record.body))
        fields.push_back(std::string(aux->name) + "=" + std::string(aux->value));
    };
    CHECK(check(sink.text, options).summary.sound());
    CHECK(joined(fields) == (row.fields.empty() ? "" : row.fields + "mine=1\n"));
    CHECK(writer.losses().empty());
  }
}

TEST_CASE("writer: databases are selected when they change, and what holds nothing selects none") {
  StringSink sink;
  RdbWriter writer(sink, writing_for(*find_target("redis-2.6")));
  const auto add = [&](uint64_t db, Bytes key) {
    CHECK(writer.entry(entry_of(ValueType::string, key, db), [](ElementSink out) { out(StringValue{"v"}); }));
  };
  add(0, "a");
  add(0, "b");
  CHECK_FALSE(writer.entry(entry_of(ValueType::list, "void", 7), [](ElementSink /*out*/) {}));
  add(3, "c");
  add(0, "d");
  writer.finish();
  const std::string body = RdbBuilder(redis, 6)
                               .select(0)
                               .string("a", "v")
                               .string("b", "v")
                               .select(3)
                               .string("c", "v")
                               .select(0)
                               .string("d", "v")
                               .eof();
  CHECK(hex(sink.text) == hex(body));
  CHECK(told(writer.losses()) == "empty-keys 1/1");
  CHECK(writer.losses().of(LossFeature::empty_keys).first[0].db == 7);
}

TEST_CASE("writer: large files go out in pieces, with the checksum of all of them or none") {
  class Pieces : public StringSink {
   public:
    void write(Bytes bytes) override {
      StringSink::write(bytes);
      ++count;
    }
    size_t count = 0;
  };
  for (const bool checksum : {true, false}) {
    Pieces sink;
    WriteOptions options = writing_for(*find_target("redis-7.2"));
    options.checksum = checksum;
    RdbWriter writer(sink, options);
    for (uint32_t i = 0; i < 40; ++i) {
      const std::string text = noise(100'000, i + 1);
      writer.entry(entry_of(ValueType::string, "key:" + std::to_string(i)),
                   [&](ElementSink out) { out(StringValue{text}); });
    }
    writer.finish();
    CHECK(sink.count > 3);
    const Checked checked = check(sink.text);
    CHECK(checked.summary.sound());
    CHECK(checked.summary.keys == 40);
    CHECK(checked.summary.checksum == (checksum ? ChecksumState::good : ChecksumState::disabled));
    CHECK((sink.text.substr(sink.text.size() - 8) == std::string(8, '\0')) == !checksum);
  }
}

TEST_CASE("writer: strings are compressed if that is wanted") {
  for (const bool compress : {true, false}) {
    StringSink sink;
    WriteOptions options = writing_for(*find_target("redis-7.2"));
    options.compress = compress;
    RdbWriter writer(sink, options);
    const std::string text(1000, 'a');
    writer.entry(entry_of(ValueType::string, "k"), [&](ElementSink out) { out(StringValue{text}); });
    writer.finish();
    CHECK((sink.text.find(text) == std::string::npos) == compress);
    CHECK(tell(sink.text).lines.at(0) == "k = string \"" + text + "\"");
  }
}

TEST_CASE("payloads: RESTORE of the target takes them, or there is none") {
  FindingList ignored;
  const std::string file = mixed_file(redis);
  const auto source = memory_source(file);
  for (const Target& target : targets()) {
    if (target.release < 206) continue;
    CAPTURE(target.name);
    RdbReader reader(*source, ignored);
    size_t made = 0;
    while (const RdbRecord* record = reader.next()) {
      const auto* entry = std::get_if<RdbEntry>(&record->body);
      if (entry == nullptr) continue;
      CAPTURE(entry->key);
      LossReport losses;
      const std::string payload = make_dump_payload(
          *entry, [&](ElementSink out) { reader.visit(out); }, writing_for(target), losses);
      if (payload.empty()) {
        CHECK((losses.of(LossFeature::modules).count + losses.of(LossFeature::streams).count) == 1);
        continue;
      }
      ++made;
      FindingList findings;
      CheckOptions options;
      options.target = &target;
      check_dump_payload(payload, "payload", findings, options);
      CHECK(joined(lines_of(findings.all)).empty());
    }
    CHECK(made == (target.release < 500 ? 11 : 13));
  }
}

TEST_CASE("writer: what is no value is a mistake of the caller") {
  StringSink sink;
  RdbWriter writer(sink, writing_for(*find_target("redis-8.8")));
  const std::vector<std::pair<ValueType, std::vector<Element>>> values = {
      {ValueType::list, {ListItem{"a"}, HashField{"f", "v"}}},
      {ValueType::set, {ListItem{"a"}}},
      {ValueType::string, {ModuleValue{"vectorset", 0, "\0"}}},
      {ValueType::module, {ModuleValue{"short", 0, "\0"}}},
      {ValueType::stream, {ArrayInfo{}}},
      {ValueType::array, {StreamInfo{}}},
      {ValueType::stream, {StreamInfo{}, StreamPending{}}},
      {ValueType::stream, {StreamInfo{}, StreamConsumer{}}},
      {ValueType::stream, {StreamInfo{}, StreamGroup{}, StreamIid{}}},
      {ValueType::zset, {HashField{"f", "v"}}},
      {ValueType::hash, {SortedSetMember{"m", 1}}},
  };
  for (size_t i = 0; i < values.size(); ++i) {
    CAPTURE(i);
    const auto tell_it = [&](ElementSink out) {
      for (const Element& element : values[i].second) out(element);
    };
    LossReport losses;
    CHECK_THROWS_AS(writer.entry(entry_of(values[i].first, "k"), tell_it), std::invalid_argument);
    CHECK_THROWS_AS(make_dump_payload(entry_of(values[i].first, "k"), tell_it,
                                      writing_for(*find_target("redis-8.8")), losses),
                    std::invalid_argument);
  }
  writer.finish();
  CHECK(check(sink.text).summary.sound());
  CHECK(check(sink.text).summary.keys == 0);
}
