// How each element is written down.
#include "support/notation.hpp"

#include <charconv>
#include <cmath>

namespace persist::test {

namespace {

constexpr char kDigits[] = "0123456789abcdef";

std::string shown(double score) {
  if (std::isnan(score)) return "nan";
  char room[32];
  return {room, std::to_chars(room, room + sizeof room, score).ptr};
}

template <typename T>
std::string or_dash(const std::optional<T>& number) {
  return number ? std::to_string(*number) : "-";
}

struct Frame {
  const char* open;
  const char* close;
};

Frame frame_of(ValueType type) {
  switch (type) {
    case ValueType::string:
      return {"string ", ""};
    case ValueType::list:
      return {"list[", "]"};
    case ValueType::set:
      return {"set{", "}"};
    case ValueType::zset:
      return {"zset{", "}"};
    case ValueType::hash:
      return {"hash{", "}"};
    case ValueType::stream:
      return {"stream{", "}"};
    case ValueType::array:
      return {"array{", "}"};
    case ValueType::module:
      return {"module{", "}"};
  }
  return {"", ""};
}

}  // namespace

std::string shown(Bytes bytes) {
  if (bytes.empty()) return "\"\"";
  std::string text;
  for (const char c : bytes) {
    const bool plain = c > ' ' && c <= '~' && Bytes("\\\"{}[]=:@*>").find(c) == Bytes::npos;
    if (plain) {
      text += c;
    } else {
      const auto byte = static_cast<uint8_t>(c);
      text += {'\\', 'x', kDigits[byte >> 4], kDigits[byte & 15]};
    }
  }
  return text;
}

std::string shown(StreamId id) { return std::to_string(id.ms) + "-" + std::to_string(id.seq); }

void Notation::begin(ValueType type) {
  type_ = type;
  text_ = frame_of(type).open;
  behind_.clear();
  first_ = true;
  inside_ = false;
}

void Notation::add(const Element& element) {
  std::visit([this](const auto& told) { put(told); }, element);
}

std::string Notation::end() {
  close_inner();
  if (!behind_.empty()) item(behind_);
  return text_ + frame_of(type_).close;
}

void Notation::item(const std::string& text) {
  if (!first_) text_ += ' ';
  text_ += text;
  first_ = false;
}

void Notation::close_inner() {
  if (inside_) text_ += '}';
  inside_ = first_ = false;
  if (text_.back() == '{' || text_.back() == '[' || type_ == ValueType::string) first_ = true;
}

void Notation::put(const StringValue& value) { item('"' + std::string(value.value) + '"'); }
void Notation::put(const ListItem& listed) { item(shown(listed.value)); }
void Notation::put(const SetMember& member) { item(shown(member.member)); }
void Notation::put(const SortedSetMember& member) { item(shown(member.member) + ":" + shown(member.score)); }

void Notation::put(const HashField& field) {
  const std::string expiry =
      field.expire_at_ms == kNoExpiry ? std::string() : "@" + std::to_string(field.expire_at_ms);
  item(shown(field.field) + "=" + shown(field.value) + expiry);
}

void Notation::put(const StreamInfo& info) {
  item("length=" + std::to_string(info.length) + " last=" + shown(info.last_id));
  if (info.first_id) item("first=" + shown(*info.first_id));
  if (info.max_deleted_id) item("deleted=" + shown(*info.max_deleted_id));
  if (info.entries_added) item("added=" + std::to_string(*info.entries_added));
}

void Notation::put(const StreamEntry& entry) {
  std::string fields;
  for (const StreamField& field : entry.fields)
    fields += (fields.empty() ? "" : " ") + shown(field.field) + "=" + shown(field.value);
  item(shown(entry.id) + "{" + fields + "}");
}

void Notation::put(const StreamGroup& group) {
  close_inner();
  item("group " + shown(group.name) + "@" + shown(group.last_id));
  if (group.has_entries_read) text_ += " read=" + or_dash(group.entries_read);
  text_ += '{';
  inside_ = first_ = true;
}

void Notation::put(const StreamPending& pending) {
  item(shown(pending.id) + ">" + (pending.consumer ? shown(*pending.consumer) : "-") + "*" +
       std::to_string(pending.delivery_count) + "@" + std::to_string(pending.delivery_time_ms));
  if (pending.nack_rank) text_ += " nack=" + std::to_string(*pending.nack_rank);
}

void Notation::put(const StreamConsumer& consumer) {
  item("consumer " + shown(consumer.name) + " seen=" + std::to_string(consumer.seen_time_ms));
  if (consumer.has_active_time) text_ += " active=" + or_dash(consumer.active_time_ms);
}

void Notation::put(const StreamProducer& producer) {
  close_inner();
  item("producer " + shown(producer.id) + "{");
  inside_ = first_ = true;
}

void Notation::put(const StreamIid& iid) { item(shown(iid.iid) + "=" + shown(iid.id)); }

void Notation::put(const StreamIdmp& idmp) {
  close_inner();
  item("idmp=" + std::to_string(idmp.duration_s) + "s/" + std::to_string(idmp.max_entries) +
       " iids=" + std::to_string(idmp.iids_added) + "+" + std::to_string(idmp.iids_duplicates));
}

void Notation::put(const ArrayInfo& info) {
  if (info.insert_index) behind_ = "next=" + std::to_string(*info.insert_index);
}

void Notation::put(const ArrayElement& element) {
  item(std::to_string(element.index) + "=" + shown(element.value));
}

void Notation::put(const ModuleValue& value) {
  item(std::string(value.module) + "/" + std::to_string(value.encver) + " " +
       std::to_string(value.payload.size()) + " bytes");
}

std::string notation_of(RdbReader& reader, const RdbEntry& entry) {
  std::string line;
  if (entry.db != 0) line += "db" + std::to_string(entry.db) + " ";
  if (entry.expire_at_ms != kNoExpiry) line += "@" + std::to_string(entry.expire_at_ms) + " ";
  if (entry.expiry_in_seconds) line += "seconds ";
  if (entry.idle_s) line += "idle=" + std::to_string(*entry.idle_s) + " ";
  if (entry.freq) line += "freq=" + std::to_string(*entry.freq) + " ";
  if (!entry.key_meta.empty()) line += "meta=" + std::to_string(entry.key_meta.size()) + " ";
  Notation notation;
  notation.begin(entry.encoding->type);
  const std::string head = line + shown(entry.key) + " = ";
  reader.visit([&](const Element& element) { notation.add(element); });
  return head + notation.end();
}

Told tell(ByteSource& source) {
  Told told;
  FindingList findings;
  RdbReader reader(source, findings);
  while (const RdbRecord* record = reader.next()) {
    if (const auto* entry = std::get_if<RdbEntry>(&record->body))
      told.lines.push_back(notation_of(reader, *entry));
  }
  for (const Finding& finding : findings.all) told.findings.emplace_back(finding.kind().id);
  told.complete = reader.complete();
  return told;
}

Told tell(Bytes file) { return tell(*memory_source(file)); }

std::string notation_of_payload(Bytes payload) {
  const DumpPayload about = read_dump_payload(payload, [](const Element&) {});
  Notation notation;
  notation.begin(about.encoding->type);
  read_dump_payload(payload, [&](const Element& element) { notation.add(element); });
  return notation.end();
}

}  // namespace persist::test
