// Where the result of a conversion goes: it appears whole, or not at all.
#include <doctest/doctest.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "support/aof_builder.hpp"
#include "support/conversions.hpp"
#include "support/files.hpp"
#include "support/notation.hpp"
#include "support/rdb_builder.hpp"
#include "support/samples.hpp"
#include "support/verbs.hpp"

using namespace persist;
using namespace persist::test;

namespace {

std::string damaged_file() {
  return RdbBuilder(redis, 11)
      .select(0)
      .string("before", "1")
      .blob(16, "bad", ListpackBuilder().add("f").add("v").count(9).bytes())
      .string("after", "2")
      .eof();
}

}  // namespace

TEST_CASE("placing: nothing appears of what is damaged, but for what is whole if that is asked for") {
  const TempFolder folder;
  const std::string torn = few_keys().substr(0, few_keys().size() - 12);
  struct Row {
    std::string file;
    std::string salvaged;
  };
  const Row rows[] = {
      {damaged_file(), "before = string \"1\"\nafter = string \"2\"\n"},
      {torn, "@9 a = string \"1\"\nl = list[x y]\n"},
  };
  for (const Row& row : rows) {
    const std::string in = folder.file("in.rdb", row.file);
    for (const bool canonical : {false, true}) {
      ConvertOptions options = options_for("redis-7.2");
      options.canonical = canonical;
      const Converted refused = convert_path(in, folder.path("out.rdb"), options);
      CHECK_FALSE(refused.summary.committed);
      CHECK(refused.summary.errors > 0);
      CHECK(joined(folder.names()) == "in.rdb\n");
      CHECK_FALSE(convert_rdb(row.file, options).summary.committed);
      CHECK(convert_rdb(row.file, options).bytes.empty());

      options.salvage = true;
      const Converted salvaged = convert_path(in, folder.path("out.rdb"), options, true);
      CHECK(salvaged.summary.committed);
      CHECK(tell(read_file(folder.path("out.rdb"))).findings.empty());
      if (!canonical) CHECK(joined(tell(read_file(folder.path("out.rdb"))).lines) == row.salvaged);
      std::remove(folder.path("out.rdb").c_str());
    }
  }
  ConvertOptions salvage = options_for("redis-7.2");
  salvage.salvage = true;
  for (const Bytes none : {"", "REDIS", "this is no RDB file at all"}) {
    const std::string in = folder.file("in.rdb", none);
    CHECK_FALSE(convert_path(in, folder.path("out.rdb"), salvage).summary.committed);
    CHECK(joined(folder.names()) == "in.rdb\n");
  }
}

TEST_CASE("placing: a line that is not right ends the conversion of JSON Lines") {
  const std::string lines =
      "{\"db\":0,\"key\":\"a\",\"type\":\"string\",\"value\":\"1\"}\n{\"db\":0,\"key\":\"b\",\"type\":\n";
  const Converted refused = convert_json(lines, options_for("redis-7.2"));
  CHECK_FALSE(refused.summary.committed);
  CHECK(refused.bytes.empty());
  CHECK(refused.findings.size() == 1);
  ConvertOptions salvage = options_for("redis-7.2");
  salvage.salvage = true;
  CHECK(joined(tell(convert_json(lines, salvage).bytes).lines) == "a = string \"1\"\n");
}

TEST_CASE("placing: a dry run says what would be written and lost, and writes nothing") {
  const TempFolder folder;
  const std::string in = folder.file("in.rdb", mixed_file(redis));
  const auto source = open_source(in);
  ConvertInput input;
  input.rdb = source.get();
  OutputOptions output;
  output.path = folder.path("out");
  output.dry_run = true;
  for (const OutputForm form : {OutputForm::rdb, OutputForm::aof, OutputForm::jsonl}) {
    FindingList findings;
    const ConvertSummary dry = convert(input, output, findings, lossy_options_for("redis-7.2", form));
    CHECK_FALSE(dry.committed);
    CHECK(joined(folder.names()) == "in.rdb\n");
    CHECK(dry.keys == 14);
    if (form == OutputForm::rdb) {
      const Converted wet = convert_path(in, folder.path("wet"), lossy_options_for("redis-7.2"));
      CHECK(dry.bytes_written == wet.summary.bytes_written);
      CHECK(dry.bytes_written == read_file(folder.path("wet")).size());
      CHECK(told(dry.losses) == wet.losses());
      std::remove(folder.path("wet").c_str());
    }
  }
}

TEST_CASE("placing: the input is never written to, by whatever name") {
  const TempFolder folder;
  const std::string in = folder.file("in.rdb", few_keys());
  REQUIRE(::symlink(in.c_str(), folder.path("link").c_str()) == 0);
  REQUIRE(::link(in.c_str(), folder.path("hard").c_str()) == 0);
  for (const std::string name : {"in.rdb", "link", "hard", "./in.rdb"}) {
    CAPTURE(name);
    const Converted refused = convert_path(in, folder.path(name), options_for("redis-7.2"), true);
    CHECK(refused.refusal.find("never written to") != std::string::npos);
    CHECK(read_file(in) == few_keys());
  }
  const std::string dir = SetBuilder().base(few_keys()).incr(resp("SELECT 0")).write(folder);
  const std::string before = dumped_log(dir);
  CHECK(convert_log_path(dir, dir, options_for("redis-7.2", OutputForm::aof))
            .refusal.find("never written to") != std::string::npos);
  CHECK(convert_log_path(dir, dir + "/appendonly.aof.1.base.rdb", options_for("redis-7.2"))
            .refusal.find("never written to") != std::string::npos);
  CHECK(dumped_log(dir) == before);
  // What is there already stays, unless it may be replaced.
  const std::string there = folder.file("there", "x");
  CHECK(error_of([&] { static_cast<void>(convert_path(in, there, options_for("redis-7.2"))); }, there) ==
        EEXIST);
  CHECK(convert_path(in, there, options_for("redis-7.2"), true).summary.committed);
}

TEST_CASE("placing: two keys that become one are found out before anything appears") {
  const TempFolder folder;
  const std::string in =
      folder.file("in.rdb", RdbBuilder(redis, 11).select(0).string("a", "1").string("b", "2").eof());
  KeyChangeOptions renamed;
  renamed.renames = {parse_rename("s/a/b/")};
  const KeyChanges changes(renamed);
  ConvertOptions options = options_for("redis-7.2");
  options.changes = &changes;
  const Converted refused = convert_path(in, folder.path("out.rdb"), options);
  CHECK(refused.refusal.find("more than once") != std::string::npos);
  CHECK(joined(folder.names()) == "in.rdb\n");
  options.to = OutputForm::aof;
  CHECK_FALSE(convert_path(in, folder.path("out"), options).refusal.empty());
  CHECK(joined(folder.names()) == "in.rdb\n");
}

TEST_CASE("streams: what cannot be taken back is written once it is known to be right") {
  // The second entry could not be written for the target: nobody sees the first.
  const std::string file =
      RdbBuilder(redis, 14).select(0).string("a", "1").hash_ttl("h", {{"f", "v", 5}}).eof();
  CHECK(convert_rdb(file, options_for("redis-7.2")).bytes.empty());
  CHECK_FALSE(convert_rdb(file, options_for("redis-7.2")).summary.committed);
  const Converted lossy = convert_rdb(file, lossy_options_for("redis-7.2"));
  CHECK(lossy.summary.committed);
  CHECK(lossy.summary.keys == 2);
  CHECK(lossy.losses() == "field-ttl 1/1");
  // A pipe is read once, which is enough if anything may be lost.
  PipedSource pipe(file);
  CHECK(convert_rdb(pipe.source(), lossy_options_for("redis-7.2")).bytes == lossy.bytes);
  CHECK(convert_rdb(file, options_for("redis-7.4")).summary.committed);
}

TEST_CASE("streams: nothing is written of what may not be lost, whatever form it comes in") {
  // Neither of these encodings says by itself that something in it could be lost.
  const std::string file =
      RdbBuilder(redis, 12).select(0).string("a", "1").hash_ttl("h", {{"f", "v", 5}}).eof();
  ConvertOptions options = options_for("redis-7.2");
  options.canonical = true;
  CHECK(convert_rdb(file, options).bytes.empty());
  const std::string line =
      R"({"db":0,"key":"h","type":"hash","value":{"f":"v"},"field_expire_at_ms":{"f":5}})";
  for (const bool canonical : {false, true}) {
    options.canonical = canonical;
    const Converted refused = convert_json(line + "\n", options);
    CHECK_FALSE(refused.summary.committed);
    CHECK(refused.bytes.empty());
    CHECK(refused.losses() == "field-ttl 1/1");
  }
  const std::string tiny = RdbBuilder(redis, 11).select(0).zset("z", {{"a", 5e-324}, {"b", 1}}).eof();
  const Converted refused = convert_rdb(tiny, options_for("redis-2.6", OutputForm::resp));
  CHECK_FALSE(refused.summary.committed);
  CHECK(refused.bytes.empty());
  CHECK(refused.losses() == "tiny-scores 1/1");
}
