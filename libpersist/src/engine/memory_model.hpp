// What a key takes in the memory of a server: a model of its objects, containers and allocator.
// persist-stat(1), ESTIMATED MEMORY
//
// Whether a value stays packed is known only at its end: both forms are added up meanwhile, the packed one
// as long as it is within the limits. What is called for every element is inline.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "engine/memory_costs.hpp"
#include "engine/packed_sizes.hpp"
#include "engine/stream_memory.hpp"
#include "persist/element.hpp"
#include "persist/rdb_reader.hpp"
#include "persist/stat.hpp"
#include "persist/target.hpp"

namespace persist {

// The value of one key after the other. Not thread-safe.
class MemoryModel {
 public:
  // The server has loaded the value from a file and not changed it since; its limits are the defaults.
  MemoryModel(const Target& server, Allocator allocator);
  MemoryModel(const MemoryModel&) = delete;
  MemoryModel& operator=(const MemoryModel&) = delete;

  void begin(const RdbEntry& entry) {
    type_ = entry.encoding->type;
    key_size_ = entry.key.size();
    is_volatile_ = entry.expire_at_ms != kNoExpiry;
    if (type_ != ValueType::string) reset();
  }

  // The elements of its value, as decoders tell them.
  void add(const Element& told) {
    std::visit([this](const auto& element) { add(element); }, told);
  }
  void add(const StringValue& string) {
    constexpr size_t kNumberBytesMax = 20;
    if (string.value.size() > kNumberBytesMax) return add_string(string.value.size());
    const std::optional<int64_t> number = item_integer(string.value);
    string_size_ = string.value.size();
    string_form_ = !number              ? StringForm::bytes
                   : is_shared(*number) ? StringForm::shared
                                        : StringForm::integer;
  }
  // The same for a string whose bytes nobody looks at: more than 20 of them, so that it is no number.
  void add_string(uint64_t size) {
    string_size_ = size;
    string_form_ = StringForm::bytes;
  }
  void add(const ListItem& item);
  void add(const SetMember& member);
  void add(const SortedSetMember& member);
  void add(const HashField& field);
  void add(const StreamInfo& /*info*/) {}
  void add(const StreamEntry& entry) { stream_.add(entry); }
  void add(const StreamGroup& group) { stream_.add(group); }
  void add(const StreamPending& pending) { stream_.add(pending); }
  void add(const StreamConsumer& consumer) { stream_.add(consumer); }
  void add(const StreamProducer& producer) { stream_.add(producer); }
  void add(const StreamIid& iid) { stream_.add(iid); }
  void add(const StreamIdmp& /*idmp*/) {}
  void add(const ArrayInfo& /*info*/) {}
  void add(const ArrayElement& element);
  void add(const ModuleValue& value);

  [[nodiscard]] Footprint end();

  // Of a database with so many keys: the tables of keys and of expiries.
  [[nodiscard]] uint64_t tables(uint64_t keys, uint64_t volatile_keys) const;

 private:
  enum class StringForm : uint8_t { shared, integer, bytes };
  static constexpr PackLimits kLimits{};
  static constexpr uint64_t kEntryBytes = 24;  // of a table: key, value, next
  static constexpr uint64_t kObjectBytes = 16;
  static constexpr uint64_t kNodeBytesMax = 8192;  // of a list
  static constexpr uint64_t kExpiryBytes = 8;

  // What has been told of a value that is no string.
  struct Gathered {
    uint64_t count = 0;
    uint64_t before = 0;        // the size of the last item in a ziplist
    uint64_t packed = 0;        // bytes of items in a container
    uint64_t asked = 0;         // for what is not packed: in all...
    uint64_t allocated = 0;     // ...and as allocated
    uint64_t nodes = 0;         // of a list
    uint64_t node_items = 0;    // of the last one
    uint64_t packed_items = 0;  // before the first that had to be in a table: fields, members
    uint64_t ttl_fields = 0;
    uint64_t ttl_items = 0;      // bytes of items for expiries
    Footprint whole;             // what is certain already
    unsigned integer_width = 2;  // of the members of a set
    bool may_pack = true;
    bool all_integers = true;
  };

  void reset();
  [[nodiscard]] const MemoryLayout& layout() const { return costs_.layout(); }
  [[nodiscard]] bool is_shared(int64_t number) const {
    constexpr int64_t kSharedEnd = 10000;
    return layout().has_shared_numbers && number >= 0 && number < kSharedEnd;
  }

  void pack(Bytes item) {
    value_.packed +=
        layout().packed == PackedForm::listpack ? listpack_(item) : ZiplistSizes::of(item, value_.before);
  }
  void allocate(uint64_t bytes) {
    value_.asked += bytes;
    value_.allocated += costs_.sizes()(bytes);
  }
  // A string that is an element of a value.
  void allocate_string(Bytes text) {
    if (layout().members_are_objects) [[unlikely]]
      return allocate_object(text);
    value_.allocated += costs_.string_allocated(text.size());
    if (layout().reports_asked_strings) value_.asked += costs_.string_bytes(text.size());
  }
  void allocate_object(Bytes text);
  void allocate_joined(const HashField& field);
  void pack_field(const HashField& field);
  void pack_score(double score);
  void close_node();
  [[nodiscard]] uint64_t node_overhead(uint64_t size) const;

  [[nodiscard]] uint64_t embedded_key() const;
  [[nodiscard]] Footprint key_and_object(uint64_t object) const;
  [[nodiscard]] Footprint string() const;
  [[nodiscard]] Footprint string_in_object() const;
  [[nodiscard]] Footprint container(uint64_t empty) const;
  [[nodiscard]] Footprint elements() const;
  [[nodiscard]] Footprint list();
  [[nodiscard]] Footprint set() const;
  [[nodiscard]] Footprint sorted_set() const;
  [[nodiscard]] Footprint hash() const;
  [[nodiscard]] uint64_t old_buckets(uint64_t elements, uint64_t more) const;
  [[nodiscard]] uint64_t old_buckets_of_set() const;
  [[nodiscard]] uint64_t old_buckets_of_hash() const;
  [[nodiscard]] Footprint value();

  MemoryCosts costs_;
  ListpackSizes listpack_;
  Footprint entry_;  // of a table
  // What a node of a skiplist takes in the mean over its levels, by what it contains besides them, in steps
  // of 8 bytes; sixteenths of a byte.
  std::array<uint32_t, 65> skiplist_nodes_{};
  DoubleStyle double_style_;
  IntegerShortcut integer_shortcut_;

  ValueType type_{};
  StringForm string_form_{};
  bool is_volatile_ = false;
  uint64_t key_size_ = 0;
  uint64_t string_size_ = 0;
  Gathered value_;
  StreamMemory stream_;
};

inline uint64_t MemoryModel::node_overhead(uint64_t size) const {
  constexpr uint64_t kListpackItem = 8;
  if (layout().packed == PackedForm::listpack) return kListpackItem;
  return (size < 254 ? 1U : 5U) + (size < 64 ? 1U : size < 16384 ? 2U : 5U);
}

inline void MemoryModel::add(const ListItem& item) {
  ++value_.count;
  const uint64_t size = item.value.size();
  if (!layout().quicklists) [[unlikely]] {
    value_.may_pack = value_.may_pack && layout().packs_lists && value_.count <= kLimits.list_entries &&
                      size <= kLimits.list_value;
    if (value_.may_pack) pack(item.value);
    return allocate_object(item.value);
  }
  if (size > kNodeBytesMax && layout().plain_nodes) [[unlikely]] {
    close_node();
    value_.may_pack = false;
    ++value_.nodes;
    value_.whole += costs_.structure(layout().quicklist_node);
    value_.whole += costs_.buffer(size);
    return;
  }
  const uint64_t empty =
      layout().packed == PackedForm::listpack ? ListpackSizes::kEmpty : ZiplistSizes::kEmpty;
  if (value_.node_items > 0 && empty + value_.packed + size + node_overhead(size) > kNodeBytesMax)
    close_node();
  ++value_.node_items;
  pack(item.value);
}

inline void MemoryModel::add(const SetMember& member) {
  ++value_.count;
  if (value_.count <= kLimits.set_ints && value_.may_pack) {
    const std::optional<int64_t> number = item_integer(member.member);
    if (number) {
      const unsigned width = item_integer_width(*number);
      value_.integer_width = std::max(value_.integer_width, width == 3 ? 4 : width);
      value_.packed += ListpackSizes::of_integer(*number);
    } else {
      if (value_.all_integers) value_.packed_items = value_.count - 1;
      value_.all_integers = false;
      value_.packed += listpack_.of_string(member.member.size());
      value_.may_pack = layout().packs_sets && member.member.size() <= kLimits.set_value;
    }
    if (!value_.all_integers && value_.count > kLimits.set_entries) value_.may_pack = false;
  } else {
    value_.may_pack = false;
  }
  allocate_string(member.member);
}

inline void MemoryModel::add(const SortedSetMember& member) {
  ++value_.count;
  if (value_.may_pack) {
    value_.may_pack = layout().packs_zsets && value_.count <= kLimits.zset_entries &&
                      member.member.size() <= kLimits.zset_value;
    if (value_.may_pack) {
      pack(member.member);
      pack_score(member.score);
    }
  }
  if (!layout().node_has_member) return allocate_string(member.member);
  const uint64_t more = costs_.string_bytes(member.member.size()) + 1;
  const size_t step = (more + 7) / 8;
  value_.allocated +=
      step < skiplist_nodes_.size() ? skiplist_nodes_[step] : (more << 4) + skiplist_nodes_.front();
}

inline void MemoryModel::add(const HashField& field) {
  ++value_.count;
  const bool expires = field.expire_at_ms != kNoExpiry && layout().has_field_ttl;
  if (expires) [[unlikely]] {
    ++value_.ttl_fields;
    value_.ttl_items += ListpackSizes::of_integer(field.expire_at_ms);
    if (!layout().packs_field_ttl) value_.may_pack = false;
  }
  if (value_.may_pack) pack_field(field);
  if (layout().hash_form == HashForm::joined) return allocate_joined(field);
  allocate_string(field.value);
  constexpr uint64_t kExpiryInFront = 18;
  if (expires) [[unlikely]]
    return allocate(costs_.string_bytes(field.field.size()) + kExpiryInFront);
  allocate_string(field.field);
}

inline void MemoryModel::pack_field(const HashField& field) {
  value_.may_pack = value_.count <= kLimits.hash_entries &&
                    std::max(field.field.size(), field.value.size()) <= kLimits.hash_value;
  if (!value_.may_pack) {
    value_.packed_items = value_.count - 1;
    return;
  }
  if (layout().packed_hash == PackedForm::zipmap) {
    value_.packed += ZipmapSizes::of(field.field, field.value);
    return;
  }
  pack(field.field);
  pack(field.value);
}

}  // namespace persist
