// The truth: what a real redis-server writes, read by the library, must be what the server itself answers.
#include <doctest/doctest.h>
#include <sys/wait.h>

#include <cstdio>
#include <fstream>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <stdexcept>

#include "persist/check.hpp"
#include "persist/source.hpp"
#include "server/facts.hpp"
#include "server/live_server.hpp"

namespace persist::test {

namespace {

constexpr uint64_t kDbs = 16;
constexpr std::string_view kFarAway = "4102444800123";  // in 2100

std::string random_bytes(size_t size) {
  static std::mt19937 random(20240229);
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

std::string repeated(std::string_view piece, size_t times) {
  std::string text;
  for (size_t i = 0; i < times; ++i) text += piece;
  return text;
}

// --- A data set that makes Redis 7.0 use every encoding it has ---------------------------------------------

void fill_strings(Client& client) {
  for (const char* number : {"0", "-1", "127", "128", "-129", "32767", "-32769", "2147483647", "2147483648",
                             "9223372036854775807", "-9223372036854775808", "007", "1.5", "-0"}) {
    client.call({"SET", "number:" + std::string(number), number});
  }
  client.call({"SET", "empty", ""});
  client.call({"SET", "", "the empty key"});
  client.call({"SET", "embstr", "short"});
  client.call({"SET", "raw", random_bytes(100)});
  client.call({"SET", "lzf", repeated("compressible ", 100)});
  client.call({"SET", "lzf:far", random_bytes(5000) + repeated("x", 300) + random_bytes(8000)});
  client.call({"SET", "big", random_bytes(300'000)});
  client.call({"SET", std::string("binary\0\xff\r\nkey", 14), std::string("\0\xff\xc0", 3)});
  client.call({"SET", repeated("long key ", 2000), "v"});
  client.call({"SETBIT", "bits", "100000", "1"});
  client.call({"SET", "volatile", "v", "PXAT", kFarAway});
}

void fill_lists(Client& client) {
  for (int i = 0; i < 500; ++i)
    client.call({"RPUSH", "list:small", "item " + std::to_string(i), std::to_string(i)});
  client.call({"RPUSH", "list:one", ""});
  client.call({"RPUSH", "list:plain", random_bytes(20'000), "between", repeated("plain", 10'000), "-40000"});
  for (const int64_t number :
       {0L, 127L, 128L, 4095L, -4096L, 4096L, 32767L, 8388607L, -8388609L, 2147483648L})
    client.call({"RPUSH", "list:numbers", std::to_string(number)});
  client.call({"RPUSH", "list:lengths", std::string(63, 'a'), std::string(64, 'b'), std::string(4095, 'c'),
               std::string(4096, 'd')});
  client.call({"PEXPIREAT", "list:one", kFarAway});
}

void fill_sets(Client& client) {
  client.call({"SADD", "set:int16", "-5", "0", "300"});
  client.call({"SADD", "set:int32", "70000", "1", "-70000"});
  client.call({"SADD", "set:int64", "9223372036854775807", "-1"});
  for (int i = 0; i < 600; ++i) client.call({"SADD", "set:many-numbers", std::to_string(i * 7)});
  for (int i = 0; i < 300; ++i)
    client.call({"SADD", "set:words", "member " + std::to_string(i), random_bytes(9)});
  client.call({"SADD", "set:one", ""});
}

void fill_zsets(Client& client) {
  client.call({"ZADD",   "zset:listpack", "inf", "top",  "-inf", "bottom", "0.1",   "tenth",
               "-0",     "minus zero",    "0",   "zero", "3",    "three",  "1e300", "huge",
               "5e-324", "tiny",          "17",  "17"});
  client.call({"ZADD", "zset:skiplist", "inf", "top", "-inf", "bottom", "0.1", "tenth", "-0", "minus zero",
               "1", repeated("long ", 40)});
  for (int i = 0; i < 400; ++i) {
    client.call(
        {"ZADD", "zset:many", std::to_string(i / 3) + "." + std::to_string(i), "m" + std::to_string(i)});
  }
}

void fill_hashes(Client& client) {
  client.call({"HSET", "hash:listpack", "a", "1", "b", "", std::string("\0", 1), "\xff", "n", "-129"});
  client.call({"HSET", "hash:table", "long", repeated("value ", 50), "", "empty field"});
  for (int i = 0; i < 600; ++i) client.call({"HSET", "hash:many", "f" + std::to_string(i), random_bytes(5)});
  client.call({"PEXPIREAT", "hash:many", kFarAway});
}

void fill_streams(Client& client) {
  for (int i = 1; i <= 350; ++i) {
    const std::string id = std::to_string(1'700'000'000'000 + i) + "-" + std::to_string(i % 3);
    client.call({"XADD", "stream", id, "temperature", std::to_string(i), i % 5 == 0 ? "note" : "place", "x"});
  }
  for (const int gone : {1, 2, 100, 101, 350}) {
    client.call(
        {"XDEL", "stream", std::to_string(1'700'000'000'000 + gone) + "-" + std::to_string(gone % 3)});
  }
  client.call({"XGROUP", "CREATE", "stream", "workers", "0"});
  client.call({"XGROUP", "CREATE", "stream", "from the middle", "1700000000150-0"});
  client.call({"XGROUP", "CREATE", "stream", "told", "1700000000150-0", "ENTRIESREAD", "148"});
  client.call({"XREADGROUP", "GROUP", "workers", "anna", "COUNT", "120", "STREAMS", "stream", ">"});
  client.call({"XREADGROUP", "GROUP", "workers", "bert", "COUNT", "10", "STREAMS", "stream", ">"});
  client.call(
      {"XREADGROUP", "GROUP", "from the middle", random_bytes(8), "COUNT", "3", "STREAMS", "stream", ">"});
  client.call({"XACK", "stream", "workers", "1700000000003-0", "1700000000004-1"});
  client.call({"XDEL", "stream", "1700000000006-0"});  // stays pending
  client.call({"XCLAIM", "stream", "workers", "bert", "0", "1700000000007-1", "RETRYCOUNT", "9"});
  client.call({"XGROUP", "CREATECONSUMER", "stream", "workers", "idle"});
  client.call({"XADD", "stream:emptied", "5-5", "a", "b"});
  client.call({"XDEL", "stream:emptied", "5-5"});
  client.call({"XGROUP", "CREATE", "stream:made", "g", "$", "MKSTREAM"});
  client.call({"XADD", "stream:ids", "0-1", "", ""});
  client.call({"XADD", "stream:ids", "18446744073709551615-18446744073709551614", "f", random_bytes(3000)});
}

void fill_server(Client& client) {
  fill_strings(client);
  fill_lists(client);
  fill_sets(client);
  fill_zsets(client);
  fill_hashes(client);
  fill_streams(client);
  client.call({"SELECT", "3"});
  client.call({"SET", "volatile", "in db 3", "PXAT", kFarAway});
  client.call({"SELECT", "15"});
  client.call({"RPUSH", "last", "db"});
  client.call({"FUNCTION", "LOAD", "#!lua name=lib\nredis.register_function('f', function() return 1 end)"});
  client.call({"FUNCTION", "LOAD",
               "#!lua name=long\n-- " + repeated("words ", 200) +
                   "\nredis.register_function('g', function() return '\xff' end)"});
}

// --- The library's side ------------------------------------------------------------------------------------

struct FileFacts {
  Keyspace keys;
  std::set<std::string> functions;
  std::set<unsigned> codes;
  std::map<std::string, std::string> aux;
  std::vector<Finding> findings;
  std::optional<RdbEnd> end;
};

FileFacts read_all(ByteSource& source) {
  FileFacts facts;
  FindingList findings;
  RdbReader reader(source, findings);
  FactSink sink;
  while (const RdbRecord* record = reader.next()) {
    if (const auto* entry = std::get_if<RdbEntry>(&record->body)) {
      reader.visit([&](const Element& element) { sink.add(element); });
      facts.codes.insert(entry->encoding->code);
      const bool fresh = facts.keys
                             .try_emplace({entry->db, std::string(entry->key)},
                                          Facts{std::string(value_type_name(entry->encoding->type)),
                                                entry->expire_at_ms, sink.take(entry->encoding->type)})
                             .second;
      CHECK(fresh);
    } else if (const auto* library = std::get_if<FunctionLibrary>(&record->body)) {
      facts.functions.insert(std::string(library->code));
    } else if (const auto* aux = std::get_if<AuxField>(&record->body)) {
      facts.aux.emplace(aux->name, aux->value);
    } else if (const auto* end = std::get_if<RdbEnd>(&record->body)) {
      facts.end = *end;
    }
  }
  facts.findings = findings.all;
  return facts;
}

FileFacts read_all(const std::filesystem::path& path) { return read_all(*open_source(path)); }

// --- Comparing ---------------------------------------------------------------------------------------------

void compare(const Words& found, const Words& wanted) {
  CHECK(found.size() == wanted.size());
  for (size_t i = 0; i < std::min(found.size(), wanted.size()); ++i) {
    CAPTURE(i);
    REQUIRE(found[i] == wanted[i]);
  }
}

void compare(const Keyspace& found, const Keyspace& wanted) {
  CHECK(found.size() == wanted.size());
  for (const auto& [place, facts] : wanted) {
    const uint64_t db = place.first;
    const std::string& key = place.second;
    CAPTURE(db);
    CAPTURE(key);
    const auto there = found.find(place);
    REQUIRE(there != found.end());
    CHECK(there->second.type == facts.type);
    CHECK(there->second.expire_at_ms == facts.expire_at_ms);
    compare(there->second.value, facts.value);
  }
}

std::set<std::string> functions_of(Client& client) {
  std::set<std::string> codes;
  for (const Reply& library : client.call({"FUNCTION", "LIST", "WITHCODE"}).items)
    codes.insert(library.field("library_code").text);
  return codes;
}

struct Output {
  int status = -1;
  std::string text;
};

Output run(const std::string& command) {
  std::FILE* pipe = ::popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  Output output;
  char piece[4096];
  for (size_t got = 0; (got = std::fread(piece, 1, sizeof piece, pipe)) > 0;) output.text.append(piece, got);
  const int status = ::pclose(pipe);
  output.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return output;
}

std::string our_rdb_check() {
  return (std::filesystem::path(PERSIST_BINARY).parent_path() / "rdb-check").string();
}

std::string bytes_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_bytes(const std::filesystem::path& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

}  // namespace

TEST_CASE("what SAVE writes is what the server holds") {
  for (const std::string compression : {"yes", "no"}) {
    for (const std::string checksum : {"yes", "no"}) {
      CAPTURE(compression);
      CAPTURE(checksum);
      const LiveServer server({"--rdbcompression", compression, "--rdbchecksum", checksum});
      Client client(server.port());
      fill_server(client);
      const Keyspace held = ask_all(client, kDbs);
      client.call({"SAVE"});

      const FileFacts file = read_all(server.rdb());
      compare(file.keys, held);
      CHECK(file.functions == functions_of(client));
      CHECK(file.functions.size() == 2);
      CHECK(file.codes == std::set<unsigned>{0, 2, 4, 5, 11, 16, 17, 18, 19});
      CHECK(file.aux.at("redis-bits") == "64");
      const bool summed = checksum == "yes";
      REQUIRE(file.end);
      CHECK(file.end->checksum == (summed ? ChecksumState::good : ChecksumState::disabled));
      CHECK(file.findings.size() == (summed ? 0 : 1));

      for (const unsigned threads : {1U, 3U}) {
        FindingList findings;
        CheckOptions options;
        options.target = find_target("redis-7.0");
        options.threads = threads;
        const CheckSummary summary = check_rdb(*open_source(server.rdb()), findings, options);
        CHECK(summary.sound());
        CHECK(summary.complete);
        CHECK(!summary.obstacle);
        CHECK(summary.keys == held.size());
        CHECK(summary.volatile_keys == 4);
        CHECK(summary.functions == 2);
        CHECK(findings.all.size() == file.findings.size());
      }
    }
  }
}

TEST_CASE("what DUMP answers is the value") {
  const LiveServer server({});
  Client client(server.port());
  fill_server(client);
  size_t dumped = 0;
  for (const auto& [place, facts] : ask_all(client, kDbs)) {
    const uint64_t db = place.first;
    const std::string& key = place.second;
    CAPTURE(db);
    CAPTURE(key);
    client.call({"SELECT", std::to_string(db)});
    const std::string payload = client.call({"DUMP", key}).text;
    FactSink sink;
    const DumpPayload told = read_dump_payload(payload, [&](const Element& element) { sink.add(element); });
    CHECK(value_type_name(told.encoding->type) == facts.type);
    CHECK(told.version == 10);
    CHECK(told.checksum == ChecksumState::good);
    CHECK(is_dump_payload(payload));
    compare(sink.take(told.encoding->type), facts.value);
    ++dumped;

    std::string damaged = payload;
    damaged[damaged.size() / 2] ^= 1;
    CHECK_THROWS_AS(read_dump_payload(damaged, [](const Element&) {}), FormatError);
  }
  CHECK(dumped > 40);
}

TEST_CASE("what a replica is sent is what the server holds") {
  const LiveServer server({"--repl-diskless-sync", "yes"});
  Client client(server.port());
  fill_server(client);
  const Keyspace held = ask_all(client, kDbs);
  Client replica(server.port());
  std::string captured;

  SUBCASE("announced by its length") {
    replica.send("SYNC\r\n");
    std::string line;
    while (line.empty() || line[0] != '$') {  // newlines keep the connection alive meanwhile
      line = replica.read_until("\n");
      captured += line;
    }
    captured += replica.read_bytes(std::stoull(line.substr(1)));
  }
  SUBCASE("announced by its end mark") {
    replica.call({"REPLCONF", "capa", "eof", "capa", "psync2"});
    replica.send("PSYNC ? -1\r\n");
    std::string line;
    while (!line.starts_with("$EOF:")) {
      line = replica.read_until("\n");
      captured += line;
    }
    constexpr size_t kMarkBytes = 40;
    captured += replica.read_until(line.substr(5, kMarkBytes));
  }

  const FileFacts file = read_all(*memory_source(captured));
  compare(file.keys, held);
  CHECK(file.functions.size() == 2);
  CHECK(file.findings.empty());
  REQUIRE(file.end);
  CHECK(file.end->checksum == ChecksumState::good);

  // Torn anywhere, it is never taken for whole.
  for (size_t size = captured.size() - 1; size > captured.size() - 60; --size) {
    const FileFacts torn = read_all(*memory_source(Bytes(captured).substr(0, size)));
    CHECK(!torn.findings.empty());
  }
}

TEST_CASE("rdb-check judges as redis-check-rdb does") {
  const LiveServer server({});
  Client client(server.port());
  fill_server(client);
  client.call({"SELECT", "0"});
  client.call({"DEBUG", "SET-ACTIVE-EXPIRE", "0"});
  client.call({"SET", "expired", "v", "PXAT", "1"});
  client.call({"SAVE"});
  const std::string path = server.rdb();

  Output theirs = run("redis-check-rdb " + path);
  Output ours = run(our_rdb_check() + " " + path);
  CHECK(theirs.status == 0);
  CHECK(ours.status == 0);
  CHECK(ours.text == theirs.text);

  const std::string sound = bytes_of(path);
  const auto both_refuse = [&](std::string_view bytes) {
    write_bytes(path, bytes);
    CHECK(run("redis-check-rdb " + path).status == 1);
    ours = run(our_rdb_check() + " " + path);
    CHECK(ours.status == 1);
    CHECK(ours.text.find("--- RDB ERROR DETECTED ---") != std::string::npos);
  };
  for (const size_t size :
       {size_t{0}, size_t{5}, size_t{9}, sound.size() / 2, sound.size() - 9, sound.size() - 1}) {
    CAPTURE(size);
    both_refuse(std::string_view(sound).substr(0, size));
  }
  const size_t inside_a_value = sound.find("compressible");
  REQUIRE(inside_a_value != std::string::npos);
  for (const size_t at : {size_t{0}, size_t{5}, inside_a_value, sound.size() - 1}) {
    CAPTURE(at);
    std::string damaged = sound;
    damaged[at] ^= 0x40;
    both_refuse(damaged);
  }
}

}  // namespace persist::test
