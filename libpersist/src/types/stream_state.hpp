// What a stream has that its layout did not store or stored apart, as servers make it up and put it together.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "types/value.hpp"

namespace persist {

// As many as there are, if nobody counted.
[[nodiscard]] uint64_t stream_entries_added(const StreamContent& stream);

// What servers that count estimate for a group of a stream whose layout has no counters. Absent: unknown.
[[nodiscard]] std::optional<uint64_t> group_entries_read(const StreamContent& stream,
                                                         const StreamGroup& group);

// When it was last seen, where layouts do not tell the two apart. Absent: never active.
[[nodiscard]] std::optional<int64_t> consumer_active_time(const StreamConsumer& consumer);

// Without its entry, servers of no version make anything pending by command, nor remember an iid.
[[nodiscard]] bool stream_has_entry(const StreamContent& stream, StreamId id);

// The pending entries of a group, by who owns them. Keeps its memory for the next group.
class PendingByConsumer {
 public:
  // What is told until the next call. The group must stay as it is.
  void sort_out(const GroupValue& group);

  // As servers order them, by name, of two that have one name the first; behind them those whom only pending
  // entries name, seen at their latest delivery.
  [[nodiscard]] std::span<const StreamConsumer> consumers() const { return consumers_; }
  // Indices of the group's pending entries, ascending.
  [[nodiscard]] std::span<const size_t> owned_by(size_t consumer) const {
    return std::span(order_).subspan(begin_[consumer], begin_[consumer + 1] - begin_[consumer]);
  }
  // The NACK zone, in its order; behind it what nobody owns though it is not in the zone.
  [[nodiscard]] std::span<const size_t> unowned() const { return unowned_; }

 private:
  static constexpr size_t kNobody = ~size_t{0};

  void take_consumers(const GroupValue& group);
  void find_owners(const GroupValue& group);
  void add_missing(const GroupValue& group);
  void order_by_owner();

  std::vector<StreamConsumer> consumers_;
  std::vector<size_t> owner_;    // of each pending entry
  std::vector<size_t> missing_;  // pending entries whose consumer was not told
  std::vector<size_t> begin_;    // of each consumer's part of order_, and the end of the last
  std::vector<size_t> order_;
  std::vector<size_t> unowned_;
};

}  // namespace persist
