// Streams part by part: entries, what is known of the stream, groups, producers. What an encoding does not
// store is what servers make of its absence.
#include "ops/stream_difference.hpp"

#include <algorithm>
#include <array>
#include <tuple>

#include "base/endian.hpp"
#include "ops/list_difference.hpp"

namespace persist {

namespace {

using Words = DifferenceMaker::Words;

// --- Order ---------------------------------------------------------------------------------------------
// What has the same name twice, as only damage has it, is ordered by all that is in it.

auto rank_of(const StreamPending& pending) {
  return std::tuple(pending.id, pending.consumer, pending.delivery_time_ms, pending.delivery_count,
                    pending.nack_rank);
}
auto rank_of(const StreamConsumer& consumer) { return consumer.name; }
auto rank_of(const StreamIid& iid) { return std::tuple(iid.iid, iid.id); }

constexpr auto kRanksBefore = [](const auto& a, const auto& b) { return rank_of(a) < rank_of(b); };

template <typename Part>
bool ranks_before(const std::vector<Part>& a, const std::vector<Part>& b) {
  return std::ranges::lexicographical_compare(a, b, kRanksBefore);
}

bool group_ranks_before(const GroupValue& a, const GroupValue& b) {
  const auto head = [](const GroupValue& group) {
    return std::tuple(group.head.name, group.head.last_id, group.head.entries_read);
  };
  if (head(a) != head(b)) return head(a) < head(b);
  if (ranks_before(a.consumers, b.consumers)) return true;
  if (ranks_before(b.consumers, a.consumers)) return false;
  return ranks_before(a.pending, b.pending);
}

bool producer_ranks_before(const ProducerValue& a, const ProducerValue& b) {
  return a.id != b.id ? a.id < b.id : ranks_before(a.iids, b.iids);
}

void sort_stream(StreamContent& stream) {
  if (!std::ranges::is_sorted(stream.entries, {}, &StreamEntry::id))
    std::ranges::stable_sort(stream.entries, {}, &StreamEntry::id);
  for (GroupValue& group : stream.groups) {
    if (!std::ranges::is_sorted(group.pending, kRanksBefore)) std::ranges::sort(group.pending, kRanksBefore);
    std::ranges::sort(group.consumers, kRanksBefore);
  }
  std::ranges::sort(stream.groups, group_ranks_before);
  std::ranges::sort(stream.producers, producer_ranks_before);
}

// --- Entries and what is known of the stream -------------------------------------------------------------

bool same_fields(const StreamEntry& a, const StreamEntry& b) {
  return std::ranges::equal(a.fields, b.fields, [](const StreamField& one, const StreamField& other) {
    return one.field == other.field && one.value == other.value;
  });
}

Words entry_words(const StreamEntry* entry) {
  if (entry == nullptr) return {};
  std::vector<Bytes> words;
  words.reserve(2 * entry->fields.size());
  for (const StreamField& field : entry->fields) words.insert(words.end(), {field.field, field.value});
  return words;
}

void compare_entries(const StreamContent& a, const StreamContent& b, DifferenceMaker& out) {
  walk_sides(
      a.entries, b.entries, [](const StreamEntry& entry) { return entry.id; },
      [&](const StreamEntry* in_a, const StreamEntry* in_b) {
        if (in_a != nullptr && in_b != nullptr && same_fields(*in_a, *in_b)) return;
        if (!out.takes()) return;
        const StreamId id = (in_a != nullptr ? in_a : in_b)->id;
        out.make({DiffPart::entry, out.text(id), {}}, entry_words(in_a), entry_words(in_b));
      });
}

// `T` is something that there is a text of.
template <typename T>
void compare_parts(const DifferenceMaker::About& about, T a, T b, DifferenceMaker& out) {
  if (a == b || !out.takes()) return;
  out.make(about, {{out.text(a)}}, {{out.text(b)}});
}

void compare_info(const StreamInfo& a, const StreamInfo& b, DifferenceMaker& out) {
  compare_parts({DiffPart::last_id, {}, {}}, a.last_id, b.last_id, out);
  compare_parts({DiffPart::max_deleted_id, {}, {}}, a.max_deleted_id.value_or(StreamId{}),
                b.max_deleted_id.value_or(StreamId{}), out);
  compare_parts({DiffPart::entries_added, {}, {}}, a.entries_added.value_or(a.length),
                b.entries_added.value_or(b.length), out);
}

// --- Groups ----------------------------------------------------------------------------------------------

// The fourth word is the place in the group's NACK zone, of what is there.
Words pending_words(const StreamPending* pending, DifferenceMaker& out) {
  if (pending == nullptr) return {};
  std::vector<Bytes> words = {pending->consumer.value_or(Bytes()), out.text(pending->delivery_time_ms),
                              out.text(pending->delivery_count)};
  if (pending->nack_rank) words.push_back(out.text(*pending->nack_rank));
  return words;
}

void compare_pending(const GroupValue& a, const GroupValue& b, DifferenceMaker& out) {
  walk_sides(
      a.pending, b.pending, [](const StreamPending& pending) { return pending.id; },
      [&](const StreamPending* in_a, const StreamPending* in_b) {
        if (in_a != nullptr && in_b != nullptr && rank_of(*in_a) == rank_of(*in_b)) return;
        if (!out.takes()) return;
        const StreamId id = (in_a != nullptr ? in_a : in_b)->id;
        out.make({DiffPart::pending, out.text(id), a.head.name}, pending_words(in_a, out),
                 pending_words(in_b, out));
      });
}

Words entries_read_words(const StreamGroup& group, DifferenceMaker& out) {
  std::vector<Bytes> words;
  if (group.entries_read) words.push_back(out.text(*group.entries_read));
  return words;
}

// What encodings write where the number of entries read is unknown.
constexpr uint64_t kUnknown = ~uint64_t{0};

void compare_group(const GroupValue& a, const GroupValue& b, DifferenceMaker& out) {
  compare_parts({DiffPart::group_last_id, a.head.name, {}}, a.head.last_id, b.head.last_id, out);
  if (a.head.entries_read.value_or(kUnknown) != b.head.entries_read.value_or(kUnknown) && out.takes())
    out.make({DiffPart::entries_read, a.head.name, {}}, entries_read_words(a.head, out),
             entries_read_words(b.head, out));
  walk_sides(
      a.consumers, b.consumers, [](const StreamConsumer& consumer) { return consumer.name; },
      [&](const StreamConsumer* in_a, const StreamConsumer* in_b) {
        if ((in_a != nullptr && in_b != nullptr) || !out.takes()) return;
        const Bytes name = (in_a != nullptr ? in_a : in_b)->name;
        out.make_missing({DiffPart::consumer, name, a.head.name}, in_a != nullptr);
      });
  compare_pending(a, b, out);
}

void compare_groups(const StreamContent& a, const StreamContent& b, DifferenceMaker& out) {
  walk_sides(
      a.groups, b.groups, [](const GroupValue& group) { return group.head.name; },
      [&](const GroupValue* in_a, const GroupValue* in_b) {
        if (in_a != nullptr && in_b != nullptr) return compare_group(*in_a, *in_b, out);
        if (!out.takes()) return;
        const Bytes name = (in_a != nullptr ? in_a : in_b)->head.name;
        out.make_missing({DiffPart::group, name, {}}, in_a != nullptr);
      });
}

// --- Idempotency -----------------------------------------------------------------------------------------
// The order of a producer's iids is their age, and part of the value.

struct PlacedIid {
  StreamIid iid;
  uint64_t index = 0;
};

// Those that are not the same in both, by iid.
std::vector<PlacedIid> changed_iids(const ProducerValue& producer, const std::vector<bool>& changed) {
  std::vector<PlacedIid> iids;
  for (size_t i = 0; i < changed.size(); ++i)
    if (changed[i]) iids.push_back({producer.iids[i], i});
  std::ranges::stable_sort(iids, {}, [](const PlacedIid& placed) { return placed.iid.iid; });
  return iids;
}

// Each as bytes that are the same where iid and ID are.
std::vector<Bytes> iid_items(const ProducerValue& producer, Arena& room) {
  std::vector<Bytes> items;
  items.reserve(producer.iids.size());
  for (const StreamIid& iid : producer.iids) {
    const std::span<char> item = room.make<char>(2 * sizeof(uint64_t) + iid.iid.size());
    store_le(item.data(), iid.id.ms);
    store_le(item.data() + sizeof(uint64_t), iid.id.seq);
    std::ranges::copy(iid.iid, item.data() + 2 * sizeof(uint64_t));
    items.emplace_back(item.data(), item.size());
  }
  return items;
}

Words iid_words(const PlacedIid* placed, DifferenceMaker& out) {
  if (placed == nullptr) return {};
  return {{out.text(placed->iid.id)}};
}

void compare_iids(const ProducerValue& a, const ProducerValue& b, DifferenceMaker& out) {
  Arena room;
  const ListChanges changes = find_list_changes(iid_items(a, room), iid_items(b, room));
  walk_sides(
      changed_iids(a, changes.gone), changed_iids(b, changes.come),
      [](const PlacedIid& placed) { return placed.iid.iid; },
      [&](const PlacedIid* in_a, const PlacedIid* in_b) {
        if (!out.takes()) return;
        const Bytes iid = (in_a != nullptr ? in_a : in_b)->iid.iid;
        Difference& made = out.make({DiffPart::iid, iid, a.id}, iid_words(in_a, out), iid_words(in_b, out));
        if (in_a != nullptr) made.a.index = in_a->index;
        if (in_b != nullptr) made.b.index = in_b->index;
      });
}

void compare_producers(const StreamContent& a, const StreamContent& b, DifferenceMaker& out) {
  walk_sides(
      a.producers, b.producers, [](const ProducerValue& producer) { return producer.id; },
      [&](const ProducerValue* in_a, const ProducerValue* in_b) {
        if (in_a != nullptr && in_b != nullptr) return compare_iids(*in_a, *in_b, out);
        if (!out.takes()) return;
        const Bytes id = (in_a != nullptr ? in_a : in_b)->id;
        out.make_missing({DiffPart::producer, id, {}}, in_a != nullptr);
      });
}

// Settings, then counters.
void compare_idmp(const StreamIdmp& a, const StreamIdmp& b, DifferenceMaker& out) {
  const auto numbers = [](const StreamIdmp& idmp) {
    return std::array{idmp.duration_s, idmp.max_entries, idmp.iids_added, idmp.iids_duplicates};
  };
  if (numbers(a) == numbers(b) || !out.takes()) return;
  const auto words = [&](const StreamIdmp& idmp) {
    std::vector<Bytes> made;
    for (const uint64_t number : numbers(idmp)) made.push_back(out.text(number));
    return made;
  };
  out.make({DiffPart::idmp, {}, {}}, words(a), words(b));
}

}  // namespace

void compare_streams(StreamContent& a, StreamContent& b, DifferenceMaker& out) {
  sort_stream(a);
  sort_stream(b);
  compare_entries(a, b, out);
  if (out.rules().counters) compare_info(a.info, b.info, out);
  if (out.rules().groups) compare_groups(a, b, out);
  if (!out.rules().idmp) return;
  compare_producers(a, b, out);
  compare_idmp(a.idmp.value_or(kIdmpAsNew), b.idmp.value_or(kIdmpAsNew), out);
}

}  // namespace persist
