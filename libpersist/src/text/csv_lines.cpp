// A row is gathered first, then written column by column.
#include "text/csv_lines.hpp"

#include <algorithm>
#include <cmath>

#include "text/json_string.hpp"

namespace persist {

namespace {

constexpr Bytes kCsvHeader =
    "db,key,type,expire_at_ms,idle_s,freq,part,index,id,owner,name,value,score,time_ms,count,base64\r\n";

bool is_csv_text(Bytes bytes) { return bytes.find('\0') == Bytes::npos && is_json_text(bytes); }

// Puts quotes around what would be taken for something else, and doubles those inside.
void append_quoted_if_needed(ByteBuffer& out, Bytes text) {
  if (text.find_first_of(",\"\r\n") == Bytes::npos) return out.append(text);
  out.append('"');
  for (size_t at = 0; at < text.size();) {
    const size_t quote = std::min(text.find('"', at), text.size());
    out.append(text.substr(at, quote - at));
    if (quote < text.size()) out.append("\"\"");
    at = quote + 1;
  }
  out.append('"');
}

void append_csv_score(ByteBuffer& out, double score) {
  if (std::isfinite(score)) return append_json_double(out, score);
  out.append(std::isnan(score) ? Bytes("nan") : score > 0 ? Bytes("inf") : Bytes("-inf"));
}

}  // namespace

// What is absent leaves its column empty.
struct CsvLines::Row {
  Bytes part;
  std::optional<uint64_t> index = std::nullopt;
  std::optional<StreamId> id = std::nullopt;
  Bytes owner = {};
  Bytes name = {};
  Bytes value = {};
  std::optional<double> score = std::nullopt;
  std::optional<int64_t> time_ms = std::nullopt;
  std::optional<uint64_t> count = std::nullopt;
  bool value_is_binary = false;
};

bool append_csv_string(ByteBuffer& out, Bytes bytes) {
  if (is_csv_text(bytes)) {
    append_quoted_if_needed(out, bytes);
    return false;
  }
  put_json_base64(out, bytes);
  return true;
}

void append_csv_header(ByteBuffer& out) { out.append(kCsvHeader); }

void CsvLines::begin(const RdbEntry& entry) {
  begin_ = out_.size();
  items_ = 0;
  owner_.clear();
  head_.clear();
  head_.append_number(entry.db);
  head_.append(',');
  key_is_base64_ = append_csv_string(head_, entry.key);
  head_.append(',');
  head_.append(value_type_name(entry.encoding->type));
  head_.append(',');
  if (entry.expire_at_ms != kNoExpiry) head_.append_number(entry.expire_at_ms);
  head_.append(',');
  if (entry.idle_s) head_.append_number(*entry.idle_s);
  head_.append(',');
  if (entry.freq) head_.append_number(unsigned{*entry.freq});
}

void CsvLines::write_library(Bytes code) {
  head_.clear();
  head_.append(",,function,,,");
  key_is_base64_ = false;
  Row row{"library"};
  row.value = code;
  write(row);
}

void CsvLines::add(const Element& element) {
  std::visit([this](const auto& told) { put(told); }, element);
}

template <typename T>
void CsvLines::put_number(const std::optional<T>& number) {
  out_.append(',');
  if (number) out_.append_number(*number);
}

void CsvLines::put_string(Bytes bytes, Bytes column, bool as_base64) {
  out_.append(',');
  if (as_base64)
    put_json_base64(out_, bytes);
  else
    as_base64 = append_csv_string(out_, bytes);
  if (as_base64) base64_.append(column);
}

void CsvLines::write(const Row& row) {
  base64_.clear();
  if (key_is_base64_) base64_.append("key ");
  out_.append(head_.bytes());
  out_.append(',');
  out_.append(row.part);
  put_number(row.index);
  out_.append(',');
  if (row.id) {
    out_.append_number(row.id->ms);
    out_.append('-');
    out_.append_number(row.id->seq);
  }
  put_string(row.owner, "owner ");
  put_string(row.name, "name ");
  put_string(row.value, "value ", row.value_is_binary);
  out_.append(',');
  if (row.score) append_csv_score(out_, *row.score);
  put_number(row.time_ms);
  put_number(row.count);
  out_.append(',');
  const Bytes columns = base64_.bytes();
  out_.append(columns.substr(0, columns.size() - std::min<size_t>(columns.size(), 1)));
  out_.append("\r\n");
}

// ------------------------------------------------------------------------------------------------ plain
// types

void CsvLines::put(const StringValue& value) { write({.part = "string", .value = value.value}); }

void CsvLines::put(const ListItem& item) { write({.part = "item", .index = items_++, .value = item.value}); }

void CsvLines::put(const SetMember& member) { write({.part = "member", .name = member.member}); }

void CsvLines::put(const SortedSetMember& member) {
  write({.part = "member", .name = member.member, .score = member.score});
}

void CsvLines::put(const HashField& field) {
  Row row{.part = "field", .name = field.field, .value = field.value};
  if (field.expire_at_ms != kNoExpiry) row.time_ms = field.expire_at_ms;
  write(row);
}

void CsvLines::put(const ArrayInfo& info) {
  if (info.insert_index) write({.part = "cursor", .index = info.insert_index});
}

void CsvLines::put(const ArrayElement& element) {
  write({.part = "element", .index = element.index, .value = element.value});
}

void CsvLines::put(const ModuleValue& value) {
  write({.part = "module",
         .index = value.encver,
         .name = value.module,
         .value = value.payload,
         .value_is_binary = true});
}

// ------------------------------------------------------------------------------------------------ streams

void CsvLines::put(const StreamInfo& info) { write({.part = "stream", .id = info.last_id}); }

void CsvLines::put(const StreamEntry& entry) {
  if (entry.fields.empty()) write({.part = "bare-entry", .id = entry.id});
  for (const StreamField& field : entry.fields)
    write({.part = "entry", .id = entry.id, .name = field.field, .value = field.value});
}

void CsvLines::put(const StreamGroup& group) {
  owner_.assign(group.name);
  write({.part = "group", .id = group.last_id, .name = group.name});
}

void CsvLines::put(const StreamPending& pending) {
  write({.part = "pending",
         .index = pending.nack_rank,
         .id = pending.id,
         .owner = owner_,
         .name = pending.consumer.value_or(Bytes()),
         .time_ms = pending.delivery_time_ms,
         .count = pending.delivery_count});
}

void CsvLines::put(const StreamConsumer& consumer) {
  write({.part = "consumer", .owner = owner_, .name = consumer.name, .time_ms = consumer.seen_time_ms});
}

void CsvLines::put(const StreamProducer& producer) {
  owner_.assign(producer.id);
  write({.part = "producer", .name = producer.id});
}

void CsvLines::put(const StreamIid& iid) {
  write({.part = "iid", .id = iid.id, .owner = owner_, .name = iid.iid});
}

void CsvLines::put(const StreamIdmp& /*idmp*/) {}

}  // namespace persist
