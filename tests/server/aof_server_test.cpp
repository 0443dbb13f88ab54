// The truth about logs: what a real redis-server writes is sound, and what the verbs make of it when it was
// damaged or flushed loads again, with the data that it had.
#include <doctest/doctest.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include "server/live_server.hpp"
#include "support/aof_builder.hpp"
#include "support/set_verbs.hpp"

namespace persist::test {

namespace {

namespace fs = std::filesystem;

// A server that only syncs now and then puts its writes off while the disk is busy.
const std::vector<std::string> kWithLog = {"--appendonly",  "yes",    "--aof-timestamp-enabled",       "yes",
                                           "--appendfsync", "always", "--auto-aof-rewrite-percentage", "0"};

std::string digest_of(Client& client) { return client.call({"DEBUG", "DIGEST"}).text; }

void run(Client& client, std::initializer_list<Bytes> lines) {
  for (const Bytes line : lines) client.call(split_words(line));
}

void fill_types(Client& client) {
  run(client, {"SET string value",
               "SET number 42",
               "INCRBYFLOAT number 1.5",
               "APPEND string s",
               "SETRANGE string 3 xyz",
               "SET volatile v PX 9000000000",
               "SET \"binary\\x00key\" \"\\r\\n*1\\r\\n\"",
               "RPUSH list a b c d",
               "LPOP list",
               "LINSERT list BEFORE c between",
               "SADD numbers 1 2 3 300000",
               "SADD words alpha beta gamma",
               "SPOP words",
               "ZADD scores 1.5 a -inf b 3 c",
               "ZINCRBY scores 2 a",
               "HSET hash f v g w",
               "HINCRBY hash n 7",
               "HDEL hash g",
               "XADD stream * f v",
               "XADD stream 99999999999999-1 f v",
               "XGROUP CREATE stream group 0",
               "XREADGROUP GROUP group consumer COUNT 1 STREAMS stream >",
               "PFADD log a b c",
               "GEOADD places 13.361389 38.115556 Palermo",
               "SETBIT bits 100 1",
               "FUNCTION LOAD \"#!lua name=lib\\nredis.register_function('f', function() return 1 end)\""});
}

void fill_transactions(Client& client) {
  run(client, {"SELECT 3",
               "SET in three",
               "MULTI",
               "INCR counter",
               "RPUSH list x",
               "SELECT 5",
               "SET in five",
               "EXEC",
               "SELECT 0",
               "MULTI",
               "SET alone 1",
               "EXEC",
               "DEL alone",
               "RENAME list renamed",
               "EVAL \"redis.call('SET', KEYS[1], 'by script'); redis.call('INCR', 'scripted')\" 1 script",
               "COPY hash copied",
               "MOVE copied 7",
               "SWAPDB 5 6",
               "EXPIRE words 100000",
               "MULTI",
               "SADD words delta",
               "HSET hash late v",
               "ZADD scores 9 late",
               "EXEC",
               "SET last write"});
}

void rewrite(Client& client) {
  using namespace std::chrono_literals;
  client.call({"BGREWRITEAOF"});
  for (int i = 0; i < 500; ++i) {
    const std::string info = client.call({"INFO", "persistence"}).text;
    if (info.find("aof_rewrite_in_progress:0") != std::string::npos &&
        info.find("aof_rewrite_scheduled:0") != std::string::npos)
      return;
    std::this_thread::sleep_for(20ms);
  }
  throw std::runtime_error("the rewrite does not end");
}

// What a server left behind, three times.
struct Recorded {
  TempFolder place;
  std::string digest;     // before the flush
  std::string file;       // the incr that it stands in
  uint64_t flush_at = 0;  // where
  std::string later;      // the digest at the end
  std::string before() const { return place.path("before"); }
  std::string flushed() const { return place.path("flushed"); }
  std::string end() const { return place.path("end"); }
};

std::string last_part(const std::string& data) { return open_set(data).parts.back().path; }

void copy(const fs::path& from, const std::string& to) {
  fs::remove_all(to);
  fs::copy(from, to, fs::copy_options::recursive);
}

const Recorded& recorded() {
  static const Recorded& all = []() -> const Recorded& {
    static Recorded made;
    LiveServer server(kWithLog);
    Client client(server.port());
    fill_types(client);
    rewrite(client);
    std::this_thread::sleep_for(std::chrono::milliseconds(1100));  // so that there is another timestamp
    fill_transactions(client);
    made.digest = digest_of(client);
    copy(server.folder(), made.before());
    made.file = last_part(made.before());
    made.flush_at = fs::file_size(made.file);
    client.call({"FLUSHALL"});
    copy(server.folder(), made.flushed());
    run(client, {"SET string another", "RPUSH list z", "MULTI", "INCR counter", "INCR counter", "EXEC"});
    made.later = digest_of(client);
    server.kill();
    copy(server.folder(), made.end());
    return made;
  }();
  return all;
}

// What a server has in memory when it has loaded that.
std::string digest_after_start(const std::string& data) {
  const LiveServer server(kWithLog, data);
  Client client(server.port());
  return digest_of(client);
}

std::string repaired_digest(const std::string& data) {
  const TempFolder place;
  const auto repaired = repair(data, place.path("out"));
  CAPTURE(repaired.refusal);
  REQUIRE(repaired.done);
  CHECK(problems(check_path(place.path("out")).findings).empty());
  return digest_after_start(place.path("out"));
}

}  // namespace

TEST_CASE("server: what it writes is sound, and loads") {
  const Recorded& all = recorded();
  for (const std::string& data : {all.before(), all.flushed(), all.end()}) {
    const SetChecked checked = check_path(data);
    CHECK(problems(checked.findings).empty());
    CHECK(checked.start("redis-7.0") == "loads");
    REQUIRE(checked.summary.parts.size() == 2);
    CHECK(checked.summary.parts[1].transactions >= 3);
    CHECK(checked.summary.parts[1].annotations >= 1);
  }
  CHECK(check_path(all.end()).summary.parts[1].flushes == 1);
  CHECK(digest_after_start(all.before()) == all.digest);
  CHECK(digest_after_start(all.end()) == all.later);
}

TEST_CASE("server: without the flush, all is there again") {
  const Recorded& all = recorded();
  const TempFolder place;
  const AppendSet set = open_set(all.flushed());
  const FlushReport report = find_flushes(set);
  REQUIRE(report.flushes.size() == 1);
  CHECK(report.flushes[0].extent.end() == fs::file_size(last_part(all.flushed())));
  CHECK(report.flushes[0].time_s.has_value());
  OutputOptions output;
  output.path = place.path("out");
  (void)undo_flushes(set, report, report.flushes, output, {});
  CHECK(digest_after_start(place.path("out")) == all.digest);
}

TEST_CASE("server: cut before the flush, all is there again") {
  const Recorded& all = recorded();
  const TempFolder place;
  CutPoint point;
  point.file = fs::path(all.file).filename();
  point.offset = all.flush_at;
  REQUIRE(cut(all.end(), place.path("at"), point).done);
  CHECK(digest_after_start(place.path("at")) == all.digest);
  CutPoint pattern;
  pattern.pattern = "flushall*";
  REQUIRE(cut(all.end(), place.path("like"), pattern).done);
  CHECK(digest_after_start(place.path("like")) == all.digest);
}

TEST_CASE("server: a torn tail is repaired to what the server itself makes of it") {
  const Recorded& all = recorded();
  const TempFolder place;
  const std::string whole = read_file(all.file);
  constexpr size_t kPlaces = 8;
  for (size_t i = 0; i < kPlaces; ++i) {
    const size_t size = whole.size() * (2 * i + 1) / (2 * kPlaces);
    CAPTURE(size);
    copy(all.before(), place.path("torn"));
    write_file(last_part(place.path("torn")), whole.substr(0, size));
    CHECK(repaired_digest(place.path("torn")) == digest_after_start(place.path("torn")));
  }
}

TEST_CASE("server: without its manifest it would start empty; repaired, it does not") {
  const Recorded& all = recorded();
  const TempFolder place;
  copy(all.before(), place.path("lost"));
  fs::remove(place.path("lost/appendonlydir/appendonly.aof.manifest"));
  CHECK(check_path(place.path("lost")).start("redis-7.0") == "starts empty");
  CHECK(digest_after_start(place.path("lost")) == std::string(40, '0'));
  CHECK(repaired_digest(place.path("lost")) == all.digest);
}

TEST_CASE("server: NUL bytes at the end are taken off") {
  const Recorded& all = recorded();
  const TempFolder place;
  copy(all.before(), place.path("padded"));
  write_file(last_part(place.path("padded")), read_file(all.file) + std::string(4096, '\0'));
  CHECK(check_path(place.path("padded")).start("redis-7.0").starts_with("refuses "));
  CHECK_THROWS(LiveServer(kWithLog, place.path("padded")));
  CHECK(repaired_digest(place.path("padded")) == all.digest);
}

// Why the check warns of it: the server has the keys in memory then, and nothing on the disk.
TEST_CASE("server: torn in the first command behind the RDB part, it cuts the file to nothing") {
  const TempFolder place;
  const std::string rdb = RdbBuilder(redis, 9).aux("aof-preamble", "1").select(0).string("k", "v").eof();
  fs::create_directory(place.path("data"));
  write_file(place.path("data/appendonly.aof"), rdb + resp("SET a 1").substr(0, 20));
  CHECK(check_path(place.path("data/appendonly.aof")).start("redis-7.0") ==
        "cuts to 0 bytes appendonly.aof@0");
  const LiveServer server(kWithLog, place.path("data"));
  Client client(server.port());
  CHECK(client.call({"GET", "k"}).text == "v");
  CHECK(fs::file_size(server.folder() / "appendonlydir" / "appendonly.aof") == 0);
  const auto [done, refusal, kind] = repair(place.path("data/appendonly.aof"), place.path("mended"));
  REQUIRE(done);
  CHECK(read_file(place.path("mended")) == rdb);
}

}  // namespace persist::test
