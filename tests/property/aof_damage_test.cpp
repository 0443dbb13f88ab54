// A small set cut at every byte, with every byte changed, and with bytes put in and taken out. Whatever was
// done to it: nothing crashes, nothing is invented, what is repaired is sound, and every byte is accounted
// for.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <numeric>

#include "support/aof_builder.hpp"
#include "support/set_verbs.hpp"
#include "support/verbs.hpp"
#include "support/violations.hpp"

using namespace persist;
using namespace persist::test;

namespace {

namespace fs = std::filesystem;

constexpr const char* kIncr = "appendonly.aof.1.incr.aof";

RdbBuilder base_of(unsigned version) {
  return RdbBuilder(redis, version).aux("aof-base", "1").select(0).string("base", "1");
}

// Databases, transactions, annotations, values that look like commands, and an EXEC right at the end.
AofBuilder add_commands(AofBuilder log) {
  return log.time(1700000000)
      .command("SELECT 0")
      .command("SET a 1")
      .command("set b \"two words\"")
      .multi()
      .command("INCR a")
      .command("LPUSH list x y z")
      .exec()
      .time(1700000007)
      .command("SELECT 3")
      .command("SET in3 \"*1\\r\\n$4\\r\\nPING\\r\\n\"")
      .annotation("other")
      .command("HSET h f v g w")
      .command("DEL in3")
      .multi()
      .command("SELECT 0")
      .command("FLUSHDB")
      .command("SET c 3")
      .exec()
      .command("PEXPIREAT c 1800000000000")
      .multi()
      .command("ZADD z 1 m")
      .exec();
}

const AofBuilder& log_of_set() {
  static const AofBuilder log = add_commands({});
  return log;
}

// Of a log that begins at `from`: the boundaries outside of transactions.
bool is_boundary(const AofBuilder& log, uint64_t offset) {
  return std::ranges::any_of(log.boundaries(),
                             [&](const Boundary& b) { return b.offset == offset && !b.in_multi; });
}

// The last place at or before `offset` that is outside of transactions. Annotations in front of a torn
// command may stay or go: `least` leaves them out.
uint64_t boundary_before(const AofBuilder& log, uint64_t offset, bool least) {
  uint64_t best = log.boundaries().front().offset;
  for (const Boundary& b : log.boundaries()) {
    if (b.offset <= offset && !b.in_multi && !(least && b.annotation)) best = b.offset;
  }
  return best;
}

uint64_t bytes_in(const std::string& folder, const std::string& file) {
  const std::string path = folder + "/" + file;
  return fs::exists(path) ? fs::file_size(path) : 0;
}

// One damaged file, alone: quicker to write than a set, and the same code reads it.
class Patient {
 public:
  Patient(const AofBuilder& log, Violations& violations)
      : log_(log), violations_(violations), lines_(tell_log(log.bytes(), log.boundaries().front().offset)) {}

  [[nodiscard]] std::string input() const { return place_.path("in.aof"); }
  [[nodiscard]] std::string output() const { return place_.path("out.aof"); }

  void clear() const {
    fs::remove(output());
    fs::remove_all(output() + ".lost");
  }

  [[nodiscard]] std::vector<std::string> kept(const std::string& bytes) const {
    return tell_log(bytes, log_.boundaries().front().offset);
  }

  void expect(bool holds, const char* what) const { violations_.expect(holds, what, where_); }

  // What holds for every repair that was done.
  void check_repaired(const RepairSummary& summary, const std::string& damaged) const {
    const std::string result = read_file(output());
    const EditSummary& edit = summary.edit;
    expect(edit.bytes_kept + edit.bytes_dropped == damaged.size(), "kept and dropped are not all");
    expect(result.size() == edit.bytes_kept + edit.bytes_inserted, "the result has another size than told");
    expect(bytes_in(output() + ".lost", "in.aof") == edit.bytes_dropped, "what was lost was not kept");
    expect(problems_of(result).empty(), "the result is not clean");
    const bool has_lost = fs::exists(output() + ".lost");
    expect(has_lost == (edit.bytes_dropped > 0) && has_lost == !edit.lost.empty(), "a lost folder too many");
    expect(read_file(input()) == damaged, "the input was changed");
  }

  // Errors only: what is loosely framed stays as it is.
  [[nodiscard]] static std::string problems_of(const std::string& log) {
    std::string text;
    for (const Finding& finding : check_log(log).findings) {
      if (finding.kind().severity == Severity::error) text += std::string(finding.kind().id) + " ";
    }
    return text;
  }

  void truncate(size_t size) {
    where_ = "cut at " + std::to_string(size);
    const std::string damaged = log_.bytes().substr(0, size);
    write_file(input(), damaged);
    clear();
    const SetChecked checked = check_log(damaged);
    expect(checked.summary.sound() == is_boundary(log_, size), "a cut log is sound only on a boundary");
    const uint64_t sound = boundary_before(log_, size, false);
    const uint64_t least = boundary_before(log_, size, true);
    if (size >= log_.boundaries().front().offset) {
      const uint64_t up_to = checked.summary.valid_up_to;
      expect(up_to >= least && up_to <= sound, "the check says another sound place");
    }
    const auto [done, refusal, kind] = repair(input(), output());
    expect(done.has_value(), "a torn tail was not repaired");
    if (!done) return;
    check_repaired(*done, damaged);
    const std::string result = read_file(output());
    expect(log_.bytes().starts_with(result), "the result is no beginning of the log");
    expect(is_boundary(log_, result.size()), "the result ends between boundaries");
    expect(result.size() >= least && result.size() <= sound, "another place was cut at");
    const std::vector<std::string> lines = kept(result);
    expect(lines.size() <= lines_.size() && std::equal(lines.begin(), lines.end(), lines_.begin()),
           "what is kept is no beginning");
    // Annotations in front of a torn command go with it.
    const auto commands = static_cast<size_t>(
        std::ranges::count_if(lines, [](const std::string& line) { return !line.starts_with('#'); }));
    expect(commands >= most_kept_, "what is kept does not grow with the log");
    most_kept_ = commands;
    const bool steps = !done->steps.empty();
    expect(steps == (done->edit.bytes_dropped > 0), "steps without a loss, or a loss without steps");
    expect(done->lost_bytes == done->edit.bytes_dropped, "the loss is not what was dropped");
  }

  // Repairs with --salvage. `changed`: the lines that damage may have made, which are not of the log.
  void salvage(const std::string& damaged, const std::string& where) {
    where_ = where;
    write_file(input(), damaged);
    clear();
    const SetChecked checked = check_log(damaged);
    expect(checked.summary.valid_up_to <= damaged.size(), "a place beyond the end");
    RepairOptions options;
    options.salvage = true;
    const auto [done, refusal, kind] = repair(input(), output(), options);
    ++tried;
    if (!done) {
      ++refused;
      expect(kind == EditRefused::Kind::beyond, "refused for another reason");
      expect(!fs::exists(output()) && !fs::exists(output() + ".lost"), "refused, and yet something is there");
      return;
    }
    check_repaired(*done, damaged);
    const std::vector<std::string> lines = kept(read_file(output()));
    // At most the record that was changed may be told otherwise, and what was put in for it.
    std::vector<std::string> known;
    for (const std::string& line : lines) {
      if (std::ranges::find(lines_, line) != lines_.end()) known.push_back(line);
    }
    const auto put_in = std::ranges::count_if(done->steps, [](const RepairStep& step) {
      return step.action == RepairAction::closed || step.action == RepairAction::selected;
    });
    const size_t other = lines.size() - known.size();
    expect(other <= 2, "more than the changed record is told otherwise");
    expect(put_in > 0 || is_subsequence(known, lines_), "the order was changed");
    expect(known.size() + kGoneMax >= lines_.size() || done->edit.bytes_dropped > 0, "commands went away");
    worst_kept = std::min(worst_kept, known.size());
  }

  size_t tried = 0;
  size_t refused = 0;
  size_t worst_kept = ~size_t{0};
  [[nodiscard]] size_t lines() const { return lines_.size(); }

 private:
  static constexpr size_t kGoneMax = 2;
  const AofBuilder& log_;
  Violations& violations_;
  std::vector<std::string> lines_;
  TempFolder place_;
  std::string where_;
  size_t most_kept_ = 0;
};

}  // namespace

TEST_CASE("damage: a log cut at every byte") {
  Violations violations;
  Patient patient(log_of_set(), violations);
  for (size_t size = 0; size <= log_of_set().size(); ++size) patient.truncate(size);
  violations.report();
}

TEST_CASE("damage: a log behind an RDB part, cut at every byte of it") {
  const AofBuilder log = add_commands(AofBuilder().rdb(base_of(10)));
  Violations violations;
  Patient patient(log, violations);
  for (size_t size = log.boundaries().front().offset; size <= log.size(); ++size) patient.truncate(size);
  violations.report();
}

// What is left is an RDB file: of its keys those that are whole; without any, --salvage has to say so.
TEST_CASE("damage: an RDB part that is cut") {
  const std::string keys[] = {"first", "second", "third"};
  RdbBuilder base = RdbBuilder(redis, 10).aux("aof-base", "1").select(0);
  std::vector<size_t> ends;
  for (const std::string& key : keys) {
    base.string(key, "value of " + key);
    ends.push_back(base.size());
  }
  const AofBuilder log = add_commands(AofBuilder().rdb(base));
  const TempFolder place;
  Violations violations;
  for (size_t size = 0; size < log.boundaries().front().offset; ++size) {
    const std::string where = "cut at " + std::to_string(size);
    const std::string path = place.file("in.aof", log.bytes().substr(0, size));
    fs::remove(place.path("out.aof"));
    fs::remove_all(place.path("out.aof.lost"));
    const auto whole =
        static_cast<uint64_t>(std::ranges::count_if(ends, [&](size_t end) { return end <= size; }));
    const Edited<RepairSummary> plain = repair(path, place.path("out.aof"));
    violations.expect(plain.done.has_value() == (whole > 0 || size == 0), "refused, or not", where);
    violations.expect(plain.done || plain.refused_as == EditRefused::Kind::beyond,
                      "refused for another reason", where);
    violations.expect(plain.done || !fs::exists(place.path("out.aof")), "refused, and yet something is there",
                      where);
    RepairOptions options;
    options.salvage = true;
    if (!plain.done)
      violations.expect(repair(path, place.path("out.aof"), options).done.has_value(),
                        "refused with --salvage", where);
    const std::string result = read_file(place.path("out.aof"));
    if (size == 0) continue;
    const SetChecked checked = check_log(result);
    violations.expect(checked.summary.sound() && Patient::problems_of(result).empty(), "not sound", where);
    violations.expect(checked.summary.keys == whole, "other keys than the whole ones", where);
    violations.expect(whole == 0 || result.starts_with(log.bytes().substr(0, ends[whole - 1])),
                      "no beginning of the RDB part", where);
    if (!plain.done) continue;
    const RepairSummary& done = *plain.done;
    violations.expect(done.edit.bytes_kept + done.edit.bytes_dropped == size, "bytes are missing", where);
    violations.expect(done.rdb.size() == 1 && done.rdb.front().keys_kept == whole, "not told", where);
    violations.expect(bytes_in(place.path("out.aof.lost"), "in.aof") == done.edit.bytes_dropped,
                      "not all is in .lost", where);
  }
  violations.report();
}

TEST_CASE("damage: every bit of every byte changed") {
  Violations violations;
  Patient patient(log_of_set(), violations);
  const std::string& whole = log_of_set().bytes();
  for (size_t at = 0; at < whole.size(); ++at) {
    for (const int mask : {0x01, 0x20, 0x80}) {
      std::string damaged = whole;
      damaged[at] = static_cast<char>(damaged[at] ^ mask);
      patient.salvage(damaged, "byte " + std::to_string(at) + " changed by " + std::to_string(mask));
    }
  }
  violations.report();
  // One bit costs a record or a transaction, not the log; few changes are beyond repair.
  CHECK(patient.worst_kept + 6 >= patient.lines());
  CHECK(patient.refused * 50 <= patient.tried);
  MESSAGE(patient.refused << " of " << patient.tried << " refused, at least " << patient.worst_kept << " of "
                          << patient.lines() << " records kept");
}

TEST_CASE("damage: a byte taken out, or put in") {
  Violations violations;
  Patient patient(log_of_set(), violations);
  const std::string& whole = log_of_set().bytes();
  for (size_t at = 0; at < whole.size(); at += 7) {
    std::string shorter = whole;
    shorter.erase(at, 1);
    patient.salvage(shorter, "byte " + std::to_string(at) + " taken out");
    for (const char byte : {'\0', '*', '1', '\n'}) {
      std::string longer = whole;
      longer.insert(at, 1, byte);
      patient.salvage(longer, "byte put in at " + std::to_string(at));
    }
  }
  violations.report();
  CHECK(patient.refused * 20 <= patient.tried);
  MESSAGE(patient.refused << " of " << patient.tried << " refused, at least " << patient.worst_kept << " of "
                          << patient.lines() << " records kept");
}

TEST_CASE("damage: blocks of NUL bytes in the middle") {
  Violations violations;
  Patient patient(log_of_set(), violations);
  const std::string& whole = log_of_set().bytes();
  for (size_t at = 0; at < whole.size(); at += 16) {
    for (const size_t size : {size_t{16}, size_t{64}, size_t{512}}) {
      std::string damaged = whole;
      for (size_t i = at; i < std::min(whole.size(), at + size); ++i) damaged[i] = '\0';
      patient.salvage(damaged, std::to_string(size) + " NUL bytes at " + std::to_string(at));
    }
  }
  violations.report();
}

// -------------------------------------------------------------------------------------------------- sets

TEST_CASE("damage: a set whose last file is cut at every byte") {
  const TempFolder place;
  const AofBuilder& log = log_of_set();
  Violations violations;
  for (size_t size = 0; size <= log.size(); size += size % 64 == 0 ? size_t{1} : size_t{3}) {
    const std::string where = "cut at " + std::to_string(size);
    const std::string path =
        SetBuilder().base(base_of(10).eof()).incr(log.bytes().substr(0, size)).write(place);
    fs::remove_all(place.path("out"));
    fs::remove_all(place.path("out.lost"));
    const FolderContent before = content_of_folder(path);
    violations.expect(check_path(path).summary.sound() == is_boundary(log, size), "sound on boundaries only",
                      where);
    const auto [done, refusal, kind] = repair(path, place.path("out"));
    violations.expect(done.has_value(), "not repaired", where);
    if (!done) continue;
    const SetChecked after = check_path(place.path("out"));
    violations.expect(after.findings.empty() || problems(after.findings).empty(), "not clean", where);
    violations.expect(after.summary.keys == 1, "the base went away", where);
    const std::string incr = read_file(place.path("out") + "/" + kIncr);
    violations.expect(log.bytes().starts_with(incr) && is_boundary(log, incr.size()), "no beginning", where);
    violations.expect(incr.size() >= boundary_before(log, size, true), "less is kept than is sound", where);
    const uint64_t all = base_of(10).eof().size() + size;
    violations.expect(done->edit.bytes_kept + done->edit.bytes_dropped == all, "bytes are missing", where);
    violations.expect(bytes_in(place.path("out.lost"), kIncr) == done->edit.bytes_dropped,
                      "not all is in .lost", where);
    violations.expect(content_of_folder(path) == before, "the input was changed", where);
  }
  violations.report();
}

TEST_CASE("damage: what is repaired needs no repair") {
  const TempFolder place;
  const std::string damaged = log_of_set().bytes() + "garbage" + resp("SET x 1") + "*3\r\n$3\r\nSET";
  const std::string path = SetBuilder().base(base_of(10).eof()).incr(damaged).write(place);
  RepairOptions options;
  options.salvage = true;
  REQUIRE(repair(path, place.path("once"), options).done);
  const auto [again, refusal, kind] = repair(place.path("once"), place.path("twice"));
  REQUIRE(again);
  CHECK(again->steps.empty());
  CHECK(content_of_folder(place.path("once")) == content_of_folder(place.path("twice")));
}

// ------------------------------------------------------------------------------------- cut and undo-flush

TEST_CASE("cut: at every offset") {
  const TempFolder place;
  const AofBuilder& log = log_of_set();
  const std::string path = place.file("in.aof", log.bytes());
  Violations violations;
  for (size_t offset = 0; offset <= log.size() + 1; ++offset) {
    const std::string where = "at " + std::to_string(offset);
    fs::remove_all(place.path("out.aof"));
    fs::remove_all(place.path("out.aof.lost"));
    CutPoint point;
    point.offset = offset;
    const auto [done, refusal, kind] = cut(path, place.path("out.aof"), point);
    const uint64_t expected = boundary_before(log, offset, false);
    if (expected == 0) {  // nothing would be left
      violations.expect(kind == EditRefused::Kind::unusable, "an empty log is refused", where);
      violations.expect(!fs::exists(place.path("out.aof")), "refused, and yet something is there", where);
      continue;
    }
    violations.expect(done.has_value(), "refused", where + " " + refusal);
    if (!done) continue;
    const std::string result = read_file(place.path("out.aof"));
    violations.expect(result == log.bytes().substr(0, expected), "cut at another place", where);
    violations.expect(Patient::problems_of(result).empty(), "not clean", where);
    violations.expect(done->edit.bytes_kept == result.size(), "another count of bytes", where);
    violations.expect(done->edit.bytes_kept + done->edit.bytes_dropped == log.size(), "bytes are missing",
                      where);
    violations.expect(bytes_in(place.path("out.aof.lost"), "in.aof") == done->edit.bytes_dropped,
                      "what was cut off was not kept", where);
    const bool inside = std::ranges::any_of(log.boundaries(), [&](const Boundary& b) {
      return b.in_multi && b.offset <= offset && b.offset > expected;
    });
    violations.expect(done->before_multi == inside, "not told that it was inside of a transaction", where);
  }
  violations.report();
}

TEST_CASE("cut: before every command, by number") {
  const TempFolder place;
  const AofBuilder& log = log_of_set();
  const std::string path = SetBuilder().base(base_of(10).eof()).incr(log.bytes()).write(place);
  // Where each command begins: behind the record before it.
  std::vector<uint64_t> begins;
  for (size_t i = 1; i < log.boundaries().size(); ++i) {
    if (!log.boundaries()[i].annotation) begins.push_back(log.boundaries()[i - 1].offset);
  }
  Violations violations;
  for (size_t number = 0; number <= begins.size(); ++number) {
    const std::string where = "before " + std::to_string(number);
    CutPoint point;
    point.command = number;
    const auto [done, refusal, kind] = cut(path, place.path("out"), point);
    violations.expect(done.has_value(), "refused", where + " " + refusal);
    if (!done) continue;
    const uint64_t begin = number < begins.size() ? begins[number] : log.size();
    const std::string incr = read_file(place.path("out") + "/" + kIncr);
    violations.expect(log.bytes().starts_with(incr), "no beginning", where);
    violations.expect(incr.size() == boundary_before(log, begin, false), "cut at another place", where);
    violations.expect(problems(check_path(place.path("out")).findings).empty(), "not clean", where);
    violations.expect(done->commands_kept + done->commands_dropped == begins.size(), "commands are missing",
                      where);
    violations.expect(done->commands_kept <= number, "more is kept than asked for", where);
  }
  violations.report();
}

TEST_CASE("undo-flush: exactly the chosen extents go") {
  const TempFolder place;
  AofBuilder log;
  log.time(1700000000).command("SELECT 0").command("SET a 1").command("FLUSHALL");
  log.command("SET b 1").multi().command("SELECT 2").command("flushdb ASYNC").exec();
  log.command("FLUSHALL SYNC").command("SET c 1").multi().command("FLUSHDB").exec();
  const std::string path = SetBuilder().base(base_of(10).eof()).incr(log.bytes()).write(place);
  const FlushReport report = find_flushes(open_set(path));
  REQUIRE(report.flushes.size() == 4);
  CHECK(report.flushes[1].command == "flushdb ASYNC");
  CHECK(report.flushes[1].db == 2);
  CHECK(report.flushes[1].in_multi);
  CHECK_FALSE(report.flushes[1].all);
  CHECK(report.flushes[2].all);
  for (size_t chosen = 0; chosen < 16; ++chosen) {
    CAPTURE(chosen);
    std::vector<Flush> flushes;
    std::string expected;
    uint64_t at = 0;
    for (size_t i = 0; i < report.flushes.size(); ++i) {
      if ((chosen >> i & 1) == 0) continue;
      const Flush& flush = report.flushes[i];
      flushes.push_back(flush);
      expected += log.bytes().substr(at, flush.extent.offset - at);
      at = flush.extent.end();
    }
    expected += log.bytes().substr(at);
    OutputOptions output;
    output.path = place.path("out");
    output.force = true;
    const EditSummary edit = undo_flushes(open_set(path), report, flushes, output, {});
    CHECK(read_file(place.path("out") + "/" + kIncr) == expected);
    CHECK(edit.bytes_dropped == log.size() - expected.size());
    CHECK(edit.commands_dropped == flushes.size());
    CHECK(problems(check_path(place.path("out")).findings).empty());
  }
}

// The flush may stand in what has to be cut off anyway.
TEST_CASE("undo-flush: with a damaged tail") {
  const TempFolder place;
  const AofBuilder sound = AofBuilder().command("SELECT 0").command("SET a 1").command("FLUSHALL");
  const std::string tails[] = {
      "*3\r\n$3\r\nSE",
      std::string(100, '\0'),
      resp("MULTI") + resp("SET b 1"),
      resp("MULTI") + resp("FLUSHALL"),
      resp("MULTI") + resp("FLUSHALL") + "*1\r\n$4\r\nEX",
  };
  for (const std::string& tail : tails) {
    CAPTURE(tail);
    const std::string path = place.file("in.aof", sound.bytes() + tail);
    const AppendSet set = open_set(path);
    const FlushReport report = find_flushes(set);
    REQUIRE(report.tail);
    const auto run = [](const Flush& flush) { return !flush.torn; };  // by a server
    CHECK(std::ranges::count_if(report.flushes, run) == 1);
    OutputOptions output;
    output.path = place.path("out.aof");
    output.force = true;
    std::vector<Flush> all = report.flushes;
    EditSummary edit;
    CHECK_NOTHROW(edit = undo_flushes(set, report, all, output, {}));
    CHECK(read_file(output.path) == sound.bytes().substr(0, 50));
    CHECK(edit.bytes_kept + edit.bytes_dropped == sound.size() + tail.size());
  }
}
