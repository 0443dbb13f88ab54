// Type by type. What is equal here is what the full digest of persist-digest(1) takes for equal, except that
// all scores that are no number are one.
#include "ops/value_difference.hpp"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cmath>
#include <tuple>

#include "engine/module_digest.hpp"
#include "ops/difference_maker.hpp"
#include "ops/list_difference.hpp"
#include "ops/stream_difference.hpp"

namespace persist {

namespace {

// --- Order ---------------------------------------------------------------------------------------------
// What is there twice, as only damage has it, is ordered by all that it says.

template <typename T, typename Rank>
void sort_by(std::vector<T>& all, Rank rank) {
  if (!std::ranges::is_sorted(all, {}, rank)) std::ranges::sort(all, {}, rank);
}

void sort_value(Value& value) {
  if (value.type == ValueType::set) sort_by(value.items, [](Bytes member) { return member; });
  sort_by(value.members, [](const SortedSetMember& member) {
    return std::tuple(member.member, std::bit_cast<uint64_t>(member.score));
  });
  sort_by(value.fields,
          [](const HashField& field) { return std::tuple(field.field, field.value, field.expire_at_ms); });
  sort_by(value.elements,
          [](const ArrayElement& element) { return std::tuple(element.index, element.value); });
}

// --- Each type -------------------------------------------------------------------------------------------

void compare_strings(const Value& a, const Value& b, DifferenceMaker& out) {
  if (a.text != b.text && out.takes()) out.make({DiffPart::string, {}, {}}, {{a.text}}, {{b.text}});
}

void make_items(const std::vector<Bytes>& items, const std::vector<bool>& changed, size_t& at, bool in_a,
                DifferenceMaker& out) {
  for (; at < items.size() && changed[at]; ++at) {
    if (!out.takes()) continue;
    Difference& made = in_a ? out.make({DiffPart::item, {}, {}}, {{items[at]}}, {})
                            : out.make({DiffPart::item, {}, {}}, {}, {{items[at]}});
    (in_a ? made.a : made.b).index = at;
  }
}

// From the beginning to the end, what goes before what comes in its place.
void compare_lists(const Value& a, const Value& b, DifferenceMaker& out) {
  const ListChanges changes = find_list_changes(a.items, b.items);
  size_t in_a = 0;
  size_t in_b = 0;
  while (in_a < a.items.size() || in_b < b.items.size()) {
    make_items(a.items, changes.gone, in_a, true, out);
    make_items(b.items, changes.come, in_b, false, out);
    if (in_a < a.items.size()) ++in_a;
    if (in_b < b.items.size()) ++in_b;
  }
}

void compare_sets(const Value& a, const Value& b, DifferenceMaker& out) {
  walk_sides(
      a.items, b.items, [](Bytes member) { return member; },
      [&](const Bytes* in_a, const Bytes* in_b) {
        if ((in_a != nullptr && in_b != nullptr) || !out.takes()) return;
        out.make_missing({DiffPart::member, *(in_a != nullptr ? in_a : in_b), {}}, in_a != nullptr);
      });
}

bool same_score(double a, double b) {
  return std::bit_cast<uint64_t>(a) == std::bit_cast<uint64_t>(b) || (std::isnan(a) && std::isnan(b));
}

void compare_sorted_sets(const Value& a, const Value& b, DifferenceMaker& out) {
  const auto words = [&](const SortedSetMember* member) {
    return member == nullptr ? DifferenceMaker::Words() : DifferenceMaker::Words({out.text(member->score)});
  };
  walk_sides(
      a.members, b.members, [](const SortedSetMember& member) { return member.member; },
      [&](const SortedSetMember* in_a, const SortedSetMember* in_b) {
        const bool in_both = in_a != nullptr && in_b != nullptr;
        if (in_both && same_score(in_a->score, in_b->score)) return;
        if (!out.takes()) return;
        const Bytes member = (in_a != nullptr ? in_a : in_b)->member;
        out.make({in_both ? DiffPart::score : DiffPart::member, member, {}}, words(in_a), words(in_b));
      });
}

void compare_fields(const HashField& a, const HashField& b, DifferenceMaker& out) {
  if (a.value != b.value && out.takes()) out.make({DiffPart::field, a.field, {}}, {{a.value}}, {{b.value}});
  const CompareRules& rules = out.rules();
  if (!rules.field_ttl || expiries_agree(a.expire_at_ms, b.expire_at_ms, rules.ttl_tolerance_ms)) return;
  if (!out.takes()) return;
  const auto words = [&](const HashField& field) {
    std::vector<Bytes> made;
    if (field.expire_at_ms != kNoExpiry) made.push_back(out.text(field.expire_at_ms));
    return made;
  };
  out.make({DiffPart::field_expiry, a.field, {}}, words(a), words(b));
}

void compare_hashes(const Value& a, const Value& b, DifferenceMaker& out) {
  const auto words = [](const HashField* field) {
    return field == nullptr ? DifferenceMaker::Words() : DifferenceMaker::Words({field->value});
  };
  walk_sides(
      a.fields, b.fields, [](const HashField& field) { return field.field; },
      [&](const HashField* in_a, const HashField* in_b) {
        if (in_a != nullptr && in_b != nullptr) return compare_fields(*in_a, *in_b, out);
        if (!out.takes()) return;
        const Bytes field = (in_a != nullptr ? in_a : in_b)->field;
        out.make({DiffPart::field, field, {}}, words(in_a), words(in_b));
      });
}

void compare_arrays(const Value& a, const Value& b, DifferenceMaker& out) {
  constexpr uint64_t kNone = ~uint64_t{0};  // of 2^64 - 1, too, digests think that it is none
  if (a.insert_index.value_or(kNone) != b.insert_index.value_or(kNone) && out.takes()) {
    const auto words = [&](const Value& value) {
      std::vector<Bytes> made;
      if (value.insert_index) made.push_back(out.text(*value.insert_index));
      return made;
    };
    out.make({DiffPart::insert_index, {}, {}}, words(a), words(b));
  }
  const auto words = [](const ArrayElement* element) {
    return element == nullptr ? DifferenceMaker::Words() : DifferenceMaker::Words({element->value});
  };
  walk_sides(
      a.elements, b.elements, [](const ArrayElement& element) { return element.index; },
      [&](const ArrayElement* in_a, const ArrayElement* in_b) {
        if (in_a != nullptr && in_b != nullptr && in_a->value == in_b->value) return;
        if (!out.takes()) return;
        const uint64_t index = (in_a != nullptr ? in_a : in_b)->index;
        out.make({DiffPart::element, out.text(index), {}}, words(in_a), words(in_b));
      });
}

Sha1Hash meaning_of(const ModuleValue& value) {
  FieldHash fields;
  add_module_fields(value, fields);
  return fields.finish();
}

void compare_modules(const ModuleValue& a, const ModuleValue& b, DifferenceMaker& out) {
  if (a.module == b.module && a.encver == b.encver && a.payload == b.payload) return;
  if (meaning_of(a) == meaning_of(b) || !out.takes()) return;
  const auto words = [&](const ModuleValue& value) {
    return std::vector<Bytes>{value.module, out.text(value.encver), value.payload};
  };
  out.make({DiffPart::payload, {}, {}}, words(a), words(b));
}

}  // namespace

bool expiries_agree(int64_t a, int64_t b, int64_t tolerance_ms) {
  if (a == b || a == kNoExpiry || b == kNoExpiry) return a == b;
  const auto [earlier, later] = std::minmax(a, b);
  // The distance of two 64-bit numbers may take 64 bits itself.
  return static_cast<uint64_t>(later) - static_cast<uint64_t>(earlier) <= static_cast<uint64_t>(tolerance_ms);
}

CompareRules CompareRules::of(const DiffOptions& options) {
  const auto looks_at = [&](DiffIgnore ignore) {
    return std::ranges::find(options.ignored, ignore) == options.ignored.end();
  };
  return {.field_ttl = looks_at(DiffIgnore::field_ttl),
          .groups = looks_at(DiffIgnore::groups),
          .counters = looks_at(DiffIgnore::counters),
          .idmp = looks_at(DiffIgnore::idmp),
          .ttl_tolerance_ms = options.ttl_tolerance_ms,
          .differences_max = options.differences_max,
          .word_bytes_max = options.word_bytes_max};
}

void compare_values(Value& a, Value& b, const CompareRules& rules, ValueDifferences& out) {
  assert(a.type == b.type);
  sort_value(a);
  sort_value(b);
  DifferenceMaker maker(rules, out);
  switch (a.type) {
    case ValueType::string:
      return compare_strings(a, b, maker);
    case ValueType::list:
      return compare_lists(a, b, maker);
    case ValueType::set:
      return compare_sets(a, b, maker);
    case ValueType::zset:
      return compare_sorted_sets(a, b, maker);
    case ValueType::hash:
      return compare_hashes(a, b, maker);
    case ValueType::stream:
      return compare_streams(a.stream, b.stream, maker);
    case ValueType::array:
      return compare_arrays(a, b, maker);
    case ValueType::module:
      return compare_modules(a.module, b.module, maker);
  }
}

}  // namespace persist
