// strip: what every kind of option takes out, that the rest is the input byte for byte, and that what went
// lies in the lost folder.
#include "persist/strip.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <stdexcept>

#include "persist/check_set.hpp"
#include "support/files.hpp"
#include "support/rdb_builder.hpp"
#include "support/verbs.hpp"

using namespace persist;
using namespace persist::test;

namespace {

using Words = std::vector<std::string>;

std::string command(const Words& words) {
  std::string text = "*" + std::to_string(words.size()) + "\r\n";
  for (const std::string& word : words) text += "$" + std::to_string(word.size()) + "\r\n" + word + "\r\n";
  return text;
}

// "SET a 1|DEL a": commands with their words; "#..." is an annotation.
std::string log_of(Bytes text) {
  std::string log;
  while (!text.empty()) {
    const Bytes one = text.substr(0, text.find('|'));
    text.remove_prefix(std::min(text.size(), one.size() + 1));
    if (one.starts_with('#')) {
      log += std::string(one) + "\r\n";
      continue;
    }
    Words words;
    for (size_t at = 0; at <= one.size();) {
      const size_t end = std::min(one.find(' ', at), one.size());
      words.emplace_back(one.substr(at, end - at));
      at = end + 1;
    }
    log += command(words);
  }
  return log;
}

struct Stripped {
  StripSummary summary;
  std::string bytes;
  std::string lost;
};

Stripped strip(const std::string& input, const StripOptions& options) {
  const TempFolder folder;
  const std::string path = folder.file("in", input);
  OutputOptions output;
  output.path = folder.path("out");
  Stripped stripped;
  stripped.summary = strip_set(single_file_set(path), options, output);
  stripped.bytes = read_file(output.path);
  if (!stripped.summary.edit.lost.empty()) stripped.lost = read_file(stripped.summary.edit.lost + "/in");
  return stripped;
}

// What is left of the log, and what is lost of it.
void check_log(Bytes input, const StripOptions& options, Bytes rest, Bytes lost) {
  CAPTURE(input);
  const Stripped stripped = strip(log_of(input), options);
  CHECK(stripped.bytes == log_of(rest));
  CHECK(stripped.lost == log_of(lost));
  CHECK(stripped.summary.matched == !lost.empty());
  CHECK(stripped.summary.edit.bytes_kept == stripped.bytes.size());
  CHECK(stripped.summary.edit.bytes_dropped == stripped.lost.size());
}

StripOptions by_command(const Words& names) {
  StripOptions options;
  options.commands = names;
  return options;
}
StripOptions by_key(const std::string& glob) {
  StripOptions options;
  options.keys.key_globs = {glob};
  return options;
}
StripOptions by_db(uint64_t db) {
  StripOptions options;
  options.keys.dbs = {db};
  return options;
}

EditRefused::Kind refusal_of(Bytes input, const StripOptions& options) {
  try {
    (void)strip(log_of(input), options);
  } catch (const EditRefused& refusal) {
    return refusal.kind;
  }
  throw std::logic_error("nothing was refused");
}

std::vector<std::string> lines_of_dump(const std::string& file) {
  const Dumped dumped = dump(Bytes(file), DumpOptions{});
  CHECK(dumped.findings.empty());
  return split_lines(dumped.text);
}

std::string sample_rdb(unsigned version) {
  return RdbBuilder(redis, version)
      .aux("redis-ver", "7.2.6")
      .aux("ctime", "1795213737")
      .select(0)
      .resize(3, 1)
      .string("a", "1")
      .expire_ms(4102444800123)
      .string("tmp:b", "22")
      .hash("tmp:h", {{"f", "v"}})
      .select(3)
      .string("tmp:three", "3")
      .eof();
}

}  // namespace

TEST_CASE("commands by name, in any letter case") {
  check_log("SET a 1|del a|DEL b|INCR c", by_command({"Del"}), "SET a 1|INCR c", "del a|DEL b");
  check_log("SET a 1|INCR c", by_command({"DEL"}), "SET a 1|INCR c", "");
  check_log("SET a 1|my.cmd x|INCR c", by_command({"MY.CMD"}), "SET a 1|INCR c", "my.cmd x");
  check_log("SELECT 0|FLUSHALL|SET a 1", by_command({"FLUSHALL", "FLUSHDB"}), "SELECT 0|SET a 1", "FLUSHALL");
  const Stripped stripped = strip(log_of("DEL a|SET a 1|DEL b|FLUSHALL"), by_command({"del", "flushall"}));
  REQUIRE(stripped.summary.commands.size() == 2);
  CHECK(stripped.summary.commands[0].name == "del");
  CHECK(stripped.summary.commands[0].count == 2);
  CHECK(stripped.summary.commands[1].name == "flushall");
  CHECK(stripped.summary.edit.commands_dropped == 3);
  CHECK(stripped.summary.edit.runs_dropped == 2);
}

TEST_CASE("commands by their keys") {
  check_log("SELECT 0|SET tmp:a 1|SET b 2|DEL tmp:a|PING", by_key("tmp:*"), "SELECT 0|SET b 2|PING",
            "SET tmp:a 1|DEL tmp:a");
  // All of several keys, or not at all.
  check_log("MSET tmp:a 1 tmp:b 2|DEL tmp:a b|SET c 1", by_key("tmp:*"), "DEL tmp:a b|SET c 1",
            "MSET tmp:a 1 tmp:b 2");
  CHECK(strip(log_of("DEL tmp:a b|RENAME b tmp:b|DEL c"), by_key("tmp:*")).summary.shared == 2);
  StripOptions any = by_key("tmp:*");
  any.any_key = true;
  check_log("DEL tmp:a b|SET c 1", any, "SET c 1", "DEL tmp:a b");
  StripOptions others = by_key("keep:*");
  others.keys.invert = true;
  check_log("SELECT 0|SET keep:a 1|SET b 2|DEL keep:a b|PING", others,
            "SELECT 0|SET keep:a 1|DEL keep:a b|PING", "SET b 2");
  StripOptions regex;
  regex.keys.key_regexes = {"^t.p$"};
  check_log("SET tap 1|SET taps 1", regex, "SET taps 1", "SET tap 1");
  StripOptions slot;
  slot.keys.slots = {{12182, 12182}};  // of "foo"
  check_log("SET foo 1|SET {foo}bar 1|SET b 1", slot, "SET b 1", "SET foo 1|SET {foo}bar 1");
  // The keys of a command nobody knows: its first word.
  check_log("JSON.SET tmp:j $ 1|JSON.SET j $ 1", by_key("tmp:*"), "JSON.SET j $ 1", "JSON.SET tmp:j $ 1");
}

TEST_CASE("commands by their database") {
  check_log("SET a 1|SELECT 3|SET a 2|SELECT 0|SET b 1", by_db(3), "SET a 1|SELECT 3|SELECT 0|SET b 1",
            "SET a 2");
  check_log("SELECT 3|FLUSHDB|SELECT 0|FLUSHDB", by_db(3), "SELECT 3|SELECT 0|FLUSHDB", "FLUSHDB");
  // What works on others, too.
  check_log("FLUSHALL|SWAPDB 3 1|MOVE a 3|COPY a b DB 3|COPY a b", by_db(3),
            "FLUSHALL|SWAPDB 3 1|MOVE a 3|COPY a b DB 3|COPY a b", "");
  StripOptions any = by_db(3);
  any.any_key = true;
  check_log("FLUSHALL|SWAPDB 3 1|MOVE a 3|COPY a b DB 3|COPY a b|SWAPDB 1 2", any, "COPY a b|SWAPDB 1 2",
            "FLUSHALL|SWAPDB 3 1|MOVE a 3|COPY a b DB 3");
  // With keys, only what has keys.
  StripOptions both = by_db(0);
  both.keys.key_globs = {"*"};
  check_log("FLUSHDB|SET a 1", both, "FLUSHDB", "SET a 1");
}

TEST_CASE("kinds have to agree") {
  StripOptions options = by_key("tmp:*");
  options.commands = {"set"};
  options.keys.dbs = {3};
  check_log("SET tmp:a 1|SELECT 3|SET tmp:a 1|SET a 1|DEL tmp:a", options,
            "SET tmp:a 1|SELECT 3|SET a 1|DEL tmp:a", "SET tmp:a 1");
  StripOptions none = by_command({"set"});
  none.keys.types = {ValueType::hash};
  CHECK(refusal_of("SET a 1", none) == EditRefused::Kind::unusable);
}

TEST_CASE("records by index, by offset, and annotations") {
  StripOptions index;
  index.indexes = {{1, 2}, {4, 4}, {2, 2}};
  check_log("SET a 0|SET a 1|SET a 2|SET a 3|SET a 4|SET a 5", index, "SET a 0|SET a 3|SET a 5",
            "SET a 1|SET a 2|SET a 4");
  const uint64_t size = log_of("SET a 0").size();
  StripOptions offset;
  offset.offsets = {{"", {1, 2 * size}}};
  check_log("SET a 0|SET a 1|SET a 2|SET a 3", offset, "SET a 0|SET a 3", "SET a 1|SET a 2");
  check_log("SET a 0|#TS:1|SET a 1|SET a 2|#TS:2", offset, "SET a 0|SET a 2|#TS:2", "#TS:1|SET a 1");
  offset.annotations = true;
  check_log("SET a 0|#TS:1|SET a 1|SET a 2|#TS:2", offset, "SET a 0|SET a 1|SET a 2|#TS:2", "#TS:1");
  offset.offsets = {{"other", {0, 1}}};
  CHECK(refusal_of("SET a 1", offset) == EditRefused::Kind::unusable);
  StripOptions annotations;
  annotations.annotations = true;
  check_log("#TS:1|SET a 0|#what|MULTI|#x|SET b 1|EXEC", annotations, "SET a 0|MULTI|SET b 1|EXEC",
            "#TS:1|#what|#x");
  // A SELECT goes if it is asked for.
  StripOptions select;
  select.indexes = {{0, 0}};
  check_log("SELECT 1|SET a 1", select, "SET a 1", "SELECT 1");
}

TEST_CASE("transactions") {
  check_log("MULTI|SET tmp:a 1|SET b 1|EXEC|SET c 1", by_key("tmp:*"), "MULTI|SET b 1|EXEC|SET c 1",
            "SET tmp:a 1");
  check_log("MULTI|SET tmp:a 1|DEL tmp:b|EXEC|SET c 1", by_key("tmp:*"), "SET c 1",
            "MULTI|SET tmp:a 1|DEL tmp:b|EXEC");
  check_log("MULTI|EXEC|SET tmp:a 1", by_key("tmp:*"), "MULTI|EXEC", "SET tmp:a 1");
  check_log("MULTI|SELECT 2|SET tmp:a 1|EXEC|SET c 1", by_key("tmp:*"), "MULTI|SELECT 2|EXEC|SET c 1",
            "SET tmp:a 1");
  check_log("MULTI|SET tmp:a 1|#TS:1|SET tmp:b 1|EXEC", by_key("tmp:*"), "#TS:1",
            "MULTI|SET tmp:a 1|SET tmp:b 1|EXEC");
  check_log("MULTI|SET a 1|EXEC", by_command({"multi", "exec"}), "SET a 1", "MULTI|EXEC");
  check_log("SET a 1|EXEC", by_command({"exec"}), "SET a 1", "EXEC");
  CHECK(refusal_of("MULTI|SET a 1|EXEC", by_command({"multi"})) == EditRefused::Kind::unusable);
  CHECK(refusal_of("MULTI|SET a 1|EXEC", by_command({"exec"})) == EditRefused::Kind::unusable);
  const StripSummary summary = strip(log_of("MULTI|SET tmp:a 1|EXEC"), by_key("tmp:*")).summary;
  CHECK(summary.transactions_emptied == 1);
  CHECK(summary.edit.commands_dropped == 3);
}

TEST_CASE("a transaction of more runs than are kept back") {
  std::string inside;
  std::string rest = "MULTI|";
  for (int i = 0; i < 70'000; ++i) {
    inside += "SET tmp 1|SET a 1|";
    rest += "SET a 1|";
  }
  const Stripped closed = strip(log_of("MULTI|" + inside + "EXEC|SET tmp 1"), by_key("tmp"));
  CHECK(closed.bytes == log_of(rest + "EXEC"));
  CHECK(closed.summary.commands.front().count == 70'001);
  const Stripped open = strip(log_of("SET a 1|MULTI|" + inside + "SET a 1"), by_key("tmp"));
  CHECK(open.bytes == log_of("SET a 1"));
  CHECK(!open.summary.matched);
  REQUIRE(open.summary.tail);
  CHECK(open.summary.edit.commands_dropped == 140'002);
}

TEST_CASE("a damaged tail is cut off, damage in the middle refused") {
  const std::string whole = log_of("SET tmp:a 1|SET b 1|MULTI|SET tmp:c 1");
  const std::string torn = log_of("SET d 1").substr(0, 17);
  const Stripped stripped = strip(whole + torn, by_key("tmp:*"));
  CHECK(stripped.bytes == log_of("SET b 1"));
  CHECK(stripped.lost == log_of("SET tmp:a 1|MULTI|SET tmp:c 1") + torn);
  REQUIRE(stripped.summary.tail);
  CHECK(stripped.summary.commands.size() == 1);
  CHECK(stripped.summary.commands.front().count == 1);

  StripOptions annotations;
  annotations.annotations = true;
  const Stripped before = strip(log_of("SET a 1|#TS:1") + "garbage", annotations);
  CHECK(before.bytes == log_of("SET a 1"));
  CHECK(before.lost == log_of("#TS:1") + "garbage");

  try {
    (void)strip(log_of("SET a 1") + "garbage" + log_of("SET b 1|SET c 1"), by_key("a"));
    CHECK(false);
  } catch (const EditRefused& refusal) {
    CHECK(refusal.kind == EditRefused::Kind::beyond);
    CHECK(std::string(refusal.what()).find("persist repair") != std::string::npos);
  }
}

TEST_CASE("cut at every length, a log loses its tail at most") {
  const std::string whole = log_of("SET tmp:a 1|SELECT 2|MULTI|SET b 1|DEL tmp:c|EXEC|SET tmp:d 1|SET e 1");
  const std::string kept = log_of("SELECT 2|MULTI|SET b 1|EXEC|SET e 1");
  for (size_t size = 1; size <= whole.size(); ++size) {
    CAPTURE(size);
    const Stripped stripped = strip(whole.substr(0, size), by_key("tmp:*"));
    CHECK(kept.starts_with(stripped.bytes));
    CHECK(stripped.bytes.size() + stripped.lost.size() == size);
  }
}

TEST_CASE("entries of RDB files") {
  const std::string file = sample_rdb(11);
  const Stripped stripped = strip(file, by_key("tmp:*"));
  CHECK(lines_of_dump(stripped.bytes).size() == 1);
  CHECK(stripped.summary.edit.keys_dropped == 3);
  REQUIRE(stripped.summary.keys.size() == 2);
  CHECK(stripped.summary.keys[0].name == "string");
  CHECK(stripped.summary.keys[0].count == 2);
  CHECK(stripped.bytes == RdbBuilder(redis, 11)
                              .aux("redis-ver", "7.2.6")
                              .aux("ctime", "1795213737")
                              .select(0)
                              .resize(3, 1)
                              .string("a", "1")
                              .select(3)
                              .eof());
  // All that is not in the result, its new checksum aside, is in the lost folder.
  CHECK(stripped.bytes.size() + stripped.lost.size() == file.size() + 8);
  CHECK(file.ends_with(stripped.lost.substr(stripped.lost.size() - 8)));

  CHECK(lines_of_dump(strip(file, by_db(3)).bytes).size() == 3);
  StripOptions type;
  type.keys.types = {ValueType::hash};
  CHECK(lines_of_dump(strip(file, type).bytes).size() == 3);
  StripOptions aux;
  aux.aux = {"ctime"};
  CHECK(strip(file, aux).summary.aux_fields == 1);
  CHECK(strip(file, aux).bytes.find("ctime") == std::string::npos);
  // Options that speak only of commands.
  CHECK(strip(file, by_command({"set"})).bytes == file);
  StripOptions both = by_command({"set"});
  both.keys.key_globs = {"tmp:*"};
  CHECK(strip(file, both).bytes == file);
}

TEST_CASE("checksums are as they were: good, disabled or absent") {
  const auto file = [](unsigned version) {
    return RdbBuilder(redis, version).select(0).string("a", "1").string("b", "2");
  };
  const std::string disabled = strip(file(11).eof(0), by_key("a")).bytes;
  CHECK(disabled.ends_with(std::string(8, '\0')));
  CHECK(strip(file(4).eof(), by_key("a")).bytes == RdbBuilder(redis, 4).select(0).string("b", "2").eof());
  CHECK(strip(file(11).eof(), by_key("a")).bytes == RdbBuilder(redis, 11).select(0).string("b", "2").eof());
  // One that is wrong is not made to look right.
  CHECK_THROWS_AS(strip(file(11).eof(4711), by_key("a")), EditRefused);
  CHECK_THROWS_AS(strip(file(11).eof(4711), by_command({"set"})), EditRefused);
}

TEST_CASE("module values, module aux records, function libraries") {
  const std::string payload("\x02\x07\x00", 3);
  const std::string file = RdbBuilder(redis, 11)
                               .function("#!lua name=x\nreturn 1")
                               .module_aux(module_id_of("test__mod", 1), 1, payload)
                               .module_aux(module_id_of("other_mod", 1), 1, payload)
                               .select(0)
                               .module("m", module_id_of("test__mod", 1), payload)
                               .module("n", module_id_of("other_mod", 1), payload)
                               .string("s", "1")
                               .eof();
  StripOptions options;
  options.modules = {"test__mod"};
  const StripSummary summary = strip(file, options).summary;
  CHECK(summary.module_aux == 1);
  CHECK(summary.edit.keys_dropped == 1);
  options.keys.key_globs = {"n"};
  CHECK(!strip(file, options).summary.matched);
  options.keys.key_globs = {"m"};
  CHECK(strip(file, options).summary.module_aux == 0);
  CHECK(strip(file, options).summary.edit.keys_dropped == 1);
  StripOptions functions;
  functions.functions = true;
  CHECK(strip(file, functions).summary.functions == 1);
}

TEST_CASE("an RDB preamble and its log") {
  const std::string log = log_of("SELECT 0|SET tmp:x 1|SET a 2");
  const std::string file = sample_rdb(11) + log;
  const Stripped stripped = strip(file, by_key("tmp:*"));
  CHECK(stripped.bytes.ends_with(log_of("SELECT 0|SET a 2")));
  CHECK(stripped.summary.edit.keys_dropped == 3);
  CHECK(stripped.summary.edit.commands_dropped == 1);
  const Stripped only_log = strip(file, by_command({"set"}));
  CHECK(only_log.bytes == sample_rdb(11) + log_of("SELECT 0"));
}

TEST_CASE("a key in a command that is too large to be held") {
  Words words = {"DEL"};
  for (int i = 0; i < 700'000; ++i) words.push_back("tmp:" + std::to_string(i));
  const std::string all = command(words);
  words.push_back("other");
  const std::string most = command(words);
  const std::string big = command({"SET", "tmp:big", std::string(5'000'000, 'x')});
  const Stripped stripped = strip(all + most + big, by_key("tmp:*"));
  CHECK(stripped.bytes == most);
  CHECK(stripped.summary.shared == 1);
}

TEST_CASE("in place, nothing is done if nothing matches") {
  const TempFolder folder;
  const std::string path = folder.file("in", log_of("SET a 1|SET b 1"));
  OutputOptions output;
  output.in_place = true;
  CHECK(!strip_set(single_file_set(path), by_key("x"), output).matched);
  CHECK(folder.names() == std::vector<std::string>{"in"});
  const StripSummary summary = strip_set(single_file_set(path), by_key("a"), output);
  CHECK(read_file(path) == log_of("SET b 1"));
  CHECK(read_file(summary.edit.backup) == log_of("SET a 1|SET b 1"));
}
