// The check: each thread walks its pieces and counts; counts and findings come together in the order of the
// file.
#include "persist/check.hpp"

#include <algorithm>
#include <limits>

#include "base/decimal.hpp"
#include "ops/duplicate_keys.hpp"
#include "ops/libraries.hpp"
#include "ops/pipeline.hpp"
#include "ops/value_checker.hpp"

namespace persist {

namespace {

// What is about the target says nothing of the file.
bool concerns_target(const Finding& finding) { return finding.kind().id.starts_with("target."); }

// Counts what passes.
class Tally : public FindingSink {
 public:
  Tally(FindingSink& to, CheckSummary& summary) : to_(to), summary_(summary) {}

  void report(const Finding& finding) override {
    if (!concerns_target(finding)) {
      if (finding.kind().severity == Severity::error) {
        ++summary_.errors;
        farthest_sound_ = std::min(farthest_sound_, finding.extent.offset);
        summary_.reach = std::max(summary_.reach, finding.kind().reach);
      } else if (finding.kind().severity == Severity::warning) {
        ++summary_.warnings;
      }
    }
    to_.report(finding);
  }

  // Where the first error in the file is.
  [[nodiscard]] uint64_t farthest_sound() const { return farthest_sound_; }

 private:
  FindingSink& to_;
  CheckSummary& summary_;
  uint64_t farthest_sound_ = std::numeric_limits<uint64_t>::max();
};

// A record that is no entry, to be told in its turn. Those of a piece are few, or small.
struct Sighting {
  RdbRecord record;
  std::string name;  // what the record's views show
  std::string value;
  uint64_t offset = 0;
};

// What all workers share, touched in turn.
struct CheckShared {
  const std::string& file;
  const CheckOptions& options;
  Tally& tally;
  CheckSummary& summary;
  DuplicateKeys keys;
  Libraries libraries;
};

class CheckWorker : public PieceWorker {
 public:
  explicit CheckWorker(CheckShared& shared)
      : shared_(shared), appender_(shared.keys.hashes().appender()), values_(shared.keys.seed()) {}

  void work(RecordReader& records, FindingSink& findings) override {
    while (const RdbRecord* record = records.next_head()) {
      if (const auto* entry = std::get_if<RdbEntry>(&record->body)) {
        check_entry(records, *record, *entry, findings);
      } else {
        note(records, *record);
      }
      if (shared_.options.target != nullptr) seek_obstacle(records, *record, findings);
    }
    counts_.end = std::max(counts_.end, records.offset());
  }

  void emit() override {
    for (const Sighting& seen : sightings_) tell(seen);
    sightings_.clear();
    add_counts(shared_.summary);
    counts_ = {};
    if (obstacle_ && !shared_.summary.obstacle) {
      shared_.summary.obstacle = obstacle_;
      shared_.tally.report(*obstacle_);
    }
    obstacle_.reset();
  }

 private:
  void check_entry(RecordReader& records, const RdbRecord& record, const RdbEntry& entry,
                   FindingSink& findings) {
    appender_.add(shared_.keys.hash(entry.db, entry.key));
    const bool whole =
        records.value_is_plain() ? records.finish_value() : check_elements(records, record, entry, findings);
    if (!whole) return;
    ++counts_.keys;
    ++counts_.keys_by_type[static_cast<size_t>(entry.encoding->type)];
    if (entry.expire_at_ms == kNoExpiry) return;
    ++counts_.volatile_keys;
    if (entry.expire_at_ms <= shared_.options.now_ms) ++counts_.expired;
  }

  bool check_elements(RecordReader& records, const RdbRecord& record, const RdbEntry& entry,
                      FindingSink& findings) {
    values_.begin(*entry.encoding);
    if (!records.read_value([this](const Element& element) { values_.add(element); })) return false;
    values_.end([&](ElementSink again) { records.visit(again); });
    if (!values_.flaws().empty()) report_flaws(record, entry, findings);
    counts_.volatile_fields += values_.field_expiries();
    return true;
  }

  void report_flaws(const RdbRecord& record, const RdbEntry& entry, FindingSink& findings) const {
    for (const Flaw& flaw : values_.flaws()) {
      Finding finding = flaw.at(shared_.file, record.extent, *entry.encoding);
      finding.db = entry.db;
      finding.key = std::string(entry.key);
      findings.report(finding);
    }
  }

  // AUX fields, functions, the end: kept for emit(), where they are in order.
  void note(const RecordReader& records, const RdbRecord& record) {
    Sighting seen{record, {}, {}, records.offset()};
    if (const auto* aux = std::get_if<AuxField>(&record.body)) {
      seen.name = aux->name;
      seen.value = aux->value;
    } else if (const auto* library = std::get_if<FunctionLibrary>(&record.body)) {
      seen.name = library->name;
      seen.value = library->code;
    } else if (const auto* aux_data = std::get_if<ModuleAux>(&record.body)) {
      seen.name = aux_data->module;
      seen.offset -= aux_data->payload.size();
    }
    sightings_.push_back(std::move(seen));
  }

  void tell(const Sighting& seen) {
    RdbRecord record = seen.record;
    if (auto* header = std::get_if<RdbHeader>(&record.body)) {
      shared_.summary.has_header = true;
      shared_.summary.dialect = header->dialect;
      shared_.summary.version = header->version;
    } else if (auto* aux = std::get_if<AuxField>(&record.body)) {
      *aux = {seen.name, seen.value};
      check_slot_info(record, *aux);
      if (aux->name == "ctime") note_ctime(aux->value);
    } else if (auto* library = std::get_if<FunctionLibrary>(&record.body)) {
      library->name = seen.name;
      library->code = seen.value;
      library->engine = {};
      library->description.reset();
      ++shared_.summary.functions;
      shared_.libraries.check(record.extent, *library, shared_.file, shared_.tally);
    } else if (auto* aux_data = std::get_if<ModuleAux>(&record.body)) {
      aux_data->module = seen.name;
      aux_data->payload = {};
    } else if (auto* import = std::get_if<SlotImport>(&record.body)) {
      *import = {};
    } else if (const auto* end = std::get_if<RdbEnd>(&record.body)) {
      shared_.summary.checksum = end->checksum;
    }
    if (shared_.options.observe) shared_.options.observe(record, seen.offset);
  }

  // What is no number is passed over: servers take no notice of the field.
  void note_ctime(Bytes value) {
    const std::optional<int64_t> seconds = parse_decimal<int64_t>(value);
    shared_.summary.ctime_s = seconds && *seconds >= 0 ? seconds : std::nullopt;
  }

  void check_slot_info(const RdbRecord& record, const AuxField& aux) {
    constexpr ptrdiff_t kCommasMin = 2;
    if (aux.name != "slot-info" || std::ranges::count(aux.value, ',') >= kCommasMin) return;
    Finding finding;
    finding.code = FindingCode::rdb_slot_info;
    finding.file = shared_.file;
    finding.extent = record.extent;
    finding.subject = "AUX slot-info";
    finding.expected = "three numbers or more";
    finding.found = "\"" + std::string(aux.value) + "\"";
    shared_.tally.report(finding);
  }

  // The first thing in the piece that the target would refuse. What it would only mind is a finding at once.
  void seek_obstacle(const RecordReader& records, const RdbRecord& record, FindingSink& findings) {
    if (obstacle_) return;
    if (const auto* header = std::get_if<RdbHeader>(&record.body)) shared_.summary.dialect = header->dialect;
    const RecordTraits traits{records.saw_long_length(), values_.module()};
    std::optional<Finding> found = find_obstacle(*shared_.options.target, shared_.options.version_check,
                                                 shared_.summary.dialect, record, traits);
    if (!found) return;
    found->file = shared_.file;
    if (found->kind().severity == Severity::error)
      obstacle_ = std::move(found);
    else
      findings.report(*found);
  }

  void add_counts(CheckSummary& to) const {
    to.keys += counts_.keys;
    to.volatile_keys += counts_.volatile_keys;
    to.expired += counts_.expired;
    to.volatile_fields += counts_.volatile_fields;
    to.end = std::max(to.end, counts_.end);
    for (size_t i = 0; i < to.keys_by_type.size(); ++i) to.keys_by_type[i] += counts_.keys_by_type[i];
  }

  CheckShared& shared_;
  DuplicateHashes::Appender& appender_;
  ValueChecker values_;
  CheckSummary counts_;
  std::vector<Sighting> sightings_;
  std::optional<Finding> obstacle_;
};

}  // namespace

CheckSummary check_rdb(ByteSource& source, FindingSink& findings, const CheckOptions& options) {
  CheckSummary summary;
  Tally tally(findings, summary);
  CheckShared shared{source.name(), options, tally, summary, {}, {}};
  PipelineOptions pipeline;
  pipeline.threads = options.threads;
  pipeline.payloads = Payloads::validated;
  pipeline.progress = options.progress;
  const PipelineResult result =
      run_pipeline(source, tally, pipeline, [&] { return std::make_unique<CheckWorker>(shared); });
  summary.complete = result.complete;
  summary.valid_up_to = result.valid_up_to;
  shared.keys.report(source, result.header, useful_threads(options.threads), tally);
  summary.valid_up_to = std::min(summary.valid_up_to, tally.farthest_sound());
  return summary;
}

}  // namespace persist
