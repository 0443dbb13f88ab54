// RDB files for other servers: what is copied, what is encoded anew, and what becomes of the records between
// the keys.
#include <doctest/doctest.h>

#include <algorithm>

#include "support/conversions.hpp"
#include "support/files.hpp"
#include "support/notation.hpp"
#include "support/rdb_builder.hpp"
#include "support/samples.hpp"
#include "support/verbs.hpp"

using namespace persist;
using namespace persist::test;

namespace {

// The records of a file that the builder made: between the header and the end.
std::string between(const std::string& file, unsigned version) {
  constexpr size_t kMagic = 9;
  return file.substr(kMagic, file.size() - kMagic - (version >= 5 ? 9 : 1));
}

bool contains(const std::string& whole, const std::string& part) {
  return whole.find(part) != std::string::npos;
}

// All records of a file but header, entries and end, each in a line.
std::vector<std::string> other_records(const std::string& file) {
  std::vector<std::string> lines;
  FindingList findings;
  const auto source = memory_source(file);
  RdbReader reader(*source, findings);
  while (const RdbRecord* record = reader.next()) {
    if (const auto* aux = std::get_if<AuxField>(&record->body))
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
      lines.push_back("module " + std::string(kept->module) + " " + std::to_string(kept->when));
  }
  CHECK(findings.all.empty());
  return lines;
}

std::string without_head(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) {
    const bool is_head = line.starts_with("aux redis-ver=") || line.starts_with("aux valkey-ver=") ||
                         line.starts_with("aux redis-bits=") || line.starts_with("aux aof-");
    if (!is_head) text += line + "\n";
  }
  return text;
}

Converted convert_soundly(const std::string& file, const ConvertOptions& options) {
  Converted converted = convert_rdb(file, options);
  CHECK(converted.refusal.empty());
  CHECK(converted.summary.committed);
  if (options.to == OutputForm::rdb && converted.summary.committed) {
    CheckOptions checking;
    checking.target = converted.summary.target;
    std::vector<Finding> findings = check(converted.bytes, checking).findings;
    // Which modules a target has is told to the conversion alone.
    std::erase_if(findings, [](const Finding& found) { return found.code == FindingCode::target_module; });
    CHECK(joined(lines_of(findings)).empty());
    CHECK(converted.bytes.size() == converted.summary.bytes_written);
  }
  return converted;
}

}  // namespace

// --- What is copied --------------------------------------------------------------------------------------

TEST_CASE("convert: for the server that wrote it, every record stays as it is") {
  for (const Sample& sample : samples()) {
    if (sample.code < 0 || sample.code == 7) continue;  // values of modules are read and written
    CAPTURE(sample.name);
    ConvertOptions options;
    const Converted converted = convert_rdb(sample.file, options);
    REQUIRE(converted.summary.committed);
    CHECK(converted.summary.target_chosen);
    CHECK(converted.losses().empty());
    const unsigned version = converted.summary.target->header().version;
    CHECK(contains(converted.bytes, between(sample.file, version)));
    CHECK(converted.summary.keys == tell(sample.file).lines.size());
    CHECK(converted.summary.written == converted.summary.keys);
  }
}

TEST_CASE("convert: for a server that reads the layout, too, with everything that stands around a key") {
  RdbBuilder builder(redis, 9);
  builder.select(2).expire_ms(77).idle(5).list_quicklist("list", {{"a"}, {"b"}});
  builder.freq(3).zset_ziplist("zset", {{"a", "1"}}).string_lzf("text", std::string(50, 'x'));
  const std::string body = between(builder.eof(), 9);
  for (const Bytes target :
       {"redis-5.0", "redis-6.2", "redis-7.2", "redis-8.8", "valkey-8.1", "valkey-9.1"}) {
    CAPTURE(target);
    CHECK(contains(convert_soundly(builder.eof(), options_for(target)).bytes, body));
  }
}

TEST_CASE("convert: layouts that a target does not know become its own") {
  for (const Sample& sample : samples()) {
    if (sample.code < 0) continue;
    CAPTURE(sample.name);
    for (const Target& target : targets()) {
      CAPTURE(target.name);
      ConvertOptions options = lossy_options_for(target.name);
      options.write.modules = {"test__rdb"};
      const Converted converted = convert_soundly(sample.file, options);
      CHECK(converted.summary.written >= 2);
      if (!converted.losses().empty()) continue;
      const Told before = tell(sample.file);
      const Told after = tell(converted.bytes);
      CHECK(after.lines.size() == before.lines.size());
      CHECK(after.lines.front() == before.lines.front());
      CHECK(after.lines.back() == before.lines.back());
    }
  }
}

TEST_CASE("convert: entries of listpacks whose length servers state differently") {
  struct Crossing {
    Bytes from;  // what the AUX field says
    Dialect dialect;
    unsigned version;
    Bytes target;
    bool was_wide;
    bool is_wide;
  };
  const Crossing crossings[] = {
      {"8.6.0", redis, 13, "redis-8.8", true, false},   {"8.8.0", redis, 14, "redis-8.6", false, true},
      {"8.8.0", redis, 14, "redis-8.8", false, false},  {"8.6.0", redis, 13, "redis-8.4", true, true},
      {"7.2.0", redis, 11, "valkey-9.1", true, false},  {"9.0.0", valkey, 80, "valkey-9.1", true, false},
      {"9.1.0", valkey, 80, "valkey-9.0", false, true}, {"9.1.0", valkey, 80, "valkey-9.1", false, false},
  };
  for (const Crossing& crossing : crossings) {
    CAPTURE(crossing.target);
    CAPTURE(crossing.from);
    for (const size_t size : {size_t{16377}, size_t{16378}, size_t{16379}}) {
      CAPTURE(size);
      const auto listpack = [&](bool wide) {
        ListpackBuilder pack;
        if (wide) pack.wide();
        return pack.add("f").add(noise(size)).bytes();
      };
      RdbBuilder builder(crossing.dialect, crossing.version);
      builder.aux(crossing.dialect == redis ? "redis-ver" : "valkey-ver", crossing.from).select(0);
      builder.blob(16, "h", listpack(crossing.was_wide));
      builder.list_quicklist2("l", {{2, listpack(crossing.was_wide)}});
      ConvertOptions options = options_for(crossing.target);
      options.write.compress = false;
      options.write.limits.hash_value = options.write.limits.zset_value = 1 << 20;
      options.write.limits.list_node = -5;
      const Converted converted = convert_soundly(builder.eof(), options);
      const std::string pack = plain_string(listpack(crossing.is_wide));
      const size_t first = converted.bytes.find(pack);
      CHECK(first != std::string::npos);
      CHECK(converted.bytes.find(pack, first + 1) != std::string::npos);
    }
  }
}

TEST_CASE("convert: compressed listpacks cross that border, too") {
  const std::string pack = ListpackBuilder().wide().add("f").add(std::string(16378, 'x')).bytes();
  RdbBuilder builder(redis, 13);
  builder.aux("redis-ver", "8.6.0").select(0).compressed().blob(16, "h", pack);
  REQUIRE(builder.size() < 16000);
  ConvertOptions options = options_for("redis-8.8");
  options.write.compress = false;
  options.write.limits.hash_value = 1 << 20;
  const std::string becomes = ListpackBuilder().add("f").add(std::string(16378, 'x')).bytes();
  CHECK(contains(convert_soundly(builder.eof(), options).bytes, plain_string(becomes)));
}

TEST_CASE("convert: servers before 2.6 get ziplists with integers that they read") {
  const Strings items = {"a", "5", "-100", "70000", "8000000", "5000000000"};
  ZiplistBuilder old;
  old.old_integers();
  ZiplistBuilder young;
  for (const std::string& item : items) old.add(item), young.add(item);
  REQUIRE(old.bytes() != young.bytes());
  const auto file = [](unsigned version, const std::string& bytes) {
    return RdbBuilder(redis, version).select(0).blob(10, "l", bytes).eof();
  };
  ConvertOptions options = options_for("redis-2.4");
  options.write.compress = false;
  CHECK(contains(convert_soundly(file(6, young.bytes()), options).bytes, old.bytes()));
  CHECK(contains(convert_soundly(file(2, old.bytes()), options).bytes, old.bytes()));
  CHECK(contains(convert_soundly(file(2, old.bytes()), options_for("redis-6.2")).bytes, old.bytes()));
}

// --- What is changed -------------------------------------------------------------------------------------

TEST_CASE("convert: expiries in seconds become what the target has, and what they are changed to") {
  const std::string file = RdbBuilder(redis, 2).select(0).expire_s(2'000'000'000).string("k", "v").eof();
  CHECK(tell(convert_soundly(file, options_for("redis-2.4")).bytes).lines.at(0) ==
        "@2000000000000 seconds k = string \"v\"");
  CHECK(tell(convert_soundly(file, options_for("redis-7.2")).bytes).lines.at(0) ==
        "@2000000000000 k = string \"v\"");
  KeyChangeOptions shift;
  shift.all = {ExpiryChange::shift, 500};
  const KeyChanges half_a_second(shift);
  shift.all.ms = 1'000'000'000'000;  // beyond 2038
  const KeyChanges far(shift);
  ConvertOptions options = options_for("redis-7.2");
  options.changes = &half_a_second;
  CHECK(tell(convert_soundly(file, options).bytes).lines.at(0) == "@2000000000500 k = string \"v\"");
  options.changes = &far;
  CHECK(tell(convert_soundly(file, options).bytes).lines.at(0) == "@3000000000000 k = string \"v\"");
  options = lossy_options_for("redis-2.4");
  options.changes = &half_a_second;
  Converted old = convert_soundly(file, options);
  CHECK(tell(old.bytes).lines.at(0) == "@2000000001000 seconds k = string \"v\"");
  CHECK(old.losses() == "expiry-precision 1/1");
  options.changes = &far;
  old = convert_soundly(file, options);
  CHECK(tell(old.bytes).lines.at(0) == "@2147483647000 seconds k = string \"v\"");
  CHECK(old.losses() == "expiry-2038 1/1");
}

TEST_CASE("convert: selected and changed") {
  RdbBuilder builder(redis, 12);
  builder.select(0)
      .resize(3, 1)
      .string("user.1", "a")
      .expire_ms(5)
      .string("user.2", "b")
      .list("other", {"x"});
  builder.select(7).hash_ttl("h", {{"f", "1", 5}, {"g", "2", 500}, {"n", "3", 0}});
  builder.hash_listpack_ttl("gone", {{"f", "1", 5}});
  const std::string file = builder.eof();

  FilterOptions selected;
  selected.key_globs = {"user.*"};
  const Filter users(selected);
  ConvertOptions options = options_for("redis-7.4");
  options.filter = &users;
  Converted converted = convert_soundly(file, options);
  CHECK(joined(tell(converted.bytes).lines) == "user.1 = string \"a\"\n@5 user.2 = string \"b\"\n");
  CHECK(converted.summary.keys == 5);
  CHECK(converted.summary.written == 2);
  CHECK(without_head(other_records(converted.bytes)) == "select 0\n");

  KeyChangeOptions changed;
  changed.renames = {parse_rename("s/^user/u/")};
  changed.dbs = {{7, 0}};
  changed.now_ms = 100;
  changed.drop_expired_fields = true;
  changed.expired = {ExpiryChange::persist, 0};
  const KeyChanges changes(changed);
  options.changes = &changes;
  options.filter = nullptr;
  converted = convert_soundly(file, options);
  CHECK(joined(tell(converted.bytes).lines) ==
        "u.1 = string \"a\"\nu.2 = string \"b\"\nother = list[x]\nh = hash{g=2@500 n=3}\n");
  CHECK(converted.summary.keys == 5);
  CHECK(converted.summary.written == 4);
  CHECK(without_head(other_records(converted.bytes)) == "select 0\n");
  // The filter sees what was there before the changes.
  options.filter = &users;
  CHECK(joined(tell(convert_soundly(file, options).bytes).lines) ==
        "u.1 = string \"a\"\nu.2 = string \"b\"\n");
}

TEST_CASE("convert: keys that hold nothing are left out, whatever their layout") {
  RdbBuilder builder(redis, 14);
  builder.select(0).list("list", {}).set("set", {}).hash("hash", {}).zset("zset", {});
  builder.hash_listpack("lp", {}).stream("stream", 3, {}).string("text", "");
  for (const OutputForm form : {OutputForm::rdb, OutputForm::resp, OutputForm::jsonl, OutputForm::dump}) {
    CAPTURE(output_form_name(form));
    for (const bool canonical : {false, true}) {
      CAPTURE(canonical);
      ConvertOptions options = options_for("redis-8.8", form);
      options.canonical = canonical;
      const Converted converted = convert_rdb(builder.eof(), options);
      CHECK(converted.summary.committed);
      CHECK(converted.summary.written == 2);
      CHECK(converted.summary.losses.of(LossFeature::empty_keys).count == 5);
      CHECK(converted.bytes.find("list") == std::string::npos);
    }
  }
}

// --- What is no key --------------------------------------------------------------------------------------

TEST_CASE("convert: AUX fields") {
  RdbBuilder builder(redis, 9);
  for (const auto& [name, value] : Pairs{{"redis-ver", "6.2.1"},
                                         {"Redis-Bits", "32"},
                                         {"ctime", "1700000000"},
                                         {"used-mem", "5"},
                                         {"repl-stream-db", "0"},
                                         {"repl-id", "abc"},
                                         {"repl-offset", "7"},
                                         {"aof-preamble", "1"},
                                         {"aof-base", "1"},
                                         {"mine", "x"},
                                         {"lua", "return 1"}})
    builder.aux(name, value);
  const std::string file = builder.eof();
  struct Row {
    Bytes target;
    std::string aux;
    std::string losses;
  };
  const Row rows[] = {
      {"redis-3.0", "", "scripts 1/0"},
      {"redis-3.2", "aux redis-ver=3.2.0\naux redis-bits=64\naux ctime=1700000000\naux mine=x\n",
       "scripts 1/0"},
      {"redis-6.2",
       "aux redis-ver=6.2.0\naux redis-bits=64\naux aof-preamble=0\naux ctime=1700000000\naux mine=x\n"
       "aux lua=return 1\n",
       ""},
      {"valkey-9.1",
       "aux valkey-ver=9.1.0\naux redis-bits=64\naux aof-base=0\naux ctime=1700000000\naux mine=x\n",
       "scripts 1/0"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.target);
    const Converted converted = convert_soundly(file, options_for(row.target));
    CHECK(joined(other_records(converted.bytes)) == row.aux);
    CHECK(converted.losses() == row.losses);
  }
  ConvertOptions canonical = options_for("redis-6.2");
  canonical.canonical = true;
  CHECK(joined(other_records(convert_soundly(file, canonical).bytes)) ==
        "aux aof-preamble=0\naux lua=return 1\n");
}

TEST_CASE("convert: slots") {
  const std::string of_redis =
      RdbBuilder(redis, 12).select(0).resize(1, 0).slot_info(12539, 1, 0).string("k", "v").eof();
  const std::string of_valkey =
      RdbBuilder(valkey, 80).select(0).resize(1, 0).aux("slot-info", "12539,1,0,0").string("k", "v").eof();
  struct Row {
    Bytes target;
    Bytes records;
  };
  constexpr Row kRows[] = {
      {"redis-8.8", "select 0\nresize 1 0\nslot 12539 1 0\n"},
      {"redis-7.4", "select 0\nresize 1 0\nslot 12539 1 0\n"},
      {"redis-7.2", "select 0\nresize 1 0\n"},
      {"redis-3.0", "select 0\n"},
      {"valkey-7.2", "select 0\nresize 1 0\n"},
      {"valkey-8.0", "select 0\nresize 1 0\naux slot-info=12539,1,0\n"},
      {"valkey-9.1", "select 0\nresize 1 0\naux slot-info=12539,1,0\n"},
  };
  for (const Row& row : kRows) {
    CAPTURE(row.target);
    for (const std::string& file : {of_redis, of_valkey}) {
      CHECK(without_head(other_records(convert_soundly(file, options_for(row.target)).bytes)) == row.records);
      // What is stated must hold.
      const KeyChanges none;
      const Filter all({});
      ConvertOptions options = options_for(row.target);
      options.changes = &none;
      CHECK(without_head(other_records(convert_soundly(file, options).bytes)) == "select 0\n");
      options.changes = nullptr;
      options.filter = &all;
      CHECK(without_head(other_records(convert_soundly(file, options).bytes)) == row.records);
    }
  }
  for (const Bytes text : {"", "1,2", "1,2,", "x,1,1", "1,-1,1", "1,99999999999999999999,1"}) {
    CAPTURE(text);
    const std::string file = RdbBuilder(valkey, 80).aux("slot-info", text).select(0).string("k", "v").eof();
    const Converted converted = convert_rdb(file, options_for("redis-8.8"));
    CHECK(converted.summary.committed);
    CHECK(without_head(other_records(converted.bytes)) == "select 0\n");
  }
}

TEST_CASE("convert: what of the table of losses belongs to no value") {
  const std::string annotated = length(2) + length(300) + length(0);
  RdbBuilder builder(redis, 10);
  builder.module_aux(module_id_of("test__rdb", 1), 1, annotated);
  builder.function("#!lua name=lib\nreturn 1").function_pre_release("old", "LUA", Bytes("says"), "return 2");
  builder.select(0).string("k", "v");
  const std::string file = builder.eof();
  constexpr Bytes kFunctions =
      "function #!lua name=lib\nreturn 1\nfunction #!lua name=old\nreturn 2\nselect 0\n";
  struct Row {
    Bytes target;
    std::vector<std::string> modules;
    std::string records;
    std::string losses;
  };
  const Row rows[] = {
      {"redis-4.0", {"test__rdb"}, "select 0\n", "module-aux 1/0, functions 2/0"},
      {"redis-6.2", {"test__rdb"}, "module test__rdb 1\nselect 0\n", "functions 2/0"},
      {"redis-6.2", {}, "select 0\n", "module-aux 1/0, functions 2/0"},
      {"redis-7.0", {"test__rdb"}, "module test__rdb 1\n" + std::string(kFunctions), ""},
      {"redis-8.8", {}, std::string(kFunctions), "module-aux 1/0"},
      {"valkey-9.1", {"test__rdb"}, "module test__rdb 1\n" + std::string(kFunctions), ""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.target);
    ConvertOptions options = lossy_options_for(row.target);
    options.write.modules = row.modules;
    const Converted converted = convert_rdb(file, options);
    CHECK(converted.losses() == row.losses);
    // With commands of clients, FUNCTION2 stands where the target has it; a release candidate's form nowhere.
    std::string records = without_head(other_records(converted.bytes));
    const size_t select = records.find("select 0\n");
    REQUIRE(select != std::string::npos);
    records.erase(select, 9);
    std::string expected = row.records;
    expected.erase(expected.find("select 0\n"), 9);
    CHECK(records == expected);
    CHECK(tell(converted.bytes).lines.size() == 1);
    // Nothing is written unless all of it may go.
    options.permitted_losses.clear();
    const Converted refused = convert_rdb(file, options);
    CHECK(refused.summary.committed == row.losses.empty());
    CHECK(refused.bytes.empty() == !row.losses.empty());
    CHECK(refused.losses() == row.losses);
  }
  const std::string importing =
      RdbBuilder(valkey, 80).slot_import(std::string(40, 'a'), {{0, 5}}).select(0).string("k", "v").eof();
  CHECK(convert_soundly(importing, options_for("valkey-9.1")).losses() == "slot-imports 1/0");
}

// --- Large files -----------------------------------------------------------------------------------------

TEST_CASE("convert: files of many pieces, whatever the threads") {
  const TempFolder folder;
  const std::string file = long_file(30'000);
  const std::string path = folder.file("dump.rdb", file);
  const Told before = tell(file);
  KeyChangeOptions moved;
  moved.dbs = {{0, 1}, {1, 0}};
  moved.all = {ExpiryChange::shift, 1};
  const KeyChanges changes(moved);
  FilterOptions some;
  some.key_globs = {"key:*7"};
  some.dbs = {1, 3, 5};
  const Filter filter(some);
  for (const OutputForm form : {OutputForm::rdb, OutputForm::resp, OutputForm::jsonl, OutputForm::csv}) {
    CAPTURE(output_form_name(form));
    for (const Bytes target : {"redis-7.2", "redis-3.0"}) {
      for (const bool changed : {false, true}) {
        if (form != OutputForm::rdb && !changed) continue;
        CAPTURE(changed);
        ConvertOptions options = options_for(target, form);
        options.changes = changed ? &changes : nullptr;
        options.filter = changed ? &filter : nullptr;
        const Converted whole = convert_rdb(file, options);
        REQUIRE(whole.summary.committed);
        for (const unsigned threads : {1U, 3U}) {
          options.threads = threads;
          const Converted pieces = convert_rdb(*open_source(path), options);
          CHECK((pieces.bytes == whole.bytes));
          CHECK(pieces.summary.keys == 30'000);
          CHECK(pieces.summary.written == whole.summary.written);
        }
        if (form != OutputForm::rdb) continue;
        const Told after = tell(whole.bytes);
        CHECK(after.findings.empty());
        if (!changed) CHECK((after.lines == before.lines));
        if (changed) CHECK(after.lines.size() == 1500);
      }
    }
  }
}

TEST_CASE("convert: a value too large to be at hand") {
  RdbBuilder builder(redis, 13);
  builder.select(0).string("before", "1").expire_ms(9).hash("large", {{"f", noise(6'000'000)}, {"g", "1"}});
  builder.select(4).string("text", noise(6'000'000, 2)).string("after", "2");
  const TempFolder folder;
  const std::string path = folder.file("dump.rdb", builder.eof());
  for (const unsigned threads : {1U, 2U}) {
    for (const Bytes target : {"redis-8.6", "redis-8.8", "redis-2.6"}) {
      CAPTURE(target);
      ConvertOptions options = options_for(target);
      options.threads = threads;
      const Converted converted = convert_rdb(*open_source(path), options);
      REQUIRE(converted.summary.committed);
      CHECK((tell(converted.bytes).lines == tell(builder.eof()).lines));
    }
  }
}
