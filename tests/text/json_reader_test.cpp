// JSON Lines read back: everything that the writer writes comes back the same, and what is not right is
// refused with its place.
#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <filesystem>
#include <random>
#include <set>

#include "support/drip_source.hpp"
#include "support/files.hpp"
#include "support/rdb_builder.hpp"
#include "support/samples.hpp"
#include "text/json_lines.hpp"
#include "text/json_reader.hpp"
#include "types/plain_encoding.hpp"

using namespace persist;
using namespace persist::test;

namespace {

// The line of an entry whose value `tell` tells, without the name of its encoding unless `named`.
void append_entry(ByteBuffer& out, const RdbEntry& entry, FunctionRef<void(ElementSink)> tell, bool named) {
  RdbEntry plain = entry;
  if (!named) plain.encoding = &plain_encoding(entry.encoding->type);
  EntryLine line(out);
  if (!entry.key_meta.empty()) append_key_meta_line(out, entry);
  for (const bool as_pairs : {false, true}) {
    line.begin(plain, as_pairs);
    tell([&line](const Element& told) { line.add(told); });
    if (!line.wants_pairs()) break;
    line.discard();
  }
  line.end();
}

// All lines of an RDB file, records included.
std::string lines_of_rdb(Bytes file, bool named) {
  const auto source = memory_source(file);
  FindingList findings;
  RdbReader reader(*source, findings);
  ByteBuffer out;
  uint64_t keys = 0;
  while (const RdbRecord* record = reader.next()) {
    append_record_line(out, *record, keys);
    if (const auto* entry = std::get_if<RdbEntry>(&record->body)) {
      append_entry(
          out, *entry, [&reader](ElementSink sink) { reader.visit(sink); }, named);
      ++keys;
    }
  }
  return std::string(out.bytes());
}

struct ReadBack {
  std::string text;  // written anew
  std::vector<Finding> findings;
  uint64_t keys = 0;
  bool complete = false;
};

ReadBack read_back(ByteSource& source) {
  ReadBack back;
  FindingList findings;
  JsonLinesReader reader(source, findings);
  ByteBuffer out;
  while (const RdbRecord* record = reader.next()) {
    append_record_line(out, *record, back.keys);
    if (const auto* entry = std::get_if<RdbEntry>(&record->body)) {
      append_entry(
          out, *entry, [&reader](ElementSink sink) { reader.value().tell(sink); }, false);
      ++back.keys;
    }
  }
  CHECK(reader.next() == nullptr);
  back.text = std::string(out.bytes());
  back.findings = findings.all;
  back.complete = reader.complete();
  CHECK(back.complete == back.findings.empty());
  return back;
}

ReadBack read_back(Bytes text) { return read_back(*memory_source(text)); }

std::string sole_message(Bytes text) {
  const ReadBack back = read_back(text);
  REQUIRE(back.findings.size() == 1);
  return std::string(back.findings[0].kind().id) + " " + back.findings[0].message();
}

// A line of that type and value.
std::string line_with(Bytes type, Bytes value) {
  return R"({"key":"k","type":")" + std::string(type) + R"(","value":)" + std::string(value) + "}\n";
}

// A stream whose last ID is 9-9.
std::string stream_with(Bytes entries, Bytes groups, Bytes more = "") {
  return line_with("stream", R"({"last_id":"9-9","entries":[)" + std::string(entries) + R"(],"groups":[)" +
                                 std::string(groups) + "]" + std::string(more) + "}");
}

std::string group_with(Bytes pending, Bytes consumers) {
  return R"({"name":"g","last_id":"1-1","pending":[)" + std::string(pending) + R"(],"consumers":[)" +
         std::string(consumers) + "]}";
}

const std::string kPending = R"({"id":"1-1","consumer":"c","delivery_time_ms":1,"delivery_count":2})";
const std::string kNacked =
    R"({"id":"1-1","consumer":null,"delivery_time_ms":1,"delivery_count":2,"nack_rank":0})";
const std::string kConsumer = R"({"name":"c","seen_time_ms":3})";
const std::string kIdmp = R"("duration_s":1,"max_entries":1,"iids_added":0,"iids_duplicates":0)";

struct BadLine {
  std::string text;
  std::string message;  // code, subject, expected and found
};

std::vector<BadLine> bad_syntax() {
  const std::string syntax = "json.syntax line 1: expected one JSON object, found ";
  const std::string member = "json.member line 1, line: expected ";
  const std::string deep = line_with("string", std::string(20, '[') + std::string(20, ']'));
  return {
      {"{\"key\":\"\xff\"}\n", syntax + "bytes that are not UTF-8"},
      {"{\"key\n", syntax + "a string without an end"},
      {std::string("{\"key\":\"\0\"}\n", 12), syntax + "a control character in a string"},
      {"{\"key\":\"\\ud800\"}\n", syntax + "an escape that stands for no character"},
      {"{\"key\":01}\n", syntax + "a number that is malformed or out of range"},
      {"{\"key\":1e999}\n", syntax + "a number that is malformed or out of range"},
      {deep, syntax + "brackets nested too deeply"},
      {"{\"key\":1} {}\n", syntax + "a bracket, comma or word that does not belong there"},
      {std::string(9, '\0') + "\n", syntax + "a bracket, comma or word that does not belong there"},
      {"{\"key\":1",
       "json.truncated line 1: expected one JSON object, found a bracket, comma or word that "
       "does not belong there"},
      {"[]\n", "json.value line 1, line: expected an object, found an array"},
      {"7\n", "json.value line 1, line: expected an object, found 7"},
      {"{}\n", member + "a member \"key\", found none"},
      {R"({"key":"k"})", member + "a member \"type\", found none"},
      {R"({"key":"k","type":"list"})", member + "a member \"value\" or a member \"dump\", found neither"},
      {R"({"key":"k","type":"list","value":[],"dump":{}})",
       "json.member line 1, line: expected a member \"value\" or a member \"dump\", found both"},
      {R"({"key":"k","type":"string","value":"v","ttl":5})",
       member + "only members of the schema, found \"ttl\""},
      {R"({"key":"k","type":"string","value":"v","key":"l"})",
       "json.duplicate line 1, line: expected each member once, found \"key\" twice"},
      {R"({"key":"k","type":"text","value":"v"})",
       "json.value line 1, type: expected a type of values, found \"text\""},
      {R"({"key":"k","type":"set","value":["a"],"field_expire_at_ms":{}})",
       member + "field_expire_at_ms beside the value of a hash only, found it elsewhere"},
  };
}

std::vector<BadLine> bad_attributes() {
  const auto with = [](const std::string& member) {
    return "{" + member + R"(,"key":"k","type":"string","value":"v"})";
  };
  const std::string start = "json.value line 1, ";
  return {
      {with(R"("db":2147483648)"), start + "db: expected an integer from 0 to 2147483647, found 2147483648"},
      {with(R"("db":"0")"), start + "db: expected an integer from 0 to 2147483647, found \"0\""},
      {with(R"("db":-1)"), start + "db: expected an integer from 0 to 2147483647, found -1"},
      {with(R"("expire_at_ms":-1)"), start + "expire_at_ms: expected a time, or no such member, found -1"},
      {with(R"("expire_at_ms":9223372036854775808)"),
       start + "expire_at_ms: expected an integer of 64 bits, found 9223372036854775808"},
      {with(R"("expire_at_ms":1.5)"),
       start +
           "expire_at_ms: expected an integer of 64 bits, found a number with a fraction or out of range"},
      {with(R"("expire_at_ms":18446744073709551616)"),
       start +
           "expire_at_ms: expected an integer of 64 bits, found a number with a fraction or out of range"},
      {with(R"("idle_s":null)"),
       start + "idle_s: expected an integer from 0 to 18446744073709551615, found null"},
      {with(R"("freq":256)"), start + "freq: expected an integer from 0 to 255, found 256"},
      {R"({"key":5,"type":"string","value":"v"})",
       start + R"(key: expected a string or {"$base64":"..."}, found 5)"},
      {R"({"key":{"$base64":"YQ"},"type":"string","value":"v"})",
       start + "key: expected base64, padded, found \"YQ\""},
      {R"({"key":{"$base64":"YR=="},"type":"string","value":"v"})",
       start + "key: expected base64, padded, found \"YR==\""},
      {R"({"key":{"$base64":"YQ==","x":1},"type":"string","value":"v"})",
       start + R"(key: expected {"$base64":"..."}, found an object)"},
  };
}

std::vector<BadLine> bad_values() {
  const std::string start = "json.value line 1, ";
  const std::string twice = "json.duplicate line 1, ";
  return {
      {line_with("string", "true"), start + R"(value: expected a string or {"$base64":"..."}, found true)"},
      {line_with("list", "[]"), start + "value: expected at least one element, found none"},
      {line_with("hash", "{}"), start + "value: expected at least one element, found none"},
      {line_with("list", R"("a")"), start + "value: expected an array, found \"a\""},
      {line_with("set", R"(["a","b","a"])"), twice + "member: expected each one once, found \"a\" twice"},
      {line_with("zset", R"([["a",1],["a",2]])"),
       twice + "member: expected each one once, found \"a\" twice"},
      {line_with("zset", R"([["a",1,2]])"),
       start + "member and score: expected an array of two, found an array of 3"},
      {line_with("zset", R"([["a","nan"]])"),
       start + R"(score: expected a number, "inf" or "-inf", found "nan")"},
      {line_with("zset", R"([["a","1"]])"),
       start + R"(score: expected a number, "inf" or "-inf", found "1")"},
      {line_with("hash", R"({"f":"v","f":"w"})"), twice + "field: expected each one once, found \"f\" twice"},
      {line_with("hash", R"({"$pairs":[["f","v"],["f","w"]]})"),
       twice + "field: expected each one once, found \"f\" twice"},
      {R"({"key":"k","type":"hash","value":{"f":"v"},"field_expire_at_ms":{"g":1}})",
       start + "field_expire_at_ms: expected fields of the value, found \"g\""},
      {R"({"key":"k","type":"hash","value":{"f":"v"},"field_expire_at_ms":{"f":1,"f":1}})",
       twice + "field_expire_at_ms: expected each field once, found \"f\" twice"},
      {R"({"key":"k","type":"hash","value":{"f":"v"},"field_expire_at_ms":{"f":-1}})",
       start + "expiry of a field: expected an integer from 0 to 9223372036854775807, found -1"},
      {line_with("array", R"({"elements":[],"insert_index":null})"),
       start + "value: expected at least one element, found none"},
      {line_with("array", R"({"elements":[[3,"a"],[1,"b"],[3,"c"]],"insert_index":null})"),
       twice + "index: expected each one once, found 3 twice"},
      {line_with("array", R"({"elements":[[18446744073709551615,"a"]],"insert_index":null})"),
       start + "index: expected an integer from 0 to 18446744073709551614, found 18446744073709551615"},
      {line_with("array", R"({"elements":[[0,"a"]]})"),
       "json.member line 1, value: expected a member \"insert_index\", found none"},
      {line_with("module", R"({"module":"short","encver":1,"payload":{"$base64":"AA=="}})"),
       start + "module: expected nine letters, digits, - or _, found \"short\""},
      {line_with("module", R"({"module":"test__rdb","encver":1024,"payload":{"$base64":"AA=="}})"),
       start + "encver: expected an integer from 0 to 1023, found 1024"},
      {line_with("module", R"({"module":"test__rdb","encver":1,"payload":{"$base64":"AAA="}})"),
       start + "payload: expected annotated values up to their end mark, found bytes behind the end mark"},
  };
}

std::vector<BadLine> bad_streams() {
  const std::string start = "json.value line 1, ";
  const std::string twice = "json.duplicate line 1, ";
  const std::string one = R"({"id":"1-1","fields":[]})";
  const std::string ranked =
      R"({"id":"1-1","consumer":null,"delivery_time_ms":1,"delivery_count":2,"nack_rank":)";
  const auto idmp = [](const std::string& producers, const std::string& rest) {
    return stream_with("", "", R"(,"idmp":{"producers":[)" + producers + "]," + rest + "}");
  };
  return {
      {stream_with(one + "," + one, ""), start + "entry: expected an ID above 1-1, found 1-1"},
      {stream_with(R"({"id":"9-10","fields":[]})", ""),
       start + "entry: expected an ID up to last_id, 9-9, found 9-10"},
      {stream_with(R"({"id":"1","fields":[]})", ""),
       start + R"(id: expected an ID such as "1700000000000-0", found "1")"},
      {stream_with(R"({"id":"1-18446744073709551616","fields":[]})", ""),
       start + R"(id: expected an ID such as "1700000000000-0", found "1-18446744073709551616")"},
      {stream_with(R"({"id":"1-1","fields":[["a"]]})", ""),
       start + "field and value: expected an array of two, found an array of 1"},
      {stream_with("", group_with("", "") + "," + group_with("", "")),
       twice + "group: expected each one once, found \"g\" twice"},
      {stream_with("", group_with("", kConsumer + "," + kConsumer)),
       twice + "consumer: expected each one once, found \"c\" twice"},
      {stream_with("", group_with(kPending + "," + kPending, kConsumer)),
       start + "pending entry: expected an ID above 1-1, found 1-1"},
      {stream_with("", group_with(kPending, "")),
       start + "pending entry: expected one of the group's consumers, found \"c\""},
      {stream_with("",
                   group_with(R"({"id":"1-1","consumer":null,"delivery_time_ms":1,"delivery_count":2})", "")),
       start + "pending entry: expected a consumer or a nack_rank, found 1-1 without either"},
      {stream_with("", group_with(kPending.substr(0, kPending.size() - 1) + R"(,"nack_rank":0})", kConsumer)),
       start + "pending entry: expected a consumer or a nack_rank, found 1-1 with both"},
      {stream_with("", group_with(ranked + "1}", "")),
       start + "nack_rank: expected each number from 0 on once, found 1"},
      {stream_with("", group_with("", R"({"name":"c"})")),
       "json.member line 1, consumer: expected a member \"seen_time_ms\", found none"},
      {idmp(R"({"id":"p","iids":[]},{"id":"p","iids":[]})", kIdmp),
       twice + "producer: expected each one once, found \"p\" twice"},
      {idmp(R"({"id":"p","iids":[{"iid":"i","id":"1-1"},{"iid":"i","id":"1-2"}]})", kIdmp),
       twice + "iid: expected each one once, found \"i\" twice"},
      {idmp("", R"("duration_s":0,"max_entries":1,"iids_added":0,"iids_duplicates":0)"),
       start + "duration_s: expected 1 to 86400, found 0"},
      {idmp("", R"("duration_s":1,"max_entries":10001,"iids_added":0,"iids_duplicates":0)"),
       start + "max_entries: expected 1 to 10000, found 10001"},
  };
}

std::vector<BadLine> bad_records() {
  const std::string start = "json.value line 1, ";
  const std::string meta = R"({"record":"key_meta","db":1,"key":"k","payload":{"$base64":"AQEAAAAA"}})";
  const std::string behind =
      "json.value line 2, line behind key_meta: expected that of key \"k\" in db 1, found ";
  return {
      {R"({"record":"footer"})", start + "record: expected a record of the schema, found \"footer\""},
      {R"({"record":5})", start + "record: expected a record of the schema, found 5"},
      {R"({"record":"header","dialect":"keydb","version":9})",
       start + R"(dialect: expected "redis" or "valkey", found "keydb")"},
      {R"({"record":"aux","name":"a"})",
       "json.member line 1, record: expected a member \"value\", found none"},
      {R"({"record":"end","keys":1,"checksum":"fine"})",
       start + R"(checksum: expected "good" or "bad" or "disabled" or "absent", found "fine")"},
      {R"({"record":"function","code":"c","name":"n"})",
       "json.member line 1, function: expected members \"name\" and \"engine\", or neither, found one"},
      {R"({"record":"slot_import","job":"j","slots":[[1]]})",
       start + "range of slots: expected an array of two, found an array of 1"},
      {R"({"record":"key_meta","db":1,"key":"k","payload":{"$base64":"AA=="}})",
       start + "payload: expected metadata of a key, found other bytes"},
      {meta + "\n" + line_with("string", R"("v")"), behind + "\"k\""},
      {meta + "\n" + meta, behind + "another line"},
      {meta + "\n", behind + "the end of the lines"},
  };
}

std::vector<BadLine> all_bad_lines() {
  std::vector<BadLine> all;
  for (const auto& some : {bad_syntax(), bad_attributes(), bad_values(), bad_streams(), bad_records()})
    all.insert(all.end(), some.begin(), some.end());
  return all;
}

}  // namespace

TEST_CASE("json reader: every sample and every fixture comes back") {
  uint64_t keys = 0;
  const auto look = [&](Bytes file) {
    const std::string expected = lines_of_rdb(file, false);
    const ReadBack back = read_back(lines_of_rdb(file, true));
    CHECK(back.findings.empty());
    CHECK(back.text == expected);
    keys += back.keys;
  };
  for (const Sample& sample : samples()) {
    CAPTURE(sample.name);
    look(sample.file);
  }
  for (const Dialect dialect : {redis, valkey}) look(mixed_file(dialect));
  for (const auto& file : std::filesystem::recursive_directory_iterator(PERSIST_TESTDATA "/rdb")) {
    if (file.path().extension() != ".rdb") continue;
    CAPTURE(file.path());
    look(read_file(file.path()));
  }
  CHECK(keys > 1000);
}

TEST_CASE("json reader: bad lines, each with what was expected and found") {
  for (const BadLine& bad : all_bad_lines()) {
    CAPTURE(bad.text);
    CHECK(sole_message(bad.text) == bad.message);
  }
}

TEST_CASE("json reader: the table of findings has nothing of JSON Lines that is not provoked here") {
  std::set<std::string> provoked;
  for (const BadLine& bad : all_bad_lines()) provoked.insert(bad.message.substr(0, bad.message.find(' ')));
  std::set<std::string> known;
  for (const FindingKind& kind : finding_kinds())
    if (kind.id.starts_with("json.")) known.emplace(kind.id);
  CHECK(provoked == known);
}

TEST_CASE("json reader: a finding says where the line is and whose") {
  const std::string good = line_with("string", R"("v")");
  const std::string bad = R"({"db":3,"key":"bad","type":"zset","value":[["a","x"]]})";
  const ReadBack back = read_back("\xef\xbb\xbf" + good + "\r\n \t\n" + bad + "\r\n" + good);
  CHECK(back.keys == 1);
  REQUIRE(back.findings.size() == 1);
  const Finding& finding = back.findings[0];
  CHECK(finding.file == "<memory>");
  CHECK(finding.extent == Extent{3 + good.size() + 5, bad.size() + 2});
  CHECK(finding.subject == "line 4, score");
  CHECK(finding.db == 3);
  CHECK(finding.key == "bad");
  CHECK(finding.record == "zset");
}

TEST_CASE("json reader: members in any order, db and encoding left out, all kinds of line ends") {
  const std::string expected = R"({"db":0,"key":"k","type":"hash","value":{"f":"v"},)"
                               R"("field_expire_at_ms":{"f":7}})"
                               "\n";
  const std::string line =
      R"( { "field_expire_at_ms" : {"f": 7}, "value":{"f":"v"},"type":"hash", "encoding":5, )"
      R"("key":"\u006b" } )";
  for (const std::string& text : {line, line + "\n", line + "\r\n", "\n\r\n  \n" + line + "\n\n\n"}) {
    CAPTURE(text);
    const ReadBack back = read_back(text);
    CHECK(back.findings.empty());
    CHECK(back.text == expected);
  }
  CHECK(read_back("").complete);
  CHECK(read_back("\xef\xbb\xbf").complete);
  CHECK(read_back("\n\n").keys == 0);
}

TEST_CASE("json reader: scores come back to the bit") {
  std::mt19937_64 random(7);
  std::vector<double> scores = {0.0,
                                -0.0,
                                1e17,
                                9007199254740993.0,
                                18446744073709551616.0,
                                123456789012345680000.0,
                                -9223372036854775808.0,
                                -18446744073709551616.0,
                                5e-324,
                                1.7976931348623157e308,
                                INFINITY,
                                -INFINITY,
                                0.1};
  while (scores.size() < 3000) {
    const double score = std::bit_cast<double>(random());
    if (!std::isnan(score)) scores.push_back(score);
    scores.push_back(std::ldexp(static_cast<double>(random() >> 11), static_cast<int>(random() % 70)));
  }
  RdbBuilder builder(redis, 14);
  Scores members;
  for (size_t i = 0; i < scores.size(); ++i) members.push_back({std::to_string(i), scores[i]});
  const std::string text = lines_of_rdb(builder.zset("k", members).eof(), true);
  FindingList findings;
  const auto source = memory_source(text);
  JsonLinesReader reader(*source, findings);
  while (const RdbRecord* record = reader.next()) {
    if (!std::holds_alternative<RdbEntry>(record->body)) continue;
    REQUIRE(reader.value().members.size() == scores.size());
    for (size_t i = 0; i < scores.size(); ++i) {
      CAPTURE(scores[i]);
      CHECK(std::bit_cast<uint64_t>(reader.value().members[i].score) == std::bit_cast<uint64_t>(scores[i]));
    }
  }
  CHECK(findings.all.empty());
}

TEST_CASE("json reader: names are told apart in large values, too") {
  std::string members = R"("m0")";
  std::string fields = R"("f0":"v")";
  std::string expiries = R"("f0":1)";
  for (int i = 1; i < 500; ++i) {
    const std::string n = std::to_string(i);
    members += R"(,"m)" + n + '"';
    fields += R"(,"f)" + n + R"(":"v")";
    expiries = R"("f)" + n + R"(":)" + std::to_string(i + 1) + "," + expiries;
  }
  CHECK(read_back(line_with("set", "[" + members + "]")).complete);
  CHECK(sole_message(line_with("set", "[" + members + R"(,"m123"])")) ==
        "json.duplicate line 1, member: expected each one once, found \"m123\" twice");
  const std::string hash = R"({"key":"k","type":"hash","value":{)" + fields + R"(},"field_expire_at_ms":{)";
  const std::string text = hash + expiries + "}}";
  FindingList findings;
  const auto source = memory_source(text);
  JsonLinesReader reader(*source, findings);
  REQUIRE(reader.next() != nullptr);
  REQUIRE(reader.value().fields.size() == 500);
  for (size_t i = 0; i < 500; ++i)
    CHECK(reader.value().fields[i].expire_at_ms == static_cast<int64_t>(i + 1));
  CHECK(sole_message(hash + R"("f500":1}})") ==
        "json.value line 1, field_expire_at_ms: expected fields of the value, found \"f500\"");
}

TEST_CASE("json reader: digits in strings are no long numbers") {
  const std::string line = line_with(
      "zset", R"([["\"12345678901234567890123\\",123456789012345678901],["12345678901234567890",-1]])");
  CHECK(read_back(line).text ==
        R"({"db":0,"key":"k","type":"zset","value":[["\"12345678901234567890123\\",123456789012345683968],)"
        R"(["12345678901234567890",-1]]})"
        "\n");
}

TEST_CASE("json reader: any bytes as key, value, field, and names that look like the schema's own") {
  std::mt19937 random(11);
  const auto bytes = [&random] {
    constexpr Bytes kOften = "\"\\{}[],:\n\r\t\0\x7f\x80\xc3\xa9\xff $aZ";
    std::string text;
    for (size_t left = random() % 24; left > 0; --left)
      text += random() % 2 == 0 ? kOften[random() % kOften.size()] : static_cast<char>(random());
    return text;
  };
  RdbBuilder builder(redis, 14);
  for (int i = 0; i < 300; ++i) {
    const std::string n = std::to_string(i);
    builder.string(bytes() + n, bytes()).list(bytes() + n, {bytes(), bytes()});
    builder.hash(bytes() + n, {{"a" + bytes(), bytes()}, {"b" + bytes(), bytes()}});
    builder.hash_ttl(bytes() + n, {{"a" + bytes(), bytes(), 1 + i}, {"b" + bytes(), bytes(), 0}});
  }
  builder.hash("pairs", {{"$pairs", "v"}}).hash("base64", {{"$base64", "v"}}).hash("empty", {{"", ""}});
  builder.hash_ttl("ttl", {{"$pairs", "v", 5}}).hash_ttl("ttl2", {{"$base64", "v", 5}});
  const std::string file = builder.eof();
  const ReadBack back = read_back(lines_of_rdb(file, true));
  CHECK(back.findings.empty());
  CHECK(back.text == lines_of_rdb(file, false));
}

TEST_CASE("json reader: from sources that give no more than they must") {
  const std::string file = mixed_file(redis);
  const std::string text = lines_of_rdb(file, true);
  for (const bool is_file : {false, true}) {
    DripSource source(text, is_file);
    CHECK(read_back(source).text == lines_of_rdb(file, false));
  }
  const std::string large(300'000, 'x');
  const std::string lines = line_with("string", '"' + large + '"') + line_with("string", R"("v")") +
                            line_with("list", '"' + large + '"');
  DripSource source(lines, false);
  const ReadBack back = read_back(source);
  CHECK(back.keys == 2);
  REQUIRE(back.findings.size() == 1);
  CHECK(back.findings[0].extent.end() == lines.size());
  CHECK(back.findings[0].found.size() < 100);
}

TEST_CASE("json reader: a carrier that is torn is what is reported") {
  std::string text;
  std::mt19937_64 random(3);  // so that it does not pack well
  for (int i = 0; i < 20'000; ++i) text += line_with("string", '"' + std::to_string(random()) + '"');
  const TempFolder folder;
  const std::string packed = gzip_of(text);
  const auto source = open_source(folder.file("torn", packed.substr(0, packed.size() / 2)));
  const ReadBack back = read_back(*source);
  REQUIRE(back.findings.size() == 1);
  CHECK(back.findings[0].kind().id == "source.gzip-damaged");
  CHECK(back.keys > 1000);
}

TEST_CASE("json reader: a DUMP payload in the place of the value") {
  const auto line = [](ValueType type, Bytes payload) {
    RdbEntry entry;
    entry.key = "k";
    entry.encoding = &plain_encoding(type);
    entry.expire_at_ms = 5;
    ByteBuffer out;
    EntryLine(out).write_payload(entry, payload);
    return std::string(out.bytes());
  };
  const std::string set = RdbBuilder().raw("\x02").raw(length(2)).str("a").str("b").dump_payload(11);
  const ReadBack back = read_back(line(ValueType::set, set));
  CHECK(back.findings.empty());
  CHECK(back.text == R"({"db":0,"key":"k","type":"set","expire_at_ms":5,"value":["a","b"]})"
                     "\n");

  const std::string start = "json.value line 1, dump: expected a sound DUMP payload, found ";
  CHECK(sole_message(line(ValueType::list, set)) == start + "one of type set");
  CHECK(sole_message(line(ValueType::set, set.substr(0, set.size() - 8) + std::string(8, '\0'))) ==
        start + "one without a checksum");
  CHECK(sole_message(line(ValueType::set, set.substr(0, set.size() - 1) + "!"))
            .starts_with(start + "dump.checksum-mismatch: "));
  CHECK(sole_message(line(ValueType::set, "")).starts_with(start + "dump.size-mismatch: "));
  // What is sound as bytes must be sound as a value, too.
  const std::string twice = RdbBuilder().raw("\x02").raw(length(2)).str("a").str("a").dump_payload(11);
  CHECK(sole_message(line(ValueType::set, twice)) ==
        "json.duplicate line 1, member: expected each one once, found \"a\" twice");
}

TEST_CASE("json reader: a cut text gives the lines before the cut and one finding, or nothing but them") {
  const std::string text = lines_of_rdb(RdbBuilder(redis, 14)
                                            .aux("a", "b")
                                            .hash_ttl("h", {{"\xff", "v", 5}, {"g", "w", 0}})
                                            .zset("z", {{"a", 0.5}, {"b", -0.0}})
                                            .eof(),
                                        true);
  for (size_t size = 0; size < text.size(); ++size) {
    CAPTURE(size);
    const ReadBack back = read_back(Bytes(text).substr(0, size));
    const Bytes cut = Bytes(text).substr(0, size);
    const bool whole = size == 0 || cut.ends_with('\n') || text[size] == '\n';
    CHECK(back.complete == whole);
    if (!whole) CHECK(back.findings[0].kind().id == "json.truncated");
    CHECK(std::ranges::count(back.text, '\n') ==
          std::ranges::count(cut, '\n') + (text[size] == '\n' ? 1 : 0));
  }
}
