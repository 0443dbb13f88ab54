// One walk over a log, with nothing in its way but counting: what is known of a command is an index into
// flat arrays, and what changes seldom (the database, the time) is settled when it changes.
#include "ops/log_stat.hpp"

#include <algorithm>
#include <memory>

#include "aof/log_walk.hpp"
#include "base/letters.hpp"
#include "ops/log_part.hpp"
#include "ops/no_findings.hpp"
#include "rdb/record_reader.hpp"

namespace persist {

namespace {

constexpr size_t kNameBytesKept = 128;

void count_command(CommandStat& stat, uint64_t bytes) {
  ++stat.commands;
  stat.bytes += bytes;
  stat.largest = std::max(stat.largest, bytes);
}

void add_commands(CommandStat& stat, const CommandStat& other) {
  stat.commands += other.commands;
  stat.bytes += other.bytes;
  stat.largest = std::max(stat.largest, other.largest);
}

// --- Names that no server knows ---------------------------------------------------------------------------

// The first few in the order of their bytes. What was crowded out once never comes back, since what crowded
// it out stays: so these counts are whole, whatever order the commands came in, and can be merged.
class OtherNames {
 public:
  OtherNames(std::map<std::string, CommandStat>& names, CommandStat& rest) : names_(names), rest_(rest) {}

  void add(const std::string& name, const CommandStat& stat) {
    add_commands(names_[name], stat);
    if (names_.size() <= LogStat::kOtherNamesMax) return;
    const auto last = std::prev(names_.end());
    add_commands(rest_, last->second);
    names_.erase(last);
  }

 private:
  std::map<std::string, CommandStat>& names_;
  CommandStat& rest_;
};

// --- The time line ----------------------------------------------------------------------------------------

int64_t last_of(const TimeLine& line) { return line.first + static_cast<int64_t>(line.commands.size() - 1); }

// Buckets twice as wide.
void coarsen(TimeLine& line) {
  const int64_t first = line.first >> 1;
  std::vector<uint64_t> commands;
  for (size_t i = 0; i < line.commands.size(); ++i) {
    const auto at = static_cast<size_t>(((line.first + static_cast<int64_t>(i)) >> 1) - first);
    if (at == commands.size()) commands.push_back(0);
    commands[at] += line.commands[i];
  }
  line.commands = std::move(commands);
  line.first = first;
  ++line.shift;
}

// Adds to the bucket that a time of that many seconds >> `shift` falls into, which is not wider than those
// that there are. The line spans what it has and no more, in the narrowest buckets that do: so it is the same
// whatever order its times came in.
void add_to_line(TimeLine& line, int64_t time, unsigned shift, uint64_t commands) {
  if (line.commands.empty()) {
    line.shift = shift;
    line.first = time;
  }
  int64_t bucket = time >> (line.shift - shift);
  while (std::max(bucket, last_of(line)) - std::min(bucket, line.first) >=
         static_cast<int64_t>(TimeLine::kBucketsMax)) {
    coarsen(line);
    bucket = time >> (line.shift - shift);
  }
  if (bucket < line.first) {
    line.commands.insert(line.commands.begin(), static_cast<size_t>(line.first - bucket), 0);
    line.first = bucket;
  }
  const auto at = static_cast<size_t>(bucket - line.first);
  if (at >= line.commands.size()) line.commands.resize(at + 1);
  line.commands[at] += commands;
}

void merge_lines(TimeLine& into, const TimeLine& other) {
  if (other.commands.empty()) return;
  while (!into.commands.empty() && into.shift < other.shift) coarsen(into);
  for (size_t i = 0; i < other.commands.size(); ++i) {
    if (other.commands[i] > 0)
      add_to_line(into, other.first + static_cast<int64_t>(i), other.shift, other.commands[i]);
  }
}

void take_span(LogStat& stat, int64_t first_s, int64_t last_s) {
  stat.first_time_s = std::min(stat.first_time_s.value_or(first_s), first_s);
  stat.last_time_s = std::max(stat.last_time_s.value_or(last_s), last_s);
}

// --- The walk ---------------------------------------------------------------------------------------------

class LogCounter {
 public:
  using Open = std::function<std::unique_ptr<ByteSource>(const SetPart&)>;

  LogCounter(const AppendSet& set, const Open& open, const std::function<void(uint64_t)>& progress)
      : set_(set),
        open_(open),
        progress_(progress),
        specs_(command_specs()),
        by_spec_(specs_.size()),
        others_(unknown_, stat_.other_names) {}

  LogStat run() {
    for (const SetPart& part : set_.parts) {
      if (!part.present) continue;
      stat_.complete = count_part(part);
      if (!stat_.complete) break;
      done_ += part.size;
    }
    for (size_t i = 0; i < specs_.size(); ++i) {
      if (by_spec_[i].commands > 0) stat_.by_name.emplace(specs_[i].name, by_spec_[i]);
    }
    stat_.by_name.merge(unknown_);
    return std::move(stat_);
  }

 private:
  // False if what follows it is not counted.
  bool count_part(const SetPart& part) {
    const std::unique_ptr<ByteSource> source = open_ ? open_(part) : open_source(part.path);
    uint64_t offset = 0;
    if (begins_with_rdb(*source)) {
      if (!pass_rdb(*source, offset)) return false;
    } else if (part.role == PartRole::single && !holds_commands(*source)) {
      return false;
    }
    return count_records(*source, offset) && source->damage() == nullptr;
  }

  bool pass_rdb(ByteSource& source, uint64_t& offset) {
    NoFindings unheard;
    RecordReader records(source, unheard);
    records.set_payloads(Payloads::validated);
    for (uint64_t count = 1; records.next_head() != nullptr; ++count) {
      if (count % kStepsBetweenLooks == 0) look_up(records.offset());
    }
    offset = records.complete() ? records.offset() : records.valid_up_to();
    stat_.rdb_bytes += offset;
    return records.complete();
  }

  // False if damage ended it.
  bool count_records(ByteSource& source, uint64_t offset) {
    LogWalk walk(source, offset, Hold::beginnings, carry_);
    db_ = 0;
    was_in_multi_ = false;
    LogStep step = walk.next();
    for (; step != LogStep::end && step != LogStep::damage; step = walk.next()) {
      if (step == LogStep::annotation) {
        take_annotation(walk);
        continue;
      }
      take_command(walk);
      for (uint64_t left = kStepsBetweenLooks; left > 0 && walk.next_at_hand(); --left) take_command(walk);
      look_up(walk.record().offset());
    }
    settle_db();
    settle_time();
    carry_ = walk.carry();
    return step == LogStep::end;
  }

  void take_command(const LogWalk& walk) {
    const uint64_t bytes = walk.record().extent().size;
    if (walk.db() != db_) [[unlikely]] {
      settle_db();
      db_ = walk.db();
    }
    count_command(in_db_, bytes);
    stat_.bytes.add(bytes);
    if (walk.spec() == nullptr) [[unlikely]]
      return count_unknown(walk.record().args().front(), bytes);
    count_command(by_spec_[static_cast<size_t>(walk.spec() - specs_.data())], bytes);
    if (walk.kind() != CommandKind::other) [[unlikely]]
      take_kind(walk);
  }

  void take_kind(const LogWalk& walk) {
    const CommandKind kind = walk.kind();
    if (kind == CommandKind::flushall || kind == CommandKind::flushdb) ++stat_.flushes;
    if (kind == CommandKind::exec && was_in_multi_) ++stat_.transactions;
    was_in_multi_ = walk.in_multi();
  }

  void count_unknown(Bytes name, uint64_t bytes) {
    CommandStat one;
    count_command(one, bytes);
    others_.add(in_lower_case(name.substr(0, kNameBytesKept)), one);
  }

  void take_annotation(const LogWalk& walk) {
    stat_.command_bytes += walk.record().extent().size;
    settle_db();
    settle_time();
    time_s_ = walk.time_s();
    if (time_s_) take_span(stat_, *time_s_, *time_s_);
  }

  // What has come together of one database.
  void settle_db() {
    if (in_db_.commands == 0) return;
    add_commands(db_ < StatReport::kDbsMax ? stat_.by_db[db_] : stat_.other_dbs, in_db_);
    add_commands(stat_.total, in_db_);
    stat_.command_bytes += in_db_.bytes;
    in_db_ = {};
  }

  // What has come together of one time.
  void settle_time() {
    const uint64_t commands = stat_.total.commands - settled_;
    settled_ = stat_.total.commands;
    if (!time_s_ || commands == 0) return;
    stat_.timed_commands += commands;
    add_to_line(stat_.times, *time_s_, 0, commands);
  }

  void look_up(uint64_t offset) {
    if (progress_) progress_(done_ + offset);
  }

  static constexpr uint64_t kStepsBetweenLooks = uint64_t{1} << 16;

  const AppendSet& set_;
  const Open& open_;
  const std::function<void(uint64_t)>& progress_;
  std::span<const CommandSpec> specs_;
  LogStat stat_;
  std::vector<CommandStat> by_spec_;  // by the index of the row
  std::map<std::string, CommandStat> unknown_;
  OtherNames others_;
  LogCarry carry_;
  CommandStat in_db_;  // not yet in stat_
  uint64_t db_ = 0;
  uint64_t settled_ = 0;  // commands whose time has been dealt with
  std::optional<int64_t> time_s_;
  bool was_in_multi_ = false;
  uint64_t done_ = 0;  // bytes of the files before
};

}  // namespace

LogStat count_commands(const AppendSet& set,
                       const std::function<std::unique_ptr<ByteSource>(const SetPart&)>& open,
                       const std::function<void(uint64_t)>& progress) {
  return LogCounter(set, open, progress).run();
}

void merge_log_stat(LogStat& into, const LogStat& other) {
  into.complete = into.complete && other.complete;
  std::map<std::string, CommandStat> unknown;
  std::erase_if(into.by_name, [&](const auto& row) {
    if (find_command(row.first) != nullptr) return false;
    unknown.insert(row);
    return true;
  });
  OtherNames others(unknown, into.other_names);
  for (const auto& [name, stat] : other.by_name) {
    if (find_command(name) != nullptr)
      add_commands(into.by_name[name], stat);
    else
      others.add(name, stat);
  }
  into.by_name.merge(unknown);
  add_commands(into.other_names, other.other_names);
  for (const auto& [db, stat] : other.by_db) add_commands(into.by_db[db], stat);
  add_commands(into.other_dbs, other.other_dbs);
  add_commands(into.total, other.total);
  into.bytes.merge(other.bytes);
  into.transactions += other.transactions;
  into.flushes += other.flushes;
  if (other.first_time_s && other.last_time_s) take_span(into, *other.first_time_s, *other.last_time_s);
  into.timed_commands += other.timed_commands;
  merge_lines(into.times, other.times);
  into.rdb_bytes += other.rdb_bytes;
  into.command_bytes += other.command_bytes;
  if (into.live_bytes && other.live_bytes)
    *into.live_bytes += *other.live_bytes;
  else
    into.live_bytes.reset();
}

}  // namespace persist
