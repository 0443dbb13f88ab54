// merge: which input gives a key that stands in several, what becomes of all that is no key, and what is
// refused.
#include "persist/merge.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <deque>

#include "persist/check_set.hpp"
#include "support/files.hpp"
#include "support/notation.hpp"
#include "support/rdb_builder.hpp"
#include "support/verbs.hpp"

using namespace persist;
using namespace persist::test;

namespace {

using Lines = std::vector<std::string>;
using Inputs = std::vector<size_t>;

struct Merged {
  MergeSummary summary;
  std::optional<EditRefused::Kind> refused_as;
  std::vector<Finding> findings;
  std::optional<std::string> bytes;  // absent: nothing appeared
  Lines keys;                        // sorted
};

Merged merge_inputs(const std::vector<ConvertInput>& inputs, const MergeOptions& options) {
  const TempFolder folder;
  OutputOptions output;
  output.path = folder.path("out.rdb");
  Merged merged;
  FindingList findings;
  try {
    merged.summary = merge(inputs, output, findings, options);
  } catch (const EditRefused& refusal) {
    merged.refused_as = refusal.kind;
  }
  merged.findings = std::move(findings.all);
  const Lines names = folder.names();
  if (names.empty()) return merged;
  REQUIRE(names == Lines{"out.rdb"});
  merged.bytes = read_file(output.path);
  merged.keys = tell(*merged.bytes).lines;
  std::ranges::sort(merged.keys);
  return merged;
}

Merged merge_files(const Lines& files, const MergeOptions& options = {}) {
  std::deque<std::unique_ptr<ByteSource>> sources;
  std::vector<ConvertInput> inputs;
  for (const std::string& file : files) {
    sources.push_back(memory_source(file, "input " + std::to_string(sources.size())));
    (file.starts_with('{') ? inputs.emplace_back().json : inputs.emplace_back().rdb) = sources.back().get();
  }
  return merge_inputs(inputs, options);
}

MergeOptions deciding(ConflictPolicy policy) {
  MergeOptions options;
  options.on_conflict = policy;
  return options;
}

// Strings of one database, "name=value" or "name=value@expiry".
std::string strings(const Lines& specs, uint64_t db = 0) {
  RdbBuilder builder(redis, 11);
  builder.select(db);
  for (const std::string& spec : specs) {
    const size_t equals = spec.find('=');
    const size_t at = std::min(spec.find('@'), spec.size());
    if (at != spec.size()) builder.expire_ms(std::stoll(spec.substr(at + 1)));
    builder.string(spec.substr(0, equals), spec.substr(equals + 1, at - equals - 1));
  }
  return builder.eof();
}

// What is no entry, in order: the names of AUX fields, "lua=" and "function" with the code, module aux.
Lines records_of(Bytes file) {
  const auto source = memory_source(file);
  FindingList findings;
  RdbReader reader(*source, findings);
  Lines lines;
  while (const RdbRecord* record = reader.next()) {
    if (const auto* aux = std::get_if<AuxField>(&record->body))
      lines.push_back(std::string(aux->name) + "=" + std::string(aux->value));
    else if (const auto* library = std::get_if<FunctionLibrary>(&record->body))
      lines.push_back("function " + std::string(library->code));
    else if (std::holds_alternative<SlotInfo>(record->body) || std::holds_alternative<ResizeDb>(record->body))
      lines.emplace_back("hint");
  }
  CHECK(findings.all.empty());
  return lines;
}

bool holds_line(const Lines& lines, const std::string& line) {
  return std::ranges::find(lines, line) != lines.end();
}

}  // namespace

TEST_CASE("merge: who gives a key that stands in several inputs") {
  constexpr auto kFirst = ConflictPolicy::first;
  constexpr auto kLast = ConflictPolicy::last;
  constexpr auto kLongest = ConflictPolicy::newest_ttl;
  struct Row {
    ConflictPolicy policy;
    std::string a, b, c;  // k in each; empty: not there
    std::string wins;
  };
  const Row rows[] = {
      {kFirst, "a", "b", "c", "a"},
      {kFirst, "", "b", "c", "b"},
      {kFirst, "a", "", "c@9000000000000", "a"},
      {kLast, "a", "b", "c", "c"},
      {kLast, "a", "b", "", "b"},
      {kLast, "a", "", "c@9000000000000", "c@9000000000000"},
      {kLongest, "a@9000000000000", "b@9000000000001", "c@9000000000000", "b@9000000000001"},
      {kLongest, "a@9000000000001", "b@9000000000000", "", "a@9000000000001"},
      {kLongest, "a", "b@9000000000000", "c@9000000000001", "a"},
      {kLongest, "a@9000000000000", "b@9000000000000", "c@1000", "b@9000000000000"},
      {kLongest, "a", "b@9000000000000", "c", "c"},
      {kLongest, "a@-5", "b@-6", "", "a@-5"},
  };
  for (const Row& row : rows) {
    Lines files;
    Lines alone;
    size_t having = 0;
    for (const std::string& value : {row.a, row.b, row.c}) {
      const std::string own = "own" + std::to_string(files.size()) + "=1";
      alone.push_back(own);
      if (!value.empty()) ++having;
      files.push_back(value.empty() ? strings({own}) : strings({own, "k=" + value}));
    }
    CAPTURE(row.wins);
    alone.push_back("k=" + row.wins);
    Lines expected = tell(strings(alone)).lines;
    std::ranges::sort(expected);
    for (const unsigned threads : {1U, 3U}) {
      MergeOptions options = deciding(row.policy);
      options.threads = threads;
      const Merged merged = merge_files(files, options);
      CHECK(merged.summary.committed);
      CHECK(merged.keys == expected);
      CHECK(merged.summary.conflicts == 1);
      CHECK(merged.summary.written == 4);
      REQUIRE(merged.summary.first_conflicts.size() == 1);
      CHECK(merged.summary.first_conflicts[0].name == "k");
      CHECK(merged.summary.first_conflicts[0].db == 0);
      CHECK(merged.summary.first_conflicts[0].inputs.size() == having);
    }
  }
}

TEST_CASE("merge: conflicts are refused unless something is to decide") {
  const Merged merged =
      merge_files({strings({"a=1", "b=1"}), strings({"c=1", "b=2"}), strings({"b=3", "c=1"})});
  CHECK_FALSE(merged.summary.committed);
  CHECK_FALSE(merged.bytes);
  CHECK(merged.findings.empty());
  CHECK(merged.summary.conflicts == 2);
  REQUIRE(merged.summary.first_conflicts.size() == 2);
  CHECK(merged.summary.first_conflicts[0].name == "b");
  CHECK(merged.summary.first_conflicts[0].inputs == Inputs{0, 1, 2});
  CHECK(merged.summary.first_conflicts[1].name == "c");
  CHECK(merged.summary.first_conflicts[1].inputs == Inputs{1, 2});
}

TEST_CASE("merge: one key in two databases is no conflict, unless they become one") {
  const Lines files = {strings({"k=1"}, 0), strings({"k=2"}, 7), strings({"other=3"}, 0)};
  const Merged merged = merge_files(files);
  CHECK(merged.summary.committed);
  CHECK(merged.summary.conflicts == 0);
  Lines expected;
  for (const std::string& file : files) {
    const Lines lines = tell(file).lines;
    expected.insert(expected.end(), lines.begin(), lines.end());
  }
  std::ranges::sort(expected);
  CHECK(merged.keys == expected);

  KeyChangeOptions mapping;
  mapping.dbs = {{7, 0}};
  const KeyChanges changes(mapping);
  MergeOptions options;
  options.changes = &changes;
  CHECK(merge_files(files, options).summary.conflicts == 1);
}

TEST_CASE("merge: names conflict as they come out, and only what is selected") {
  const Lines files = {strings({"a:1=1", "tmp=1"}), strings({"b:1=2", "tmp=2"})};
  FilterOptions selecting;
  selecting.key_globs = {"*:*"};
  const Filter filter(selecting);
  MergeOptions options;
  options.filter = &filter;
  const Merged selected = merge_files(files, options);
  CHECK(selected.summary.committed);
  CHECK(selected.summary.written == 2);

  KeyChangeOptions renaming;
  renaming.renames = {parse_rename("s/^[ab]:/x:/")};
  const KeyChanges changes(renaming);
  options.changes = &changes;
  CHECK(merge_files(files, options).summary.conflicts == 1);
  options.on_conflict = ConflictPolicy::last;
  const Merged renamed = merge_files(files, options);
  CHECK(renamed.keys == tell(strings({"x:1=2"})).lines);

  // Two of one input.
  const Merged twice = merge_files({strings({"a:1=1", "b:1=1"}), strings({"c=1"})}, options);
  CHECK(twice.refused_as == EditRefused::Kind::unusable);
  CHECK_FALSE(twice.bytes);
}

TEST_CASE("merge: values of all types, copied and counted by input") {
  const std::string a = RdbBuilder(redis, 11)
                            .select(0)
                            .hash_listpack("h", {{"f", "v"}})
                            .set_listpack("s", {"x", "y"})
                            .select(2)
                            .list_quicklist("l", {{"1", "two"}})
                            .eof();
  const std::string b =
      RdbBuilder(redis, 11).select(2).zset_listpack("z", {{"m", "1"}}).string("h", "1").eof();
  const Merged merged = merge_files({a, b});
  REQUIRE(merged.summary.committed);
  Lines expected = tell(a).lines;
  for (const std::string& line : tell(b).lines) expected.push_back(line);
  std::ranges::sort(expected);
  CHECK(merged.keys == expected);
  CHECK(merged.summary.inputs[0].keys == 3);
  CHECK(merged.summary.inputs[0].written == 3);
  CHECK(merged.summary.inputs[1].keys == 2);
  CHECK(merged.summary.inputs[1].written == 2);
  CHECK(check(*merged.bytes).findings.empty());
}

TEST_CASE("merge: the target is that of the newest server, and takes what fits") {
  const std::string old_one = RdbBuilder(redis, 9).aux("redis-ver", "6.2.1").select(0).string("a", "1").eof();
  const std::string new_one = RdbBuilder(redis, 12)
                                  .aux("redis-ver", "7.4.0")
                                  .select(0)
                                  .hash_ttl("h", {{"f", "v", 9000000000000}, {"g", "w", 0}})
                                  .eof();
  const Merged merged = merge_files({old_one, new_one});
  REQUIRE(merged.summary.committed);
  CHECK(merged.summary.target->name == "redis-7.4");
  CHECK(merged.summary.target_chosen);

  MergeOptions options;
  options.write.target = find_target("redis-6.2");
  const Merged refused = merge_files({old_one, new_one}, options);
  CHECK_FALSE(refused.summary.committed);
  CHECK_FALSE(refused.bytes);
  CHECK(refused.summary.losses.of(LossFeature::field_ttl).keys == 1);
  options.permitted_losses = {LossFeature::field_ttl};
  CHECK(merge_files({old_one, new_one}, options).summary.committed);
}

TEST_CASE("merge: AUX fields of the first input, scripts and libraries once") {
  const auto file = [](const std::string& ctime, const std::string& code, const std::string& key) {
    return RdbBuilder(redis, 11)
        .aux("redis-ver", "7.2.6")
        .aux("ctime", ctime)
        .function("#!lua name=same\nreturn 1")
        .function("#!lua name=lib\n" + code)
        .select(0)
        .resize(1, 0)
        .string(key, "v")
        .eof();
  };
  const Lines files = {file("1", "one", "a"), file("2", "two", "b"), file("3", "one", "c")};
  const Merged refused = merge_files(files);
  CHECK_FALSE(refused.bytes);
  CHECK(refused.summary.library_conflicts == 1);
  REQUIRE(refused.summary.first_conflicts.size() == 1);
  CHECK_FALSE(refused.summary.first_conflicts[0].db);
  CHECK(refused.summary.first_conflicts[0].name == "lib");
  CHECK(refused.summary.first_conflicts[0].inputs == Inputs{0, 1, 2});

  const Merged last = merge_files({files[0], files[1]}, deciding(ConflictPolicy::last));
  REQUIRE(last.bytes);
  const Lines records = records_of(*last.bytes);
  CHECK(holds_line(records, "ctime=1"));
  CHECK_FALSE(holds_line(records, "ctime=2"));
  CHECK_FALSE(holds_line(records, "hint"));
  CHECK(std::ranges::count(records, "function #!lua name=same\nreturn 1") == 1);
  CHECK(holds_line(records, "function #!lua name=lib\ntwo"));
  CHECK_FALSE(holds_line(records, "function #!lua name=lib\none"));

  const Merged first = merge_files(files, deciding(ConflictPolicy::first));
  REQUIRE(first.bytes);
  CHECK(holds_line(records_of(*first.bytes), "function #!lua name=lib\none"));

  const auto scripted = [](const std::string& text, const std::string& key) {
    return RdbBuilder(redis, 9).aux("lua", text).select(0).string(key, "v").eof();
  };
  MergeOptions options;
  options.write.target = find_target("redis-6.0");
  const Merged scripts =
      merge_files({scripted("return 1", "a"), scripted("return 1", "b"), scripted("return 2", "c")}, options);
  REQUIRE(scripts.bytes);
  CHECK(std::ranges::count(records_of(*scripts.bytes), "lua=return 1") == 1);
  CHECK(std::ranges::count(records_of(*scripts.bytes), "lua=return 2") == 1);
}

TEST_CASE("merge: logs and JSON Lines besides RDB files") {
  const TempFolder folder;
  const std::string log =
      folder.file("appendonly.aof",
                  "*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$3\r\nlog\r\n"
                  "*3\r\n$3\r\nSET\r\n$1\r\nl\r\n$3\r\nlog\r\n");
  const AppendSet set = single_file_set(log);
  const std::string json = R"({"db":0,"key":"k","type":"string","value":"json"}
{"db":0,"key":"j","type":"string","value":"json"}
)";
  const std::string rdb = strings({"k=rdb", "r=rdb"});
  struct Row {
    ConflictPolicy policy;
    std::string wins;
  };
  for (const Row& row : {Row{ConflictPolicy::first, "rdb"}, Row{ConflictPolicy::last, "json"}}) {
    const auto from_rdb = memory_source(rdb, "a.rdb");
    const auto from_json = memory_source(json, "c.jsonl");
    std::vector<ConvertInput> inputs(3);
    inputs[0].rdb = from_rdb.get();
    inputs[1].log = &set;
    inputs[2].json = from_json.get();
    const Merged merged = merge_inputs(inputs, deciding(row.policy));
    CHECK(merged.summary.committed);
    CHECK(merged.findings.empty());
    CHECK(merged.summary.conflicts == 1);
    Lines expected = tell(strings({"k=" + row.wins, "r=rdb", "l=log", "j=json"})).lines;
    std::ranges::sort(expected);
    CHECK(merged.keys == expected);
    REQUIRE(merged.summary.inputs[1].replay);
    CHECK(merged.summary.inputs[1].keys == 2);
    CHECK(merged.summary.inputs[1].written == 1);
  }
}

TEST_CASE("merge: what can be read only once") {
  PipedSource piped(strings({"a=1", "k=pipe"}));
  const std::string packed = gzip_of(strings({"b=1", "k=gzip"}));
  const TempFolder folder;
  const auto unpacked = open_source(folder.file("b.rdb.gz", packed));
  std::vector<ConvertInput> inputs(2);
  inputs[0].rdb = &piped.source();
  inputs[1].rdb = unpacked.get();
  const Merged merged = merge_inputs(inputs, deciding(ConflictPolicy::first));
  CHECK(merged.summary.committed);
  Lines expected = tell(strings({"a=1", "k=pipe", "b=1"})).lines;
  std::ranges::sort(expected);
  CHECK(merged.keys == expected);
}

TEST_CASE("merge: damaged inputs are refused, or what is whole of them is taken") {
  const std::string sound = strings({"a=1", "k=sound"});
  struct Row {
    const char* what;
    std::string damaged;
    FindingCode code;
    Lines left;  // with the keys of the sound one
  };
  const std::string broken_hash =
      RdbBuilder(redis, 11).select(0).string("x", "1").blob(16, "k", "no listpack").string("y", "2").eof();
  const Row rows[] = {
      {"torn",
       strings({"x=1", "k=torn"}).substr(0, 18),
       FindingCode::rdb_truncated,
       {"a=1", "k=sound", "x=1"}},
      {"a value", broken_hash, FindingCode::listpack_size, {"a=1", "k=sound", "x=1", "y=2"}},
      {"a key twice", strings({"x=1", "x=2"}), FindingCode::rdb_duplicate_key, {"a=1", "k=sound", "x=2"}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    const Merged refused = merge_files({sound, row.damaged}, deciding(ConflictPolicy::last));
    CHECK_FALSE(refused.summary.committed);
    CHECK_FALSE(refused.bytes);
    CHECK(refused.summary.inputs[1].damaged());
    CHECK_FALSE(refused.summary.inputs[0].damaged());
    CHECK_MESSAGE(has(refused.findings, row.code), joined(lines_of(refused.findings)));
    CHECK(refused.findings.size() == 1);

    MergeOptions options = deciding(ConflictPolicy::last);
    options.salvage = true;
    const Merged salvaged = merge_files({sound, row.damaged}, options);
    CHECK(salvaged.summary.committed);
    CHECK(salvaged.findings.size() == 1);
    Lines expected = tell(strings(row.left)).lines;
    std::ranges::sort(expected);
    CHECK_MESSAGE(salvaged.keys == expected, joined(salvaged.keys));
  }
}

// A value that is not looked into is passed over by its lengths, which can lead past damage that the reading
// of it stops at.
TEST_CASE("merge: damage in a value that another input gives") {
  struct Row {
    const char* what;
    RdbBuilder spoiled;  // x, and k
    Lines left;
  };
  const auto with_x = [] { return RdbBuilder(redis, 11).select(0).string("x", "1"); };
  const Row rows[] = {
      {"passed", with_x().blob(16, "k", "no listpack"), {"a=1", "c=1", "x=1", "y=2"}},
      {"not passed", with_x().list_quicklist2("k", {{9, "node"}}), {"a=1", "c=1", "x=1"}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    const std::string damaged = RdbBuilder(row.spoiled).string("y", "2").eof();
    const std::string first = strings({"a=1", "k=first"});
    const std::string last = strings({"c=1", "k=last"});
    for (const ConflictPolicy policy : {ConflictPolicy::first, ConflictPolicy::last}) {
      MergeOptions options = deciding(policy);
      options.salvage = true;
      const Merged merged = merge_files({first, damaged, last}, options);
      REQUIRE(merged.summary.committed);
      Lines specs = row.left;
      specs.push_back("k=" + std::string(conflict_policy_name(policy)));
      Lines expected = tell(strings(specs)).lines;
      std::ranges::sort(expected);
      CHECK_MESSAGE(merged.keys == expected, joined(merged.keys));
      CHECK(merged.findings.size() == 1);
      REQUIRE(merged.summary.first_conflicts.size() == 1);
      CHECK(merged.summary.first_conflicts[0].inputs == Inputs{0, 2});
    }
  }
}

TEST_CASE("merge: what is no dataset, and what is in the way") {
  const Merged merged = merge_files({strings({"a=1"}), "no such thing at all"});
  CHECK_FALSE(merged.bytes);
  CHECK_FALSE(merged.summary.inputs[1].has_header);

  const TempFolder folder;
  const auto source = open_source(folder.file("in.rdb", strings({"a=1"})));
  ConvertInput input;
  input.rdb = source.get();
  FindingList findings;
  OutputOptions output;
  output.path = folder.path("in.rdb");
  output.force = true;
  CHECK_THROWS_AS(merge({&input, 1}, output, findings, {}), EditRefused);
  output.path = folder.file("there.rdb", "there");
  output.force = false;
  CHECK_THROWS_AS(merge({&input, 1}, output, findings, {}), std::system_error);
  CHECK(read_file(output.path) == "there");
  output.dry_run = true;
  CHECK(merge({&input, 1}, output, findings, {}).written == 1);
  CHECK(read_file(output.path) == "there");
  output.dry_run = false;
  output.force = true;
  CHECK(merge({&input, 1}, output, findings, {}).committed);
  CHECK(tell(read_file(output.path)).lines == tell(strings({"a=1"})).lines);
}

TEST_CASE("merge: very many conflicts, by several threads") {
  constexpr size_t kKeys = 30000;
  Lines a;
  Lines b;
  Lines expected;
  for (size_t i = 0; i < kKeys; ++i) {
    const std::string key = "key:" + std::to_string(i);
    if (i % 3 != 0) a.push_back(key + "=a");
    if (i % 3 != 1) b.push_back(key + "=b");
    expected.push_back(key + (i % 3 != 0 ? "=a" : "=b"));
  }
  MergeOptions options = deciding(ConflictPolicy::first);
  options.threads = 3;
  const Merged merged = merge_files({strings(a), strings(b)}, options);
  CHECK(merged.summary.conflicts == kKeys / 3);
  CHECK(merged.summary.first_conflicts.size() == 10);
  CHECK(merged.summary.first_conflicts.front().name == "key:2");
  expected = tell(strings(expected)).lines;
  std::ranges::sort(expected);
  CHECK(merged.keys == expected);
  CHECK(merged.summary.inputs[0].written + merged.summary.inputs[1].written == kKeys);
}

TEST_CASE("merge: the names of policies") {
  for (const ConflictPolicy policy :
       {ConflictPolicy::refuse, ConflictPolicy::first, ConflictPolicy::last, ConflictPolicy::newest_ttl})
    CHECK(find_conflict_policy(conflict_policy_name(policy)) == policy);
  CHECK(conflict_policy_name(ConflictPolicy::newest_ttl) == "newest-ttl");
  CHECK_FALSE(find_conflict_policy("oldest"));
}
