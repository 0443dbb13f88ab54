// Sorted sets by member: ZADD, ZREM and the pops.
#include <array>
#include <vector>

#include "engine/commands/scan_options.hpp"
#include "engine/commands/table.hpp"
#include "engine/commands/zset_range.hpp"

namespace persist {

namespace {

constexpr const char* kNotANumber = "ERR resulting score is not a number (NaN)";

// --- ZADD, ZINCRBY

struct AddOptions {
  bool if_new = false;          // NX
  bool if_held = false;         // XX
  bool if_higher = false;       // GT
  bool if_lower = false;        // LT
  bool counts_changed = false;  // CH
  bool adds_to_score = false;   // INCR

  bool take(Bytes word) {
    bool* const flag = is_word(word, "nx")     ? &if_new
                       : is_word(word, "xx")   ? &if_held
                       : is_word(word, "gt")   ? &if_higher
                       : is_word(word, "lt")   ? &if_lower
                       : is_word(word, "ch")   ? &counts_changed
                       : is_word(word, "incr") ? &adds_to_score
                                               : nullptr;
    if (flag == nullptr) return false;
    *flag = true;
    return true;
  }
  // Whether it depends on what a member has what becomes of it.
  [[nodiscard]] bool look_first() const {
    return if_new || if_held || if_higher || if_lower || adds_to_score;
  }
  // Null: they go together.
  [[nodiscard]] const char* conflict(size_t pairs) const {
    if (if_new && if_held) return "ERR XX and NX options at the same time are not compatible";
    if ((if_higher && if_new) || (if_lower && if_new) || (if_higher && if_lower))
      return "ERR GT, LT, and/or NX options at the same time are not compatible";
    if (adds_to_score && pairs > 1) return "ERR INCR option supports a single increment-element pair";
    return nullptr;
  }
};

enum class Added : uint8_t { fresh, changed, same, passed_over, not_a_number };

Added put_member(const Call& call, SortedSet& zset, Bytes member, double score) {
  // One that is there already can have a new score without anything being unpacked.
  const bool packed = zset.is_packed_with(member) || (zset.is_packed() && zset.score(member).has_value());
  switch (zset.set(member, held_score(call, packed, score))) {
    case SortedSet::Set::added:
      return Added::fresh;
    case SortedSet::Set::changed:
      return Added::changed;
    case SortedSet::Set::same:
      break;
  }
  return Added::same;
}

// One pair. `score` becomes what the member then has.
Added add_member(const Call& call, SortedSet& zset, Bytes member, double& score, const AddOptions& options) {
  if (!options.look_first()) return put_member(call, zset, member, score);
  const std::optional<double> held = zset.score(member);
  if (!held) {
    if (options.if_held) return Added::passed_over;
    return put_member(call, zset, member, score);
  }
  if (options.if_new) return Added::passed_over;
  if (options.adds_to_score) score += *held;
  if (score != score) return Added::not_a_number;
  if ((options.if_lower && score >= *held) || (options.if_higher && score <= *held))
    return Added::passed_over;
  return put_member(call, zset, member, score);
}

bool fits_packed(const SortedSet& zset, std::span<const Bytes> pairs) {
  if (zset.size() + pairs.size() / 2 > SortedSet::kPackedMembersMax) return false;
  for (size_t i = 1; i < pairs.size(); i += 2)
    if (pairs[i].size() > SortedSet::kPackedMemberBytesMax) return false;
  return true;
}

// `pairs`: score, member, score, member...
Effect add_members(Call& call, std::span<const Bytes> pairs, const AddOptions& options) {
  std::array<double, 8> few{};
  std::vector<double> many;
  if (pairs.size() / 2 > few.size()) many.resize(pairs.size() / 2);
  double* const scores = many.empty() ? few.data() : many.data();
  for (size_t i = 0; i < pairs.size(); i += 2) {
    const std::optional<double> score = parse_server_double(pairs[i]);
    if (!score) return call.fail(kNotFloat);
    scores[i / 2] = *score;
  }
  if (options.if_held && call.find(call.args[1]) == nullptr) {
    if (options.adds_to_score)
      call.answer_nil();
    else
      call.answer(0);
    return Effect::unchanged;
  }
  const Found<SortedSet> found = call.find_or_make<SortedSet>(call.args[1]);
  if (!found) return call.wrong_type();
  // Valkey looks at what is coming as a whole; Redis unpacks when a member does not fit any more.
  if (call.profile.is_valkey(800) && !fits_packed(*found.value, pairs)) found->unpack();
  int64_t fresh = 0;
  int64_t changed = 0;
  Added last = Added::same;
  for (size_t i = 0; i < pairs.size(); i += 2) {
    last = add_member(call, *found.value, pairs[i + 1], scores[i / 2], options);
    if (last == Added::not_a_number) return call.fail(kNotANumber);
    fresh += last == Added::fresh ? 1 : 0;
    changed += last == Added::changed ? 1 : 0;
  }
  if (!options.adds_to_score)
    call.answer(options.counts_changed ? fresh + changed : fresh);
  else if (last == Added::passed_over)
    call.answer_nil();
  else
    answer_score(call, scores[0]);
  return fresh + changed > 0 ? Effect::changed : Effect::unchanged;
}

Effect zadd(Call& call) {
  AddOptions options;
  size_t at = 2;
  while (at < call.args.size() && options.take(call.args[at])) ++at;
  const std::span<const Bytes> pairs = call.args.subspan(at);
  if (pairs.empty() || pairs.size() % 2 != 0) return call.fail(kSyntax);
  if (const char* conflict = options.conflict(pairs.size() / 2)) return call.fail(conflict);
  return add_members(call, pairs, options);
}

Effect zincrby(Call& call) {
  AddOptions options;
  options.adds_to_score = true;
  return add_members(call, call.args.subspan(2, 2), options);
}

Effect zrem(Call& call) {
  const Found<SortedSet> found = call.find_as<SortedSet>(call.args[1]);
  if (found.wrong_type()) return call.wrong_type();
  int64_t removed = 0;
  if (found) {
    for (const Bytes member : call.args.subspan(2)) removed += found->remove(member) ? 1 : 0;
    call.drop_if_empty(found);
  }
  return call.done(removed, removed > 0);
}

// --- The pops

// Removes `count` members, of which there must be as many, from one end; answers each with its score, and if
// `as_pairs` the two as an array.
void pop_members(const Call& call, const Found<SortedSet>& found, size_t count, bool highest, bool as_pairs) {
  for (; count > 0; --count) {
    const ScoredMember member = found->order().at(highest ? found->size() - 1 : 0);
    if (as_pairs) call.answer_array(2);
    call.answer_text(member.member);
    answer_score(call, member.score);
    found->remove(member.member);
  }
  call.drop_if_empty(found);
}

template <bool highest>
Effect pop_scored(Call& call) {
  uint64_t count = 1;
  if (call.args.size() > 3) return call.fail(kSyntax);
  if (call.args.size() == 3) {
    const std::optional<int64_t> given = integer_argument(call, call.args[2]);
    if (!given) return call.fail("ERR value is out of range, must be positive");
    if (*given < 0) return call.fail("ERR value is out of range, must be positive");
    count = static_cast<uint64_t>(*given);
  }
  const Found<SortedSet> found = call.find_as<SortedSet>(call.args[1]);
  if (found.wrong_type()) return call.wrong_type();
  const size_t popped = found ? static_cast<size_t>(std::min<uint64_t>(count, found->size())) : 0;
  call.answer_array(popped * 2);
  if (popped == 0) return Effect::unchanged;
  pop_members(call, found, popped, highest, false);
  return Effect::changed;
}

// BZPOPMIN key... timeout, when somebody would be served at once: that is how it stands in no log, but a
// transaction may have held it.
template <bool highest>
Effect blocking_pop(Call& call) {
  if (!accept_timeout(call, call.args.back())) return Effect::failed;
  for (const Bytes key : call.args.subspan(1, call.args.size() - 2)) {
    const Found<SortedSet> found = call.find_as<SortedSet>(key);
    if (found.wrong_type()) return call.wrong_type();
    if (!found) continue;
    call.answer_array(3);
    call.answer_text(key);
    pop_members(call, found, 1, highest, false);
    return Effect::changed;
  }
  call.answer_nil();
  return Effect::unchanged;
}

// numkeys key... MIN|MAX [COUNT n], numkeys at args[at]; in front of it, if it blocks, how long to wait.
Effect pop_from_several(Call& call, size_t at) {
  const std::optional<std::span<const Bytes>> keys = counted_words(call, at);
  if (!keys) {
    const std::optional<int64_t> number = integer_argument(call, call.args[at]);
    return call.fail(number && *number > 0 ? kSyntax : "ERR numkeys should be greater than 0");
  }
  size_t next = at + 1 + keys->size();
  if (next >= call.args.size()) return call.fail(kSyntax);
  const bool highest = is_word(call.args[next], "max");
  if (!highest && !is_word(call.args[next], "min")) return call.fail(kSyntax);
  uint64_t count = 1;
  if (++next < call.args.size()) {
    if (call.args.size() < next + 2 || !is_word(call.args[next], "count")) return call.fail(kSyntax);
    const std::optional<int64_t> given = integer_argument(call, call.args[next + 1]);
    if (!given || *given < 1) return call.fail("ERR count should be greater than 0");
    if (call.args.size() > next + 2) return call.fail(kSyntax);
    count = static_cast<uint64_t>(*given);
  }
  if (at > 1 && !accept_timeout(call, call.args[1])) return Effect::failed;
  for (const Bytes key : *keys) {
    const Found<SortedSet> found = call.find_as<SortedSet>(key);
    if (found.wrong_type()) return call.wrong_type();
    if (!found) continue;
    const auto popped = static_cast<size_t>(std::min<uint64_t>(count, found->size()));
    call.answer_array(2);
    call.answer_text(key);
    call.answer_array(popped);
    pop_members(call, found, popped, highest, true);
    return Effect::changed;
  }
  call.answer_nil();
  return Effect::unchanged;
}

Effect zmpop(Call& call) { return pop_from_several(call, 1); }
Effect bzmpop(Call& call) { return pop_from_several(call, 2); }

// --- Reads

Effect zcard(Call& call) {
  const Found<SortedSet> found = call.find_as<SortedSet>(call.args[1]);
  if (found.wrong_type()) return call.wrong_type();
  call.answer_count(found ? found->size() : 0);
  return Effect::unchanged;
}

void answer_score_of(const Call& call, const Found<SortedSet>& found, Bytes member) {
  const std::optional<double> score = found ? found->score(member) : std::nullopt;
  if (score)
    answer_score(call, *score);
  else
    call.answer_nil();
}

Effect zscore(Call& call) {
  const Found<SortedSet> found = call.find_as<SortedSet>(call.args[1]);
  if (found.wrong_type()) return call.wrong_type();
  answer_score_of(call, found, call.args[2]);
  return Effect::unchanged;
}

Effect zmscore(Call& call) {
  const Found<SortedSet> found = call.find_as<SortedSet>(call.args[1]);
  if (found.wrong_type()) return call.wrong_type();
  call.answer_array(call.args.size() - 2);
  for (const Bytes member : call.args.subspan(2)) answer_score_of(call, found, member);
  return Effect::unchanged;
}

template <bool reverse>
Effect rank(Call& call) {
  const bool with_score = call.args.size() == 4 && is_word(call.args[3], "withscore");
  if (call.args.size() > 3 && !with_score) return call.fail(kSyntax);
  const Found<SortedSet> found = call.find_as<SortedSet>(call.args[1]);
  if (found.wrong_type()) return call.wrong_type();
  const std::optional<double> score = found ? found->score(call.args[2]) : std::nullopt;
  if (!score) {
    call.answer_nil();
    return Effect::unchanged;
  }
  const size_t from_front = found->order().rank_of({*score, call.args[2]});
  if (with_score) call.answer_array(2);
  call.answer_count(reverse ? found->size() - 1 - from_front : from_front);
  if (with_score) answer_score(call, *score);
  return Effect::unchanged;
}

Effect zscan(Call& call) {
  if (!is_cursor(call.args[2])) return call.fail("ERR invalid cursor");
  const Found<SortedSet> found = call.find_as<SortedSet>(call.args[1]);
  if (found.wrong_type()) return call.wrong_type();
  ScanOptions options;
  std::vector<ScoredMember> chosen;
  if (found) {
    if (const char* wrong = parse_scan_options(call, call.args.subspan(3), false, options))
      return call.fail(wrong);
    found->for_each([&](Bytes member, double score) {
      if (options.chooses(member)) chosen.push_back({score, member});
    });
  }
  call.answer_array(2);
  call.answer_text("0");
  call.answer_array(chosen.size() * 2);
  for (const ScoredMember& member : chosen) {
    call.answer_text(member.member);
    answer_score(call, member.score);
  }
  return Effect::unchanged;
}

constexpr std::array kZsetHandlers = {
    CommandHandler{"zadd", zadd},
    CommandHandler{"zincrby", zincrby},
    CommandHandler{"zrem", zrem},
    CommandHandler{"zpopmin", pop_scored<false>},
    CommandHandler{"zpopmax", pop_scored<true>},
    CommandHandler{"bzpopmin", blocking_pop<false>},
    CommandHandler{"bzpopmax", blocking_pop<true>},
    CommandHandler{"zmpop", zmpop},
    CommandHandler{"bzmpop", bzmpop},
    CommandHandler{"zcard", zcard},
    CommandHandler{"zscore", zscore},
    CommandHandler{"zmscore", zmscore},
    CommandHandler{"zrank", rank<false>},
    CommandHandler{"zrevrank", rank<true>},
    CommandHandler{"zscan", zscan},
};

}  // namespace

std::span<const CommandHandler> zset_commands() { return kZsetHandlers; }

}  // namespace persist
