// What a value must be whoever wrote it down: the limits are those of the decoders of RDB files and of
// servers that load them. man/persist-rdb.5, INTEGRITY
#include <algorithm>
#include <cmath>

#include "text/json_value.hpp"

namespace persist {

namespace {

constexpr uint64_t kIdmpDurationMax = 86400;
constexpr uint64_t kIdmpEntriesMax = 10000;

template <typename Things, typename Name>
void require_unique(const Things& things, Name name_of, const char* subject, NameTable& names) {
  names.begin(things.size());
  for (const auto& thing : things) {
    const Bytes name = name_of(thing);
    if (!names.add(name))
      refuse_json(FindingCode::json_duplicate, subject, "each one once", quoted_text(name) + " twice");
  }
}

void require_scores(const std::vector<SortedSetMember>& members) {
  for (const SortedSetMember& member : members) {
    if (std::isnan(member.score))
      refuse_json(FindingCode::json_value, "score", "a number", "NaN of " + quoted_text(member.member));
  }
}

// Elements of an array may stand in any order.
void require_indexes(const std::vector<ArrayElement>& elements) {
  const auto not_below = [](const ArrayElement& a, const ArrayElement& b) { return a.index >= b.index; };
  if (std::ranges::adjacent_find(elements, not_below) == elements.end()) return;
  std::vector<uint64_t> indexes(elements.size());
  std::ranges::transform(elements, indexes.begin(), &ArrayElement::index);
  std::ranges::sort(indexes);
  const auto twice = std::ranges::adjacent_find(indexes);
  if (twice == indexes.end()) return;
  refuse_json(FindingCode::json_duplicate, "index", "each one once", std::to_string(*twice) + " twice");
}

// Ascending, each once.
template <typename Things>
void require_order(const Things& things, const char* subject) {
  const auto wrong = std::ranges::adjacent_find(
      things, [](const auto& before, const auto& after) { return before.id >= after.id; });
  if (wrong == things.end()) return;
  refuse_json(FindingCode::json_value, subject, "an ID above " + shown_id(wrong->id),
              shown_id(std::next(wrong)->id));
}

// The ranks of those that nobody owns are 0, 1, 2... in any order.
void require_ranks(std::vector<uint64_t>& ranks) {
  std::ranges::sort(ranks);
  for (size_t i = 0; i < ranks.size(); ++i) {
    if (ranks[i] != i) {
      refuse_json(FindingCode::json_value, "nack_rank", "each number from 0 on once",
                  std::to_string(ranks[i]));
    }
  }
}

void require_pending(const GroupValue& group, const NameTable& consumers) {
  require_order(group.pending, "pending entry");
  std::vector<uint64_t> ranks;
  for (const StreamPending& pending : group.pending) {
    if (pending.consumer.has_value() == pending.nack_rank.has_value()) {
      refuse_json(FindingCode::json_value, "pending entry", "a consumer or a nack_rank",
                  shown_id(pending.id) + (pending.consumer ? " with both" : " without either"));
    }
    if (pending.nack_rank) ranks.push_back(*pending.nack_rank);
    if (pending.consumer && !consumers.find(*pending.consumer)) {
      refuse_json(FindingCode::json_value, "pending entry", "one of the group's consumers",
                  quoted_text(*pending.consumer));
    }
  }
  require_ranks(ranks);
}

void require_range(uint64_t number, uint64_t most, const char* subject) {
  if (number >= 1 && number <= most) return;
  refuse_json(FindingCode::json_value, subject, "1 to " + std::to_string(most), std::to_string(number));
}

void require_stream(const StreamContent& stream, NameTable& names) {
  require_order(stream.entries, "entry");
  if (!stream.entries.empty() && stream.entries.back().id > stream.info.last_id) {
    refuse_json(FindingCode::json_value, "entry", "an ID up to last_id, " + shown_id(stream.info.last_id),
                shown_id(stream.entries.back().id));
  }
  if (stream.info.length != stream.entries.size()) {
    refuse_json(FindingCode::json_value, "stream length", std::to_string(stream.info.length),
                std::to_string(stream.entries.size()) + " entries");
  }
  require_unique(
      stream.groups, [](const GroupValue& group) { return group.head.name; }, "group", names);
  for (const GroupValue& group : stream.groups) {
    require_unique(
        group.consumers, [](const StreamConsumer& one) { return one.name; }, "consumer", names);
    require_pending(group, names);
  }
  require_unique(
      stream.producers, [](const ProducerValue& one) { return one.id; }, "producer", names);
  for (const ProducerValue& producer : stream.producers)
    require_unique(
        producer.iids, [](const StreamIid& one) { return one.iid; }, "iid", names);
  if (!stream.idmp) return;
  require_range(stream.idmp->duration_s, kIdmpDurationMax, "duration_s");
  require_range(stream.idmp->max_entries, kIdmpEntriesMax, "max_entries");
}

}  // namespace

void require_sound(const Value& value, NameTable& names) {
  if (value.is_void()) refuse_json(FindingCode::json_value, "value", "at least one element", "none");
  switch (value.type) {
    case ValueType::set:
      return require_unique(
          value.items, [](Bytes member) { return member; }, "member", names);
    case ValueType::zset:
      require_scores(value.members);
      return require_unique(
          value.members, [](const SortedSetMember& one) { return one.member; }, "member", names);
    case ValueType::hash:
      return require_unique(
          value.fields, [](const HashField& one) { return one.field; }, "field", names);
    case ValueType::stream:
      return require_stream(value.stream, names);
    case ValueType::array:
      return require_indexes(value.elements);
    default:
      return;
  }
}

}  // namespace persist
