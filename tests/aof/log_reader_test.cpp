// Logs as records: what is one, what is not, and where reading goes on behind damage.
#include "aof/log_reader.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <functional>

#include "support/aof_builder.hpp"
#include "support/bytes_builder.hpp"
#include "support/drip_source.hpp"
#include "support/files.hpp"
#include "support/notation.hpp"

using namespace persist;
using namespace persist::test;

namespace {

// Only what cannot be printed.
std::string escaped(Bytes bytes) {
  std::string text;
  for (const char c : bytes) text += c >= ' ' && c < 0x7f ? std::string(1, c) : "\\x" + hex(Bytes(&c, 1));
  return text;
}

std::string place_of(Extent extent) {
  return std::to_string(extent.offset) + "+" + std::to_string(extent.size) + " ";
}

std::string tell_command(const LogReader& reader) {
  std::string text = place_of(reader.extent());
  for (const Bytes arg : reader.args()) text += (text.ends_with(' ') ? "" : " ") + escaped(arg);
  if (!reader.shows_all()) text += " ... of " + std::to_string(reader.argument_count());
  if (reader.looseness())
    text +=
        " (loose at " + std::to_string(reader.looseness()->place) + " " + reader.looseness()->subject + ")";
  return text;
}

std::string tell_damage(const LogReader& reader) {
  const LogDamage& damage = reader.damage();
  return "! " + place_of(damage.extent) + std::string(finding_kind(damage.code).id) + " at " +
         std::to_string(damage.place) + " " + damage.subject + (damage.resumes ? ", goes on" : "");
}

// One record a line; extents must ascend without a gap.
std::string records_of(ByteSource& source, Hold hold, uint64_t from = 0) {
  std::string text;
  LogReader reader(source, from, hold);
  uint64_t at = from;
  while (true) {
    const LogStep step = reader.next();
    if (step == LogStep::end) {
      CHECK(reader.offset() == at);
      CHECK(reader.next() == LogStep::end);
      return text;
    }
    const Extent extent = step == LogStep::damage ? reader.damage().extent : reader.extent();
    CHECK(extent.offset == at);
    CHECK(extent.size > 0);
    at = extent.end();
    CHECK(reader.offset() == at);
    if (step == LogStep::command) {
      CHECK(reader.argument_count() >= reader.args().size());
      text += tell_command(reader) + "\n";
    } else if (step == LogStep::annotation) {
      text += place_of(extent) + "#" + std::string(reader.annotation()) + "\n";
    } else {
      text += tell_damage(reader) + "\n";
    }
  }
}

std::string records_of(Bytes log, Hold hold = Hold::whole) { return records_of(*memory_source(log), hold); }

std::string nul(size_t size) { return std::string(size, '\0'); }

const std::string kFull = resp("SELECT 0") + resp("SET a 1") + resp("SET b 2");
constexpr const char* kToldFull = "0+23 SELECT 0\n23+27 SET a 1\n50+27 SET b 2\n";

struct Row {
  std::string log;
  std::string told;
  bool same_in_pipe = true;  // false: a pipe cannot go back to search
};

std::vector<Row> sound_rows() {
  return {
      {"", ""},
      {kFull, kToldFull},
      {"#TS:1628217470\r\n" + kFull + "#hello\r\n#\r\n#\n",
       "0+16 #TS:1628217470\n16+23 SELECT 0\n39+27 SET a 1\n66+27 SET b 2\n93+8 #hello\n101+3 #\n"
       "104+2 #\n"},
      {"#HDR:v1;len:9;checksum:1;\r\n" + resp("PING"), "0+27 #HDR:v1;len:9;checksum:1;\n27+14 PING\n"},
      // Nobody the reader knows, but framed well.
      {resp("FOO a") + kFull.substr(0, 23), "0+20 FOO a\n20+23 SELECT 0\n"},
      {resp("MULTI") + resp("EXEC") + resp("EXEC"), "0+15 MULTI\n15+14 EXEC\n29+14 EXEC\n"},
      // Values are not looked into.
      {resp({"SET", "k", "*1\r\n$4\r\nPING\r\n*1\r\n$4\r\nPING\r\n"}) + resp("PING"),
       "0+55 SET k *1\\x0d\\x0a$4\\x0d\\x0aPING\\x0d\\x0a*1\\x0d\\x0a$4\\x0d\\x0aPING\\x0d\\x0a\n55+14 "
       "PING\n"},
      {resp({"SET", "k", "#TS:1\r\n"}) + resp({"SET", "k", nul(3)}),
       "0+33 SET k #TS:1\\x0d\\x0a\n33+29 SET k \\x00\\x00\\x00\n"},
  };
}

std::vector<Row> loose_rows() {
  return {
      {"*3\n$3\nSET\r\n$1\na\r\n$1\n1\r\n" + resp("PING"),
       "0+23 SET a 1 (loose at 2 argument count)\n23+14 PING\n"},
      {"*3\r\n$3\r\nSETXX$1\r\naYY$1\r\n1ZZ", "0+27 SET a 1 (loose at 11 end of an argument)\n"},
      {"*1xyz\r\n$4\r\nPING\r\n#TS:1\r\n", "0+17 PING (loose at 2 argument count)\n17+7 #TS:1\n"},
  };
}

std::vector<Row> tail_rows() {
  const std::string short_full = kFull.substr(0, kFull.size() - 4);
  return {
      {short_full, "0+23 SELECT 0\n23+27 SET a 1\n! 50+23 aof.truncated-tail at 70 argument length\n"},
      {kFull + "*", kToldFull + std::string("! 77+1 aof.truncated-tail at 77 argument count\n")},
      {kFull + "*3", kToldFull + std::string("! 77+2 aof.truncated-tail at 77 argument count\n")},
      {kFull + "*3\r", kToldFull + std::string("! 77+3 aof.truncated-tail at 77 argument count\n")},
      {kFull + "*3\r\n$3\r\nSET\r",
       kToldFull + std::string("! 77+12 aof.truncated-tail at 88 end of an argument\n")},
      {kFull + nul(1), kToldFull + std::string("! 77+1 aof.nul-tail at 77 argument count\n"), false},
      {kFull + nul(20), kToldFull + std::string("! 77+20 aof.nul-tail at 77 argument count\n"), false},
      {kFull + nul(5000), kToldFull + std::string("! 77+5000 aof.nul-tail at 77 argument count\n"), false},
      // NUL bytes from the middle of a record on.
      {kFull + "*3\r\n$3\r\nSET\r\n" + nul(100),
       kToldFull + std::string("! 77+113 aof.nul-tail at 90 argument length\n"), false},
      {kFull + "*3\r\n$3\r\nSE" + nul(100),
       kToldFull + std::string("! 77+110 aof.nul-tail at 88 end of an argument\n"), false},
      {kFull + "garbage", kToldFull + std::string("! 77+7 aof.garbage-tail at 77 argument count\n")},
      {kFull + "SET a 1\r\n", kToldFull + std::string("! 77+9 aof.garbage-tail at 77 argument count\n")},
      {kFull + nul(10) + "x", kToldFull + std::string("! 77+11 aof.garbage-tail at 77 argument count\n")},
      {"*0\r\n", "! 0+4 aof.garbage-tail at 2 argument count\n"},
      {kFull + "#TS:16282", kToldFull + std::string("! 77+9 aof.torn-annotation at 77 annotation\n")},
      {kFull + "#", kToldFull + std::string("! 77+1 aof.torn-annotation at 77 annotation\n")},
      {kFull + "*1\r\n$10000000000\r\n0123456789",
       kToldFull + std::string("! 77+28 aof.truncated-tail at 95 argument\n")},
      // Numbers that no loader takes.
      {kFull + "*1\r\n$9223372036854775808\r\n0123456789",
       kToldFull + std::string("! 77+36 aof.garbage-tail at 101 argument length\n")},
      {kFull + "*9223372036854775808\r\n$1\r\na\r\n",
       kToldFull + std::string("! 77+29 aof.garbage-tail at 97 argument count\n")},
  };
}

std::vector<Row> middle_rows() {
  const std::string a = resp("SET a 1");
  const std::string b = resp("SET b 2");
  const auto hole = [](size_t size, const std::string& subject, size_t place = 27) {
    return "0+27 SET a 1\n! 27+" + std::to_string(size) + " aof.bad-record at " + std::to_string(place) +
           " " + subject + ", goes on\n" + std::to_string(27 + size) + "+27 SET b 2\n";
  };
  return {
      {a + "xx\r\n" + b, hole(4, "argument count")},
      {a + "SET x 1\r\n" + b, hole(9, "argument count")},
      {a + nul(512) + b, hole(512, "argument count"), false},
      {a + noise(100'000) + b, hole(100'000, "argument count")},
      {a + "*0\r\n" + b, hole(4, "argument count", 29)},
      {a + "*-1\r\n" + b, hole(5, "argument count", 28)},
      {a + "*abc\r\n" + b, hole(6, "argument count", 28)},
      // Torn in the middle: by a server that went on behind it.
      {a + "*3\r\n$3\r\nSET\r\n$1\r\n" + b, hole(17, "end of an argument", 45), false},
      {a + "*3\r\n$3\r\n" + b, hole(8, "end of an argument", 38), false},
      {a + "*2\r\n$3\r\nGET\r\n$1\r\nabc\r\n" + b, hole(22, "end of an argument", 45), false},
      // A length too large takes what follows with it, to the end: two commands in a row are believed.
      {a + "*2\r\n$3\r\nGET\r\n$500\r\nabc\r\n" + b + resp("PING"), hole(24, "argument", 46) + "78+14 PING\n",
       false},
      // An annotation without an end.
      {a + "#" + std::string(70'000, 'x') + "\r\n" + b, hole(70'003, "annotation")},
      // What looks like a command but is none that servers know is not believed.
      {a + "x" + resp("FOO a") + b, hole(21, "argument count")},
      {a + "x" + resp("GET") + b, hole(14, "argument count")},
  };
}

// The record in which the damage is holds text that looks like a command.
TEST_CASE("damage: what a value holds is not taken for the log while there is something better") {
  const std::string bait = resp({"SET", "k", resp("FLUSHALL")});
  const std::string b = resp("SET b 2");
  CHECK(records_of("x" + bait + b) == "! 0+1 aof.bad-record at 0 argument count, goes on\n1+45 SET k " +
                                          escaped(resp("FLUSHALL")) + "\n46+27 SET b 2\n");
  // Behind the FLUSHALL in the value stands the end of the value, no record.
  std::string spoiled = bait;
  spoiled[0] = '+';
  CHECK(records_of(spoiled + b) == "! 0+45 aof.bad-record at 0 argument count, goes on\n45+27 SET b 2\n");
}

void check_rows(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    CAPTURE(shown(Bytes(row.log).substr(0, 300)));
    for (const Hold hold : {Hold::whole, Hold::beginnings}) {
      CHECK(records_of(row.log, hold) == row.told);
      if (row.log.size() > 10'000) continue;  // byte by byte is for small ones
      DripSource file(row.log, true);
      CHECK(records_of(file, hold) == row.told);
      if (!row.same_in_pipe) continue;
      DripSource pipe(row.log, false);
      CHECK(records_of(pipe, hold) == row.told);
    }
  }
}

}  // namespace

TEST_CASE("log: sound ones") { check_rows(sound_rows()); }
TEST_CASE("log: loosely framed ones") { check_rows(loose_rows()); }
TEST_CASE("log: damaged tails") { check_rows(tail_rows()); }
TEST_CASE("log: damage in the middle") { check_rows(middle_rows()); }

TEST_CASE("log: in a pipe, too, reading goes on behind damage") {
  for (const Row& row : middle_rows()) {
    if (row.same_in_pipe) continue;
    CAPTURE(shown(Bytes(row.log).substr(0, 300)));
    std::string log = row.log;
    for (int i = 0; i < 10; ++i) log += kFull;  // beyond what a length may have swallowed
    DripSource pipe(log, false);
    const std::string told = records_of(pipe, Hold::beginnings);
    CHECK(told.find("! 27+") != std::string::npos);
    CHECK(told.find(" SELECT 0\n") != std::string::npos);
  }
}

// A pipe forgets what was before the place that it was last asked for.
TEST_CASE("log: damage at the beginning of a long pipe, and NUL bytes at its end") {
  std::string commands;
  while (commands.size() < 3'000'000) commands += resp("SET key " + std::to_string(commands.size()));
  for (const std::string& damage : {std::string("x"), std::string(100, 'x'), nul(700'000),
                                    nul(1'200'000) + "x", std::string("*2\r\n$3\r\nGET\r\n$1\r\n")}) {
    CAPTURE(damage.size());
    const std::string log = damage + commands;
    PipedSource pipe(log);
    const std::string told = records_of(pipe.source(), Hold::beginnings);
    const std::string whole = records_of(log, Hold::beginnings);
    CHECK(told.size() + 300'000 > whole.size());
    CHECK(whole.ends_with(told.substr(told.find('\n') + 1)));
  }
  for (const size_t size : {size_t{1}, size_t{20}, size_t{5000}, size_t{2'000'000}}) {
    CAPTURE(size);
    const std::string log = commands + nul(size);
    PipedSource pipe(log);
    CHECK(records_of(pipe.source(), Hold::beginnings) == records_of(log, Hold::beginnings));
  }
}

TEST_CASE("log: from behind an RDB part") {
  const AofBuilder log = AofBuilder().rdb(RdbBuilder(redis, 10).string("k", "v")).command("SET a 1");
  const uint64_t from = log.boundaries().front().offset;
  const std::string at = std::to_string(from);
  CHECK(records_of(*memory_source(log.bytes()), Hold::whole, from) == at + "+27 SET a 1\n");
}

// ------------------------------------------------------------------------------------------------- size

TEST_CASE("annotations: as long as they like, up to 64 KiB") {
  for (const size_t size :
       {size_t{0}, size_t{1020}, size_t{1021}, size_t{1022}, size_t{5000}, size_t{65'533}}) {
    CAPTURE(size);
    const std::string text(size, 'x');
    const std::string log = AofBuilder().annotation(text).command("PING").bytes();
    const std::string told =
        "0+" + std::to_string(size + 3) + " #" + text + "\n" + std::to_string(size + 3) + "+14 PING\n";
    CHECK(records_of(log) == told);
  }
}

TEST_CASE("timestamps") {
  CHECK(parse_timestamp("TS:1628217470") == 1628217470);
  CHECK(parse_timestamp("TS:0") == 0);
  for (const Bytes bad :
       {"", "TS", "TS:", "TS:abc", "TS:1x", "TS:-1", "TS: 1", "ts:1", "HDR:1", "TS:99999999999999999999"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_timestamp(bad));
  }
}

namespace {

// Remembers how much had to be there at once.
class Metered : public ByteSource {
 public:
  Metered(Bytes bytes, bool is_file) : inner_(bytes, is_file) {}
  Window window(uint64_t from, uint64_t min) override {
    Window window = inner_.window(from, min < ~kPiece ? min + kPiece : min);
    largest = std::max<uint64_t>(largest, window.bytes.size());
    return window;
  }
  [[nodiscard]] bool rereadable() const override { return inner_.rereadable(); }
  [[nodiscard]] std::optional<uint64_t> size() const override { return inner_.size(); }
  [[nodiscard]] const std::string& name() const override { return inner_.name(); }
  uint64_t largest = 0;

 private:
  static constexpr uint64_t kPiece = 1 << 16;
  DripSource inner_;
};

constexpr size_t kMiB = size_t{1} << 20;
constexpr uint64_t kHeldAtMost = 5 * kMiB;

}  // namespace

TEST_CASE("large arguments: beginnings alone, in constant memory") {
  const std::string log =
      resp("SELECT 0") + resp({"SET", "k", std::string(40 * kMiB, 'v'), "PX", "1"}) + resp("SET b 2");
  for (const bool is_file : {true, false}) {
    CAPTURE(is_file);
    Metered source(log, is_file);
    LogReader reader(source, 0, Hold::beginnings);
    REQUIRE(reader.next() == LogStep::command);
    CHECK(reader.shows_all());
    REQUIRE(reader.next() == LogStep::command);
    CHECK_FALSE(reader.shows_all());
    CHECK(reader.argument_count() == 5);
    REQUIRE(reader.args().size() == 5);
    CHECK(reader.args()[1] == "k");
    CHECK(reader.args()[2].size() < 10'000);
    CHECK(reader.args()[2] == std::string(reader.args()[2].size(), 'v'));
    CHECK(reader.args()[3] == "PX");
    CHECK_FALSE(reader.looseness());
    REQUIRE(reader.next() == LogStep::command);
    CHECK(reader.args()[1] == "b");
    CHECK(reader.shows_all());
    CHECK(reader.next() == LogStep::end);
    CHECK(source.largest <= kHeldAtMost);
  }
}

TEST_CASE("large arguments: all of them, if asked for") {
  const std::string value = std::string(40 * kMiB, 'v');
  const std::string log = resp({"SET", "k", value}) + resp("SET b 2");
  Metered source(log, false);
  LogReader reader(source, 0, Hold::whole);
  REQUIRE(reader.next() == LogStep::command);
  CHECK(reader.shows_all());
  CHECK(reader.args()[2] == value);
  REQUIRE(reader.raw());
  CHECK(reader.raw()->size() == reader.extent().size);
  REQUIRE(reader.next() == LogStep::command);
  CHECK(reader.next() == LogStep::end);
}

TEST_CASE("large commands: of very many arguments") {
  std::vector<std::string> words = {"DEL"};
  for (size_t i = 0; i < kMiB; ++i) words.push_back("k" + std::to_string(i));
  const std::string log = resp(words) + resp("PING");
  Metered source(log, true);
  LogReader reader(source, 0, Hold::beginnings);
  REQUIRE(reader.next() == LogStep::command);
  CHECK(reader.argument_count() == words.size());
  CHECK_FALSE(reader.shows_all());
  REQUIRE(reader.args().size() >= 2);
  CHECK(reader.args()[1] == "k0");
  CHECK(source.largest <= kHeldAtMost);
  REQUIRE(reader.next() == LogStep::command);
  CHECK(reader.args()[0] == "PING");
  const auto memory = memory_source(log);
  LogReader all(*memory, 0, Hold::whole);
  REQUIRE(all.next() == LogStep::command);
  CHECK(all.args().size() == words.size());
}

TEST_CASE("announced and not there: nothing is taken for it") {
  for (const char* length : {"10000000000", "99999999999", "100000000000", "1099511627776"}) {
    CAPTURE(length);
    const std::string log = resp("PING") + "*2\r\n$3\r\nGET\r\n$" + length + "\r\n0123456789";
    for (const bool is_file : {true, false}) {
      for (const Hold hold : {Hold::whole, Hold::beginnings}) {
        Metered source(log, is_file);
        const std::string told = records_of(source, hold);
        CHECK(told.starts_with("0+14 PING\n! 14+"));
        CHECK(told.find("aof.truncated-tail") != std::string::npos);
      }
    }
  }
}

// ---------------------------------------------------------------------------------------------- hostile

namespace {

std::string repeated(Bytes piece, size_t bytes) {
  std::string text;
  while (text.size() < bytes) text += piece;
  return text;
}

struct Hostile {
  Bytes name;
  std::string log;
};

constexpr Bytes kMany = "*1000000\r\n$3\r\nDEL\r\n";

std::vector<Hostile> hostile_logs(size_t bytes) {
  const std::string args = repeated("$1\r\na\r\n", 2000);
  return {
      {"heads of commands of a million words", repeated(kMany, bytes)},
      {"the same with some of the words", repeated(std::string(kMany) + args, bytes)},
      {"the same with commands between", repeated(std::string(kMany) + args + resp("PING"), bytes)},
      {"lengths that reach far", repeated("*2\r\n$3\r\nGET\r\n$1000000\r\n", bytes)},
      {"lengths that reach beyond", repeated("*2\r\n$3\r\nGET\r\n$9000000000\r\n", bytes)},
      {"stars", std::string(bytes, '*')},
      {"stars and digits", repeated("*1", bytes)},
      {"annotations that do not end", std::string(bytes, '#')},
      {"NUL bytes with something between", repeated(nul(1000) + "x", bytes)},
      {"a bad byte behind every command", repeated(resp("PING") + "x", bytes)},
      {"torn commands", repeated("*2\r\n$3\r\nGET\r\n$1\r\n", bytes)},
      {"line feeds", std::string(bytes, '\n')},
  };
}

double seconds_of(FunctionRef<void()> work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

void read_all(ByteSource& source, Hold hold) {
  LogReader reader(source, 0, hold);
  uint64_t at = 0;
  while (reader.next() != LogStep::end) {
    REQUIRE(reader.offset() > at);
    at = reader.offset();
  }
}

}  // namespace

// Four times as much may take four times as long, but not sixteen times. Below the floor, times tell nothing.
void check_linear(FunctionRef<double(size_t bytes)> seconds_for) {
  constexpr size_t kSmall = kMiB / 4;
  constexpr size_t kLarge = kMiB;
  constexpr double kFloor = 0.5;
  constexpr double kTimesMost = 10;
  const double large = seconds_for(kLarge);
  if (large > kFloor) CHECK(large < kTimesMost * seconds_for(kSmall));
}

TEST_CASE("hostile logs: read in time that grows as they do") {
  const size_t count = hostile_logs(1).size();
  for (size_t i = 0; i < count; ++i) {
    for (const Hold hold : {Hold::whole, Hold::beginnings}) {
      check_linear([&](size_t bytes) {
        const Hostile hostile = hostile_logs(bytes)[i];
        CAPTURE(hostile.name);
        const auto source = memory_source(hostile.log);
        return seconds_of([&] { read_all(*source, hold); });
      });
    }
  }
}

// Each command reaches to the end of the file, over all those that begin inside of it: to walk over every one
// in vain would add up to the square of their number.
TEST_CASE("hostile logs: commands inside of each other") {
  std::string inside = resp("PING") + resp("PING") + std::string(kMany.substr(0, kMany.size() - 2));
  inside = "$" + std::to_string(inside.size()) + "\r\n" + inside + "\r\n";
  // So large that what may be walked over in vain is used up.
  constexpr size_t kBytes = 8 * kMiB;
  const std::string log = std::string(kMany) + repeated(inside, kBytes);
  const auto source = memory_source(log);
  LogReader reader(*source, 0, Hold::beginnings);
  uint64_t records = 0;
  while (reader.next() != LogStep::end) ++records;
  // Without a bound it would come by every one of them.
  CHECK(records < kBytes / inside.size());
}
