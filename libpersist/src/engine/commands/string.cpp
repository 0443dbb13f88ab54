// Strings that are set, read and put together. Those that are counted with are in string_number.cpp.
#include <cstring>

#include "engine/commands/string_number.hpp"
#include "engine/commands/string_options.hpp"
#include "engine/commands/table.hpp"

namespace persist {

namespace {

// The answer is the text of `entry`, or nil without one.
void answer_entry(const Call& call, KeyEntry* entry) {
  if (!call.has_listener()) return;
  CellRoom room;
  if (entry == nullptr)
    call.answer_nil();
  else
    call.answer_text(entry->text(call.pool(), room));
}

// ------------------------------------------------------------------------------------------------ setting

Effect set_with_options(Call& call, Bytes key, Bytes text) {
  const std::optional<StringOptions> options = parse_string_options(call, call.args.subspan(3), kOfSet);
  if (!options) return call.fail(kSyntax);
  int64_t expire_at_ms = kNoExpiry;
  if (options->time) {
    const auto at =
        expiry_argument(call, *options->time, options->scale, "ERR invalid expire time in 'set' command");
    if (!at) return Effect::failed;
    expire_at_ms = *at;
  }

  KeyEntry* entry = call.find(key);
  if (options->returns_old && entry != nullptr && !is_string(*entry)) return call.wrong_type();
  const Verdict verdict = judge(call, options->condition, entry);
  if (verdict == Verdict::not_a_string) return call.wrong_type();
  if (verdict == Verdict::bad_digest) return call.fail(kBadDigest);

  if (options->returns_old)
    answer_entry(call, entry);
  else if (verdict == Verdict::met)
    call.answer_ok();
  else
    call.answer_nil();
  if (verdict != Verdict::met) return Effect::unchanged;

  if (entry == nullptr) entry = &call.db().create(key);
  entry->set_text(call.pool(), text);
  if (!options->keeps_expiry) entry->expire_at_ms = expire_at_ms;
  return Effect::changed;
}

Effect run_set(Call& call) {
  if (call.args.size() > 3) return set_with_options(call, call.args[1], call.args[2]);
  put_string(call, call.args[1], call.args[2]);
  return call.done_ok();
}

Effect run_setnx(Call& call) {
  if (call.find(call.args[1]) != nullptr) return call.done(0, false);
  put_string(call, call.args[1], call.args[2]);
  return call.done(1, true);
}

Effect set_for(Call& call, TimeScale scale, const char* invalid) {
  const auto at = expiry_argument(call, call.args[2], scale, invalid);
  if (!at) return Effect::failed;
  put_string(call, call.args[1], call.args[3]).expire_at_ms = *at;
  return call.done_ok();
}

Effect run_setex(Call& call) {
  return set_for(call, {true, true}, "ERR invalid expire time in 'setex' command");
}

Effect run_psetex(Call& call) {
  return set_for(call, {false, true}, "ERR invalid expire time in 'psetex' command");
}

Effect run_getset(Call& call) {
  KeyEntry* entry = call.find(call.args[1]);
  if (entry != nullptr && !is_string(*entry)) return call.wrong_type();
  answer_entry(call, entry);
  put_string(call, call.args[1], call.args[2]);
  return Effect::changed;
}

// ------------------------------------------------------------------------------------------- several at once

// Keys and texts in turn.
bool has_any_key(const Call& call, std::span<const Bytes> pairs) {
  for (size_t at = 0; at < pairs.size(); at += 2)
    if (call.find(pairs[at]) != nullptr) return true;
  return false;
}

bool has_every_key(const Call& call, std::span<const Bytes> pairs) {
  for (size_t at = 0; at < pairs.size(); at += 2)
    if (call.find(pairs[at]) == nullptr) return false;
  return true;
}

void put_all(const Call& call, std::span<const Bytes> pairs) {
  for (size_t at = 0; at < pairs.size(); at += 2) put_string(call, pairs[at], pairs[at + 1]);
}

Effect run_mset(Call& call) {
  const std::span<const Bytes> pairs = call.args.subspan(1);
  if (pairs.size() % 2 != 0) return call.fail("ERR wrong number of arguments for 'mset' command");
  put_all(call, pairs);
  return call.done_ok();
}

Effect run_msetnx(Call& call) {
  const std::span<const Bytes> pairs = call.args.subspan(1);
  if (pairs.size() % 2 != 0) return call.fail("ERR wrong number of arguments for 'msetnx' command");
  if (has_any_key(call, pairs)) return call.done(0, false);
  put_all(call, pairs);
  return call.done(1, true);
}

Effect run_msetex(Call& call) {
  const std::optional<int64_t> count = integer_argument(call, call.args[1]);
  if (!count || *count < 1 || *count > std::numeric_limits<int32_t>::max())
    return call.fail("ERR invalid numkeys value");
  const std::span<const Bytes> behind = call.args.subspan(2);
  const auto words = static_cast<size_t>(*count) * 2;
  if (words > behind.size()) return call.fail("ERR wrong number of key-value pairs");
  const std::optional<StringOptions> options = parse_string_options(call, behind.subspan(words), kOfMsetex);
  if (!options) return call.fail(kSyntax);
  int64_t expire_at_ms = kNoExpiry;
  if (options->time) {
    const auto at =
        expiry_argument(call, *options->time, options->scale, "ERR invalid expire time in 'msetex' command");
    if (!at) return Effect::failed;
    expire_at_ms = *at;
  }

  using Kind = StringCondition::Kind;
  const std::span<const Bytes> pairs = behind.first(words);
  if (options->condition.kind == Kind::if_missing && has_any_key(call, pairs)) return call.done(0, false);
  if (options->condition.kind == Kind::if_there && !has_every_key(call, pairs)) return call.done(0, false);
  for (size_t at = 0; at < pairs.size(); at += 2) {
    KeyEntry& entry = call.db().find_or_create(pairs[at]);
    entry.set_text(call.pool(), pairs[at + 1]);
    if (!options->keeps_expiry) entry.expire_at_ms = expire_at_ms;
  }
  return call.done(1, true);
}

// ------------------------------------------------------------------------------------------------ reading

Effect run_get(Call& call) {
  KeyEntry* entry = call.find(call.args[1]);
  if (entry != nullptr && !is_string(*entry)) return call.wrong_type();
  answer_entry(call, entry);
  return Effect::unchanged;
}

Effect run_mget(Call& call) {
  call.answer_array(call.args.size() - 1);
  for (const Bytes key : call.args.subspan(1)) {
    KeyEntry* entry = call.find(key);
    answer_entry(call, entry != nullptr && is_string(*entry) ? entry : nullptr);
  }
  return Effect::unchanged;
}

Effect run_getdel(Call& call) {
  KeyEntry* entry = call.find(call.args[1]);
  if (entry != nullptr && !is_string(*entry)) return call.wrong_type();
  answer_entry(call, entry);
  if (entry == nullptr) return Effect::unchanged;
  call.db().erase(*entry);
  return Effect::changed;
}

Effect run_getex(Call& call) {
  const std::optional<StringOptions> options = parse_string_options(call, call.args.subspan(2), kOfGetex);
  if (!options) return call.fail(kSyntax);
  KeyEntry* entry = call.find(call.args[1]);
  if (entry == nullptr) {
    call.answer_nil();
    return Effect::unchanged;
  }
  if (!is_string(*entry)) return call.wrong_type();
  int64_t expire_at_ms = entry->expire_at_ms;
  if (options->time) {
    const auto at =
        expiry_argument(call, *options->time, options->scale, "ERR invalid expire time in 'getex' command");
    if (!at) return Effect::failed;
    expire_at_ms = *at;
  }
  answer_entry(call, entry);
  if (options->drops_expiry) expire_at_ms = kNoExpiry;
  const bool changed = options->time || expire_at_ms != entry->expire_at_ms;
  entry->expire_at_ms = expire_at_ms;
  return changed ? Effect::changed : Effect::unchanged;
}

Effect run_strlen(Call& call) {
  KeyEntry* entry = call.find(call.args[1]);
  if (entry == nullptr) return call.done(0, false);
  if (!is_string(*entry)) return call.wrong_type();
  CellRoom room;
  call.answer_count(entry->text(call.pool(), room).size());
  return Effect::unchanged;
}

// Unlike other ranges, an end in front of the text means its first byte.
Bytes cut_text(Bytes text, int64_t start, int64_t stop) {
  if (start < 0 && stop < 0 && start > stop) return {};
  const auto size = static_cast<int64_t>(text.size());
  const auto place = [size](int64_t index) { return index < 0 ? std::max<int64_t>(0, index + size) : index; };
  const int64_t from = place(start);
  const int64_t to = std::min(place(stop), size - 1);
  if (from > to) return {};
  return text.substr(static_cast<size_t>(from), static_cast<size_t>(to - from + 1));
}

Effect run_getrange(Call& call) {
  const std::optional<int64_t> start = integer_argument(call, call.args[2]);
  const std::optional<int64_t> stop = integer_argument(call, call.args[3]);
  if (!start || !stop) return call.fail(kNotInteger);
  KeyEntry* entry = call.find(call.args[1]);
  if (entry != nullptr && !is_string(*entry)) return call.wrong_type();
  CellRoom room;
  call.answer_text(entry == nullptr ? Bytes("") : cut_text(entry->text(call.pool(), room), *start, *stop));
  return Effect::unchanged;
}

Effect run_digest(Call& call) {
  KeyEntry* entry = call.find(call.args[1]);
  if (entry == nullptr) {
    call.answer_nil();
    return Effect::unchanged;
  }
  if (!is_string(*entry)) return call.wrong_type();
  CellRoom room;
  char digest[kStringDigestBytes];
  call.answer_text(string_digest(entry->text(call.pool(), room), digest));
  return Effect::unchanged;
}

// ------------------------------------------------------------------------------------------------ changing

// `entry` is null if the key is missing: then it is made.
char* resize(const Call& call, KeyEntry* entry, size_t size) {
  if (entry == nullptr) {
    entry = &call.db().create(call.args[1]);
    entry->set_text(call.pool(), "");
  }
  return entry->resize_text(call.pool(), size);
}

Effect run_append(Call& call) {
  const Bytes added = call.args[2];
  KeyEntry* entry = call.find(call.args[1]);
  if (entry == nullptr) {
    put_string(call, call.args[1], added);
    return call.done(static_cast<int64_t>(added.size()), true);
  }
  if (!is_string(*entry)) return call.wrong_type();
  CellRoom room;
  const size_t held = entry->text(call.pool(), room).size();
  if (!string_may_grow(held, added.size(), held + added.size())) return call.fail(kStringTooLong);
  copy_bytes(entry->resize_text(call.pool(), held + added.size()) + held, added);
  return call.done(static_cast<int64_t>(held + added.size()), true);
}

Effect run_setrange(Call& call) {
  const Bytes put = call.args[3];
  const std::optional<int64_t> offset = integer_argument(call, call.args[2]);
  if (!offset) return call.fail(kNotInteger);
  if (*offset < 0) return call.fail("ERR offset is out of range");
  KeyEntry* entry = call.find(call.args[1]);
  if (entry != nullptr && !is_string(*entry)) return call.wrong_type();
  CellRoom room;
  const size_t held = entry == nullptr ? 0 : entry->text(call.pool(), room).size();
  if (put.empty()) return call.done(static_cast<int64_t>(held), false);
  const auto at = static_cast<uint64_t>(*offset);
  if (!string_may_grow(held, put.size(), at + put.size())) return call.fail(kStringTooLong);
  const size_t size = std::max<size_t>(held, at + put.size());
  copy_bytes(resize(call, entry, size) + at, put);
  return call.done(static_cast<int64_t>(size), true);
}

// A condition that compares a text, as a command of its own.
Effect run_delifeq(Call& call) {
  KeyEntry* entry = call.find(call.args[1]);
  if (entry == nullptr) return call.done(0, false);
  const Verdict verdict = judge(call, {StringCondition::Kind::equals, call.args[2]}, entry);
  if (verdict == Verdict::not_a_string) return call.wrong_type();
  if (verdict == Verdict::not_met) return call.done(0, false);
  call.db().erase(*entry);
  return call.done(1, true);
}

constexpr CommandHandler kStringHandlers[] = {
    {"append", run_append},
    {"decr", run_decr},
    {"decrby", run_decrby},
    {"delifeq", run_delifeq},
    {"digest", run_digest},
    {"get", run_get},
    {"getdel", run_getdel},
    {"getex", run_getex},
    {"getrange", run_getrange},
    {"getset", run_getset},
    {"incr", run_incr},
    {"incrby", run_incrby},
    {"incrbyfloat", run_incrbyfloat},
    {"increx", run_increx},
    {"mget", run_mget},
    {"mset", run_mset},
    {"msetex", run_msetex},
    {"msetnx", run_msetnx},
    {"psetex", run_psetex},
    {"set", run_set},
    {"setex", run_setex},
    {"setnx", run_setnx},
    {"setrange", run_setrange},
    {"strlen", run_strlen},
    {"substr", run_getrange},
};

}  // namespace

std::span<const CommandHandler> string_commands() { return kStringHandlers; }

}  // namespace persist
