// Conversions into and out of other forms than RDB files.
#include <doctest/doctest.h>

#include <algorithm>

#include "persist/compact.hpp"
#include "support/aof_builder.hpp"
#include "support/conversions.hpp"
#include "support/files.hpp"
#include "support/notation.hpp"
#include "support/rdb_builder.hpp"
#include "support/samples.hpp"
#include "support/set_verbs.hpp"
#include "support/verbs.hpp"

using namespace persist;
using namespace persist::test;

namespace {

constexpr ServerVersion kReplayedAs{redis, 702};

}  // namespace

// --- Forms -----------------------------------------------------------------------------------------------

TEST_CASE("forms: names") {
  for (const Bytes name : {"rdb", "aof", "resp", "jsonl", "csv", "dump"}) {
    REQUIRE(find_output_form(name).has_value());
    CHECK(output_form_name(*find_output_form(name)) == name);
  }
  for (const Bytes name : {"", "RDB", "json", "aof "}) CHECK_FALSE(find_output_form(name).has_value());
}

TEST_CASE("forms: the target, if none is asked for, is the server that wrote the input") {
  struct Row {
    std::string file;
    Bytes target;
  };
  const Row rows[] = {
      {RdbBuilder(redis, 1).eof(), "redis-2.0"},
      {RdbBuilder(redis, 11).eof(), "redis-7.2"},
      {RdbBuilder(redis, 12).aux("redis-ver", "8.2.5").eof(), "redis-8.2"},
      {RdbBuilder(redis, 12).aux("redis-ver", "7.9.240").eof(), "redis-8.0"},
      {RdbBuilder(redis, 11).aux("valkey-ver", "8.0.1").eof(), "valkey-8.0"},
      {RdbBuilder(valkey, 80).aux("valkey-ver", "9.1.0").eof(), "valkey-9.1"},
  };
  for (const Row& row : rows) {
    const Converted converted = convert_rdb(row.file, {});
    REQUIRE(converted.summary.target != nullptr);
    CHECK(converted.summary.target->name == row.target);
    CHECK(converted.summary.target_chosen);
    CHECK(converted.summary.committed);
  }
  CHECK(convert_json("", {}).summary.target->name == "redis-7.2");
  CHECK(default_target(std::nullopt).name == "redis-7.2");
  CHECK(default_target(ServerVersion{redis, 100}).name == "redis-7.2");
  CHECK(default_target(ServerVersion{valkey, 1200}).name == "valkey-9.1");
  CHECK_FALSE(convert_rdb(RdbBuilder(redis, 11).eof(), options_for("redis-2.4")).summary.target_chosen);
}

TEST_CASE("forms: commands, as a server takes them") {
  const auto made = [](const ConvertOptions& options) {
    return joined(tell_log(convert_rdb(few_keys(), options).bytes));
  };
  ConvertOptions options = options_for("redis-7.2", OutputForm::resp);
  CHECK(made(options) == "SELECT 0\nSET a 1\nPEXPIREAT a 9\nRPUSH l x y\nSELECT 2\nHMSET h f v\n");
  options.replace = true;
  CHECK(made(options) ==
        "SELECT 0\nDEL a\nSET a 1\nPEXPIREAT a 9\nDEL l\nRPUSH l x y\nSELECT 2\nDEL h\nHMSET h f v\n");
  options.restore = true;
  const std::vector<std::string> restored = tell_log(convert_rdb(few_keys(), options).bytes);
  REQUIRE(restored.size() == 5);
  CHECK(restored[1].starts_with("RESTORE a 9 "));
  CHECK(restored[1].ends_with(" REPLACE ABSTTL"));
  CHECK(restored[2].starts_with("RESTORE l 0 "));
  // The oldest that has RESTORE.
  CHECK(convert_rdb(few_keys(), options_for("redis-2.6", OutputForm::resp)).summary.committed);
  options.write.target = find_target("redis-2.4");
  CHECK(convert_rdb(few_keys(), options).refusal == "redis-2.4 has no RESTORE");
}

TEST_CASE("forms: what is carried by JSON Lines and DUMP payloads comes back as it was") {
  for (const Dialect dialect : {redis, valkey}) {
    const Bytes target = dialect == redis ? "redis-8.8" : "valkey-9.1";
    ConvertOptions canonical = options_for(target);
    canonical.write.modules = {"test__rdb"};
    canonical.canonical = true;
    const std::string file = mixed_file(dialect);
    const std::string expected = convert_rdb(file, canonical).bytes;
    REQUIRE_FALSE(expected.empty());
    for (const OutputForm form : {OutputForm::jsonl, OutputForm::dump}) {
      CAPTURE(output_form_name(form));
      ConvertOptions there = canonical;
      there.to = form;
      there.canonical = false;
      const Converted lines = convert_rdb(file, there);
      CHECK(lines.losses().empty());
      CHECK(lines.summary.committed);
      ConvertOptions back = canonical;
      back.canonical = false;
      const Converted again = convert_json(lines.bytes, back);
      CHECK(joined(ids_of(again.findings)).empty());
      CHECK(again.summary.keys == lines.summary.written);
      CHECK(hex(convert_rdb(again.bytes, canonical).bytes) == hex(expected));
      // A piece at a time is the same.
      const TempFolder folder;
      CHECK(convert_json(convert_rdb(*open_source(folder.file("f", file)), there).bytes, back).bytes ==
            again.bytes);
    }
  }
}

TEST_CASE("forms: nothing at all is something, too") {
  const std::string empty = RdbBuilder(redis, 11).eof();
  for (const OutputForm form :
       {OutputForm::rdb, OutputForm::resp, OutputForm::jsonl, OutputForm::csv, OutputForm::dump}) {
    CAPTURE(output_form_name(form));
    const Converted converted = convert_rdb(empty, options_for("redis-7.2", form));
    CHECK(converted.summary.committed);
    CHECK(converted.summary.written == 0);
    if (form != OutputForm::jsonl && form != OutputForm::dump) continue;
    const Converted back = convert_json(converted.bytes, options_for("redis-7.2"));
    CHECK(back.summary.committed);
    CHECK(tell(back.bytes).complete);
  }
}

TEST_CASE("forms: CSV has a row for each element") {
  const Converted converted = convert_rdb(few_keys(), options_for("redis-7.2", OutputForm::csv));
  CHECK(converted.bytes ==
        "db,key,type,expire_at_ms,idle_s,freq,part,index,id,owner,name,value,score,time_ms,count,base64\r\n"
        "0,a,string,9,,,string,,,,,1,,,,\r\n"
        "0,l,list,,,,item,0,,,,x,,,,\r\n"
        "0,l,list,,,,item,1,,,,y,,,,\r\n"
        "2,h,hash,,,,field,,,,f,v,,,,\r\n");
  CHECK(converted.losses().empty());
}

TEST_CASE("forms: what commands, payloads and rows have no room for is refused unless it may go") {
  struct Row {
    OutputForm form;
    std::string losses;
  };
  const Row rows[] = {
      {OutputForm::rdb, "module-aux 1/0, modules 1/1"},
      {OutputForm::resp, "module-aux 1/0, key-metadata 1/1, idle 1/1, modules 1/1"},
      {OutputForm::jsonl, ""},
      {OutputForm::csv, "module-aux 1/0, key-metadata 1/1"},
  };
  const std::string annotated = length(2) + length(300) + length(0);
  const std::string meta = le(key_meta_class("KMT1", 1, 1)) + length(0);
  const std::string file = RdbBuilder(redis, 14)
                               .module_aux(module_id_of("test__rdb", 1), 1, annotated)
                               .function("#!lua name=lib\nreturn 1")
                               .select(0)
                               .idle(5)
                               .key_meta(1, meta)
                               .string("k", "v")
                               .module("m", module_id_of("test__rdb", 1), annotated)
                               .eof();
  for (const Row& row : rows) {
    CAPTURE(output_form_name(row.form));
    const Converted lossy = convert_rdb(file, lossy_options_for("redis-8.8", row.form));
    CHECK(lossy.summary.committed);
    std::vector<std::string> ids;
    for (const LossRow& loss : loss_rows()) {
      const LossCount& lost = lossy.summary.losses.of(loss.feature);
      if (lost.count == 0) continue;
      ids.push_back(std::string(loss.id) + " " + std::to_string(lost.count) + "/" +
                    std::to_string(lost.keys));
      CHECK(row.losses.find(ids.back()) != std::string::npos);
    }
    CHECK(static_cast<size_t>(std::ranges::count(row.losses, '/')) == ids.size());
    const Converted strict = convert_rdb(file, options_for("redis-8.8", row.form));
    CHECK(strict.summary.committed == row.losses.empty());
    CHECK(strict.bytes.empty() == !row.losses.empty());
  }
}

TEST_CASE("forms: projected vectors are said to stay as they are") {
  const std::string log = resp("SELECT 0") + resp("VADD v REDUCE 2 VALUES 4 1 2 3 4 el");
  const ServerVersion redis80{redis, 800};
  const Converted strict = convert_log(log, options_for("redis-8.0", OutputForm::resp), redis80);
  CHECK(strict.losses() == "vector-projection 1/1");
  CHECK_FALSE(strict.summary.committed);
  CHECK(strict.bytes.empty());
  CHECK(convert_log(log, lossy_options_for("redis-8.0", OutputForm::resp), redis80).summary.committed);
  CHECK(convert_log(log, options_for("redis-8.0"), redis80).losses().empty());
}

// --- Logs ------------------------------------------------------------------------------------------------

TEST_CASE("logs: of any form into any other") {
  const TempFolder folder;
  const std::string incr = AofBuilder()
                               .command("SELECT 0")
                               .command("SET a 5")
                               .command("RPUSH l z")
                               .command("SELECT 2")
                               .command("DEL h")
                               .command("ZADD z 1.5 m 2 n")
                               .bytes();
  const std::string dir = SetBuilder().base(few_keys()).incr(incr).write(folder);
  const std::string expected = dumped_log(dir);
  CHECK(split_lines(expected).size() == 3);
  struct Row {
    Bytes target;
    bool of_commands;
    std::string names;  // of the files in the folder that comes out; empty: a file
    Bytes begins;
  };
  const Row rows[] = {
      {"redis-7.2", false, "appendonly.aof.1.base.rdb\nappendonly.aof.1.incr.aof\nappendonly.aof.manifest\n",
       "REDIS0011"},
      {"valkey-9.1", false, "appendonly.aof.1.base.rdb\nappendonly.aof.1.incr.aof\nappendonly.aof.manifest\n",
       "VALKEY080"},
      {"redis-7.0", true, "appendonly.aof.1.base.aof\nappendonly.aof.1.incr.aof\nappendonly.aof.manifest\n",
       "*2\r\n"},
      {"redis-6.2", false, "", "REDIS0009"},
      {"redis-4.0", true, "", "*2\r\n"},
      {"redis-3.2", false, "", "*2\r\n"},
      {"redis-2.0", false, "", "*2\r\n"},
  };
  size_t count = 0;
  for (const Row& row : rows) {
    CAPTURE(row.target);
    ConvertOptions options = options_for(row.target, OutputForm::aof);
    options.base_of_commands = row.of_commands;
    const std::string out = folder.path("out" + std::to_string(count++));
    const Converted converted = convert_log_path(dir, out, options);
    CHECK(converted.refusal.empty());
    CHECK(converted.summary.committed);
    CHECK(converted.summary.written == 3);
    REQUIRE(converted.summary.replay.has_value());
    std::string first = out;
    if (!row.names.empty()) {
      CHECK(joined(names_in(out)) == row.names);
      first += "/" + names_in(out)[0];
      CHECK(read_file(out + "/" + names_in(out)[1]).empty());
    }
    CHECK(read_file(first).starts_with(row.begins));
    CHECK(problems(check_path(out).findings).empty());
    CHECK(check_path(out).start(row.target) == "loads");
    CHECK(dumped_log(out) == expected);
  }
  ConvertOptions named = options_for("redis-7.2", OutputForm::aof);
  named.log_name = "mine";
  CHECK(convert_log_path(dir, folder.path("named"), named).summary.committed);
  CHECK(joined(names_in(folder.path("named"))) == "mine.1.base.rdb\nmine.1.incr.aof\nmine.manifest\n");
  CHECK(convert_log_path(dir, folder.path("f.rdb"), options_for("redis-7.2")).summary.committed);
  CHECK(split_lines(dump(read_file(folder.path("f.rdb"))).text).size() == 3);
  // A base says that it is one, a file does not.
  const auto says_base = [](const std::string& bytes, Bytes name) {
    return bytes.find(std::string(name) + "\xc0\x01") != std::string::npos;
  };
  CHECK(says_base(read_file(folder.path("out0/appendonly.aof.1.base.rdb")), "aof-base"));
  CHECK(says_base(read_file(folder.path("out3")), "aof-preamble"));
  CHECK_FALSE(says_base(read_file(folder.path("f.rdb")), "aof-base"));
  // Into a stream only what is one file.
  CHECK_FALSE(convert_rdb(few_keys(), options_for("redis-7.2", OutputForm::aof)).refusal.empty());
  CHECK(convert_rdb(few_keys(), options_for("redis-6.2", OutputForm::aof)).bytes.starts_with("REDIS0009"));
}

TEST_CASE("logs: what an RDB part has beside its keys goes along") {
  const std::string annotated = length(2) + length(300) + length(0);
  const std::string log = RdbBuilder(redis, 10)
                              .module_aux(module_id_of("test__rdb", 1), 1, annotated)
                              .function("#!lua name=lib\nreturn 1")
                              .select(0)
                              .string("k", "v")
                              .module_aux(module_id_of("test__rdb", 1), 2, annotated)
                              .eof() +
                          resp("SELECT 0") + resp("SET k w");
  ConvertOptions options = options_for("redis-7.2");
  options.write.modules = {"test__rdb"};
  const Converted converted = convert_log(log, options, kReplayedAs);
  CHECK(converted.losses().empty());
  CHECK(converted.summary.committed);
  DumpOptions meta;
  meta.meta = true;
  const Dumped dumped = dump(converted.bytes, meta);
  CHECK(dumped.text.find("#!lua name=lib") != std::string::npos);
  CHECK(dumped.text.find("\"w\"") != std::string::npos);
  options.write.modules.clear();
  CHECK(convert_log(log, options, kReplayedAs).losses() == "module-aux 2/0");
  CHECK_FALSE(convert_log(log, options, kReplayedAs).summary.committed);
}

TEST_CASE("logs: a command that cannot be replayed, or none at all") {
  const Converted refused = convert_log(resp("SET a 1") + resp("JSON.SET k $ 1"), options_for("redis-7.2"));
  CHECK_FALSE(refused.summary.committed);
  CHECK(refused.bytes.empty());
  REQUIRE(refused.summary.replay.has_value());
  CHECK(refused.summary.replay->refused);
  const Converted none = convert_log("neither\n", options_for("redis-7.2"));
  CHECK_FALSE(none.summary.committed);
  CHECK(none.bytes.empty());
  const std::string torn = resp("SET a 1") + resp("SET b 2").substr(0, 9);
  CHECK_FALSE(convert_log(torn, options_for("redis-7.2")).summary.committed);
  ConvertOptions salvage = options_for("redis-7.2");
  salvage.salvage = true;
  CHECK(joined(tell(convert_log(torn, salvage).bytes).lines) == "a = string \"1\"\n");
}

TEST_CASE("compact: as short as it can be, and proved to be the same") {
  const TempFolder folder;
  const std::string incr = AofBuilder()
                               .command("SELECT 0")
                               .command("INCR n")
                               .command("INCR n")
                               .command("SADD s a b c")
                               .command("HSET x f 1")
                               .command("DEL x")
                               .bytes();
  const std::string dir = SetBuilder().base(few_keys()).incr(incr).write(folder);
  const AppendSet set = open_set(dir);
  FindingList findings;
  ConvertInput input;
  input.log = &set;
  input.replay.now_ms = 0;
  size_t count = 0;
  for (const OutputForm form : {OutputForm::aof, OutputForm::rdb}) {
    for (const bool of_commands : {false, true}) {
      ConvertOptions options = options_for("redis-7.2", form);
      options.base_of_commands = of_commands;
      OutputOptions output;
      output.path = folder.path("compact" + std::to_string(count++));
      const ConvertSummary summary = compact(input, output, findings, options);
      CHECK(summary.committed);
      CHECK(summary.proven);
      CHECK(dumped_log(output.path) == dumped_log(dir));
    }
  }
  CHECK(problems(findings.all).empty());
}
