// Which keys stand in several inputs of a merge, and which input is to give them. Keys are known by hashes
// alone, so that memory is needed only for those that conflict: first by 64 bits, which very many can share a
// file for; those that came twice then by 128, under seeds that no author of a file can know.
#pragma once

#include <unordered_map>
#include <vector>

#include "base/hash64.hpp"
#include "ops/duplicates.hpp"
#include "persist/merge.hpp"

namespace persist {

class MergeKeys {
 public:
  explicit MergeKeys(ConflictPolicy policy) : policy_(policy) {}

  [[nodiscard]] uint64_t hash(const RdbEntry& entry) const { return hash64(entry.key, seed_ + entry.db); }

  // First, every key. One thread at a time.
  void add(std::span<const uint64_t> hashes);
  // Then: false if no two are alike. Throws EditRefused if there was no room to find out.
  bool find_suspects(unsigned threads);
  [[nodiscard]] bool is_suspect(uint64_t hash) const;

  // Then, those that are suspects, input by input, each in its order.
  struct Sighting {
    uint64_t hash = 0;
    uint64_t check = 0;
    uint64_t place = 0;  // tells the key's entries in one input apart
    int64_t expire_at_ms = kNoExpiry;
    uint64_t db = 0;
    std::string key;
  };
  [[nodiscard]] Sighting sighting_of(const RdbEntry& entry) const;
  // False if the input had the key already.
  bool judge(size_t input, const Sighting& sighting);

  // Then: whether another entry takes its place. By several threads.
  [[nodiscard]] bool drops(size_t input, const RdbEntry& entry) const;
  [[nodiscard]] bool drops_any() const { return !winners_.empty(); }

  [[nodiscard]] uint64_t conflicts() const { return conflicts_; }
  [[nodiscard]] const std::vector<MergeConflict>& first_conflicts() const { return first_; }

 private:
  struct Id {
    uint64_t hash;
    uint64_t check;
    bool operator==(const Id&) const = default;
  };
  struct HashOfId {
    size_t operator()(const Id& id) const { return id.hash; }
  };
  struct Winner {
    uint64_t place = 0;
    int64_t expire_at_ms = kNoExpiry;
    uint32_t input = 0;
    uint32_t last_input = 0;  // that has it
    uint32_t named = kUnnamed;
    bool conflicts = false;
  };
  static constexpr uint32_t kUnnamed = ~uint32_t{0};

  [[nodiscard]] uint64_t check_of(const RdbEntry& entry) const {
    return hash64(entry.key, check_seed_ ^ entry.db);
  }
  [[nodiscard]] bool beats(int64_t expire_at_ms, const Winner& winner) const;
  void note_conflict(Winner& winner, size_t input, const Sighting& sighting);

  ConflictPolicy policy_;
  uint64_t seed_ = random_seed();
  uint64_t check_seed_ = random_seed();
  DuplicateHashes hashes_{size_t{8} << 20};
  DuplicateHashes::Appender& appender_ = hashes_.appender();
  std::vector<uint64_t> suspects_;  // sorted
  std::unordered_map<Id, Winner, HashOfId> winners_;
  uint64_t conflicts_ = 0;
  std::vector<MergeConflict> first_;
};

}  // namespace persist
