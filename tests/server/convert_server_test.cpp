// What convert and compact write, a real redis-server loads, and holds then what was in the input: every
// sound file of the test data, for every release that the server reads.
//
// One thing is the server's own: it packs small sorted sets that come to it plain or as commands, and a score
// of -0 loses its sign by that. Where the input had the sign, such sets are left out of the comparison with
// the input.
#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "persist/compact.hpp"
#include "persist/digest.hpp"
#include "server/answers.hpp"
#include "server/command_generator.hpp"
#include "support/files.hpp"
#include "support/set_verbs.hpp"
#include "support/verbs.hpp"
#include "text/base64.hpp"

namespace persist::test {

namespace {

namespace fs = std::filesystem;

constexpr Bytes kOwnTarget = "redis-7.0";
// It reads the files of all of these.
constexpr Bytes kReadTargets[] = {"redis-2.0", "redis-2.2", "redis-2.4", "redis-2.6",
                                  "redis-2.8", "redis-3.0", "redis-3.2", "redis-4.0",
                                  "redis-5.0", "redis-6.0", "redis-6.2", kOwnTarget};
const ServerVersion kOwnServer{Dialect::redis, 700};

// --- The inputs -----------------------------------------------------------------------------------------

std::vector<std::string> rdb_inputs() {
  std::vector<std::string> paths;
  for (const auto& file : fs::recursive_directory_iterator(PERSIST_TESTDATA "/rdb"))
    if (file.path().extension() == ".rdb") paths.push_back(file.path());
  std::ranges::sort(paths);
  return paths;
}

std::vector<std::string> log_inputs() {
  std::vector<std::string> paths;
  for (const auto& folder : fs::directory_iterator(PERSIST_TESTDATA "/aof")) paths.push_back(folder.path());
  std::ranges::sort(paths);
  return paths;
}

std::vector<std::string> all_inputs() {
  std::vector<std::string> paths = rdb_inputs();
  std::ranges::copy(log_inputs(), std::back_inserter(paths));
  return paths;
}

// --- Conversions ----------------------------------------------------------------------------------------

ConvertOptions lossy(OutputForm form, Bytes target) {
  ConvertOptions options;
  options.to = form;
  options.write.target = find_target(target);
  for (const LossRow& row : loss_rows()) options.permitted_losses.push_back(row.feature);
  return options;
}

OutputOptions forced(const fs::path& path) {
  OutputOptions output;
  output.path = path;
  output.force = true;
  return output;
}

// Hands `work` the input that the path is.
template <typename Work>
ConvertSummary with_input(const std::string& path, Work work) {
  ConvertInput input;
  AppendSet set;
  std::unique_ptr<ByteSource> source;
  if (fs::is_directory(path)) {
    set = open_set(path);
    input.log = &set;
  } else {
    source = open_source(path);
    input.rdb = source.get();
  }
  FindingList findings;
  ConvertSummary summary = work(input, findings);
  CHECK(problems(findings.all).empty());
  CHECK(summary.committed);
  return summary;
}

ConvertSummary convert_to(const std::string& from, const fs::path& to, const ConvertOptions& options) {
  return with_input(from, [&](const ConvertInput& input, FindingSink& findings) {
    return convert(input, forced(to), findings, options);
  });
}

std::string streamed(const std::string& from, const ConvertOptions& options) {
  StringSink sink;
  with_input(from, [&](const ConvertInput& input, FindingSink& findings) {
    return convert_to_stream(input, sink, findings, options);
  });
  return sink.text;
}

bool loses_data(const LossReport& losses) { return losses.loses_more_than({}); }

// --- What the library says of a dataset -----------------------------------------------------------------

int64_t wall_clock_now() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

// A key and its db. All that the test data has are plain text, without any letter that a glob takes.
using Place = std::pair<uint64_t, std::string>;
using Places = std::set<Place>;

FilterOptions but_for(const Places& left_out, Expired expired) {
  FilterOptions options;
  for (const auto& [db, key] : left_out) options.key_globs.push_back(key);
  options.invert = !left_out.empty();
  options.expired = expired;
  options.now_ms = wall_clock_now();
  return options;
}

std::string own_digest(const std::string& path, const FilterOptions& selection) {
  const Filter filter(selection);
  DigestOptions options;
  options.server = find_target(kOwnTarget);
  options.filter = &filter;
  FindingList findings;
  if (!fs::is_directory(path) && !path.ends_with(".aof"))
    return digest_rdb(*open_source(path), findings, options).digest;
  ReplayOptions replay;
  if (!path.starts_with(PERSIST_TESTDATA)) replay.as = kOwnServer;  // commands do not tell for whom they are
  return digest_log(open_set(path), findings, options, replay).digest.digest;
}

// Sorted sets with a score of -0.
enum class Zeros : uint8_t {
  any,
  to_be_packed  // of a layout and a size that the server packs when it loads them
};

Places sets_with(Zeros wanted, const std::string& path) {
  constexpr size_t kPackedMembers = 128;
  constexpr size_t kPackedBytes = 64;
  Places places;
  if (fs::is_directory(path)) return places;  // the logs have none
  FindingList findings;
  const auto source = open_source(path);
  RdbReader reader(*source, findings);
  while (const RdbRecord* record = reader.next()) {
    const auto* entry = std::get_if<RdbEntry>(&record->body);
    if (entry == nullptr || entry->encoding->type != ValueType::zset) continue;
    size_t members = 0;
    bool is_packed = entry->encoding->code != 3 && entry->encoding->code != 5;
    bool has_long_ones = false;
    bool has_zero = false;
    reader.visit([&](const Element& element) {
      const auto& member = std::get<SortedSetMember>(element);
      has_long_ones = has_long_ones || member.member.size() > kPackedBytes;
      has_zero = has_zero || (member.score == 0 && std::signbit(member.score));
      ++members;
    });
    const bool to_be_packed = !is_packed && !has_long_ones && members <= kPackedMembers;
    if (has_zero && (wanted == Zeros::any || to_be_packed))
      places.insert({entry->db, std::string(entry->key)});
  }
  return places;
}

// --- What the server says -------------------------------------------------------------------------------

std::string server_digest_of(Client& client) { return client.call({"DEBUG", "DIGEST"}).text; }

void empty_server(Client& client) {
  client.call({"FLUSHALL"});
  client.call({"FUNCTION", "FLUSH"});
}

std::string digest_without(Client& client, const Places& places) {
  for (const auto& [db, key] : places) {
    client.call({"SELECT", std::to_string(db)});
    CHECK(client.call({"DEL", key}).text == "1");
  }
  client.call({"SELECT", "0"});
  return server_digest_of(client);
}

bool holds_negative_zero(Client& client, const Place& place) {
  client.call({"SELECT", std::to_string(place.first)});
  const std::vector<Reply> words = client.call({"ZRANGE", place.second, "0", "-1", "WITHSCORES"}).items;
  for (size_t i = 1; i < words.size(); i += 2)
    if (words[i].text == "-0") return true;
  return false;
}

// The commands of a log, as many clients would send them; an error fails.
void feed(Client& client, const std::string& commands) {
  const std::string mark = "that was all";
  client.send(commands + encoded({"SELECT", "0"}) + encoded({"ECHO", mark}));
  while (true) {
    const Answer answer = read_answer(client);
    REQUIRE_MESSAGE(answer.kind != '-', answer.text);
    if (answer.kind == '$' && answer.text == mark) return;
  }
}

// RESTORE for each line of `--to dump`.
void restore_lines(Client& client, const std::string& lines) {
  std::string commands;
  for (const std::string& text : split_lines(lines)) {
    const auto line = nlohmann::json::parse(text);
    if (!line.contains("dump")) continue;
    const auto bytes_of_member = [&](const char* name) {
      const auto& member = line.at(name);
      if (member.is_string()) return member.get<std::string>();
      const auto base64 = member.at("$base64").get<std::string>();
      std::string bytes(base64_room(base64.size()), '\0');
      bytes.resize(decode_base64(base64, bytes.data()).value());
      return bytes;
    };
    commands += encoded({"SELECT", std::to_string(line.at("db").get<uint64_t>())});
    commands +=
        encoded({"RESTORE", bytes_of_member("key"), std::to_string(line.value("expire_at_ms", int64_t{0})),
                 bytes_of_member("dump"), "ABSTTL"});
  }
  feed(client, commands);
}

// A server that loads whatever append directory it is given.
class LogLoader {
 public:
  LogLoader()
      : server_({"--appendonly", "yes", "--auto-aof-rewrite-percentage", "0"}), client(server_.port()) {
    client.call({"DEBUG", "SET-ACTIVE-EXPIRE", "0"});
  }
  [[nodiscard]] fs::path folder() const { return server_.folder() / "appendonlydir"; }

  std::string load() {
    client.call({"DEBUG", "LOADAOF"});
    return server_digest_of(client);
  }

  // As it finds one file when it starts: it becomes the base.
  std::string load_single() {
    write_file(folder() / "appendonly.aof.manifest", "file appendonly.aof seq 1 type b\n");
    return load();
  }
  [[nodiscard]] std::string single() const { return folder() / "appendonly.aof"; }

 private:
  LiveServer server_;

 public:
  Client client;
};

// A folder of a server's own with one thing in it, and what the server makes of that at start.
std::string digest_at_start(const fs::path& data) {
  const LiveServer server({"--appendonly", "yes"}, data);
  Client client(server.port());
  return server_digest_of(client);
}

}  // namespace

TEST_CASE("a server loads what every input becomes for it and for its elders") {
  const LiveServer server({});
  Client client(server.port());
  size_t lossless = 0;
  Places packed;
  for (const std::string& input : all_inputs()) {
    CAPTURE(input);
    const std::string before = own_digest(input, but_for({}, Expired::drop));
    for (const Bytes target : kReadTargets) {
      CAPTURE(target);
      const ConvertSummary summary = convert_to(input, server.rdb(), lossy(OutputForm::rdb, target));
      client.call({"DEBUG", "RELOAD", "NOSAVE"});
      const std::string held = server_digest_of(client);
      CHECK(held == own_digest(server.rdb(), but_for({}, Expired::drop)));
      const Places places = sets_with(Zeros::to_be_packed, server.rdb());
      for (const Place& place : places) CHECK(!holds_negative_zero(client, place));
      packed.insert(places.begin(), places.end());
      if (loses_data(summary.losses)) continue;
      ++lossless;
      if (places.empty())
        CHECK(held == before);
      else
        CHECK(digest_without(client, places) == own_digest(input, but_for(places, Expired::drop)));
    }
  }
  CHECK(packed == Places{{0, "zset:small"}, {0, "zset:one"}});
  CHECK(lossless > 200);
}

TEST_CASE("a server loads canonical files") {
  const LiveServer server({});
  Client client(server.port());
  for (const std::string& input : all_inputs()) {
    CAPTURE(input);
    for (const Bytes target : {Bytes("redis-2.8"), kOwnTarget}) {
      CAPTURE(target);
      ConvertOptions options = lossy(OutputForm::rdb, target);
      options.canonical = true;
      convert_to(input, server.rdb(), options);
      client.call({"DEBUG", "RELOAD", "NOSAVE"});
      CHECK(server_digest_of(client) == own_digest(server.rdb(), but_for({}, Expired::drop)));
    }
  }
}

TEST_CASE("a server loads every input as a log") {
  LogLoader loader;
  for (const std::string& input : all_inputs()) {
    CAPTURE(input);
    const Places zeros = sets_with(Zeros::any, input);
    const std::string before = own_digest(input, but_for(zeros, Expired::keep));
    for (const bool by_commands : {false, true}) {
      CAPTURE(by_commands);
      for (const Bytes target : {Bytes("redis-2.4"), Bytes("redis-6.2"), kOwnTarget}) {
        CAPTURE(target);
        const bool is_folder = target == kOwnTarget;
        ConvertOptions options = lossy(OutputForm::aof, target);
        options.base_of_commands = by_commands;
        const std::string output = is_folder ? loader.folder().string() : loader.single();
        const ConvertSummary summary = convert_to(input, output, options);
        CHECK((is_folder ? loader.load() : loader.load_single()) == own_digest(output, {}));
        if (!loses_data(summary.losses)) CHECK(digest_without(loader.client, zeros) == before);
      }
    }
  }
}

TEST_CASE("a server starts with what was converted into a log") {
  const TempFolder folder;
  const std::string input = PERSIST_TESTDATA "/rdb/redis-6.2.16/dump.rdb";
  const std::string wanted = own_digest(input, but_for({}, Expired::drop));
  for (const Bytes target : {Bytes("redis-2.8"), Bytes("redis-6.2"), kOwnTarget}) {
    CAPTURE(target);
    const fs::path data = folder.path(std::string(target));
    fs::create_directory(data);
    const fs::path log = data / (target == kOwnTarget ? "appendonlydir" : "appendonly.aof");
    const ConvertSummary summary = convert_to(input, log, lossy(OutputForm::aof, target));
    const bool has_streams = target != "redis-2.8";
    CHECK(loses_data(summary.losses) == !has_streams);
    CHECK((digest_at_start(data) == wanted) == has_streams);
  }
}

TEST_CASE("a server takes every input as commands") {
  const LiveServer server({});
  Client client(server.port());
  const TempFolder folder;
  const std::string commands = folder.path("commands.aof");
  for (const std::string& input : all_inputs()) {
    CAPTURE(input);
    const Places zeros = sets_with(Zeros::any, input);
    const std::string before = own_digest(input, but_for(zeros, Expired::drop));
    using Way = std::pair<bool, bool>;
    for (const Way& way : {Way{false, false}, {true, true}, {false, true}, {true, false}}) {
      const bool restore = way.first;
      const bool replace = way.second;
      CAPTURE(restore);
      CAPTURE(replace);
      if (!replace) empty_server(client);
      ConvertOptions options = lossy(OutputForm::resp, kOwnTarget);
      options.restore = restore;
      options.replace = replace;
      const ConvertSummary summary = convert_to(input, commands, options);
      feed(client, read_file(commands));
      CHECK(server_digest_of(client) == own_digest(commands, but_for({}, Expired::drop)));
      if (!loses_data(summary.losses)) CHECK(digest_without(client, zeros) == before);
    }
  }
}

TEST_CASE("a server restores the payloads of every input") {
  const LiveServer server({});
  Client client(server.port());
  for (const std::string& input : all_inputs()) {
    CAPTURE(input);
    const Places zeros = sets_with(Zeros::any, input);
    empty_server(client);
    restore_lines(client, streamed(input, lossy(OutputForm::dump, kOwnTarget)));
    convert_to(input, server.rdb(), lossy(OutputForm::rdb, kOwnTarget));
    CHECK(digest_without(client, zeros) == own_digest(server.rdb(), but_for(zeros, Expired::drop)));
  }
}

TEST_CASE("a server loads compacted logs") {
  LogLoader loader;
  for (const std::string& input : log_inputs()) {
    CAPTURE(input);
    for (const bool by_commands : {false, true}) {
      CAPTURE(by_commands);
      ConvertOptions options = lossy(OutputForm::aof, kOwnTarget);
      options.base_of_commands = by_commands;
      const ConvertSummary summary = with_input(input, [&](const ConvertInput& from, FindingSink& findings) {
        return compact(from, forced(loader.folder()), findings, options);
      });
      const std::string held = loader.load();
      CHECK(held == own_digest(loader.folder(), {}));
      if (!loses_data(summary.losses)) {
        CHECK(summary.proven);
        CHECK(held == own_digest(input, {}));
      }
    }
  }
}

TEST_CASE("a server goes on with its own log compacted") {
  constexpr size_t kCommands = 20'000;
  const LiveServer writer({"--appendonly", "yes", "--appendfsync", "no"});
  Client client(writer.port());
  CommandGenerator generator(1, Replies::certain);
  std::string requests;
  for (size_t i = 0; i < kCommands; ++i)
    for (const CommandWords& words : generator.next()) requests += encoded(words);
  const std::string mark = "that was all";
  client.send(requests + encoded({"ECHO", mark}));
  while (read_answer(client).text != mark) continue;
  client.call({"DEBUG", "LOADAOF"});  // writes all of it first
  const std::string wanted = server_digest_of(client);

  const TempFolder folder;
  for (const bool by_commands : {false, true}) {
    CAPTURE(by_commands);
    const fs::path data = folder.path(by_commands ? "commands" : "rdb");
    fs::create_directory(data);
    ConvertOptions options;
    options.to = OutputForm::aof;
    options.base_of_commands = by_commands;
    options.write.target = find_target(kOwnTarget);
    FindingList findings;
    const AppendSet written = open_set(writer.folder() / "appendonlydir");
    ConvertInput from;
    from.log = &written;
    const ConvertSummary summary = compact(from, forced(data / "appendonlydir"), findings, options);
    CHECK(summary.committed);
    CHECK(summary.proven);
    CHECK(!loses_data(summary.losses));
    CHECK(summary.keys > 50);

    const LiveServer reader({"--appendonly", "yes"}, data);
    Client reading(reader.port());
    CHECK(server_digest_of(reading) == wanted);
    reading.call({"SELECT", "9"});
    reading.call({"SET", "appended", "later"});
    reading.call({"DEBUG", "LOADAOF"});
    CHECK(reading.call({"GET", "appended"}).text == "later");
    reading.call({"DEL", "appended"});
    CHECK(server_digest_of(reading) == wanted);
  }
}

}  // namespace persist::test
