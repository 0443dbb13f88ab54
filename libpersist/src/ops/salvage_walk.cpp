// The walk: whole records are kept where they stand, so that nothing is encoded anew but what is kept in
// part. Damage shows where reading fails, which may be behind the place where it is: a length that has
// changed leads a record astray. So the search for records that follow begins inside of the last one.
#include "ops/salvage_walk.hpp"

#include <algorithm>
#include <variant>

#include "aof/log_walk.hpp"
#include "ops/no_findings.hpp"
#include "ops/partial_value.hpp"
#include "ops/salvage_findings.hpp"
#include "ops/salvage_header.hpp"

namespace persist {

namespace {

constexpr uint64_t kZeroRunMin = 8;      // so many NULs in a row are no accident
constexpr uint64_t kZeroRunSeen = 4096;  // more of them are not counted

constexpr uint64_t kProgressBytes = uint64_t{4} << 20;

// What a hostile file may make us remember.
constexpr size_t kStretchesMax = size_t{1} << 20;

bool is_text(Bytes bytes) {
  return std::ranges::all_of(bytes, [](char c) { return c >= ' ' && c <= '~'; });
}

// Of a field without a TTL it stores 0, the name and the value: an entry of a string looks the same.
bool has_field_ttls(const Encoding& encoding) {
  return encoding.type == ValueType::hash && encoding.name.starts_with("ttl");
}

// Whether a value is a string that is stored as it is. The reader says so only of what it has at hand.
bool is_stored_plain(ByteSource& source, const RdbEntry& entry) {
  if (entry.encoding->type != ValueType::string) return false;
  const Window window = source.window(entry.value_offset, 1);
  return !window.bytes.empty() && static_cast<uint8_t>(window.bytes.front()) < kSpecialString;
}

// A key that says little for there being one.
bool is_faint(Bytes key) {
  constexpr size_t kTextMin = 2;
  return key.size() < kTextMin || !is_text(key);
}

}  // namespace

// What the reader says of one record.
class SalvageWalk::Said : public FindingSink {
 public:
  void report(const Finding& finding) override {
    if (finding.code == FindingCode::rdb_trailing) trails_ = true;
    if (finding.code == FindingCode::rdb_bad_version) bad_version_ = true;
    if (finding.kind().severity == Severity::error && !error_) error_ = finding;
  }
  // An error whatever its kind.
  void put(const Finding& finding) { error_ = finding; }
  void clear() {
    error_.reset();
    trails_ = false;
  }
  [[nodiscard]] const std::optional<Finding>& error() const { return error_; }
  [[nodiscard]] bool trails() const { return trails_; }
  [[nodiscard]] bool bad_version() const { return bad_version_; }

 private:
  std::optional<Finding> error_;
  bool trails_ = false;       // bytes follow the end
  bool bad_version_ = false;  // in the header
};

SalvageWalk::SalvageWalk(ByteSource& source, const SalvageOptions& options,
                         const std::map<uint64_t, uint64_t>& dbs, DuplicateKeys& keys)
    : source_(source),
      options_(options),
      dbs_(dbs),
      keys_(keys),
      hashes_(keys.hashes().appender()),
      values_(keys.seed()),
      ledger_(options.drop_uncertain),
      commands_(source),
      size_(source.size().value_or(0)) {}

SalvageWalked SalvageWalk::run() {
  begin();
  while (!walked_.stretches.empty() && read_stretch()) {
  }
  if (walked_.put) {
    walked_.put->version = infer_version(walked_.put->dialect, since_, writer_);
    walked_.header.version = walked_.put->version;
  }
  std::ranges::sort(walked_.uncertain, {}, &Extent::offset);
  return std::move(walked_);
}

// ------------------------------------------------------------------------------------------- the beginning

void SalvageWalk::begin() {
  Said said;
  RecordReader records(source_, said);
  const RdbRecord* record = records.next_head();
  if (record == nullptr) return infer_header(said.error().value_or(Finding{}));
  walked_.header = records.state();
  if (!said.bad_version()) {
    origin_.take(std::get<RdbHeader>(record->body));
  } else {
    origin_.take(RdbHeader{walked_.header.dialect, newest_version(walked_.header.dialect)});
    walked_.put = RdbHeader{walked_.header.dialect, 0};
    ledger_.note_middle(*said.error(), said.error()->extent.offset);
  }
  size_ = without_mark(source_, walked_.header, size_);
  RdbState state = walked_.header;
  if (walked_.put) state.version = newest_version(state.dialect);
  resync_ = std::make_unique<Resync>(source_, state, size_, options_.followed);
  SalvageStretch first;
  first.extent = {0, walked_.header.offset};
  walked_.stretches.push_back(first);
}

// Nothing says what the file is but the records in it.
void SalvageWalk::infer_header(const Finding& why) {
  InferredBeginning beginning = infer_beginning(source_, size_, options_.followed);
  walked_.header = beginning.state;
  resync_ = std::move(beginning.resync);
  walked_.put = RdbHeader{walked_.header.dialect, 0};
  origin_.take(RdbHeader{walked_.header.dialect, walked_.header.version});
  ledger_.note_middle(why, 0);
  if (!beginning.chain) return end_at(0, size_, why, {});
  ledger_.leave_out({0, beginning.chain->offset}, SalvageAction::gap, why, {});
  begin_stretch(*beginning.chain);
}

// --------------------------------------------------------------------------------------------- the records

RdbState SalvageWalk::state_at(uint64_t offset, uint64_t db) const {
  RdbState state = walked_.header;
  state.offset = offset;
  state.db = db;
  state.checksum = {0, offset};
  // Of the whole file: other readers see to that.
  state.announced_bytes.reset();
  return state;
}

// Of the whole entry at a place, if there is one.
std::optional<std::string> SalvageWalk::key_at(uint64_t offset, uint64_t db) const {
  NoFindings said_elsewhere;
  RecordReader records(source_, state_at(offset, db), said_elsewhere);
  records.stop_after_next();
  const RdbRecord* record = records.next();
  const auto* entry = record != nullptr ? std::get_if<RdbEntry>(&record->body) : nullptr;
  return entry != nullptr ? std::optional(std::string(entry->key)) : std::nullopt;
}

bool SalvageWalk::read_stretch() {
  Said said;
  RdbState state = state_at(ledger_.stretch().extent.end(), db_);
  if (walked_.stretches.size() == 1) state.checksum = walked_.header.checksum;
  RecordReader records(source_, state, said);
  records.set_payloads(Payloads::validated);
  lost_.reset();
  while (const RdbRecord* record = records.next_head()) {
    const uint64_t at = record->extent.offset;
    if (options_.progress && at - told_at_ >= kProgressBytes) options_.progress(told_at_ = at);
    if (!take(records, *record, said))
      return !walked_.end_record && lose_framing(at, said.error().value_or(Finding{}));
    if (records.stopped()) break;
    said.clear();
  }
  Finding why = said.error().value_or(Finding{});
  return lose_framing(ledger_.stretch().extent.end(), std::move(why));
}

bool SalvageWalk::take(RecordReader& records, const RdbRecord& record, Said& said) {
  if (std::holds_alternative<RdbEntry>(record.body)) return take_entry(records, record, said);
  if (std::holds_alternative<RdbEnd>(record.body)) return take_end(record, said);
  take_other(record, said);
  return true;
}

// What is no entry and not the end: kept, if it is fit to be.
void SalvageWalk::take_other(const RdbRecord& record, Said& said) {
  SalvageStretch& here = ledger_.stretch();
  const SalvageLedger::Mark mark = ledger_.mark();
  const bool is_first = here.extent.size == 0;
  if (const auto* select = std::get_if<SelectDb>(&record.body)) {
    db_ = here.last_db = select->db;
    if (is_first) here.selects = true;
    if (!here.first_select) here.first_select_at = record.extent.offset;
    if (!here.first_select) here.first_select = select->db;
    here.keys_behind_select = 0;
    here.keys_stated.reset();
  } else if (const auto* sizes = std::get_if<ResizeDb>(&record.body)) {
    if (is_first) here.resizes = true;
    here.keys_stated = sizes->keys;
  } else if (const auto* aux = std::get_if<AuxField>(&record.body)) {
    origin_.take(*aux);
    if (aux->name == "redis-ver" || aux->name == "valkey-ver") writer_ = origin_.server();
  } else if (const auto* library = std::get_if<FunctionLibrary>(&record.body)) {
    libraries_.check(record.extent, *library, source_.name(), said);
    if (!said.error() && !is_library_text(library->code))
      said.report(spoilt_library(source_.name(), record.extent));
    if (said.error()) ledger_.drop_record(record.extent, *said.error());
  }
  faint_.clear();
  may_be_fields_ = false;
  here.extent.size = record.extent.end() - here.extent.offset;
  before_void_.reset();
  last_ = Last{};
  last_->extent = record.extent;
  last_->db = db_;
  last_->mark = mark;
}

// False, with an error said, if its end is not known.
bool SalvageWalk::take_entry(RecordReader& records, const RdbRecord& record, Said& said) {
  const auto& entry = std::get<RdbEntry>(record.body);
  Last now;
  now.extent = record.extent;
  now.db = db_;
  now.type = entry.encoding->type;
  now.value_offset = entry.value_offset;
  now.is_plain = records.value_is_plain() || is_stored_plain(source_, entry);
  now.has_field_ttls = has_field_ttls(*entry.encoding);
  if (*now.type != ValueType::string || entry.expire_at_ms != kNoExpiry) may_be_fields_ = false;
  now.mark = ledger_.mark();
  bool whole = true;
  if (now.is_plain) {
    whole = records.finish_value();
  } else {
    values_.begin(*entry.encoding);
    whole = records.read_value([this](const Element& told) { values_.add(told); });
    if (whole) values_.end([&](ElementSink again) { records.visit(again); });
  }
  if (records.stopped()) {
    lost_ = now;
    return false;
  }
  now.extent.size = records.offset() - now.extent.offset;
  now.is_void = now.is_plain && entry.key.empty() && entry.value_offset + 1 == now.extent.end();
  if (now.is_void && is_among_zeros(now.extent)) {
    said.report(zeroed_record(source_.name(), now.extent));
    return false;
  }
  since_ = std::max<uint32_t>(since_, entry.encoding->since);
  std::optional<Finding> why = said.error();
  if (whole && !why && !now.is_plain) why = flaw_of(now.extent, entry);
  if (why) {
    why->db = db_;
    why->key = std::string(entry.key);
  }
  if (why && !is_end_sure(now.extent)) {
    if (!said.error()) said.put(*why);
    lost_ = now;
    return false;
  }
  now.fate = why ? drop_value(now.extent, entry, *why) : keep_entry(now.extent, entry);
  if (now.fate != KeyFate::uncertain && !entry.key.empty()) ++ledger_.stretch().keys_seen();
  note_faint(now, entry);
  ledger_.stretch().extent.size = now.extent.end() - ledger_.stretch().extent.offset;
  if (now.is_void) before_void_ = last_;
  last_ = now;
  return true;
}

// Damage inside of a value may have moved its end. Where it is right, records follow it at once.
bool SalvageWalk::is_end_sure(Extent value) {
  constexpr uint64_t kAskedMax = 10000;
  if (++ends_asked_ > kAskedMax) return true;
  const std::optional<std::string> key = key_at(value.end(), db_);
  if (key && !is_faint(*key)) return true;
  const std::optional<RecordChain> chain = resync_->find(value.end(), value.end());
  return !chain || chain->offset == value.end();
}

// Records with keys that could be anything may be read where there are none, until the damage shows.
void SalvageWalk::note_faint(const Last& now, const RdbEntry& entry) {
  constexpr size_t kFaintMax = 8;
  if (!is_faint(entry.key)) return faint_.clear();
  if (now.fate != KeyFate::kept) return;
  if (faint_.size() >= kFaintMax) faint_.erase(faint_.begin());
  faint_.push_back({now, std::string(entry.key)});
}

// The last such records before a gap are not sure to be records at all.
void SalvageWalk::doubt_faint(uint64_t gap) {
  constexpr uint64_t kNear = 4096;
  for (const Faint& one : faint_) {
    const Extent extent = one.record.extent;
    if (extent.end() > gap || (extent.end() < gap && gap - extent.offset > kNear)) continue;
    ledger_.take_back(one.record.db, *one.record.type, one.record.fate);
    ledger_.count(one.record.db, *one.record.type, ledger_.fate_of_uncertain());
    if (!one.key.empty() && ledger_.stretch().keys_seen() > 0) --ledger_.stretch().keys_seen();
    ledger_.doubt(extent, one.record.db, one.key, doubt_,
                  "it stands right in front of damage, and little of it shows that it is a record");
  }
  faint_.clear();
}

// A second record of that kind would be the same key again.
bool SalvageWalk::is_among_zeros(Extent record) {
  return zeros_from(record.offset, kZeroRunMin) >= record.size + 2;
}

// What no server would take, although it decodes.
std::optional<Finding> SalvageWalk::flaw_of(Extent extent, const RdbEntry& entry) const {
  for (const Flaw& flaw : values_.flaws()) {
    // Of what only warns, some is refused by servers that look closely.
    const bool is_refused =
        flaw.code == FindingCode::rdb_empty_value || flaw.code == FindingCode::stream_unowned;
    if (is_refused || finding_kind(flaw.code).severity == Severity::error)
      return flaw.at(source_.name(), extent, *entry.encoding);
  }
  return std::nullopt;
}

KeyFate SalvageWalk::keep_entry(Extent extent, const RdbEntry& entry) {
  const bool doubtful = extent.offset < sure_from_ || may_be_fields_;
  const bool is_elsewhere = ledger_.stretch().is_db_guessed && !ledger_.stretch().first_select;
  // Where a SELECTDB is put in, that tells of all.
  if (doubtful)
    ledger_.doubt(extent, db_, entry.key, doubt_,
                  may_be_fields_
                      ? "it may be a field of the hash that was lost before it"
                      : "it stands right behind damage, and little of it shows that it is a whole record");
  else if (is_elsewhere && (options_.drop_uncertain || !ledger_.stretch().is_db_put))
    ledger_.doubt(extent, db_, entry.key, doubt_, "nobody knows which database it was in");
  const KeyFate fate = doubtful || is_elsewhere ? ledger_.fate_of_uncertain() : KeyFate::kept;
  ledger_.count(db_, entry.encoding->type, fate);
  if (fate != KeyFate::dropped) hashes_.add(keys_.hash(db_, entry.key));
  return fate;
}

// A value that does not decode, whose end is known.
KeyFate SalvageWalk::drop_value(Extent extent, const RdbEntry& entry, const Finding& why) {
  std::optional<PartialRecord> part;
  if (options_.keep_damaged) part = keep_part(source_, state_at(extent.offset, db_));
  const KeyFate fate = part ? KeyFate::partial : KeyFate::dropped;
  ledger_.count(db_, entry.encoding->type, fate);
  if (part) {
    hashes_.add(keys_.hash(db_, entry.key));
    ledger_.keep_part(extent, why, part->elements, std::move(part->bytes));
  } else {
    ledger_.drop_record(extent, why);
  }
  return fate;
}

// False at the end of the data; or, with an error said, if that byte is none.
bool SalvageWalk::take_end(const RdbRecord& record, Said& said) {
  const auto& end = std::get<RdbEnd>(record.body);
  const bool proven = end.checksum == ChecksumState::good && walked_.stretches.size() == 1;
  if (said.trails() && !proven && resync_->find(record.extent.offset + 1, record.extent.offset + 1)) {
    said.clear();
    said.report(early_end(source_.name(), record.extent.offset));
    return false;
  }
  walked_.end_record = end;
  walked_.end = without_mark(source_, walked_.header, record.extent.end());
  ledger_.stretch().extent.size = walked_.end - ledger_.stretch().extent.offset;
  if (said.trails() && walked_.end < size_) {
    SalvageStep step;
    step.action = SalvageAction::tail;
    step.extent = {walked_.end, size_ - walked_.end};
    step.why = FindingCode::rdb_trailing;
    ledger_.add_step(std::move(step));
  }
  return false;
}

// ------------------------------------------------------------------------------------------------- damage

// The record at `at` does not read, by `why`. False if nothing follows.
bool SalvageWalk::lose_framing(uint64_t at, Finding why) {
  const std::optional<Last>& suspect = last_ && last_->is_void ? before_void_ : last_;
  const uint64_t from = suspect ? suspect->extent.offset + 1 : at + 1;
  std::optional<RecordChain> chain;
  if (walked_.stretches.size() < kStretchesMax) chain = resync_->find(from, at);
  const std::optional<uint64_t> commands = options_.followed ? commands_.find(at, chain) : std::nullopt;
  if (commands) chain.reset();
  uint64_t gap = at;
  told_ = 0;
  if (last_ && last_->is_void) {
    gap = last_->extent.offset;
    take_back_last(why);
    last_ = before_void_;
  }
  if (last_ && ((chain && chain->offset < gap) || ends_in_zeroed(gap))) {
    gap = last_->extent.offset;
    take_back_last(why);
  }
  doubt_ = why.code;
  // What a mere cut leaves is not in doubt.
  if (chain || commands || why.kind().reach != Reach::tail)
    doubt_faint(gap);
  else
    faint_.clear();
  if (lost_ && lost_->has_field_ttls) may_be_fields_ = true;
  std::string part = keep_part_of_lost(gap, why);
  if (!chain) {
    end_at(gap, commands.value_or(size_), why, std::move(part));
    return false;
  }
  ledger_.note_middle(why, gap);
  ledger_.leave_out({gap, chain->offset - gap}, SalvageAction::gap, why, std::move(part), told_);
  begin_stretch(*chain);
  return true;
}

// Of the value that the framing was lost in.
std::string SalvageWalk::keep_part_of_lost(uint64_t gap, const Finding& why) {
  if (!lost_ || lost_->extent.offset != gap) return {};
  std::optional<PartialRecord> part;
  if (options_.keep_damaged) part = keep_part(source_, state_at(gap, db_));
  ledger_.count(db_, *lost_->type, part ? KeyFate::partial : KeyFate::dropped);
  if (!part) return {};
  ledger_.tell_part(lost_->extent, why, part->elements);
  hashes_.add(keys_.hash(db_, why.key.value_or("")));
  return std::move(part->bytes);
}

// NULs that reach from inside of a string into what follows it.
bool SalvageWalk::ends_in_zeroed(uint64_t at) {
  if (!last_->is_plain) return false;
  const uint64_t behind = zeros_from(at, kZeroRunSeen);
  const uint64_t end = last_->extent.end();
  const uint64_t size = std::min(end - last_->value_offset, kZeroRunSeen);
  const Window window = source_.window(end - size, size);
  const Bytes tail = window.bytes.substr(0, static_cast<size_t>(size));
  const size_t text_end = tail.find_last_not_of('\0') + 1;
  const uint64_t before = tail.size() - text_end;
  if (behind == 0 || before == 0 || before + behind < kZeroRunMin) return false;
  constexpr size_t kLengthBytes = 5;  // what may stand in front of the text, and is none
  const size_t text_begin = std::min(text_end, kLengthBytes);
  return is_text(tail.substr(text_begin, text_end - text_begin));
}

uint64_t SalvageWalk::zeros_from(uint64_t offset, uint64_t most) {
  const Window window = source_.window(offset, most);
  const Bytes bytes = window.bytes.substr(0, static_cast<size_t>(most));
  return std::min(bytes.find_first_not_of('\0'), bytes.size());
}

void SalvageWalk::take_back_last(const Finding& why) {
  const Last last = *last_;
  ledger_.go_back(last.mark, last.extent.offset);
  ledger_.stretch().extent.size = last.extent.offset - ledger_.stretch().extent.offset;
  last_.reset();
  if (!last.type) return;
  ledger_.take_back(last.db, *last.type, last.fate);
  const std::optional<std::string> key = key_at(last.extent.offset, last.db);
  if (!key || is_faint(*key)) {
    // It was never a key, but what damage looks like.
    if (key && !key->empty() && ledger_.stretch().keys_seen() > 0) --ledger_.stretch().keys_seen();
    return;
  }
  ledger_.count(last.db, *last.type, KeyFate::dropped);
  SalvageStep step;
  step.action = SalvageAction::value;
  step.extent = last.extent;
  told_ = last.extent.end();
  step.why = why.code;
  step.note = "it reads well, but the damage that shows behind it begins inside of it";
  step.db = last.db;
  step.key = *key;
  ledger_.add_step(std::move(step));
}

// No record was found any more.
void SalvageWalk::end_at(uint64_t from, uint64_t to, const Finding& why, std::string insert) {
  const uint64_t size = to - from;
  const bool is_torn = why.kind().reach == Reach::tail || size <= 1 + kChecksumBytes;
  if (!is_torn && zeros_from(from, kZeroRunSeen) < std::min(size, kZeroRunSeen))
    ledger_.note_middle(why, from);
  ledger_.leave_out({from, size}, SalvageAction::tail, why, std::move(insert), std::max(from, told_));
  walked_.end = to;
}

void SalvageWalk::begin_stretch(const RecordChain& chain) {
  const auto known = dbs_.find(chain.offset);
  SalvageStretch next;
  next.is_db_put = known != dbs_.end() && known->second != db_;
  if (known != dbs_.end()) db_ = known->second;
  next.extent = {chain.offset, 0};
  next.db = next.last_db = db_;
  next.is_db_guessed = known != dbs_.end();
  next.is_salvaged = true;
  walked_.stretches.push_back(next);
  sure_from_ = chain.sure_from;
  last_.reset();
  before_void_.reset();
}

}  // namespace persist
