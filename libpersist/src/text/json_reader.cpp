// The loop over lines, the lines of keys, and what is said of a line that is not right.
#include "text/json_reader.hpp"

#include <algorithm>
#include <optional>

#include "text/json_record.hpp"
#include "text/json_value.hpp"
#include "text/line_source.hpp"
#include "types/plain_encoding.hpp"

namespace persist {

namespace {

enum EntryMember : size_t {
  kDb,
  kKey,
  kType,
  kEncoding,
  kExpiry,
  kIdle,
  kFreq,
  kValue,
  kFieldExpiries,
  kDump,
};

constexpr JsonMember kEntryNames[] = {
    {"db", false},
    {"key"},
    {"type"},
    {"encoding", false},
    {"expire_at_ms", false},
    {"idle_s", false},
    {"freq", false},
    {"value", false},
    {"field_expire_at_ms", false},
    {"dump", false},
};

ValueType take_type(const JsonElement& element) {
  Bytes name;
  if (element.get_string().get(name) == simdjson::SUCCESS) {
    for (size_t i = 0; i <= static_cast<size_t>(ValueType::module); ++i)
      if (value_type_name(static_cast<ValueType>(i)) == name) return static_cast<ValueType>(i);
  }
  refuse_json(FindingCode::json_value, "type", "a type of values", shown_json(element));
}

int64_t take_expiry(const JsonElement& element) {
  const int64_t expiry = take_signed(element, "expire_at_ms");
  if (expiry == kNoExpiry)
    refuse_json(FindingCode::json_value, "expire_at_ms", "a time, or no such member", "-1");
  return expiry;
}

bool is_blank(Bytes text) { return text.find_first_not_of(" \t\r") == Bytes::npos; }

// The metadata of a key from its line on to that of the key.
struct HeldMeta {
  uint64_t db = 0;
  std::string key;
  std::string payload;
};

}  // namespace

class JsonLinesReader::Lines {
 public:
  Lines(ByteSource& source, FindingSink& findings) : source_(source), findings_(findings), lines_(source) {}

  const RdbRecord* next() {
    while (!ended_) {
      try {
        if (!next_line()) return nullptr;
        if (read_line()) return &record_;
      } catch (const FormatError& error) {
        report(error.finding);
      }
    }
    return nullptr;
  }

  Value& value() { return value_; }
  [[nodiscard]] bool complete() const { return complete_; }

 private:
  // False at the end, however it came.
  bool next_line() {
    while (lines_.next(line_)) {
      if (!line_.ended && source_.damage() != nullptr) break;
      if (!is_blank(line_.text)) return true;
    }
    ended_ = true;
    if (const Finding* damage = source_.damage()) {
      findings_.report(*damage);
      return false;
    }
    if (held_) refuse_held("the end of the lines");
    complete_ = true;
    return false;
  }

  // False if it only says something of the line behind it.
  bool read_line() {
    record_.body = RdbEnd{};
    record_.extent = line_.extent;
    value_.begin(ValueType::string);
    const JsonElement line = parser_.parse(line_.text, line_.behind);
    if (line.is_object() && line.at_key("record").error() == simdjson::SUCCESS) return read_record(line);
    read_entry(line);
    return true;
  }

  bool read_record(const JsonElement& line) {
    if (held_) refuse_held("another line");
    JsonKeyMeta meta;
    const JsonRecord kind = read_json_record(line, record_, meta, value_.arena);
    if (kind == JsonRecord::record) return true;
    if (kind == JsonRecord::key_meta)
      held_ = HeldMeta{meta.db, std::string(meta.key), std::string(meta.payload)};
    return false;
  }

  void read_entry(const JsonElement& line) {
    const JsonMembers members(line, "line", kEntryNames);
    RdbEntry& entry = record_.body.emplace<RdbEntry>();
    const ValueType type = take_type(members[kType]);
    entry.encoding = &plain_encoding(type);
    value_.begin(type);
    if (members.has(kDb)) entry.db = take_db(members[kDb]);
    entry.key = take_bytes(members[kKey], "key", value_.arena);
    entry.value_offset = line_.extent.offset;
    read_attributes(members, entry);
    if (members.has(kValue) == members.has(kDump)) {
      refuse_json(FindingCode::json_member, "line", R"(a member "value" or a member "dump")",
                  members.has(kValue) ? "both" : "neither");
    }
    if (members.has(kDump)) entry.key_meta = read_json_dump(members[kDump], value_);
    if (members.has(kValue)) read_json_value(members[kValue], value_);
    require_sound(value_, names_);
    if (members.has(kFieldExpiries)) read_field_expiries(members);
    take_held(entry);
  }

  void read_attributes(const JsonMembers& members, RdbEntry& entry) {
    constexpr uint64_t kFreqMax = 255;
    if (members.has(kExpiry)) entry.expire_at_ms = take_expiry(members[kExpiry]);
    if (members.has(kIdle)) entry.idle_s = take_unsigned(members[kIdle], "idle_s");
    if (members.has(kFreq))
      entry.freq = static_cast<uint8_t>(take_unsigned(members[kFreq], "freq", kFreqMax));
  }

  void read_field_expiries(const JsonMembers& members) {
    if (value_.type != ValueType::hash || members.has(kDump)) {
      refuse_json(FindingCode::json_member, "line", "field_expire_at_ms beside the value of a hash only",
                  "it elsewhere");
    }
    read_json_field_expiries(members[kFieldExpiries], value_, names_);
  }

  // A line of metadata stands right in front of its key's.
  void take_held(RdbEntry& entry) {
    if (!held_) return;
    if (held_->db != entry.db || held_->key != entry.key) refuse_held(quoted_text(entry.key));
    entry.key_meta = value_.arena.keep(held_->payload);
    held_.reset();
  }

  [[noreturn]] void refuse_held(std::string found) const {
    refuse_json(FindingCode::json_value, "line behind key_meta",
                "that of key " + quoted_text(held_->key) + " in db " + std::to_string(held_->db),
                std::move(found));
  }

  void report(Finding finding) {
    ended_ = true;
    // The last line may have been cut: what then is wrong with it is that.
    if (finding.code == FindingCode::json_syntax && !line_.ended) finding.code = FindingCode::json_truncated;
    finding.file = source_.name();
    finding.extent = line_.extent;
    const std::string line = "line " + std::to_string(line_.number);
    finding.subject = finding.subject.empty() ? line : line + ", " + finding.subject;
    const auto* entry = std::get_if<RdbEntry>(&record_.body);
    if (entry != nullptr && entry->key.data() != nullptr) {  // the key was reached
      finding.db = entry->db;
      finding.key = std::string(entry->key);
      finding.record = std::string(entry->encoding->label);
    }
    findings_.report(finding);
  }

  ByteSource& source_;
  FindingSink& findings_;
  LineSource lines_;
  TextLine line_;
  JsonParser parser_;
  NameTable names_;
  RdbRecord record_;
  Value value_;
  std::optional<HeldMeta> held_;
  bool ended_ = false;
  bool complete_ = false;
};

JsonLinesReader::JsonLinesReader(ByteSource& source, FindingSink& findings)
    : lines_(std::make_unique<Lines>(source, findings)) {}

JsonLinesReader::~JsonLinesReader() = default;

const RdbRecord* JsonLinesReader::next() { return lines_->next(); }

Value& JsonLinesReader::value() { return lines_->value(); }

bool JsonLinesReader::complete() const { return lines_->complete(); }

}  // namespace persist
