// check and dump: the same whatever the number of threads and the source, and in agreement with the reader.
#include <doctest/doctest.h>

#include <algorithm>
#include <stdexcept>

#include "io/block_source.hpp"
#include "support/files.hpp"
#include "support/notation.hpp"
#include "support/rdb_builder.hpp"
#include "support/samples.hpp"
#include "support/verbs.hpp"

using namespace persist;
using namespace persist::test;

namespace {

const std::string& broken_file() {
  static const std::string file = long_file(30'000, 500);
  return file;
}

// What a summary says, without what depends on nothing but time.
std::string told(const CheckSummary& summary) {
  std::string text =
      "keys " + std::to_string(summary.keys) + " volatile " + std::to_string(summary.volatile_keys) +
      " expired " + std::to_string(summary.expired) + " fields " + std::to_string(summary.volatile_fields) +
      " functions " + std::to_string(summary.functions) + " complete " + std::to_string(summary.complete) +
      " checksum " + std::string(checksum_state_name(summary.checksum)) + " valid " +
      std::to_string(summary.valid_up_to) + " end " + std::to_string(summary.end) + " errors " +
      std::to_string(summary.errors) + " warnings " + std::to_string(summary.warnings);
  for (const uint64_t keys : summary.keys_by_type) text += " " + std::to_string(keys);
  return text;
}

}  // namespace

TEST_CASE("threads: check finds the same things in the same order") {
  const TempFolder folder;
  const std::string path = folder.file("dump.rdb", broken_file());
  REQUIRE(broken_file().size() > 4 * kWindowBytes);
  const Checked one = check(*open_source(path), 1);
  CHECK(one.findings.size() == 60);
  CHECK(one.summary.keys == 30'000 - 60);
  for (const unsigned threads : {2U, 4U}) {
    for (int round = 0; round < 3; ++round) {
      const Checked more = check(*open_source(path), threads);
      CHECK(joined(lines_of(more.findings)) == joined(lines_of(one.findings)));
      CHECK(told(more.summary) == told(one.summary));
    }
  }
}

TEST_CASE("threads: dump writes the same bytes") {
  const TempFolder folder;
  const std::string path = folder.file("dump.rdb", broken_file());
  const Dumped one = dump(*open_source(path), 1);
  CHECK(split_lines(one.text).size() == 30'000 - 60);
  for (const unsigned threads : {2U, 4U}) {
    const Dumped more = dump(*open_source(path), threads);
    CHECK(more.text == one.text);
    CHECK(joined(lines_of(more.findings)) == joined(lines_of(one.findings)));
    CHECK(more.summary.keys == one.summary.keys);
  }
}

TEST_CASE("threads: annotations are the same") {
  const TempFolder folder;
  const std::string path = folder.file("dump.rdb", broken_file());
  DumpOptions options;
  options.annotate = true;
  options.threads = 1;
  const Dumped one = dump(*open_source(path), options);
  options.threads = 4;
  CHECK(dump(*open_source(path), options).text == one.text);
}

TEST_CASE("threads: damage that cannot be passed ends the reading at the same place") {
  const TempFolder folder;
  std::string file = long_file(30'000);
  file.resize(file.size() / 2);
  const std::string path = folder.file("torn.rdb", file);
  const Checked one = check(*open_source(path), 1);
  CHECK(one.findings.size() == 1);
  CHECK(one.summary.reach != Reach::nothing);
  for (const unsigned threads : {2U, 4U}) {
    const Checked more = check(*open_source(path), threads);
    CHECK(joined(lines_of(more.findings)) == joined(lines_of(one.findings)));
    CHECK(told(more.summary) == told(one.summary));
  }
}

TEST_CASE("sources: memory, file, pipe and packed file give the same") {
  const TempFolder folder;
  const std::string& file = broken_file();
  const Dumped memory = dump(file);
  const std::string path = folder.file("dump.rdb", file);
  CHECK(dump(*open_source(path)).text == memory.text);
  CHECK(dump(*open_source(folder.file("dump.rdb.gz", gzip_of(file)))).text == memory.text);
  PipedSource pipe(file);
  CHECK(dump(pipe.source()).text == memory.text);
  PipedSource checked_pipe(file);
  CHECK(told(check(checked_pipe.source()).summary) == told(check(*open_source(path)).summary));
  CHECK(told(check(file).summary) == told(check(*open_source(path)).summary));
}

TEST_CASE("sources: records too large for a piece are written the same") {
  RdbBuilder builder(redis, 14);
  const std::string large = noise(5'000'000);
  std::string text(5'000'000, 'a');
  for (size_t i = 0; i < text.size(); i += 97) text[i] = '"';
  StreamSpec spec;
  for (uint64_t i = 1; i <= 60'000; ++i) spec.entries.push_back({{i, 0}, {{"field", std::string(80, 'v')}}});
  spec.last_id = {60'000, 0};
  spec.groups = {{"g", {1, 1}, 1, {{{1, 0}, 77, 3}}, {{"c", 88, 99, {{1, 0}}}}, {}}};
  builder.string("binary", large)
      .string("text", text)
      .expire_ms(5)
      .string("escapes", std::string(5'000'000, '\n'));
  builder.set("set", {large, "b", text})
      .hash("hash", {{"f", text}, {"g", "v"}})
      .hash("pairs", {{"f", text}, {"\xff", "v"}});
  builder.hash_ttl("ttl", {{"f", text, 5}, {"g", large, 0}, {"h", "v", 6}})
      .list("list", Strings(900'000, "item"));
  builder.stream("stream", 3, spec)
      .module("module", module_id_of("test__rdb", 1), length(5) + plain_string(large) + length(0));
  builder.list_quicklist2("quicklist", {{1, text}, {2, ListpackBuilder().add("a").bytes()}, {1, large}});
  const std::string file = builder.string("last", "1").eof();
  const TempFolder folder;
  const std::string path = folder.file("dump.rdb", file);
  const Dumped memory = dump(file);
  CHECK(memory.findings.empty());
  CHECK(memory.summary.written == 12);
  for (const unsigned threads : {1U, 2U}) {
    const Dumped dumped = dump(*open_source(path), threads);
    CHECK(joined(lines_of(dumped.findings)).empty());
    CHECK((dumped.text == memory.text));
  }
  PipedSource pipe(file);
  CHECK((dump(pipe.source()).text == memory.text));
  CHECK(check(*open_source(path), 2).summary.keys == 12);
}

TEST_CASE("sources: damage in a record too large for a piece leaves no trace of it in the output") {
  RdbBuilder builder(redis, 14);
  builder.string("before", "1")
      .key(16, "bad")
      .str(ListpackBuilder().add("f").add(std::string(5'000'000, 'x')).count(7).bytes());
  const std::string file = builder.string("after", "2").eof();
  const TempFolder folder;
  for (const unsigned threads : {1U, 2U}) {
    const Dumped dumped = dump(*open_source(folder.file("dump.rdb", file)), threads);
    CHECK(joined(ids_of(dumped.findings)) == "listpack.count-mismatch\n");
    const std::vector<std::string> lines = split_lines(dumped.text);
    REQUIRE(lines.size() == 2);
    CHECK(lines[1].find("\"after\"") != std::string::npos);
    CHECK(dumped.summary.complete);
  }
}

TEST_CASE("check: counts") {
  CheckOptions options;
  options.now_ms = 1'800'000'000'000;
  const Checked redis14 = check(mixed_file(redis), options);
  CHECK(joined(lines_of(redis14.findings)).empty());
  CHECK(told(redis14.summary) ==
        "keys 14 volatile 1 expired 1 fields 1 functions 1 complete 1 checksum good valid " +
            std::to_string(mixed_file(redis).size()) + " end " + std::to_string(mixed_file(redis).size()) +
            " errors 0 warnings 0 1 1 3 2 4 2 0 1");
  CHECK(check(mixed_file(valkey), options).summary.keys == 12);
  options.now_ms = 1;
  CHECK(check(mixed_file(redis), options).summary.expired == 0);
}

TEST_CASE("check: the observer is told every record but entries, in order, with what they show") {
  std::vector<std::string> seen;
  CheckOptions options;
  options.observe = [&](const RdbRecord& record, uint64_t offset) {
    std::string text = std::to_string(record.extent.offset) + "-" + std::to_string(offset);
    if (const auto* aux = std::get_if<AuxField>(&record.body))
      text += " " + std::string(aux->name) + "=" + std::string(aux->value);
    seen.push_back(text);
  };
  const std::string file = RdbBuilder(redis, 11)
                               .aux("a", "1")
                               .aux("b", std::string(40, 'x'))
                               .select(0)
                               .string("k", "v")
                               .aux("c", "3")
                               .eof();
  CHECK(check(file, options).findings.empty());
  CHECK(joined(seen) ==
        "0-9\n9-14 a=1\n14-58 b=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n58-60\n65-70 c=3\n70-79\n");
}

TEST_CASE("check and dump agree with the reader, sample by sample") {
  for (const Sample& sample : samples()) {
    CAPTURE(sample.name);
    const Told reader = tell(sample.file);
    const Checked checked = check(sample.file);
    const Dumped dumped = dump(sample.file);
    CHECK(checked.summary.keys == reader.lines.size());
    CHECK(dumped.summary.keys == reader.lines.size());
    CHECK(split_lines(dumped.text).size() == reader.lines.size());
  }
}

TEST_CASE("check and dump end where the reader ends") {
  const std::string meta = le(key_meta_class("KMT1", 1, 1)) + length(0);
  // What skimming passes over and reading does not.
  const std::string behind = RdbBuilder().string("after", "2").string("more", "3").bytes();
  const std::string files[] = {
      RdbBuilder(redis, 14).string("before", "1").key_meta(1, meta).select(0).raw(behind).eof(),
      RdbBuilder(redis, 14).string("before", "1").key_meta(1, meta).expire_ms(5).raw(behind).eof(),
      RdbBuilder(redis, 14).string("before", "1").select(uint64_t{1} << 40).raw(behind).eof(),
      RdbBuilder(redis, 14)
          .string("before", "1")
          .raw("\xf7")
          .raw(long_length(1))
          .len(1)
          .len(1)
          .len(0)
          .raw(behind)
          .eof(),
  };
  for (const std::string& file : files) {
    const Told reader = tell(file);
    REQUIRE(joined(reader.lines) == "before = string \"1\"\n");
    CHECK_FALSE(reader.complete);
    const Checked checked = check(file);
    CHECK(joined(ids_of(checked.findings)) == joined(reader.findings));
    CHECK(checked.summary.keys == 1);
    CHECK_FALSE(checked.summary.complete);
    const Dumped dumped = dump(file);
    CHECK(split_lines(dumped.text).size() == 1);
    CHECK_FALSE(dumped.summary.complete);
  }
}

TEST_CASE("check: damage that skimming does not see ends the reading in the middle of a long file, too") {
  const std::string meta = le(key_meta_class("KMT1", 1, 1)) + length(0);
  RdbBuilder builder(redis, 14);
  for (int i = 0; i < 20'000; ++i) {
    if (i == 3'000) builder.key_meta(1, meta).select(0);
    builder.string("key:" + std::to_string(i), noise(100, static_cast<uint32_t>(i)));
  }
  const TempFolder folder;
  const std::string path = folder.file("dump.rdb", builder.eof());
  for (const unsigned threads : {1U, 2U, 4U}) {
    CAPTURE(threads);
    const Checked checked = check(*open_source(path), threads);
    CHECK(joined(ids_of(checked.findings)) == "rdb.bad-key-meta\n");
    CHECK(checked.summary.keys == 3'000);
    CHECK_FALSE(checked.summary.complete);
    CHECK(split_lines(dump(*open_source(path), threads).text).size() == 3'000);
  }
}

TEST_CASE("check: a file that shrinks while it is read") {
  const TempFolder folder;
  const std::string path = folder.file("dump.rdb", long_file(30'000));
  const auto source = open_source(path);
  write_file(path, long_file(30'000).substr(0, 2 * kWindowBytes));
  const Checked checked = check(*source);
  REQUIRE(checked.findings.size() == 2);
  CHECK(checked.findings[0].code == FindingCode::source_shrank);
  CHECK(checked.findings[0].file == path);
  CHECK(checked.summary.keys > 1000);
}

TEST_CASE("progress: is told, ascending") {
  const TempFolder folder;
  const std::string path = folder.file("dump.rdb", long_file(30'000));
  std::vector<uint64_t> told_offsets;
  CheckOptions options;
  options.threads = 2;
  options.progress = [&](uint64_t offset) { told_offsets.push_back(offset); };
  CHECK(check(*open_source(path), options).findings.empty());
  CHECK(told_offsets.size() > 3);
  CHECK(std::is_sorted(told_offsets.begin(), told_offsets.end()));
}

TEST_CASE("trouble: what an output throws comes out of dump, whatever the thread") {
  class Full : public ByteSink {
   public:
    void write(Bytes /*bytes*/) override { throw std::runtime_error("full"); }
  };
  const TempFolder folder;
  const std::string path = folder.file("dump.rdb", long_file(30'000));
  for (const unsigned threads : {1U, 4U}) {
    Full full;
    FindingList findings;
    DumpOptions options;
    options.threads = threads;
    CHECK_THROWS_WITH(dump_rdb(*open_source(path), full, findings, options), "full");
  }
}

TEST_CASE("check: for a target, the first obstacle and no error of the file") {
  const std::string file = RdbBuilder(redis, 12)
                               .select(0)
                               .string("a", "1")
                               .hash_ttl("h", {{"f", "v", 5}})
                               .stream("s", 3, {})
                               .eof();
  CheckOptions options;
  options.target = find_target("redis-7.4");
  CHECK_FALSE(check(file, options).summary.obstacle.has_value());
  options.target = find_target("redis-7.2");
  const Checked refused = check(file, options);
  REQUIRE(refused.summary.obstacle.has_value());
  CHECK(refused.summary.obstacle->code == FindingCode::target_header);
  CHECK(refused.summary.sound());
  options.target = find_target("redis-6.2");
  const std::string older = RdbBuilder(redis, 9).select(0).string("a", "1").set_listpack("h", {"f"}).eof();
  const Checked encoding = check(older, options);
  REQUIRE(encoding.summary.obstacle.has_value());
  CHECK(encoding.summary.obstacle->code == FindingCode::target_encoding);
  CHECK(encoding.summary.obstacle->key == "h");
  CHECK(joined(ids_of(encoding.findings)) == "target.encoding\n");
  CHECK(encoding.summary.sound());
}

TEST_CASE("check: for a target, in a file of many pieces, whatever the threads") {
  RdbBuilder builder(redis, 11);
  for (int i = 0; i < 20'000; ++i) {
    builder.string("key:" + std::to_string(i), noise(100, static_cast<uint32_t>(i)));
    if (i > 12'000 && i % 1000 == 0) builder.set_listpack("set:" + std::to_string(i), {"a"});
  }
  const TempFolder folder;
  const std::string path = folder.file("dump.rdb", builder.eof());
  for (const unsigned threads : {1U, 2U, 4U}) {
    CheckOptions options;
    options.threads = threads;
    options.target = find_target("redis-7.2");
    CHECK_FALSE(check(*open_source(path), options).summary.obstacle.has_value());
    options.target = find_target("valkey-8.1");
    CHECK_FALSE(check(*open_source(path), options).summary.obstacle.has_value());
  }
}
