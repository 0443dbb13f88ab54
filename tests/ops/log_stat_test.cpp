// What the commands of a log consist of: every count, where damage ends it, and that two logs merged are what
// one with the commands of both would have been.
#include "ops/log_stat.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <random>

#include "persist/check_set.hpp"
#include "support/aof_builder.hpp"
#include "support/drip_source.hpp"
#include "support/files.hpp"
#include "support/set_verbs.hpp"

using namespace persist;
using namespace persist::test;

namespace {

// "7/300<90": commands, bytes, the largest.
std::string shown_counts(const CommandStat& stat) {
  return std::to_string(stat.commands) + "/" + std::to_string(stat.bytes) + "<" +
         std::to_string(stat.largest);
}

// All of it, so that equal texts are equal counts.
std::string shown_stat(const LogStat& stat) {
  std::string text;
  for (const auto& [name, counts] : stat.by_name) text += name + " " + shown_counts(counts) + "\n";
  text += "other names " + shown_counts(stat.other_names) + "\n";
  for (const auto& [db, counts] : stat.by_db)
    text += "db" + std::to_string(db) + " " + shown_counts(counts) + "\n";
  text += "other dbs " + shown_counts(stat.other_dbs) + "\ntotal " + shown_counts(stat.total) + "\n";
  for (const uint64_t count : stat.bytes.buckets()) text += std::to_string(count) + " ";
  text += "\ntransactions " + std::to_string(stat.transactions) + " flushes " + std::to_string(stat.flushes);
  text += "\ntimes " + std::to_string(stat.first_time_s.value_or(-1)) + " " +
          std::to_string(stat.last_time_s.value_or(-1)) + " " + std::to_string(stat.timed_commands) + ": " +
          std::to_string(stat.times.first) + "<<" + std::to_string(stat.times.shift);
  for (const uint64_t count : stat.times.commands) text += " " + std::to_string(count);
  return text + "\nrdb " + std::to_string(stat.rdb_bytes) + " log " + std::to_string(stat.command_bytes) +
         " live " + std::to_string(stat.live_bytes.value_or(0));
}

LogStat stat_of_set(const std::string& path) { return count_commands(open_set(path), {}, {}); }

LogStat stat_of_log(Bytes log) {
  const AppendSet set = single_file_set("log.aof");
  return count_commands(set, [&](const SetPart&) { return memory_source(log); }, {});
}

// Of the names, how many commands each has: "get 1, set 2".
std::string names_of_stat(const LogStat& stat) {
  std::string text;
  for (const auto& [name, counts] : stat.by_name)
    text += (text.empty() ? "" : ", ") + name + " " + std::to_string(counts.commands);
  return text;
}

}  // namespace

TEST_CASE("commands are counted by name, whatever their letter case") {
  const std::string log = AofBuilder()
                              .command("SELECT 0")
                              .command("SET a 1")
                              .command("set a 22")
                              .command("sEt a 333")
                              .command("XGROUP CREATE s g 0")
                              .command("JSON.SET k $ 1")
                              .command("json.set k $ 22")
                              .command("ZzZ")
                              .bytes();
  const LogStat stat = stat_of_log(log);
  CHECK(names_of_stat(stat) == "json.set 2, select 1, set 3, xgroup 1, zzz 1");
  CHECK(shown_counts(stat.by_name.at("set")) == "3/84<29");
  CHECK(shown_counts(stat.by_name.at("json.set")) == "2/79<40");
  CHECK(stat.total.commands == 8);
  CHECK(stat.total.bytes == log.size());
  CHECK(stat.command_bytes == log.size());
  CHECK(stat.rdb_bytes == 0);
  CHECK(stat.bytes.count() == 8);
  CHECK(stat.bytes.max() == stat.total.largest);
  CHECK(shown_counts(stat.other_names) == "0/0<0");
  CHECK_FALSE(stat.live_bytes);
}

TEST_CASE("names that nobody knows are cut, and so many of them are told apart") {
  AofBuilder log;
  const std::string longest(128, 'X');
  log.args({longest + "a"}).args({longest + "b"}).args({longest.substr(1)});
  const LogStat cut = stat_of_log(log.bytes());
  CHECK(names_of_stat(cut) == std::string(127, 'x') + " 1, " + std::string(128, 'x') + " 2");

  // From the last to the first, and once again: those that are told apart have all of theirs.
  AofBuilder many;
  for (int round = 0; round < 2; ++round) {
    for (size_t i = 300; i-- > 0;) many.args({"m." + std::to_string(1000 + i)});
  }
  many.command("ZADD z 1 a");
  const LogStat stat = stat_of_log(many.bytes());
  CHECK(stat.by_name.size() == LogStat::kOtherNamesMax + 1);
  CHECK(stat.by_name.at("m.1000").commands == 2);
  CHECK(stat.by_name.at("m.1255").commands == 2);
  CHECK_FALSE(stat.by_name.contains("m.1256"));
  CHECK(stat.by_name.at("zadd").commands == 1);
  CHECK(stat.other_names.commands == 88);
  CHECK(stat.other_names.largest == 16);
}

TEST_CASE("each command belongs to the database that it works on") {
  const LogStat stat = stat_of_log(AofBuilder()
                                       .command("SET a 1")
                                       .command("SELECT 3")
                                       .command("SET a 1")
                                       .command("SELECT 65535")
                                       .command("SET a 1")
                                       .command("SELECT 65536")
                                       .command("SET a 1")
                                       .command("SELECT 2147483647")
                                       .command("SET a 1")
                                       .command("SELECT 3")
                                       .command("SELECT 99999999999999999999")
                                       .command("SELECT x")
                                       .bytes());
  REQUIRE(stat.by_db.size() == 3);
  CHECK(stat.by_db.at(0).commands == 1);
  CHECK(stat.by_db.at(3).commands == 5);
  CHECK(stat.by_db.at(65535).commands == 2);
  CHECK(stat.other_dbs.commands == 4);
  CHECK(stat.total.commands == 12);
}

TEST_CASE("transactions are counted by their ends, flushes wherever they stand") {
  const LogStat stat = stat_of_log(AofBuilder()
                                       .command("EXEC")
                                       .multi()
                                       .command("SET a 1")
                                       .command("FLUSHDB")
                                       .exec()
                                       .command("flushall")
                                       .multi()
                                       .exec()
                                       .exec()
                                       .multi()
                                       .command("SET a 1")
                                       .bytes());
  CHECK(stat.transactions == 2);
  CHECK(stat.flushes == 2);
  CHECK(names_of_stat(stat) == "exec 4, flushall 1, flushdb 1, multi 3, set 2");
}

TEST_CASE("part after part: RDB parts have bytes, times go on") {
  const TempFolder place;
  RdbBuilder base(redis, 11);
  base.string("k", "v").hash("h", {{"f", "v"}});
  const std::string path = SetBuilder()
                               .base(base.eof())
                               .incr(AofBuilder().command("SELECT 5").time(1000).command("SET a 1").bytes())
                               .incr(AofBuilder()
                                         .command("SET b 1")
                                         .annotation("something else")
                                         .command("SET c 1")
                                         .time(1003)
                                         .time(900)
                                         .command("SET d 1")
                                         .bytes())
                               .write(place);
  const LogStat stat = stat_of_set(path);
  CHECK(stat.rdb_bytes == base.eof().size());
  CHECK(stat.total.commands == 5);
  CHECK(stat.by_db.at(5).commands == 2);
  CHECK(stat.by_db.at(0).commands == 3);  // each file begins at 0
  CHECK(stat.timed_commands == 4);
  CHECK(stat.first_time_s == 900);
  CHECK(stat.last_time_s == 1003);
  CHECK(stat.times.shift == 0);
  CHECK(stat.times.first == 900);
  REQUIRE(stat.times.commands.size() == 101);  // nothing came after the time 1003
  CHECK(stat.times.commands.front() == 1);
  CHECK(stat.times.commands.back() == 3);
  uint64_t files = 0;
  for (const SetPart& part : open_set(path).parts) files += part.size;
  CHECK(stat.rdb_bytes + stat.command_bytes == files);
  CHECK(stat.command_bytes > stat.total.bytes);
}

TEST_CASE("damage ends the count") {
  const TempFolder place;
  const std::string whole = AofBuilder().command("SET a 1").command("SET b 1").bytes();
  const std::string broken = AofBuilder().command("SET a 1").raw("*x\r\n").command("SET b 1").bytes();
  std::string bad_base = RdbBuilder(redis, 11).string("k", "v").raw("\xfd").eof();
  bad_base.resize(bad_base.size() - 9);
  struct Row {
    Bytes what;
    SetBuilder set;
    uint64_t commands;
  };
  const Row rows[] = {
      {"nothing is wrong", SetBuilder().incr(whole).incr(whole), 4},
      {"torn", SetBuilder().incr(whole.substr(0, whole.size() - 1)).incr(whole), 1},
      {"in the middle", SetBuilder().incr(whole).incr(broken).incr(whole), 3},
      {"an open transaction", SetBuilder().incr(AofBuilder().multi().command("SET a 1").bytes()).incr(whole),
       2},
      {"the base", SetBuilder().base(bad_base).incr(whole), 0},
      {"a file that is gone", SetBuilder().incr(whole).line("file gone.2.incr.aof seq 2 type i").incr(whole),
       4},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    CHECK(stat_of_set(row.set.write(place)).total.commands == row.commands);
  }
  CHECK(stat_of_log("no log at all, but long enough to be searched for one").total.commands == 0);
  CHECK(stat_of_log("").total.commands == 0);
  CHECK(stat_of_log("").command_bytes == 0);
}

TEST_CASE("sources that cannot go back, and that give little at a time") {
  AofBuilder log;
  log.rdb(RdbBuilder(redis, 9).string("k", std::string(5000, 'v')));
  for (int i = 0; i < 500; ++i) log.command("SET key" + std::to_string(i) + " value").time(1000 + i);
  const LogStat expected = stat_of_log(log.bytes());
  CHECK(expected.total.commands == 500);
  CHECK(expected.rdb_bytes == log.boundaries().front().offset);
  CHECK(expected.rdb_bytes + expected.command_bytes == log.size());

  const AppendSet set = single_file_set("log.aof");
  PipedSource pipe(log.bytes());
  const auto open_pipe = [&](const SetPart&) { return borrowed_source(pipe.source()); };
  CHECK(shown_stat(count_commands(set, open_pipe, {})) == shown_stat(expected));
  for (const bool is_file : {false, true}) {
    uint64_t last_seen = 0;
    const auto open_drip = [&](const SetPart&) -> std::unique_ptr<ByteSource> {
      return std::make_unique<DripSource>(log.bytes(), is_file);
    };
    const LogStat dripped = count_commands(set, open_drip, [&](uint64_t offset) { last_seen = offset; });
    CHECK(shown_stat(dripped) == shown_stat(expected));
    CHECK(last_seen > log.size() - 100);
    CHECK(last_seen <= log.size());
  }
}

TEST_CASE("a command larger than memory should be is one command") {
  std::string log = AofBuilder().args({"SET", "k", std::string(3 << 20, 'x')}).command("SET a 1").bytes();
  const LogStat stat = stat_of_log(log);
  CHECK(stat.total.commands == 2);
  CHECK(stat.total.bytes == log.size());
  CHECK(stat.by_name.at("set").largest > (3 << 20));
}

namespace {

// Records of every kind by chance: many names, many databases, times near and far.
class LogDice {
 public:
  explicit LogDice(unsigned seed) : random_(seed) {}

  uint64_t below(uint64_t bound) { return std::uniform_int_distribution<uint64_t>(0, bound - 1)(random_); }

  // Beginning with a time, since what stands before the first one would have that of the log before it. Times
  // lie `span` seconds apart at most.
  std::string log(size_t records, uint64_t span) {
    AofBuilder made;
    const uint64_t from = 1'000'000'000 + below(4 * span);
    made.time(static_cast<int64_t>(from + below(span)));
    made.command("SELECT " + std::to_string(below(4)));
    for (size_t i = 0; i < records; ++i) {
      const uint64_t kind = below(10);
      if (kind == 0) made.time(static_cast<int64_t>(from + below(span)));
      if (kind == 1) made.command("SELECT " + std::to_string(below(5) == 0 ? below(200000) : below(4)));
      if (kind == 2) made.multi().command("FLUSHDB").exec();
      if (kind == 3 || kind == 4) made.args({"m." + std::to_string(below(below(2) == 0 ? 50 : 400))});
      if (kind > 4) made.args({below(2) == 0 ? "SET" : "APPEND", "k", std::string(below(100), 'v')});
    }
    return made.bytes();
  }

 private:
  std::mt19937 random_;
};

}  // namespace

TEST_CASE("two logs merged are what one with the commands of both is") {
  LogDice dice(7);
  constexpr uint64_t kSpans[] = {1, 10, 300, 512, 600, 5000, 1'000'000, uint64_t{1} << 40};
  for (int round = 0; round < 48; ++round) {
    CAPTURE(round);
    std::string logs[3];
    for (std::string& log : logs) log = dice.log(dice.below(600), kSpans[dice.below(std::size(kSpans))]);
    LogStat stats[3];
    for (size_t i = 0; i < 3; ++i) stats[i] = stat_of_log(logs[i]);
    const std::string expected = shown_stat(stat_of_log(logs[0] + logs[1] + logs[2]));

    LogStat left = stats[0];
    merge_log_stat(left, stats[1]);
    merge_log_stat(left, stats[2]);
    CHECK(shown_stat(left) == expected);
    LogStat right = stats[2];
    merge_log_stat(right, stats[1]);
    LogStat both = stats[0];
    merge_log_stat(both, right);
    CHECK(shown_stat(both) == expected);
    LogStat empty;
    merge_log_stat(empty, both);
    merge_log_stat(empty, LogStat());
    CHECK(shown_stat(empty) == expected);
  }
}

TEST_CASE("what is alive is known of two logs if it is of both") {
  LogStat a, b;
  a.live_bytes = 5;
  b.live_bytes = 7;
  merge_log_stat(a, b);
  CHECK(a.live_bytes == 12);
  b.live_bytes.reset();
  merge_log_stat(a, b);
  CHECK_FALSE(a.live_bytes);
}

TEST_CASE("the time line has the narrowest buckets that suffice") {
  LogDice dice(11);
  constexpr uint64_t kSpans[] = {1, 511, 512, 513, 1023, 1024, 1025, 100'000, uint64_t{1} << 50};
  for (const uint64_t span : kSpans) {
    CAPTURE(span);
    for (int round = 0; round < 10; ++round) {
      AofBuilder log;
      std::map<int64_t, uint64_t> at;
      for (int i = 0; i < 40; ++i) {
        // Both ends are in it as soon as may be.
        const uint64_t place = i == 3 ? 0 : i == 5 ? span - 1 : dice.below(span);
        const auto time = static_cast<int64_t>(1'700'000'123 + place);
        log.time(time);
        const uint64_t commands = i == 3 || i == 5 ? 1 : dice.below(3);
        for (uint64_t k = 0; k < commands; ++k) log.command("PING");
        if (commands > 0) at[time] += commands;
      }
      const TimeLine line = stat_of_log(log.bytes()).times;
      const int64_t first = at.begin()->first;
      const int64_t last = at.rbegin()->first;
      REQUIRE(line.first == first >> line.shift);
      REQUIRE(static_cast<int64_t>(line.commands.size()) == (last >> line.shift) - line.first + 1);
      CHECK(line.commands.size() <= TimeLine::kBucketsMax);
      if (line.shift > 0) CHECK((last >> (line.shift - 1)) - (first >> (line.shift - 1)) >= 512);
      std::vector<uint64_t> expected(line.commands.size());
      for (const auto& [time, commands] : at)
        expected[static_cast<size_t>((time >> line.shift) - line.first)] += commands;
      CHECK(line.commands == expected);
    }
  }
}

TEST_CASE("times at the ends of what there is") {
  constexpr int64_t kLast = std::numeric_limits<int64_t>::max();
  const LogStat stat = stat_of_log(
      AofBuilder().time(kLast).command("PING").time(0).command("PING").time(-1).command("PING").bytes());
  CHECK(stat.first_time_s == 0);
  CHECK(stat.last_time_s == kLast);
  CHECK(stat.times.shift == 54);
  CHECK(stat.times.first == 0);
  REQUIRE(stat.times.commands.size() == 512);
  CHECK(stat.times.commands.front() == 2);
  CHECK(stat.times.commands.back() == 1);
  CHECK(stat_of_log(AofBuilder().time(kLast).command("PING").bytes()).times.first == kLast);
}
