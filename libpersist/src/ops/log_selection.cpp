// The cheapest questions are asked first.
#include "ops/log_selection.hpp"

#include <algorithm>

#include "base/letters.hpp"

namespace persist {

namespace {

FilterOptions key_filter(const LogSelection& wanted) {
  FilterOptions options;
  options.key_globs = wanted.key_globs;
  options.key_regexes = wanted.key_regexes;
  return options;
}

}  // namespace

LogSelector::LogSelector(const LogSelection& wanted) : wanted_(wanted), keys_(key_filter(wanted)) {
  for (const std::string& name : wanted.commands) {
    if (const CommandSpec* spec = find_command(name)) known_.push_back(spec);
  }
  selects_all_ = keys_.accepts_all() && wanted.commands.empty() && wanted.dbs.empty() && !selects_times();
}

bool LogSelector::selects(const LoggedCommand& command) const {
  if (!wanted_.commands.empty() && !selects_name(command)) return false;
  if (selects_times() && !selects_time(command.time_s)) return false;
  if (!wanted_.dbs.empty() && !selects_db(command)) return false;
  return keys_.accepts_all() || selects_keys(command);
}

bool LogSelector::selects_name(const LoggedCommand& command) const {
  if (command.spec != nullptr) return std::ranges::find(known_, command.spec) != known_.end();
  const Bytes name = command.args.front();
  return std::ranges::any_of(wanted_.commands,
                             [&](const std::string& wanted) { return equals_ignoring_case(wanted, name); });
}

bool LogSelector::selects_time(std::optional<int64_t> time_s) const {
  if (!selects_times()) return true;
  if (!time_s) return false;
  // Compared in whole seconds: milliseconds of a time far off would not fit.
  constexpr int64_t kSecondMs = 1000;
  const auto seconds_up = [](int64_t ms) { return ms / kSecondMs + (ms % kSecondMs > 0 ? 1 : 0); };
  const auto seconds_down = [](int64_t ms) { return ms / kSecondMs - (ms % kSecondMs < 0 ? 1 : 0); };
  return (!wanted_.since_ms || *time_s >= seconds_up(*wanted_.since_ms)) &&
         (!wanted_.until_ms || *time_s <= seconds_down(*wanted_.until_ms));
}

bool LogSelector::selects_key(uint64_t db, Bytes key) const {
  if (!wanted_.commands.empty() || selects_times()) return false;
  return (wanted_.dbs.empty() || is_wanted_db(db)) && matches_key(key);
}

// FLUSHALL works on every database, SWAPDB on those it names.
bool LogSelector::selects_db(const LoggedCommand& command) const {
  const CommandKind kind = command.spec != nullptr ? command.spec->kind : CommandKind::other;
  if (is_wanted_db(command.db) || kind == CommandKind::flushall) return true;
  if (kind != CommandKind::swapdb) return false;
  return std::ranges::any_of(command.args.subspan(1), [&](Bytes word) {
    const std::optional<uint64_t> db = parse_db(word);
    return db && is_wanted_db(*db);
  });
}

// Of a command that nobody knows, the first word behind the name is taken for its key.
bool LogSelector::selects_keys(const LoggedCommand& command) const {
  const std::span<const Bytes> args = command.args;
  if (command.spec == nullptr) return args.size() > 1 && matches_key(args[1]);
  bool matches = false;
  for_each_key(*command.spec, args, [&](size_t index) { matches = matches || matches_key(args[index]); });
  return matches;
}

bool LogSelector::is_wanted_db(uint64_t db) const {
  return std::ranges::find(wanted_.dbs, db) != wanted_.dbs.end();
}

bool LogSelector::matches_key(Bytes key) const { return keys_.accepts_key(key); }

}  // namespace persist
