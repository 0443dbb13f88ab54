// What a command means for those behind it: database, transaction, time, and how far a log is sound.
#include "aof/log_walk.hpp"

#include <doctest/doctest.h>

#include "support/aof_builder.hpp"
#include "support/notation.hpp"

using namespace persist;
using namespace persist::test;

namespace {

// "SET db0 [m] 42s sound 50" of every command, "! aof.open-multi 77+69 sound 77" of damage.
std::string records_of(Bytes log, uint64_t from = 0, LogCarry* carry = nullptr) {
  std::string text;
  const auto source = memory_source(log);
  LogWalk walk(*source, from, Hold::whole, carry != nullptr ? *carry : LogCarry{});
  for (LogStep step; (step = walk.next()) != LogStep::end;) {
    const std::string sound = " sound " + std::to_string(walk.sound_up_to()) + "\n";
    if (step == LogStep::damage) {
      const LogDamage& damage = walk.damage();
      text += "! " + std::string(finding_kind(damage.code).id) + " " + std::to_string(damage.extent.offset) +
              "+" + std::to_string(damage.extent.size) + sound;
    } else if (step == LogStep::command) {
      text += shown(walk.record().args()[0]) + " db" + std::to_string(walk.db());
      if (walk.in_multi()) text += " m" + std::to_string(walk.multi().offset);
      if (walk.time_s()) text += " " + std::to_string(*walk.time_s()) + "s";
      text += sound;
    }
  }
  if (carry != nullptr) *carry = walk.carry();
  return text;
}

std::string last_line(const std::string& text) {
  const size_t end = text.rfind('\n', text.size() - 2);
  return end == std::string::npos ? text : text.substr(end + 1);
}

const std::string kFull = resp("SELECT 0") + resp("SET a 1") + resp("SET b 2");
const std::string kBegun = kFull + resp("MULTI") + resp("SET c 1") + resp("SET d 1");

}  // namespace

TEST_CASE("walk: databases") {
  CHECK(records_of(resp("SET a 1") + resp("SELECT 3") + resp("SET a 1") + resp("select 0")) ==
        "SET db0 sound 27\nSELECT db3 sound 50\nSET db3 sound 77\nselect db0 sound 100\n");
  // What servers ignore leaves the database as it was.
  for (const char* bad :
       {"SELECT -1", "SELECT abc", "SELECT 1x", "SELECT 2147483648", "SELECT", "SELECT 1 2"}) {
    CAPTURE(bad);
    CHECK(last_line(records_of(resp("SELECT 3") + resp(bad))).find(" db3 ") != std::string::npos);
  }
  CHECK(parse_db("2147483647") == 2147483647);
  CHECK_FALSE(parse_db(""));
  CHECK_FALSE(parse_db("+1"));
}

TEST_CASE("walk: transactions") {
  CHECK(records_of(resp("MULTI") + resp("SET a 1") + resp("exec") + resp("PING")) ==
        "MULTI db0 m0 sound 0\nSET db0 m0 sound 0\nexec db0 sound 56\nPING db0 sound 70\n");
  // One inside of another, one that has not begun, one that is called off: servers ignore all three.
  CHECK(records_of(resp("MULTI") + resp("MULTI") + resp("EXEC")) ==
        "MULTI db0 m0 sound 0\nMULTI db0 m0 sound 0\nEXEC db0 sound 44\n");
  CHECK(records_of(resp("EXEC") + resp("PING")) == "EXEC db0 sound 14\nPING db0 sound 28\n");
  CHECK(records_of(resp("MULTI") + resp("DISCARD") + resp("EXEC")) ==
        "MULTI db0 m0 sound 0\nDISCARD db0 m0 sound 0\nEXEC db0 sound 46\n");
  CHECK(records_of(resp("MULTI") + resp("SELECT 2") + resp("EXEC") + resp("PING")) ==
        "MULTI db0 m0 sound 0\nSELECT db2 m0 sound 0\nEXEC db2 sound 52\nPING db2 sound 66\n");
}

TEST_CASE("walk: time") {
  CHECK(records_of("#TS:5\r\n" + resp("PING") + "#TS:x\r\n#other\r\n" + resp("PING") + "#TS:9\r\n" +
                   resp("PING")) == "PING db0 5s sound 21\nPING db0 5s sound 50\nPING db0 9s sound 71\n");
}

TEST_CASE("walk: what a server would call the end") {
  struct Row {
    std::string log;
    std::string last;
  };
  const std::string torn = resp("SET e 1").substr(0, 24);
  for (const Row& row : {
           Row{kFull + torn, "! aof.truncated-tail 77+24 sound 77\n"},
           Row{kBegun, "! aof.open-multi 77+69 sound 77\n"},
           Row{kBegun + torn, "! aof.torn-transaction 146+24 sound 77\n"},
           Row{kBegun + resp("DISCARD"), "! aof.open-multi 77+86 sound 77\n"},
           Row{kBegun + resp("EXEC") + torn, "! aof.truncated-tail 160+24 sound 160\n"},
           Row{kBegun + std::string(9, '\0'), "! aof.nul-tail 146+9 sound 77\n"},
           Row{kBegun + "garbage", "! aof.garbage-tail 146+7 sound 77\n"},
           Row{kFull + "#TS:1", "! aof.torn-annotation 77+5 sound 77\n"},
           Row{kFull + "#TS:1\r\n" + torn, "! aof.truncated-tail 84+24 sound 77\n"},
       }) {
    CAPTURE(shown(row.log));
    CHECK(last_line(records_of(row.log)) == row.last);
  }
}

TEST_CASE("walk: behind an RDB part, the first command is a case of its own") {
  const RdbBuilder rdb = RdbBuilder(redis, 10).string("k", "v");
  const std::string file = rdb.eof();
  const uint64_t from = file.size();
  const std::string at = std::to_string(from);
  const std::string torn = resp("SET e 1").substr(0, 24);
  CHECK(records_of(file + torn, from) == "! aof.torn-first-command " + at + "+24 sound " + at + "\n");
  CHECK(last_line(records_of(file + resp("MULTI") + resp("SET a 1"), from)) ==
        "! aof.torn-first-command " + at + "+42 sound " + at + "\n");
  CHECK(last_line(records_of(file + resp("PING") + torn, from)).starts_with("! aof.truncated-tail"));
  CHECK(last_line(records_of(file + resp("PING") + resp("MULTI"), from)).starts_with("! aof.open-multi"));
  CHECK(records_of(file, from).empty());
}

TEST_CASE("walk: behind damage") {
  const std::string log = resp("MULTI") + "garbage" + resp("SET b 2") + resp("EXEC") + resp("PING");
  CHECK(records_of(log) ==
        "MULTI db0 m0 sound 0\n! aof.bad-record 15+7 sound 0\nSET db0 m0 sound 0\nEXEC db0 sound 63\n"
        "PING db0 sound 77\n");
}

TEST_CASE("walk: what goes on in the next file is the count and the time") {
  LogCarry carry;
  CHECK(records_of("#TS:7\r\n" + resp("SELECT 3") + resp("MULTI"), 0, &carry).starts_with("SELECT db3 7s"));
  CHECK(carry.index == 2);
  CHECK(carry.time_s == 7);
  CHECK(records_of(resp("SET a 1"), 0, &carry) == "SET db0 7s sound 27\n");
  CHECK(carry.index == 3);
}
