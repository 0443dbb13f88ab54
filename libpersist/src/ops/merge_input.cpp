// Walking an input. What is damaged is said the first time; later walks only see that it is still the same.
#include "ops/merge_input.hpp"
#include "ops/no_findings.hpp"
#include "rdb/file_head.hpp"

#include <algorithm>
#include <utility>

#include "base/letters.hpp"
#include "ops/dataset_flow.hpp"
#include "ops/entry_head.hpp"
#include "ops/error_counter.hpp"
#include "ops/gathered_value.hpp"
#include "ops/libraries.hpp"
#include "ops/stored_value.hpp"
#include "rdb/function_code.hpp"
#include "text/json_reader.hpp"

namespace persist {

namespace {

constexpr size_t kKeysHandedOn = 4096;

// What tells one record of a module from another.
std::string bytes_of(const ModuleAux& aux) {
  return std::string(aux.module).append(std::to_string(aux.when)).append(1, '\0').append(aux.payload);
}

ModuleAux record_of(const LoadedRdb::KeptModuleAux& kept) {
  return {kept.module, kept.encver, kept.when, kept.payload};
}

bool is_script(const AuxField& aux) { return equals_ignoring_case(aux.name, kScriptAux); }

// The entry as it is to be written; false if it is not to be.
bool plan_entry(const EntryPlan& plan, RdbEntry& entry, std::string& room) {
  if (plan.filter != nullptr && !plan.filter->accepts_all() && !plan.filter->accepts(entry)) return false;
  if (plan.changes != nullptr) plan.changes->apply(entry, room);
  return true;
}

// The first walk.
class KeyCollector : public KeyWalker {
 public:
  KeyCollector(size_t input, MergeState& state, const std::string& file, FindingSink& findings,
               Libraries& names)
      : input_(input), state_(state), file_(file), findings_(findings), names_(names) {}

  bool wants(const RdbEntry& /*entry*/) override { return true; }
  void take(const RdbEntry& entry) override { hashes_.push_back(state_.keys.hash(entry)); }

  void take_record(const RdbRecord& record) override {
    if (const auto* library = std::get_if<FunctionLibrary>(&record.body)) {
      libraries_.emplace_back(record.extent, function_code(*library));
    } else if (const auto* aux = std::get_if<AuxField>(&record.body)) {
      if (is_script(*aux)) once_.emplace_back(aux->value);
    } else if (const auto* of_module = std::get_if<ModuleAux>(&record.body)) {
      once_.push_back(bytes_of(*of_module));
    }
  }

  void hand_on() override {
    state_.keys.add(hashes_);
    hashes_.clear();
    for (const auto& placed : libraries_) {
      FunctionLibrary library;
      library.code = placed.second;
      names_.check(placed.first, library, file_, findings_);
      state_.libraries.note_library(input_, placed.second);
    }
    libraries_.clear();
    for (const std::string& bytes : once_) state_.libraries.note_once(input_, bytes);
    once_.clear();
  }

 private:
  size_t input_;
  MergeState& state_;
  const std::string& file_;
  FindingSink& findings_;
  Libraries& names_;
  std::vector<uint64_t> hashes_;
  std::vector<std::pair<Extent, std::string>> libraries_;
  std::vector<std::string> once_;  // scripts, data of modules
};

Finding twice_in(const std::string& file, const MergeKeys::Sighting& sighting) {
  Finding finding;
  finding.code = FindingCode::rdb_duplicate_key;
  finding.file = file;
  finding.extent.offset = sighting.place;
  finding.subject = "key";
  finding.expected = "each key once in a db";
  finding.found = "the key of an earlier record again";
  finding.db = sighting.db;
  finding.key = sighting.key;
  return finding;
}

// The second walk.
class KeyJudge : public KeyWalker {
 public:
  KeyJudge(size_t input, MergeState& state, const std::string& file, FindingSink& findings)
      : input_(input), state_(state), file_(file), findings_(findings) {}

  bool wants(const RdbEntry& entry) override { return state_.keys.is_suspect(state_.keys.hash(entry)); }
  void take(const RdbEntry& entry) override { seen_.push_back(state_.keys.sighting_of(entry)); }

  void hand_on() override {
    for (const MergeKeys::Sighting& sighting : seen_)
      if (!state_.keys.judge(input_, sighting)) report_twice(sighting);
    seen_.clear();
  }

 private:
  void report_twice(const MergeKeys::Sighting& sighting) {
    const KeyChanges* changes = state_.options.changes;
    if (changes == nullptr || !changes->changes_keys()) return findings_.report(twice_in(file_, sighting));
    throw EditRefused(EditRefused::Kind::unusable, file_ + ": two keys become one: \"" + sighting.key +
                                                       "\" in db " + std::to_string(sighting.db));
  }

  size_t input_;
  MergeState& state_;
  const std::string& file_;
  FindingSink& findings_;
  std::vector<MergeKeys::Sighting> seen_;
};

}  // namespace

// One piece after the other through a walker.
class MergeInput::RdbWalk : public PieceWorker {
 public:
  RdbWalk(const EntryPlan& plan, uint64_t last_place, std::unique_ptr<KeyWalker> walker, Walked& walked)
      : plan_(plan), last_place_(last_place), walker_(std::move(walker)), walked_(walked) {}

  void work(RecordReader& records, FindingSink& /*findings*/) override {
    records.set_payloads(Payloads::validated);
    while (const RdbRecord* record = records.next_head()) {
      has_header_ = has_header_ || std::holds_alternative<RdbHeader>(record->body);
      if (const auto* entry = std::get_if<RdbEntry>(&record->body))
        look_at(records, *entry);
      else
        walker_->take_record(*record);
    }
  }

  void emit() override {
    walked_.keys += std::exchange(keys_, 0);
    walked_.has_header = walked_.has_header || has_header_;
    walked_.last_place = std::max(walked_.last_place, last_seen_);
    walker_->hand_on();
  }

 private:
  void look_at(RecordReader& records, const RdbEntry& entry) {
    if (entry.value_offset > last_place_) return;
    RdbEntry planned = entry;
    if (plan_entry(plan_, planned, room_) && walker_->wants(planned)) {
      if (!records.read_value([](const Element&) {})) return;
      walker_->take(planned);
    } else if (!records.finish_value()) {
      return;
    }
    ++keys_;
    last_seen_ = entry.value_offset;
  }

  const EntryPlan& plan_;
  uint64_t last_place_;
  std::unique_ptr<KeyWalker> walker_;
  Walked& walked_;
  std::string room_;
  uint64_t keys_ = 0;
  uint64_t last_seen_ = 0;
  bool has_header_ = false;
};

// Copies what is not to come from another input.
class MergeInput::RdbCopy : public PieceWorker {
 public:
  RdbCopy(const MergeInput& input, const OutputRules& rules, OutputStream& out)
      : input_(input), out_(out), output_(make_output(rules)), taker_(input.state_.plan, *output_) {}

  void work(RecordReader& records, FindingSink& /*findings*/) override {
    while (const RdbRecord* record = records.next_head()) {
      if (const auto* entry = std::get_if<RdbEntry>(&record->body)) {
        if (input_.drops(*entry, room_)) continue;
        StoredValue value(records, *record, *entry);
        taker_.take(*entry, value);
      } else if (input_.keeps(*record)) {
        output_->put_record(*record);
      }
    }
  }

  void emit() override { out_.take(*output_); }

 private:
  const MergeInput& input_;
  OutputStream& out_;
  std::unique_ptr<EntryOutput> output_;
  EntryTaker taker_;
  std::string room_;
};

MergeInput::MergeInput(size_t number, const ConvertInput& input, MergeState& state, MergedInput& summary)
    : number_(number), input_(input), state_(state), summary_(summary) {
  source_ = input.rdb != nullptr ? input.rdb : input.json;
  if (source_ == nullptr || source_->rereadable()) return;
  copy_ = rereadable_source(borrowed_source(*source_));
  source_ = copy_.get();
}

bool MergeInput::prepare(FindingSink& findings) {
  if (input_.log != nullptr) {
    ReplayOptions replay = input_.replay;
    if (!replay.progress) replay.progress = progress();
    ErrorCounter errors(findings, summary_);
    log_ = replay_log(*input_.log, errors, replay);
    for (const SetPart& part : input_.log->parts) state_.bytes_done += part.size;
    summary_.replay = log_.summary;
    summary_.reach = std::max(summary_.reach, log_.summary.reach);
    provenance_ = log_.provenance;
    if (!log_.summary.is_log || log_.summary.refused) return false;
    writer_ = log_.summary.server;
  } else if (input_.rdb != nullptr) {
    const RdbHead head = read_rdb_head(*source_);
    writer_ = head.server;
    provenance_ = provenance_of(head);
  }
  return true;
}

void MergeInput::collect(FindingSink& findings) {
  Libraries names;
  ErrorCounter errors(findings, summary_);
  collected_ = walk(
      findings, [&] { return std::make_unique<KeyCollector>(number_, state_, name(), errors, names); },
      progress());
  end_walk();
  summary_.has_header = collected_.has_header;
  summary_.complete = collected_.complete;
  summary_.keys = collected_.keys;
  summary_.errors += collected_.errors;
  summary_.reach = std::max(summary_.reach, collected_.reach);
  if (input_.log == nullptr) return;
  for (const auto& named : log_.data->functions) state_.libraries.note_library(number_, named.second);
  for (const std::string& script : log_.rest.scripts) state_.libraries.note_once(number_, script);
  for (const LoadedRdb::KeptModuleAux& kept : log_.rest.module_aux)
    state_.libraries.note_once(number_, bytes_of(record_of(kept)));
}

void MergeInput::judge(FindingSink& findings) {
  NoFindings said_before;
  ErrorCounter errors(findings, summary_);
  walk(said_before, [&] { return std::make_unique<KeyJudge>(number_, state_, name(), errors); }, {});
}

MergeInput::Walked MergeInput::walk(FindingSink& findings, const MakeWalker& make, const Progress& progress) {
  if (input_.rdb != nullptr) return walk_rdb(findings, make, progress);
  const std::unique_ptr<KeyWalker> walker = make();
  if (input_.json != nullptr) return walk_json(findings, *walker, progress);
  walk_log(*walker);
  Walked walked;
  walked.keys = log_.data->keys();
  walked.complete = log_.summary.complete;
  return walked;
}

MergeInput::Walked MergeInput::walk_rdb(FindingSink& findings, const MakeWalker& make,
                                        const Progress& progress) {
  Walked walked;
  walked.has_header = false;
  walked.last_place = 0;
  ErrorCounter errors(findings, walked);
  PipelineOptions pipeline;
  pipeline.threads = state_.options.threads;
  pipeline.progress = progress;
  walked.complete = run_pipeline(*source_, errors, pipeline, [&] {
                      return std::make_unique<RdbWalk>(state_.plan, collected_.last_place, make(), walked);
                    }).complete;
  return walked;
}

MergeInput::Walked MergeInput::walk_json(FindingSink& findings, KeyWalker& walker, const Progress& progress) {
  Walked walked;
  ErrorCounter errors(findings, walked);
  JsonLinesReader lines(*source_, errors);
  std::string room;
  while (const RdbRecord* record = lines.next()) {
    if (const auto* entry = std::get_if<RdbEntry>(&record->body)) {
      RdbEntry planned = *entry;
      if (plan_entry(state_.plan, planned, room) && walker.wants(planned)) walker.take(planned);
      if (++walked.keys % kKeysHandedOn != 0) continue;
      walker.hand_on();
      if (progress) progress(record->extent.offset);
    } else {
      walker.take_record(*record);
    }
  }
  walker.hand_on();
  walked.complete = lines.complete();
  return walked;
}

void MergeInput::walk_log(KeyWalker& walker) {
  std::string room;
  size_t keys = 0;
  for (const auto& numbered : log_.data->dbs()) {
    for (const KeyEntry* held : numbered.second.entries()) {
      RdbEntry planned = head_of(numbered.first, *held);
      if (plan_entry(state_.plan, planned, room) && walker.wants(planned)) walker.take(planned);
      if (++keys % kKeysHandedOn == 0) walker.hand_on();
    }
  }
  walker.hand_on();
}

void MergeInput::write(const OutputRules& common, OutputStream& out) {
  OutputRules rules = common;
  rules.from = provenance_;
  const uint64_t before = out.written();
  if (input_.rdb != nullptr)
    write_rdb(rules, out);
  else if (input_.json != nullptr)
    write_json(rules, out);
  else
    write_log(rules, out);
  summary_.written = out.written() - before;
  end_walk();
}

void MergeInput::write_rdb(const OutputRules& rules, OutputStream& out) {
  NoFindings said_before;
  Walked walked;
  ErrorCounter errors(said_before, walked);
  PipelineOptions pipeline;
  pipeline.threads = state_.options.threads;
  pipeline.progress = progress();
  walked.complete = run_pipeline(*source_, errors, pipeline, [&] {
                      return std::make_unique<RdbCopy>(*this, rules, out);
                    }).complete;
  require_unchanged(walked);
}

void MergeInput::write_json(const OutputRules& rules, OutputStream& out) {
  constexpr size_t kBytesAtOnce = size_t{1} << 20;
  NoFindings said_before;
  Walked walked;
  ErrorCounter errors(said_before, walked);
  JsonLinesReader lines(*source_, errors);
  const std::unique_ptr<EntryOutput> output = make_output(rules);
  EntryTaker taker(state_.plan, *output);
  std::string room;
  while (const RdbRecord* record = lines.next()) {
    if (const auto* entry = std::get_if<RdbEntry>(&record->body)) {
      GatheredValue value(lines.value());
      if (!drops(*entry, room)) taker.take(*entry, value);
    } else if (keeps(*record)) {
      output->put_record(*record);
    }
    if (output->made().size() >= kBytesAtOnce) out.take(*output);
  }
  out.take(*output);
  walked.complete = lines.complete();
  require_unchanged(walked);
}

// What is not to be written goes from memory, which nobody needs any more.
void MergeInput::write_log(const OutputRules& rules, OutputStream& out) {
  std::string room;
  for (auto& numbered : log_.data->dbs()) {
    if (!state_.keys.drops_any()) break;
    for (KeyEntry* held : numbered.second.entries())
      if (drops(head_of(numbered.first, *held), room)) numbered.second.erase(*held);
  }
  std::erase_if(log_.data->functions,
                [this](const auto& named) { return !state_.libraries.keeps_library(number_, named.second); });
  std::erase_if(log_.rest.scripts,
                [this](const std::string& text) { return !state_.libraries.keeps_once(number_, text); });
  std::erase_if(log_.rest.module_aux, [this](const LoadedRdb::KeptModuleAux& kept) {
    return !state_.libraries.keeps_once(number_, bytes_of(record_of(kept)));
  });
  DatasetFlow flow;
  flow.plan = &state_.plan;
  flow.rules = &rules;
  flow.knows_idmp = log_.knows_idmp;
  flow.threads = useful_threads(state_.options.threads);
  flow.rest = &log_.rest;
  write_dataset(*log_.data, flow, out);
}

const std::string& MergeInput::name() const {
  return source_ != nullptr ? source_->name() : input_.log->path;
}

void MergeInput::end_walk() {
  if (source_ != nullptr) state_.bytes_done += source_->size().value_or(0);
}

// That of a walk, on top of those before it.
Progress MergeInput::progress() const {
  if (!state_.options.progress) return {};
  return [this, before = state_.bytes_done](uint64_t offset) { state_.options.progress(before + offset); };
}

bool MergeInput::drops(const RdbEntry& entry, std::string& room) const {
  if (entry.value_offset > collected_.last_place) return true;
  if (!state_.keys.drops_any()) return false;
  RdbEntry planned = entry;
  return plan_entry(state_.plan, planned, room) && state_.keys.drops(number_, planned);
}

// AUX fields speak of one file, and the result is none of the others.
bool MergeInput::keeps(const RdbRecord& record) const {
  if (const auto* library = std::get_if<FunctionLibrary>(&record.body))
    return state_.libraries.keeps_library(number_, function_code(*library));
  if (const auto* of_module = std::get_if<ModuleAux>(&record.body))
    return state_.libraries.keeps_once(number_, bytes_of(*of_module));
  const auto* aux = std::get_if<AuxField>(&record.body);
  if (aux == nullptr) return true;
  return is_script(*aux) ? state_.libraries.keeps_once(number_, aux->value) : number_ == 0;
}

// Of what was damaged from the start, values may have been passed over this time that were looked into.
void MergeInput::require_unchanged(const Walked& walked) const {
  const bool was_whole = collected_.errors == 0 && collected_.complete;
  if (!was_whole || (walked.errors == 0 && walked.complete)) return;
  throw EditRefused(EditRefused::Kind::changed, name() + " has changed while it was read");
}

}  // namespace persist
