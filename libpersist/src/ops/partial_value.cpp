// What the decoder told before it gave up is gathered, rid of what no server would take, and encoded anew.
#include "ops/partial_value.hpp"

#include <algorithm>
#include <cmath>
#include <unordered_set>

#include "ops/no_findings.hpp"
#include "ops/value_checker.hpp"
#include "rdb/record_encoder.hpp"

namespace persist {

namespace {

// Of those with the same name, the last one: it would have overwritten the others.
template <typename T, typename Name>
void keep_last(std::vector<T>& all, Name name) {
  std::unordered_set<Bytes> seen;
  std::vector<T> kept;
  for (auto it = all.rbegin(); it != all.rend(); ++it)
    if (seen.insert(name(*it)).second) kept.push_back(*it);
  std::ranges::reverse(kept);
  all = std::move(kept);
}

// Who owned what is pending is told behind it, and may be lost. `has_nacks`: its layout has a place for what
// was handed back.
void mend_stream(StreamContent& stream, bool has_nacks) {
  for (GroupValue& group : stream.groups) {
    std::erase_if(group.pending, [&](const StreamPending& pending) {
      return !pending.consumer && !(has_nacks && pending.nack_rank);
    });
  }
  std::vector<StreamEntry> ascending;
  for (const StreamEntry& entry : stream.entries)
    if (ascending.empty() || entry.id > ascending.back().id) ascending.push_back(entry);
  stream.entries = std::move(ascending);
  stream.info.length = stream.entries.size();
  if (!stream.entries.empty()) stream.info.last_id = std::max(stream.info.last_id, stream.entries.back().id);
  if (stream.info.first_id && !stream.entries.empty()) stream.info.first_id = stream.entries.front().id;
}

void mend(Value& value, bool has_nacks) {
  keep_last(value.fields, [](const HashField& field) { return field.field; });
  std::erase_if(value.members, [](const SortedSetMember& member) { return std::isnan(member.score); });
  keep_last(value.members, [](const SortedSetMember& member) { return member.member; });
  if (value.type == ValueType::zset) std::ranges::sort(value.members, is_ranked_before);
  if (value.type == ValueType::set) keep_last(value.items, [](Bytes member) { return member; });
  if (value.type == ValueType::stream) mend_stream(value.stream, has_nacks);
}

bool is_sound(const Value& value, const Encoding& encoding) {
  ValueChecker checker(0);
  checker.begin(encoding);
  value.tell([&](const Element& told) { checker.add(told); });
  checker.end([&](ElementSink again) { value.tell(again); });
  return std::ranges::none_of(
      checker.flaws(), [](const Flaw& flaw) { return finding_kind(flaw.code).severity == Severity::error; });
}

// The target whose files have that header, or the nearest one that such a file can be written for.
const Target& target_of(const RdbHeader& header) {
  const Target* reads = nullptr;
  for (const Target& target : targets()) {
    const RdbHeader its = target.header();
    if (its.dialect != header.dialect || its.version > header.version) continue;
    if (reads == nullptr || its.version > reads->header().version) reads = &target;
  }
  return reads != nullptr ? *reads : targets().front();
}

}  // namespace

std::optional<PartialRecord> keep_part(ByteSource& source, const RdbState& state) {
  NoFindings said_before;
  RecordReader records(source, state, said_before);
  const RdbRecord* record = records.next_head();
  const auto* entry = record != nullptr ? std::get_if<RdbEntry>(&record->body) : nullptr;
  if (entry == nullptr) return std::nullopt;
  const ValueType type = entry->encoding->type;
  if (type == ValueType::string || type == ValueType::module) return std::nullopt;
  RdbEntry head = *entry;
  const std::string key(entry->key);
  const std::string key_meta(entry->key_meta);
  head.key = key;
  head.key_meta = key_meta;
  Value value;
  value.begin(type);
  records.read_value([&](const Element& told) { value.add(told); });
  mend(value, head.encoding->since <= state.version);
  if (value.count() == 0 || !is_sound(value, *head.encoding)) return std::nullopt;
  ByteBuffer made;
  const WriteRules rules{&target_of({state.dialect, state.version}), {}, true};
  if (choose_encoding(value, rules) == nullptr) return std::nullopt;
  RecordEncoder(made, rules).entry(head, value);
  return PartialRecord{std::string(made.bytes()), value.count()};
}

}  // namespace persist
