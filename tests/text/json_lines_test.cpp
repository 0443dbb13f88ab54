// Lines of the dump, held against the schema: type by type, key order included. persist-dump(1), JSON LINES
#include <doctest/doctest.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "support/rdb_builder.hpp"
#include "support/samples.hpp"
#include "support/verbs.hpp"

using namespace persist;
using namespace persist::test;

namespace {

using Json = nlohmann::ordered_json;

std::string lines(const RdbBuilder& builder, bool meta = false) {
  DumpOptions options;
  options.meta = meta;
  const Dumped dumped = dump(builder.eof(), options);
  CHECK(joined(lines_of(dumped.findings)).empty());
  for (const std::string& line : split_lines(dumped.text)) CHECK(Json::accept(line));
  return dumped.text;
}

RdbBuilder file14() { return RdbBuilder(redis, 14); }

}  // namespace

TEST_CASE("json lines: keys of an entry, in order, absent ones left out") {
  CHECK(lines(file14().string("k", "v")) ==
        R"({"db":0,"key":"k","type":"string","encoding":"string","value":"v"})"
        "\n");
  CHECK(lines(file14().select(15).expire_ms(1700000000123).idle(77).string("k", "v")) ==
        R"({"db":15,"key":"k","type":"string","encoding":"string","expire_at_ms":1700000000123,)"
        R"("idle_s":77,"value":"v"})"
        "\n");
  CHECK(lines(file14().expire_ms(0).freq(255).string("", "")) ==
        R"({"db":0,"key":"","type":"string","encoding":"string","expire_at_ms":0,"freq":255,"value":""})"
        "\n");
  CHECK(lines(file14().string("\xff", "\xfe")) ==
        R"({"db":0,"key":{"$base64":"/w=="},"type":"string","encoding":"string","value":{"$base64":"/g=="}})"
        "\n");
}

TEST_CASE("json lines: lists, sets, sorted sets") {
  CHECK(lines(file14().list("k", {"a", "", "\xff"})) ==
        R"({"db":0,"key":"k","type":"list","encoding":"list","value":["a","",{"$base64":"/w=="}]})"
        "\n");
  CHECK(lines(file14().list_quicklist2("k", {{1, "a"}, {2, ListpackBuilder().add("12").bytes()}})) ==
        R"({"db":0,"key":"k","type":"list","encoding":"quicklist2","value":["a","12"]})"
        "\n");
  CHECK(lines(file14().set_intset("k", {-1, 5})) ==
        R"({"db":0,"key":"k","type":"set","encoding":"intset","value":["-1","5"]})"
        "\n");
  constexpr double kInf = std::numeric_limits<double>::infinity();
  CHECK(lines(file14().zset("k", {{"a", 1}, {"b", -0.0}, {"c", kInf}, {"d", -kInf}, {"e", 0.1}})) ==
        R"({"db":0,"key":"k","type":"zset","encoding":"zset2","value":[["a",1],["b",-0.0],["c",)"
        R"("inf"],["d","-inf"],["e",0.1]]})"
        "\n");
}

TEST_CASE("json lines: hashes") {
  CHECK(lines(file14().hash("k", {{"f", "v"}, {"g", "\xff"}})) ==
        R"({"db":0,"key":"k","type":"hash","encoding":"hash","value":{"f":"v","g":{"$base64":"/w=="}}})"
        "\n");
  CHECK(lines(file14().hash_ttl("k", {{"a", "1", 5}, {"b", "2", 0}, {"c", "3", 7}})) ==
        R"({"db":0,"key":"k","type":"hash","encoding":"ttl","value":{"a":"1","b":"2","c":"3"},)"
        R"("field_expire_at_ms":{"a":5,"c":7}})"
        "\n");
}

TEST_CASE("json lines: hashes whose field names are no text stand in pairs") {
  CHECK(lines(file14().hash("k", {{"f", "v"}, {"\xff", "w"}})) ==
        R"({"db":0,"key":"k","type":"hash","encoding":"hash","value":{"$pairs":[["f","v"],)"
        R"([{"$base64":"/w=="},"w"]]}})"
        "\n");
  CHECK(lines(file14().hash_ttl("k", {{"a", "1", 5}, {"\xff", "2", 6}, {"c", "3", 0}})) ==
        R"({"db":0,"key":"k","type":"hash","encoding":"ttl",)"
        R"("value":{"$pairs":[["a","1"],[{"$base64":"/w=="},"2"],["c","3"]]},)"
        R"("field_expire_at_ms":{"$pairs":[["a",5],[{"$base64":"/w=="},6]]}})"
        "\n");
  // The next one is an object again, whatever came before.
  CHECK(split_lines(lines(file14().hash("k", {{"\xff", "1"}}).hash("l", {{"f", "v"}})))[1] ==
        R"({"db":0,"key":"l","type":"hash","encoding":"hash","value":{"f":"v"}})");
}

TEST_CASE("json lines: streams of the oldest form leave out what it does not store") {
  StreamSpec spec;
  spec.entries = {{{1, 1}, {{"f", "a"}}}, {{1, 2}, {{"\xff", "b"}, {"", ""}}}};
  spec.last_id = {1, 2};
  spec.groups = {{"g", {1, 1}, 1, {{{1, 1}, 77, 3}}, {{"c", 88, 99, {{1, 1}}}}, {}}};
  CHECK(lines(file14().stream("k", 1, spec)) ==
        R"({"db":0,"key":"k","type":"stream","encoding":"stream1","value":{"last_id":"1-2","entries":[)"
        R"({"id":"1-1","fields":[["f","a"]]},{"id":"1-2","fields":[[{"$base64":"/w=="},"b"],["",""]]}],)"
        R"("groups":[{"name":"g","last_id":"1-1","pending":[)"
        R"({"id":"1-1","consumer":"c","delivery_time_ms":77,"delivery_count":3}],)"
        R"("consumers":[{"name":"c","seen_time_ms":88}]}]}})"
        "\n");
}

TEST_CASE("json lines: streams of the newest form") {
  StreamSpec spec;
  spec.entries = {{{1, 1}, {{"f", "a"}}}, {{2, 2}, {{"f", "b"}}}};
  spec.last_id = {2, 2};
  spec.max_deleted_id = {1, 0};
  spec.groups = {
      {"g", {2, 2}, ~uint64_t{0}, {{{1, 1}, 77, 1}, {{2, 2}, 0, 2}}, {{"c", 88, -1, {{1, 1}}}}, {{2, 2}}},
      {"h", {0, 0}, 5, {}, {}, {}}};
  spec.producers = {{"p", {{"i", {1, 1}}, {"\xff", {2, 2}}}}, {"q", {}}};
  CHECK(
      lines(file14().stream("k", 5, spec)) ==
      R"({"db":0,"key":"k","type":"stream","encoding":"stream5","value":{"last_id":"2-2","entries_added":2,)"
      R"("max_deleted_id":"1-0","first_id":"1-1","entries":[{"id":"1-1","fields":[["f","a"]]},)"
      R"({"id":"2-2","fields":[["f","b"]]}],"groups":[{"name":"g","last_id":"2-2",)"
      R"("entries_read":null,"pending":[)"
      R"({"id":"1-1","consumer":"c","delivery_time_ms":77,"delivery_count":1},)"
      R"({"id":"2-2","consumer":null,"delivery_time_ms":0,"delivery_count":2,"nack_rank":0}],)"
      R"("consumers":[{"name":"c","seen_time_ms":88,"active_time_ms":null}]},)"
      R"({"name":"h","last_id":"0-0","entries_read":5,"pending":[],"consumers":[]}],)"
      R"("idmp":{"producers":[{"id":"p","iids":[{"iid":"i","id":"1-1"},{"iid":{"$base64":"/w=="},)"
      R"("id":"2-2"}]},)"
      R"({"id":"q","iids":[]}],"duration_s":100,"max_entries":100,"iids_added":2,"iids_duplicates":0}}})"
      "\n");
}

TEST_CASE("json lines: streams without groups, without entries, with producers only") {
  StreamSpec spec;
  CHECK(
      lines(file14().stream("k", 3, spec)) ==
      R"({"db":0,"key":"k","type":"stream","encoding":"stream3","value":{"last_id":"0-0","entries_added":0,)"
      R"("max_deleted_id":"0-0","first_id":"0-0","entries":[],"groups":[]}})"
      "\n");
  CHECK(Json::parse(lines(file14().stream("k", 4, spec)))["value"]["idmp"]["producers"].empty());
  spec.producers = {{"p", {}}};
  CHECK(Json::parse(lines(file14().stream("k", 4, spec)))["value"]["idmp"]["producers"].size() == 1);
  spec.groups = {{"g", {}, 0, {}, {}, {}}};
  CHECK(Json::parse(lines(file14().stream("k", 5, spec)))["value"]["groups"][0]["consumers"].empty());
}

TEST_CASE("json lines: arrays and modules") {
  const std::string elements =
      length(0) + length(1) + le(int64_t{7}) + length(9) + length(0) + plain_string("\xff");
  CHECK(lines(file14().array("k", 2, std::nullopt, elements)) ==
        R"({"db":0,"key":"k","type":"array","encoding":"array","value":{"elements":[[0,"7"],[9,)"
        R"({"$base64":"/w=="}]],)"
        R"("insert_index":null}})"
        "\n");
  CHECK(Json::parse(lines(file14().array("k", 2, 9, elements)))["value"]["insert_index"] == 9);
  CHECK(lines(file14().module("k", module_id_of("test__rdb", 3), length(2) + length(5) + length(0))) ==
        R"({"db":0,"key":"k","type":"module","encoding":"module2","value":)"
        R"({"module":"test__rdb","encver":3,"payload":{"$base64":"AgUA"}}})"
        "\n");
}

TEST_CASE("json lines: records that are no keys, when asked for") {
  const RdbBuilder builder = file14()
                                 .aux("redis-ver", "8.8.0")
                                 .function("#!lua name=lib\n")
                                 .function_pre_release("lib2", "LUA", Bytes("says"), "code")
                                 .module_aux(module_id_of("test__rdb", 3), 1, length(0))
                                 .select(1)
                                 .resize(2, 1)
                                 .slot_info(3, 4, 5)
                                 .key_meta(1, le(uint32_t{1}) + length(0))
                                 .string("k", "v");
  const std::string text = lines(builder, true);
  CHECK(text ==
        R"({"record":"header","dialect":"redis","version":14})"
        "\n"
        R"({"record":"aux","name":"redis-ver","value":"8.8.0"})"
        "\n"
        R"({"record":"function","code":"#!lua name=lib\n"})"
        "\n"
        R"({"record":"function","name":"lib2","engine":"LUA","description":"says","code":"code"})"
        "\n"
        R"({"record":"module_aux","module":"test__rdb","encver":3,"when":1,"payload":{"$base64":"AA=="}})"
        "\n"
        R"({"record":"select_db","db":1})"
        "\n"
        R"({"record":"resize_db","keys":2,"volatile_keys":1})"
        "\n"
        R"({"record":"slot_info","slot":3,"keys":4,"volatile_keys":5})"
        "\n"
        R"({"record":"key_meta","db":1,"key":"k","payload":{"$base64":"AQEAAAAA"}})"
        "\n"
        R"({"db":1,"key":"k","type":"string","encoding":"string","value":"v"})"
        "\n"
        R"({"record":"end","keys":1,"checksum":"good"})"
        "\n");
  CHECK(split_lines(lines(builder)).size() == 1);
  const RdbBuilder import = RdbBuilder(valkey, 80).slot_import("job", {{0, 5}, {7, 9}});
  CHECK(split_lines(lines(import, true))[1] ==
        R"({"record":"slot_import","job":"job","slots":[[0,5],[7,9]]})");
}

TEST_CASE("json lines: every sample gives valid lines with all keys") {
  for (const Sample& sample : samples()) {
    CAPTURE(sample.name);
    for (const std::string& line : split_lines(dump(sample.file).text)) {
      const Json parsed = Json::parse(line);
      std::string keys;
      for (const auto& [key, value] : parsed.items()) keys += key + " ";
      CHECK(keys.starts_with("db key type encoding "));
      CHECK(parsed.contains("value"));
    }
  }
}

TEST_CASE("json lines: values larger than an output buffer come out whole") {
  const std::string large(3'000'000, '"');
  RdbBuilder builder = file14();
  builder.string("k", large)
      .list("l", Strings(600'000, "0123456789"))
      .hash("h", {{"f", large}, {"\xff", "v"}});
  const std::vector<std::string> told = split_lines(lines(builder));
  REQUIRE(told.size() == 3);
  CHECK(Json::parse(told[0])["value"].get<std::string>() == large);
  CHECK(Json::parse(told[1])["value"].size() == 600'000);
  CHECK(Json::parse(told[2])["value"]["$pairs"][0][1].get<std::string>() == large);
}
