// RDB files pass piece by piece and log and canonical forms through memory; JSON Lines come one by one.
#include "ops/conversion.hpp"

#include <algorithm>
#include <map>

#include "base/hash64.hpp"
#include "engine/function_library.hpp"
#include "ops/error_counter.hpp"
#include "ops/gathered_value.hpp"
#include "ops/pipeline.hpp"
#include "ops/replayed_log.hpp"
#include "ops/sorted_lines.hpp"
#include "ops/stored_value.hpp"
#include "rdb/function_code.hpp"
#include "text/json_reader.hpp"

namespace persist {

namespace {

constexpr unsigned kFirstWithRestore = 206;
// Its files are read by all servers since, Redis and Valkey.
constexpr Bytes kCommonTarget = "redis-7.2";

constexpr size_t kJsonWrittenBytes = size_t{1} << 20;

constexpr uint64_t kBehindKeys = 2;  // where module data stands, as it says itself

class RdbConverter : public PieceWorker {
 public:
  RdbConverter(const EntryPlan& plan, const OutputRules& rules, OutputStream& out, const std::string& file,
               ConvertSummary& summary)
      : out_(out),
        file_(file),
        summary_(summary),
        output_(make_output(rules)),
        taker_(plan, *output_),
        checks_(!rules.is_checked) {}

  void work(RecordReader& records, FindingSink& findings) override {
    const ValueCheck check{checker_, file_, findings};
    while (const RdbRecord* record = records.next_head()) {
      if (const auto* entry = std::get_if<RdbEntry>(&record->body)) {
        // What is changed is a copy: the reader goes on to use its own.
        StoredValue value(records, *record, *entry, checks_ ? &check : nullptr);
        if (taker_.take(*entry, value)) ++keys_;
      } else {
        has_header_ = has_header_ || std::holds_alternative<RdbHeader>(record->body);
        output_->put_record(*record);
      }
    }
  }

  void emit() override {
    out_.take(*output_);
    summary_.keys += std::exchange(keys_, 0);
    summary_.has_header = summary_.has_header || has_header_;
  }

 private:
  OutputStream& out_;
  const std::string& file_;
  ConvertSummary& summary_;
  std::unique_ptr<EntryOutput> output_;
  EntryTaker taker_;
  ValueChecker checker_{random_seed()};
  bool checks_;
  uint64_t keys_ = 0;
  bool has_header_ = false;
};

}  // namespace

const Target& default_target(const std::optional<ServerVersion>& writer) {
  const Target* found = find_target(kCommonTarget);
  if (!writer) return *found;
  // The newest that is not newer than the writer.
  for (const Target& target : targets())
    if (target.family == writer->family && target.release <= writer->version) found = &target;
  return *found;
}

Conversion::Conversion(const ConvertInput& input, const ConvertOptions& options, FindingSink& findings)
    : input_(input), options_(options), findings_(&findings), plan_{options.filter, options.changes} {
  summary_.target = options.write.target;
  summary_.errors = input.errors;
}

Conversion::~Conversion() = default;

void Conversion::choose_target(const std::optional<ServerVersion>& writer) {
  if (summary_.target == nullptr) {
    summary_.target = &default_target(writer);
    summary_.target_chosen = true;
  }
  if (options_.restore && options_.to == OutputForm::resp && target().release < kFirstWithRestore)
    throw EditRefused(EditRefused::Kind::unusable, std::string(target().name) + " has no RESTORE");
}

bool Conversion::prepare() {
  if (input_.log != nullptr) return prepare_log();
  if (input_.rdb != nullptr) return prepare_rdb();
  choose_target(std::nullopt);
  return true;
}

bool Conversion::prepare_rdb() {
  const RdbHead head = read_rdb_head(*input_.rdb);
  choose_target(head.server);
  provenance_ = provenance_of(head);
  if (!options_.canonical) return true;
  data_ = std::make_unique<Dataset>();
  ErrorCounter errors(*findings_, summary_);
  loaded_ = load_rdb(*input_.rdb, errors, *data_, options_.progress);
  summary_.has_header = head.found;
  summary_.complete = loaded_.complete;
  summary_.keys = loaded_.keys;
  return true;
}

bool Conversion::prepare_log() {
  ErrorCounter errors(*findings_, summary_);
  ReplayOptions replay = input_.replay;
  if (!replay.progress) replay.progress = options_.progress;
  ReplayedLog log = replay_log(*input_.log, errors, replay);
  data_ = std::move(log.data);
  loaded_ = std::move(log.rest);
  provenance_ = log.provenance;
  knows_idmp_ = log.knows_idmp;
  summary_.complete = log.summary.complete;
  summary_.keys = log.summary.keys;
  summary_.reach = std::max(summary_.reach, log.summary.reach);
  summary_.has_header = true;
  summary_.replay = log.summary;
  if (!summary_.replay->is_log || summary_.replay->refused) return false;
  choose_target(summary_.replay->server);
  return true;
}

bool Conversion::changes_nothing() const {
  return (plan_.filter == nullptr || plan_.filter->accepts_all()) && plan_.changes == nullptr;
}

OutputRules Conversion::make_rules(OutputForm form, bool is_base) const {
  OutputRules rules;
  rules.form = form;
  rules.write = {summary_.target, options_.write.limits, options_.write.compress};
  const bool by_commands = form == OutputForm::aof || form == OutputForm::resp;
  rules.fit = {summary_.target,
               by_commands                ? Carrier::commands
               : form == OutputForm::dump ? Carrier::payload
                                          : Carrier::rdb,
               options_.write.modules};
  rules.from = provenance_;
  rules.canonical = options_.canonical;
  rules.is_base = is_base;
  rules.keeps_layout = changes_nothing() && !options_.canonical;
  rules.is_checked = is_checked_;
  if (input_.rdb != nullptr && input_.rdb->size()) rules.keys_max = *input_.rdb->size() / kEntryBytesMin;
  rules.selects = plan_.filter != nullptr && plan_.filter->selects();
  rules.fields_change = plan_.changes != nullptr && plan_.changes->changes_fields();
  rules.restore = options_.restore && form == OutputForm::resp;
  rules.replace = options_.replace && form == OutputForm::resp;
  rules.meta = options_.meta;
  return rules;
}

bool Conversion::changes_names() const { return plan_.changes != nullptr && plan_.changes->changes_keys(); }

// Two keys of one input are never the same, unless they are changed, or nobody has seen to it.
bool Conversion::may_meet_twice() const { return input_.json != nullptr || changes_names(); }

void Conversion::refuse_same_names(const OutputRules& rules) {
  if (names_->has_suspects(useful_threads(options_.threads))) {
    OutputRules looking = rules;
    looking.only_probes = true;
    // Outputs of one's own are not to see it all once more. Text has room for any type.
    if (std::exchange(looking.make, nullptr)) looking.form = OutputForm::jsonl;
    OutputStream nowhere(nullptr, looking, false);
    FindingSink* const findings = std::exchange(findings_, &ignored_);
    pass_entries(nowhere, looking);
    findings_ = findings;
  }
  const SameNames::Same same = names_->found();
  plan_.names = nullptr;
  names_.reset();
  if (same.keys == 0) return;
  const Bytes why = input_.json != nullptr && !changes_names()
                        ? "the input has them more than once"
                        : "--rename or --db-map gives several keys one name";
  throw EditRefused(EditRefused::Kind::unusable,
                    std::to_string(same.keys) + (same.keys == 1 ? " key" : " keys") +
                        " would stand in the result more than once: " + same.first + "; " + std::string(why));
}

void Conversion::run(ByteSink* sink, OutputForm form, bool is_base) { pass(sink, make_rules(form, is_base)); }

void Conversion::probe(OutputForm form, bool is_base) {
  OutputRules rules = make_rules(form, is_base);
  rules.only_probes = true;
  pass(nullptr, rules);
}

void Conversion::run_into(const MakeOutput& make, OutputForm form, ByteSink* sink) {
  OutputRules rules = make_rules(form, false);
  rules.make = make;
  pass(sink, rules);
}

void Conversion::pass(ByteSink* sink, const OutputRules& rules) {
  if (may_meet_twice()) {
    names_ = std::make_unique<SameNames>();
    plan_.names = names_.get();
  }
  OutputStream out(sink, rules, options_.write.checksum);
  out.begin();
  pass_entries(out, rules);
  if (names_) refuse_same_names(rules);
  out.end();
  summary_.losses = out.losses();
  summary_.losses.add(loaded_.losses);
  summary_.written = out.written();
  summary_.bytes_written = out.bytes();
}

void Conversion::pass_entries(OutputStream& out, const OutputRules& rules) {
  if (data_)
    run_dataset(out, rules);
  else if (input_.json != nullptr)
    run_json(out, rules);
  else
    run_rdb(out, rules);
}

void Conversion::run_rdb(OutputStream& out, const OutputRules& rules) {
  summary_.keys = 0;
  summary_.errors = input_.errors;
  // Whoever checks the result finds keys that come twice.
  std::unique_ptr<DuplicateKeys> originals;
  if (!rules.is_checked) originals = std::make_unique<DuplicateKeys>();
  plan_.originals = originals.get();
  ErrorCounter errors(*findings_, summary_);
  PipelineOptions pipeline;
  pipeline.threads = options_.threads;
  pipeline.progress = options_.progress;
  const PipelineResult result = run_pipeline(*input_.rdb, errors, pipeline, [&] {
    return std::make_unique<RdbConverter>(plan_, rules, out, input_.rdb->name(), summary_);
  });
  plan_.originals = nullptr;
  summary_.complete = result.complete;
  if (originals) originals->report(*input_.rdb, result.header, useful_threads(options_.threads), errors);
}

void Conversion::run_json(OutputStream& out, const OutputRules& rules) {
  summary_.keys = 0;
  summary_.errors = input_.errors;
  summary_.has_header = true;
  ErrorCounter errors(*findings_, summary_);
  if (options_.canonical) return run_sorted_json(out, rules, errors);
  JsonLinesReader lines(*input_.json, errors);
  const std::unique_ptr<EntryOutput> output = make_output(rules);
  EntryTaker taker(plan_, *output);
  while (const RdbRecord* record = lines.next()) {
    if (const auto* entry = std::get_if<RdbEntry>(&record->body)) {
      GatheredValue value(lines.value());
      taker.take(*entry, value);
      ++summary_.keys;
    } else {
      output->put_record(*record);
    }
    // Outputs of one's own hold more than what they made.
    if (rules.make || output->made().size() >= kJsonWrittenBytes) out.take(*output);
  }
  out.take(*output);
  summary_.complete = lines.complete();
}

void Conversion::run_sorted_json(OutputStream& out, const OutputRules& rules, FindingSink& findings) {
  const std::unique_ptr<EntryOutput> output = make_output(rules);
  EntryTaker taker(plan_, *output);
  SortedLines lines(*input_.json);
  std::map<std::string, std::string> libraries;  // by name, as a dataset in memory has them
  std::vector<LoadedRdb::KeptModuleAux> behind;  // what stands behind the keys
  summary_.complete = lines.index(findings, plan_.changes, [&](const RdbRecord& record) {
    if (const auto* library = std::get_if<FunctionLibrary>(&record.body)) {
      const std::string code = function_code(*library);
      libraries.insert_or_assign(std::string(function_library_name(code)), code);
    } else if (const auto* aux = std::get_if<ModuleAux>(&record.body);
               aux != nullptr && aux->when == kBehindKeys) {
      behind.push_back({std::string(aux->module), aux->encver, aux->when, std::string(aux->payload)});
    } else {
      output->put_record(record);
    }
  });
  for (const auto& named : libraries) {
    FunctionLibrary library;
    library.code = named.second;
    output->put_record({{}, library});
  }
  // Before the first key selects its database.
  out.take(*output);
  lines.for_each([&](const RdbEntry& entry, Value& told) {
    RdbEntry head = entry;
    head.idle_s.reset();
    head.freq.reset();
    told.sort();
    GatheredValue value(told);
    taker.take(head, value);
    ++summary_.keys;
    if (output->made().size() >= kJsonWrittenBytes) out.take(*output);
  });
  out.take(*output);
  for (const LoadedRdb::KeptModuleAux& kept : behind)
    out.record({{}, ModuleAux{kept.module, kept.encver, kept.when, kept.payload}});
}

void Conversion::run_dataset(OutputStream& out, const OutputRules& rules) {
  DatasetFlow flow;
  flow.plan = &plan_;
  flow.rules = &rules;
  flow.sorted = options_.canonical;
  // What people get to see is the same in each run.
  const bool is_text = rules.form == OutputForm::jsonl || rules.form == OutputForm::csv;
  flow.sorted_members = options_.canonical || is_text;
  flow.knows_idmp = knows_idmp_;
  flow.threads = useful_threads(options_.threads);
  flow.rest = &loaded_;
  if (digest_) flow.digest = &*digest_;
  write_dataset(*data_, flow, out);
}

bool Conversion::may_commit() const {
  const bool damaged = summary_.errors > 0 || !summary_.complete;
  if (!summary_.has_header || (damaged && !options_.salvage)) return false;
  return !summary_.losses.loses_more_than(options_.permitted_losses);
}

bool Conversion::permits_all_losses() const {
  return std::ranges::all_of(loss_rows(), [this](const LossRow& row) {
    return row.kind == LossKind::hint ||
           std::ranges::find(options_.permitted_losses, row.feature) != options_.permitted_losses.end();
  });
}

bool Conversion::may_always_commit() const {
  return options_.salvage && !may_meet_twice() && permits_all_losses();
}

}  // namespace persist
