// A key that stands in one input only costs eight bytes, and those go to disk when there are too many.
#include "ops/merge_keys.hpp"

#include <algorithm>

namespace persist {

namespace {

constexpr size_t kConflictsNamed = 10;

struct PolicyName {
  ConflictPolicy policy;
  Bytes name;
};
constexpr PolicyName kPolicyNames[] = {{ConflictPolicy::refuse, "error"},
                                       {ConflictPolicy::first, "first"},
                                       {ConflictPolicy::last, "last"},
                                       {ConflictPolicy::newest_ttl, "newest-ttl"}};

// An expiry may be any number but the one that stands for none.
bool lives_as_long(int64_t expire_at_ms, int64_t other_ms) {
  if (expire_at_ms == kNoExpiry || other_ms == kNoExpiry) return expire_at_ms == kNoExpiry;
  return expire_at_ms >= other_ms;
}

}  // namespace

Bytes conflict_policy_name(ConflictPolicy policy) {
  return std::ranges::find(kPolicyNames, policy, &PolicyName::policy)->name;
}

std::optional<ConflictPolicy> find_conflict_policy(Bytes name) {
  const auto* found = std::ranges::find(kPolicyNames, name, &PolicyName::name);
  if (found == std::end(kPolicyNames)) return std::nullopt;
  return found->policy;
}

void MergeKeys::add(std::span<const uint64_t> hashes) {
  for (const uint64_t hash : hashes) appender_.add(hash);
}

bool MergeKeys::find_suspects(unsigned threads) {
  suspects_ = hashes_.find(threads);
  if (!hashes_.complete()) {
    throw EditRefused(EditRefused::Kind::unusable,
                      "there was no room to find out which keys stand in several inputs: set TMPDIR to a "
                      "folder with free space");
  }
  winners_.reserve(suspects_.size());
  return !suspects_.empty();
}

bool MergeKeys::is_suspect(uint64_t hash) const { return std::ranges::binary_search(suspects_, hash); }

MergeKeys::Sighting MergeKeys::sighting_of(const RdbEntry& entry) const {
  return {hash(entry),        check_of(entry), entry.value_offset,
          entry.expire_at_ms, entry.db,        std::string(entry.key)};
}

bool MergeKeys::judge(size_t input, const Sighting& sighting) {
  const auto number = static_cast<uint32_t>(input);
  const auto [found, is_new] = winners_.try_emplace({sighting.hash, sighting.check});
  Winner& winner = found->second;
  const bool had_it = !is_new && winner.last_input == number;
  if (!is_new && !had_it) note_conflict(winner, input, sighting);
  if (is_new || beats(sighting.expire_at_ms, winner)) {
    winner.place = sighting.place;
    winner.expire_at_ms = sighting.expire_at_ms;
    winner.input = number;
  }
  winner.last_input = number;
  return !had_it;
}

bool MergeKeys::beats(int64_t expire_at_ms, const Winner& winner) const {
  switch (policy_) {
    case ConflictPolicy::first:
      return false;
    case ConflictPolicy::newest_ttl:
      return lives_as_long(expire_at_ms, winner.expire_at_ms);
    case ConflictPolicy::refuse:
    case ConflictPolicy::last:
      break;
  }
  return true;
}

void MergeKeys::note_conflict(Winner& winner, size_t input, const Sighting& sighting) {
  if (!winner.conflicts) {
    winner.conflicts = true;
    ++conflicts_;
    if (first_.size() < kConflictsNamed) {
      winner.named = static_cast<uint32_t>(first_.size());
      first_.push_back({sighting.db, sighting.key, {winner.last_input}});
    }
  }
  if (winner.named != kUnnamed) first_[winner.named].inputs.push_back(input);
}

bool MergeKeys::drops(size_t input, const RdbEntry& entry) const {
  const auto found = winners_.find({hash(entry), check_of(entry)});
  if (found == winners_.end()) return false;
  return found->second.input != input || found->second.place != entry.value_offset;
}

}  // namespace persist
