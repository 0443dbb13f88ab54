// The table grows up to a few MiB; what is larger than that is a matter for DuplicateHashes.
#include "ops/member_set.hpp"

#include <algorithm>

namespace persist {

namespace {

constexpr size_t kPlacesAtFirst = 1024;
constexpr size_t kLargeBytes = size_t{4} << 20;
constexpr size_t kPlacesMax = size_t{128} << 10;  // 1 MiB a thread

}  // namespace

MemberSet::MemberSet(uint64_t seed) : seed_(seed), places_(kPlacesAtFirst) {}

void MemberSet::begin() {
  count_ = 0;
  suspect_.reset();
  large_.reset();
  if (++round_ > kRoundMask || round_ == 0) {
    std::fill(places_.begin(), places_.end(), 0);
    round_ = 1;
  }
}

void MemberSet::grow() {
  std::vector<uint64_t> before(places_.size() * 2);
  if (before.size() > kPlacesMax) {
    large_ = std::make_unique<DuplicateHashes>(kLargeBytes);
    large_appender_ = &large_->appender();
  }
  before.swap(places_);
  count_ = 0;
  if (large_) places_.assign(kPlacesAtFirst, 0);
  for (const uint64_t place : before) {
    if ((place & kRoundMask) != round_) continue;
    const uint64_t hash = place & ~kRoundMask;
    if (large_) {
      large_appender_->add(hash);
      continue;
    }
    size_t at = spread(hash);
    while (places_[at] != 0) at = (at + 1) & (places_.size() - 1);
    places_[at] = place;
    ++count_;
  }
}

void MemberSet::add_large(uint64_t hash) { large_appender_->add(hash); }

std::optional<uint64_t> MemberSet::suspect() {
  if (large_ && !suspect_) {
    const std::vector<uint64_t> found = large_->find(1);
    if (!found.empty()) suspect_ = found.front();
  }
  return suspect_;
}

}  // namespace persist
