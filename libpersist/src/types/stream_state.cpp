// Counters as servers from 7.0 on estimate them, and pending entries gathered under their owners.
#include "types/stream_state.hpp"

#include <algorithm>
#include <limits>

namespace persist {

uint64_t stream_entries_added(const StreamContent& stream) {
  return stream.info.entries_added.value_or(stream.entries.size());
}

// Where no entry is known to have been removed, the count is certain at both ends of the stream alone.
std::optional<uint64_t> group_entries_read(const StreamContent& stream, const StreamGroup& group) {
  if (group.has_entries_read) return group.entries_read;
  if (stream.entries.empty() || group.last_id < stream.entries.front().id) return 0;
  if (group.last_id == stream.info.last_id) return stream.entries.size();
  if (group.last_id == stream.entries.front().id) return 1;
  return std::nullopt;
}

std::optional<int64_t> consumer_active_time(const StreamConsumer& consumer) {
  return consumer.has_active_time ? consumer.active_time_ms : consumer.seen_time_ms;
}

bool stream_has_entry(const StreamContent& stream, StreamId id) {
  return std::ranges::binary_search(stream.entries, id, {}, &StreamEntry::id);
}

// --------------------------------------------------------------------------------------- pending entries

void PendingByConsumer::sort_out(const GroupValue& group) {
  take_consumers(group);
  find_owners(group);
  if (!missing_.empty()) add_missing(group);
  order_by_owner();
}

void PendingByConsumer::take_consumers(const GroupValue& group) {
  consumers_.assign(group.consumers.begin(), group.consumers.end());
  std::ranges::stable_sort(consumers_, {}, &StreamConsumer::name);
  const auto same_name = [](const StreamConsumer& a, const StreamConsumer& b) { return a.name == b.name; };
  consumers_.erase(std::unique(consumers_.begin(), consumers_.end(), same_name), consumers_.end());
}

void PendingByConsumer::find_owners(const GroupValue& group) {
  owner_.assign(group.pending.size(), kNobody);
  missing_.clear();
  unowned_.clear();
  size_t last = kNobody;
  for (size_t i = 0; i < group.pending.size(); ++i) {
    const StreamPending& pending = group.pending[i];
    if (!pending.consumer) {
      unowned_.push_back(i);
      continue;
    }
    if (last == kNobody || consumers_[last].name != *pending.consumer) {
      const auto at = std::ranges::lower_bound(consumers_, *pending.consumer, {}, &StreamConsumer::name);
      const bool is_known = at != consumers_.end() && at->name == *pending.consumer;
      last = is_known ? static_cast<size_t>(at - consumers_.begin()) : kNobody;
    }
    owner_[i] = last;
    if (last == kNobody) missing_.push_back(i);
  }
  const auto rank = [&](size_t i) {
    return group.pending[i].nack_rank.value_or(std::numeric_limits<uint64_t>::max());
  };
  std::ranges::stable_sort(unowned_, {}, rank);
}

void PendingByConsumer::add_missing(const GroupValue& group) {
  std::ranges::stable_sort(missing_, {}, [&](size_t i) { return *group.pending[i].consumer; });
  const size_t told = consumers_.size();
  for (const size_t i : missing_) {
    const StreamPending& pending = group.pending[i];
    if (consumers_.size() == told || consumers_.back().name != *pending.consumer)
      consumers_.push_back({*pending.consumer, pending.delivery_time_ms, false, std::nullopt});
    StreamConsumer& consumer = consumers_.back();
    consumer.seen_time_ms = std::max(consumer.seen_time_ms, pending.delivery_time_ms);
    owner_[i] = consumers_.size() - 1;
  }
}

// Counts, then places: begin_ runs ahead by one consumer while the places are given out.
void PendingByConsumer::order_by_owner() {
  begin_.assign(consumers_.size() + 2, 0);
  for (const size_t owner : owner_)
    if (owner != kNobody) ++begin_[owner + 2];
  for (size_t i = 2; i < begin_.size(); ++i) begin_[i] += begin_[i - 1];
  order_.resize(begin_.back());
  for (size_t i = 0; i < owner_.size(); ++i)
    if (owner_[i] != kNobody) order_[begin_[owner_[i] + 1]++] = i;
}

}  // namespace persist
