// What concerns a stream as a whole: counters, references between entries and groups, telling.
#include "engine/stream.hpp"

#include <algorithm>
#include <cassert>
#include <limits>

namespace persist {

namespace {

constexpr uint64_t kNumberMax = std::numeric_limits<uint64_t>::max();
constexpr StreamId kIdMax{kNumberMax, kNumberMax};

}  // namespace

// ------------------------------------------------------------------------------------------ entries

void Stream::set_last_id(StreamId id) {
  assert(id >= entries_.last_id());
  last_id_ = id;
}

void Stream::append(StreamId id, std::span<const StreamField> fields) {
  assert(id > last_id_);
  entries_.append(id, fields);
  last_id_ = id;
  ++entries_added;
}

bool Stream::remove(StreamId id, References references) {
  if (references == References::acknowledged && is_referenced(id)) return false;
  if (!entries_.remove(id)) return false;
  max_deleted_id = std::max(max_deleted_id, id);
  if (references == References::drop) drop_references(id);
  return true;
}

uint64_t Stream::trim_to_size(uint64_t most, References references) {
  if (size() <= most) return 0;
  if (references != References::keep) return trim_one_by_one(size() - most, kIdMax, references);
  const uint64_t removed = size() - most;
  entries_.drop_front(removed);
  return removed;
}

uint64_t Stream::trim_below(StreamId id, References references) {
  if (references != References::keep) return trim_one_by_one(kNumberMax, id, references);
  return entries_.drop_below(id);
}

// At most `most` of the entries below `below`, passing over those that stay because of their references.
uint64_t Stream::trim_one_by_one(uint64_t most, StreamId below, References references) {
  std::vector<StreamId> removed;
  entries_.for_each({}, kIdMax, [&](const StreamEntry& entry) {
    if (removed.size() == most || entry.id >= below) return false;
    if (references == References::drop || !is_referenced(entry.id)) removed.push_back(entry.id);
    return true;
  });
  for (const StreamId id : removed) {
    entries_.remove(id);
    if (references == References::drop) drop_references(id);
  }
  return removed.size();
}

// ------------------------------------------------------------------------------------------ groups

ConsumerGroup* Stream::find_group(Bytes name) {
  const auto found = groups_.find(name);
  return found == groups_.end() ? nullptr : &found->second;
}

ConsumerGroup* Stream::make_group(Bytes name, StreamId last_id, std::optional<uint64_t> entries_read) {
  const auto [at, is_new] = groups_.try_emplace(std::string(name), last_id, entries_read);
  return is_new ? &at->second : nullptr;
}

bool Stream::remove_group(Bytes name) {
  const auto found = groups_.find(name);
  if (found == groups_.end()) return false;
  groups_.erase(found);
  return true;
}

bool Stream::is_referenced(StreamId id) const {
  return std::ranges::any_of(groups_, [&](const auto& named) {
    return id > named.second.last_id || named.second.pending().contains(id);
  });
}

bool Stream::drop_references(StreamId id) {
  bool was_pending = false;
  for (auto& [name, group] : groups_) was_pending |= group.acknowledge(id);
  return was_pending;
}

// ------------------------------------------------------------------------------------------ idempotency

const Idempotency& Stream::idempotency() const {
  static const Idempotency kAsNew;
  return idempotency_ ? *idempotency_ : kAsNew;
}

Idempotency& Stream::idempotency() {
  if (!idempotency_) idempotency_ = std::make_unique<Idempotency>();
  return *idempotency_;
}

// ------------------------------------------------------------------------------------------ being told

bool Stream::add(const StreamInfo& info) {
  last_id_ = info.last_id;
  max_deleted_id = info.max_deleted_id.value_or(StreamId{});
  entries_added = info.entries_added.value_or(info.length);
  return true;
}

bool Stream::add(const StreamEntry& entry) {
  if (!entries_.empty() && entry.id <= entries_.last_id()) return false;
  entries_.append(entry.id, entry.fields);
  last_id_ = std::max(last_id_, entry.id);
  return true;
}

// How many entries had been added when the one of that ID had, which servers can tell only at the ends of a
// stream. It is asked for streams alone whose encoding knows nothing of removed entries.
std::optional<uint64_t> Stream::estimated_entries_read(StreamId id) const {
  if (entries_added == 0 || id < entries_.first_id()) return 0;
  if (id == last_id_) return entries_added;
  if (id == entries_.first_id()) return 1;
  return std::nullopt;
}

bool Stream::add(const StreamGroup& group) {
  close_told_group();
  told_group_ =
      make_group(group.name, group.last_id,
                 group.has_entries_read ? group.entries_read : estimated_entries_read(group.last_id));
  return told_group_ != nullptr;
}

bool Stream::add(const StreamPending& pending) {
  if (told_group_ == nullptr || told_group_->find_pending(pending.id) != nullptr) return false;
  ConsumerGroup::Pending& added =
      pending.consumer ? told_group_->give(pending.id, told_group_->make_consumer(*pending.consumer, 0))
                       : told_group_->add_unowned(pending.id);
  added.delivery_time_ms = pending.delivery_time_ms;
  added.delivery_count = pending.delivery_count;
  if (pending.nack_rank && !pending.consumer) told_zone_.push_back({*pending.nack_rank, pending.id});
  return true;
}

bool Stream::add(const StreamConsumer& consumer) {
  if (told_group_ == nullptr) return false;
  ConsumerGroup::Consumer& added = told_group_->make_consumer(consumer.name, 0);
  added.seen_time_ms = consumer.seen_time_ms;
  added.active_time_ms = consumer.has_active_time ? consumer.active_time_ms : consumer.seen_time_ms;
  return true;
}

bool Stream::add(const StreamProducer& producer) {
  close_told_group();
  return idempotency().add(producer);
}

bool Stream::add(const StreamIid& iid) {
  idempotency().add(iid);
  return true;
}

bool Stream::add(const StreamIdmp& idmp) {
  close_told_group();
  idempotency().add(idmp);
  return true;
}

void Stream::close_told_group() {
  std::ranges::sort(told_zone_, {}, &Ranked::rank);
  for (const Ranked& ranked : told_zone_) told_group_->nack(ranked.id);
  std::vector<Ranked>().swap(told_zone_);
  told_group_ = nullptr;
}

// ------------------------------------------------------------------------------------------ telling

void Stream::tell(ElementSink out, StreamLayout layout) const {
  StreamInfo info;
  info.length = size();
  info.last_id = last_id_;
  if (layout >= StreamLayout::v2) {
    info.first_id = entries_.first_id();
    info.max_deleted_id = max_deleted_id;
    info.entries_added = entries_added;
  }
  out(info);
  entries_.for_each({}, kIdMax, [&](const StreamEntry& entry) {
    out(entry);
    return true;
  });
  for (const auto& [name, group] : groups_) {
    StreamGroup told{name, group.last_id, layout >= StreamLayout::v2, std::nullopt};
    if (told.has_entries_read) told.entries_read = group.entries_read;
    out(told);
    group.tell_inside(out, layout >= StreamLayout::v3, layout >= StreamLayout::v5);
  }
  if (layout >= StreamLayout::v4) idempotency().tell(out);
}

}  // namespace persist
