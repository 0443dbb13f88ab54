// Where records can be read again behind damage: real files whose framing was destroyed record by record, and
// made ones for what leads astray.
#include "rdb/resync.hpp"

#include <doctest/doctest.h>

#include <array>

#include "support/drip_source.hpp"
#include "support/files.hpp"
#include "support/rdb_builder.hpp"

using namespace persist;
using namespace persist::test;

namespace {

constexpr int64_t kSomeMs = 1'700'000'000'123;

RdbState state_of(Dialect dialect, uint32_t version) {
  RdbState state;
  state.dialect = dialect;
  state.version = version;
  state.has_checksum = version >= kChecksumSince;
  return state;
}

std::optional<RecordChain> find(Bytes bytes, uint64_t from, uint64_t beyond, bool followed = false) {
  const auto source = memory_source(bytes);
  return Resync(*source, state_of(redis, 11), bytes.size(), followed).find(from, beyond);
}

// Records that carry some 25 to 45 bits each: `count` strings, counted from `first`.
RdbBuilder& put_strings(RdbBuilder& builder, size_t first, size_t count) {
  for (size_t i = first; i < first + count; ++i) {
    const std::string number = std::to_string(i);
    builder.string("user:" + number, "the value of " + number);
  }
  return builder;
}

std::string strings(size_t first, size_t count) {
  RdbBuilder builder;
  return put_strings(builder, first, count).bytes();
}

// Counts the bytes that are asked for.
class CountingSource : public ByteSource {
 public:
  explicit CountingSource(Bytes bytes) : bytes_(bytes), keep_(std::make_shared<int>()) {}

  Window window(uint64_t from, uint64_t min) override {
    constexpr uint64_t kAhead = 65536;
    const Bytes window = bytes_.substr(std::min<uint64_t>(from, bytes_.size()), min + kAhead);
    asked_ += window.size();
    return {window, keep_};
  }
  [[nodiscard]] bool rereadable() const override { return true; }
  [[nodiscard]] std::optional<uint64_t> size() const override { return bytes_.size(); }
  [[nodiscard]] const std::string& name() const override { return name_; }
  [[nodiscard]] uint64_t asked() const { return asked_; }

 private:
  Bytes bytes_;
  std::shared_ptr<int> keep_;
  std::string name_ = "<counting>";
  uint64_t asked_ = 0;
};

const std::string kEnd = std::string("\xff") + std::string(8, '\x07');

// --------------------------------------------------------------------------------------------- real files

// Where a record begins, where its type code or opcode stands behind the prefixes, and whether it is an entry
// of an empty key.
struct Place {
  uint64_t offset = 0;
  uint64_t code = 0;
  bool is_nameless = false;
};

struct Framed {
  std::string bytes;
  RdbState state;
  uint64_t end = 0;
  std::vector<Place> places;
};

uint64_t code_of(const std::string& bytes, const RdbRecord& record) {
  const auto* entry = std::get_if<RdbEntry>(&record.body);
  if (entry == nullptr) return record.extent.offset;
  uint64_t at = record.extent.offset;
  if (entry->expire_at_ms != kNoExpiry) at += entry->expiry_in_seconds ? 5U : 9U;
  if (entry->freq) at += 2;
  if (entry->idle_s) at += *entry->idle_s < 64 ? 2U : *entry->idle_s < 16384 ? 3U : 6U;
  if (!entry->key_meta.empty()) at += 1 + entry->key_meta.size();
  REQUIRE(static_cast<uint8_t>(bytes[at]) == entry->encoding->code);
  return at;
}

Framed framed(const std::string& path) {
  Framed file;
  file.bytes = read_file(path);
  const auto source = memory_source(file.bytes);
  FindingList findings;
  RecordReader reader(*source, findings);
  REQUIRE(reader.next() != nullptr);
  file.state = reader.state();
  while (const RdbRecord* record = reader.next()) {
    const auto* entry = std::get_if<RdbEntry>(&record->body);
    file.places.push_back(
        {record->extent.offset, code_of(file.bytes, *record), entry != nullptr && entry->key.empty()});
  }
  REQUIRE(reader.complete());
  file.end = reader.offset();
  return file;
}

enum class Harm : uint8_t { code, key_length, zeroed };

std::string harmed(const Framed& file, size_t index, Harm harm) {
  std::string bytes = file.bytes;
  const uint64_t at = file.places[index].code;
  if (harm == Harm::code) bytes[at] = 0x63;
  if (harm == Harm::key_length) bytes[at + 1] = static_cast<char>(bytes[at + 1] ^ 0x15);
  if (harm == Harm::zeroed) {
    for (uint64_t i = at; i < std::min(at + 16, file.places[index + 1].offset); ++i) bytes[i] = '\0';
  }
  return bytes;
}

// What came out of destroying every record of a file in turn. Besides the place of the next record, there
// are: heads that are not sure of themselves and lead there; files whose next record has an empty key, which
// begins no chain; and remains that read like records: of hashes whose fields have TTLs, of lists of long
// texts.
struct Tally {
  size_t exact = 0;
  size_t unsure_head = 0;
  size_t nameless = 0;
  size_t astray = 0;
};

constexpr std::array kServers = {"redis-2.0.5",         "redis-2.4.18", "redis-2.8.24", "redis-4.0.14",
                                 "redis-6.0.20",        "redis-7.0.15", "redis-7.2.6",  "redis-7.4.1",
                                 "redis-rdb14-2026-06", "valkey-9.1.0"};

void destroy_each(const Framed& file, Harm harm, size_t step, Tally& tally) {
  // The last few records may carry too little.
  constexpr size_t kRest = 8;
  for (size_t i = 0; i + kRest < file.places.size(); i += step) {
    const std::string bytes = harmed(file, i, harm);
    const auto source = memory_source(bytes);
    Resync resync(*source, file.state, file.end, false);
    const uint64_t from = file.places[i].offset + 1;
    const uint64_t next = file.places[i + 1].offset;
    const auto chain = resync.find(from, from);
    REQUIRE(chain.has_value());
    CHECK(chain->bits >= kChainBits);
    if (chain->offset == next)
      ++tally.exact;
    else if (chain->offset < next && chain->sure_from >= next)
      ++tally.unsure_head;
    else if (file.places[i + 1].is_nameless)
      ++tally.nameless;
    else
      ++tally.astray;
  }
}

}  // namespace

TEST_CASE("resync: the record behind a destroyed one is found in files of all servers") {
  for (const Harm harm : {Harm::code, Harm::key_length, Harm::zeroed}) {
    Tally tally;
    for (const char* name : kServers)
      destroy_each(framed(std::string(PERSIST_TESTDATA "/rdb/") + name + "/dump.rdb"), harm, 3, tally);
    CAPTURE(static_cast<int>(harm));
    CAPTURE(tally.exact);
    CAPTURE(tally.unsure_head);
    CAPTURE(tally.astray);
    const size_t all = tally.exact + tally.unsure_head + tally.nameless + tally.astray;
    CHECK(all > 900);
    CHECK(tally.exact * 100 >= all * 96);
    CHECK(tally.astray * 200 <= all);
  }
}

TEST_CASE("resync: out of a file that is read by windows, the same") {
  const Framed file = framed(PERSIST_TESTDATA "/rdb/redis-7.2.6/dump.rdb");
  const std::string bytes = harmed(file, 30, Harm::code);
  DripSource source(bytes, true);
  Resync resync(source, file.state, file.end, false);
  const auto chain = resync.find(file.places[30].offset + 1, 0);
  REQUIRE(chain.has_value());
  CHECK(chain->offset == file.places[31].offset);
}

// --------------------------------------------------------------------------------------------- made files

TEST_CASE("resync: begins at the first prefix") {
  const std::string lost = noise(100, 5);
  struct Row {
    const char* name;
    RdbBuilder prefixes;
  };
  const std::array<Row, 3> rows = {
      Row{"expiry", RdbBuilder().expire_ms(kSomeMs)},
      Row{"expiry, idle", RdbBuilder().expire_ms(kSomeMs).idle(7)},
      Row{"database", RdbBuilder().select(3).resize(100, 5)},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    const std::string file = lost + row.prefixes.bytes() + strings(0, 20) + kEnd;
    const auto chain = find(file, 0, 0);
    REQUIRE(chain.has_value());
    CHECK(chain->offset == lost.size());
    CHECK(chain->ends);
  }
}

TEST_CASE("resync: how often a key was used, all entries tell or none") {
  const std::string lost = noise(100, 5);
  const std::string used = RdbBuilder().freq(9).bytes();
  auto chain = find(lost + used + strings(0, 1) + used + strings(1, 1) + used + strings(2, 20) + kEnd, 0, 0);
  REQUIRE(chain.has_value());
  CHECK(chain->offset == lost.size());
  chain = find(lost + used + strings(0, 20) + kEnd, 0, 0);
  REQUIRE(chain.has_value());
  CHECK(chain->offset == lost.size() + used.size());
}

TEST_CASE("resync: an expiry in seconds, where servers write milliseconds, is not sure") {
  const std::string lost(40, '\x63');
  RdbBuilder builder;
  builder.expire_s(1'700'000'000).string("a key of many letters", "value");
  const std::string file = lost + builder.bytes() + strings(0, 20);
  const uint64_t second = lost.size() + builder.size();
  struct Row {
    uint32_t version;
    std::string end;
    uint64_t sure_from;
  };
  const std::array<Row, 2> rows = {Row{11, kEnd, second}, Row{2, "\xff", lost.size()}};
  for (const Row& row : rows) {
    CAPTURE(row.version);
    const std::string bytes = file + row.end;
    const auto source = memory_source(bytes);
    const auto chain = Resync(*source, state_of(redis, row.version), bytes.size(), false).find(0, 0);
    REQUIRE(chain.has_value());
    CHECK(chain->offset == lost.size());
    CHECK(chain->sure_from == row.sure_from);
  }
}

TEST_CASE("resync: an entry that lost its expiry is not sure") {
  const std::string rest = RdbBuilder().expire_ms(kSomeMs).bytes().substr(1);
  RdbBuilder builder;
  builder.hash_listpack("a key of many letters", {{"field", "value"}});
  const size_t first = builder.size();
  put_strings(builder, 0, 10);
  const std::string file = "\x63" + rest + builder.bytes() + kEnd;
  auto chain = find(file, 0, 0);
  REQUIRE(chain.has_value());
  CHECK(chain->offset == 1 + rest.size());
  CHECK(chain->sure_from == 1 + rest.size() + first);
  chain = find("\x63" + std::string(8, '\x63') + builder.bytes() + kEnd, 0, 0);
  REQUIRE(chain.has_value());
  CHECK(chain->sure_from == chain->offset);
}

TEST_CASE("resync: a head with little to say for itself is not sure") {
  const std::string head = RdbBuilder().string("\x01\x02", "\x03").bytes();
  const std::string file = noise(40, 3) + head + strings(0, 20) + kEnd;
  const auto chain = find(file, 0, 0);
  REQUIRE(chain.has_value());
  CHECK(chain->offset == 40);
  CHECK(chain->sure_from == 40 + head.size());
}

TEST_CASE("resync: one long record that swallows others has less evidence than they") {
  // A string with a binary key, up to a true boundary.
  const std::string swallowed = strings(0, 30);
  const std::string head = std::string("\x00\x02\x01\x02", 4) + length(swallowed.size() + 3) + "\x01\x02\x03";
  const std::string file = head + swallowed + strings(30, 20) + kEnd;
  const auto chain = find(file, 0, 0);
  REQUIRE(chain.has_value());
  CHECK(chain->offset == head.size());
}

TEST_CASE("resync: the swallowed ones may lie behind the first stretch") {
  const std::string lost(4000, '\x63');
  const std::string swallowed = strings(0, 3000);
  const std::string head =
      std::string("\x00\x02\x01\x02", 4) + length(swallowed.size() + 200) + std::string(200, '\x63');
  const std::string file = lost + head + swallowed + strings(3000, 20) + kEnd;
  const auto chain = find(file, 0, 0);
  REQUIRE(chain.has_value());
  CHECK(chain->offset == lost.size() + head.size());
}

TEST_CASE("resync: of two chains with damage between them, the first") {
  const std::string damage(30, '\x63');
  const std::string file = damage + strings(0, 4) + damage + strings(4, 200) + kEnd;
  const auto chain = find(file, 0, 0);
  REQUIRE(chain.has_value());
  CHECK(chain->offset == damage.size());
  CHECK_FALSE(chain->ends);
  const auto second = find(file, damage.size() + strings(0, 4).size(), 0);
  REQUIRE(second.has_value());
  CHECK(second->offset == 2 * damage.size() + strings(0, 4).size());
}

TEST_CASE("resync: what is no chain") {
  const auto repeated = [](const std::string& bytes, size_t times) {
    std::string all;
    for (size_t i = 0; i < times; ++i) all += bytes;
    return all;
  };
  struct Row {
    const char* name;
    std::string bytes;
  };
  const std::array<Row, 10> rows = {
      Row{"nothing", ""},
      Row{"one byte", "\xff"},
      Row{"erased, short", std::string(9, '\xff')},
      Row{"random bytes", noise(300'000, 77)},
      Row{"zeros", std::string(100'000, '\0')},
      Row{"erased", std::string(100'000, '\xff')},
      Row{"text", repeated("It was the best of times,\nit was the worst of times;\t", 2000)},
      Row{"the same key again and again", repeated(RdbBuilder().string("counter", "value").bytes(), 2000)},
      Row{"keys of zeros",
          repeated(RdbBuilder().string({"\0", 1}, {"\0", 1}).string({"\0\0", 2}, "").bytes(), 900)},
      Row{"prefixes without end", repeated("\xf9\x07", 50'000)},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    CHECK_FALSE(find(row.bytes, 0, 0).has_value());
  }
}

TEST_CASE("resync: behind zeros, with a string whose key they took") {
  const std::string file =
      std::string(5000, '\0') + plain_string("the value of a key that is lost") + strings(0, 20) + kEnd;
  const auto chain = find(file, 0, 0);
  REQUIRE(chain.has_value());
  CHECK(chain->offset == 5000 + 32);
}

TEST_CASE("resync: a file that was a value is not taken for this one") {
  const std::string damage(20, '\x63');
  const std::string embedded = put_strings(RdbBuilder(redis, 11).select(0), 100, 50).eof();
  const std::string own = strings(0, 20) + kEnd;
  // With its magic, and from its middle on.
  for (const size_t cut : {size_t{0}, size_t{11}, size_t{500}}) {
    CAPTURE(cut);
    const std::string lost = damage + embedded.substr(cut) + damage;
    const auto chain = find(lost + own, 0, 0);
    REQUIRE(chain.has_value());
    CHECK(chain->offset == lost.size());
  }
  // In a value that is whole, it is a value.
  const std::string whole = RdbBuilder().string("backup:latest", embedded).bytes();
  const auto chain = find(damage + whole + own, 0, 0);
  REQUIRE(chain.has_value());
  CHECK(chain->offset == damage.size());
}

TEST_CASE("resync: a file that was a value, without its beginning, however long") {
  RdbBuilder builder(redis, 11);
  const std::string embedded = put_strings(builder, 100, 9000).eof().substr(500);
  const std::string own = strings(0, 20) + kEnd;
  const auto chain = find(embedded + own, 0, 0);
  REQUIRE(chain.has_value());
  CHECK(chain->offset == embedded.size());
  // If no records follow, it is the file, and what follows is something else.
  const auto only = find(embedded + noise(3000, 8), 0, 0);
  REQUIRE(only.has_value());
  CHECK(only->offset < 50);
  // So it is if a second file was appended to it.
  RdbBuilder second(redis, 11);
  const auto first = find(embedded + put_strings(second, 0, 20).eof(), 0, 0);
  REQUIRE(first.has_value());
  CHECK(first->offset < 50);
}

TEST_CASE("resync: the last record of a torn file that was a value costs none behind it") {
  // It would be whole with most of the first of those that follow.
  const std::string own = strings(0, 20);
  const size_t first = strings(0, 1).size();
  RdbBuilder builder(redis, 11);
  const std::string torn = put_strings(builder, 100, 50).key(0, "torn").len(first).raw("abcde").bytes();
  const auto chain = find("\x63" + torn + own + kEnd, 0, 0);
  REQUIRE(chain.has_value());
  CHECK(chain->offset == 1 + torn.size());
}

TEST_CASE("resync: an opcode of the end that is none") {
  const std::string erased(64, '\xff');
  const std::string file = std::string(30, '\x63') + strings(0, 20) + erased + strings(20, 20) + kEnd;
  const auto chain = find(file, 0, 0);
  REQUIRE(chain.has_value());
  CHECK(chain->offset == 30);
}

TEST_CASE("resync: bytes behind the end") {
  const std::string damage(30, '\x63');
  for (const std::string& behind : {std::string("*1\r\n$4\r\nPING\r\n"), std::string("hello world\n"),
                                    std::string(5000, '\0'), std::string(5000, 'x')}) {
    const std::string file = damage + strings(0, 20) + kEnd + behind;
    for (const bool followed : {false, true}) {
      const auto chain = find(file, 0, 0, followed);
      REQUIRE(chain.has_value());
      CHECK(chain->offset == damage.size());
    }
  }
}

TEST_CASE("resync: a chain that the end of the file cuts off") {
  const std::string damage(30, '\x63');
  const std::string whole = damage + strings(0, 20);
  const auto chain = find(Bytes(whole).substr(0, whole.size() - 5), 0, 0);
  REQUIRE(chain.has_value());
  CHECK(chain->offset == damage.size());
  CHECK_FALSE(chain->ends);
}

TEST_CASE("resync: what lies under suspicion has to go on behind it") {
  const std::string damage(30, '\x63');
  const std::string inside = strings(0, 20);
  const std::string file = inside + damage + strings(20, 20) + kEnd;
  const uint64_t behind = inside.size() + damage.size();
  struct Row {
    const char* name;
    uint64_t from;
    uint64_t beyond;
    uint64_t found;
  };
  const std::array<Row, 4> rows = {
      Row{"nothing is", 0, 0, 0},
      Row{"up to a place inside of the chain", 0, 100, 0},
      Row{"up to where it breaks off", 0, inside.size(), behind},
      Row{"up to a place in the next", 0, behind + strings(20, 3).size(), behind},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    const auto chain = find(file, row.from, row.beyond);
    REQUIRE(chain.has_value());
    CHECK(chain->offset == row.found);
  }
}

TEST_CASE("resync: a chain may begin with any record") {
  struct Row {
    const char* name;
    RdbBuilder first;
  };
  const std::array<Row, 5> rows = {
      Row{"aux", RdbBuilder().aux("redis-ver", "7.2.6")},
      Row{"function",
          RdbBuilder().function("#!lua name=mylib\nredis.register_function('f', function() end)")},
      Row{"select", RdbBuilder().select(2)},
      Row{"stream", RdbBuilder().stream("stream", 3, {{{{1, 1}, {{"field", "value"}}}}, {1, 1}})},
      Row{"intset", RdbBuilder().set_intset("numbers", {1, 2, 3})},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    const std::string file = std::string(33, '\x63') + row.first.bytes() + strings(0, 20) + kEnd;
    const auto chain = find(file, 0, 0);
    REQUIRE(chain.has_value());
    CHECK(chain->offset == 33);
  }
}

TEST_CASE("resync: a record larger than what is searched at once") {
  const std::string large(3 << 20, 'x');
  const std::string file =
      std::string(100, '\x63') + RdbBuilder().string("a:large:one", large).bytes() + strings(0, 20) + kEnd;
  DripSource source(file, true);
  const auto chain = Resync(source, state_of(redis, 11), file.size(), false).find(0, 0);
  REQUIRE(chain.has_value());
  CHECK(chain->offset == 100);
}

TEST_CASE("resync: records that all claim to be long are not all followed to their end") {
  // Every one a list of nearly a million elements, which reads well for long before it fails.
  std::string file;
  for (size_t i = 0; i < 3000; ++i)
    file += "\x01\x04" + std::to_string(1000 + i) + std::string("\x80\x00\x0f\x00\x00", 5);
  file += std::string(1 << 20, '\0');
  CountingSource source(file);
  CHECK_FALSE(Resync(source, state_of(redis, 11), file.size(), false).find(0, 0).has_value());
  CHECK(source.asked() < 80 * file.size());
}

TEST_CASE("evidence: what a record says for itself") {
  struct Row {
    const char* name;
    std::string record;
    unsigned least;
    unsigned most;
  };
  const std::array<Row, 14> rows = {
      Row{"empty key and value", RdbBuilder().string("", "").bytes(), 0, 0},
      Row{"key and value of zeros", RdbBuilder().string({"\0\0", 2}, {"\0\0", 2}).bytes(), 0, 0},
      Row{"binary", RdbBuilder().string("\x01\x02", "\x03").bytes(), 3, 3},
      Row{"short text", RdbBuilder().string("ab", "cd").bytes(), 7, 8},
      Row{"long text", RdbBuilder().string("a:key:of:letters", "a value of letters").bytes(), 45, 55},
      Row{"UTF-8", RdbBuilder().string("ключ", "\x01").bytes(), 13, 15},
      Row{"text with a control character", RdbBuilder().string("ab\x01\x63", "").bytes(), 3, 3},
      Row{"very long text", RdbBuilder().string(std::string(1025, 'x'), "").bytes(), 5, 5},
      Row{"text cut out of text", RdbBuilder().string("k", std::string(60, 'x')).bytes(), 12, 13},
      Row{"number", RdbBuilder().string_int("n", 7).bytes(), 9, 9},
      Row{"expiry", RdbBuilder().expire_ms(kSomeMs).string("\x01", "\x02").bytes(), 23, 23},
      Row{"listpack", RdbBuilder().set_listpack("\x01", {"a"}).bytes(), 35, 35},
      Row{"aux", RdbBuilder().aux("ctime", "\x01").bytes(), 43, 43},
      Row{"select", RdbBuilder().select(0).bytes(), 6, 6},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    const auto source = memory_source(row.record);
    FindingList findings;
    RecordReader reader(*source, state_of(redis, 11), findings);
    const RdbRecord* record = reader.next();
    REQUIRE(record != nullptr);
    const unsigned bits = evidence_of(*record, row.record);
    CHECK(bits >= row.least);
    CHECK(bits <= row.most);
  }
}
