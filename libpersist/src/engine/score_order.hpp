// Members of a sorted set in the order of servers: by score, then by their bytes. Kept in runs of a few
// hundred, so that a change moves little and a rank is found by counting runs.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "persist/bytes.hpp"

namespace persist {

struct ScoredMember {
  double score = 0;
  Bytes member;  // shows the bytes of whoever owns the members
};

// Whether a stands before b.
[[nodiscard]] inline bool stands_before(const ScoredMember& a, const ScoredMember& b) {
  if (a.score != b.score) return a.score < b.score;
  return a.member < b.member;
}

class ScoreOrder {
 public:
  // In any order.
  explicit ScoreOrder(std::vector<ScoredMember> members);

  [[nodiscard]] size_t size() const { return size_; }
  void insert(const ScoredMember& member);
  // It must be there, with this score.
  void erase(const ScoredMember& member);

  // The member of a rank below size().
  [[nodiscard]] const ScoredMember& at(size_t rank) const;
  [[nodiscard]] size_t rank_of(const ScoredMember& member) const { return count_below(member); }

  // How many members stand before the first that reaches(member) says yes to, if it says yes to all behind
  // that one too.
  template <typename Reaches>
  [[nodiscard]] size_t count_until(Reaches&& reaches) const;

  // act(const ScoredMember&) for the ranks [from, from + count).
  template <typename Do>
  void for_each(size_t from, size_t count, Do&& act) const;

 private:
  using Run = std::vector<ScoredMember>;
  struct Place {
    size_t run;
    size_t index;
  };
  [[nodiscard]] Place place_of(size_t rank) const;
  [[nodiscard]] Place lower_bound(const ScoredMember& member) const;
  [[nodiscard]] size_t count_below(const ScoredMember& member) const;
  void split(size_t run);
  void join(size_t run);

  std::vector<Run> runs_;  // none is short, unless it is the last or the only one
  size_t size_ = 0;
};

template <typename Reaches>
size_t ScoreOrder::count_until(Reaches&& reaches) const {
  const auto not_yet = [&](const ScoredMember& member) { return !reaches(member); };
  const auto run =
      std::ranges::partition_point(runs_, [&](const Run& r) { return r.empty() || not_yet(r.back()); });
  size_t before = 0;
  for (auto at = runs_.begin(); at != run; ++at) before += at->size();
  if (run == runs_.end()) return before;
  return before + static_cast<size_t>(std::ranges::partition_point(*run, not_yet) - run->begin());
}

template <typename Do>
void ScoreOrder::for_each(size_t from, size_t count, Do&& act) const {
  if (count == 0) return;
  for (Place at = place_of(from); count > 0; --count) {
    act(runs_[at.run][at.index]);
    if (++at.index == runs_[at.run].size()) at = {at.run + 1, 0};
  }
}

}  // namespace persist
