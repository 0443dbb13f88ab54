// Batches, transactions, and what has no handler.
#include "engine/replay.hpp"

#include <array>

#include "engine/commands/table.hpp"
#include "engine/implied_version.hpp"
#include "engine/replay_script.hpp"

namespace persist {

namespace {

constexpr size_t kBatchCommands = 32;
constexpr uint64_t kBatchesBetweenLooks = 1024;

// Below so many keys everything is in the cache anyway.
constexpr size_t kKeysToFetchAhead = 4096;

}  // namespace

// Commands whose bytes are in memory at the same time.
class Replay::Batch {
 public:
  void clear() {
    size_ = 0;
    args_.clear();
  }
  [[nodiscard]] size_t size() const { return size_; }
  [[nodiscard]] bool is_full() const { return size_ == kBatchCommands; }

  void add(const LogWalk& walk) {
    Item& item = items_[size_++];
    const LogReader& record = walk.record();
    item.first = args_.size();
    item.count = record.args().size();
    for (const Bytes arg : record.args()) args_.push(arg);
    item.command.spec = walk.spec();
    item.command.extent = record.extent();
    item.command.index = walk.index();
    item.command.db = walk.db();
    item.command.time_s = walk.time_s();
  }

  LoggedCommand& command(size_t i) {
    Item& item = items_[i];
    item.command.args = args_.all().subspan(item.first, item.count);
    return item.command;
  }
  [[nodiscard]] uint64_t hash(size_t i) const { return items_[i].hash; }

  // Hashes the first key of each command, and has what it leads to fetched: slot, entry, value, inside.
  void fetch_ahead(Dataset& data) {
    std::array<const KeyEntry*, kBatchCommands> entries{};
    for (size_t i = 0; i < size_; ++i) {
      Item& item = items_[i];
      const LoggedCommand& command = this->command(i);
      item.db = nullptr;
      item.hash = 0;
      const size_t key = first_key(command);
      if (key == 0) continue;
      Database& db = data.db(command.db);
      item.hash = db.hash_of(command.args[key]);
      if (db.size() < kKeysToFetchAhead) continue;
      item.db = &db;
      db.prefetch_slot(item.hash);
    }
    for (size_t i = 0; i < size_; ++i)
      if (items_[i].db != nullptr) entries[i] = items_[i].db->prefetch_entry(items_[i].hash);
    for (size_t i = 0; i < size_; ++i)
      if (entries[i] != nullptr) entries[i]->prefetch();
    for (size_t i = 0; i < size_; ++i)
      if (entries[i] != nullptr) entries[i]->prefetch_inside();
  }

  // The place of its first key among the words of a command; 0 if it has none.
  static size_t first_key(const LoggedCommand& command) {
    if (command.spec == nullptr || command.spec->keys.places != KeyPlaces::range) return 0;
    const auto first = static_cast<size_t>(static_cast<uint8_t>(command.spec->keys.first));
    return first < command.args.size() ? first : 0;
  }

 private:
  struct Item {
    LoggedCommand command;
    size_t first = 0;
    size_t count = 0;
    uint64_t hash = 0;
    Database* db = nullptr;
  };
  std::array<Item, kBatchCommands> items_;
  size_t size_ = 0;
  ArgumentList args_;
};

// The commands of an open transaction, copied, since its EXEC may be far away.
struct Replay::Queued {
  struct Item {
    LoggedCommand command;
    size_t first;
    size_t count;
  };
  std::vector<Item> items;
  std::vector<Extent> args;  // in bytes
  std::string bytes;

  void add(const LoggedCommand& command) {
    items.push_back({command, args.size(), command.args.size()});
    for (const Bytes arg : command.args) {
      args.push_back({bytes.size(), arg.size()});
      bytes += arg;
    }
  }
};

Replay::Replay(Dataset& data, const ReplayRules& rules, ReplayObserver* observer)
    : data_(data),
      rules_(rules),
      observer_(observer),
      batch_(std::make_unique<Batch>()),
      queue_(std::make_unique<Queued>()) {}

Replay::~Replay() = default;

void Replay::begin_file() {
  db_ = 0;
  drop_queue();
}

void Replay::drop_queue() {
  in_multi_ = false;
  *queue_ = {};
}

Replay::Stop Replay::run(LogWalk& walk, FunctionRef<void()> look_up) {
  for (uint64_t batches = 1;; ++batches) {
    if (batches % kBatchesBetweenLooks == 0) look_up();
    const LogStep step = walk.next();
    batch_->clear();
    if (step == LogStep::command) {
      batch_->add(walk);
      while (!batch_->is_full() && walk.next_at_hand()) batch_->add(walk);
    } else if (step == LogStep::damage) {
      // What was queued stays out; the walk is told to go on behind its MULTI.
      drop_queue();
      return Stop::damage;
    } else if (step == LogStep::end) {
      drop_queue();
      return Stop::end;
    }
    batch_->fetch_ahead(data_);
    for (size_t i = 0; i < batch_->size(); ++i)
      if (!take(batch_->command(i), batch_->hash(i))) return Stop::refused;
  }
}

// Runs a command, or queues it. False if it is refused.
bool Replay::take(const LoggedCommand& command, uint64_t hash) {
  const CommandKind kind = command.spec != nullptr ? command.spec->kind : CommandKind::other;
  if (kind == CommandKind::other) [[likely]] {
    if (!in_multi_) return run_one(command, hash);
    queue_->add(command);
    return true;
  }
  switch (kind) {
    case CommandKind::multi:
      in_multi_ = true;
      queue_->add(command);
      return true;
    case CommandKind::exec:
      return run_queue() && run_one(command, hash);
    default:
      if (!in_multi_) return run_one(command, hash);
      queue_->add(command);
      return true;
  }
}

bool Replay::run_queue() {
  in_multi_ = false;
  const std::unique_ptr<Queued> queue = std::exchange(queue_, std::make_unique<Queued>());
  std::vector<Bytes> args;
  for (Queued::Item& item : queue->items) {
    args.clear();
    for (size_t i = item.first; i < item.first + item.count; ++i)
      args.push_back(Bytes(queue->bytes).substr(queue->args[i].offset, queue->args[i].size));
    item.command.args = args;
    if (!run_one(item.command, 0)) return false;
  }
  return true;
}

bool Replay::run_one(const LoggedCommand& command, uint64_t hash) {
  if (observer_ != nullptr && !observer_->wants(command)) return true;
  const Handler handler = command.spec != nullptr ? find_handler(*command.spec) : nullptr;
  if (rules_.is_guess && command.spec != nullptr) raise_to(rules_.profile, *command.spec, command.args);
  if (handler == nullptr) return run_unhandled(command);
  if (observer_ != nullptr) observer_->before(command);
  const char* error = nullptr;
  const Effect effect = apply(command, handler, hash, error);
  count(effect);
  if (observer_ != nullptr) observer_->after(command, effect, error);
  return true;
}

Effect Replay::apply(const LoggedCommand& command, Handler handler, uint64_t hash, const char*& error) {
  if (!arity_fits(*command.spec, command.args.size())) {
    error = kWrongArity;
    return Effect::failed;
  }
  Call call(data_, db_, rules_.profile, rules_.now_ms, nullptr);
  call.args = command.args;
  call.field_clock_ms = rules_.field_clock_ms;
  if (hash != 0) call.hint(command.args[Batch::first_key(command)], hash);
  const Effect effect = handler(call);
  error = call.error();
  return effect;
}

void Replay::count(Effect effect) {
  counts_.changed += effect == Effect::changed ? 1U : 0U;
  counts_.unchanged += effect == Effect::unchanged ? 1U : 0U;
  counts_.failed += effect == Effect::failed ? 1U : 0U;
}

// What has no handler: the client's own state, scripts, and what nobody but a module knows.
bool Replay::run_unhandled(const LoggedCommand& command) {
  if (command.spec == nullptr) {
    const bool is_module = command.args.front().find('.') != Bytes::npos;
    if (is_module && rules_.skip_module_commands) {
      ++counts_.module_commands;
      if (observer_ != nullptr) observer_->skipped(command);
      return true;
    }
    return refuse(command,
                  is_module ? ReplayRefusal::Kind::module_command : ReplayRefusal::Kind::unknown_command, {});
  }
  if (command.spec->kind == CommandKind::script) return run_script(command);
  if (observer_ != nullptr) observer_->before(command);
  Effect effect = Effect::unchanged;
  const char* error = nullptr;
  if (command.spec->kind == CommandKind::select) {
    const std::optional<uint64_t> db =
        command.args.size() == 2 ? parse_db(command.args[1]) : std::optional<uint64_t>();
    if (db) {
      db_ = *db;
    } else {
      effect = Effect::failed;
      error = kDbRange;
    }
  } else if (command.spec->has(kCommandWrites)) {
    return refuse(command, ReplayRefusal::Kind::not_replayed, {});
  }
  count(effect);
  if (observer_ != nullptr) observer_->after(command, effect, error);
  return true;
}

bool Replay::run_script(const LoggedCommand& command) {
  // 2.8 changed both in its course; the later way is taken for all of it.
  const bool is_first_way = rules_.profile.is_before(208);
  if (!scripts_)
    scripts_ = is_first_way ? std::make_unique<ScriptEngine>(ScriptLimits{}, kScriptNumberDigitsOld)
                            : std::make_unique<ScriptEngine>();
  ScriptCommand script(*scripts_, data_, db_, rules_, observer_);
  if (observer_ != nullptr) observer_->before(command);
  const Effect effect = script.run(command);
  if (is_first_way) db_ = script.db();  // a SELECT in a script was once the caller's
  if (script.was_refused()) return refuse(command, ReplayRefusal::Kind::script, script.error());
  count(effect);
  if (observer_ != nullptr)
    observer_->after(command, effect, effect == Effect::failed ? script.error().c_str() : nullptr);
  return true;
}

bool Replay::refuse(const LoggedCommand& command, ReplayRefusal::Kind kind, std::string why) {
  refusal_ =
      ReplayRefusal{kind, command.extent, command.index, std::string(command.args.front()), std::move(why)};
  return false;
}

}  // namespace persist
