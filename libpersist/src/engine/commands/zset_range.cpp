// Sorted sets by rank, score and member: ZRANGE and the commands that it took the place of.
#include "engine/commands/zset_range.hpp"

#include <array>
#include <utility>

#include "engine/commands/table.hpp"

namespace persist {

void answer_score(const Call& call, double score) {
  if (!call.has_listener()) return;
  char room[kDoubleTextMax];
  const bool plain = call.profile.is_before(702);
  call.answer_text(plain ? double_to_text(score, DoubleStyle::printf17, room)
                         : score_to_text(score, DoubleStyle::shortest, IntegerShortcut::wide, room));
}

namespace {

// act(const ScoredMember&) for the ranks in the order, or against it.
template <typename Do>
void for_each_in(SortedSet& zset, IndexRange ranks, bool reverse, Do&& act) {
  const ScoreOrder& order = zset.order();
  if (!reverse) return order.for_each(ranks.from, ranks.count, act);
  for (size_t i = ranks.count; i > 0; --i) act(order.at(ranks.from + i - 1));
}

}  // namespace

void answer_members(const Call& call, SortedSet& zset, IndexRange ranks, bool reverse, bool with_scores) {
  if (!call.has_listener()) return;
  call.answer_array(ranks.count * (with_scores ? 2 : 1));
  const auto answer = [&](const ScoredMember& member) {
    call.answer_text(member.member);
    if (with_scores) answer_score(call, member.score);
  };
  for_each_in(zset, ranks, reverse, answer);
}

Effect ZsetResult::store(Bytes destination) {
  const size_t size = value.size();
  if (size == 0) return call_.done(0, call_.erase(destination));
  // Packed when it is whole: only then do zeros lose their sign.
  if (value.is_packed() && !call_.profile.is_before(700)) value.drop_signs_of_zeros();
  call_.overwrite(destination).take_value(call_.pool(), *entry_);
  return call_.done(static_cast<int64_t>(size), true);
}

// --- Ranges

std::optional<ScoreRange> ScoreRange::parse(Bytes min, Bytes max) {
  ScoreRange range;
  const auto end = [](Bytes text, bool& without) {
    without = text.starts_with('(');
    return parse_loose_double(without ? text.substr(1) : text);
  };
  const std::optional<LooseDouble> low = end(min, range.without_min);
  const std::optional<LooseDouble> high = end(max, range.without_max);
  if (!low || !high) return std::nullopt;
  range.min = low->value;
  range.max = high->value;
  return range;
}

IndexRange ScoreRange::ranks(SortedSet& zset) const {
  const bool empty = min > max || (min == max && (without_min || without_max));
  if (empty) return {};
  const ScoreOrder& order = zset.order();
  const size_t from = order.count_until(
      [this](const ScoredMember& m) { return without_min ? m.score > min : m.score >= min; });
  const size_t end = order.count_until(
      [this](const ScoredMember& m) { return without_max ? m.score >= max : m.score > max; });
  return {from, end > from ? end - from : 0};
}

std::optional<LexEnd> LexEnd::parse(Bytes text) {
  if (text == "-") return LexEnd{Kind::lowest, {}};
  if (text == "+") return LexEnd{Kind::highest, {}};
  if (text.starts_with('[')) return LexEnd{Kind::with, text.substr(1)};
  if (text.starts_with('(')) return LexEnd{Kind::without, text.substr(1)};
  return std::nullopt;
}

std::optional<LexRange> LexRange::parse(Bytes min, Bytes max) {
  const std::optional<LexEnd> low = LexEnd::parse(min);
  const std::optional<LexEnd> high = LexEnd::parse(max);
  if (!low || !high) return std::nullopt;
  return LexRange{*low, *high};
}

bool LexRange::is_empty() const {
  using Kind = LexEnd::Kind;
  if (min.kind == Kind::highest || max.kind == Kind::lowest) return true;
  if (min.kind == Kind::lowest || max.kind == Kind::highest) return false;
  if (min.member != max.member) return min.member > max.member;
  return min.kind == Kind::without || max.kind == Kind::without;
}

bool LexRange::reached_by(Bytes member) const {
  if (min.kind == LexEnd::Kind::lowest) return true;
  return min.kind == LexEnd::Kind::with ? member >= min.member : member > min.member;
}

bool LexRange::left_by(Bytes member) const {
  if (max.kind == LexEnd::Kind::highest) return false;
  return max.kind == LexEnd::Kind::with ? member > max.member : member >= max.member;
}

IndexRange LexRange::ranks(SortedSet& zset, bool from_end) const {
  if (is_empty()) return {};
  const ScoreOrder& order = zset.order();
  if (!zset.is_packed()) {
    const size_t from = order.count_until([this](const ScoredMember& m) { return reached_by(m.member); });
    const size_t end = order.count_until([this](const ScoredMember& m) { return left_by(m.member); });
    return {from, end > from ? end - from : 0};
  }
  size_t from = 0;
  size_t end = order.size();
  if (end == 0 || !reached_by(order.at(end - 1).member) || left_by(order.at(0).member)) return {};
  if (from_end) {
    while (end > 0 && left_by(order.at(end - 1).member)) --end;
    for (from = end; from > 0 && reached_by(order.at(from - 1).member);) --from;
  } else {
    while (from < end && !reached_by(order.at(from).member)) ++from;
    const size_t size = std::exchange(end, from);
    while (end < size && !left_by(order.at(end).member)) ++end;
  }
  return {from, end - from};
}

IndexRange Limit::apply(IndexRange ranks, bool reverse) const {
  if (offset < 0 || static_cast<uint64_t>(offset) >= ranks.count) return {};
  const auto skipped = static_cast<size_t>(offset);
  const size_t left = ranks.count - skipped;
  const size_t kept = count < 0 ? left : std::min(left, static_cast<size_t>(count));
  return {reverse ? ranks.from + left - kept : ranks.from + skipped, kept};
}

// --- Commands

namespace {

enum class By : uint8_t { rank, score, member };

// What any of the range commands asks for.
struct RangeWish {
  By by = By::rank;
  bool reverse = false;
  bool with_scores = false;
  bool has_limit = false;
  Limit limit;
  Bytes start;
  Bytes stop;
};

// The options that `allowed` says; the rest of the words. Null: fine, else the error.
struct AllowedOptions {
  bool by_and_reverse = false;
  bool limit = false;
  bool with_scores = false;
};

const char* parse_options(const Call& call, size_t at, AllowedOptions allowed, RangeWish& wish) {
  for (; at < call.args.size(); ++at) {
    const Bytes word = call.args[at];
    if (allowed.with_scores && is_word(word, "withscores")) {
      wish.with_scores = true;
    } else if (allowed.limit && is_word(word, "limit") && at + 2 < call.args.size()) {
      const std::optional<int64_t> offset = integer_argument(call, call.args[at + 1]);
      const std::optional<int64_t> count = integer_argument(call, call.args[at + 2]);
      if (!offset || !count) return kNotInteger;
      wish.limit = {*offset, *count};
      wish.has_limit = true;
      at += 2;
    } else if (allowed.by_and_reverse && !wish.reverse && is_word(word, "rev")) {
      wish.reverse = true;
    } else if (allowed.by_and_reverse && wish.by == By::rank && is_word(word, "byscore")) {
      wish.by = By::score;
    } else if (allowed.by_and_reverse && wish.by == By::rank && is_word(word, "bylex")) {
      wish.by = By::member;
    } else {
      return kSyntax;
    }
  }
  if (wish.has_limit && wish.by == By::rank && (wish.limit.offset != 0 || wish.limit.count != -1))
    return "ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX";
  if (wish.with_scores && wish.by == By::member)
    return "ERR syntax error, WITHSCORES not supported in combination with BYLEX";
  return nullptr;
}

// A wish whose ends have been read: which ranks of a sorted set it means.
class RankFinder {
 public:
  // Null: fine, else the error.
  const char* read(const Call& call, const RangeWish& wish) {
    wish_ = wish;
    const bool swapped = wish.reverse && wish.by != By::rank;
    const Bytes low = swapped ? wish.stop : wish.start;
    const Bytes high = swapped ? wish.start : wish.stop;
    if (wish.by == By::score) {
      score_ = ScoreRange::parse(low, high);
      return score_ ? nullptr : kNoScoreRange;
    }
    if (wish.by == By::member) {
      lex_ = LexRange::parse(low, high);
      return lex_ ? nullptr : kNoLexRange;
    }
    const std::optional<int64_t> start = integer_argument(call, wish.start);
    const std::optional<int64_t> stop = integer_argument(call, wish.stop);
    if (!start || !stop) return kNotInteger;
    start_ = *start;
    stop_ = *stop;
    return nullptr;
  }

  [[nodiscard]] IndexRange ranks(SortedSet& zset) const {
    if (wish_.by == By::score) return wish_.limit.apply(score_->ranks(zset), wish_.reverse);
    if (wish_.by == By::member) return wish_.limit.apply(lex_->ranks(zset, wish_.reverse), wish_.reverse);
    const IndexRange range = index_range(start_, stop_, zset.size());
    if (!wish_.reverse) return range;
    return {zset.size() - range.from - range.count, range.count};
  }

 private:
  RangeWish wish_;
  std::optional<ScoreRange> score_;
  std::optional<LexRange> lex_;
  int64_t start_ = 0;
  int64_t stop_ = 0;
};

// The ends are args[2] and args[3], and nothing else is said.
RangeWish plain_wish(const Call& call, By by) {
  RangeWish wish;
  wish.by = by;
  wish.start = call.args[2];
  wish.stop = call.args[3];
  return wish;
}

// The key is args[1], the ends args[2] and args[3].
Effect answer_range(Call& call, RangeWish wish, AllowedOptions allowed) {
  wish.start = call.args[2];
  wish.stop = call.args[3];
  RankFinder finder;
  if (const char* error = parse_options(call, 4, allowed, wish)) return call.fail(error);
  if (const char* error = finder.read(call, wish)) return call.fail(error);
  const Found<SortedSet> found = call.find_as<SortedSet>(call.args[1]);
  if (found.wrong_type()) return call.wrong_type();
  if (!found)
    call.answer_array(0);
  else
    answer_members(call, *found.value, finder.ranks(*found.value), wish.reverse, wish.with_scores);
  return Effect::unchanged;
}

Effect zrange(Call& call) { return answer_range(call, {}, {true, true, true}); }

Effect zrevrange(Call& call) {
  RangeWish wish;
  wish.reverse = true;
  return answer_range(call, wish, {false, false, true});
}

template <By by, bool reverse>
Effect range_by(Call& call) {
  RangeWish wish;
  wish.by = by;
  wish.reverse = reverse;
  return answer_range(call, wish, {false, true, by == By::score});
}

// ZRANGESTORE destination source start stop [BYSCORE | BYLEX] [REV] [LIMIT offset count]
Effect zrangestore(Call& call) {
  RangeWish wish;
  wish.start = call.args[3];
  wish.stop = call.args[4];
  RankFinder finder;
  if (const char* error = parse_options(call, 5, {true, true, false}, wish)) return call.fail(error);
  if (const char* error = finder.read(call, wish)) return call.fail(error);
  const Found<SortedSet> source = call.find_as<SortedSet>(call.args[2]);
  if (source.wrong_type()) return call.wrong_type();
  const IndexRange ranks = source ? finder.ranks(*source.value) : IndexRange{};
  if (ranks.count == 0) return call.done(0, call.erase(call.args[1]));
  // By rank, the server knows ahead whether the result will be packed; else it starts with that.
  const bool starts_large = wish.by == By::rank && ranks.count > SortedSet::kPackedMembersMax;
  ZsetResult result(call);
  for_each_in(*source.value, ranks, wish.reverse, [&](const ScoredMember& member) {
    const double score =
        held_score(call, !starts_large && result.value.is_packed_with(member.member), member.score);
    result.value.set(member.member, score);
  });
  return result.store(call.args[1]);
}

template <By by>
Effect count_in(Call& call) {
  RankFinder finder;
  if (const char* error = finder.read(call, plain_wish(call, by))) return call.fail(error);
  const Found<SortedSet> found = call.find_as<SortedSet>(call.args[1]);
  if (found.wrong_type()) return call.wrong_type();
  call.answer_count(found ? finder.ranks(*found.value).count : 0);
  return Effect::unchanged;
}

// --- ZREMRANGEBY...

Effect remove_ranks(Call& call, const RankFinder& finder) {
  const Found<SortedSet> found = call.find_as<SortedSet>(call.args[1]);
  if (found.wrong_type()) return call.wrong_type();
  if (!found) return call.done(0, false);
  const IndexRange ranks = finder.ranks(*found.value);
  found->remove_ranks(ranks.from, ranks.count);
  call.drop_if_empty(found);
  return call.done(static_cast<int64_t>(ranks.count), ranks.count > 0);
}

template <By by>
Effect remove_range(Call& call) {
  RankFinder finder;
  if (const char* error = finder.read(call, plain_wish(call, by))) return call.fail(error);
  return remove_ranks(call, finder);
}

constexpr std::array kZsetRangeHandlers = {
    CommandHandler{"zrange", zrange},
    CommandHandler{"zrevrange", zrevrange},
    CommandHandler{"zrangebyscore", range_by<By::score, false>},
    CommandHandler{"zrevrangebyscore", range_by<By::score, true>},
    CommandHandler{"zrangebylex", range_by<By::member, false>},
    CommandHandler{"zrevrangebylex", range_by<By::member, true>},
    CommandHandler{"zrangestore", zrangestore},
    CommandHandler{"zcount", count_in<By::score>},
    CommandHandler{"zlexcount", count_in<By::member>},
    CommandHandler{"zremrangebyrank", remove_range<By::rank>},
    CommandHandler{"zremrangebyscore", remove_range<By::score>},
    CommandHandler{"zremrangebylex", remove_range<By::member>},
};

}  // namespace

std::span<const CommandHandler> zset_range_commands() { return kZsetRangeHandlers; }

}  // namespace persist
