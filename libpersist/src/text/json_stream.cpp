// Streams: the value of a line with everything that hangs on it.
#include <algorithm>

#include "text/json_value.hpp"

namespace persist {

namespace {

// No command has more than a million words, so no entry has half as many fields.
constexpr size_t kEntryFieldsMax = size_t{1} << 20;

void read_entry(const JsonElement& element, Value& value) {
  enum : size_t { kId, kFields };
  static constexpr JsonMember kNames[] = {{"id"}, {"fields"}};
  const JsonMembers members(element, "entry", kNames);
  const JsonArray pairs = take_array(members[kFields], "fields");
  if (pairs.size() > kEntryFieldsMax) {
    refuse_json(FindingCode::json_value, "fields", "at most " + std::to_string(kEntryFieldsMax),
                std::to_string(pairs.size()));
  }
  const std::span<StreamField> fields = value.arena.make<StreamField>(pairs.size());
  size_t done = 0;
  for (const JsonElement element_pair : pairs) {
    const auto [field, thing] = take_pair(element_pair, "field and value");
    fields[done++] = {take_bytes(field, "field", value.arena), take_bytes(thing, "value", value.arena)};
  }
  value.stream.entries.push_back({take_id(members[kId], "id"), fields});
}

StreamPending read_pending(const JsonElement& element, Arena& arena) {
  enum : size_t { kId, kConsumer, kTime, kCount, kRank };
  static constexpr JsonMember kNames[] = {
      {"id"}, {"consumer"}, {"delivery_time_ms"}, {"delivery_count"}, {"nack_rank", false}};
  const JsonMembers members(element, "pending entry", kNames);
  StreamPending pending;
  pending.id = take_id(members[kId], "id");
  if (!members.is_null(kConsumer)) pending.consumer = take_bytes(members[kConsumer], "consumer", arena);
  pending.delivery_time_ms = take_signed(members[kTime], "delivery_time_ms");
  pending.delivery_count = take_unsigned(members[kCount], "delivery_count");
  if (members.has(kRank)) pending.nack_rank = take_unsigned(members[kRank], "nack_rank");
  return pending;
}

StreamConsumer read_consumer(const JsonElement& element, Arena& arena) {
  enum : size_t { kName, kSeen, kActive };
  static constexpr JsonMember kNames[] = {{"name"}, {"seen_time_ms"}, {"active_time_ms", false}};
  const JsonMembers members(element, "consumer", kNames);
  StreamConsumer consumer;
  consumer.name = take_bytes(members[kName], "name", arena);
  consumer.seen_time_ms = take_signed(members[kSeen], "seen_time_ms");
  consumer.has_active_time = members.has(kActive);
  if (consumer.has_active_time && !members.is_null(kActive))
    consumer.active_time_ms = take_signed(members[kActive], "active_time_ms");
  return consumer;
}

void read_group(const JsonElement& element, Value& value) {
  enum : size_t { kName, kLastId, kEntriesRead, kPending, kConsumers };
  static constexpr JsonMember kNames[] = {
      {"name"}, {"last_id"}, {"entries_read", false}, {"pending"}, {"consumers"}};
  const JsonMembers members(element, "group", kNames);
  GroupValue& group = value.stream.groups.emplace_back();
  group.head.name = take_bytes(members[kName], "name", value.arena);
  group.head.last_id = take_id(members[kLastId], "last_id");
  group.head.has_entries_read = members.has(kEntriesRead);
  if (group.head.has_entries_read && !members.is_null(kEntriesRead))
    group.head.entries_read = take_unsigned(members[kEntriesRead], "entries_read");
  for (const JsonElement pending : take_array(members[kPending], "pending"))
    group.pending.push_back(read_pending(pending, value.arena));
  for (const JsonElement consumer : take_array(members[kConsumers], "consumers"))
    group.consumers.push_back(read_consumer(consumer, value.arena));
}

void read_producer(const JsonElement& element, Value& value) {
  enum : size_t { kId, kIids };
  static constexpr JsonMember kNames[] = {{"id"}, {"iids"}};
  enum : size_t { kIid, kEntry };
  static constexpr JsonMember kIidNames[] = {{"iid"}, {"id"}};
  const JsonMembers members(element, "producer", kNames);
  ProducerValue& producer = value.stream.producers.emplace_back();
  producer.id = take_bytes(members[kId], "id", value.arena);
  for (const JsonElement iid : take_array(members[kIids], "iids")) {
    const JsonMembers parts(iid, "iid", kIidNames);
    const Bytes name = take_bytes(parts[kIid], "iid", value.arena);
    producer.iids.push_back({name, take_id(parts[kEntry], "id")});
  }
}

void read_idmp(const JsonElement& element, Value& value) {
  enum : size_t { kProducers, kDuration, kEntries, kAdded, kDuplicates };
  static constexpr JsonMember kNames[] = {
      {"producers"}, {"duration_s"}, {"max_entries"}, {"iids_added"}, {"iids_duplicates"}};
  const JsonMembers members(element, "idmp", kNames);
  for (const JsonElement producer : take_array(members[kProducers], "producers"))
    read_producer(producer, value);
  value.stream.idmp = StreamIdmp{
      take_unsigned(members[kDuration], "duration_s"), take_unsigned(members[kEntries], "max_entries"),
      take_unsigned(members[kAdded], "iids_added"), take_unsigned(members[kDuplicates], "iids_duplicates")};
}

}  // namespace

void read_json_stream(const JsonElement& element, Value& value) {
  enum : size_t { kLastId, kAdded, kMaxDeleted, kFirstId, kEntries, kGroups, kIdmp };
  static constexpr JsonMember kNames[] = {
      {"last_id"}, {"entries_added", false}, {"max_deleted_id", false}, {"first_id", false}, {"entries"},
      {"groups"},  {"idmp", false}};
  const JsonMembers members(element, "value", kNames);
  StreamInfo& info = value.stream.info;
  info.last_id = take_id(members[kLastId], "last_id");
  if (members.has(kAdded)) info.entries_added = take_unsigned(members[kAdded], "entries_added");
  if (members.has(kMaxDeleted)) info.max_deleted_id = take_id(members[kMaxDeleted], "max_deleted_id");
  if (members.has(kFirstId)) info.first_id = take_id(members[kFirstId], "first_id");
  for (const JsonElement entry : take_array(members[kEntries], "entries")) read_entry(entry, value);
  info.length = value.stream.entries.size();
  for (const JsonElement group : take_array(members[kGroups], "groups")) read_group(group, value);
  if (members.has(kIdmp)) read_idmp(members[kIdmp], value);
}

}  // namespace persist
