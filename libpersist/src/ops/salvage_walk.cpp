// The walk: whole records are kept where they stand, so that nothing is encoded anew but what is kept in
// part. Damage shows where reading fails, which may be behind the place where it is: a length that has
// changed leads a record astray. So the search for records that follow begins inside of the last one.
#include "ops/salvage_walk.hpp"

#include <algorithm>
#include <variant>

#include "aof/log_walk.hpp"
#include "aof/record_probe.hpp"
#include "ops/no_findings.hpp"
#include "ops/partial_value.hpp"
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
      size_(source.size().value_or(0)) {}

SalvageWalked SalvageWalk::run() {
  begin();
  while (!walked_.stretches.empty() && read_stretch()) {
  }
  if (walked_.put) {
    walked_.put->version = infer_version(walked_.put->dialect, since_, origin_);
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
  origin_.take(std::get<RdbHeader>(record->body));
  if (said.bad_version()) {
    walked_.put = RdbHeader{walked_.header.dialect, 0};
    ledger_.note_middle(*said.error(), said.error()->extent.offset);
  }
  if (!walked_.header.eof_mark.empty()) size_ -= std::min<uint64_t>(size_, walked_.header.eof_mark.size());
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
    if (!take(records, *record, said)) return !walked_.end_record && lose_framing(at, *said.error());
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
  } else if (const auto* library = std::get_if<FunctionLibrary>(&record.body)) {
    libraries_.check(record.extent, *library, source_.name(), said);
    if (said.error()) drop_record(record.extent, *said.error());
  }
  faint_.clear();
  here.extent.size = record.extent.end() - here.extent.offset;
  before_void_.reset();
  last_ = Last{};
  last_->extent = record.extent;
  last_->db = db_;
  last_->mark = ledger_.mark();
}

// False, with an error said, if its end is not known.
bool SalvageWalk::take_entry(RecordReader& records, const RdbRecord& record, Said& said) {
  const auto& entry = std::get<RdbEntry>(record.body);
  Last now;
  now.extent = record.extent;
  now.db = db_;
  now.type = entry.encoding->type;
  now.value_offset = entry.value_offset;
  now.is_plain = records.value_is_plain();
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
    said.report(zeroed_at(now.extent));
    return false;
  }
  since_ = std::max<uint32_t>(since_, entry.encoding->since);
  std::optional<Finding> why = said.error();
  if (whole && !why && !now.is_plain) why = flaw_of(now.extent, entry);
  now.fate = why ? drop_value(now.extent, entry, *why) : keep_entry(now.extent, entry);
  if (now.fate != KeyFate::uncertain && !entry.key.empty()) ++ledger_.stretch().keys_seen();
  note_faint(now, entry);
  ledger_.stretch().extent.size = now.extent.end() - ledger_.stretch().extent.offset;
  if (now.is_void) before_void_ = last_;
  last_ = now;
  return true;
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
    if (extent.end() > gap || gap - extent.offset > kNear) continue;
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

Finding SalvageWalk::zeroed_at(Extent extent) const {
  Finding finding;
  finding.code = FindingCode::rdb_zeroed;
  finding.file = source_.name();
  finding.extent = extent;
  finding.subject = "record";
  finding.expected = "a key and its value";
  finding.found = "NUL bytes";
  return finding;
}

// What no server would take, although it decodes.
std::optional<Finding> SalvageWalk::flaw_of(Extent extent, const RdbEntry& entry) const {
  for (const Flaw& flaw : values_.flaws()) {
    if (finding_kind(flaw.code).severity == Severity::error)
      return flaw.at(source_.name(), extent, *entry.encoding);
  }
  return std::nullopt;
}

KeyFate SalvageWalk::keep_entry(Extent extent, const RdbEntry& entry) {
  const bool doubtful = extent.offset < sure_from_;
  if (doubtful)
    ledger_.doubt(extent, db_, entry.key, doubt_,
                  "it stands right behind damage, and little of it shows that it is a whole record");
  const bool is_elsewhere = ledger_.stretch().is_db_guessed && !ledger_.stretch().first_select;
  const KeyFate fate = doubtful       ? ledger_.fate_of_uncertain()
                       : is_elsewhere ? KeyFate::uncertain
                                      : KeyFate::kept;
  ledger_.count(db_, entry.encoding->type, fate);
  if (fate != KeyFate::dropped) hashes_.add(keys_.hash(db_, entry.key));
  return fate;
}

// A value that does not decode, whose end is known.
KeyFate SalvageWalk::drop_value(Extent extent, const RdbEntry& entry, const Finding& why) {
  Finding of_key = why;
  of_key.db = db_;
  of_key.key = std::string(entry.key);
  std::optional<PartialRecord> part;
  if (options_.keep_damaged) part = keep_part(source_, state_at(extent.offset, db_));
  const KeyFate fate = part ? KeyFate::partial : KeyFate::dropped;
  ledger_.count(db_, entry.encoding->type, fate);
  if (part) {
    hashes_.add(keys_.hash(db_, entry.key));
    ledger_.keep_part(extent, of_key, part->elements, std::move(part->bytes));
  } else {
    drop_record(extent, of_key);
  }
  return fate;
}

void SalvageWalk::drop_record(Extent extent, const Finding& why) {
  ledger_.note_middle(why, extent.offset);
  ledger_.leave_out(extent, SalvageAction::value, why, {});
}

// False at the end of the data; or, with an error said, if that byte is none.
bool SalvageWalk::take_end(const RdbRecord& record, Said& said) {
  const auto& end = std::get<RdbEnd>(record.body);
  const bool proven = end.checksum == ChecksumState::good && walked_.stretches.size() == 1;
  if (said.trails() && !proven && resync_->find(record.extent.offset + 1, record.extent.offset + 1)) {
    Finding early;
    early.code = FindingCode::rdb_unknown_code;
    early.file = source_.name();
    early.extent = {record.extent.offset, 1};
    early.subject = "EOF opcode";
    early.expected = "the end of the data";
    early.found = "records behind it";
    said.clear();
    said.report(early);
    return false;
  }
  walked_.end_record = end;
  walked_.end = record.extent.end();
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
  const std::optional<uint64_t> commands = options_.followed ? commands_behind(at, chain) : std::nullopt;
  if (commands) chain.reset();
  uint64_t gap = at;
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
  doubt_faint(gap);
  std::string part = keep_part_of_lost(gap, why);
  if (!chain) {
    end_at(gap, commands.value_or(size_), why, std::move(part));
    return false;
  }
  ledger_.note_middle(why, gap);
  ledger_.leave_out({gap, chain->offset - gap}, part.empty() ? SalvageAction::gap : SalvageAction::partial,
                    why, std::move(part));
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
  walked_.partial.push_back({gap, 1});
  hashes_.add(keys_.hash(db_, why.key.value_or("")));
  return std::move(part->bytes);
}

// NULs that reach from inside of a string into what follows it.
bool SalvageWalk::ends_in_zeroed(uint64_t at) {
  if (!last_->is_plain) return false;
  const uint64_t behind = zeros_from(at, kZeroRunSeen);
  const uint64_t size = last_->extent.end() - last_->value_offset;
  const Window window = source_.window(last_->value_offset, size);
  const Bytes value = window.bytes.substr(0, static_cast<size_t>(size));
  const size_t text_end = value.find_last_not_of('\0') + 1;
  const uint64_t before = value.size() - text_end;
  if (behind == 0 || before == 0 || before + behind < kZeroRunMin) return false;
  constexpr size_t kLengthBytes = 5;  // what may stand in front of the text, and is none
  const size_t text_begin = std::min(text_end, kLengthBytes);
  return is_text(value.substr(text_begin, text_end - text_begin));
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
  NoFindings said_before;
  RecordReader again(source_, state_at(last.extent.offset, last.db), said_before);
  const RdbRecord* record = again.next_head();
  const auto* entry = record != nullptr ? std::get_if<RdbEntry>(&record->body) : nullptr;
  if (entry == nullptr || is_faint(entry->key)) {
    // It was never a key, but what damage looks like.
    if (entry != nullptr && !entry->key.empty() && ledger_.stretch().keys_seen() > 0)
      --ledger_.stretch().keys_seen();
    return;
  }
  ledger_.count(last.db, *last.type, KeyFate::dropped);
  SalvageStep step;
  step.action = SalvageAction::value;
  step.extent = last.extent;
  step.why = why.code;
  step.note = "it reads well, but the damage that shows behind it begins inside of it";
  step.db = last.db;
  step.key = std::string(entry->key);
  ledger_.add_step(std::move(step));
}

// Where commands begin that go on undamaged over what looks like records, if they do.
std::optional<uint64_t> SalvageWalk::commands_behind(uint64_t at, const std::optional<RecordChain>& chain) {
  const RecordProbe::Place place = RecordProbe(source_).find(at, true);
  if (!place.found || (chain && chain->offset < place.offset)) return std::nullopt;
  if (!chain) return place.offset;
  LogWalk walk(source_, place.offset, Hold::beginnings, {});
  while (walk.record().extent().end() <= chain->offset) {
    const LogStep step = walk.next();
    if (step == LogStep::damage) return std::nullopt;
    if (step == LogStep::end) break;
  }
  return place.offset;
}

// No record was found any more.
void SalvageWalk::end_at(uint64_t from, uint64_t to, const Finding& why, std::string insert) {
  const uint64_t size = to - from;
  const bool is_torn = why.kind().reach == Reach::tail || size <= 1 + kChecksumBytes;
  if (!is_torn && zeros_from(from, kZeroRunSeen) < std::min(size, kZeroRunSeen))
    ledger_.note_middle(why, from);
  ledger_.leave_out({from, size}, SalvageAction::tail, why, std::move(insert));
  walked_.end = to;
}

void SalvageWalk::begin_stretch(const RecordChain& chain) {
  const auto known = dbs_.find(chain.offset);
  if (known != dbs_.end()) db_ = known->second;
  SalvageStretch next;
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
