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

std::string opcode_byte(Opcode opcode) { return std::string(1, static_cast<char>(opcode_code(opcode))); }

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
    if (of_db == nullptr || of_db->db != entry->db) {
      of_db = &counts[entry->db];
      of_db->db = entry->db;
    }
    ++of_db->kept[static_cast<size_t>(entry->encoding->type)];
  }
  return counts;
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
  void seal();
  void insert(uint64_t offset, const std::string& bytes, const char* why);
  void add_step(SalvageAction action, Extent extent, FindingCode why, std::string note);
  void sum_up();

  ByteSource& input;
  SalvageOptions options;
  RdbSalvage report;
  std::vector<SalvageEdit> edits;
  CheckSummary checked;
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
  end = checked.end;
  if (checked.has_header) report.header = RdbHeader{checked.dialect, checked.version};
  if (!is_sound(found) && !correct(found)) salvage(found);
  result = std::make_unique<SplicedSource>(input, splices_of(edits), end);
  if (report.exact) walked.counts = count_keys(*result);
  sum_up();
}

// A version before checksums, with eight bytes behind the end, may be another one with a flipped bit.
bool SalvagedRdb::State::is_sound(const FindingList& found) const {
  if (!checked.sound()) return false;
  const bool trails = std::ranges::any_of(
      found.all, [](const Finding& finding) { return finding.code == FindingCode::rdb_trailing; });
  return !(trails && checked.version < kChecksumSince && input.size() == end + kChecksumBytes);
}

bool SalvagedRdb::State::correct(const FindingList& found) {
  NoFindings said_before;
  RecordReader head(input, said_before);
  if (head.next_head() != nullptr) begin = head.state().magic_offset;
  CorrectionSearch search;
  search.begin = begin;
  if (checked.complete) search.end = checked.end;
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
  const auto twice = std::ranges::find(report.steps, SalvageAction::twice, &SalvageStep::action);
  if (twice != report.steps.end()) {
    Finding why;
    why.code = FindingCode::rdb_duplicate_key;
    why.extent = twice->extent;
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
  refuse(
      why,
      "no flipped bits or short run of them explains it, and all records read well: some value is not what "
      "was written, and nobody can say which; --reseal gives it a new checksum");
}

void SalvagedRdb::State::select_dbs(const std::map<uint64_t, uint64_t>& inferred) {
  uint64_t db = 0;
  for (const SalvageStretch& stretch : walked.stretches) {
    if (stretch.is_salvaged && stretch.db != db && !stretch.selects) {
      insert(stretch.extent.offset, select_bytes(stretch.db), kSelect);
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
}

void SalvagedRdb::State::drop_record(uint64_t db, const std::string& key, Extent extent, ValueType type) {
  SalvageStep step;
  step.action = SalvageAction::twice;
  step.extent = extent;
  step.why = FindingCode::rdb_duplicate_key;
  step.note = "a later record of the same key was kept";
  step.db = db;
  step.key = key;
  report.steps.push_back(std::move(step));
  ++report.steps_in_all;
  SalvageCounts& counts = walked.counts[db];
  const auto at = static_cast<size_t>(type);
  --counts.kept[at];
  ++counts.dropped[at];
  // What was put in for it goes, too.
  const auto edit = std::ranges::find_if(edits, [&](const SalvageEdit& other) {
    return other.drop.offset == extent.offset && !other.insert.empty();
  });
  if (edit != edits.end() && edit->why != kSelect) {
    --counts.partial[at];
    edit->insert.clear();
    return;
  }
  SalvageEdit drop{extent, "", kTwice};
  edits.insert(std::ranges::upper_bound(edits, extent.offset, {},
                                        [](const SalvageEdit& other) { return other.drop.offset; }),
               std::move(drop));
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
  add_step(SalvageAction::header, {begin, kHeaderBytes}, FindingCode::rdb_bad_version,
           header + " was put in, by what stands behind it");
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
             has_checksum ? "the EOF opcode and a checksum were put in" : "the EOF opcode was put in");
  }
  if (!has_checksum) return;
  SplicedSource data(input, splices_of(edits), footer);
  uint64_t crc = 0;
  for (uint64_t at = data.place(begin);;) {
    const Window window = data.window(at, 1);
    if (window.bytes.empty()) break;
    crc = crc64(crc, window.bytes);
    at += window.bytes.size();
  }
  if (walked.end_record)
    edits.push_back({{footer, kChecksumBytes}, checksum_bytes(crc), kSeal});
  else
    insert(end, checksum_bytes(crc), kSeal);
}

// ------------------------------------------------------------------------------------------------ the sum

void SalvagedRdb::State::add_step(SalvageAction action, Extent extent, FindingCode why, std::string note) {
  SalvageStep step;
  step.action = action;
  step.extent = extent;
  step.why = why;
  step.note = std::move(note);
  report.steps.push_back(std::move(step));
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
  if (walked.end_record && walked.end_record->checksum != ChecksumState::absent) {
    report.stored_checksum = walked.end_record->stored;
    report.computed_checksum = walked.end_record->computed;
  }
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
  const uint64_t at = state_->result->origin(offset);
  const SalvageWalked& walked = state_->walked;
  if (contains(walked.partial, at)) return SalvageLabel::partial;
  if (contains(walked.uncertain, at)) return SalvageLabel::uncertain;
  const auto behind = std::ranges::upper_bound(walked.stretches, at, {},
                                               [](const SalvageStretch& s) { return s.extent.offset; });
  if (behind == walked.stretches.begin()) return SalvageLabel::sound;
  const SalvageStretch& stretch = *std::prev(behind);
  if (stretch.is_db_guessed && at < stretch.first_select_at) return SalvageLabel::uncertain;
  return stretch.is_salvaged ? SalvageLabel::salvaged : SalvageLabel::sound;
}

}  // namespace persist
