// The history of a key: the log is replayed, and the key looked at before and behind every command that may
// touch it.
#include "persist/history.hpp"

#include <algorithm>
#include <array>
#include <map>

#include "ops/history_lines.hpp"
#include "ops/replay_set.hpp"

namespace persist {

namespace {

constexpr size_t kEventBytesHeld = size_t{1} << 16;

// Commands that give a key a value of its own, whatever it held.
constexpr std::array<Bytes, 23> kOverwriting = {
    "bitop",          "copy",        "geosearchstore",
    "getset",         "georadius",   "georadiusbymember",
    "mset",           "msetex",      "psetex",
    "rename",         "renamenx",    "restore",
    "restore-asking", "sdiffstore",  "set",
    "setex",          "sinterstore", "sort",
    "sunionstore",    "zdiffstore",  "zinterstore",
    "zrangestore",    "zunionstore",
};

class HistoryTeller : public ReplayObserver {
 public:
  HistoryTeller(const HistoryOptions& options, Dataset& data, ByteSink& output)
      : options_(options), data_(data), output_(output), lines_(options.json, options.values) {}

  void begin_part(const SetPart& part) { lines_.set_file(part.path == "-" ? "<stdin>" : part.name); }

  void tell_loaded() {
    for (const auto& [number, db] : data_.dbs()) {
      const KeyEntry* entry = is_wanted(number) ? db.find(options_.key) : nullptr;
      if (entry == nullptr) continue;
      lines_.put_loaded(out_, number, *entry);
      line_written();
    }
  }

  void before(const LoggedCommand& command) override { look_before(command.spec, command.args); }
  void after(const LoggedCommand& command, Effect effect, const char* /*error*/) override {
    look_behind(command, command.args, effect);
  }
  void before_called(const LoggedCommand& /*command*/, std::span<const Bytes> args) override {
    look_before(find_command(args.front()), args);
  }
  void after_called(const LoggedCommand& command, std::span<const Bytes> args, Effect effect) override {
    look_behind(command, args, effect);
  }

  void flush() {
    if (!out_.empty()) output_.write(out_.bytes());
    out_.clear();
  }

  [[nodiscard]] uint64_t events() const { return events_; }
  [[nodiscard]] bool exists() const {
    return std::ranges::any_of(data_.dbs(), [&](const auto& db) {
      return is_wanted(db.first) && db.second.find(options_.key) != nullptr;
    });
  }

 private:
  [[nodiscard]] bool is_wanted(uint64_t db) const { return !options_.db || *options_.db == db; }

  [[nodiscard]] bool touches(const CommandSpec* spec, std::span<const Bytes> args) const {
    if (spec == nullptr) return false;
    if (spec->has(kCommandFlushes) || spec->kind == CommandKind::swapdb) return true;
    bool named = false;
    for_each_key(*spec, args, [&](size_t index) { named = named || args[index] == options_.key; });
    return named;
  }

  void look_before(const CommandSpec* spec, std::span<const Bytes> args) {
    spec_ = touches(spec, args) ? spec : nullptr;
    if (spec_ == nullptr) return;
    names_key_ = !spec_->has(kCommandFlushes) && spec_->kind != CommandKind::swapdb;
    before_.clear();
    for (const auto& [number, db] : data_.dbs())
      if (is_wanted(number)) before_[number] = look_at(db.find(options_.key));
  }

  void look_behind(const LoggedCommand& command, std::span<const Bytes> args, Effect effect) {
    if (spec_ == nullptr) return;
    const CommandSpec& spec = *spec_;
    for (const auto& [number, db] : data_.dbs()) {
      if (!is_wanted(number)) continue;
      const KeyEntry* entry = db.find(options_.key);
      const KeyLook before = before_[number];
      const KeyLook behind = look_at(entry);
      const bool here = names_key_ && number == command.db;
      const bool changed = before != behind || (here && before.exists && effect == Effect::changed);
      if (!changed && !(here && options_.all)) continue;
      const KeyEvent event = changed ? event_of(spec, before, behind, command) : KeyEvent::untouched;
      lines_.put(out_, command, args, number, event, entry);
      line_written();
    }
    spec_ = nullptr;
  }

  static KeyEvent event_of(const CommandSpec& spec, const KeyLook& before, const KeyLook& behind,
                           const LoggedCommand& command) {
    const Bytes name = spec.name;
    const bool renames = name == "rename" || name == "renamenx";
    const bool moves = name == "move" || spec.kind == CommandKind::swapdb;
    if (before.exists && !behind.exists) {
      if (spec.has(kCommandFlushes)) return KeyEvent::flushed;
      if (renames) return KeyEvent::renamed;
      if (moves) return KeyEvent::moved;
      const bool deletes = name == "del" || name == "unlink";
      return deletes && had_expired(before, command) ? KeyEvent::expired : KeyEvent::deleted;
    }
    if (renames) return KeyEvent::renamed;
    if (moves) return KeyEvent::moved;
    if (!before.exists) return KeyEvent::created;
    const bool replaced = before.type != behind.type || before.born != behind.born ||
                          std::ranges::find(kOverwriting, name) != kOverwriting.end();
    return replaced ? KeyEvent::overwritten : KeyEvent::changed;
  }

  // As far as the log tells the time.
  static bool had_expired(const KeyLook& before, const LoggedCommand& command) {
    constexpr int64_t kMillisecondsPerSecond = 1000;
    return before.expire_at_ms != kNoExpiry && command.time_s &&
           before.expire_at_ms / kMillisecondsPerSecond <= *command.time_s;
  }

  void line_written() {
    ++events_;
    if (out_.size() >= kEventBytesHeld) flush();
  }

  const HistoryOptions& options_;
  Dataset& data_;
  ByteSink& output_;
  HistoryLines lines_;
  ByteBuffer out_;
  const CommandSpec* spec_ = nullptr;  // of the command being looked at; null: it cannot touch the key
  bool names_key_ = false;
  std::map<uint64_t, KeyLook> before_;
  uint64_t events_ = 0;
};

}  // namespace

Bytes key_event_name(KeyEvent event) {
  constexpr std::array<Bytes, 10> kNames = {"loaded",  "created", "changed", "overwritten", "deleted",
                                            "expired", "flushed", "renamed", "moved",       "untouched"};
  return kNames[static_cast<size_t>(event)];
}

HistorySummary tell_history(const AppendSet& set, ByteSink& output, FindingSink& findings,
                            const HistoryOptions& options) {
  HistorySummary summary;
  Dataset data;
  HistoryTeller teller(options, data, output);
  ReplayWatch watch;
  watch.observer = &teller;
  watch.part = [&](const SetPart& part) { teller.begin_part(part); };
  watch.rdb_loaded = [&](const SetPart& /*part*/, const LoadedRdb& /*loaded*/) { teller.tell_loaded(); };
  summary.replay = replay_set(set, findings, options.replay, watch, data);
  teller.flush();
  summary.events = teller.events();
  summary.exists = teller.exists();
  return summary;
}

}  // namespace persist
