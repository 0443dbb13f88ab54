// Commands that do not care what a value is. When keys expire is in expiry.cpp, RESTORE in restore.cpp.
#include <string>
#include <vector>

#include "engine/commands/key_handlers.hpp"
#include "engine/commands/string_options.hpp"
#include "engine/commands/table.hpp"
#include "persist/filter.hpp"

namespace persist {

namespace {

constexpr const char* kSameObject = "ERR source and destination objects are the same";
constexpr const char* kDbRange = "ERR DB index is out of range";

// ------------------------------------------------------------------------------------------------ removing

Effect run_del(Call& call) {
  int64_t erased = 0;
  for (const Bytes key : call.args.subspan(1)) erased += call.erase(key) ? 1 : 0;
  return call.done(erased, erased > 0);
}

Effect run_delex(Call& call) {
  using Kind = StringCondition::Kind;
  constexpr std::pair<Bytes, Kind> kConditions[] = {
      {"ifeq", Kind::equals},
      {"ifne", Kind::differs},
      {"ifdeq", Kind::digest_equals},
      {"ifdne", Kind::digest_differs},
  };
  if (call.args.size() == 2) return run_del(call);
  if (call.args.size() != 4) return call.fail("ERR wrong number of arguments for 'delex' command");
  KeyEntry* entry = call.find(call.args[1]);
  if (entry == nullptr) return call.done(0, false);
  if (!is_string(*entry)) return call.fail("ERR Key should be of string type if conditions are specified");
  StringCondition condition{Kind::none, call.args[3]};
  for (const auto& [word, kind] : kConditions)
    if (is_word(call.args[2], word)) condition.kind = kind;
  if (condition.kind == Kind::none)
    return call.fail("ERR Invalid condition. Use IFEQ, IFNE, IFDEQ, or IFDNE");
  const Verdict verdict = judge(call, condition, entry);
  if (verdict == Verdict::bad_digest) return call.fail(kBadDigest);
  if (verdict == Verdict::not_met) return call.done(0, false);
  call.db().erase(*entry);
  return call.done(1, true);
}

// ------------------------------------------------------------------------------------------------- asking

// TOUCH too: of accesses nothing is kept.
Effect run_exists(Call& call) {
  int64_t there = 0;
  for (const Bytes key : call.args.subspan(1)) there += call.find(key) != nullptr ? 1 : 0;
  return call.done(there, false);
}

// The words of TYPE, which for a module is that of its own type.
std::string type_word(Call& call, KeyEntry& entry) {
  constexpr const char* kVectorSet = "vectorset";
  if (entry.type() != ValueType::module) return std::string(value_type_name(entry.type()));
  if (entry.as<VectorSet>(call.pool()) != nullptr) return kVectorSet;
  std::string word;
  entry.tell(
      [&](const Element& told) {
        if (const auto* value = std::get_if<ModuleValue>(&told)) word = value->module;
      },
      false);
  return word;
}

Effect run_type(Call& call) {
  KeyEntry* entry = call.find(call.args[1]);
  call.answer_status(entry == nullptr ? "none" : type_word(call, *entry));
  return Effect::unchanged;
}

Effect run_dbsize(Call& call) {
  call.answer_count(call.db().size());
  return Effect::unchanged;
}

Effect run_keys(Call& call) {
  std::vector<Bytes> matching;
  if (call.has_listener()) {
    call.db().for_each([&](const KeyEntry& entry) {
      if (glob_matches(call.args[1], entry.key())) matching.push_back(entry.key());
    });
  }
  call.answer_array(matching.size());
  for (const Bytes key : matching) call.answer_text(key);
  return Effect::unchanged;
}

// Any will do; the oldest is the same in every run.
Effect run_randomkey(Call& call) {
  const KeyEntry* oldest = nullptr;
  call.db().for_each([&](const KeyEntry& entry) {
    if (oldest == nullptr || entry.born < oldest->born) oldest = &entry;
  });
  if (oldest == nullptr)
    call.answer_nil();
  else
    call.answer_text(oldest->key());
  return Effect::unchanged;
}

struct KeyScanOptions {
  std::optional<Bytes> pattern;
  std::optional<Bytes> type;
};

// Fails the call if they are no good.
std::optional<KeyScanOptions> scan_options(Call& call) {
  const auto refuse = [&](const char* why) -> std::optional<KeyScanOptions> {
    call.fail(why);
    return std::nullopt;
  };
  KeyScanOptions options;
  const std::span<const Bytes> words = call.args.subspan(2);
  for (size_t at = 0; at < words.size(); at += 2) {
    if (at + 1 == words.size()) return refuse(kSyntax);
    const Bytes value = words[at + 1];
    if (is_word(words[at], "match")) {
      options.pattern = value;
    } else if (is_word(words[at], "type")) {
      options.type = value;
    } else if (is_word(words[at], "count")) {
      const std::optional<int64_t> count = integer_argument(call, value);
      if (!count) return refuse(kNotInteger);
      if (*count < 1) return refuse(kSyntax);
    } else {
      return refuse(kSyntax);
    }
  }
  return options;
}

// Tells everything at once, which is one of the ways in which a server may answer.
Effect run_scan(Call& call) {
  if (!parse_decimal<uint64_t>(call.args[1])) return call.fail("ERR invalid cursor");
  const std::optional<KeyScanOptions> options = scan_options(call);
  if (!options) return Effect::failed;
  std::vector<Bytes> keys;
  call.db().for_each([&](KeyEntry& entry) {
    if (options->pattern && !glob_matches(*options->pattern, entry.key())) return;
    if (options->type && !equals_ignoring_case(*options->type, type_word(call, entry))) return;
    keys.push_back(entry.key());
  });
  call.answer_array(2);
  call.answer_text("0");
  call.answer_array(keys.size());
  for (const Bytes key : keys) call.answer_text(key);
  return Effect::unchanged;
}

// How a server keeps a value, or what it would write, is nothing that the engine knows.
Effect refuse_unless_missing(Call& call, Bytes key) {
  if (call.find(key) != nullptr) return call.fail("ERR there is no such answer without a server");
  call.answer_nil();
  return Effect::unchanged;
}

Effect run_dump(Call& call) { return refuse_unless_missing(call, call.args[1]); }

Effect run_object(Call& call) {
  if (call.args.size() != 3) return call.fail("ERR Unknown subcommand or wrong number of arguments");
  return refuse_unless_missing(call, call.args[2]);
}

// ------------------------------------------------------------------------------------------------- moving

// Puts the key `from` into `db` under the name `to`, in the place of what is there.
void move_entry(const Call& call, KeyEntry& from, Database& db, Bytes to) {
  KeyEntry& target = db.find_or_create(to);
  target.take_value(call.pool(), from);
  target.expire_at_ms = from.expire_at_ms;
  target.idle_s = from.idle_s;
  target.has_freq = from.has_freq;
  target.freq = from.freq;
  call.db().erase(from);
}

Effect rename(Call& call, bool only_new) {
  const Bytes from = call.args[1];
  const Bytes to = call.args[2];
  if (from == to && call.profile.is_before(302)) return call.fail(kSameObject);
  KeyEntry* entry = call.find(from);
  if (entry == nullptr) return call.fail(kNoSuchKey);
  const bool taken = from == to || (only_new && call.find(to) != nullptr);
  if (only_new && taken) return call.done(0, false);
  if (!taken) move_entry(call, *entry, call.db(), to);
  if (only_new) return call.done(1, true);
  call.answer_ok();
  return taken ? Effect::unchanged : Effect::changed;
}

Effect run_rename(Call& call) { return rename(call, false); }
Effect run_renamenx(Call& call) { return rename(call, true); }

// The number of another database. How many the server was configured to have is not known, so that none is
// out of range that a server could have. Fails the call.
std::optional<uint64_t> key_db_argument(Call& call, Bytes text) {
  const std::optional<int64_t> number = integer_argument(call, text);
  if (!number)
    call.fail(kNotInteger);
  else if (*number != static_cast<int32_t>(*number))
    call.fail("ERR value is out of range, value must between -2147483648 and 2147483647");
  else if (*number < 0)
    call.fail(kDbRange);
  if (call.error() != nullptr) return std::nullopt;
  return static_cast<uint64_t>(*number);
}

Effect run_move(Call& call) {
  const std::optional<uint64_t> number = key_db_argument(call, call.args[2]);
  if (!number) return Effect::failed;
  if (*number == call.db_number()) return call.fail(kSameObject);
  KeyEntry* entry = call.find(call.args[1]);
  if (entry == nullptr) return call.done(0, false);
  Database& db = call.data.db(*number);
  if (db.find(call.args[1]) != nullptr) return call.done(0, false);
  if (call.profile.is_before(208)) entry->expire_at_ms = kNoExpiry;  // it got lost there
  move_entry(call, *entry, db, call.args[1]);
  return call.done(1, true);
}

struct CopyOptions {
  uint64_t db_number;
  bool replaces = false;
};

// Fails the call if they are no good.
std::optional<CopyOptions> copy_options(Call& call) {
  CopyOptions options{call.db_number()};
  const std::span<const Bytes> words = call.args.subspan(3);
  for (size_t at = 0; at < words.size(); ++at) {
    if (is_word(words[at], "replace")) {
      options.replaces = true;
    } else if (is_word(words[at], "db") && at + 1 < words.size()) {
      const std::optional<uint64_t> number = key_db_argument(call, words[++at]);
      if (!number) return std::nullopt;
      options.db_number = *number;
    } else {
      call.fail(kSyntax);
      return std::nullopt;
    }
  }
  return options;
}

Effect run_copy(Call& call) {
  const std::optional<CopyOptions> options = copy_options(call);
  if (!options) return Effect::failed;
  const Bytes from = call.args[1];
  const Bytes to = call.args[2];
  if (from == to && options->db_number == call.db_number()) return call.fail(kSameObject);
  KeyEntry* entry = call.find(from);
  if (entry == nullptr) return call.done(0, false);
  Database& db = call.data.db(options->db_number);
  if (!options->replaces && db.find(to) != nullptr) return call.done(0, false);
  if (entry->type() == ValueType::module && entry->as<VectorSet>(call.pool()) != nullptr)
    return call.fail("ERR not supported for this module key");
  KeyEntry& target = db.find_or_create(to);
  target.copy_value(call.pool(), *entry);
  target.expire_at_ms = entry->expire_at_ms;
  target.idle_s = KeyEntry::kNoIdle;
  target.has_freq = false;
  return call.done(1, true);
}

constexpr CommandHandler kKeyHandlers[] = {
    {"copy", run_copy},
    {"dbsize", run_dbsize},
    {"del", run_del},
    {"delex", run_delex},
    {"dump", run_dump},
    {"exists", run_exists},
    {"expire", run_expire},
    {"expireat", run_expireat},
    {"expiretime", run_expiretime},
    {"keys", run_keys},
    {"move", run_move},
    {"object", run_object},
    {"persist", run_persist},
    {"pexpire", run_pexpire},
    {"pexpireat", run_pexpireat},
    {"pexpiretime", run_pexpiretime},
    {"pttl", run_pttl},
    {"randomkey", run_randomkey},
    {"rename", run_rename},
    {"renamenx", run_renamenx},
    {"restore", run_restore},
    {"restore-asking", run_restore},
    {"scan", run_scan},
    {"touch", run_exists},
    {"ttl", run_ttl},
    {"type", run_type},
    {"unlink", run_del},
};

}  // namespace

std::span<const CommandHandler> key_commands() { return kKeyHandlers; }

}  // namespace persist
