// One pass over each part, which copies as it goes. Only inside of a transaction decisions wait for its end:
// its MULTI stands in front of them, and it may be torn.
#include "persist/strip.hpp"

#include <algorithm>
#include <map>

#include "base/letters.hpp"
#include "ops/edit_walk.hpp"
#include "ops/set_output.hpp"
#include "ops/strip_rdb.hpp"
#include "ops/strip_selection.hpp"

namespace persist {

namespace {

constexpr Bytes kWhy = "strip";
// Of a transaction, so many runs wait at most.
constexpr size_t kRunsHeld = size_t{1} << 16;
// Commands that no server knows are counted by name as long as there are no more names than that.
constexpr size_t kUnknownNames = 100;
constexpr size_t kNameBytesTold = 64;

// What went, by name.
class CommandTally {
 public:
  void add(const CommandSpec* spec, Bytes name) {
    any_ = true;
    if (spec != nullptr) [[likely]] {
      ++known_[static_cast<size_t>(spec - command_specs().data())];
      return;
    }
    std::string lowered = in_lower_case(name.substr(0, kNameBytesTold));
    if (unknown_.size() >= kUnknownNames && !unknown_.contains(lowered)) lowered = "(others)";
    ++unknown_[lowered];
  }

  void move_to(CommandTally& to) {
    if (!any_) return;
    for (size_t i = 0; i < known_.size(); ++i) to.known_[i] += known_[i];
    for (const auto& [name, count] : unknown_) to.unknown_[name] += count;
    to.any_ = true;
    clear();
  }
  void clear() {
    if (!any_) return;
    std::ranges::fill(known_, 0);
    unknown_.clear();
    any_ = false;
  }
  [[nodiscard]] bool any() const { return any_; }

  [[nodiscard]] uint64_t of_kind(CommandKind kind) const {
    uint64_t count = 0;
    for (size_t i = 0; i < known_.size(); ++i) count += command_specs()[i].kind == kind ? known_[i] : 0;
    return count;
  }
  [[nodiscard]] std::vector<StripCount> counts() const {
    std::vector<StripCount> counts;
    for (size_t i = 0; i < known_.size(); ++i) {
      if (known_[i] > 0) counts.push_back({std::string(command_specs()[i].name), known_[i]});
    }
    for (const auto& [name, count] : unknown_) counts.push_back({name, count});
    std::ranges::stable_sort(counts, std::ranges::greater(), &StripCount::count);
    return counts;
  }

 private:
  bool any_ = false;
  std::vector<uint64_t> known_ = std::vector<uint64_t>(command_specs().size());  // as command_specs()
  std::map<std::string, uint64_t> unknown_;
};

// Whether the transaction that begins at `offset` has an end.
bool is_closed(ByteSource& source, uint64_t offset) {
  LogWalk walk(source, offset, Hold::beginnings, {});
  for (LogStep step = walk.next(); step == LogStep::command || step == LogStep::annotation;
       step = walk.next()) {
    if (!walk.in_multi()) return true;
  }
  return false;
}

// What is known of a transaction up to its EXEC.
struct Transaction {
  struct Run {
    Extent extent;
    uint64_t commands = 0;
  };
  enum class State : uint8_t {
    none,
    waits,  // runs are kept back until EXEC
    flows,  // there are very many, and EXEC comes: they need not wait
    torn    // there are very many, and no EXEC comes: all of it will be cut off
  };

  State state = State::none;
  Extent multi;
  bool multi_goes = false;
  std::vector<Run> runs;
  uint64_t queued = 0;  // commands behind MULTI
  uint64_t stay = 0;    // of these
  uint64_t shared = 0;
  uint64_t annotations = 0;  // that go
  CommandTally tally;

  void begin(Extent at, bool goes) {
    state = State::waits;
    multi = at;
    multi_goes = goes;
    runs.clear();
    queued = stay = shared = annotations = 0;
    tally.clear();
  }
  void add(Extent extent, uint64_t commands) {
    if (!runs.empty() && runs.back().extent.end() == extent.offset) {
      runs.back().extent.size += extent.size;
      runs.back().commands += commands;
    } else {
      runs.push_back({extent, commands});
    }
  }
};

// The log of one part.
class LogStrip {
 public:
  LogStrip(EditWalk& edit, StripSelection& selection, PartOutput& out, CommandTally& tally,
           StripSummary& summary)
      : edit_(edit), selection_(selection), out_(out), tally_(tally), summary_(summary) {}

  void run() {
    while (edit_.next()) {
      if (edit_.is_command()) [[likely]]
        take_command();
      else
        take_annotation();
    }
    if (edit_.tail()) cut_tail(*edit_.tail());
  }

 private:
  using State = Transaction::State;

  void take_command() {
    const LogWalk& walk = edit_.walk();
    const Verdict verdict = selection_.judge(walk, edit_.source());
    const bool goes = verdict == Verdict::goes;
    if (!walk.in_multi() && !edit_.was_in_multi()) [[likely]] {
      if (verdict == Verdict::shared) ++summary_.shared;
      if (goes) drop(tally_);
      return;
    }
    if (!edit_.was_in_multi()) {
      transaction_.begin(extent(), goes);
      if (goes) count(transaction_.tally);
    } else if (!walk.in_multi()) {
      end_transaction(goes);
    } else {
      if (verdict == Verdict::shared) ++transaction_.shared;
      take_queued(goes);
    }
  }

  void take_queued(bool goes) {
    ++transaction_.queued;
    if (!goes) ++transaction_.stay;
    if (!goes || transaction_.state == State::torn) return;
    if (transaction_.state == State::flows) return drop(transaction_.tally);
    count(transaction_.tally);
    transaction_.add(extent(), 1);
    limit_runs();
  }

  void take_annotation() {
    if (!selection_.drops_annotation(extent().offset) || transaction_.state == State::torn) return;
    if (transaction_.state == State::waits) {
      ++transaction_.annotations;
      transaction_.add(extent(), 0);
      return limit_runs();
    }
    ++summary_.annotations;
    leave_out(extent(), 0);
  }

  void limit_runs() {
    if (transaction_.runs.size() < kRunsHeld) return;
    if (!is_closed(edit_.source(), transaction_.multi.offset)) {
      transaction_.state = State::torn;
      transaction_.runs.clear();
      return;
    }
    // Something stands between the runs, so it is not empty.
    transaction_.state = State::flows;
    if (transaction_.multi_goes) leave_out(transaction_.multi, 1);
    leave_out_runs();
  }

  void end_transaction(bool exec_goes) {
    if (exec_goes != transaction_.multi_goes) refuse_half(exec_goes);
    const bool emptied = !exec_goes && transaction_.queued > 0 && transaction_.stay == 0;
    const bool whole = transaction_.state == State::waits;
    if (emptied && whole) {
      ++summary_.transactions_emptied;
      transaction_.tally.add(find_command("multi"), {});
    }
    const bool markers_go = exec_goes || (emptied && whole);
    if (markers_go && whole) leave_out(transaction_.multi, 1);
    leave_out_runs();
    if (markers_go) drop(transaction_.tally);
    transaction_.tally.move_to(tally_);
    summary_.shared += transaction_.shared;
    summary_.annotations += transaction_.annotations;
    transaction_.state = State::none;
  }

  void leave_out_runs() {
    for (const Transaction::Run& run : transaction_.runs) leave_out(run.extent, run.commands);
    transaction_.runs.clear();
  }

  [[noreturn]] void refuse_half(bool exec_goes) const {
    throw EditRefused(EditRefused::Kind::unusable,
                      edit_.source().name() + ": MULTI at offset " +
                          std::to_string(transaction_.multi.offset) + " and EXEC at offset " +
                          std::to_string(extent().offset) + " belong together, and only the " +
                          (exec_goes ? "EXEC" : "MULTI") + " was selected: select both or none");
  }

  void cut_tail(const LeftOut& tail) {
    // An annotation that is gone already may stand in front of the damage.
    const uint64_t from = std::max(tail.extent.offset, left_out_to_);
    const bool open = transaction_.state != State::none;
    out_.drop({from, tail.extent.end() - from}, tail.why, open ? 1 + transaction_.queued : 0);
    transaction_.state = State::none;
    summary_.tail = tail;
  }

  void drop(CommandTally& tally) {
    count(tally);
    leave_out(extent(), 1);
  }
  void count(CommandTally& tally) const {
    tally.add(edit_.walk().spec(), edit_.walk().record().args().front());
  }
  void leave_out(Extent extent, uint64_t commands) {
    out_.drop(extent, kWhy, commands);
    left_out_to_ = extent.end();
  }
  [[nodiscard]] Extent extent() const { return edit_.walk().record().extent(); }

  EditWalk& edit_;
  StripSelection& selection_;
  PartOutput& out_;
  CommandTally& tally_;
  StripSummary& summary_;
  Transaction transaction_;
  uint64_t left_out_to_ = 0;
};

class Strip {
 public:
  Strip(const AppendSet& set, const StripOptions& options, const OutputOptions& output)
      : set_(set), options_(options), output_(output), selection_(set, options) {}

  StripSummary run() {
    if (!set_.manifest_path.empty() && !set_.manifest_sound) {
      throw EditRefused(EditRefused::Kind::beyond,
                        set_.manifest_path + ": missing or not sound: `persist repair` first");
    }
    SetOutput result(set_, output_, {true, options_.known});
    LogCarry carry;
    for (const SetPart& part : set_.parts) carry = strip_part(part, carry, result);
    summarise();
    // What has been written so far goes with `result`.
    if (!summary_.matched && output_.in_place) return std::move(summary_);
    result.summary().keys_dropped = keys_dropped_;
    summary_.edit = result.commit(without_history(set_.manifest));
    return std::move(summary_);
  }

 private:
  LogCarry strip_part(const SetPart& part, const LogCarry& carry, SetOutput& result) {
    EditWalk edit(set_, part, Hold::beginnings, carry);
    selection_.begin_part(part);
    const std::unique_ptr<PartOutput> out = result.begin_part(part, edit.source());
    if (edit.part().has_rdb && selection_.selects_in_rdb()) strip_rdb(edit.source(), selection_, *out, rdb_);
    LogStrip(edit, selection_, *out, tally_, summary_).run();
    out->finish(edit.part().size);
    return edit.walk().carry();
  }

  void summarise() {
    summary_.commands = tally_.counts();
    summary_.selects = tally_.of_kind(CommandKind::select);
    for (size_t i = 0; i < rdb_.keys.size(); ++i) {
      if (rdb_.keys[i] == 0) continue;
      summary_.keys.push_back({std::string(value_type_name(static_cast<ValueType>(i))), rdb_.keys[i]});
      keys_dropped_ += rdb_.keys[i];
    }
    summary_.aux_fields = rdb_.aux_fields;
    summary_.functions = rdb_.functions;
    summary_.module_aux = rdb_.module_aux;
    summary_.matched =
        tally_.any() ||
        summary_.annotations + keys_dropped_ + rdb_.aux_fields + rdb_.functions + rdb_.module_aux > 0;
  }

  const AppendSet& set_;
  const StripOptions& options_;
  const OutputOptions& output_;
  StripSelection selection_;
  CommandTally tally_;
  RdbStripped rdb_;
  uint64_t keys_dropped_ = 0;
  StripSummary summary_;
};

}  // namespace

StripSummary strip_set(const AppendSet& set, const StripOptions& options, const OutputOptions& output) {
  return Strip(set, options, output).run();
}

}  // namespace persist
