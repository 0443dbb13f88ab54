// One value held as a whole: its elements, gathered, whatever layout they came from and whatever layout or
// command they go to. All Bytes in it are valid until begin() or the end of the value.
#pragma once

#include <cmath>
#include <optional>
#include <vector>

#include "base/arena.hpp"
#include "persist/element.hpp"
#include "persist/encoding.hpp"

namespace persist {

struct GroupValue {
  StreamGroup head;
  std::vector<StreamPending> pending;  // ascending by ID
  std::vector<StreamConsumer> consumers;
};

struct ProducerValue {
  Bytes id;
  std::vector<StreamIid> iids;  // oldest first
};

struct StreamContent {
  StreamInfo info;
  std::vector<StreamEntry> entries;  // ascending
  std::vector<GroupValue> groups;
  std::vector<ProducerValue> producers;
  std::optional<StreamIdmp> idmp;

  void clear();
};

// The order of a sorted set: by score, then by bytes. What is no number, which no server lets in, comes last.
[[nodiscard]] inline bool is_ranked_before(const SortedSetMember& a, const SortedSetMember& b) {
  const bool a_is_none = std::isnan(a.score);
  const bool b_is_none = std::isnan(b.score);
  if (a_is_none != b_is_none) return b_is_none;
  if (!a_is_none && a.score != b.score) return a.score < b.score;
  return a.member < b.member;
}

struct Value {
  Value() = default;
  Value(const Value&) = delete;
  Value& operator=(const Value&) = delete;

  // Forgets what was there but not the memory for it.
  void begin(ValueType of_type);
  // In the order in which decoders tell them.
  void add(const Element& element);

  // Tells it as decoders do.
  void tell(ElementSink out) const;

  // Nothing in it, so that no server would keep it. A stream may be.
  [[nodiscard]] bool is_void() const;
  // Items, members, fields, entries, elements; 1 for strings and modules.
  [[nodiscard]] size_t count() const;
  [[nodiscard]] bool has_field_ttl() const;

  // The same value always in the same order: members and fields by their bytes, scores first.
  void sort();

  ValueType type = ValueType::string;
  Bytes text;                            // of a string
  std::vector<Bytes> items;              // of a list; members of a set
  std::vector<SortedSetMember> members;  // of a sorted set
  std::vector<HashField> fields;
  StreamContent stream;
  std::optional<uint64_t> insert_index;  // of an array
  std::vector<ArrayElement> elements;    // of an array
  ModuleValue module{};
  size_t longest = 0;  // bytes of the longest item, member, field or value of a field
  Arena arena;
};

}  // namespace persist
