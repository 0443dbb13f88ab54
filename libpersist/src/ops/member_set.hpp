// Looks for members (fields, group names...) that stand twice within one value. By hashes: what it finds is a
// suspicion, to be confirmed by looking at the members themselves.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "base/hash64.hpp"
#include "ops/duplicates.hpp"

namespace persist {

class MemberSet {
 public:
  explicit MemberSet(uint64_t seed);

  // Starts anew.
  void begin();

  void add(Bytes member) {
    const uint64_t hash = hash_of(member);
    if (large_) [[unlikely]]
      return add_large(hash);
    size_t at = spread(hash);
    while ((places_[at] & kRoundMask) == round_) {
      if (places_[at] == (hash | round_)) {
        suspect_ = hash;
        return;
      }
      at = (at + 1) & (places_.size() - 1);
    }
    places_[at] = hash | round_;
    if (++count_ * 2 > places_.size()) [[unlikely]]
      grow();
  }

  // The hash_of() a member that seems to have been added twice.
  [[nodiscard]] std::optional<uint64_t> suspect();
  [[nodiscard]] uint64_t hash_of(Bytes member) const { return hash64(member, seed_) & ~kRoundMask; }

 private:
  // The low bits of a place tell in which round it was filled, so that starting anew clears nothing.
  static constexpr uint64_t kRoundMask = 0xffff;

  [[nodiscard]] size_t spread(uint64_t hash) const { return (hash >> 16) & (places_.size() - 1); }
  void grow();
  void add_large(uint64_t hash);

  uint64_t seed_;
  std::vector<uint64_t> places_;
  size_t count_ = 0;
  uint64_t round_ = 0;
  std::optional<uint64_t> suspect_;
  // Takes over where a value is too large for a table.
  std::unique_ptr<DuplicateHashes> large_;
  DuplicateHashes::Appender* large_appender_ = nullptr;
};

}  // namespace persist
