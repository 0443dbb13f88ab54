// Idempotent production: which idempotency IDs (iids) each producer used of late, and the entry that each
// produced.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>

#include "persist/element.hpp"

namespace persist {

class Idempotency {
 public:
  static constexpr uint64_t kDurationDefault = 100;
  static constexpr uint64_t kEntriesDefault = 100;

  [[nodiscard]] uint64_t duration_s() const { return duration_s_; }
  // The most iids that are remembered of one producer.
  [[nodiscard]] uint64_t max_entries() const { return max_entries_; }
  // If that changes anything, all iids are forgotten and it returns true.
  bool configure(uint64_t duration_s, uint64_t max_entries);

  // The entry that the iid produced.
  [[nodiscard]] std::optional<StreamId> find(Bytes producer, Bytes iid) const;
  // Remembers it and counts it; the oldest of the producer is forgotten if there are too many. False, and
  // nothing happens: it is known.
  bool add(Bytes producer, Bytes iid, StreamId entry);
  void count_duplicate() { ++iids_duplicates_; }
  // Forgets the iids whose entries are older than that.
  void forget_before(uint64_t ms);

  [[nodiscard]] uint64_t iids_added() const { return iids_added_; }
  [[nodiscard]] uint64_t iids_duplicates() const { return iids_duplicates_; }

  // What an encoded stream tells. Here the number of iids has no limit. False: a producer told twice.
  bool add(const StreamProducer& producer);
  void add(const StreamIid& iid);
  void add(const StreamIdmp& idmp);
  void tell(ElementSink out) const;

 private:
  struct Producer {
    using Iids = std::map<std::string, StreamId, std::less<>>;

    bool add(Bytes iid, StreamId entry);
    void forget_oldest();

    Iids iids;
    std::deque<Iids::const_iterator> by_age;  // oldest first
  };
  using Producers = std::map<std::string, Producer, std::less<>>;

  Producer& make_producer(Bytes name);

  uint64_t duration_s_ = kDurationDefault;
  uint64_t max_entries_ = kEntriesDefault;
  uint64_t iids_added_ = 0;
  uint64_t iids_duplicates_ = 0;
  Producers producers_;        // each with at least one iid
  std::string told_producer_;  // whose iids are being told: it comes into being with the first
};

}  // namespace persist
