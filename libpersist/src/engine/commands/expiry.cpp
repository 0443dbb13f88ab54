// When keys expire. A time that has passed is a time like any other while a log is loaded.
#include "engine/commands/arguments.hpp"
#include "engine/commands/key_handlers.hpp"

namespace persist {

namespace {

// What the words behind the time ask for. Servers that know none do not look there. Null: all is well.
const char* read_condition(const Call& call, ExpiryCondition& condition) {
  if (call.profile.is_before(700)) return nullptr;
  for (const Bytes word : call.args.subspan(3))
    if (!condition.take(word)) return "ERR Unsupported option";
  if (condition.if_none && (condition.if_any || condition.if_later || condition.if_earlier))
    return "ERR NX and XX, GT or LT options at the same time are not compatible";
  if (condition.if_later && condition.if_earlier)
    return "ERR GT and LT options at the same time are not compatible";
  return nullptr;
}

Effect set_expiry(Call& call, TimeScale scale, const char* invalid) {
  ExpiryCondition condition;
  if (call.args.size() > 3) {
    if (const char* why = read_condition(call, condition)) return call.fail(why);
  }
  const std::optional<int64_t> given = integer_argument(call, call.args[2]);
  if (!given) return call.fail(kNotInteger);
  const std::optional<int64_t> expire_at_ms = expiry_of(*given, scale, call.now_ms);
  if (!expire_at_ms) return call.fail(invalid);
  KeyEntry* entry = call.find(call.args[1]);
  if (entry == nullptr || !condition.allows(entry->expire_at_ms, *expire_at_ms)) return call.done(0, false);
  entry->expire_at_ms = *expire_at_ms;
  return call.done(1, true);
}

// -2: no such key, -1: no expiry.
Effect tell_expiry(Call& call, TimeScale scale) {
  constexpr int64_t kMsPerSecond = 1000;
  const KeyEntry* entry = call.find(call.args[1]);
  if (entry == nullptr) return call.done(-2, false);
  if (!entry->has_expiry()) return call.done(-1, false);
  int64_t time = entry->expire_at_ms;
  // Of a number that only a hostile log sets, the distance may be none.
  if (scale.is_relative && __builtin_sub_overflow(time, call.now_ms, &time)) time = 0;
  if (scale.is_relative) time = std::max<int64_t>(time, 0);
  return call.done(scale.in_seconds ? time / kMsPerSecond + (time % kMsPerSecond >= kMsPerSecond / 2) : time,
                   false);
}

}  // namespace

Effect run_expire(Call& call) {
  return set_expiry(call, {true, true}, "ERR invalid expire time in 'expire' command");
}
Effect run_pexpire(Call& call) {
  return set_expiry(call, {false, true}, "ERR invalid expire time in 'pexpire' command");
}
Effect run_expireat(Call& call) {
  return set_expiry(call, {true, false}, "ERR invalid expire time in 'expireat' command");
}
Effect run_pexpireat(Call& call) {
  return set_expiry(call, {false, false}, "ERR invalid expire time in 'pexpireat' command");
}

Effect run_persist(Call& call) {
  KeyEntry* entry = call.find(call.args[1]);
  if (entry == nullptr || !entry->has_expiry()) return call.done(0, false);
  entry->expire_at_ms = kNoExpiry;
  return call.done(1, true);
}

Effect run_ttl(Call& call) { return tell_expiry(call, {true, true}); }
Effect run_pttl(Call& call) { return tell_expiry(call, {false, true}); }
Effect run_expiretime(Call& call) { return tell_expiry(call, {true, false}); }
Effect run_pexpiretime(Call& call) { return tell_expiry(call, {false, false}); }

}  // namespace persist
