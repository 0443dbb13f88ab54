// The layout of containers: persist-rdb(5), STREAM ENCODINGS.
#include "engine/stream_memory.hpp"

#include "base/hash64.hpp"

namespace persist {

namespace {

constexpr PackLimits kStreamLimits;
constexpr uint64_t kNackBytes = 24;
constexpr uint64_t kRadixHead = 24;
constexpr uint64_t kEmptyRadixNode = 8;
constexpr uint64_t kRadixLeaf = 16;

}  // namespace

StreamMemory::StreamMemory(const MemoryCosts& costs)
    : costs_(costs), items_{costs.layout().narrow_backlen}, seed_(random_seed()) {}

void StreamMemory::clear() {
  sum_ = {};
  containers_ = {};
  container_bytes_ = container_entries_ = 0;
  in_group_ = has_groups_ = false;
  pending_ = {};
  pending_of_.clear();
}

bool StreamMemory::fits_container(const StreamEntry& entry) const {
  if (container_bytes_ == 0 || container_entries_ >= kStreamLimits.stream_node_entries) return false;
  uint64_t bytes = container_bytes_;
  for (const StreamField& field : entry.fields) bytes += field.field.size() + field.value.size();
  return bytes < kStreamLimits.stream_node_bytes;
}

bool StreamMemory::has_fields_of_first(const StreamEntry& entry) const {
  if (entry.fields.size() != first_field_sizes_.size()) return false;
  Bytes rest = first_fields_;
  for (size_t i = 0; i < entry.fields.size(); ++i) {
    if (entry.fields[i].field != rest.substr(0, first_field_sizes_[i])) return false;
    rest.remove_prefix(first_field_sizes_[i]);
  }
  return true;
}

// Number of entries, of deleted ones, of fields; the fields; an end mark.
void StreamMemory::open_container(const StreamEntry& entry) {
  containers_.add(entry.id, costs_.sizes());
  first_id_ = entry.id;
  first_fields_.clear();
  first_field_sizes_.clear();
  container_entries_ = 0;
  container_bytes_ = ListpackSizes::kEmpty + 3 * ListpackSizes::of_integer(0) +
                     ListpackSizes::of_integer(static_cast<int64_t>(entry.fields.size()));
  for (const StreamField& field : entry.fields) {
    container_bytes_ += items_(field.field);
    first_fields_ += field.field;
    first_field_sizes_.push_back(field.field.size());
  }
}

void StreamMemory::close_container() {
  if (container_bytes_ > 0) sum_ += costs_.buffer(container_bytes_);
  container_bytes_ = 0;
}

// Flags, both differences of the ID, the fields unless they are those of the first, how many items these are.
void StreamMemory::add(const StreamEntry& entry) {
  if (!fits_container(entry)) {
    close_container();
    open_container(entry);
  }
  ++container_entries_;
  const auto count = static_cast<int64_t>(entry.fields.size());
  const bool same = has_fields_of_first(entry);
  uint64_t bytes = ListpackSizes::of_integer(0);
  bytes += ListpackSizes::of_integer(static_cast<int64_t>(entry.id.ms - first_id_.ms));
  bytes += ListpackSizes::of_integer(static_cast<int64_t>(entry.id.seq - first_id_.seq));
  bytes += ListpackSizes::of_integer(same ? count + 3 : 2 * count + 4);
  if (!same) bytes += ListpackSizes::of_integer(count);
  for (const StreamField& field : entry.fields) {
    if (!same) bytes += items_(field.field);
    bytes += items_(field.value);
  }
  container_bytes_ += bytes;
}

Footprint StreamMemory::tree(const RadixShape& shape) const {
  constexpr uint64_t kReportedKey = 16;
  constexpr uint64_t kReportedNode = 4 + 240;
  const uint64_t allocated = shape.allocated(costs_.sizes());
  if (costs_.layout().reports_exact_radix) return {allocated, allocated};
  return {shape.keys() * kReportedKey + shape.nodes() * kReportedNode, allocated};
}

uint64_t StreamMemory::name_in_tree(uint64_t size) const {
  return costs_.sizes()(kRadixLeaf) + costs_.sizes()(kEmptyRadixNode + size + kRadixLeaf / 2);
}

void StreamMemory::close_group() {
  if (in_group_) sum_ += tree(pending_);
  in_group_ = false;
  pending_ = {};
  pending_of_.clear();
}

void StreamMemory::add(const StreamGroup& group) {
  close_group();
  const AllocatorSizes& sizes = costs_.sizes();
  if (!has_groups_) sum_.allocated += sizes(kRadixHead);
  in_group_ = has_groups_ = true;
  sum_ += costs_.structure(costs_.layout().group);
  sum_.allocated += name_in_tree(group.name.size()) + sizes(kRadixHead);  // and the tree of its consumers
}

void StreamMemory::add(const StreamPending& pending) {
  const AllocatorSizes& sizes = costs_.sizes();
  sum_ += costs_.structure(kNackBytes);
  pending_.add(pending.id, sizes);
  if (pending.consumer) pending_of_[hash64(*pending.consumer, seed_)].add(pending.id, sizes);
}

void StreamMemory::add(const StreamConsumer& consumer) {
  sum_ += costs_.structure(costs_.layout().consumer);
  sum_.reported += consumer.name.size();
  sum_.allocated += costs_.string(consumer.name.size()).allocated + name_in_tree(consumer.name.size());
  const auto found = pending_of_.find(hash64(consumer.name, seed_));
  sum_ += tree(found == pending_of_.end() ? RadixShape() : found->second);
}

void StreamMemory::add(const StreamProducer& producer) {
  const uint64_t bytes = costs_.sizes()(kRadixHead) + name_in_tree(producer.id.size());
  sum_ += {bytes, bytes};
}

void StreamMemory::add(const StreamIid& iid) {
  const uint64_t bytes = costs_.string(iid.iid.size()).allocated + name_in_tree(sizeof(StreamId));
  sum_ += {bytes, bytes};
}

Footprint StreamMemory::total() {
  close_container();
  close_group();
  Footprint sum = sum_;
  sum += tree(containers_);
  const Footprint head = costs_.structure(costs_.layout().stream);
  sum.allocated += head.allocated;
  if (costs_.layout().reports_stream) sum.reported += head.reported;
  return sum;
}

}  // namespace persist
