// The alphabet in which every value is told, whatever its encoding: a reader walks a value in the order of
// the file and pushes these. Bytes in an element are valid only during the call that hands it over.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <variant>

#include "persist/bytes.hpp"
#include "persist/function_ref.hpp"

namespace persist {

// Expiries are absolute, milliseconds since the Unix epoch. This value stands for "none": what the format
// itself uses.
inline constexpr int64_t kNoExpiry = -1;

struct StreamId {
  uint64_t ms = 0;
  uint64_t seq = 0;
  auto operator<=>(const StreamId&) const = default;  // NOLINT(modernize-use-nullptr): a false alarm
};

struct StringValue {
  Bytes value;
};
struct ListItem {
  Bytes value;
};
struct SetMember {
  Bytes member;
};
struct SortedSetMember {
  Bytes member;
  double score;
};
struct HashField {
  Bytes field;
  Bytes value;
  int64_t expire_at_ms = kNoExpiry;
};

// A stream is told as one StreamInfo, its live entries in ascending order, then group by group: a
// StreamGroup, its pending entries, its consumers; last, where the encoding has it, idempotency: each
// StreamProducer with its StreamIids, oldest first, then StreamIdmp.
struct StreamInfo {
  uint64_t length = 0;
  StreamId last_id;
  std::optional<StreamId> first_id;  // absent where the encoding does not store it
  std::optional<StreamId> max_deleted_id;
  std::optional<uint64_t> entries_added;
};
struct StreamField {
  Bytes field;
  Bytes value;
};
struct StreamEntry {
  StreamId id;
  std::span<const StreamField> fields;
};
struct StreamGroup {
  Bytes name;
  StreamId last_id;
  bool has_entries_read = false;         // false: the encoding does not store it
  std::optional<uint64_t> entries_read;  // absent: unknown to the server
};
struct StreamPending {
  StreamId id;
  std::optional<Bytes> consumer;  // absent: nobody owns it
  int64_t delivery_time_ms = 0;
  uint64_t delivery_count = 0;
  std::optional<uint64_t> nack_rank;  // place in the group's NACK zone, from 0
};
struct StreamConsumer {
  Bytes name;
  int64_t seen_time_ms = 0;
  bool has_active_time = false;
  std::optional<int64_t> active_time_ms;  // absent: never active
};
struct StreamIdmp {
  uint64_t duration_s = 0;
  uint64_t max_entries = 0;
  uint64_t iids_added = 0;
  uint64_t iids_duplicates = 0;
};
// What a stream has of it that nobody has configured and no producer has used.
inline constexpr StreamIdmp kIdmpAsNew{100, 100, 0, 0};
[[nodiscard]] constexpr bool has_settings_as_new(const StreamIdmp& idmp) {
  return idmp.duration_s == kIdmpAsNew.duration_s && idmp.max_entries == kIdmpAsNew.max_entries;
}
struct StreamProducer {
  Bytes id;
};
struct StreamIid {
  Bytes iid;
  StreamId id;  // the entry it produced
};

// An array is told as one ArrayInfo, then its elements in the order of the file.
struct ArrayInfo {
  std::optional<uint64_t> insert_index;
};
struct ArrayElement {
  uint64_t index = 0;
  Bytes value;
};

// A value that only its module understands, kept as it stands in the file behind the module id, end mark
// included.
struct ModuleValue {
  Bytes module;  // nine characters
  uint32_t encver = 0;
  Bytes payload;
};

using Element = std::variant<StringValue, ListItem, SetMember, SortedSetMember, HashField, StreamInfo,
                             StreamEntry, StreamGroup, StreamPending, StreamConsumer, StreamProducer,
                             StreamIid, StreamIdmp, ArrayInfo, ArrayElement, ModuleValue>;

// Whether an element is one of those that a value is counted by: items, members, fields, stream entries...
[[nodiscard]] inline bool is_item(const Element& element) {
  return std::holds_alternative<StringValue>(element) || std::holds_alternative<ListItem>(element) ||
         std::holds_alternative<SetMember>(element) || std::holds_alternative<SortedSetMember>(element) ||
         std::holds_alternative<HashField>(element) || std::holds_alternative<StreamEntry>(element) ||
         std::holds_alternative<ArrayElement>(element) || std::holds_alternative<ModuleValue>(element);
}

using ElementSink = FunctionRef<void(const Element&)>;

}  // namespace persist
