// What becomes of the sums at the end of a value. Where a structure is charged, its size on 64-bit machines
// is given.
#include "engine/memory_model.hpp"

#include <cmath>

namespace persist {

namespace {

constexpr uint64_t kQuicklistBytes = 40;
constexpr uint64_t kLinkedListBytes = 48;
constexpr uint64_t kListNodeBytes = 24;
constexpr uint64_t kIntsetBytes = 8;
constexpr uint64_t kSortedSetBytes = 16;
constexpr uint64_t kSkiplistBytes = 32;
constexpr uint64_t kSkiplistNodeBytes = 24;  // member, score, the node before
constexpr uint64_t kSkiplistLevelBytes = 16;
constexpr unsigned kSkiplistLevels = 32;
constexpr uint64_t kFieldTtlContainerBytes = 32;  // around a container with expiries
constexpr uint64_t kFieldTtlTableBytes = 32;      // behind a table whose fields have expiries
constexpr unsigned kMeanBits = 4;                 // sixteenths

uint64_t mean_node_sixteenths(const AllocatorSizes& sizes, uint64_t bytes_without_levels) {
  constexpr double kHigher = 0.25;
  double share = 1 - kHigher;
  double mean = 0;
  for (unsigned level = 1; level <= kSkiplistLevels; ++level, share *= kHigher)
    mean += share * static_cast<double>(sizes(bytes_without_levels + level * kSkiplistLevelBytes));
  return static_cast<uint64_t>(std::lround(mean * (1U << kMeanBits)));
}

// A length as RDB has it; absent if it is none.
std::optional<uint64_t> take_length(Bytes& rest) {
  if (rest.empty()) return std::nullopt;
  const auto first = static_cast<uint8_t>(rest[0]);
  constexpr uint8_t kOneByteEnd = 0x40;
  constexpr uint8_t kTwoBytesEnd = 0x80;
  const size_t more = first < kOneByteEnd ? 0 : first < kTwoBytesEnd ? 1 : first == 0x80 ? 4 : 8;
  if (first > 0x81 || rest.size() <= more) return std::nullopt;
  uint64_t length = first < kTwoBytesEnd ? first & 0x3fU : 0;
  for (size_t i = 1; i <= more; ++i) length = length << 8 | static_cast<uint8_t>(rest[i]);
  rest.remove_prefix(1 + more);
  return length;
}

// Vectors in layers of a graph, each linked to its neighbours. The payload begins with four numbers:
// dimension, elements, quantisation with links, flags.
std::optional<uint64_t> vector_set_bytes(Bytes payload) {
  constexpr uint64_t kSetBytes = 400;
  constexpr uint64_t kNodeBytes = 336;
  constexpr uint64_t kNameBytes = 96;  // the element's string and what finds it
  constexpr uint64_t kLayerBytes = 32;
  constexpr uint64_t kPointerBytes = 8;
  constexpr uint64_t kUsualLinks = 16;
  constexpr uint64_t kElementBytesMin = 4;
  std::array<uint64_t, 4> shape{};
  for (uint64_t& number : shape) {
    constexpr uint64_t kUnsigned = 2;
    if (take_length(payload) != kUnsigned) return std::nullopt;
    const std::optional<uint64_t> found = take_length(payload);
    if (!found) return std::nullopt;
    number = *found;
  }
  const uint64_t elements = std::min<uint64_t>(shape[1], payload.size() / kElementBytesMin);
  const uint64_t dimension = std::min<uint64_t>(shape[0], 32768);
  const uint64_t quantisation = shape[2] & 0xff;
  const uint64_t stated_links = shape[2] >> 8 & 0xffff;
  const uint64_t links = stated_links == 0 ? kUsualLinks : stated_links;
  const uint64_t vector = quantisation == 0 ? dimension * 4 : quantisation == 1 ? dimension : dimension / 8;
  // Twice the links in the lowest layer; a third of all have another layer.
  const uint64_t graph = 2 * links * kPointerBytes + links * kPointerBytes / 3 + kLayerBytes * 4 / 3;
  return kSetBytes + elements * (kNodeBytes + kNameBytes + vector + graph);
}

}  // namespace

MemoryModel::MemoryModel(const Target& server, Allocator allocator)
    : costs_(server, allocator),
      listpack_{server.narrow_backlen},
      entry_(costs_.structure(kEntryBytes)),
      double_style_(double_style(server.family, server.release)),
      integer_shortcut_(integer_shortcut(server.family, server.release)),
      stream_(costs_) {
  constexpr uint64_t kStep = 8;
  const uint64_t head = layout().node_has_member ? kSkiplistNodeBytes - 8 : kSkiplistNodeBytes;
  for (size_t i = 0; i < skiplist_nodes_.size(); ++i)
    skiplist_nodes_[i] = static_cast<uint32_t>(mean_node_sixteenths(costs_.sizes(), head + i * kStep));
}

void MemoryModel::reset() {
  value_ = {};
  if (type_ == ValueType::stream) stream_.clear();
}

// --- Elements -------------------------------------------------------------------------------------------

// Before 4.0, a number or a string with an object of its own.
void MemoryModel::allocate_object(Bytes text) {
  const std::optional<int64_t> number = item_integer(text);
  if (number) {
    if (!is_shared(*number)) allocate(kObjectBytes);
    return;
  }
  const uint64_t bytes = costs_.string_bytes(text.size());
  if (text.size() <= layout().embedded_max && layout().embedded_max > 0) {
    const uint64_t header = layout().short_headers ? MemoryCosts::long_string_bytes(text.size()) : bytes;
    return allocate(kObjectBytes + header);
  }
  allocate(kObjectBytes);
  allocate(bytes);
}

void MemoryModel::allocate_joined(const HashField& field) {
  constexpr uint64_t kJoinedMax = 128;
  constexpr uint64_t kPointerBytes = 8;
  const bool expires = field.expire_at_ms != kNoExpiry && layout().has_field_ttl;
  const uint64_t long_field = MemoryCosts::long_string_bytes(field.field.size());
  const uint64_t name = expires ? long_field + kExpiryBytes : costs_.string_bytes(field.field.size());
  const uint64_t joined = name + MemoryCosts::long_string_bytes(field.value.size());
  if (joined <= kJoinedMax) return allocate(joined);
  allocate(std::max(name, long_field) + kPointerBytes);
  allocate(costs_.string_bytes(field.value.size()));
}

void MemoryModel::pack_score(double score) {
  constexpr double kExact = 1e15;
  if (std::abs(score) < kExact && std::trunc(score) == score && layout().packed == PackedForm::listpack) {
    value_.packed += ListpackSizes::of_integer(static_cast<int64_t>(score));
    return;
  }
  char room[kDoubleTextMax];
  pack(score_to_text(score, double_style_, integer_shortcut_, room));
}

void MemoryModel::close_node() {
  if (value_.node_items == 0) return;
  ++value_.nodes;
  const uint64_t empty =
      layout().packed == PackedForm::listpack ? ListpackSizes::kEmpty : ZiplistSizes::kEmpty;
  value_.whole += costs_.structure(layout().quicklist_node);
  value_.whole += costs_.buffer(empty + value_.packed);
  value_.packed = value_.before = value_.node_items = 0;
}

// Elements are in pages, numbers and what fits a pointer in place.
void MemoryModel::add(const ArrayElement& element) {
  constexpr uint64_t kPlace = 8;
  constexpr size_t kInPlaceMax = 7;
  constexpr uint64_t kPageElements = 4096;
  constexpr uint64_t kPageBytes = 64;
  const uint64_t page = element.index / kPageElements + 1;
  if (page != value_.before) value_.whole += costs_.structure(kPageBytes);
  value_.before = page;
  value_.whole += {kPlace, kPlace};
  if (element.value.size() <= kInPlaceMax || item_integer(element.value)) return;
  value_.whole += costs_.string(element.value.size());
}

void MemoryModel::add(const ModuleValue& value) {
  constexpr Bytes kVectorSet = "vectorset";
  const std::optional<uint64_t> vectors =
      value.module == kVectorSet ? vector_set_bytes(value.payload) : std::nullopt;
  value_.whole += costs_.structure(kObjectBytes);  // type and value
  value_.whole += costs_.buffer(vectors.value_or(value.payload.size()));
}

// --- Key and object -------------------------------------------------------------------------------------

// What a key takes in the object of its value.
uint64_t MemoryModel::embedded_key() const {
  return 1 + costs_.string_bytes(key_size_) + (is_volatile_ ? kExpiryBytes : 0);
}

// `object`: what the value's object takes where it has no key in it.
Footprint MemoryModel::key_and_object(uint64_t object) const {
  Footprint sum;
  if (layout().key_place == KeyPlace::in_object) {
    const uint64_t asked = object + embedded_key();
    const uint64_t allocated = costs_.sizes()(asked);
    return {layout().reports_asked_object ? asked : allocated, allocated};
  }
  if (layout().key_place == KeyPlace::in_entry) {
    constexpr uint64_t kEntryWithoutKey = 17;
    const uint64_t allocated = costs_.sizes()(kEntryWithoutKey + MemoryCosts::long_string_bytes(key_size_));
    sum = {allocated, allocated};
  } else {
    sum = costs_.string(key_size_);
    sum += entry_;
  }
  if (is_volatile_) sum.allocated += entry_.allocated;
  sum += costs_.structure(object);
  return sum;
}

Footprint MemoryModel::string_in_object() const {
  constexpr uint64_t kLongKey = 32;
  if (string_form_ != StringForm::bytes) return key_and_object(kObjectBytes);
  const uint64_t joined_max = key_size_ < kLongKey ? layout().joined_max : layout().joined_long_key;
  if (key_size_ + string_size_ <= joined_max)
    return key_and_object(layout().embedded_object + MemoryCosts::long_string_bytes(string_size_));
  Footprint sum = key_and_object(kObjectBytes);
  sum += costs_.string(string_size_);
  return sum;
}

Footprint MemoryModel::string() const {
  if (layout().key_place == KeyPlace::in_object) return string_in_object();
  if (string_form_ != StringForm::bytes) {
    Footprint sum = key_and_object(kObjectBytes);
    if (string_form_ == StringForm::shared) sum.allocated -= costs_.sizes()(kObjectBytes);
    return sum;
  }
  if (string_size_ > layout().embedded_max || layout().embedded_max == 0) {
    Footprint sum = key_and_object(kObjectBytes);
    sum += costs_.string(string_size_);
    return sum;
  }
  constexpr uint64_t kReportedTail = 2;
  const uint64_t bytes = layout().short_headers ? MemoryCosts::long_string_bytes(string_size_)
                                                : costs_.string_bytes(string_size_);
  Footprint sum = key_and_object(kObjectBytes + bytes);
  sum.reported -= kObjectBytes + bytes;
  sum.reported += layout().reports_asked_blobs ? kObjectBytes + string_size_ + kReportedTail
                                               : costs_.sizes()(kObjectBytes + bytes);
  return sum;
}

// --- Values ---------------------------------------------------------------------------------------------

Footprint MemoryModel::container(uint64_t empty) const { return costs_.buffer(empty + value_.packed); }

Footprint MemoryModel::elements() const {
  return {layout().reports_asked_strings ? value_.asked : value_.allocated, value_.allocated};
}

Footprint MemoryModel::list() {
  if (!layout().quicklists) {
    if (value_.may_pack) return container(ZiplistSizes::kEmpty);
    Footprint sum = costs_.structure(kLinkedListBytes);
    sum += costs_.structure(kListNodeBytes, value_.count);
    sum += elements();
    return sum;
  }
  if (layout().bare_short_lists && value_.may_pack && value_.nodes == 0)
    return container(ListpackSizes::kEmpty);
  close_node();
  Footprint sum = costs_.structure(kQuicklistBytes);
  sum += value_.whole;
  return sum;
}

// Each element that comes to a table that has grown empties one bucket of the table before it. What of that
// is not empty at the end stays: nobody has touched the value since.
uint64_t MemoryModel::old_buckets(uint64_t elements, uint64_t more) const {
  const uint64_t taken = elements - MemoryCosts::in_shared_buckets(elements);
  return more < taken ? costs_.bucket_bytes(elements) : 0;
}

// Up to 7.0, a short set is loaded as integers until a member is none. A table is made for those so far, then
// one for all.
uint64_t MemoryModel::old_buckets_of_set() const {
  const uint64_t before = value_.packed_items;
  if (layout().lone_members || before == 0 || value_.count > kLimits.set_ints) return 0;
  if (costs_.bucket_bytes(before) == costs_.bucket_bytes(value_.count)) return 0;
  return old_buckets(before, value_.count - before);
}

Footprint MemoryModel::set() const {
  if (value_.may_pack && value_.all_integers && layout().packs_integers)
    return costs_.buffer(kIntsetBytes + value_.count * value_.integer_width);
  if (value_.may_pack && value_.count <= kLimits.set_entries && layout().packs_sets)
    return container(ListpackSizes::kEmpty);
  Footprint sum = costs_.table(value_.count);
  sum += elements();
  if (layout().wide_buckets) return sum;
  const uint64_t old_buckets = old_buckets_of_set();
  sum += {old_buckets, old_buckets};
  if (!layout().lone_members) {
    sum += costs_.structure(kEntryBytes, value_.count);
    return sum;
  }
  constexpr uint64_t kShortEntryBytes = 16;
  const uint64_t allocated = costs_.sizes()(kShortEntryBytes) * MemoryCosts::in_shared_buckets(value_.count);
  sum.allocated += allocated;
  sum.reported += layout().key_place == KeyPlace::in_entry ? allocated : kEntryBytes * value_.count;
  return sum;
}

Footprint MemoryModel::sorted_set() const {
  if (value_.may_pack)
    return container(layout().packed == PackedForm::listpack ? ListpackSizes::kEmpty : ZiplistSizes::kEmpty);
  const Footprint buckets = costs_.table(value_.count);
  Footprint sum = costs_.structure(kSortedSetBytes);
  sum += costs_.structure(kSkiplistBytes);
  const uint64_t header = costs_.sizes()(kSkiplistNodeBytes + kSkiplistLevels * kSkiplistLevelBytes);
  sum += {header, header};
  sum += buckets;
  if (!layout().reports_skiplist) sum.reported = kSortedSetBytes + buckets.reported - layout().table;
  if (layout().node_has_member) {
    const uint64_t nodes = value_.allocated >> kMeanBits;
    sum += {nodes, nodes};
    return sum;
  }
  const uint64_t nodes = value_.count * skiplist_nodes_.front() >> kMeanBits;
  sum += {nodes, nodes};
  sum += costs_.structure(kEntryBytes, value_.count);
  sum += elements();
  return sum;
}

// A short hash is loaded into a container until a field is too long for it. The table that then takes over is
// made for the fields so far, or for those to come if they are more, so that it may have to grow.
uint64_t MemoryModel::old_buckets_of_hash() const {
  if (value_.count > kLimits.hash_entries || layout().wide_buckets) return 0;
  const uint64_t to_come = value_.count - value_.packed_items - 1;
  uint64_t made_for = std::max(value_.packed_items, MemoryCosts::kFewestBuckets);
  if (to_come > made_for) made_for = to_come;
  const uint64_t buckets = std::bit_ceil(std::max(value_.count, MemoryCosts::kFewestBuckets));
  if (std::bit_ceil(made_for) >= buckets) return 0;
  const uint64_t old = buckets / 2;
  return old_buckets(old, value_.count - old);
}

Footprint MemoryModel::hash() const {
  if (value_.may_pack) {
    if (layout().packed_hash == PackedForm::zipmap) return container(ZipmapSizes::kEmpty);
    if (layout().packed_hash == PackedForm::ziplist) return container(ZiplistSizes::kEmpty);
    if (value_.ttl_fields == 0) return container(ListpackSizes::kEmpty);
    const uint64_t none = (value_.count - value_.ttl_fields) * ListpackSizes::of_integer(0);
    Footprint sum = container(ListpackSizes::kEmpty + value_.ttl_items + none);
    sum += costs_.buffer(kFieldTtlContainerBytes);
    return sum;
  }
  Footprint sum = costs_.table(value_.count);
  sum += elements();
  const uint64_t old_buckets = old_buckets_of_hash();
  sum += {old_buckets, old_buckets};
  if (!layout().wide_buckets) sum += costs_.structure(kEntryBytes, value_.count);
  // And what finds those that expire first: a pointer each.
  if (value_.ttl_fields > 0)
    sum.allocated += costs_.sizes()(kFieldTtlTableBytes) + value_.ttl_fields * kExpiryBytes;
  return sum;
}

Footprint MemoryModel::value() {
  switch (type_) {
    case ValueType::list:
      return list();
    case ValueType::set:
      return set();
    case ValueType::zset:
      return sorted_set();
    case ValueType::hash:
      return hash();
    case ValueType::stream:
      return stream_.total();
    case ValueType::string:
    case ValueType::array:
    case ValueType::module:
      break;
  }
  return value_.whole;
}

Footprint MemoryModel::end() {
  Footprint sum;
  if (type_ == ValueType::string) {
    sum = string();
  } else {
    sum = key_and_object(kObjectBytes);
    sum += value();
  }
  if (!layout().reports) sum.reported = sum.allocated;
  return sum;
}

uint64_t MemoryModel::tables(uint64_t keys, uint64_t volatile_keys) const {
  uint64_t bytes = costs_.bucket_bytes(keys) + costs_.bucket_bytes(volatile_keys);
  constexpr uint64_t kShortEntryBytes = 16;
  if (layout().lone_keys) {
    const uint64_t shared =
        MemoryCosts::in_shared_buckets(keys) + MemoryCosts::in_shared_buckets(volatile_keys);
    bytes += shared * costs_.sizes()(kShortEntryBytes);
  }
  return bytes;
}

}  // namespace persist
