// The keys of two sides against each other. One side is indexed, the other matched with it: key by key while
// the index has room in memory, else partition by partition once both sides have gone to files.
#pragma once

#include <optional>
#include <vector>

#include "ops/key_index.hpp"

namespace persist {

class KeyMatch {
 public:
  // Digests of equal prints decide, and expiries that lie further apart than the tolerance.
  KeyMatch(uint64_t memory_bytes, int64_t ttl_tolerance_ms);

  // First all of one side, then all of the other. By one thread at a time. Throw std::system_error.
  void index(std::span<const KeyRecord> records);
  void end_index();
  void match(std::span<const KeyRecord> records);
  void end_match();

  // Keys, once both sides have ended. A key that stands twice on one side counts once.
  struct Counts {
    uint64_t same = 0;
    uint64_t changed = 0;
    uint64_t only_indexed = 0;
    uint64_t only_matched = 0;
  };
  [[nodiscard]] const Counts& counts() const { return counts_; }
  [[nodiscard]] uint64_t spilled_bytes() const;

  // What differs is looked at in rounds, as much in one as there is room for: one, unless all went to files.
  [[nodiscard]] size_t rounds() const { return rounds_.size(); }
  void begin_round(size_t round);

  enum class Verdict : uint8_t {
    none,  // the same on both sides, or not of this round
    only_here,
    changed
  };
  struct Judgement {
    Verdict verdict = Verdict::none;
    // Of a changed key, the same one for both sides, and of one that only the indexed side has. Whoever has
    // told of it marks it `shadowed`: a damaged side may have it once more.
    KeyRecord* record = nullptr;
  };
  // By any number of threads.
  [[nodiscard]] Judgement judge(KeyPrint print, bool is_indexed_side);

 private:
  struct Round {
    size_t first = 0;  // partitions
    size_t end = 0;
  };

  [[nodiscard]] bool in_memory() const { return whole_.has_value(); }
  void match_in(KeyTable& table, const KeyRecord& record, std::vector<KeyRecord>* unknown);
  void join_partition(size_t partition);
  void plan_rounds();

  uint64_t memory_bytes_;
  int64_t ttl_tolerance_ms_;
  KeyStore indexed_;
  KeyStore matched_;
  KeyStore
      differing_;  // of all that went to files: records of matched keys that nobody knows are marked `same`
  std::optional<KeyTable> whole_;  // the index, if it has room in memory
  std::optional<KeyTable> round_;
  std::vector<Round> rounds_;
  uint64_t joined_bytes_ = 0;  // that had gone to files that are no more
  Counts counts_;
};

}  // namespace persist
