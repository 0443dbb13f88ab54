// Ranges over sorted sets, and what all their commands share.
#pragma once

#include <optional>

#include "engine/commands/arguments.hpp"

namespace persist {

// The score as a sorted set will hold it: from Redis 7.0 on, those that are packed know no negative zero.
[[nodiscard]] inline double held_score(const Call& call, bool packed, double score) {
  return score == 0 && packed && !call.profile.is_before(700) ? 0 : score;
}

void answer_score(const Call& call, double score);
// The members of some ranks, in the order or against it.
void answer_members(const Call& call, SortedSet& zset, IndexRange ranks, bool reverse, bool with_scores);

// What a command is about to store: a value of its own, so that the destination may be one of the sources.
class ZsetResult {
 public:
  explicit ZsetResult(const Call& call)
      : call_(call),
        entry_(KeyEntry::make(call.pool(), {})),
        value(entry_->make_value<SortedSet>(call.pool())) {}
  ~ZsetResult() { KeyEntry::free(call_.pool(), entry_); }
  ZsetResult(const ZsetResult&) = delete;
  ZsetResult& operator=(const ZsetResult&) = delete;

  // Puts it under that name, or deletes what is there if it has no members; answers how many it has.
  Effect store(Bytes destination);

 private:
  const Call& call_;
  KeyEntry* entry_;

 public:
  SortedSet& value;
};

inline constexpr const char* kNoScoreRange = "ERR min or max is not a float";
inline constexpr const char* kNoLexRange = "ERR min or max not valid string range item";

struct ScoreRange {
  double min = 0;
  double max = 0;
  bool without_min = false;
  bool without_max = false;

  [[nodiscard]] static std::optional<ScoreRange> parse(Bytes min, Bytes max);
  [[nodiscard]] IndexRange ranks(SortedSet& zset) const;
};

// One end of a range of members: `-`, `+`, `[member` or `(member`.
struct LexEnd {
  enum class Kind : uint8_t { lowest, highest, with, without };
  Kind kind = Kind::lowest;
  Bytes member;

  [[nodiscard]] static std::optional<LexEnd> parse(Bytes text);
};

struct LexRange {
  LexEnd min;
  LexEnd max;

  [[nodiscard]] static std::optional<LexRange> parse(Bytes min, Bytes max);
  // Where scores differ, members are in no order: what a range then holds depends on the end that a server
  // starts from, and, of one that is not packed, on chance.
  [[nodiscard]] IndexRange ranks(SortedSet& zset, bool from_end) const;

 private:
  [[nodiscard]] bool is_empty() const;
  [[nodiscard]] bool reached_by(Bytes member) const;
  [[nodiscard]] bool left_by(Bytes member) const;
};

// LIMIT of the commands that have ranges by score or member.
struct Limit {
  int64_t offset = 0;
  int64_t count = -1;  // negative: all

  // What is left of the ranks, counted from the end if `reverse`.
  [[nodiscard]] IndexRange apply(IndexRange ranks, bool reverse) const;
};

}  // namespace persist
