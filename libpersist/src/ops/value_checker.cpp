// The checks, one overload an element. man/persist-rdb.5, INTEGRITY
#include "ops/value_checker.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

namespace persist {

namespace {

std::string id_text(StreamId id) { return std::to_string(id.ms) + "-" + std::to_string(id.seq); }

std::string quoted_bytes(Bytes bytes) {
  constexpr size_t kShown = 64;
  std::string text = "\"" + std::string(bytes.substr(0, kShown)) + "\"";
  if (bytes.size() > kShown) text += "...";
  return text;
}

// The part of an element that must be unique within its value, if it has one.
std::optional<Bytes> unique_part(const Element& element) {
  if (const auto* member = std::get_if<SetMember>(&element)) return member->member;
  if (const auto* member = std::get_if<SortedSetMember>(&element)) return member->member;
  if (const auto* field = std::get_if<HashField>(&element)) return field->field;
  return std::nullopt;
}

FindingCode duplicate_code(ValueType type) {
  if (type == ValueType::set) return FindingCode::set_duplicate;
  if (type == ValueType::zset) return FindingCode::zset_duplicate;
  return FindingCode::hash_duplicate;
}

}  // namespace

Finding Flaw::at(const std::string& file, Extent extent, const Encoding& encoding) const {
  Finding finding;
  finding.code = code;
  finding.file = file;
  finding.extent = extent;
  finding.subject = subject;
  finding.expected = expected;
  finding.found = found;
  finding.record = std::string(encoding.label);
  return finding;
}

void ValueChecker::begin(const Encoding& encoding) {
  flaws_.clear();
  type_ = encoding.type;
  const bool keyed = type_ == ValueType::set || type_ == ValueType::zset || type_ == ValueType::hash;
  must_be_sorted_ = type_ == ValueType::zset && (encoding.name == "ziplist" || encoding.name == "listpack");
  may_repeat_ = keyed && encoding.name != "intset";
  count_ = 0;
  field_expiries_ = 0;
  in_group_ = false;
  id_ = {};
  if (type_ == ValueType::stream || may_repeat_) members_.begin();
  if (type_ == ValueType::stream) groups_.begin();
}

void ValueChecker::add(const Element& element) {
  std::visit([this](const auto& told) { check(told); }, element);
}

void ValueChecker::flaw(FindingCode code, std::string subject, std::string expected, std::string found) {
  const bool said = std::ranges::any_of(flaws_, [&](const Flaw& earlier) { return earlier.code == code; });
  if (said || flaws_.size() >= kFlawsMax) return;
  flaws_.push_back({code, std::move(subject), std::move(expected), std::move(found)});
}

void ValueChecker::end(FunctionRef<void(ElementSink)> visit) {
  const bool collection = type_ == ValueType::list || may_repeat_;
  if (collection && count_ == 0) {
    flaw(FindingCode::rdb_empty_value, std::string(value_type_name(type_)), "at least one element", "none");
  }
  if (type_ == ValueType::stream) end_stream();
  if (!may_repeat_) return;
  if (const std::optional<uint64_t> suspect = members_.suspect()) confirm_duplicate(*suspect, visit);
}

// Equal hashes are not yet equal members.
void ValueChecker::confirm_duplicate(uint64_t suspect, FunctionRef<void(ElementSink)> visit) {
  std::vector<std::string> seen;
  visit([&](const Element& element) {
    const std::optional<Bytes> part = unique_part(element);
    if (!part || members_.hash_of(*part) != suspect) return;
    if (std::ranges::find(seen, *part) == seen.end())
      seen.emplace_back(*part);
    else
      flaw(duplicate_code(type_), type_ == ValueType::hash ? "field" : "member", "each one once",
           quoted_bytes(*part) + " twice");
  });
}

// ------------------------------------------------------------------------------------------------ plain
// types

void ValueChecker::check(const StringValue& /*value*/) {}

void ValueChecker::check(const ListItem& /*item*/) { ++count_; }

void ValueChecker::check(const SetMember& member) {
  ++count_;
  if (may_repeat_) members_.add(member.member);
}

void ValueChecker::check(const SortedSetMember& member) {
  if (std::isnan(member.score))
    flaw(FindingCode::zset_nan, "score", "a number", "NaN of " + quoted_bytes(member.member));
  if (must_be_sorted_) check_order(member);
  ++count_;
  members_.add(member.member);
}

// By score, then by the bytes of the member.
void ValueChecker::check_order(const SortedSetMember& member) {
  const bool before =
      count_ > 0 && (member.score < score_ || (member.score == score_ && member.member < member_));
  if (before) {
    flaw(FindingCode::zset_order, "sorted set", "members by ascending score and name",
         quoted_bytes(member.member) + " behind " + quoted_bytes(member_));
  }
  score_ = member.score;
  member_.assign(member.member);
}

void ValueChecker::check(const HashField& field) {
  ++count_;
  if (field.expire_at_ms != kNoExpiry) ++field_expiries_;
  members_.add(field.field);
}

void ValueChecker::check(const ArrayInfo& /*info*/) {}

void ValueChecker::check(const ArrayElement& /*element*/) { ++count_; }

void ValueChecker::check(const ModuleValue& value) { module_ = value.module; }

// ------------------------------------------------------------------------------------------------ streams

void ValueChecker::check(const StreamInfo& info) { stream_ = info; }

void ValueChecker::check(const StreamEntry& entry) {
  if (count_ > 0 && entry.id <= id_) {
    flaw(FindingCode::stream_order, "stream entry", "an ID above " + id_text(id_), id_text(entry.id));
  }
  if (entry.id > stream_.last_id) {
    flaw(FindingCode::stream_last_id, "stream entry", "an ID up to " + id_text(stream_.last_id),
         id_text(entry.id));
  }
  id_ = entry.id;
  ++count_;
}

void ValueChecker::check(const StreamGroup& group) {
  end_consumers();
  in_group_ = true;
  groups_.add(group.name);
  consumers_.begin();
}

void ValueChecker::check(const StreamPending& pending) {
  if (!pending.consumer && !pending.nack_rank) {
    flaw(FindingCode::stream_unowned, "pending entry", "a consumer that owns it",
         id_text(pending.id) + " without one");
  }
}

void ValueChecker::check(const StreamConsumer& consumer) { consumers_.add(consumer.name); }

void ValueChecker::check(const StreamProducer& producer) { members_.add(producer.id); }

void ValueChecker::check(const StreamIid& /*iid*/) {}

void ValueChecker::check(const StreamIdmp& /*idmp*/) {}

// Names in a stream are few; their 48-bit hashes are taken at their word.
void ValueChecker::end_consumers() {
  if (in_group_ && consumers_.suspect()) {
    flaw(FindingCode::stream_duplicate_consumer, "consumers of a group", "each name once", "a name twice");
  }
}

void ValueChecker::end_stream() {
  end_consumers();
  if (groups_.suspect())
    flaw(FindingCode::stream_duplicate_group, "groups", "each name once", "a name twice");
  if (members_.suspect()) flaw(FindingCode::stream_idmp, "producers", "each id once", "an id twice");
  if (count_ != stream_.length) {
    flaw(FindingCode::stream_length, "stream length", std::to_string(stream_.length),
         std::to_string(count_) + " entries");
  }
}

}  // namespace persist
