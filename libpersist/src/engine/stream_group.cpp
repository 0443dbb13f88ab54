// Keeping a group's pending entries and their owners in step.
#include "engine/stream_group.hpp"

#include <algorithm>
#include <vector>

namespace persist {

// ------------------------------------------------------------------------------------------ consumers

ConsumerGroup::Consumer* ConsumerGroup::find_consumer(Bytes name) {
  const auto found = consumers_.find(name);
  return found == consumers_.end() ? nullptr : &found->second;
}

ConsumerGroup::Consumer& ConsumerGroup::make_consumer(Bytes name, int64_t now_ms) {
  if (Consumer* known = find_consumer(name)) return *known;
  const auto made = consumers_.try_emplace(std::string(name)).first;
  made->second.name = made->first;
  made->second.seen_time_ms = now_ms;
  return made->second;
}

bool ConsumerGroup::remove_consumer(Bytes name) {
  const auto found = consumers_.find(name);
  if (found == consumers_.end()) return false;
  for (Node* node = found->second.first_; node != nullptr;) {
    Node* next = node->second.next_;
    pending_.erase(node->first);
    node = next;
  }
  consumers_.erase(found);
  return true;
}

// ------------------------------------------------------------------------------------------ pending entries

ConsumerGroup::Pending* ConsumerGroup::find_pending(StreamId id) {
  if (is_behind_all(id)) return nullptr;
  const auto found = pending_.find(id);
  return found == pending_.end() ? nullptr : &found->second;
}

ConsumerGroup::Node* ConsumerGroup::make_pending(StreamId id) {
  if (is_behind_all(id)) return &*pending_.emplace_hint(pending_.end(), id, Pending());
  return &*pending_.try_emplace(id).first;
}

ConsumerGroup::Pending& ConsumerGroup::give(StreamId id, Consumer& owner) {
  Node& node = *make_pending(id);
  if (node.second.holder_ != &owner) {
    unlink(node);
    link(node, owner);
  }
  return node.second;
}

ConsumerGroup::Pending& ConsumerGroup::nack(StreamId id) {
  Pending& pending = give(id, zone_);
  pending.delivery_time_ms = 0;
  return pending;
}

bool ConsumerGroup::acknowledge(StreamId id) {
  const auto found = pending_.find(id);
  if (found == pending_.end()) return false;
  unlink(*found);
  pending_.erase(found);
  return true;
}

void ConsumerGroup::link(Node& node, Consumer& holder) {
  Pending& pending = node.second;
  pending.holder_ = &holder;
  pending.previous_ = holder.last_;
  pending.next_ = nullptr;
  (holder.last_ == nullptr ? holder.first_ : holder.last_->second.next_) = &node;
  holder.last_ = &node;
  ++holder.pending;
}

void ConsumerGroup::unlink(Node& node) {
  const Pending& pending = node.second;
  if (pending.holder_ == nullptr) return;
  Consumer& holder = *pending.holder_;
  (pending.previous_ == nullptr ? holder.first_ : pending.previous_->second.next_) = pending.next_;
  (pending.next_ == nullptr ? holder.last_ : pending.next_->second.previous_) = pending.previous_;
  --holder.pending;
  node.second.holder_ = nullptr;
}

// ------------------------------------------------------------------------------------------ telling

void ConsumerGroup::tell_pending(ElementSink out, bool with_nack_ranks) const {
  struct Ranked {
    StreamId id;
    uint64_t rank;
  };
  std::vector<Ranked> zone;
  for (const Node* node = zone_.first_; node != nullptr; node = node->second.next_)
    zone.push_back({node->first, zone.size()});
  std::ranges::sort(zone, {}, &Ranked::id);
  auto nacked = zone.begin();
  for (const Node& node : pending_) {
    const Pending& pending = node.second;
    StreamPending told{node.first, std::nullopt, pending.delivery_time_ms, pending.delivery_count,
                       std::nullopt};
    if (is_nacked(pending)) {
      if (with_nack_ranks) told.nack_rank = nacked->rank;
      ++nacked;
    } else if (pending.holder_ != nullptr) {
      told.consumer = pending.holder_->name;
    }
    out(told);
  }
}

void ConsumerGroup::tell_inside(ElementSink out, bool with_active_time, bool with_nack_ranks) const {
  tell_pending(out, with_nack_ranks);
  for (const auto& [name, consumer] : consumers_) {
    StreamConsumer told{name, consumer.seen_time_ms, with_active_time, std::nullopt};
    if (with_active_time) told.active_time_ms = consumer.active_time_ms;
    out(told);
  }
}

}  // namespace persist
