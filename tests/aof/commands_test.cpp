// The table of commands: names in every letter case, arities, where keys are, and since when.
#include "aof/commands.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <vector>

using namespace persist;

namespace {

std::string upper(std::string text) {
  for (char& byte : text) byte = byte >= 'a' && byte <= 'z' ? static_cast<char>(byte & ~0x20) : byte;
  return text;
}

std::string mixed(std::string text) {
  for (size_t i = 1; i < text.size(); i += 2) text[i] = upper(std::string(1, text[i])).front();
  return text;
}

// Looks the name up in a buffer that ends where it does, so that a sanitizer sees a read beyond it.
const CommandSpec* find_exactly(const std::string& name) {
  const auto buffer = std::make_unique<char[]>(name.size());
  std::copy(name.begin(), name.end(), buffer.get());
  return find_command(Bytes(buffer.get(), name.size()));
}

bool is_subcommand(const CommandSpec& spec) { return spec.name.find('|') != Bytes::npos; }

const CommandSpec& command(Bytes name) {
  const CommandSpec* spec = find_command(name.substr(0, name.find('|')));
  REQUIRE(spec != nullptr);
  if (name.find('|') != Bytes::npos) spec = find_subcommand(*spec, name.substr(name.find('|') + 1));
  REQUIRE(spec != nullptr);
  return *spec;
}

// "a b ''" as three words, the last of them empty.
std::vector<Bytes> views_of(Bytes line) {
  std::vector<Bytes> words;
  while (!line.empty()) {
    const Bytes word = line.substr(0, line.find(' '));
    words.push_back(word == "''" ? Bytes() : word);
    line.remove_prefix(std::min(word.size() + 1, line.size()));
  }
  return words;
}

// The indexes told, in the order of telling: "1 3".
std::string keys_of(const CommandSpec& spec, const std::vector<Bytes>& args) {
  std::string told;
  for_each_key(spec, args, [&](size_t index) { told += (told.empty() ? "" : " ") + std::to_string(index); });
  return told;
}

std::string keys_of(Bytes line) {
  const std::vector<Bytes> args = views_of(line);
  return keys_of(command(args.front()), args);
}

struct KeyRow {
  Bytes line;
  Bytes keys;
};

constexpr KeyRow kKeys[] = {
    {"get k", "1"},
    {"SET k v PXAT 5", "1"},
    {"ping", ""},
    {"select 3", ""},
    {"flushall async", ""},
    {"del a b c", "1 2 3"},
    {"mset a 1 b 2", "1 3"},
    {"msetex 2 a 1 b 2 ex 5", "2 4"},
    {"rename a b", "1 2"},
    {"lmove a b left right", "1 2"},
    {"blpop a b 0", "1 2"},
    {"blmpop 0 2 a b left", "3 4"},
    {"lmpop 2 a b left", "2 3"},
    {"bitop and d a b", "2 3 4"},
    {"sinterstore d a b", "1 2 3"},
    {"zunionstore d 2 a b weights 1 2", "1 3 4"},
    {"zinter 2 a b withscores", "2 3"},
    {"zrangestore d s 0 -1", "1 2"},
    {"eval text 2 a b c", "3 4"},
    {"evalsha sum 0 c", ""},
    {"xadd s * f v", "1"},
    {"xread count 2 streams a b 0 0", "4 5"},
    {"xreadgroup group g streams streams a >", "5"},
    {"xgroup create s g $", "2"},
    {"XGROUP CreateConsumer s g c", "2"},
    {"object encoding k", "2"},
    {"memory usage k", "2"},
    {"function load text", ""},
    {"himport set k fields v", "2"},
    {"migrate h 1 k 0 5", "3"},
    {"migrate h 1 '' 0 5 copy keys a b", "8 9"},
    {"migrate h 1 '' 0 5 auth keys keys a", "9"},
    {"migrate h 1 '' 0 5 auth2 keys keys keys a", "10"},
    {"sort l", "1"},
    {"sort l by w_* get # store d", "1 7"},
    {"sort l get store store a STORE b", "1 7"},
    {"sort l limit 0 store", "1"},
    {"sort_ro l by store", "1"},
    {"georadius k 1 2 3 km", "1"},
    {"georadius k 1 2 3 km asc storedist d", "1 8"},
    {"georadiusbymember k m 3 km store d", "1 6"},
    {"georadiusbymember store store 3 km", "1"},
    {"geosearchstore d s frommember m byradius 1 km", "1 2"},
    {"stralgo lcs minmatchlen keys keys a b", "5 6"},
    {"stralgo lcs strings keys keys", ""},
    {"pfcount a b", "1 2"},
    {"vadd k values 1 0.5 e", "1"},
    {"arset k 0 v", "1"},
    {"lmovem a b left right", "1 2"},
    {"spublish c m", ""},
};

// What is missing or absurd leaves the keys that are there.
constexpr KeyRow kHostileKeys[] = {
    {"get", ""},
    {"rename a", "1"},
    {"bitop and", ""},
    {"blpop", ""},
    {"blpop 0", ""},
    {"mset a 1 b", "1 3"},
    {"lmpop", ""},
    {"lmpop 2", ""},
    {"lmpop -1 a", ""},
    {"lmpop x a", ""},
    {"lmpop '' a", ""},
    {"lmpop +1 a", ""},
    {"lmpop 9999999999 a b", "2 3"},
    {"lmpop 99999999999999999999999999999999999999 a b", "2 3"},
    {"msetex 18446744073709551615 a 1 b", "2 4"},
    {"zunionstore d", "1"},
    {"zunionstore d 18446744073709551616 a b", "1 3 4"},
    {"eval text", ""},
    {"eval text 4294967296 a", "3"},
    {"xread", ""},
    {"xread streams", ""},
    {"xread streams a", ""},
    {"xread streams a b 0", "2"},
    {"xread count 2", ""},
    {"xreadgroup group g streams", ""},
    {"migrate h 1", ""},
    {"migrate h 1 ''", ""},
    {"migrate h 1 '' 0 5 keys", ""},
    {"migrate h 1 '' 0 5 auth", ""},
    {"migrate h 1 '' 0 5 auth2 a", ""},
    {"sort", ""},
    {"sort l store", "1"},
    {"sort l limit", "1"},
    {"georadius k store d", "1"},
    {"georadius k 1 2 3 km store", "1"},
    {"stralgo", ""},
    {"stralgo lcs keys a", "3"},
    {"stralgo lcs minmatchlen", ""},
    {"xgroup", ""},
    {"xgroup nothing k", ""},
    {"xgroup create", ""},
};

}  // namespace

TEST_CASE("commands: the rows are sorted and each is there once") {
  const auto specs = command_specs();
  CHECK(specs.size() > 450);
  for (size_t i = 1; i < specs.size(); ++i) {
    CAPTURE(specs[i].name);
    CHECK(specs[i - 1].name < specs[i].name);
  }
}

TEST_CASE("commands: every row makes sense") {
  for (const CommandSpec& spec : command_specs()) {
    CAPTURE(spec.name);
    CHECK(std::ranges::none_of(spec.name, [](char byte) { return byte >= 'A' && byte <= 'Z'; }));
    CHECK(spec.arity != 0);
    CHECK((spec.since_redis == 0 || (spec.since_redis >= 100 && spec.since_redis <= 810)));
    CHECK((spec.since_valkey == 0 || (spec.since_valkey >= 702 && spec.since_valkey <= 901)));
    CHECK((spec.since_redis != 0 || spec.since_valkey != 0));
    CHECK(spec.keys.step > 0);
    if (is_subcommand(spec)) CHECK(command(spec.name.substr(0, spec.name.find('|'))).has(kCommandContainer));
  }
}

TEST_CASE("commands: every row is found in every letter case") {
  for (const CommandSpec& spec : command_specs()) {
    CAPTURE(spec.name);
    if (is_subcommand(spec)) {
      const size_t bar = spec.name.find('|');
      const CommandSpec& container = command(spec.name.substr(0, bar));
      const std::string word(spec.name.substr(bar + 1));
      for (const std::string& written : {word, upper(word), mixed(word)})
        CHECK(find_subcommand(container, written) == &spec);
      CHECK(find_command(spec.name) == nullptr);
    } else {
      const std::string name(spec.name);
      for (const std::string& written : {name, upper(name), mixed(name)})
        CHECK(find_exactly(written) == &spec);
    }
  }
}

TEST_CASE("commands: what only resembles a name is not found") {
  std::set<std::string> names;
  for (const CommandSpec& spec : command_specs()) names.emplace(spec.name);
  const auto check_unknown = [&](const std::string& name) {
    CAPTURE(name);
    if (!names.contains(name)) CHECK(find_exactly(name) == nullptr);
  };
  for (const std::string& name : names) {
    for (size_t size = 0; size < name.size(); ++size) check_unknown(name.substr(0, size));
    for (const char byte : {'\0', ' ', 's', '|', '_', '\xff'}) check_unknown(name + byte);
    for (size_t at = 0; at < name.size(); ++at) {
      for (int bit = 0; bit < 8; ++bit) {
        std::string changed = name;
        changed[at] = static_cast<char>(changed[at] ^ (1 << bit));
        const bool other_case = bit == 5 && name[at] >= 'a' && name[at] <= 'z';
        if (!other_case) check_unknown(changed);
      }
    }
  }
}

TEST_CASE("commands: names that no server has") {
  for (const Bytes name : {"", "x", "json.set", "georadiusbymember_rooooo", "georadiusbymember_roooooo"})
    CHECK(find_command(name) == nullptr);
  CHECK(find_command(Bytes()) == nullptr);
  CHECK(find_command(std::string(100000, 'a')) == nullptr);
  CHECK(find_command(Bytes("get\0", 4)) == nullptr);
  CHECK(find_command(Bytes("\0\0\0", 3)) == nullptr);
  CHECK(find_command(Bytes("\0", 1)) == nullptr);
}

TEST_CASE("commands: folding moves letters only") {
  CHECK(find_command("HOST:") == &command("host:"));
  CHECK(find_command("host\x1a") == nullptr);  // ':' less 0x20
  CHECK(find_command("restore\x0d"
                     "asking") == nullptr);      // '-' less 0x20
  CHECK(find_command("eval\x7fro") == nullptr);  // '_' and 0x20
  CHECK(find_command("s\xe5t") == nullptr);      // 'e' and 0x80
  CHECK(find_command("RESTORE-asking") == &command("restore-asking"));
}

TEST_CASE("commands: subcommands belong to their container") {
  CHECK(find_subcommand(command("xgroup"), "setid") == &command("xgroup|setid"));
  CHECK(find_subcommand(command("xgroup"), "") == nullptr);
  CHECK(find_subcommand(command("xgroup"), "set") == nullptr);
  CHECK(find_subcommand(command("xgroup"), "setidd") == nullptr);
  CHECK(find_subcommand(command("command"), "get") == nullptr);  // COMMANDLOG has it
  CHECK(find_subcommand(command("commandlog"), "get") != nullptr);
  CHECK(find_subcommand(command("get"), "create") == nullptr);
  CHECK(find_subcommand(command("xgroup|create"), "create") == nullptr);
}

TEST_CASE("commands: arity") {
  CHECK(arity_fits(command("get"), 2));
  CHECK_FALSE(arity_fits(command("get"), 1));
  CHECK_FALSE(arity_fits(command("get"), 3));
  CHECK(arity_fits(command("set"), 3));
  CHECK(arity_fits(command("set"), 5));
  CHECK_FALSE(arity_fits(command("set"), 2));
  CHECK_FALSE(arity_fits(command("set"), 0));
  CHECK(arity_fits(command("multi"), 1));
  CHECK_FALSE(arity_fits(command("multi"), 2));
  CHECK(arity_fits(command("xgroup|create"), 5));
  CHECK_FALSE(arity_fits(command("xgroup|create"), 4));
  CHECK(arity_fits(command("hpexpireat"), 1000000));
}

TEST_CASE("commands: kinds and flags") {
  CHECK(command("MULTI").kind == CommandKind::multi);
  CHECK(command("EXEC").kind == CommandKind::exec);
  CHECK(command("DISCARD").kind == CommandKind::discard);
  CHECK(command("SELECT").kind == CommandKind::select);
  CHECK(command("SWAPDB").kind == CommandKind::swapdb);
  CHECK(command("FLUSHDB").kind == CommandKind::flushdb);
  CHECK(command("FLUSHALL").kind == CommandKind::flushall);
  for (const Bytes name : {"eval", "eval_ro", "evalsha", "fcall", "fcall_ro", "script", "script|load"})
    CHECK(command(name).kind == CommandKind::script);
  CHECK(command("function").kind == CommandKind::function);
  CHECK(command("function|load").kind == CommandKind::function);
  CHECK(command("set").kind == CommandKind::other);
  CHECK(command("script|flush").kind == CommandKind::script);

  CHECK(command("set").has(kCommandWrites));
  CHECK_FALSE(command("get").has(kCommandWrites));
  CHECK(command("xgroup").has(kCommandWrites));
  CHECK(command("pfcount").has(kCommandWrites));
  CHECK(command("restore-asking").has(kCommandWrites));
  CHECK_FALSE(command("multi").has(kCommandWrites));
  CHECK(command("shutdown").has(kCommandAdmin));
  for (const CommandSpec& spec : command_specs()) {
    CAPTURE(spec.name);
    CHECK(spec.has(kCommandFlushes) == (spec.name == "flushall" || spec.name == "flushdb"));
    CHECK(spec.has(kCommandRunsCode) == (spec.kind == CommandKind::script));
  }
}

TEST_CASE("commands: where the keys are") {
  for (const KeyRow& row : kKeys) {
    CAPTURE(row.line);
    CHECK(keys_of(row.line) == row.keys);
  }
}

TEST_CASE("commands: keys of what is not well-formed") {
  for (const KeyRow& row : kHostileKeys) {
    CAPTURE(row.line);
    CHECK(keys_of(row.line) == row.keys);
  }
}

// Every rule, over words that any option could be, cut at every place.
TEST_CASE("commands: no index beyond the words, and none twice") {
  const std::vector<Bytes> lines = {"x 1 2 3 4 5 6 7 8",
                                    "x 99999999999999999999 9 9 9",
                                    "x store store store store store store store",
                                    "x y z '' keys keys auth auth2 keys",
                                    "x '' '' '' '' '' '' ''",
                                    "x streams streams streams streams",
                                    "x lcs minmatchlen strings keys a",
                                    "x limit get by store storedist limit"};
  for (const CommandSpec& spec : command_specs()) {
    for (const Bytes line : lines) {
      std::vector<Bytes> args = views_of(line);
      for (; !args.empty(); args.pop_back()) {
        std::set<size_t> told;
        const std::vector<Bytes> exact(args);
        for_each_key(spec, exact, [&](size_t index) {
          CHECK(index > 0);
          CHECK(index < exact.size());
          CHECK(told.insert(index).second);
        });
      }
    }
    for_each_key(spec, {}, [](size_t) { FAIL("a key in no words"); });
  }
}

TEST_CASE("commands: since when") {
  const auto redis = [](Bytes name, unsigned version) {
    return known_in(command(name), Dialect::redis, version);
  };
  const auto valkey = [](Bytes name, unsigned version) {
    return known_in(command(name), Dialect::valkey, version);
  };
  CHECK(redis("get", 100));
  CHECK(valkey("get", 702));
  CHECK_FALSE(redis("unlink", 302));
  CHECK(redis("unlink", 400));
  CHECK_FALSE(redis("hpexpireat", 702));
  CHECK(redis("hpexpireat", 704));
  CHECK_FALSE(valkey("hpexpireat", 801));
  CHECK(valkey("hpexpireat", 900));
  CHECK_FALSE(valkey("hgetdel", 900));
  CHECK(valkey("hgetdel", 901));
  CHECK(redis("hgetdel", 800));
  CHECK(valkey("delifeq", 900));
  CHECK_FALSE(redis("delifeq", 999));
  CHECK(redis("delex", 804));
  CHECK_FALSE(valkey("delex", 999));
  CHECK_FALSE(redis("lmovem", 808));
  CHECK(redis("lmovem", 810));
  CHECK(redis("xidmprecord", 806));
  CHECK(redis("arset", 808));
  CHECK(redis("vadd", 800));
  CHECK(redis("stralgo", 602));
  CHECK_FALSE(valkey("stralgo", 901));
  CHECK(redis("substr", 100));
  CHECK(valkey("cluster|syncslots", 900));
  CHECK(redis("cluster|syncslots", 804));
}
