// In this order: is it sound; does its checksum give the damage away; what can be kept of it. What is decided
// comes together as edits of the input, so that nothing is copied before everything is known.
#include "persist/salvage.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <numeric>

#include "base/crc64.hpp"
#include "base/endian.hpp"
#include "ops/no_findings.hpp"
#include "ops/rdb_correction.hpp"
#include "ops/salvage_dbs.hpp"
#include "ops/salvage_header.hpp"
#include "ops/salvage_walk.hpp"
#include "persist/check.hpp"
#include "persist/edit.hpp"

namespace persist {

namespace {

constexpr const char* kTwice = "twice";
constexpr const char* kSeal = "seal";
constexpr const char* kSelect = "select";

// Around the first error: how far before it the damage may be that shows there.
constexpr uint64_t kSuspectedBefore = uint64_t{96} << 10;
constexpr uint64_t kSuspectedBehind = uint64_t{4} << 10;

std::string header_bytes(const RdbHeader& header) {
  const std::string magic = header.dialect == Dialect::redis ? "REDIS" : "VALKEY";
  const std::string digits = std::to_string(header.version);
  return magic + std::string(kHeaderBytes - magic.size() - std::min<size_t>(digits.size(), 3), '0') + digits;
}

std::string opcode_byte(Opcode opcode) {
  const char byte = static_cast<char>(opcode_code(opcode));
  return {&byte, sizeof byte};
}

std::string select_bytes(uint64_t db) {
  constexpr uint64_t kLength14 = 0x40;
  constexpr char kLength32 = '\x80';
  std::string bytes = opcode_byte(Opcode::select_db);
  if (db < kLength14) return bytes + static_cast<char>(db);
  std::array<char, sizeof(uint32_t)> number{};
  store_be(number.data(), static_cast<uint32_t>(db));
  return bytes + kLength32 + std::string(number.data(), number.size());
}

std::string checksum_bytes(uint64_t checksum) {
  std::array<char, kChecksumBytes> bytes{};
  store_le(bytes.data(), checksum);
  return {bytes.data(), bytes.size()};
}

std::string checksum_text(uint64_t value) {
  std::array<char, 19> text{};
  std::snprintf(text.data(), text.size(), "%016llx", static_cast<unsigned long long>(value));
  return text.data();
}

uint64_t crc_from(ByteSource& source, uint64_t at) {
  uint64_t crc = 0;
  for (;;) {
    const Window window = source.window(at, 1);
    if (window.bytes.empty()) return crc;
    crc = crc64(crc, window.bytes);
    at += window.bytes.size();
  }
}

std::vector<Splice> splices_of(const std::vector<SalvageEdit>& edits) {
  std::vector<Splice> splices;
  splices.reserve(edits.size());
  for (const SalvageEdit& edit : edits) splices.push_back({edit.drop, edit.insert});
  return splices;
}

uint64_t sum_of(const SalvageCounts::ByType& counts) {
  return std::accumulate(counts.begin(), counts.end(), uint64_t{0});
}

// The keys of a sound file, by database and type.
std::map<uint64_t, SalvageCounts> count_keys(ByteSource& source) {
  std::map<uint64_t, SalvageCounts> counts;
  NoFindings said_before;
  RecordReader records(source, said_before);
  SalvageCounts* of_db = nullptr;
  while (const RdbRecord* record = records.next_head()) {
    const auto* entry = std::get_if<RdbEntry>(&record->body);
    if (entry == nullptr) continue;
    if (of_db == nullptr || of_db->db != entry->db) of_db = &counts_of(counts, entry->db);
    ++of_db->kept[static_cast<size_t>(entry->encoding->type)];
  }
  return counts;
}

std::optional<RdbHeader> header_of(ByteSource& source) {
  NoFindings said_before;
  RecordReader records(source, said_before);
  const RdbRecord* record = records.next_head();
  const auto* header = record != nullptr ? std::get_if<RdbHeader>(&record->body) : nullptr;
  return header != nullptr ? std::optional(*header) : std::nullopt;
}

bool contains(const std::vector<Extent>& extents, uint64_t offset) {
  const auto behind = std::ranges::upper_bound(extents, offset, {}, &Extent::offset);
  return behind != extents.begin() && std::prev(behind)->end() > offset;
}

// "bit 3 of byte 0x1f3a2 was flipped: 0x65 again, not 0x6d"
std::string flip_in_words(uint64_t offset, uint8_t was, uint8_t now) {
  const auto flipped = static_cast<uint8_t>(was ^ now);
  std::array<char, 96> words{};
  if (std::has_single_bit(flipped)) {
    std::snprintf(words.data(), words.size(), "bit %d of byte 0x%llx was flipped: 0x%02x again, not 0x%02x",
                  std::countr_zero(flipped), static_cast<unsigned long long>(offset), now, was);
  } else {
    std::snprintf(words.data(), words.size(), "byte 0x%llx was damaged: 0x%02x again, not 0x%02x",
                  static_cast<unsigned long long>(offset), now, was);
  }
  return words.data();
}

}  // namespace

struct SalvagedRdb::State {
  State(ByteSource& damaged, const SalvageOptions& wanted) : input(damaged), options(wanted) {}

  void examine();
  bool is_sound(const FindingList& found) const;
  bool correct(const FindingList& found);
  void salvage(const FindingList& found);
  void walk();
  void permit(const FindingList& found) const;
  void put_header();
  void select_dbs(const std::map<uint64_t, uint64_t>& inferred);
  void drop_twice(DuplicateKeys& keys);
  void drop_record(uint64_t db, const std::string& key, Extent extent, ValueType type);
  std::vector<SalvageEdit>::iterator first_edit_from(uint64_t offset);
  void seal();
  void insert(uint64_t offset, const std::string& bytes, const char* why);
  void add_step(SalvageAction action, Extent extent, FindingCode why, std::string note);
  void add_step(SalvageStep step);
  const SalvageStretch* stretch_of(uint64_t origin) const;
  SalvageLabel label_at(uint64_t origin) const;
  void sum_up();

  ByteSource& input;
  SalvageOptions options;
  RdbSalvage report;
  std::vector<SalvageEdit> edits;
  CheckSummary checked;
  std::vector<SalvageEdit> twice;  // to be put among the others
  SalvageWalked walked;
  uint64_t begin = 0;  // of the magic
  uint64_t end = 0;
  bool is_doubtful = false;  // nobody knows which bytes made the checksum wrong
  std::unique_ptr<SplicedSource> result;
};

// -------------------------------------------------------------------------------------------- what is wrong

void SalvagedRdb::State::examine() {
  report.file = input.name();
  FindingList found;
  CheckOptions check;
  check.progress = options.progress;
  checked = check_rdb(input, found, check);
  NoFindings said_before;
  RecordReader head(input, said_before);
  if (head.next_head() != nullptr) begin = head.state().magic_offset;
  end = without_mark(input, head.state(), checked.end);
  if (checked.has_header) report.header = RdbHeader{checked.dialect, checked.version};
  if (!is_sound(found) && !correct(found)) salvage(found);
  const uint64_t mark = head.state().eof_mark.size();
  const bool is_marked = without_mark(input, head.state(), end + mark) == end;
  result = std::make_unique<SplicedSource>(input, splices_of(edits), is_marked ? end + mark : end);
  if (report.exact) {
    report.header = header_of(*result);
    walked.counts = count_keys(*result);
  }
  sum_up();
}

// A version before checksums, with eight bytes behind the end, may be another one with a flipped bit.
bool SalvagedRdb::State::is_sound(const FindingList& found) const {
  if (!checked.sound()) return false;
  const bool trails = std::ranges::any_of(found.all, [](const Finding& finding) {
    return finding.code == FindingCode::rdb_trailing || finding.code == FindingCode::rdb_aof_tail;
  });
  return !(trails && checked.version < kChecksumSince && input.size() == end + kChecksumBytes);
}

bool SalvagedRdb::State::correct(const FindingList& found) {
  CorrectionSearch search;
  search.begin = begin;
  if (checked.complete) search.end = end;
  search.followed = options.followed;
  search.deep = options.deep;
  if (!found.all.empty()) {
    const uint64_t at = found.all.front().extent.offset;
    const uint64_t from = at - std::min(at, kSuspectedBefore);
    search.suspected = Extent{from, at - from + kSuspectedBehind};
  }
  const std::optional<RdbCorrection> correction = find_correction(input, search);
  if (!correction) return false;
  end = correction->end;
  report.exact = true;
  report.false_match = correction->false_match;
  for (const ByteChange& change : correction->changes) {
    const Extent extent{change.offset, change.now.size()};
    const Window window = input.window(extent.offset, extent.size);
    add_step(correction->is_header ? SalvageAction::header : SalvageAction::corrected, extent,
             FindingCode::rdb_checksum,
             correction->is_header ? "\"" + change.now + "\", as such files begin: the checksum proves it"
                                   : flip_in_words(extent.offset, static_cast<uint8_t>(window.bytes.front()),
                                                   static_cast<uint8_t>(change.now.front())));
    edits.push_back({extent, change.now, std::string(finding_kind(FindingCode::rdb_checksum).id)});
  }
  return true;
}

// --------------------------------------------------------------------------------------- what can be kept

void SalvagedRdb::State::salvage(const FindingList& found) {
  walk();
  begin = walked.header.magic_offset;
  end = walked.end;
  const bool decodes = walked.steps.empty() && !walked.put;
  is_doubtful = walked.end_record && walked.end_record->checksum == ChecksumState::bad;
  permit(found);
  if (is_doubtful && decodes)
    add_step(SalvageAction::sealed, {end - kChecksumBytes, kChecksumBytes}, FindingCode::rdb_checksum,
             "a new checksum: all of it reads well, but some of it is not what was written");
  put_header();
  seal();
  std::ranges::stable_sort(report.steps, {}, [](const SalvageStep& step) { return step.extent.offset; });
}

void SalvagedRdb::State::walk() {
  auto keys = std::make_unique<DuplicateKeys>();
  std::map<uint64_t, uint64_t> dbs;
  walked = SalvageWalk(input, options, dbs, *keys).run();
  dbs = infer_dbs(input, walked);
  if (!dbs.empty()) {
    // Which keys are the same is a question of their databases.
    keys = std::make_unique<DuplicateKeys>();
    walked = SalvageWalk(input, options, dbs, *keys).run();
  }
  edits = std::move(walked.edits);
  report.steps = walked.steps;
  report.steps_in_all = walked.steps_in_all;
  select_dbs(dbs);
  drop_twice(*keys);
}

// Throws EditRefused if it would cost more than was permitted.
void SalvagedRdb::State::permit(const FindingList& found) const {
  if (walked.stretches.empty() && input.size() >= kHeaderBytes)
    throw EditRefused(
        EditRefused::Kind::beyond,
        input.name() + ": neither a header nor anything that reads like records of an RDB file");
  if (options.salvage) return;
  const auto refuse = [&](const Finding& why, const std::string& what) {
    throw EditRefused(EditRefused::Kind::beyond,
                      input.name() + " at offset " + std::to_string(why.extent.offset) + ": " +
                          why.message() + " [" + std::string(why.kind().id) + "]: " + what);
  };
  if (walked.middle) refuse(*walked.middle, "--salvage leaves out what does not read, and goes on behind it");
  if (!twice.empty()) {
    Finding why;
    why.code = FindingCode::rdb_duplicate_key;
    why.extent = twice.front().drop;
    refuse(why, "--salvage keeps the last record of each key");
  }
  const bool is_empty =
      std::ranges::none_of(walked.counts, [](const auto& of_db) { return sum_of(of_db.second.kept) > 0; });
  if (is_empty && !walked.end_record)
    refuse(found.all.empty() ? Finding{} : found.all.front(),
           "no key of it is whole; --salvage writes an RDB file without any");
  if (!is_doubtful || options.reseal) return;
  Finding why;
  why.code = FindingCode::rdb_checksum;
  why.extent = {end - kChecksumBytes, kChecksumBytes};
  why.subject = "checksum";
  why.expected = checksum_text(walked.end_record->computed);
  why.found = checksum_text(walked.end_record->stored);
  refuse(why,
         "no flipped bit or short run of them explains it, and all records read well: some value is not "
         "what was written, and nobody can say which; " +
             std::string(options.deep ? "" : "--deep looks for two flipped bits far apart, ") +
             "--reseal gives it a new checksum");
}

void SalvagedRdb::State::select_dbs(const std::map<uint64_t, uint64_t>& inferred) {
  uint64_t db = 0;
  for (const SalvageStretch& stretch : walked.stretches) {
    if (stretch.is_salvaged && stretch.db != db && !stretch.selects) {
      // Before what may become of the first record.
      edits.insert(first_edit_from(stretch.extent.offset),
                   {{stretch.extent.offset, 0}, select_bytes(stretch.db), kSelect});
      add_step(SalvageAction::database, {stretch.extent.offset, 0}, FindingCode::rdb_db_range,
               "SELECTDB " + std::to_string(stretch.db) +
                   (inferred.contains(stretch.extent.offset)
                        ? ": the record that selects a database is lost; its number is a guess"
                        : ": the database of what stands before the gap"));
    }
    db = stretch.last_db;
  }
}

// Of records with one key, the last one stays.
void SalvagedRdb::State::drop_twice(DuplicateKeys& keys) {
  const std::vector<uint64_t> suspects = keys.hashes().find(0);
  if (suspects.empty()) return;
  SplicedSource kept(input, splices_of(edits), walked.end);
  NoFindings said_before;
  RdbState state = walked.header;
  const uint64_t first = walked.stretches.empty() ? 0 : walked.stretches.front().extent.offset;
  state.offset = kept.place(std::max(first, walked.header.offset));
  state.db = 0;
  RecordReader records(kept, state, said_before);
  std::map<std::pair<uint64_t, std::string>, std::pair<Extent, ValueType>> seen;
  while (const RdbRecord* record = records.next_head()) {
    const auto* entry = std::get_if<RdbEntry>(&record->body);
    if (entry == nullptr) continue;
    if (!std::ranges::binary_search(suspects, keys.hash(entry->db, entry->key))) continue;
    const std::pair<uint64_t, std::string> name{entry->db, std::string(entry->key)};
    const ValueType type = entry->encoding->type;
    records.finish_value();
    const uint64_t at = kept.origin(record->extent.offset);
    const Extent extent{at, kept.origin(record->extent.end() - 1) + 1 - at};
    const auto [earlier, is_new] = seen.try_emplace(name, extent, type);
    if (is_new) continue;
    drop_record(name.first, name.second, earlier->second.first, earlier->second.second);
    earlier->second = {extent, type};
  }
  edits.insert(edits.end(), twice.begin(), twice.end());
  std::ranges::stable_sort(edits, {}, [](const SalvageEdit& edit) { return edit.drop.offset; });
}

void SalvagedRdb::State::drop_record(uint64_t db, const std::string& key, Extent extent, ValueType type) {
  SalvageStep step;
  step.action = SalvageAction::twice;
  step.extent = extent;
  step.why = FindingCode::rdb_duplicate_key;
  step.note = "a later record of the same key was kept";
  step.db = db;
  step.key = key;
  add_step(std::move(step));
  SalvageCounts& counts = counts_of(walked.counts, db);
  const auto at = static_cast<size_t>(type);
  const SalvageLabel label = label_at(extent.offset);
  --counts.kept[at];
  ++counts.dropped[at];
  if (label == SalvageLabel::partial) --counts.partial[at];
  if (label == SalvageLabel::uncertain) --counts.uncertain[at];
  if (const SalvageStretch* stretch = stretch_of(extent.offset); stretch != nullptr && stretch->is_salvaged)
    --counts.salvaged[at];
  // What was put in for it goes, too.
  for (auto edit = first_edit_from(extent.offset); edit != edits.end(); ++edit) {
    if (edit->drop.offset != extent.offset) break;
    if (edit->insert.empty() || edit->why == kSelect) continue;
    edit->insert.clear();
    return;
  }
  twice.push_back({extent, "", kTwice});
}

std::vector<SalvageEdit>::iterator SalvagedRdb::State::first_edit_from(uint64_t offset) {
  return std::ranges::lower_bound(edits, offset, {},
                                  [](const SalvageEdit& edit) { return edit.drop.offset; });
}

// Behind what is put in there already.
void SalvagedRdb::State::insert(uint64_t offset, const std::string& bytes, const char* why) {
  const auto behind =
      std::ranges::upper_bound(edits, offset, {}, [](const SalvageEdit& edit) { return edit.drop.offset; });
  if (behind != edits.begin() && std::prev(behind)->drop.end() == offset) {
    std::prev(behind)->insert += bytes;
    return;
  }
  edits.insert(behind, {{offset, 0}, bytes, why});
}

void SalvagedRdb::State::put_header() {
  if (walked.put) report.header = RdbHeader{walked.header.dialect, walked.header.version};
  if (!walked.put) return;
  const std::string header = header_bytes(*report.header);
  if (!edits.empty() && edits.front().drop.offset == 0 && edits.front().drop.size > 0) {
    edits.front().insert = header + edits.front().insert;
  } else {
    const uint64_t size = walked.stretches.empty() || walked.stretches.front().is_salvaged ? 0 : kHeaderBytes;
    edits.insert(edits.begin(), {{begin, size}, header, "header"});
  }
  const uint64_t there = std::min(kHeaderBytes, input.size().value_or(0) - begin);
  add_step(SalvageAction::header, {begin, there}, FindingCode::rdb_bad_version,
           header + (walked.stretches.empty() ? ", with no record behind it" : ", by the records behind it"));
}

// The footer is made anew if it is missing or does not fit what is in front of it now.
void SalvagedRdb::State::seal() {
  const bool has_checksum = walked.header.version >= kChecksumSince || walked.put;
  const bool is_disabled = walked.end_record && walked.end_record->checksum == ChecksumState::disabled;
  if (walked.end_record && (!has_checksum || is_disabled || (edits.empty() && !is_doubtful))) return;
  const uint64_t footer = end - (walked.end_record ? kChecksumBytes : 0);
  if (!walked.end_record) {
    insert(end, opcode_byte(Opcode::end), kSeal);
    add_step(SalvageAction::sealed, {end, 0}, FindingCode::rdb_truncated,
             has_checksum ? "the EOF opcode and a checksum" : "the EOF opcode");
  }
  if (!has_checksum) return;
  SplicedSource data(input, splices_of(edits), footer);
  // A header that was put in front of everything has no place in the input.
  const uint64_t crc = crc_from(data, walked.put && begin == 0 ? 0 : data.place(begin));
  if (walked.end_record)
    edits.push_back({{footer, kChecksumBytes}, checksum_bytes(crc), kSeal});
  else
    insert(end, checksum_bytes(crc), kSeal);
}

// ------------------------------------------------------------------------------------------------ the sum

// The stretch that a place of the input is in.
const SalvageStretch* SalvagedRdb::State::stretch_of(uint64_t origin) const {
  const auto behind = std::ranges::upper_bound(walked.stretches, origin, {},
                                               [](const SalvageStretch& s) { return s.extent.offset; });
  return behind == walked.stretches.begin() ? nullptr : &*std::prev(behind);
}

SalvageLabel SalvagedRdb::State::label_at(uint64_t origin) const {
  if (contains(walked.partial, origin)) return SalvageLabel::partial;
  if (contains(walked.uncertain, origin)) return SalvageLabel::uncertain;
  const SalvageStretch* stretch = stretch_of(origin);
  if (stretch == nullptr) return SalvageLabel::sound;
  if (stretch->is_db_guessed && origin < stretch->first_select_at) return SalvageLabel::uncertain;
  return stretch->is_salvaged ? SalvageLabel::salvaged : SalvageLabel::sound;
}

void SalvagedRdb::State::add_step(SalvageAction action, Extent extent, FindingCode why, std::string note) {
  SalvageStep step;
  step.action = action;
  step.extent = extent;
  step.why = why;
  step.note = std::move(note);
  add_step(std::move(step));
}

void SalvagedRdb::State::add_step(SalvageStep step) {
  if (report.steps.size() < kSalvageStepsMax) report.steps.push_back(std::move(step));
  ++report.steps_in_all;
}

void SalvagedRdb::State::sum_up() {
  for (const auto& [db, counts] : walked.counts) {
    report.dbs.push_back(counts);
    report.keys_kept += sum_of(counts.kept);
    report.keys_salvaged += sum_of(counts.salvaged);
    report.keys_partial += sum_of(counts.partial);
    report.keys_uncertain += sum_of(counts.uncertain);
    report.keys_dropped += sum_of(counts.dropped);
  }
  for (const SalvageEdit& edit : edits)
    if (!report.exact && edit.why != kSeal) report.bytes_lost += edit.drop.size;
  const bool has_end = walked.end_record && walked.end_record->checksum != ChecksumState::absent;
  if (!report.exact && !has_end) return;
  const uint64_t footer = end - kChecksumBytes;
  const Window stored = input.window(footer, kChecksumBytes);
  if (stored.bytes.size() < kChecksumBytes) return;
  report.stored_checksum = load_le<uint64_t>(stored.bytes.data());
  SplicedSource data(input, {}, footer);
  report.computed_checksum = crc_from(data, begin);
}

// ------------------------------------------------------------------------------------------ the public face

SalvagedRdb::SalvagedRdb(ByteSource& damaged, const SalvageOptions& options)
    : state_(std::make_unique<State>(damaged, options)) {
  state_->examine();
}

SalvagedRdb::~SalvagedRdb() = default;

ByteSource& SalvagedRdb::source() { return *state_->result; }
const RdbSalvage& SalvagedRdb::report() const { return state_->report; }
const std::vector<SalvageEdit>& SalvagedRdb::edits() const { return state_->edits; }
uint64_t SalvagedRdb::end() const { return state_->end; }

SalvageLabel SalvagedRdb::label(uint64_t offset) const {
  return state_->label_at(state_->result->origin(offset));
}

}  // namespace persist
