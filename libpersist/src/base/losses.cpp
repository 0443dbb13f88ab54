// The table of what may be lost, and the counting of it.
#include <algorithm>

#include "persist/loss.hpp"

namespace persist {

namespace {

constexpr LossRow kLosses[] = {
#define PERSIST_LOSS(name, id, kind, sentence) {LossFeature::name, id, LossKind::kind, sentence},
#include "persist/losses.def"
#undef PERSIST_LOSS
};

constexpr size_t kKeysNamedMax = 5;

}  // namespace

std::span<const LossRow> loss_rows() { return kLosses; }

const LossRow& loss_row(LossFeature feature) { return kLosses[static_cast<size_t>(feature)]; }

const LossRow* find_loss(Bytes id) {
  const auto* row = std::ranges::find(kLosses, id, &LossRow::id);
  return row == std::end(kLosses) ? nullptr : row;
}

void LossReport::add(LossFeature feature, uint64_t db, Bytes key, uint64_t count) {
  LossCount& lost = counts_[static_cast<size_t>(feature)];
  empty_ = false;
  lost.count += count;
  ++lost.keys;
  if (lost.first.size() < kKeysNamedMax) lost.first.push_back({db, std::string(key)});
}

void LossReport::add(LossFeature feature, uint64_t count) {
  empty_ = false;
  counts_[static_cast<size_t>(feature)].count += count;
}

void LossReport::add(const LossReport& later) {
  if (later.empty_) return;
  empty_ = false;
  for (size_t i = 0; i < kLossFeatures; ++i) {
    LossCount& lost = counts_[i];
    const LossCount& more = later.counts_[i];
    lost.count += more.count;
    lost.keys += more.keys;
    const size_t room = kKeysNamedMax - lost.first.size();
    lost.first.insert(lost.first.end(), more.first.begin(),
                      more.first.begin() + static_cast<std::ptrdiff_t>(std::min(room, more.first.size())));
  }
}

void LossReport::clear() {
  if (!empty_) *this = {};
}

bool LossReport::empty() const { return empty_; }

bool LossReport::loses_more_than(std::span<const LossFeature> permitted) const {
  return std::ranges::any_of(kLosses, [&](const LossRow& row) {
    return row.kind == LossKind::data && of(row.feature).count > 0 &&
           std::ranges::find(permitted, row.feature) == permitted.end();
  });
}

}  // namespace persist
