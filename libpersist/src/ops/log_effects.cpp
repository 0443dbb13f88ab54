// Lists commands as they are replayed.
#include "ops/log_effects.hpp"

#include <array>

#include "aof/command_walk.hpp"
#include "ops/line_output.hpp"
#include "ops/log_lines.hpp"
#include "ops/log_selection.hpp"
#include "ops/replay_set.hpp"

namespace persist {

namespace {

// By Effect.
constexpr std::array<Bytes, 3> kEffectNames = {"changed", "unchanged", "failed"};

class EffectLister : public ReplayObserver {
 public:
  EffectLister(const LogOptions& options, ByteSink& output)
      : options_(options),
        selector_(options.selection),
        lines_(options.json),
        output_(output, options.head_lines, options.tail_lines) {}

  void begin_part(const SetPart& part) {
    lines_.set_file(part.path == "-" ? "<stdin>" : part.name);
    in_multi_ = false;
  }
  void tell_loaded(const LoadedRdb& loaded) {
    if (!selector_.selects_all() || !output_.wants_lines()) return;
    lines_.put_rdb(output_.begin_line(), {loaded.header, loaded.keys, loaded.end, loaded.complete});
    count_line();
  }

  void before(const LoggedCommand& command) override { note_multi(command, CommandKind::multi, true); }
  void after(const LoggedCommand& command, Effect effect, const char* error) override {
    list(command, kEffectNames[static_cast<size_t>(effect)], error);
    note_multi(command, CommandKind::exec, false);
  }
  void skipped(const LoggedCommand& command) override { list(command, "skipped", nullptr); }

  void flush() { output_.flush(); }
  [[nodiscard]] uint64_t lines() const { return output_.lines(); }
  [[nodiscard]] bool wants_lines() const { return output_.wants_lines(); }
  [[nodiscard]] bool has_times() const { return has_times_; }

 private:
  void note_multi(const LoggedCommand& command, CommandKind kind, bool is_open) {
    if (command.spec != nullptr && command.spec->kind == kind) in_multi_ = is_open;
  }

  void list(const LoggedCommand& command, Bytes effect, const char* error) {
    has_times_ = has_times_ || command.time_s.has_value();
    if (!output_.wants_lines()) return;
    if (!selector_.selects_all() && !selector_.selects(command)) return;
    ListedCommand told;
    told.command = command;
    told.multi = in_multi_;
    told.argument_count = command.args.size();
    told.effect = effect;
    told.error = error;
    if (!options_.whole && command.extent.size > kHeldBytesMax) shorten(told);
    lines_.put_command(output_.begin_line(), told);
    count_line();
  }

  // As the list without effects does, which does not hold such commands.
  void shorten(ListedCommand& told) {
    const WalkLimits limits;
    shown_.clear();
    for (const Bytes arg : told.command.args) {
      if (shown_.size() == limits.beginnings) break;
      shown_.push_back(arg.substr(0, limits.beginning_bytes));
    }
    told.command.args = shown_;
    told.shows_all = false;
  }

  void count_line() { static_cast<void>(output_.end_line()); }

  const LogOptions& options_;
  LogSelector selector_;
  LogLines lines_;
  LineOutput output_;
  std::vector<Bytes> shown_;
  bool in_multi_ = false;
  bool has_times_ = false;
};

}  // namespace

LogSummary list_effects(const AppendSet& set, ByteSink& output, FindingSink& findings,
                        const LogOptions& options) {
  EffectLister lister(options, output);
  ReplayWatch watch;
  watch.observer = &lister;
  watch.part = [&](const SetPart& part) { lister.begin_part(part); };
  watch.rdb_loaded = [&](const SetPart& /*part*/, const LoadedRdb& loaded) { lister.tell_loaded(loaded); };
  Dataset data;
  LogSummary summary;
  summary.replay = replay_set(set, findings, *options.effects, watch, data);
  lister.flush();
  summary.is_log = summary.replay->is_log;
  summary.commands = summary.replay->commands;
  summary.lines = lister.lines();
  summary.has_times = lister.has_times();
  summary.complete = summary.replay->complete && lister.wants_lines();
  summary.out_of_reach = !summary.replay->complete && summary.replay->reach == Reach::beyond;
  return summary;
}

}  // namespace persist
