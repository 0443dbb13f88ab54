// Rows of comma-separated values: by type, and read back by a parser of RFC 4180.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "support/rdb_builder.hpp"
#include "support/samples.hpp"
#include "text/csv_lines.hpp"
#include "text/json_string.hpp"

using namespace persist;
using namespace persist::test;

namespace {

constexpr size_t kColumns = 16;

std::string rows_of(const RdbBuilder& builder) {
  const std::string file = builder.eof();
  const auto source = memory_source(file);
  FindingList findings;
  RdbReader reader(*source, findings);
  ByteBuffer out;
  CsvLines csv(out);
  while (const RdbRecord* record = reader.next()) {
    const auto* entry = std::get_if<RdbEntry>(&record->body);
    if (entry == nullptr) continue;
    csv.begin(*entry);
    reader.visit([&csv](const Element& told) { csv.add(told); });
    csv.end();
  }
  CHECK(findings.all.empty());
  return std::string(out.bytes());
}

// All rows cut into columns, as the RFC says.
std::vector<Strings> parse_csv(Bytes text) {
  std::vector<Strings> rows;
  Strings row(1);
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted && c == '"' && i + 1 < text.size() && text[i + 1] == '"') {
      row.back() += text[i++];
    } else if (c == '"') {
      quoted = !quoted;
    } else if (!quoted && c == ',') {
      row.emplace_back();
    } else if (!quoted && c == '\r') {
      REQUIRE(text[++i] == '\n');
      rows.push_back(std::exchange(row, Strings(1)));
    } else {
      row.back() += c;
    }
  }
  CHECK_FALSE(quoted);
  CHECK(row == Strings(1));
  return rows;
}

RdbBuilder newest() { return RdbBuilder(redis, 14); }

}  // namespace

TEST_CASE("csv: the names of the columns") {
  ByteBuffer out;
  append_csv_header(out);
  CHECK(out.bytes() ==
        "db,key,type,expire_at_ms,idle_s,freq,part,index,id,owner,name,value,score,time_ms,count,base64\r\n");
  CHECK(parse_csv(out.bytes())[0].size() == kColumns);
}

TEST_CASE("csv: plain types, a row for each element") {
  CHECK(rows_of(newest().string("k", "v")) == "0,k,string,,,,string,,,,,v,,,,\r\n");
  CHECK(rows_of(newest().select(3).expire_ms(17).idle(5).string("k", "")) ==
        "3,k,string,17,5,,string,,,,,,,,,\r\n");
  CHECK(rows_of(newest().freq(255).list("k", {"a", ""})) ==
        "0,k,list,,,255,item,0,,,,a,,,,\r\n0,k,list,,,255,item,1,,,,,,,,\r\n");
  CHECK(rows_of(newest().set("k", {"m"})) == "0,k,set,,,,member,,,,m,,,,,\r\n");
  CHECK(rows_of(newest().zset("k", {{"m", 0.1}, {"n", -0.0}, {"o", -INFINITY}})) ==
        "0,k,zset,,,,member,,,,m,,0.1,,,\r\n"
        "0,k,zset,,,,member,,,,n,,-0.0,,,\r\n"
        "0,k,zset,,,,member,,,,o,,-inf,,,\r\n");
  CHECK(rows_of(newest().hash_ttl("k", {{"f", "v", 9}, {"g", "w", 0}})) ==
        "0,k,hash,,,,field,,,,f,v,,9,,\r\n0,k,hash,,,,field,,,,g,w,,,,\r\n");
  const std::string elements = length(7) + length(1) + le(int64_t{5});
  CHECK(rows_of(newest().array("k", 1, 8, elements)) ==
        "0,k,array,,,,cursor,8,,,,,,,,\r\n0,k,array,,,,element,7,,,,5,,,,\r\n");
  CHECK(rows_of(newest().module("k", module_id_of("test__rdb", 3), length(2) + length(5) + length(0))) ==
        "0,k,module,,,,module,3,,,test__rdb,AgUA,,,,value\r\n");
}

TEST_CASE("csv: streams with all that hangs on them") {
  StreamSpec spec;
  spec.entries = {{{1, 1}, {{"f", "a"}, {"g", "b"}}}, {{2, 2}, {}}};
  spec.last_id = {2, 2};
  spec.groups = {{"g", {2, 2}, 2, {{{1, 1}, 77, 1}, {{2, 2}, 0, 2}}, {{"c", 88, 99, {{1, 1}}}}, {{2, 2}}}};
  spec.producers = {{"p", {{"i", {1, 1}}}}};
  CHECK(rows_of(newest().stream("k", 5, spec)) ==
        "0,k,stream,,,,stream,,2-2,,,,,,,\r\n"
        "0,k,stream,,,,entry,,1-1,,f,a,,,,\r\n"
        "0,k,stream,,,,entry,,1-1,,g,b,,,,\r\n"
        "0,k,stream,,,,bare-entry,,2-2,,,,,,,\r\n"
        "0,k,stream,,,,group,,2-2,,g,,,,,\r\n"
        "0,k,stream,,,,pending,,1-1,g,c,,,77,1,\r\n"
        "0,k,stream,,,,pending,0,2-2,g,,,,0,2,\r\n"
        "0,k,stream,,,,consumer,,,g,c,,,88,,\r\n"
        "0,k,stream,,,,producer,,,,p,,,,,\r\n"
        "0,k,stream,,,,iid,,1-1,p,i,,,,,\r\n");
  CHECK(rows_of(newest().stream("k", 1, {})) == "0,k,stream,,,,stream,,0-0,,,,,,,\r\n");
}

TEST_CASE("csv: quotes where they are needed, base64 where text will not do") {
  CHECK(rows_of(newest().string("a,b", "say \"x\"\r\n")) ==
        "0,\"a,b\",string,,,,string,,,,,\"say \"\"x\"\"\r\n\",,,,\r\n");
  CHECK(rows_of(newest().string("\"", "\n")) == "0,\"\"\"\",string,,,,string,,,,,\"\n\",,,,\r\n");
  CHECK(rows_of(newest().hash("\xff", {{"x", "\xfe"}})) == "0,/w==,hash,,,,field,,,,x,/g==,,,,key value\r\n");
  CHECK(rows_of(newest().set("k", {std::string(1, '\0'), "/w=="})) ==
        "0,k,set,,,,member,,,,AA==,,,,,name\r\n0,k,set,,,,member,,,,/w==,,,,,\r\n");
  StreamSpec spec;
  spec.groups = {{"\xff", {}, 0, {}, {{"\xfe", 1, 1, {}}}, {}}};
  CHECK(rows_of(newest().stream("\xfd", 3, spec)) ==
        "0,/Q==,stream,,,,stream,,0-0,,,,,,,key\r\n"
        "0,/Q==,stream,,,,group,,0-0,,/w==,,,,,key name\r\n"
        "0,/Q==,stream,,,,consumer,,,/w==,/g==,,,1,,key owner name\r\n");
}

TEST_CASE("csv: what is discarded leaves no trace") {
  ByteBuffer out;
  append_csv_header(out);
  const std::string before(out.bytes());
  CsvLines csv(out);
  RdbEntry entry;
  entry.encoding = find_encoding(redis, 1);
  csv.begin(entry);
  csv.add(ListItem{"a"});
  csv.discard();
  CHECK(out.bytes() == before);
}

TEST_CASE("csv: any bytes, parsed again") {
  std::string bytes;
  for (int c = 0; c < 256; ++c) bytes.push_back(static_cast<char>(c));
  Strings items = {bytes, "a\"b", "\"", ",", "\r", "\n", "\r\n", "", " ", "\"\"", "plain", "=1+1"};
  for (size_t c = 1; c < 128; ++c) items.push_back(bytes.substr(c, 1));
  const std::vector<Strings> rows = parse_csv(rows_of(newest().list("k", items)));
  REQUIRE(rows.size() == items.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    REQUIRE(rows[i].size() == kColumns);
    CHECK(rows[i][7] == std::to_string(i));
    ByteBuffer base64;
    put_json_base64(base64, items[i]);
    CHECK(rows[i][11] == (i == 0 ? base64.bytes() : Bytes(items[i])));
    CHECK(rows[i][15] == (i == 0 ? "value" : ""));
  }
  for (const Sample& sample : samples()) {
    CAPTURE(sample.name);
    const auto source = memory_source(sample.file);
    FindingList findings;
    RdbReader reader(*source, findings);
    ByteBuffer out;
    CsvLines csv(out);
    while (const RdbRecord* record = reader.next()) {
      const auto* entry = std::get_if<RdbEntry>(&record->body);
      if (entry == nullptr) continue;
      csv.begin(*entry);
      reader.visit([&csv](const Element& told) { csv.add(told); });
    }
    const std::vector<Strings> all = parse_csv(out.bytes());
    CHECK(std::ranges::all_of(all, [](const Strings& row) { return row.size() == kColumns; }));
  }
}
