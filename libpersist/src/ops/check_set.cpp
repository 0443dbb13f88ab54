// The check of a set: its parts in the order a server loads them, each with its RDB part and its log.
#include "persist/check_set.hpp"

#include <algorithm>

#include "aof/log_walk.hpp"
#include "base/letters.hpp"
#include "ops/log_part.hpp"
#include "ops/startup.hpp"

namespace persist {

namespace {

constexpr uint64_t kCommandsBetweenProgress = uint64_t{1} << 16;
// Of one kind and file. Millions of the same tell no more.
constexpr size_t kFindingsOfAKind = 10'000;
constexpr size_t kNotesOfAKind = 8;
// What servers from 7.0 on read of an annotation, '#' and line end included.
constexpr uint64_t kAnnotationBytesMax = 1023;
constexpr uint64_t kDatabasesByDefault = 16;

// Counts what passes.
class SetTally : public FindingSink {
 public:
  SetTally(FindingSink& to, SetSummary& summary) : to_(to), summary_(summary) {}
  void report(const Finding& finding) override {
    count(finding);
    to_.report(finding);
  }
  void count(const Finding& finding) {
    if (finding.kind().id.starts_with("target.")) return;
    carrier_told_ |= finding.kind().id.starts_with("source.");
    if (finding.kind().severity == Severity::error) {
      ++summary_.errors;
      // What is wrong with one of several files is never a mere tail of the set.
      summary_.reach = std::max(summary_.reach, finding.kind().reach);
    } else if (finding.kind().severity == Severity::warning) {
      ++summary_.warnings;
    }
  }
  void reach_beyond() { summary_.reach = Reach::beyond; }
  // Damage of the carrier, which whoever met it first may have told already.
  void report_carrier(const Finding& damage) {
    if (!carrier_told_) report(damage);
    carrier_told_ = false;
  }

 private:
  FindingSink& to_;
  SetSummary& summary_;
  bool carrier_told_ = false;
};

class LogCheck {
 public:
  LogCheck(ByteSource& source, PartSummary& summary, PartFacts& facts, SetTally& tally,
           const LogCheckOptions& options, bool is_last, const LogCarry& carry)
      : source_(source),
        summary_(summary),
        facts_(facts),
        tally_(tally),
        options_(options),
        is_last_(is_last),
        walk_(source, summary.log_offset, Hold::beginnings, carry) {}

  LogCarry run() {
    facts_.server_cut = 0;
    while (step()) {
    }
    summary_.commands = walk_.commands();
    if (!summary_.damaged) summary_.valid_up_to = walk_.sound_up_to();
    summary_.size = walk_.record().offset();
    return walk_.carry();
  }

 private:
  bool step() {
    const bool was_in_multi = walk_.in_multi();
    switch (walk_.next()) {
      case LogStep::command:
        check_command(was_in_multi);
        return true;
      case LogStep::annotation:
        check_annotation();
        return true;
      case LogStep::damage:
        take_damage();
        return true;
      case LogStep::end:
        return false;
    }
    return false;
  }

  void check_command(bool was_in_multi) {
    const CommandSpec* spec = walk_.spec();
    if (spec == nullptr) [[unlikely]] {
      check_unknown();
    } else {
      facts_.use(*spec, walk_.record().extent().offset);
      if (!arity_fits(*spec, walk_.record().argument_count())) [[unlikely]]
        report_arity(*spec);
      if (spec->has(kCommandContainer)) [[unlikely]]
        check_subcommand(*spec);
      if (walk_.kind() != CommandKind::other) [[unlikely]]
        check_kind(was_in_multi);
    }
    if (walk_.record().looseness()) [[unlikely]]
      report_looseness(*walk_.record().looseness());
    if (!summary_.damaged) facts_.server_cut = walk_.record().offset();
    if (walk_.commands() % kCommandsBetweenProgress == 0 && options_.rdb.progress)
      options_.rdb.progress(walk_.record().offset());
    if (summary_.damaged) ++summary_.commands_behind;
  }

  void check_unknown() {
    const Bytes name = walk_.record().args().front();
    const auto is_name = [&](const std::string& known) { return equals_ignoring_case(known, name); };
    if (std::ranges::any_of(options_.known, is_name)) return;
    const bool module = name.find('.') != Bytes::npos;
    Finding finding = at_command(module ? FindingCode::aof_module_command : FindingCode::aof_unknown_command,
                                 "command name");
    finding.expected = module ? "" : "a command that servers know";
    finding.found = "\"" + std::string(name.substr(0, kNameShown)) + "\"";
    if (!facts_.unknown) facts_.unknown = {std::string(name.substr(0, kNameShown)), finding.extent.offset};
    report(finding);
  }

  void check_subcommand(const CommandSpec& container) {
    if (walk_.record().args().size() < 2) return;
    const Bytes word = walk_.record().args()[1];
    const CommandSpec* spec = find_subcommand(container, word);
    if (spec == nullptr) {
      Finding finding = at_command(FindingCode::aof_unknown_command, "subcommand");
      finding.expected = "one that " + std::string(container.name) + " has";
      finding.found = "\"" + std::string(word.substr(0, kNameShown)) + "\"";
      report(finding);
    } else if (!arity_fits(*spec, walk_.record().argument_count())) {
      report_arity(*spec);
    }
  }

  void report_arity(const CommandSpec& spec) {
    Finding finding = at_command(FindingCode::aof_arity, "words of " + std::string(spec.name));
    const bool exact = spec.arity >= 0;
    finding.expected = (exact ? "" : "at least ") + std::to_string(exact ? spec.arity : -spec.arity);
    finding.found = std::to_string(walk_.record().argument_count());
    if (!facts_.arity) facts_.arity = {std::string(spec.name), finding.extent.offset};
    report(finding);
  }

  void check_kind(bool was_in_multi) {
    switch (walk_.kind()) {
      case CommandKind::multi:
        if (was_in_multi) return report(at_command(FindingCode::aof_nested_multi, ""));
        facts_.before_multi = facts_.server_cut;
        ++summary_.transactions;
        return;
      case CommandKind::exec:
        if (!was_in_multi) report(at_command(FindingCode::aof_stray_exec, ""));
        return;
      case CommandKind::discard:
        return report(at_command(FindingCode::aof_discard, ""));
      case CommandKind::select:
        return check_select();
      case CommandKind::flushall:
      case CommandKind::flushdb:
        ++summary_.flushes;
        return report_flush();
      case CommandKind::script:
        return check_script();
      default:
        return;
    }
  }

  void report_flush() {
    Finding finding = at_command(FindingCode::aof_flush, "");
    finding.subject = in_upper_case(walk_.spec()->name);
    finding.found = walk_.kind() == CommandKind::flushdb ? "db " + std::to_string(walk_.db()) + " emptied"
                                                         : "all databases emptied";
    report(finding);
  }

  // Texts, not SCRIPT LOAD and its like, which change no data.
  void check_script() {
    if (walk_.spec()->name.starts_with("eval")) report(at_command(FindingCode::aof_script, ""));
  }

  void check_select() {
    if (walk_.record().args().size() != 2) return;
    const Bytes text = walk_.record().args()[1];
    const std::optional<uint64_t> db = parse_db(text);
    const bool default_only = db && *db < options_.databases;
    if (default_only) return;
    const bool unsure = db && options_.databases == kDatabasesByDefault;
    Finding finding =
        at_command(unsure ? FindingCode::target_databases : FindingCode::aof_db_range, "SELECT");
    finding.expected = "a database below " + std::to_string(options_.databases);
    finding.found = "\"" + std::string(text.substr(0, kNameShown)) + "\"";
    report(finding);
  }

  void check_annotation() {
    ++summary_.annotations;
    const Extent extent = walk_.record().extent();
    if (!facts_.annotation) facts_.annotation = extent.offset;
    const Bytes text = walk_.record().annotation();
    if (text.starts_with("TS:")) {
      const std::optional<int64_t> time_s = parse_timestamp(text);
      if (!time_s) {
        Finding finding = at_command(FindingCode::aof_bad_timestamp, "timestamp annotation");
        finding.expected = "a number of seconds";
        finding.found = "\"" + std::string(text.substr(0, kNameShown)) + "\"";
        report(finding);
      } else {
        if (!summary_.first_time_s) summary_.first_time_s = time_s;
        summary_.last_time_s = time_s;
      }
    }
    if (extent.size <= kAnnotationBytesMax) return;
    Finding finding = at_command(FindingCode::aof_long_annotation, "annotation");
    finding.expected = "at most " + std::to_string(kAnnotationBytesMax) + " bytes";
    finding.found = std::to_string(extent.size);
    if (!facts_.long_annotation) facts_.long_annotation = extent.offset;
    report(finding);
  }

  void take_damage() {
    const LogDamage& damage = walk_.damage();
    const Finding finding = finding_of(walk_, source_.name());
    if (!summary_.damaged) {
      summary_.damaged = true;
      summary_.valid_up_to = walk_.sound_up_to();
      facts_.damage = {damage.code, damage.extent.offset};
      const bool open =
          damage.code == FindingCode::aof_open_multi || damage.code == FindingCode::aof_torn_first;
      if (open) facts_.server_cut = facts_.before_multi;
    }
    report(finding);
    if (is_last_ || finding.kind().reach != Reach::tail) return;
    Finding inside = finding;
    inside.code = FindingCode::aof_torn_inside;
    inside.context.clear();
    report(inside);
  }

  void report_looseness(const Misframing& why) {
    Finding finding = at_command(FindingCode::aof_loose, why.subject);
    finding.extent = {why.place, 1};
    finding.expected = why.expected;
    finding.found = why.found;
    report(finding);
  }

  Finding at_command(FindingCode code, std::string subject) const {
    Finding finding;
    finding.code = code;
    finding.file = source_.name();
    finding.extent = walk_.record().extent();
    finding.subject = std::move(subject);
    finding.db = walk_.db();
    return finding;
  }

  void report(const Finding& finding) {
    size_t& seen = seen_[static_cast<size_t>(finding.code)];
    const bool note = finding.kind().severity == Severity::note;
    if (++seen <= (note ? kNotesOfAKind : kFindingsOfAKind))
      tally_.report(finding);
    else
      tally_.count(finding);
  }

  static constexpr size_t kNameShown = 64;
  ByteSource& source_;
  PartSummary& summary_;
  PartFacts& facts_;
  SetTally& tally_;
  const LogCheckOptions& options_;
  bool is_last_;
  LogWalk walk_;
  std::vector<size_t> seen_ = std::vector<size_t>(finding_kinds().size());
};

std::unique_ptr<ByteSource> open(const SetPart& part, const LogCheckOptions& options) {
  return options.open ? options.open(part) : open_source(part.path);
}

// Whether an RDB file says that commands may follow it.
class BaseMark {
 public:
  void look_at(const RdbRecord& record) {
    const auto* aux = std::get_if<AuxField>(&record.body);
    if (aux == nullptr) return;
    if (aux->name == "aof-base" || aux->name == "aof-preamble") is_base_ |= aux->value == "1";
  }
  [[nodiscard]] bool is_base() const { return is_base_; }

 private:
  bool is_base_ = false;
};

// The RDB part at the beginning of a file. False if no log can follow it.
bool check_rdb_part(ByteSource& source, PartSummary& summary, PartFacts& facts, SetTally& tally,
                    const LogCheckOptions& options) {
  RdbPartSink sink(tally);
  BaseMark mark;
  CheckOptions rdb_options = options.rdb;
  rdb_options.observe = [&](const RdbRecord& record, uint64_t offset) {
    mark.look_at(record);
    if (options.rdb.observe) options.rdb.observe(record, offset);
  };
  summary.rdb = check_rdb(source, sink, rdb_options);
  summary.log_offset = summary.rdb->end;
  summary.valid_up_to = summary.rdb->errors > 0 ? summary.rdb->valid_up_to : summary.rdb->end;
  summary.size = source.size().value_or(summary.rdb->end);
  facts.has_rdb = true;
  facts.dialect = summary.rdb->dialect;
  facts.rdb_version = summary.rdb->version;
  facts.rdb_sound = summary.rdb->sound();
  const bool alone = summary.part.role == PartRole::single;
  if (summary.rdb->errors > 0) summary.damaged = true;
  if (summary.rdb->errors > 0 && (!alone || mark.is_base())) tally.reach_beyond();
  if (!summary.rdb->complete) return false;
  if (!sink.swallowed()) return true;
  --summary.rdb->warnings;
  if (!alone || mark.is_base() || sink.swallowed()->code == FindingCode::rdb_aof_tail) return true;
  ++summary.rdb->warnings;
  tally.report(*sink.swallowed());
  return false;
}

}  // namespace

SetSummary check_set(const AppendSet& set, const std::vector<Finding>& found_with_set, FindingSink& findings,
                     const LogCheckOptions& options) {
  SetSummary summary;
  SetTally tally(findings, summary);
  for (const Finding& finding : found_with_set) tally.count(finding);
  SetFacts facts{set, found_with_set, {}};
  LogCarry carry;
  for (const SetPart& part : set.parts) {
    PartSummary& about = summary.parts.emplace_back();
    PartFacts& known = facts.parts.emplace_back();
    about.part = part;
    known.file = part.name;
    if (!part.present) continue;
    const std::unique_ptr<ByteSource> source = open(part, options);
    about.compression = source->compression();
    const bool is_rdb = begins_with_rdb(*source);
    if (!is_rdb || check_rdb_part(*source, about, known, tally, options)) {
      about.has_log =
          !is_rdb || !source->window(about.log_offset, 1).bytes.empty() || part.role == PartRole::incr;
      carry = LogCheck(*source, about, known, tally, options, &part == &set.parts.back(), carry).run();
    }
    if (const Finding* damage = source->damage()) tally.report_carrier(*damage);
    if (about.rdb) summary.keys += about.rdb->keys;
    summary.commands += about.commands;
    if (summary.damaged_part.empty()) summary.valid_up_to = about.valid_up_to;
    if (about.damaged && summary.damaged_part.empty()) summary.damaged_part = part.name;
  }
  if (set.kind != SetKind::file && !is_unchanged(set, tally)) tally.reach_beyond();
  summary.startup = startup_verdicts(facts, options);
  return summary;
}

}  // namespace persist
