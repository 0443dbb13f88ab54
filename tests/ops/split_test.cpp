// split: every key in exactly one file, where it belongs; what is no key in all of them; and what is refused.
#include "persist/split.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <stdexcept>

#include "ops/split_names.hpp"
#include "persist/check_set.hpp"
#include "support/aof_builder.hpp"
#include "support/files.hpp"
#include "support/rdb_builder.hpp"
#include "support/samples.hpp"
#include "support/verbs.hpp"

using namespace persist;
using namespace persist::test;

namespace {

// What a split did: its summary, or why it refused, and the files.
struct SplitDone {
  SplitSummary summary;
  std::string refusal;
  std::map<std::string, std::string> files;

  [[nodiscard]] std::string names() const {
    std::string text;
    for (const auto& [name, bytes] : files) text += (text.empty() ? "" : " ") + name;
    return text;
  }
};

SplitDone split_input(const ConvertInput& input, const SplitOptions& options, OutputOptions output = {}) {
  const TempFolder folder;
  output.path = folder.path("out");
  SplitDone done;
  FindingList found;
  try {
    done.summary = split(input, output, found, options);
  } catch (const EditRefused& refusal) {
    done.refusal = refusal.what();
  }
  CHECK(folder.names().size() == (done.summary.convert.committed ? 1 : 0));
  if (!done.summary.convert.committed) return done;
  for (const std::string& name : names_in(output.path))
    done.files[name] = read_file(output.path + "/" + name);
  return done;
}

SplitOptions split_by(const std::string& rule, const char* target = "redis-7.2") {
  SplitOptions options;
  options.rule = parse_split_rule(rule);
  options.convert.write.target = find_target(target);
  options.convert.threads = 1;
  return options;
}

SplitDone split_rdb(Bytes bytes, const SplitOptions& options, const OutputOptions& output = {}) {
  const std::unique_ptr<ByteSource> source = memory_source(bytes, "in.rdb");
  ConvertInput input;
  input.rdb = source.get();
  return split_input(input, options, output);
}

std::vector<std::string> sorted_lines(const std::string& text) {
  std::vector<std::string> lines = split_lines(text);
  std::ranges::sort(lines);
  return lines;
}

// The values of a member of all lines of a dump: keys, or db numbers.
std::vector<std::string> keys_of(const std::string& dump_lines) {
  std::vector<std::string> keys;
  for (const std::string& line : split_lines(dump_lines)) {
    const size_t from = line.find("\"key\":\"") + 7;
    keys.push_back(line.substr(from, line.find('"', from) - from));
  }
  return keys;
}

// All files hold together what the input holds, each is sound, and the index tells what is in them.
void check_whole(Bytes input, const SplitDone& done) {
  REQUIRE(done.refusal.empty());
  REQUIRE(done.summary.convert.committed);
  REQUIRE(done.files.contains("index.jsonl"));
  std::string all;
  std::string index;
  for (const SplitFile& file : done.summary.files) {
    CAPTURE(file.name);
    REQUIRE(done.files.contains(file.name));
    const std::string& bytes = done.files.at(file.name);
    CHECK(ids_of(check(bytes).findings).empty());
    CHECK(check(bytes).summary.keys == file.keys);
    CHECK(bytes.size() == file.bytes);
    all += dump(bytes).text;
    index += split_index_line(file);
  }
  CHECK(done.files.size() == done.summary.files.size() + 1);
  CHECK(done.files.at("index.jsonl") == index);
  CHECK(joined(sorted_lines(all)) == joined(sorted_lines(dump(input).text)));
}

std::string many_keys(size_t keys) {
  RdbBuilder builder(redis, 11);
  builder.aux("ctime", "1700000000").function("#!lua name=lib\nreturn 1").select(0);
  for (size_t i = 0; i < keys; ++i) {
    const std::string key = "group" + std::to_string(i % 7) + ":key:" + std::to_string(i);
    if (i % 5 == 0)
      builder.expire_ms(4'000'000'000'000).hash_listpack(key, {{"f", "v"}, {"g", std::to_string(i)}});
    else
      builder.string(key, "value " + std::to_string(i));
  }
  return builder.eof();
}

std::string two_dbs() {
  return RdbBuilder(redis, 11).select(0).string("a", "1").select(3).string("b", "2").string("a", "3").eof();
}

}  // namespace

TEST_CASE("split: by slots, every key is in the file of its slot") {
  const std::string input = many_keys(2000);
  for (const char* rule : {"1", "3", "100", "slots:0-99,5000-16383,100-4999"}) {
    CAPTURE(rule);
    const SplitDone done = split_rdb(input, split_by(rule));
    check_whole(input, done);
    for (const SplitFile& file : done.summary.files) {
      for (const std::string& key : keys_of(dump(done.files.at(file.name)).text)) {
        const unsigned slot = key_slot(key);
        CHECK(slot >= file.slots.front().first);
        CHECK(slot <= file.slots.back().last);
      }
    }
  }
  CHECK(split_rdb(input, split_by("3")).names() ==
        "index.jsonl slots-0-5460.rdb slots-10923-16383.rdb slots-5461-10922.rdb");
}

TEST_CASE("split: more files than descriptors, each written many times") {
  RdbBuilder builder(redis, 11);
  builder.select(0);
  const std::string value(700, 'x');
  for (int i = 0; i < 12'000; ++i) builder.string("k" + std::to_string(i), value + std::to_string(i));
  const std::string input = builder.eof();
  SplitOptions options = split_by("1500");
  options.files_max = 1500;
  check_whole(input, split_rdb(input, options));
}

TEST_CASE("split: several threads hand out the same") {
  const std::string input = long_file(20'000);
  SplitOptions options = split_by("prefix:1", "redis-7.4");
  const SplitDone one = split_rdb(input, options);
  options.convert.threads = 3;
  const SplitDone three = split_rdb(input, options);
  REQUIRE(one.summary.convert.committed);
  CHECK(one.files == three.files);
  CHECK(one.files.size() > 3);
}

TEST_CASE("split: what is no key is in all files") {
  const uint64_t id = module_id_of("testmodul", 1);
  const std::string input = RdbBuilder(redis, 11)
                                .aux("ctime", "1700000000")
                                .aux("mine", "x")
                                .function("#!lua name=lib\nreturn 1")
                                .module_aux(id, 1, unhex("02 07 00"))
                                .select(0)
                                .resize(2, 0)
                                .string("a:1", "1")
                                .string("b:1", "2")
                                .module_aux(id, 2, unhex("02 08 00"))
                                .eof();
  SplitOptions options = split_by("prefix");
  options.convert.write.modules = {"testmodul"};
  const SplitDone done = split_rdb(input, options);
  check_whole(input, done);
  for (const char* name : {"prefix-a.rdb", "prefix-b.rdb"}) {
    DumpOptions with_meta;
    with_meta.meta = true;
    const std::string text = dump(done.files.at(name), with_meta).text;
    CAPTURE(text);
    for (const char* wanted : {"ctime", "mine", "name=lib"}) CHECK(text.find(wanted) != std::string::npos);
    CHECK(check(done.files.at(name)).summary.functions == 1);
    // In front of the keys, and behind them.
    const size_t key = done.files.at(name).find(":1");
    CHECK(done.files.at(name).find(unhex("02 07 00")) < key);
    CHECK(done.files.at(name).rfind(unhex("02 08 00")) > key);
    CHECK(text.find("resize") == std::string::npos);
  }
}

TEST_CASE("split: what describes the file that was read is in none") {
  const std::string of_valkey =
      RdbBuilder(redis, 11).select(0).aux("slot-info", "866,1,0").resize(1, 0).string("hello", "1").eof();
  const std::string of_redis =
      RdbBuilder(redis, 12).select(0).slot_info(866, 1, 0).resize(1, 0).string("hello", "1").eof();
  for (const auto& each : {std::pair("valkey-8.1", of_valkey), std::pair("redis-7.4", of_redis)}) {
    const char* const target = each.first;
    const std::string& input = each.second;
    CAPTURE(target);
    DumpOptions with_meta;
    with_meta.meta = true;
    const SplitDone done = split_rdb(input, split_by("1", target));
    check_whole(input, done);
    const std::string text = dump(done.files.at("slots-0-16383.rdb"), with_meta).text;
    CHECK(dump(input, with_meta).text.find("866") != std::string::npos);
    CHECK(text.find("866") == std::string::npos);
    CHECK(dump(input, with_meta).text.find("resize") != std::string::npos);
    CHECK(text.find("resize") == std::string::npos);
  }
}

TEST_CASE("split: by database") {
  const std::string input = two_dbs();
  const SplitDone done = split_rdb(input, split_by("db"));
  check_whole(input, done);
  CHECK(done.names() == "db-0.rdb db-3.rdb index.jsonl");
  CHECK(done.files.at("index.jsonl").find("\"holds\":\"db\",\"db\":3,\"keys\":2") != std::string::npos);
}

TEST_CASE("split: by prefix, whatever bytes it has") {
  const std::string longest = std::string(300, 'p');
  const std::string input = RdbBuilder(redis, 11)
                                .select(0)
                                .string("plain", "0")
                                .string("../x:1", "1")
                                .string(":2", "2")
                                .string(std::string("\0/\xff:3", 5), "3")
                                .string("user:1:name", "4")
                                .select(2)
                                .string("user:2", "5")
                                .string(longest + ":1", "6")
                                .string(longest + "q:1", "7")
                                .eof();
  const SplitDone done = split_rdb(input, split_by("prefix"));
  check_whole(input, done);
  std::map<std::string, uint64_t> keys;
  for (const SplitFile& file : done.summary.files) keys[file.name] = file.keys;
  CHECK(keys.size() == 7);
  CHECK(keys["no-prefix.rdb"] == 1);
  CHECK(keys["prefix-..%2Fx.rdb"] == 1);
  CHECK(keys["prefix-.rdb"] == 1);
  CHECK(keys["prefix-%00%2F%FF.rdb"] == 1);
  CHECK(keys["prefix-user.rdb"] == 2);
  for (const auto& [name, count] : keys) CHECK(name.size() <= 220);

  const SplitDone by_name = split_rdb(input, split_by("prefix::1"));
  CHECK(by_name.files.contains("prefix-user.rdb"));
  CHECK(by_name.files.contains("no-prefix.rdb"));
}

TEST_CASE("split: by the nodes of a cluster") {
  const TempFolder folder;
  const std::string a(40, 'a');
  const std::string b(40, 'b');
  const std::string c(40, 'c');
  const std::string text = a + " 10.0.0.1:6379@16379 myself,master - 0 0 1 connected 0-8000 16383\n" + b +
                           " ::1:6380@16380 master - 0 0 2 connected 8001-16382\n" + c +
                           " 10.0.0.3:6379@16379 slave " + a + " 0 0 1 connected\n";
  const std::string input = many_keys(500);
  const SplitDone done = split_rdb(input, split_by(folder.file("nodes.conf", text)));
  check_whole(input, done);
  CHECK(done.names() == "index.jsonl node-aaaaaaaa-10.0.0.1-6379.rdb node-bbbbbbbb-%3A%3A1-6380.rdb");
  CHECK(done.files.at("index.jsonl")
            .starts_with("{\"file\":\"node-aaaaaaaa-10.0.0.1-6379.rdb\",\"holds\":\"node\",\"node\":\"" + a +
                         "\",\"address\":\"10.0.0.1:6379\",\"slots\":[[0,8000],[16383,16383]],\"keys\":"));
  const std::string twice =
      a + " h:1@2 master - 0 0 1 connected 0-9\n" + b + " h:2@3 master - 0 0 1 connected 9\n";
  CHECK_THROWS_WITH_AS(parse_split_rule(folder.file("twice", twice)),
                       (folder.path("twice") + ": slot 9 stands there twice").c_str(), std::invalid_argument);
}

TEST_CASE("split: keys that no file is for are counted and named") {
  const std::string input = many_keys(100);
  SplitOptions options = split_by("slots:0-8191");
  const SplitDone refused = split_rdb(input, options);
  CHECK(!refused.summary.convert.committed);
  CHECK(refused.summary.unowned.keys > 20);
  CHECK(refused.summary.unowned.keys < 80);
  REQUIRE(refused.summary.unowned.first.size() == 5);
  CHECK(key_slot(refused.summary.unowned.first[0].key) > 8191);

  options.keep_unassigned = true;
  const SplitDone kept = split_rdb(input, options);
  check_whole(input, kept);
  CHECK(kept.names() == "index.jsonl slots-0-8191.rdb unassigned.rdb");
  CHECK(kept.summary.files[1].keys == refused.summary.unowned.keys);
}

TEST_CASE("split: a cluster has one database") {
  SplitOptions options = split_by("2");
  const SplitDone refused = split_rdb(two_dbs(), options);
  CHECK(!refused.summary.convert.committed);
  CHECK(refused.summary.beyond.keys == 2);
  CHECK(refused.summary.beyond.first[0].db == 3);
  CHECK(refused.summary.beyond.first[0].key == "b");

  FilterOptions only_three;
  only_three.dbs = {3};
  const Filter filter(only_three);
  KeyChangeOptions to_zero;
  to_zero.dbs = {{3, 0}};
  const KeyChanges changes(to_zero);
  options.convert.changes = &changes;
  options.convert.filter = &filter;
  const SplitDone moved = split_rdb(two_dbs(), options);
  REQUIRE(moved.summary.convert.committed);
  CHECK(moved.summary.files[0].keys + moved.summary.files[1].keys == 2);

  // With those that are in 0 already, one key would be there twice.
  options.convert.filter = nullptr;
  CHECK(split_rdb(two_dbs(), options).refusal.find("more than once") != std::string::npos);
}

TEST_CASE("split: too many files") {
  SplitOptions options = split_by("prefix");
  options.files_max = 6;
  CHECK(split_rdb(many_keys(20), options).refusal ==
        "more than 6 files would be made: --most N permits more");
  options.files_max = 7;
  check_whole(many_keys(20), split_rdb(many_keys(20), options));
}

TEST_CASE("split: a dry run writes nothing and tells the same") {
  const std::string input = many_keys(300);
  OutputOptions output;
  output.dry_run = true;
  const SplitDone dry = split_rdb(input, split_by("3"), output);
  const SplitDone wet = split_rdb(input, split_by("3"));
  REQUIRE(dry.summary.files.size() == 3);
  for (size_t i = 0; i < 3; ++i) {
    CHECK(dry.summary.files[i].keys == wet.summary.files[i].keys);
    CHECK(dry.summary.files[i].bytes == wet.summary.files[i].bytes);
  }
}

TEST_CASE("split: damage and losses are refused as by convert") {
  const std::string damaged = long_file(200, 50);
  SplitOptions options = split_by("prefix:1", "redis-7.4");
  CHECK(!split_rdb(damaged, options).summary.convert.committed);
  options.convert.salvage = true;
  CHECK(split_rdb(damaged, options).summary.convert.committed);

  const std::string streams =
      RdbBuilder(redis, 11).select(0).stream("s", 1, {{{{1, 1}, {{"f", "v"}}}}, {1, 1}}).eof();
  SplitOptions old = split_by("2", "redis-4.0");
  CHECK(!split_rdb(streams, old).summary.convert.committed);
  old.convert.permitted_losses = {LossFeature::streams};
  CHECK(split_rdb(streams, old).summary.convert.committed);
}

TEST_CASE("split: old targets without checksum, aux fields, or databases sizes") {
  const std::string input = two_dbs();
  for (const Target& target : targets()) {
    CAPTURE(target.name);
    check_whole(input, split_rdb(input, split_by("db", std::string(target.name).c_str())));
  }
}

TEST_CASE("split: checksums can be left out") {
  SplitOptions options = split_by("2");
  options.convert.write.checksum = false;
  const SplitDone done = split_rdb(many_keys(20), options);
  REQUIRE(done.summary.convert.committed);
  for (const SplitFile& file : done.summary.files)
    CHECK(check(done.files.at(file.name)).summary.checksum == ChecksumState::disabled);
}

TEST_CASE("split: of logs and of JSON Lines") {
  const TempFolder folder;
  const std::string expected = dump(many_keys(50)).text;
  const std::unique_ptr<ByteSource> lines = memory_source(expected, "in.jsonl");
  ConvertInput input;
  input.json = lines.get();
  const SplitDone of_json = split_input(input, split_by("3"));
  check_whole(many_keys(50), of_json);

  const std::string log =
      "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n*3\r\n$3\r\nSET\r\n$3\r\nb:1\r\n$1\r\n2\r\n*2\r\n$"
      "3\r\nDEL\r\n$1\r\na\r\n";
  const AppendSet set = single_file_set(folder.file("appendonly.aof", log));
  ConvertInput from_log;
  from_log.log = &set;
  const SplitDone of_log = split_input(from_log, split_by("prefix"));
  CHECK(of_log.names() == "index.jsonl prefix-b.rdb");
}

TEST_CASE("split: the input is not in what is replaced") {
  const TempFolder folder;
  const std::string inside = folder.file("in.rdb", two_dbs());
  const std::unique_ptr<ByteSource> source = open_source(inside);
  ConvertInput input;
  input.rdb = source.get();
  FindingList found;
  OutputOptions output;
  output.force = true;
  for (const std::string& path : {folder.path(), inside}) {
    output.path = path;
    CHECK_THROWS_AS(split(input, output, found, split_by("db")), EditRefused);
  }
  CHECK(read_file(inside) == two_dbs());
}

TEST_CASE("split: rules") {
  CHECK(parse_split_rule("prefix").separator == ":");
  CHECK(parse_split_rule("prefix:::").separator == "::");
  CHECK(parse_split_rule("16384").files.size() == 16384);
  for (const char* bad :
       {"", "0", "16385", "99999999999", "prefix:", "slots:", "slots:1-x", "nothing/there", "dbs"}) {
    CAPTURE(bad);
    CHECK_THROWS_AS(parse_split_rule(bad), std::invalid_argument);
  }
}
