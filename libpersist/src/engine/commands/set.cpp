// Handlers of sets.
//
// SPOP never stands in a log; a script may call it, and so may a hostile log. It takes some member.
#include <functional>
#include <vector>

#include "engine/commands/scan_options.hpp"
#include "engine/commands/table.hpp"

namespace persist {

namespace {

constexpr const char* kSetNotPositive = "ERR value is out of range, must be positive";

// How many members one answer may repeat: those of a set can be asked for any number of times.
constexpr uint64_t kSetRepeatedMax = 1'000'000;

Effect answer_members_of(const Call& call, const Set& set) {
  if (!call.has_listener()) return Effect::unchanged;
  call.answer_array(set.size());
  set.for_each([&](Bytes member) { call.answer_text(member); });
  return Effect::unchanged;
}

Effect answer_none(const Call& call) {
  call.answer_array(0);
  return Effect::unchanged;
}

// ------------------------------------------------------------------------------------------------ changing

Effect run_sadd(Call& call) {
  const Found<Set> set = call.find_or_make<Set>(call.args[1]);
  if (set.wrong_type()) return call.wrong_type();
  int64_t added = 0;
  for (const Bytes member : call.args.subspan(2)) added += set->add(member) ? 1 : 0;
  return call.done(added, added > 0);
}

Effect run_srem(Call& call) {
  const Found<Set> set = call.find_as<Set>(call.args[1]);
  if (set.wrong_type()) return call.wrong_type();
  if (!set) return call.done(0, false);
  int64_t removed = 0;
  for (const Bytes member : call.args.subspan(2)) removed += set->remove(member) ? 1 : 0;
  call.drop_if_empty(set);
  return call.done(removed, removed > 0);
}

Effect run_smove(Call& call) {
  const Bytes member = call.args[3];
  const Found<Set> source = call.find_as<Set>(call.args[1]);
  if (source.entry == nullptr) return call.done(0, false);
  const KeyEntry* there = call.find(call.args[2]);
  if (source.wrong_type() || (there != nullptr && there->type() != ValueType::set)) return call.wrong_type();
  if (source.entry == there) return call.done(source->contains(member) ? 1 : 0, false);
  if (!source->remove(member)) return call.done(0, false);
  call.drop_if_empty(source);
  call.find_or_make<Set>(call.args[2])->add(member);
  return call.done(1, true);
}

void answer_and_take_any(const Call& call, Set& set) {
  CellRoom room;
  const Bytes member = set.any(room);
  call.answer_text(member);
  set.remove(member);
}

Effect pop_some(Call& call, const Found<Set>& set, uint64_t count) {
  count = std::min<uint64_t>(count, set->size());
  call.answer_array(count);
  for (uint64_t left = count; left > 0; --left) answer_and_take_any(call, *set.value);
  call.drop_if_empty(set);
  return count > 0 ? Effect::changed : Effect::unchanged;
}

Effect run_spop(Call& call) {
  if (call.args.size() > 3) return call.fail(kSyntax);
  std::optional<int64_t> count;
  if (call.args.size() == 3) {
    count = integer_argument(call, call.args[2]);
    if (!count || *count < 0) return call.fail(kSetNotPositive);
  }
  const Found<Set> set = call.find_as<Set>(call.args[1]);
  if (set.wrong_type()) return call.wrong_type();
  if (count) return set ? pop_some(call, set, static_cast<uint64_t>(*count)) : answer_none(call);
  if (!set) {
    call.answer_nil();
    return Effect::unchanged;
  }
  answer_and_take_any(call, *set.value);
  call.drop_if_empty(set);
  return Effect::changed;
}

// ------------------------------------------------------------------------------------------------- algebra

// The sets behind the keys.
struct Sources {
  std::vector<const Set*> sets;  // null: there is no such key. Behind the first, no set stands twice
  bool some_missing = false;
  bool some_of_wrong_type = false;
};

Sources find_sources(const Call& call, std::span<const Bytes> keys, bool stops_at_missing) {
  Sources sources;
  sources.sets.reserve(keys.size());
  for (const Bytes key : keys) {
    const Found<Set> set = call.find_as<Set>(key);
    sources.some_of_wrong_type = set.wrong_type();
    sources.some_missing = sources.some_missing || set.entry == nullptr;
    if (sources.some_of_wrong_type || (stops_at_missing && sources.some_missing)) break;
    sources.sets.push_back(set.value);
  }
  if (sources.sets.size() > 2) {
    std::sort(sources.sets.begin() + 1, sources.sets.end(), std::less<>());
    sources.sets.erase(std::unique(sources.sets.begin() + 1, sources.sets.end()), sources.sets.end());
  }
  return sources;
}

// act(Bytes member) for those that are in all of the sets, until it says no.
template <typename Do>
void for_each_common(const Sources& sources, Do&& act) {
  if (sources.some_missing) return;
  const auto smallest =
      std::ranges::min_element(sources.sets, {}, [](const Set* set) { return set->size(); });
  bool goes_on = true;
  (*smallest)->for_each([&](Bytes member) {
    const auto has_it = [&](const Set* set) { return set == *smallest || set->contains(member); };
    if (goes_on && std::ranges::all_of(sources.sets, has_it)) goes_on = act(member);
  });
}

void intersect(const Sources& sources, Set& result) {
  for_each_common(sources, [&](Bytes member) { return result.add(member); });
}

void unite(const Sources& sources, Set& result) {
  for (const Set* set : sources.sets)
    if (set != nullptr) set->for_each([&](Bytes member) { result.add(member); });
}

// What is in the first set and in none of the others: either what is found in none of them, or what is left
// when all of theirs are gone, whichever takes fewer steps.
void subtract(const Sources& sources, Set& result) {
  const Set* first = sources.sets.front();
  if (first == nullptr) return;
  const std::span<const Set* const> others = std::span(sources.sets).subspan(1);
  uint64_t in_others = 0;
  for (const Set* set : others) in_others += set == nullptr ? 0 : set->size();
  if (in_others + first->size() < first->size() * others.size()) {
    first->for_each([&](Bytes member) { result.add(member); });
    for (const Set* set : others)
      if (set != nullptr) set->for_each([&](Bytes member) { result.remove(member); });
    return;
  }
  first->for_each([&](Bytes member) {
    const auto has_it = [&](const Set* set) { return set != nullptr && set->contains(member); };
    if (std::ranges::none_of(others, has_it)) result.add(member);
  });
}

using Combine = void (*)(const Sources&, Set&);

// Up to 5.0 a missing key ended an intersection there and then: the types of the others did not matter.
bool stops_at_missing(const Call& call, Combine combine) {
  return combine == intersect && call.profile.is_before(600);
}

Effect answer_combined(Call& call, Combine combine) {
  const Sources sources = find_sources(call, call.args.subspan(1), stops_at_missing(call, combine));
  if (sources.some_of_wrong_type) return call.wrong_type();
  Set result(call.pool());
  combine(sources, result);
  return answer_members_of(call, result);
}
Effect run_sinter(Call& call) { return answer_combined(call, intersect); }
Effect run_sunion(Call& call) { return answer_combined(call, unite); }
Effect run_sdiff(Call& call) { return answer_combined(call, subtract); }

Effect store_combined(Call& call, Combine combine) {
  const Sources sources = find_sources(call, call.args.subspan(2), stops_at_missing(call, combine));
  if (sources.some_of_wrong_type) return call.wrong_type();
  Set result(call.pool());
  combine(sources, result);
  if (result.size() == 0) {
    const bool counts_always = call.profile.is_before(602) && !(combine == intersect && sources.some_missing);
    const bool erased = call.erase(call.args[1]);
    return call.done(0, erased || counts_always);
  }
  Set& stored = call.overwrite(call.args[1]).make_value<Set>(call.pool());
  stored.swap(result);
  return call.done(static_cast<int64_t>(stored.size()), true);
}
Effect run_sinterstore(Call& call) { return store_combined(call, intersect); }
Effect run_sunionstore(Call& call) { return store_combined(call, unite); }
Effect run_sdiffstore(Call& call) { return store_combined(call, subtract); }

Effect run_sintercard(Call& call) {
  const std::optional<int64_t> count = integer_argument(call, call.args[1]);
  if (!count || *count < 1) return call.fail("ERR numkeys should be greater than 0");
  const std::span<const Bytes> behind = call.args.subspan(2);
  if (static_cast<uint64_t>(*count) > behind.size())
    return call.fail("ERR Number of keys can't be greater than number of args");
  const std::span<const Bytes> options = behind.subspan(static_cast<size_t>(*count));
  uint64_t limit = 0;
  for (size_t i = 0; i < options.size(); i += 2) {
    if (i + 1 == options.size() || !is_word(options[i], "limit")) return call.fail(kSyntax);
    const std::optional<int64_t> given = integer_argument(call, options[i + 1]);
    if (!given || *given < 0) return call.fail("ERR LIMIT can't be negative");
    limit = static_cast<uint64_t>(*given);
  }
  const Sources sources = find_sources(call, behind.first(static_cast<size_t>(*count)), false);
  if (sources.some_of_wrong_type) return call.wrong_type();
  uint64_t common = 0;
  for_each_common(sources, [&](Bytes /*member*/) { return ++common != limit; });
  return call.done(static_cast<int64_t>(common), false);
}

// -------------------------------------------------------------------------------------------------- reading

Effect run_scard(Call& call) {
  const Found<Set> set = call.find_as<Set>(call.args[1]);
  if (set.wrong_type()) return call.wrong_type();
  return call.done(set ? static_cast<int64_t>(set->size()) : 0, false);
}

Effect run_sismember(Call& call) {
  const Found<Set> set = call.find_as<Set>(call.args[1]);
  if (set.wrong_type()) return call.wrong_type();
  return call.done(set && set->contains(call.args[2]) ? 1 : 0, false);
}

Effect run_smismember(Call& call) {
  const Found<Set> set = call.find_as<Set>(call.args[1]);
  if (set.wrong_type()) return call.wrong_type();
  call.answer_array(call.args.size() - 2);
  for (const Bytes member : call.args.subspan(2)) call.answer(set && set->contains(member) ? 1 : 0);
  return Effect::unchanged;
}

Effect run_smembers(Call& call) {
  const Found<Set> set = call.find_as<Set>(call.args[1]);
  if (set.wrong_type()) return call.wrong_type();
  return set ? answer_members_of(call, *set.value) : answer_none(call);
}

// A negative count: so many, whatever is in the set, and the same one as often as it takes.
Effect answer_members_repeated(Call& call, const Set& set, uint64_t count) {
  if (count > kSetRepeatedMax) return call.fail("ERR value is out of range");
  if (!call.has_listener()) return Effect::unchanged;
  call.answer_array(count);
  while (count > 0) {
    const uint64_t once = std::min<uint64_t>(count, set.size());
    set.for_some(once, [&](Bytes member) { call.answer_text(member); });
    count -= once;
  }
  return Effect::unchanged;
}

Effect run_srandmember(Call& call) {
  if (call.args.size() > 3) return call.fail(kSyntax);
  std::optional<int64_t> count;
  if (call.args.size() == 3) {
    count = integer_argument(call, call.args[2]);
    if (!count) return call.fail(kNotInteger);
    if (*count == std::numeric_limits<int64_t>::min()) {
      return call.fail(
          "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807");
    }
  }
  const Found<Set> set = call.find_as<Set>(call.args[1]);
  if (set.wrong_type()) return call.wrong_type();
  if (!set) {
    if (count) return answer_none(call);
    call.answer_nil();
    return Effect::unchanged;
  }
  if (!count) {
    CellRoom room;
    call.answer_text(set->any(room));
    return Effect::unchanged;
  }
  if (*count < 0) return answer_members_repeated(call, *set.value, static_cast<uint64_t>(-*count));
  const uint64_t some = std::min<uint64_t>(static_cast<uint64_t>(*count), set->size());
  call.answer_array(some);
  if (call.has_listener()) set->for_some(some, [&](Bytes member) { call.answer_text(member); });
  return Effect::unchanged;
}

Effect run_sscan(Call& call) {
  if (!is_cursor(call.args[2])) return call.fail("ERR invalid cursor");
  const Found<Set> set = call.find_as<Set>(call.args[1]);
  if (set.wrong_type()) return call.wrong_type();
  ScanOptions options;
  if (set) {
    if (const char* wrong = parse_scan_options(call, call.args.subspan(3), false, options))
      return call.fail(wrong);
  }
  if (!call.has_listener()) return Effect::unchanged;
  size_t chosen = 0;
  if (set) set->for_each([&](Bytes member) { chosen += options.chooses(member) ? 1U : 0U; });
  call.answer_array(2);
  call.answer_text("0");
  call.answer_array(chosen);
  if (!set) return Effect::unchanged;
  set->for_each([&](Bytes member) {
    if (options.chooses(member)) call.answer_text(member);
  });
  return Effect::unchanged;
}

constexpr CommandHandler kSetHandlers[] = {
    {"sadd", run_sadd},
    {"scard", run_scard},
    {"sdiff", run_sdiff},
    {"sdiffstore", run_sdiffstore},
    {"sinter", run_sinter},
    {"sintercard", run_sintercard},
    {"sinterstore", run_sinterstore},
    {"sismember", run_sismember},
    {"smembers", run_smembers},
    {"smismember", run_smismember},
    {"smove", run_smove},
    {"spop", run_spop},
    {"srandmember", run_srandmember},
    {"srem", run_srem},
    {"sscan", run_sscan},
    {"sunion", run_sunion},
    {"sunionstore", run_sunionstore},
};

}  // namespace

std::span<const CommandHandler> set_commands() { return kSetHandlers; }

}  // namespace persist
