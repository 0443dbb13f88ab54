// Runs are split when they become long and joined when they become short.
#include "engine/score_order.hpp"

#include <algorithm>

namespace persist {

namespace {

constexpr size_t kRunMax = 512;
constexpr size_t kRunFilled = kRunMax / 2;
constexpr size_t kRunMin = kRunMax / 8;

}  // namespace

ScoreOrder::ScoreOrder(std::vector<ScoredMember> members) : size_(members.size()) {
  std::ranges::sort(members, stands_before);
  for (size_t from = 0; from < members.size(); from += kRunFilled) {
    const auto first = members.begin() + static_cast<ptrdiff_t>(from);
    const auto count = static_cast<ptrdiff_t>(std::min(kRunFilled, members.size() - from));
    runs_.emplace_back(first, first + count);
  }
  if (runs_.empty()) runs_.emplace_back();
}

// The first place whose member does not stand before `member`; behind the end of the last run if there is
// none.
ScoreOrder::Place ScoreOrder::lower_bound(const ScoredMember& member) const {
  const auto run = std::ranges::partition_point(
      runs_, [&](const Run& r) { return !r.empty() && stands_before(r.back(), member); });
  if (run == runs_.end()) return {runs_.size() - 1, runs_.back().size()};
  const auto at = std::ranges::lower_bound(*run, member, stands_before);
  return {static_cast<size_t>(run - runs_.begin()), static_cast<size_t>(at - run->begin())};
}

void ScoreOrder::insert(const ScoredMember& member) {
  const Place at = lower_bound(member);
  Run& run = runs_[at.run];
  run.insert(run.begin() + static_cast<ptrdiff_t>(at.index), member);
  ++size_;
  if (run.size() > kRunMax) split(at.run);
}

void ScoreOrder::erase(const ScoredMember& member) {
  const Place at = lower_bound(member);
  Run& run = runs_[at.run];
  run.erase(run.begin() + static_cast<ptrdiff_t>(at.index));
  --size_;
  if (run.size() < kRunMin && runs_.size() > 1) join(at.run);
}

// Puts a short run together with a neighbour.
void ScoreOrder::join(size_t run) {
  const size_t left = run > 0 ? run - 1 : run;
  Run& into = runs_[left];
  const Run& from = runs_[left + 1];
  into.insert(into.end(), from.begin(), from.end());
  runs_.erase(runs_.begin() + static_cast<ptrdiff_t>(left) + 1);
  if (into.size() > kRunMax) split(left);
}

void ScoreOrder::split(size_t run) {
  const auto middle = runs_[run].begin() + static_cast<ptrdiff_t>(runs_[run].size() / 2);
  Run upper(middle, runs_[run].end());
  runs_[run].erase(middle, runs_[run].end());
  runs_.insert(runs_.begin() + static_cast<ptrdiff_t>(run) + 1, std::move(upper));
}

ScoreOrder::Place ScoreOrder::place_of(size_t rank) const {
  if (rank >= size_ - runs_.back().size()) return {runs_.size() - 1, rank - (size_ - runs_.back().size())};
  size_t run = 0;
  for (; rank >= runs_[run].size(); ++run) rank -= runs_[run].size();
  return {run, rank};
}

const ScoredMember& ScoreOrder::at(size_t rank) const {
  const Place place = place_of(rank);
  return runs_[place.run][place.index];
}

size_t ScoreOrder::count_below(const ScoredMember& member) const {
  const Place at = lower_bound(member);
  size_t before = at.index;
  for (size_t run = 0; run < at.run; ++run) before += runs_[run].size();
  return before;
}

}  // namespace persist
