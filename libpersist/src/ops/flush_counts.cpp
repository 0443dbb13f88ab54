// What flushes cost: the log is replayed, and keys are counted in front of each.
#include <algorithm>
#include <array>
#include <map>

#include "base/letters.hpp"
#include "ops/replay_set.hpp"
#include "persist/undo_flush.hpp"

namespace persist {

namespace {

constexpr size_t kCountedTypes = static_cast<size_t>(ValueType::module) + 1;

// Counts keys by database and type.
class KeyTally {
 public:
  void add(uint64_t number, const Database& db) {
    if (db.size() == 0) return;
    std::array<uint64_t, kCountedTypes>& of_db = counts_[number];
    db.for_each([&](const KeyEntry& entry) { ++of_db[static_cast<size_t>(entry.type())]; });
  }
  void add(const Dataset& data) {
    for (const auto& [number, db] : data.dbs()) add(number, db);
  }

  [[nodiscard]] KeyCounts counts() const {
    KeyCounts told;
    for (const auto& [number, of_db] : counts_)
      for (size_t type = 0; type < kCountedTypes; ++type)
        if (of_db[type] > 0) told.push_back({number, static_cast<ValueType>(type), of_db[type]});
    return told;
  }

 private:
  std::map<uint64_t, std::array<uint64_t, kCountedTypes>> counts_;
};

// Counts only what is wiped the next moment, so that all counting together takes no longer than the wiping.
class FlushCounter : public ReplayObserver {
 public:
  // `undone` are passed over.
  FlushCounter(const FlushReport& report, const std::vector<Flush>& undone, const Dataset& data)
      : report_(report), data_(data), tallies_(report.flushes.size()) {
    for (const Flush& flush : undone) undone_.push_back(flush.index);
    std::ranges::sort(undone_);
  }

  bool wants(const LoggedCommand& command) override {
    return !std::ranges::binary_search(undone_, command.index);
  }
  void before(const LoggedCommand& command) override {
    if (command.spec->kind == CommandKind::script || command.spec->has(kCommandFlushes))
      look_at(command, *command.spec, command.args);
  }
  void before_called(const LoggedCommand& command, std::span<const Bytes> args) override {
    const CommandSpec* spec = find_command(args.front());
    if (spec != nullptr && spec->has(kCommandFlushes)) look_at(command, *spec, args);
  }

  // Of that flush of the report.
  [[nodiscard]] std::optional<KeyCounts> wiped(size_t flush) const {
    return tallies_[flush] ? std::optional(tallies_[flush]->counts()) : std::nullopt;
  }

 private:
  // With other words behind it, servers answer with an error.
  static bool will_run(std::span<const Bytes> args) {
    const auto is_word = [&](Bytes word) { return equals_ignoring_case(args[1], word); };
    return args.size() == 1 || (args.size() == 2 && (is_word("async") || is_word("sync")));
  }

  void look_at(const LoggedCommand& command, const CommandSpec& spec, std::span<const Bytes> args) {
    const auto found = std::ranges::lower_bound(report_.flushes, command.index, {}, &Flush::index);
    if (found == report_.flushes.end() || found->index != command.index) return;
    std::optional<KeyTally>& tally = tallies_[static_cast<size_t>(found - report_.flushes.begin())];
    if (!tally) tally.emplace();
    if (spec.kind == CommandKind::script || !will_run(args)) return;
    if (spec.kind == CommandKind::flushall) {
      tally->add(data_);
    } else {
      const auto db = data_.dbs().find(command.db);
      if (db != data_.dbs().end()) tally->add(db->first, db->second);
    }
  }

  const FlushReport& report_;
  const Dataset& data_;
  std::vector<std::optional<KeyTally>> tallies_;
  std::vector<uint64_t> undone_;
};

// The first error that keeps the replay from its end and is not the damaged tail.
std::optional<Finding> obstacle_of(const ReplaySummary& summary, const FlushReport& report,
                                   const std::vector<Finding>& findings) {
  if (!summary.refused && (summary.complete || report.tail)) return std::nullopt;
  const auto is_error = [](const Finding& finding) { return finding.kind().severity == Severity::error; };
  const auto error = std::ranges::find_if(findings, is_error);
  return error == findings.end() ? std::nullopt : std::optional(*error);
}

EndCounts replay_counting(const AppendSet& set, const FlushReport& report, const ReplayOptions& options,
                          Dataset& data, FlushCounter& counter) {
  ReplayOptions again = options;
  // Not all parts can be opened twice; the report has them open.
  again.open = [&](const SetPart& wanted) {
    const auto part = std::ranges::find(set.parts, wanted.name, &SetPart::name);
    return borrowed_source(*report.sources[static_cast<size_t>(part - set.parts.begin())]);
  };
  ReplayWatch watch;
  watch.observer = &counter;
  FindingList findings;
  const ReplaySummary summary = replay_set(set, findings, again, watch, data);
  KeyTally in_the_end;
  in_the_end.add(data);
  return {in_the_end.counts(), obstacle_of(summary, report, findings.all)};
}

}  // namespace

uint64_t sum_of(const KeyCounts& counts) {
  uint64_t sum = 0;
  for (const KeyCount& count : counts) sum += count.keys;
  return sum;
}

EndCounts count_flushed(const AppendSet& set, FlushReport& report, const ReplayOptions& options) {
  Dataset data;
  FlushCounter counter(report, {}, data);
  EndCounts counts = replay_counting(set, report, options, data, counter);
  for (size_t i = 0; i < report.flushes.size(); ++i) report.flushes[i].wiped = counter.wiped(i);
  return counts;
}

EndCounts count_without(const AppendSet& set, const FlushReport& report, const std::vector<Flush>& flushes,
                        const ReplayOptions& options) {
  Dataset data;
  FlushCounter counter(report, flushes, data);
  return replay_counting(set, report, options, data, counter);
}

}  // namespace persist
