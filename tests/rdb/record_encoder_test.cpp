// Records one by one: what is written is what the reader takes it for, and stands in the bytes that servers
// write.
#include "rdb/record_encoder.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <set>
#include <sstream>
#include <stdexcept>

#include "base/crc64.hpp"
#include "rdb/record_reader.hpp"
#include "support/notation.hpp"
#include "support/rdb_builder.hpp"
#include "support/values.hpp"

using namespace persist;
using namespace persist::test;

namespace {

WriteRules write_rules(Bytes target, bool compress = true) {
  const Target* found = find_target(target);
  REQUIRE(found != nullptr);
  return {found, {}, compress};
}

std::string joined_lines(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

// The words of a value whose members come in the order of the layout.
std::multiset<std::string> as_a_set(std::string line) {
  std::ranges::replace_if(
      line, [](char c) { return c == '{' || c == '}'; }, ' ');
  std::istringstream words(line);
  return {std::istream_iterator<std::string>(words), {}};
}

using Encode = FunctionRef<void(RecordEncoder&)>;

std::string encode_records(Bytes target, Encode encode) {
  ByteBuffer buffer;
  RecordEncoder records(buffer, write_rules(target));
  encode(records);
  return std::string(buffer.bytes());
}

// The records of a file that consists of them, each in a line.
std::vector<std::string> read_records(Bytes target, Encode encode) {
  std::string file = encode_records(target, [&](RecordEncoder& records) {
    records.header();
    encode(records);
    records.end();
  });
  std::vector<std::string> lines;
  FindingList findings;
  if (find_target(target)->header().version >= 5) file += le(crc64(0, file));
  const auto source = memory_source(file);
  RdbReader reader(*source, findings);
  while (const RdbRecord* record = reader.next()) {
    if (const auto* header = std::get_if<RdbHeader>(&record->body))
      lines.push_back(std::string(dialect_name(header->dialect)) + " " + std::to_string(header->version));
    else if (const auto* aux = std::get_if<AuxField>(&record->body))
      lines.push_back("aux " + std::string(aux->name) + "=" + std::string(aux->value));
    else if (const auto* select = std::get_if<SelectDb>(&record->body))
      lines.push_back("select " + std::to_string(select->db));
    else if (const auto* sizes = std::get_if<ResizeDb>(&record->body))
      lines.push_back("resize " + std::to_string(sizes->keys) + " " + std::to_string(sizes->volatile_keys));
    else if (const auto* info = std::get_if<SlotInfo>(&record->body))
      lines.push_back("slot " + std::to_string(info->slot) + " " + std::to_string(info->keys) + " " +
                      std::to_string(info->volatile_keys));
    else if (const auto* library = std::get_if<FunctionLibrary>(&record->body))
      lines.push_back("function " + std::string(library->code));
    else if (const auto* kept = std::get_if<ModuleAux>(&record->body))
      lines.push_back("module " + std::string(kept->module) + "/" + std::to_string(kept->encver) + " " +
                      std::to_string(kept->when) + " " + hex(kept->payload));
    else if (const auto* entry = std::get_if<RdbEntry>(&record->body))
      lines.push_back(notation_of(reader, *entry));
  }
  CHECK(findings.all.empty());
  CHECK(reader.complete());
  return lines;
}

}  // namespace

TEST_CASE("records: headers of all targets, and files of nothing else") {
  struct Row {
    std::vector<Bytes> targets;
    Bytes header;
    Bytes behind;  // what ends an empty file, checksum included
  };
  const Row rows[] = {
      {{"redis-2.0", "redis-2.2"}, "REDIS0001", "ff"},
      {{"redis-2.4"}, "REDIS0002", "ff"},
      {{"redis-2.6", "redis-2.8", "redis-3.0"}, "REDIS0006", "ffdcb343f05adcf256"},
      {{"redis-3.2"}, "REDIS0007", ""},
      {{"redis-4.0"}, "REDIS0008", ""},
      {{"redis-5.0", "redis-6.0", "redis-6.2"}, "REDIS0009", "ff9aac7abcfb0fad74"},
      {{"redis-7.0"}, "REDIS0010", "ffa9fd37fe89a77eeb"},
      {{"redis-7.2", "valkey-7.2", "valkey-8.0", "valkey-8.1"}, "REDIS0011", "ffc0228a8d74389762"},
      {{"redis-7.4", "redis-8.0", "redis-8.2", "redis-8.4"}, "REDIS0012", "ff10d0db4120bef4d3"},
      {{"redis-8.6"}, "REDIS0013", "ff790f6632dd211d5a"},
      {{"redis-8.8"}, "REDIS0014", "ffdba6ef81da946a9a"},
      {{"valkey-9.0", "valkey-9.1"}, "VALKEY080", "ff439da48fc1806c23"},
  };
  size_t seen_targets = 0;
  for (const Row& row : rows) {
    for (const Bytes target : row.targets) {
      CAPTURE(target);
      ++seen_targets;
      ByteBuffer buffer;
      RecordEncoder records(buffer, write_rules(target));
      records.header();
      CHECK(buffer.bytes() == row.header);
      records.end();
      if (records.has_checksum()) buffer.append(le(crc64(0, buffer.bytes())));
      if (!row.behind.empty()) CHECK(hex(buffer.bytes().substr(row.header.size())) == hex(unhex(row.behind)));
    }
  }
  CHECK(seen_targets == targets().size());
}

TEST_CASE("records: what is no entry reads back the same") {
  const std::string annotated = length(2) + length(300) + length(5) + plain_string("text") + length(0);
  const std::string code = "#!lua name=lib\n" + std::string(100, '-');
  for (const bool is_valkey : {false, true}) {
    const auto lines = read_records(is_valkey ? "valkey-9.1" : "redis-8.8", [&](RecordEncoder& records) {
      records.aux("redis-ver", "8.8.0");
      records.aux("", "");
      records.aux("number", "-129");
      records.aux("long", std::string(64, 'x'));
      records.module_aux({"Az09-_jsN", 1023, 1, annotated});
      records.module_aux({"test__rdb", 0, 2, length(0)});
      records.function(code);
      for (const uint64_t db : {uint64_t{0}, uint64_t{63}, uint64_t{64}, uint64_t{16384}}) records.select(db);
      records.resize({uint64_t{1} << 40, 16383});
      records.slot_info({16383, 70000, 1});
    });
    CHECK(
        joined_lines(lines) ==
        joined_lines({is_valkey ? "valkey 80" : "redis 14", "aux redis-ver=8.8.0", "aux =", "aux number=-129",
                      "aux long=" + std::string(64, 'x'), "module Az09-_jsN/1023 1 " + hex(annotated),
                      "module test__rdb/0 2 00", "function " + code, "select 0", "select 63", "select 64",
                      "select 16384", "resize 1099511627776 16383", "slot 16383 70000 1"}));
  }
}

TEST_CASE("records: what stands in front of an entry") {
  const std::string meta = length(1) + le(key_meta_class("KMT1", 1, 1)) + length(0);
  struct Row {
    RdbEntry head;
    Bytes target;
    std::string bytes;
    std::string line;
  };
  const auto head = [](int64_t expire_at_ms, bool in_seconds = false, std::optional<uint64_t> idle = {},
                       std::optional<uint8_t> freq = {}, Bytes key_meta = {}) {
    RdbEntry entry;
    entry.key = "k";
    entry.expire_at_ms = expire_at_ms;
    entry.expiry_in_seconds = in_seconds;
    entry.idle_s = idle;
    entry.freq = freq;
    entry.key_meta = key_meta;
    return entry;
  };
  const Row rows[] = {
      {head(kNoExpiry), "redis-2.0", "", "k = string \"v\""},
      {head(5000, true), "redis-2.4", "fd 05000000", "@5000 seconds k = string \"v\""},
      {head(int64_t{2147483647} * 1000, true), "redis-2.2", "fd ffffff7f",
       "@2147483647000 seconds k = string \"v\""},
      {head(0, true), "redis-2.0", "fd 00000000", "@0 seconds k = string \"v\""},
      {head(5001), "redis-2.6", "fc 8913000000000000", "@5001 k = string \"v\""},
      {head(-7), "redis-7.2", "fc f9ffffffffffffff", "@-7 k = string \"v\""},
      {head(kNoExpiry, false, 300), "redis-5.0", "f8 412c", "idle=300 k = string \"v\""},
      {head(kNoExpiry, false, {}, 255), "valkey-9.1", "f9 ff", "freq=255 k = string \"v\""},
      {head(1, false, 2, {}, meta), "redis-8.6", "fc 0100000000000000 f8 02 f3" + hex(meta),
       "@1 idle=2 meta=" + std::to_string(meta.size()) + " k = string \"v\""},
      {head(1, false, {}, 2, meta), "redis-8.8", "fc 0100000000000000 f9 02 f3" + hex(meta),
       "@1 freq=2 meta=" + std::to_string(meta.size()) + " k = string \"v\""},
      // Servers keep one of the two, and so only one is written.
      {head(kNoExpiry, false, 2, 3), "redis-5.0", "f8 02", "idle=2 k = string \"v\""},
  };
  Value value;
  value.begin(ValueType::string);
  value.add(StringValue{"v"});
  for (const Row& row : rows) {
    CAPTURE(row.line);
    const std::string expected = hex(unhex(row.bytes + " 00 016b 0176"));
    const auto with_value = [&](RecordEncoder& records) { records.entry(row.head, value); };
    const auto with_text = [&](RecordEncoder& records) { records.string_entry(row.head, "v"); };
    const auto with_bytes = [&](RecordEncoder& records) {
      RdbEntry entry = row.head;
      entry.encoding = find_encoding(redis, 0);
      records.entry_with(entry, unhex("0176"));
    };
    for (const Encode encode : {Encode(with_value), Encode(with_text), Encode(with_bytes)}) {
      CHECK(hex(encode_records(row.target, encode)) == expected);
      const auto lines = read_records(row.target, encode);
      REQUIRE(lines.size() == 2);
      CHECK(lines[1] == row.line);
    }
  }
}

TEST_CASE("records: entries of all types, one behind the other, for every target") {
  ValueMaker maker(11);
  std::vector<std::unique_ptr<Value>> values;
  for (const ValueType type : {ValueType::string, ValueType::list, ValueType::set, ValueType::zset,
                               ValueType::hash, ValueType::module, ValueType::array, ValueType::stream}) {
    Value& value = *values.emplace_back(std::make_unique<Value>());
    maker.make(value, type, 3);
    if (type == ValueType::zset || type == ValueType::set || type == ValueType::hash) value.sort();
    if (type == ValueType::stream) StreamMaker(3, 1).make(value, 3);
  }
  for (const Target& target : targets()) {
    CAPTURE(target.name);
    std::vector<std::string> expected = {"header"};
    auto lines = read_records(target.name, [&](RecordEncoder& records) {
      for (size_t i = 0; i < values.size(); ++i) {
        if (choose_encoding(*values[i], records.rules()) == nullptr) continue;
        const std::string key = "key " + std::to_string(i);
        RdbEntry entry;
        entry.key = key;
        records.entry(entry, *values[i]);
        expected.push_back(
            values[i]->type == ValueType::stream ? "stream" : shown(key) + " = " + notation_of(*values[i]));
      }
    });
    REQUIRE(lines.size() == expected.size());
    CHECK(lines.size() >= 6);
    for (size_t i = 1; i < lines.size(); ++i) {
      // What each layout tells of a stream is tested with the layouts.
      if (expected[i] != "stream") CHECK(as_a_set(lines[i]) == as_a_set(expected[i]));
    }
  }
}

TEST_CASE("records: what DUMP of each server answers") {
  struct Row {
    std::vector<Bytes> targets;
    Bytes footer;
  };
  const Row rows[] = {
      {{"redis-2.6", "redis-2.8", "redis-3.0"}, "0600 07e5a632ec6db65d"},
      {{"redis-3.2"}, "0700 6e3a1b4111f25fd4"},
      {{"redis-4.0"}, "0800 2825220db02100f6"},
      {{"redis-5.0", "redis-6.0", "redis-6.2"}, "0900 41fa9f7e4dbee97f"},
      {{"redis-7.0"}, "0a00 9108ceb219388ace"},
      {{"redis-7.2", "valkey-7.2", "valkey-8.0", "valkey-8.1"}, "0b00 f8d773c1e4a76347"},
      {{"redis-7.4", "redis-8.0", "redis-8.2", "redis-8.4"}, "0c00 5a7efa72e3121487"},
      {{"redis-8.6"}, "0d00 33a147011e8dfd0e"},
      {{"redis-8.8"}, "0e00 e35316cd4a0b9ebf"},
      {{"valkey-9.0", "valkey-9.1"}, "5000 5e220723876aed3a"},
  };
  Value value;
  value.begin(ValueType::string);
  value.add(StringValue{"v"});
  RdbEntry entry;
  entry.key = "k";
  entry.expire_at_ms = 77;  // is no part of it
  for (const Row& row : rows) {
    for (const Bytes target : row.targets) {
      CAPTURE(target);
      // Behind something else, which its checksum does not cover.
      const std::string bytes = encode_records(target, [&](RecordEncoder& records) {
        records.select(1);
        records.payload(entry, value);
      });
      CHECK(hex(Bytes(bytes).substr(2)) == hex(unhex("00 0176 " + std::string(row.footer))));
      CHECK(notation_of_payload(Bytes(bytes).substr(2)) == "string \"v\"");
    }
  }
  const std::string meta = length(1) + le(key_meta_class("KMT1", 1, 1)) + length(0);
  entry.key_meta = meta;
  const std::string with_meta =
      encode_records("redis-8.6", [&](RecordEncoder& records) { records.payload(entry, value); });
  CHECK(read_dump_payload(with_meta, [](const Element&) {}).key_meta == meta);
  CHECK(with_meta.substr(0, 1 + meta.size()) == "\xf3" + meta);
}

TEST_CASE("records: what a target cannot state is a mistake of the caller") {
  Value value;
  value.begin(ValueType::array);
  value.add(ArrayElement{1, "a"});
  RdbEntry entry;
  entry.key = "k";
  ByteBuffer buffer;
  CHECK_THROWS_AS(RecordEncoder(buffer, write_rules("redis-8.6")).entry(entry, value), std::invalid_argument);
  CHECK_THROWS_AS(RecordEncoder(buffer, write_rules("redis-8.6")).payload(entry, value),
                  std::invalid_argument);
  CHECK(buffer.empty());
  const ResizeDb large{uint64_t{1} << 32, 0};
  CHECK_THROWS_AS(RecordEncoder(buffer, write_rules("redis-3.2")).resize(large), std::length_error);
  CHECK_NOTHROW(RecordEncoder(buffer, write_rules("redis-4.0")).resize(large));
}
