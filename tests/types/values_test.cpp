// Values at the edges of what their encodings allow, and beyond.
#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <limits>

#include "persist/rdb_reader.hpp"
#include "support/notation.hpp"
#include "support/rdb_builder.hpp"
#include "support/samples.hpp"
#include "support/verbs.hpp"
#include "types/encodings.hpp"
#include "types/module.hpp"
#include "types/primitives.hpp"

using namespace persist;
using namespace persist::test;

namespace {

using Add = std::function<void(RdbBuilder&)>;

// The value of the only key, or the id of the first finding.
std::string value_of(const Add& add, Dialect dialect = redis, unsigned version = 14) {
  RdbBuilder builder(dialect, version);
  add(builder);
  const Told told = tell(builder.eof());
  if (!told.findings.empty()) return told.findings.front();
  REQUIRE(told.lines.size() == 1);
  const std::string& line = told.lines.front();
  return line.substr(line.find(" = ") + 3);
}

}  // namespace

TEST_CASE("strings: every form everywhere a string may stand") {
  for (Bytes form : {"0161", "400161", "8000000001 61", "810000000000000001 61", "c3 02 01 0061"}) {
    CAPTURE(form);
    const std::string a = unhex(form);
    CHECK(value_of([&](RdbBuilder& b) { b.raw(Bytes("\0", 1)).raw(a).raw(a); }) == "string \"a\"");
    CHECK(value_of([&](RdbBuilder& b) { b.key(1, "k").len(1).raw(a); }) == "list[a]");
    CHECK(value_of([&](RdbBuilder& b) { b.key(2, "k").len(1).raw(a); }) == "set{a}");
    CHECK(value_of([&](RdbBuilder& b) {
            b.key(3, "k").len(1).raw(a).raw(
                "\x01"
                "7");
          }) == "zset{a:7}");
    CHECK(value_of([&](RdbBuilder& b) { b.key(4, "k").len(1).raw(a).raw(a); }) == "hash{a=a}");
    CHECK(value_of([&](RdbBuilder& b) { b.key(5, "k").len(1).raw(a).raw(le(7.0)); }) == "zset{a:7}");
    CHECK(value_of([&](RdbBuilder& b) { b.key(18, "k").len(1).len(1).raw(a); }) == "list[a]");
  }
}

TEST_CASE("strings: integers are their decimal text") {
  for (const int64_t number : {int64_t{-128}, int64_t{127}, int64_t{-32768}, int64_t{32767},
                               int64_t{-2147483648LL}, int64_t{2147483647}, int64_t{0}, int64_t{-1}}) {
    CAPTURE(number);
    CHECK(value_of([&](RdbBuilder& b) { b.string_int("k", number); }) ==
          "string \"" + std::to_string(number) + "\"");
  }
}

TEST_CASE("strings: bytes of any kind, empty ones, empty keys") {
  std::string all;
  for (int c = 0; c < 256; ++c) all.push_back(static_cast<char>(c));
  CHECK(value_of([&](RdbBuilder& b) { b.list("", {all, ""}); }) == "list[" + shown(all) + " \"\"]");
}

TEST_CASE("strings: special forms that do not exist") {
  for (int first = 0xc4; first <= 0xff; ++first) {
    CAPTURE(first);
    const std::string byte(1, static_cast<char>(first));
    CHECK(value_of([&](RdbBuilder& b) { b.key(0, "k").raw(byte + "xxxxxxxx"); }) == "rdb.bad-string");
    CHECK(value_of([&](RdbBuilder& b) { b.key(0, "k").raw(byte).string("l", "v"); }) == "rdb.bad-string");
  }
}

TEST_CASE("strings: counts and sizes must not be special") {
  for (Bytes count : {"c0 01", "c1 01 00", "c3 01 01 61", "82", "bf"}) {
    CAPTURE(count);
    CHECK(value_of([&](RdbBuilder& b) { b.key(1, "k").raw(unhex(count)).str("a"); }) == "rdb.bad-length");
  }
}

TEST_CASE("strings: compressed ones that lie") {
  const auto lzf = [](Bytes hex_bytes) {
    return value_of([&](RdbBuilder& b) { b.key(0, "k").raw(unhex(hex_bytes)).string("next", "v"); });
  };
  CHECK(lzf("c3 02 02 0061") == "lzf.length-mismatch");
  CHECK(lzf("c3 02 00 0061") == "lzf.length-mismatch");
  CHECK(lzf("c3 02 81 7fffffffffffffff 0061") == "lzf.length-mismatch");
  CHECK(lzf("c3 02 81 ffffffffffffffff 0061") == "lzf.length-mismatch");
  CHECK(value_of([](RdbBuilder& b) { b.key(0, "k").raw(unhex("c3 00 00")); }) == "string \"\"");
  CHECK(lzf("c3 02 01 0161") == "lzf.damaged");
  CHECK(lzf("c3 02 05 2000") == "lzf.damaged");
}

TEST_CASE("scores: text of every kind") {
  const auto score = [](const std::string& text) {
    return value_of([&](RdbBuilder& b) { b.zset_listpack("k", {{"a", text}}); });
  };
  CHECK(score("1") == "zset{a:1}");
  CHECK(score("-0") == "zset{a:-0}");
  CHECK(score("0.10000000000000001") == "zset{a:0.1}");
  CHECK(score("1e+30") == "zset{a:1e+30}");
  CHECK(score("+1.5") == "zset{a:1.5}");
  CHECK(score("inf") == "zset{a:inf}");
  CHECK(score("-inf") == "zset{a:-inf}");
  CHECK(score("Infinity") == "zset{a:inf}");
  CHECK(score("1e999") == "zset{a:inf}");
  CHECK(score("1e-999") == "zset{a:0}");
  CHECK(score("9223372036854775807") == "zset{a:9223372036854775808}");
  for (const std::string text : {"", "x", "1x", "1 ", "--1", "+", "1,5", "e", "+-1"}) {
    CAPTURE(text);
    CHECK(score(text) == "zset.bad-score");
  }
  CHECK(value_of([](RdbBuilder& b) { b.zset_text("k", {{"a", "nan"}}); }) == "zset{a:nan}");
  CHECK(value_of([](RdbBuilder& b) { b.zset_text("k", {{"a", ""}}); }) == "zset.bad-score");
  CHECK(value_of([](RdbBuilder& b) { b.zset_text("k", {{"a", "17x"}}); }) == "zset.bad-score");
}

TEST_CASE("pairs and triples: leftovers") {
  const auto blob = [](uint8_t type, const std::string& bytes) {
    return value_of([&](RdbBuilder& b) { b.blob(type, "k", bytes); });
  };
  const std::string one = ListpackBuilder().add("a").bytes();
  const std::string three = ListpackBuilder().add("a").add("1").add("b").bytes();
  const std::string four = ListpackBuilder().add("a").add("1").add("0").add("b").bytes();
  CHECK(blob(16, one) == "container.odd-entries");
  CHECK(blob(16, three) == "container.odd-entries");
  CHECK(blob(17, three) == "container.odd-entries");
  CHECK(blob(23, one) == "container.odd-entries");
  CHECK(blob(23, four) == "container.odd-entries");
  CHECK(blob(12, ZiplistBuilder().add("a").bytes()) == "container.odd-entries");
  CHECK(blob(13, ZiplistBuilder().add("a").bytes()) == "container.odd-entries");
  CHECK(blob(20, one) == "set{a}");
}

TEST_CASE("hash TTLs: limits") {
  constexpr int64_t kMost = (int64_t{1} << 48) - 1;
  const auto value = [](const Add& add) { return value_of(add); };
  CHECK(value([](RdbBuilder& b) {
          b.hash_ttl("k", {{"a", "1", kMost}, {"b", "2", 0}});
        }) == "hash{a=1@281474976710655 b=2}");
  CHECK(value([](RdbBuilder& b) {
          b.hash_ttl("k", {{"a", "1", 1}, {"b", "2", kMost}});
        }) == "hash{a=1@1 b=2@281474976710655}");
  CHECK(value([](RdbBuilder& b) { b.hash_ttl("k", {{"a", "1", kMost + 1}}); }) == "hash.bad-field-ttl");
  CHECK(value([](RdbBuilder& b) {
          b.hash_ttl("k", {{"a", "1", 5}, {"b", "2", kMost + 1}});
        }) == "hash.bad-field-ttl");
  CHECK(value([](RdbBuilder& b) { b.key(24, "k").raw(le(int64_t{-1})).len(1).len(0).str("a").str("1"); }) ==
        "hash.bad-field-ttl");
  CHECK(value([](RdbBuilder& b) { b.hash_ttl_pre("k", {{"a", "1", kMost + 1}}); }) == "hash.bad-field-ttl");
  CHECK(value([](RdbBuilder& b) {
          b.hash_listpack_ttl("k", {{"a", "1", kMost}});
        }) == "hash{a=1@281474976710655}");
  CHECK(value([](RdbBuilder& b) {
          b.hash_listpack_ttl("k", {{"a", "1", kMost + 1}});
        }) == "hash.bad-field-ttl");
  CHECK(value([](RdbBuilder& b) { b.hash_listpack_ttl("k", {{"a", "1", -1}}); }) == "hash.bad-field-ttl");
  CHECK(value([](RdbBuilder& b) { b.blob(23, "k", ListpackBuilder().add("a").add("1").add("x").bytes()); }) ==
        "hash.bad-field-ttl");
}

TEST_CASE("hash TTLs: order of the compact form") {
  const auto listpack = [](const std::vector<TtlField>& fields) {
    return value_of([&](RdbBuilder& b) { b.hash_listpack_ttl("k", fields); });
  };
  CHECK(listpack({{"a", "1", 5}, {"b", "2", 5}, {"c", "3", 6}, {"d", "4", 0}, {"e", "5", 0}}) ==
        "hash{a=1@5 b=2@5 c=3@6 d=4 e=5}");
  CHECK(listpack({{"a", "1", 6}, {"b", "2", 5}}) == "hash.field-ttl-order");
  CHECK(listpack({{"a", "1", 0}, {"b", "2", 5}}) == "hash.field-ttl-order");
  CHECK(listpack({{"a", "1", 5}, {"b", "2", 0}, {"c", "3", 5}}) == "hash.field-ttl-order");
  CHECK(listpack({{"a", "1", 0}, {"b", "2", 0}, {"c", "3", 0}}) == "hash{a=1 b=2 c=3}");
}

TEST_CASE("hash TTLs: a smallest expiry that is stale does not matter in the compact form") {
  CHECK(value_of([](RdbBuilder& b) {
          b.key(25, "k").raw(le(int64_t{77})).str(ListpackBuilder().add("a").add("1").add("5").bytes());
        }) == "hash{a=1@5}");
}

TEST_CASE("hash TTLs: Valkey's form") {
  const auto value = [](int64_t expiry) {
    return value_of([&](RdbBuilder& b) { b.key(22, "k").len(1).str("a").str("1").raw(le(expiry)); }, valkey,
                    80);
  };
  CHECK(value(-1) == "hash{a=1}");
  CHECK(value(0) == "hash{a=1@0}");
  CHECK(value(std::numeric_limits<int64_t>::max()) == "hash{a=1@9223372036854775807}");
  CHECK(value(-2) == "hash.bad-field-ttl");
}

TEST_CASE("quicklists: containers, empty nodes") {
  const std::string empty = ListpackBuilder().bytes();
  CHECK(value_of([&](RdbBuilder& b) {
          b.list_quicklist2("k", {{2, empty}, {1, "a"}, {2, empty}});
        }) == "list[a]");
  CHECK(value_of([&](RdbBuilder& b) { b.list_quicklist2("k", {}); }) == "list[]");
  for (const uint64_t container : {uint64_t{0}, uint64_t{3}, ~uint64_t{0}}) {
    CHECK(value_of([&](RdbBuilder& b) {
            b.list_quicklist2("k", {{container, "a"}});
          }) == "quicklist.bad-container");
  }
  CHECK(value_of([](RdbBuilder& b) { b.list_quicklist("k", {{}, {"a"}, {}}); }) == "list[a]");
}

TEST_CASE("arrays: tags, indexes, floats") {
  const auto element = [](const std::string& bytes) {
    return value_of([&](RdbBuilder& b) { b.array("k", 1, std::nullopt, bytes); });
  };
  CHECK(element(length(~uint64_t{0} - 1) + length(0) + plain_string("")) ==
        "array{18446744073709551614=\"\"}");
  CHECK(element(length(~uint64_t{0}) + length(0) + plain_string("a")) == "array.damaged");
  CHECK(element(length(0) + length(4) + plain_string("abcdefgh")) == "array.damaged");
  CHECK(element(length(0) + length(3) + plain_string("1234567")) == "array{0=1234567}");
  CHECK(element(length(0) + length(3) + plain_string("12345678")) == "array.damaged");
  CHECK(element(length(0) + length(1) + le(std::numeric_limits<int64_t>::min())) ==
        "array{0=-9223372036854775808}");
  const auto number = [&](double value) { return element(length(0) + length(2) + le(value)); };
  CHECK(number(7) == "array{0=7.0}");
  CHECK(number(-0.0) == "array{0=-0.0}");
  CHECK(number(0.1) == "array{0=0.1}");
  CHECK(number(1e300) == "array{0=1e+300}");
  CHECK(number(std::numeric_limits<double>::denorm_min()) == "array{0=5e-324}");
  CHECK(number(std::numeric_limits<double>::infinity()) == "array{0=inf}");
  CHECK(value_of([](RdbBuilder& b) { b.key(28, "k").len(1).len(2).len(0).len(0).str("abc"); }) ==
        "array.damaged");
  CHECK(value_of([](RdbBuilder& b) { b.array("k", 0, std::nullopt, ""); }) == "array.empty");
}

TEST_CASE("modules: ids both ways") {
  CHECK(long_length(module_id_of("vectorset", 0)) == unhex("81bde72da2bb1eb400"));
  CHECK(long_length(module_id_of("test__rdb", 1)) == unhex("81b5eb2dfffadd6c01"));
  CHECK(long_length(module_id_of("ReJSON-RL", 3)) == unhex("8145e25238df912c03"));
  for (Bytes name : {"vectorset", "test__rdb", "ReJSON-RL", "MBbloom--", "AZaz09-_-"}) {
    const ModuleId parsed = parse_module_id(module_id_of(name, 1023));
    CHECK(parsed.name_bytes() == name);
    CHECK(parsed.encver == 1023);
  }
}

TEST_CASE("modules: annotated values") {
  const auto value = [](Bytes payload) {
    return value_of([&](RdbBuilder& b) { b.module("k", module_id_of("test__rdb", 1), unhex(payload)); });
  };
  CHECK(value("00") == "module{test__rdb/1 1 bytes}");
  CHECK(value("01 81ffffffffffffffff 02 05 03 00000000 04 0000000000000000 05 c0ff 05 c302010061 00") ==
        "module{test__rdb/1 36 bytes}");
  CHECK(value("06 00") == "module.damaged");
  CHECK(value("01 05 4100 00") == "module.damaged");
  CHECK(value_of([](RdbBuilder& b) {
          b.key(6, "k").raw(long_length(module_id_of("test__rdb", 1))).len(7);
        }) == "module.pre-release");
}

TEST_CASE("encodings: the table and the samples cover each other") {
  for (const Encoding* encoding : encodings()) {
    CAPTURE(encoding->label);
    if (encoding->code == 6) continue;  // cannot be read at all
    for (const Dialect dialect : {redis, valkey}) {
      if (dialect == valkey && encoding->in_redis) continue;
      if (!(dialect == redis ? encoding->in_redis : encoding->in_valkey)) continue;
      CHECK(find_encoding(dialect, encoding->code) == encoding);
      const bool sampled = std::ranges::any_of(
          samples(), [&](const Sample& s) { return s.dialect == dialect && s.code == encoding->code; });
      CHECK(sampled);
    }
  }
}

TEST_CASE("encodings: codes without a meaning") {
  for (const int code : {8, 34, 100, 241}) {
    CHECK(find_encoding(redis, static_cast<uint8_t>(code)) == nullptr);
    CHECK(find_encoding(valkey, static_cast<uint8_t>(code)) == nullptr);
  }
  for (uint8_t code = 23; code <= 28; ++code) CHECK(find_encoding(valkey, code) == nullptr);
  CHECK(find_encoding(redis, 22)->label == "hash-ttl-pre");
  CHECK(find_encoding(valkey, 22)->label == "hash-ttl-valkey");
}

TEST_CASE("samples: all are sound, and mean the same compressed") {
  std::string plain;
  for (const Sample& sample : samples()) {
    CAPTURE(sample.name);
    const Checked checked = check(sample.file);
    CHECK(joined(lines_of(checked.findings)).empty());
    CHECK(checked.summary.complete);
    const std::string told = joined(tell(sample.file).lines);
    if (sample.name.ends_with("-compressed"))
      CHECK(told == plain);
    else
      plain = told;
  }
}

TEST_CASE("samples: decoding and skipping end at the same place") {
  for (const Sample& sample : samples()) {
    CAPTURE(sample.name);
    std::vector<uint64_t> decoded;
    std::vector<uint64_t> skipped;
    FindingList findings;
    const auto source = memory_source(sample.file);
    RdbReader decoding(*source, findings);
    while (const RdbRecord* record = decoding.next()) decoded.push_back(record->extent.offset);
    RdbReader skipping(*source, findings);
    while (const RdbRecord* record = skipping.next_head()) skipped.push_back(record->extent.offset);
    CHECK(decoded == skipped);
    CHECK(skipping.complete());
    CHECK(findings.all.empty());
  }
}
