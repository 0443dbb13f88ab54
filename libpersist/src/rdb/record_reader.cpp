// The loop over records, the entries, and what happens at damage. The header and the opcodes: header.cpp,
// records.cpp.
#include "rdb/record_reader.hpp"

#include <algorithm>
#include <array>

#include "types/encodings.hpp"
#include "types/primitives.hpp"

namespace persist {

namespace {

constexpr auto kIgnore = [](const Element& /*element*/) {};

std::optional<uint64_t> bytes_behind(const ByteSource& source, uint64_t offset) {
  const std::optional<uint64_t> size = source.size();
  return size ? std::optional(*size - std::min(*size, offset)) : std::nullopt;
}

// How many bytes a length takes that stands in front.
size_t length_bytes(Bytes bytes) {
  constexpr uint8_t kLength14 = 0x40;
  constexpr uint8_t kLength32 = 0x80;
  const auto first = static_cast<uint8_t>(bytes.empty() ? 0 : bytes.front());
  if (first < kLength14) return 1;
  if (first < kLength32) return 1 + sizeof(uint8_t);
  return first == kLength32 ? 1 + sizeof(uint32_t) : 1 + sizeof(uint64_t);
}

// Damage of lengths, counts, or what decides on the shape of what follows: where the value ends is then
// anybody's guess. Any other leaves the lengths of its strings to go by.
bool loses_framing(FindingCode code) {
  constexpr std::array kCodes = {
      FindingCode::rdb_truncated,  FindingCode::rdb_bad_length, FindingCode::rdb_length_overrun,
      FindingCode::rdb_bad_string, FindingCode::stream_node,    FindingCode::quicklist_container,
      FindingCode::array_damaged,  FindingCode::module_damaged, FindingCode::module_pre_release,
  };
  return std::ranges::find(kCodes, code) != kCodes.end();
}

}  // namespace

RecordReader::RecordReader(ByteSource& source, FindingSink& findings)
    : source_(&source),
      findings_(findings),
      file_(source.name()),
      in_(source, 0, scratch_, &state_.checksum) {}

RecordReader::RecordReader(ByteSource& source, const RdbState& state, FindingSink& findings)
    : source_(&source),
      findings_(findings),
      file_(source.name()),
      state_(state),
      in_(source, state.offset, scratch_, &state_.checksum),
      encodings_(&encodings_by_code(state.dialect)),
      header_read_(true),
      valid_up_to_(state.offset) {}

RecordReader::RecordReader(Bytes piece, const RdbState& state, FindingSink& findings,
                           const ByteSource& source)
    : findings_(findings),
      file_(source.name()),
      state_(state),
      in_(piece, state.offset, scratch_, bytes_behind(source, state.offset + piece.size())),
      encodings_(&encodings_by_code(state.dialect)),
      header_read_(true),
      valid_up_to_(state.offset) {}

RdbState RecordReader::state() {
  in_.settle_checksum();
  state_.offset = in_.offset();
  return state_;
}

const RdbRecord* RecordReader::next() {
  const Payloads wanted = in_.payloads;
  while (const RdbRecord* record = next_head()) {
    in_.payloads = Payloads::validated;
    const bool whole = value_ == Value::none || read_value(kIgnore);
    in_.payloads = wanted;
    if (whole) return record;
  }
  return nullptr;
}

void RecordReader::visit(ElementSink sink) {
  const RdbEntry* entry = std::get_if<RdbEntry>(&record_.body);
  if (entry == nullptr || value_ != Value::read) return;
  in_.seek(entry->value_offset);
  row_of(*entry->encoding).decode(in_, sink);
}

bool RecordReader::visit_in_runs(FunctionRef<void(Bytes)> run) {
  const RdbEntry* entry = std::get_if<RdbEntry>(&record_.body);
  if (entry == nullptr || value_ != Value::read || entry->encoding->type != ValueType::string) return false;
  in_.seek(entry->value_offset);
  return decode_string_in_runs(in_, run);
}

const RdbRecord* RecordReader::next_head() {
  if (!finish_value() || records_left_ == 0) return nullptr;
  --records_left_;
  try {
    return read_record();
  } catch (const FormatError& error) {
    report(error.finding);
    stopped_ = true;
    return nullptr;
  }
}

bool RecordReader::read_value(ElementSink sink) {
  const RdbEntry* entry = std::get_if<RdbEntry>(&record_.body);
  if (entry == nullptr || value_ != Value::unread) return false;
  const Scratch::Mark mark = scratch_.mark();
  try {
    row_of(*entry->encoding).decode(in_, sink);
  } catch (const FormatError& error) {
    scratch_.rewind(mark);
    report(error.finding);
    recover(error.finding);
    return false;
  }
  scratch_.rewind(mark);
  value_ = Value::read;
  end_record();
  return true;
}

bool RecordReader::finish_value() {
  if (value_ != Value::unread) return !stopped_;
  const RdbEntry& entry = std::get<RdbEntry>(record_.body);
  try {
    row_of(*entry.encoding).skip(in_);
  } catch (const FormatError& error) {
    report(error.finding);
    value_ = Value::none;
    stopped_ = true;
    return false;
  }
  value_ = Value::read;
  end_record();
  return true;
}

Bytes RecordReader::plain_string() const {
  const uint64_t begin = std::get<RdbEntry>(record_.body).value_offset;
  const uint64_t end = record_.extent.offset + record_.extent.size;
  const Bytes value = in_.around(begin, static_cast<size_t>(end - begin));
  return value.substr(std::min(value.size(), length_bytes(value)));
}

std::optional<uint64_t> RecordReader::string_size() {
  constexpr size_t kHeadBytesMax = 1 + 9 + 9;
  const auto* entry = std::get_if<RdbEntry>(&record_.body);
  if (entry == nullptr || value_ != Value::unread || entry->encoding->type != ValueType::string)
    return std::nullopt;
  Scratch unused;
  Cursor head(in_.ahead(kHeadBytesMax), 0, unused, std::numeric_limits<uint64_t>::max());
  try {
    return persist::string_size(head, "string value");
  } catch (const FormatError&) {
    return std::nullopt;  // whoever moves over it says why
  }
}

// A value that cannot be decoded may still have a certain end: then the reading goes on behind it.
void RecordReader::recover(const Finding& why) {
  value_ = Value::none;
  const RdbEntry& entry = std::get<RdbEntry>(record_.body);
  if (!loses_framing(why.code)) {
    try {
      in_.seek(entry.value_offset);
      row_of(*entry.encoding).skip(in_);
      return;
    } catch (const FormatError&) {
      // What is wrong with it has been said.
    }
  }
  stopped_ = true;
}

void RecordReader::end_record() {
  record_.extent.size = in_.offset() - record_.extent.offset;
  if (!damaged_) valid_up_to_ = in_.offset();
}

const RdbRecord* RecordReader::read_record() {
  scratch_.reset();
  in_.begin_record();
  value_ = Value::none;
  record_.extent = {in_.offset(), 0};
  if (!header_read_) {
    read_header();
  } else {
    if (complete_ || (source_ == nullptr && in_.at_end())) return nullptr;
    read_code();
  }
  record_.extent.size = in_.offset() - record_.extent.offset;
  if (value_ == Value::none) end_record();
  return &record_;
}

// Prefixes up to an entry, or one opcode.
void RecordReader::read_code() {
  for (;;) {
    const uint64_t at = in_.offset();
    const uint8_t code = in_.u8("opcode or type code");
    if (const Encoding* encoding = (*encodings_)[code]) return read_entry(*encoding);
    if (has_key_meta_) {
      in_.fail(FindingCode::rdb_key_meta, {at, 1}, "key metadata", "the type code of a key behind it",
               "byte " + hex_byte(code));
    }
    const OpcodeRow* row = find_opcode(state_.dialect, code);
    if (row == nullptr) fail_unknown_code(code);
    if (row->is_prefix) {
      has_prefixes_ = true;
      (this->*reader_of(row->opcode))();
      continue;
    }
    if (has_prefixes_)
      warn(FindingCode::rdb_misplaced_prefix, {at, 1}, "prefix of a key", "a key", std::string(row->name));
    (this->*reader_of(row->opcode))();
    return;
  }
}

void RecordReader::fail_unknown_code(uint8_t code) {
  const char* known = unestablished_type(state_.dialect, code);
  if (known == nullptr) known = unestablished_opcode(state_.dialect, code);
  const Extent where{in_.offset() - 1, 1};
  if (known != nullptr) {
    in_.fail(FindingCode::rdb_unestablished, where, "opcode or type code", "one whose layout is established",
             hex_byte(code) + ", " + known);
  }
  in_.fail(FindingCode::rdb_unknown_code, where, "opcode or type code",
           "one of the " + std::string(dialect_name(state_.dialect)) + " dialect", hex_byte(code));
}

void RecordReader::read_entry(const Encoding& encoding) {
  RdbEntry* entry = std::get_if<RdbEntry>(&record_.body);
  if (entry == nullptr) {
    entry = &record_.body.emplace<RdbEntry>();
    entry_has_prefixes_ = false;
  }
  // Most entries have no prefixes, and follow one that had none either.
  if (has_prefixes_ || entry_has_prefixes_) {
    *entry = prefixes_;
    prefixes_ = {};
    entry_has_prefixes_ = has_prefixes_;
    has_prefixes_ = has_key_meta_ = false;
  }
  entry->db = state_.db;
  entry->encoding = &encoding;
  entry->key = read_string(in_, "key");
  entry->value_offset = in_.offset();
  in_.pin();
  value_ = Value::unread;
}

void RecordReader::warn(FindingCode code, Extent where, std::string subject, std::string expected,
                        std::string found) {
  Finding finding;
  finding.code = code;
  finding.extent = where;
  finding.subject = std::move(subject);
  finding.expected = std::move(expected);
  finding.found = std::move(found);
  report(std::move(finding));
}

// Adds what decoders do not know: the file, and the db, key and kind of the record.
void RecordReader::report(Finding finding) {
  finding.file = file_;
  if (const RdbEntry* entry = std::get_if<RdbEntry>(&record_.body);
      entry != nullptr && value_ == Value::unread) {
    finding.db = entry->db;
    finding.key = std::string(entry->key);
    finding.record = std::string(entry->encoding->label);
  }
  if (finding.kind().severity == Severity::error) damaged_ = true;
  if (finding.code == FindingCode::rdb_truncated && source_ != nullptr && source_->damage() != nullptr) {
    findings_.report(*source_->damage());
  }
  findings_.report(finding);
}

// ------------------------------------------------------------------------------------------------ the public
// face

RdbReader::RdbReader(ByteSource& source, FindingSink& findings)
    : records_(std::make_unique<RecordReader>(source, findings)) {}
RdbReader::~RdbReader() = default;
const RdbRecord* RdbReader::next() { return records_->next(); }
void RdbReader::visit(ElementSink sink) { records_->visit(sink); }
const RdbRecord* RdbReader::next_head() { return records_->next_head(); }
bool RdbReader::read_value(ElementSink sink) { return records_->read_value(sink); }
bool RdbReader::complete() const { return records_->complete(); }
uint64_t RdbReader::valid_up_to() const { return records_->valid_up_to(); }

}  // namespace persist
