// The truth about salvage: what it makes of a damaged RDB file a real redis-server loads, checking every
// value to its inside, and redis-check-rdb accepts; and the keys in it are those of the server that wrote the
// file.
//
// The places of damage are random: the seed is fixed, PERSIST_SEED is for runs by hand. Most of them spare
// the values that are told element by element, whose end bytes that read as other elements move, and function
// libraries, which nothing but their compiler can judge: cases with "anywhere" do not, and are for runs by
// hand
// (--no-skip). Sizes in bytes.
#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <random>
#include <set>
#include <thread>

#include "persist/rdb_reader.hpp"
#include "persist/salvage.hpp"
#include "server/command_generator.hpp"
#include "server/live_server.hpp"
#include "support/files.hpp"
#include "support/set_verbs.hpp"

namespace persist::test {

namespace {

using SalvageKey = std::pair<uint64_t, std::string>;    // db and name
using SalvageKeys = std::map<SalvageKey, std::string>;  // with the DIGEST-VALUE and the expiry
using SalvageRandom = std::mt19937_64;

constexpr uint64_t kSalvageDbs[] = {0, 3, 9};
constexpr std::string_view kInTheYear2100 = "4102444800123";

// --- A small data set with all types and most encodings --------------------------------------------------

std::string noise(SalvageRandom& random, size_t size) {
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

std::vector<std::string> many_words(std::vector<std::string> words, int count, const std::string& prefix,
                                    bool pairs) {
  for (int i = 0; i < count; ++i) {
    if (pairs) words.push_back(std::to_string(i) + ".25");
    words.push_back(prefix + std::to_string(i));
  }
  return words;
}

// Names differ from db to db, so that keys whose db is lost do not meet others.
void fill_salvage_strings(Client& client, SalvageRandom& random, const std::string& db) {
  for (int i = 0; i < 12; ++i)
    client.call({"SET", "plain:" + db + ":" + std::to_string(i), "value " + std::to_string(i)});
  for (const char* number : {"7", "-129"}) client.call({"SET", "number:" + db + ":" + number, number});
  client.call({"SET", "noise:" + db, noise(random, 700)});
  client.call({"SET", "packed:" + db, std::string(900, 'x') + noise(random, 50) + std::string(900, 'y')});
  client.call({"SET", "volatile:" + db, "v", "PXAT", kInTheYear2100});
}

void fill_salvage_containers(Client& client, SalvageRandom& random, const std::string& db) {
  client.call(many_words({"RPUSH", "list:" + db}, 300, "item ", false));
  client.call({"RPUSH", "list:large:" + db, noise(random, 9000), "small", "-40000"});
  client.call({"SADD", "set:int64:" + db, "-5", "0", "9223372036854775807"});
  client.call(many_words({"SADD", "set:table:" + db}, 80, "member ", false));
  client.call(many_words({"ZADD", "zset:listpack:" + db}, 20, "m", true));
  client.call(many_words({"ZADD", "zset:skiplist:" + db}, 150, "m", true));
  client.call(many_words({"HSET", "hash:listpack:" + db}, 20, "v", true));
  client.call(many_words({"HSET", "hash:table:" + db}, 600, "v", true));
  client.call({"PEXPIREAT", "hash:table:" + db, kInTheYear2100});
}

void fill_salvage_streams(Client& client, SalvageRandom& random, const std::string& db) {
  const std::string key = "stream:" + db;
  for (int i = 1; i <= 130; ++i)
    client.call({"XADD", key, "1700000000000-" + std::to_string(i), "reading", noise(random, 9), "f", "v"});
  client.call({"XDEL", key, "1700000000000-7"});
  client.call({"XGROUP", "CREATE", key, "workers", "0"});
  client.call({"XREADGROUP", "GROUP", "workers", "anna", "COUNT", "20", "STREAMS", key, ">"});
}

void fill_salvage(Client& client, SalvageRandom& random) {
  for (const uint64_t number : kSalvageDbs) {
    const std::string db = std::to_string(number);
    client.call({"SELECT", db});
    fill_salvage_strings(client, random, db);
    fill_salvage_containers(client, random, db);
    fill_salvage_streams(client, random, db);
  }
  client.call({"FUNCTION", "LOAD", "#!lua name=lib\nredis.register_function('f', function() return 1 end)"});
}

// --- What a server holds, and what stands where in its file ----------------------------------------------

SalvageKeys salvage_keys(Client& client) {
  SalvageKeys keys;
  for (uint64_t db = 0; db < 16; ++db) {
    client.call({"SELECT", std::to_string(db)});
    std::vector<std::string> question = {"DEBUG", "DIGEST-VALUE"};
    for (const Reply& name : client.call({"KEYS", "*"}).items) question.push_back(name.text);
    if (question.size() == 2) continue;
    const Reply digests = client.call(question);
    for (size_t i = 0; i < digests.items.size(); ++i) {
      const std::string& name = question[i + 2];
      keys[{db, name}] = digests.items[i].text + " @" + client.call({"PEXPIRETIME", name}).text;
    }
  }
  return keys;
}

struct SavedData {
  LiveServer server{{}};
  Client client{server.port()};
  std::string rdb;
  std::string digest;
  SalvageKeys keys;

  explicit SavedData(uint64_t seed) {
    SalvageRandom random(seed);
    fill_salvage(client, random);
    client.call({"SAVE"});
    rdb = read_file(server.rdb());
    digest = client.call({"DEBUG", "DIGEST"}).text;
    keys = salvage_keys(client);
  }
};

SavedData& saved_data() {
  static SavedData saved(1);
  return saved;
}

struct StoredKeys {
  struct Stored {
    Extent extent;
    SalvageKey key;
  };
  std::vector<Stored> entries;
  std::vector<Extent> frail;  // function libraries, and entries whose value is more than one string
  std::vector<std::pair<Extent, uint64_t>> selects;
};

// Strings; intsets, and hashes and sorted sets that are listpacks.
constexpr uint8_t kOneStringCodes[] = {0, 11, 16, 17};

StoredKeys stored_keys(Bytes rdb) {
  StoredKeys stored;
  FindingList findings;
  const auto source = memory_source(rdb);
  RdbReader reader(*source, findings);
  while (const RdbRecord* record = reader.next()) {
    if (const auto* entry = std::get_if<RdbEntry>(&record->body)) {
      stored.entries.push_back({record->extent, {entry->db, std::string(entry->key)}});
      if (std::ranges::find(kOneStringCodes, entry->encoding->code) == std::end(kOneStringCodes))
        stored.frail.push_back(record->extent);
    }
    if (std::holds_alternative<FunctionLibrary>(record->body)) stored.frail.push_back(record->extent);
    if (const auto* select = std::get_if<SelectDb>(&record->body))
      stored.selects.emplace_back(record->extent, select->db);
  }
  REQUIRE(reader.complete());
  REQUIRE(findings.all.empty());
  return stored;
}

bool meet(const Extent& one, const Extent& other) {
  return one.offset < other.end() && other.offset < one.end();
}

// The keys that must have come through: their records and the SELECTDB of their db are outside of the damage.
std::set<SalvageKey> untouched_keys(const StoredKeys& stored, const Extent& damage) {
  std::set<uint64_t> lost_dbs;
  for (const auto& [extent, db] : stored.selects)
    if (meet(extent, damage)) lost_dbs.insert(db);
  std::set<SalvageKey> keys;
  for (const StoredKeys::Stored& entry : stored.entries)
    if (!meet(entry.extent, damage) && !lost_dbs.contains(entry.key.first)) keys.insert(entry.key);
  return keys;
}

bool is_frail(const StoredKeys& stored, const Extent& damage) {
  return std::ranges::any_of(stored.frail, [&](const Extent& extent) { return meet(extent, damage); });
}

// --- Servers that load what salvage made -----------------------------------------------------------------

bool rdb_check_accepts(const std::string& path) {
  return std::system(("redis-check-rdb '" + path + "' > /dev/null").c_str()) == 0;
}

const std::vector<std::string> kLooksInside = {"--sanitize-dump-payload", "yes"};

class SalvageLoader {
 public:
  // Throws std::runtime_error if the server refuses it.
  SalvageKeys load(Bytes rdb) {
    write_file(server_.rdb(), rdb);
    CHECK(rdb_check_accepts(server_.rdb()));
    client_.call({"DEBUG", "RELOAD", "NOSAVE"});
    return salvage_keys(client_);
  }
  std::string digest() { return client_.call({"DEBUG", "DIGEST"}).text; }

 private:
  LiveServer server_{kLooksInside};
  Client client_{server_.port()};
};

std::string bytes_from(ByteSource& source) {
  std::string bytes;
  for (Window window = source.window(0, 1); !window.bytes.empty(); window = source.window(bytes.size(), 1))
    bytes += window.bytes;
  return bytes;
}

// All of `keys` are there as the first server held them.
void check_loaded(const SalvageKeys& loaded, const SalvageKeys& held, const std::set<SalvageKey>& keys) {
  for (const SalvageKey& key : keys) {
    CAPTURE(key.first);
    CAPTURE(key.second);
    const auto found = loaded.find(key);
    CHECK((found != loaded.end() && found->second == held.at(key)));
  }
}

std::string zeroed(std::string bytes, const Extent& damage) {
  bytes.replace(damage.offset, damage.size, damage.size, '\0');
  return bytes;
}

struct SalvageTrial {
  std::string bytes;
  RdbSalvage report;
};

SalvageTrial salvage_bytes(Bytes damaged, const SalvageOptions& options) {
  const auto source = memory_source(damaged);
  SalvagedRdb salvaged(*source, options);
  return {bytes_from(salvaged.source()), salvaged.report()};
}

constexpr size_t kEofAndChecksum = 9;

// In front of the checksum and behind the magic.
Extent random_damage(SalvageRandom& random, const StoredKeys& stored, size_t file_size,
                     bool anywhere = false) {
  while (true) {
    const uint64_t size = 16 + random() % 497;
    const Extent damage = {9 + random() % (file_size - size - 9 - 9), size};
    if (anywhere || !is_frail(stored, damage)) return damage;
  }
}

}  // namespace

TEST_CASE("a file with a flipped bit is salvaged as it was written") {
  constexpr int kPlaces = 20;
  const SavedData& saved = saved_data();
  const uint64_t seed = from_environment("PERSIST_SEED", 1);
  CAPTURE(seed);
  SalvageRandom random(seed);
  SalvageLoader loader;
  for (int i = 0; i < kPlaces; ++i) {
    const uint64_t bit = random() % (8 * saved.rdb.size());
    CAPTURE(bit);
    std::string damaged = saved.rdb;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    const SalvageTrial trial = salvage_bytes(damaged, {});
    CHECK(trial.report.exact);
    CHECK(trial.bytes == saved.rdb);
    CHECK(loader.load(trial.bytes) == saved.keys);
    CHECK(loader.digest() == saved.digest);
  }
}

namespace {

void check_torn(Bytes rdb, const SalvageKeys& held, const StoredKeys& stored, uint64_t size,
                SalvageLoader& loader) {
  const TempFolder place;
  const Edited<RepairSummary> repaired =
      repair(place.file("torn.rdb", rdb.substr(0, size)), place.path("out.rdb"));
  CAPTURE(repaired.refusal);
  REQUIRE(repaired.done);
  const SalvageKeys loaded = loader.load(read_file(place.path("out.rdb")));
  check_loaded(loaded, held, untouched_keys(stored, {size, rdb.size() - size}));
  for (const auto& one : loaded) {
    CAPTURE(one.first.second);
    REQUIRE(held.contains(one.first));
    CHECK(one.second == held.at(one.first));
  }
}

}  // namespace

TEST_CASE("of a torn file a server loads what stands in front of the tear") {
  int count = 12;
  const SavedData& saved = saved_data();
  const StoredKeys stored = stored_keys(saved.rdb);
  const uint64_t seed = from_environment("PERSIST_SEED", 2);
  CAPTURE(seed);
  SalvageRandom random(seed);
  SalvageLoader loader;
  std::vector<uint64_t> sizes = {saved.rdb.size() - 1, saved.rdb.size() - 8, saved.rdb.size() - 9,
                                 stored.entries.front().extent.end(), stored.selects.back().first.end()};
  const uint64_t first = stored.entries.front().extent.end();
  while (count > 0) {
    const uint64_t size = first + random() % (saved.rdb.size() - first);
    const bool seems_to_end = saved.rdb[size - kEofAndChecksum] == '\xff';
    if (seems_to_end || is_frail(stored, {size, 1})) continue;
    sizes.push_back(size);
    --count;
  }
  for (const uint64_t size : sizes) {
    CAPTURE(size);
    check_torn(saved.rdb, saved.keys, stored, size, loader);
  }
}

TEST_CASE("of a file with a zeroed stretch a server loads all that stands outside of it") {
  constexpr int kStretches = 24;
  const SavedData& saved = saved_data();
  const StoredKeys stored = stored_keys(saved.rdb);
  const uint64_t seed = from_environment("PERSIST_SEED", 3);
  CAPTURE(seed);
  SalvageRandom random(seed);
  SalvageLoader loader;
  for (int i = 0; i < kStretches; ++i) {
    const Extent damage = random_damage(random, stored, saved.rdb.size());
    CAPTURE(damage.offset);
    CAPTURE(damage.size);
    const std::string damaged = zeroed(saved.rdb, damage);
    for (const bool keep_damaged : {false, true}) {
      CAPTURE(keep_damaged);
      SalvageOptions options;
      options.salvage = true;
      options.keep_damaged = keep_damaged;
      const SalvageTrial trial = salvage_bytes(damaged, options);
      const SalvageKeys loaded = loader.load(trial.bytes);
      check_loaded(loaded, saved.keys, untouched_keys(stored, damage));
      CHECK(loaded.size() == trial.report.keys_kept);
    }
  }
}

// Values that are told element by element may lose their ends, and take a few records behind them along.
TEST_CASE("of a file with a stretch zeroed anywhere a server loads the result, and hardly a key is missing") {
  const SavedData& saved = saved_data();
  const StoredKeys stored = stored_keys(saved.rdb);
  const uint64_t seed = from_environment("PERSIST_SEED", 4);
  CAPTURE(seed);
  SalvageRandom random(seed);
  SalvageLoader loader;
  uint64_t held = 0;
  uint64_t missing = 0;
  for (uint64_t left = from_environment("PERSIST_COUNT", 12); left > 0; --left) {
    const Extent damage = random_damage(random, stored, saved.rdb.size(), true);
    CAPTURE(damage.offset);
    CAPTURE(damage.size);
    SalvageOptions options;
    options.salvage = true;
    const SalvageKeys loaded = loader.load(salvage_bytes(zeroed(saved.rdb, damage), options).bytes);
    for (const SalvageKey& key : untouched_keys(stored, damage)) {
      const auto found = loaded.find(key);
      ++held;
      if (found == loaded.end() || found->second != saved.keys.at(key)) ++missing;
    }
  }
  MESSAGE(missing << " of " << held << " keys are missing");
  CHECK(missing <= held / 20);
}

// --- Logs whose RDB data is damaged ----------------------------------------------------------------------

namespace {

void rewrite_salvage_log(Client& client) {
  client.call({"BGREWRITEAOF"});
  for (int i = 0; i < 2000; ++i) {
    const std::string info = client.call({"INFO", "persistence"}).text;
    if (info.find("aof_rewrite_in_progress:0") != std::string::npos &&
        info.find("aof_rewrite_scheduled:0") != std::string::npos)
      return;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  throw std::runtime_error("the rewrite does not end");
}

// Each touches keys of its own or of many types; a db that is not the first is selected last.
void write_commands(Client& client) {
  client.call({"SELECT", "0"});
  client.call({"SET", "late:string", "v"});
  client.call({"RPUSH", "late:list", "a", "b"});
  client.call({"RPUSH", "list:0", "late item"});
  client.call({"MULTI"});
  client.call({"HSET", "late:hash", "f", "v"});
  client.call({"DEL", "plain:0:3"});
  client.call({"EXEC"});
  client.call({"SELECT", "3"});
  client.call({"ZADD", "late:zset", "1.5", "m"});
  client.call({"INCR", "number:3:7"});
}

const std::set<SalvageKey> kLateKeys = {
    {0, "late:string"}, {0, "late:list"}, {0, "late:hash"}, {3, "late:zset"}};

const SalvageKey kDeletedKey = {0, "plain:0:3"};

struct LoggedData {
  TempFolder place;  // with the append directory
  std::string base;  // its path
  std::string incr;
  SalvageKeys keys;
  StoredKeys stored;

  LoggedData() {
    const LiveServer server({"--appendonly", "yes", "--appendfsync", "no"});
    Client client(server.port());
    SalvageRandom random(4);
    fill_salvage(client, random);
    rewrite_salvage_log(client);
    write_commands(client);
    keys = salvage_keys(client);
    std::filesystem::create_directories(place.path("data"));
    std::filesystem::copy(server.folder() / "appendonlydir", place.path("data/appendonlydir"),
                          std::filesystem::copy_options::recursive);
    const AppendSet set = open_set(place.path("data"));
    REQUIRE(set.parts.size() == 2);
    base = set.parts.front().path;
    incr = set.parts.back().path;
    stored = stored_keys(read_file(base));
  }
};

SalvageKeys load_log(const std::string& folder) {
  const LiveServer server(
      {"--appendonly", "yes", "--sanitize-dump-payload", "yes", "--aof-load-truncated", "no"}, folder);
  Client client(server.port());
  while (client.call({"INFO", "persistence"}).text.find("\nloading:0") == std::string::npos)
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  return salvage_keys(client);
}

// Commands have made new ones of those that they write to, if the damage took these.
void check_log(const SalvageKeys& loaded, const LoggedData& logged, const Extent& damage) {
  check_loaded(loaded, logged.keys, kLateKeys);
  std::set<SalvageKey> keys = untouched_keys(logged.stored, damage);
  keys.erase(kDeletedKey);
  check_loaded(loaded, logged.keys, keys);
  CHECK(!loaded.contains(kDeletedKey));
}

RepairOptions with_salvage() {
  RepairOptions options;
  options.salvage = true;
  return options;
}

}  // namespace

TEST_CASE("behind a salvaged base a server replays the commands") {
  const LoggedData logged;
  const std::string base = read_file(logged.base);
  const uint64_t seed = from_environment("PERSIST_SEED", 5);
  CAPTURE(seed);
  SalvageRandom random(seed);
  for (int i = 0; i < 5; ++i) {
    const Extent damage = random_damage(random, logged.stored, base.size());
    CAPTURE(damage.offset);
    CAPTURE(damage.size);
    write_file(logged.base, zeroed(base, damage));
    const std::string out = logged.place.path("out");
    const Edited<RepairSummary> repaired = repair(logged.place.path("data"), out, with_salvage());
    CAPTURE(repaired.refusal);
    REQUIRE(repaired.done);
    CHECK(rdb_check_accepts(open_set(out).parts.front().path));
    check_log(load_log(out), logged, damage);
  }
}

TEST_CASE("behind a salvaged preamble a server replays the commands") {
  const LoggedData logged;
  const std::string base = read_file(logged.base);
  const std::string commands = read_file(logged.incr);
  const uint64_t seed = from_environment("PERSIST_SEED", 6);
  CAPTURE(seed);
  SalvageRandom random(seed);
  const TempFolder place;
  for (int i = 0; i < 5; ++i) {
    const Extent damage = random_damage(random, logged.stored, base.size());
    CAPTURE(damage.offset);
    CAPTURE(damage.size);
    std::filesystem::create_directories(place.path("out"));
    const std::string out = place.path("out/appendonly.aof");
    const Edited<RepairSummary> repaired =
        repair(place.file("appendonly.aof", zeroed(base, damage) + commands), out, with_salvage());
    CAPTURE(repaired.refusal);
    REQUIRE(repaired.done);
    const std::string bytes = read_file(out);
    CHECK(bytes.ends_with(commands));
    CHECK(rdb_check_accepts(
        place.file("preamble.rdb", Bytes(bytes).substr(0, bytes.size() - commands.size()))));
    check_log(load_log(place.path("out")), logged, damage);
  }
}

}  // namespace persist::test
