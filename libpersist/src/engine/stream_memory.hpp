// What a stream takes: containers of entries, groups, consumers and what is pending. Entries are packed into
// containers as a server does that gets one after the other.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "engine/memory_costs.hpp"
#include "engine/packed_sizes.hpp"
#include "engine/radix_shape.hpp"
#include "persist/element.hpp"

namespace persist {

class StreamMemory {
 public:
  // It must outlive the object.
  explicit StreamMemory(const MemoryCosts& costs);

  void clear();
  void add(const StreamEntry& entry);
  void add(const StreamGroup& group);
  void add(const StreamPending& pending);
  void add(const StreamConsumer& consumer);
  void add(const StreamProducer& producer);
  void add(const StreamIid& iid);
  // Of all since clear(), without the object.
  [[nodiscard]] Footprint total();

 private:
  [[nodiscard]] bool fits_container(const StreamEntry& entry) const;
  [[nodiscard]] bool has_fields_of_first(const StreamEntry& entry) const;
  void open_container(const StreamEntry& entry);
  void close_container();
  void close_group();
  // A tree of IDs.
  [[nodiscard]] Footprint tree(const RadixShape& shape) const;
  // A tree of names: its share of one name.
  [[nodiscard]] uint64_t name_in_tree(uint64_t size) const;

  const MemoryCosts& costs_;
  ListpackSizes items_;
  Footprint sum_;
  RadixShape containers_;

  uint64_t container_bytes_ = 0;  // 0: none is open
  uint64_t container_entries_ = 0;
  StreamId first_id_;
  std::string first_fields_;  // names, one behind the other
  std::vector<size_t> first_field_sizes_;

  bool in_group_ = false;
  bool has_groups_ = false;
  RadixShape pending_;
  std::unordered_map<uint64_t, RadixShape> pending_of_;  // by a hash of the consumer's name
  uint64_t seed_;
};

}  // namespace persist
