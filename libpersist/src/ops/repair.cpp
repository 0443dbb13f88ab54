// Examines every part, decides what has to go, then writes: no decision is taken while bytes are moving.
#include "persist/repair.hpp"

#include <algorithm>
#include <iterator>
#include <memory>

#include "aof/folder.hpp"
#include "aof/log_walk.hpp"
#include "aof/set_reader.hpp"
#include "base/letters.hpp"
#include "ops/log_part.hpp"
#include "ops/loss.hpp"
#include "ops/rdb_role.hpp"
#include "ops/set_output.hpp"

namespace persist {

namespace {

constexpr Bytes kExec = "*1\r\n$4\r\nEXEC\r\n";

std::string select_command(uint64_t db) {
  const std::string number = std::to_string(db);
  return "*2\r\n$6\r\nSELECT\r\n$" + std::to_string(number.size()) + "\r\n" + number + "\r\n";
}

// The last SELECT that lost bytes hold whole.
std::optional<uint64_t> find_select(Bytes lost) {
  constexpr Bytes kSelect = "$6\r\nselect\r\n$";
  const std::string text = in_lower_case(lost);
  const size_t at = text.rfind(kSelect);
  if (at == std::string::npos) return std::nullopt;
  Bytes rest = Bytes(text).substr(at + kSelect.size());
  uint64_t length = 0;
  const size_t digits = parse_digits(rest, length);
  rest.remove_prefix(std::min(rest.size(), digits + 2));
  return rest.size() < length ? std::nullopt : parse_db(rest.substr(0, static_cast<size_t>(length)));
}

// Something to leave out of a part, or to put in before it.
struct Change {
  Extent drop;
  std::string insert;
  std::string why;
  uint64_t commands = 0;  // whole ones in it
};

struct PartPlan {
  SetPart part;
  LogPart opened;
  std::vector<Change> changes;
  uint64_t end = 0;  // of what is kept
  uint64_t size = 0;
  bool dropped = false;  // all of it
  uint64_t commands = 0;
};

// What is wrong with a part, before anything is decided.
struct Diagnosis {
  std::optional<Finding> rdb;     // it cannot be read past this
  std::optional<LogDamage> tail;  // the last thing in the file
  uint64_t tail_from = 0;         // where to cut it: before an open transaction
  Loss tail_loss;
  std::optional<LogDamage> middle;  // the first that others follow
  uint64_t middle_from = 0;
  Loss behind_middle;  // what a cut there would cost
  uint64_t commands_behind = 0;
  std::vector<Change> holes;  // what salvaging leaves out and puts in
  std::vector<RepairStep> steps;
};

class Examiner {
 public:
  Examiner(PartPlan& plan, const RepairOptions& options, const LogCarry& carry)
      : plan_(plan),
        options_(options),
        walk_(*plan.opened.source, plan.opened.log_offset, Hold::beginnings, carry) {}

  Diagnosis examine() {
    while (step()) {
    }
    plan_.commands = walk_.commands();
    return std::move(diagnosis_);
  }
  [[nodiscard]] LogCarry carry() const { return walk_.carry(); }

 private:
  bool step() {
    const bool was_in_multi = walk_.in_multi();
    switch (walk_.next()) {
      case LogStep::command:
        take_command(was_in_multi);
        return true;
      case LogStep::annotation:
        return true;
      case LogStep::damage:
        take_damage();
        return true;
      case LogStep::end:
        return false;
    }
    return false;
  }

  void take_command(bool was_in_multi) {
    // Nearly all commands of nearly all logs.
    if (!walk_.in_multi() && !was_in_multi && !diagnosis_.middle && !is_unfit()) [[likely]]
      return;
    if (walk_.kind() == CommandKind::multi && !was_in_multi) queued_.clear();
    if (walk_.in_multi()) queued_.add(walk_.spec(), walk_.record().args());
    if (diagnosis_.middle) {
      diagnosis_.behind_middle.add(walk_.spec(), walk_.record().args());
      ++diagnosis_.commands_behind;
      const bool stray = walk_.kind() == CommandKind::exec && !was_in_multi;
      if (stray) return leave_out(FindingCode::aof_stray_exec);
    }
    if (is_unfit())
      leave_out(walk_.spec() == nullptr ? FindingCode::aof_unknown_command : FindingCode::aof_arity);
  }

  // What no server should run: a flipped bit may have made it so.
  [[nodiscard]] bool is_unfit() const {
    const CommandSpec* spec = walk_.spec();
    if (spec != nullptr) return !arity_fits(*spec, walk_.record().argument_count());
    const Bytes name = walk_.record().args().front();
    if (name.find('.') != Bytes::npos) return false;
    return std::ranges::none_of(options_.known,
                                [&](const std::string& known) { return equals_ignoring_case(known, name); });
  }

  void leave_out(FindingCode why) {
    const Extent extent = walk_.record().extent();
    Loss loss;
    loss.add(walk_.spec(), walk_.record().args());
    add_hole(extent, why, loss);
  }

  void take_damage() {
    const LogDamage& damage = walk_.damage();
    if (!damage.resumes) {
      diagnosis_.tail = damage;
      diagnosis_.tail_from = walk_.sound_up_to();
      diagnosis_.tail_loss.add(queued_if_open());
      if (begins_command(damage.extent.offset) && !was_open_multi(damage))
        diagnosis_.tail_loss.add_torn(*plan_.opened.source, damage.extent.offset);
      return;
    }
    if (!diagnosis_.middle) {
      diagnosis_.middle = damage;
      diagnosis_.middle_from = walk_.sound_up_to();
      diagnosis_.behind_middle.add(queued_if_open());
    }
    pass_hole(damage);
  }

  // What stands behind an open MULTI goes with it.
  [[nodiscard]] Loss queued_if_open() const {
    return walk_.in_multi() || was_open_multi(walk_.damage()) ? queued_ : Loss();
  }
  // The end of the file, on a record's boundary: nothing is torn but the transaction.
  [[nodiscard]] static bool was_open_multi(const LogDamage& damage) {
    return damage.subject == "transaction";
  }
  [[nodiscard]] bool begins_command(uint64_t offset) const {
    return plan_.opened.source->window(offset, 1).bytes.starts_with('*');
  }

  void pass_hole(const LogDamage& damage) {
    Loss loss;
    if (begins_command(damage.extent.offset)) loss.add_torn(*plan_.opened.source, damage.extent.offset);
    if (walk_.in_multi()) {
      // Where the rest of the transaction went nobody knows; an EXEC behind would be a stray one.
      insert(damage.extent.offset, std::string(kExec), RepairAction::closed, "EXEC");
      walk_.close_multi();
    }
    add_hole(damage.extent, damage.code, loss);
    constexpr uint64_t kSearched = uint64_t{1} << 20;
    const Window lost =
        plan_.opened.source->window(damage.extent.offset, std::min(damage.extent.size, kSearched));
    const size_t shown = static_cast<size_t>(std::min<uint64_t>(damage.extent.size, lost.bytes.size()));
    if (const std::optional<uint64_t> db = find_select(lost.bytes.substr(0, shown))) {
      insert(damage.extent.end(), select_command(*db), RepairAction::selected,
             "SELECT " + std::to_string(*db));
    }
  }

  void add_hole(Extent extent, FindingCode why, const Loss& loss) {
    RepairStep step;
    step.action = RepairAction::skipped;
    step.file = plan_.part.name;
    step.extent = extent;
    step.why = why;
    step.commands = loss.commands();
    step.keys = loss.keys();
    step.lost_bytes = extent.size;
    diagnosis_.steps.push_back(std::move(step));
    diagnosis_.holes.push_back({extent, "", std::string(finding_kind(why).id), loss.commands()});
  }

  void insert(uint64_t offset, std::string bytes, RepairAction action, std::string note) {
    RepairStep step;
    step.action = action;
    step.file = plan_.part.name;
    step.extent = {offset, 0};
    step.why = FindingCode::aof_bad_record;
    step.note = std::move(note);
    diagnosis_.steps.push_back(std::move(step));
    diagnosis_.holes.push_back({{offset, 0}, std::move(bytes), "", 0});
  }

  PartPlan& plan_;
  const RepairOptions& options_;
  LogWalk walk_;
  Diagnosis diagnosis_;
  Loss queued_;
};

[[noreturn]] void refuse(EditRefused::Kind kind, const std::string& what) { throw EditRefused(kind, what); }

std::string place(const SetPart& part, uint64_t offset) {
  return part.path + " at offset " + std::to_string(offset);
}

class Repair {
 public:
  Repair(const AppendSet& set, const RepairOptions& options, const OutputOptions& output)
      : set_(set), options_(options), output_(output) {}

  RepairSummary run() {
    plan_manifest();
    LogCarry carry;
    for (const SetPart& part : parts_) carry = plan_part(part, carry);
    check_loss();
    write();
    return std::move(summary_);
  }

 private:
  // ---------------------------------------------------------------------------------------- the manifest

  void plan_manifest() {
    manifest_ = set_.manifest;
    parts_ = set_.parts;
    const bool missing = std::ranges::any_of(parts_, [](const SetPart& part) { return !part.present; });
    if (set_.manifest_path.empty() || (set_.manifest_sound && !missing)) return;
    if (set_.manifest_sound && !options_.salvage) {
      const auto absent = std::ranges::find(parts_, false, &SetPart::present);
      refuse(EditRefused::Kind::beyond,
             absent->path +
                 ": the manifest lists it, but it is not there: find it, or do without it by --salvage");
    }
    RebuiltManifest rebuilt = rebuild_manifest(set_);
    if (rebuilt.manifest.lines.empty())
      refuse(EditRefused::Kind::beyond, set_.folder + ": expected a base or incr file, found none");
    manifest_ = std::move(rebuilt.manifest);
    parts_.clear();
    for (const ManifestLine& line : manifest_.lines) {
      if (line.type != ManifestType::history) parts_.push_back(part_of(line));
    }
    RepairStep step;
    step.action = RepairAction::manifest;
    step.file = set_.manifest_path.substr(set_.manifest_path.rfind('/') + 1);
    step.why = FindingCode::manifest_missing;
    step.note = rebuilt.rule;
    for (const std::string& name : rebuilt.left_out) step.note += "; left out: " + name;
    summary_.steps.push_back(std::move(step));
  }

  [[nodiscard]] SetPart part_of(const ManifestLine& line) const {
    const PartRole role = line.type == ManifestType::base ? PartRole::base : PartRole::incr;
    return make_part(set_.folder, line.file, role, line.sequence, examine_file(set_.folder, line.file));
  }

  // ------------------------------------------------------------------------------------------- the parts

  LogCarry plan_part(const SetPart& part, const LogCarry& carry) {
    PartPlan& plan = *plans_.emplace_back(std::make_unique<PartPlan>());
    plan.part = part;
    FindingList rdb;
    plan.opened = open_part(part, rdb);
    plan.end = plan.size = plan.opened.size;
    if (!plan.opened.sound_carrier && !options_.salvage) refuse_carrier(part, rdb);
    const bool is_rdb_only = mend_rdb(plan);
    if (is_rdb_only) return carry;
    Examiner examiner(plan, options_, carry);
    Diagnosis diagnosis = examiner.examine();
    if (drop_rest_) {
      drop_whole(plan);
      return examiner.carry();
    }
    if (options_.salvage) salvage(plan, diagnosis);
    if (diagnosis.middle && !options_.salvage) {
      cut_middle(plan, diagnosis);
    } else if (diagnosis.tail) {
      cut_tail(plan, diagnosis);
    }
    return examiner.carry();
  }

  [[noreturn]] static void refuse_carrier(const SetPart& part, const FindingList& found) {
    refuse(EditRefused::Kind::beyond,
           place(part, found.all.front().extent.offset) +
               " of the compressed file: " + std::string(found.all.front().kind().sentence) +
               " Nobody knows how much is missing; --salvage takes what could be inflated");
  }

  // Mends the RDB data that the part begins with, if it is damaged. True if no commands can follow it.
  bool mend_rdb(PartPlan& plan) {
    const RdbRole role = rdb_role(plan.part, *plan.opened.source, plan.opened.has_rdb);
    if (!role.is_rdb) return false;
    SalvageOptions options = options_.rdb;
    options.salvage = options_.salvage;
    options.followed = role.may_be_followed;
    SalvagedRdb mended(*plan.opened.source, options);
    const bool is_sound = mended.edits().empty() && mended.report().steps_in_all == 0;
    if (is_sound && role.wrapper == 0) return false;
    // The wrapper would not fit any more.
    if (role.wrapper > 0 && (mended.edits().empty() || mended.edits().front().drop.offset >= role.wrapper))
      plan.changes.push_back({{0, role.wrapper}, "", "wrapper", 0});
    for (const SalvageEdit& edit : mended.edits())
      plan.changes.push_back({edit.drop, edit.insert, edit.why, 0});
    summary_.lost_bytes += mended.report().bytes_lost;
    if (!is_sound) {
      summary_.rdb.push_back(mended.report());
      summary_.rdb.back().file = plan.part.name;
    }
    plan.opened.log_offset = mended.end();
    if (role.may_be_followed) return false;
    const Extent behind{mended.end(), plan.size - mended.end()};
    if (role.wrapper == 0) count_trailing(plan, behind, mended.report().exact);
    plan.changes.push_back({behind, "", std::string(finding_kind(FindingCode::rdb_trailing).id), 0});
    const bool is_torn = std::ranges::any_of(mended.report().steps, [](const SalvageStep& step) {
      return step.action == SalvageAction::sealed && step.why == FindingCode::rdb_truncated;
    });
    if (is_torn && behind.size == 0) decide_later(plan.part, mended.end());
    if (is_torn && (options_.max_loss_bytes || options_.max_loss_commands))
      refuse(EditRefused::Kind::too_much, place(plan.part, mended.end()) +
                                              ": the RDB data is torn there: nobody "
                                              "can say how many keys were to follow, so no loss permits it");
    return true;
  }

  // What stands behind the end of an RDB file. NULs are no loss.
  void count_trailing(const PartPlan& plan, Extent behind, bool is_untold) {
    uint64_t lost = 0;
    for (uint64_t at = behind.offset; at < behind.end();) {
      const Window window = plan.opened.source->window(at, 1);
      const Bytes bytes = window.bytes;
      if (bytes.empty()) break;
      lost += bytes.size() - static_cast<size_t>(std::ranges::count(bytes, '\0'));
      at += bytes.size();
    }
    summary_.lost_bytes += lost;
    if (!is_untold || behind.size == 0) return;
    RepairStep step;
    step.action = RepairAction::cut;
    step.file = plan.part.name;
    step.extent = behind;
    step.why = FindingCode::rdb_trailing;
    summary_.steps.push_back(std::move(step));
  }

  void salvage(PartPlan& plan, Diagnosis& diagnosis) {
    summary_.salvaged_commands += diagnosis.commands_behind;
    for (RepairStep& step : diagnosis.steps) add_step(std::move(step));
    std::ranges::move(diagnosis.holes, std::back_inserter(plan.changes));
  }

  void cut_middle(PartPlan& plan, const Diagnosis& diagnosis) {
    const bool permitted = options_.max_loss_bytes || options_.max_loss_commands;
    if (!permitted) {
      refuse(EditRefused::Kind::beyond,
             place(plan.part, diagnosis.middle->extent.offset) + ": " + diagnosis.middle->subject +
                 ": expected " + diagnosis.middle->expected + ", found " + diagnosis.middle->found + "; " +
                 std::to_string(diagnosis.commands_behind) +
                 " whole commands follow: --salvage keeps them, --max-loss SIZE permits to lose them");
    }
    Loss loss = diagnosis.behind_middle;
    cut(plan, diagnosis.middle_from, diagnosis.middle->code, loss, plan.size);
  }

  void cut_tail(PartPlan& plan, const Diagnosis& diagnosis) {
    const bool nul = diagnosis.tail->code == FindingCode::aof_nul_tail;
    cut(plan, diagnosis.tail_from, diagnosis.tail->code, diagnosis.tail_loss,
        nul ? std::max(diagnosis.tail_from, diagnosis.tail->place) : plan.size);
  }

  // `loss_end`: where the bytes end that somebody may miss.
  void cut(PartPlan& plan, uint64_t from, FindingCode why, const Loss& loss, uint64_t loss_end) {
    RepairStep step;
    step.action = RepairAction::cut;
    step.file = plan.part.name;
    step.extent = {from, plan.size - from};
    step.why = why;
    step.commands = loss.commands();
    step.keys = loss.keys();
    step.lost_bytes = loss_end - std::min(loss_end, from);
    // Holes behind the cut are part of it.
    std::erase_if(plan.changes, [&](const Change& change) { return change.drop.end() > from; });
    take_back_steps(plan.part.name, from);
    plan.changes.push_back({step.extent, "", std::string(finding_kind(why).id), loss.commands()});
    plan.end = plan.size;
    add_step(std::move(step));
    decide_later(plan.part, from);
  }

  void take_back_steps(const std::string& file, uint64_t from) {
    std::erase_if(summary_.steps, [&](const RepairStep& step) {
      if (step.file != file || step.extent.end() <= from) return false;
      summary_.lost_bytes -= step.lost_bytes;
      summary_.lost_commands -= step.commands;
      return true;
    });
  }

  void decide_later(const SetPart& part, uint64_t from) {
    const auto at = std::ranges::find(parts_, part.name, &SetPart::name);
    const bool more = std::any_of(at + 1, parts_.end(), [](const SetPart& later) { return later.size > 0; });
    if (!more || options_.later == LaterFiles::keep) return;
    if (options_.later == LaterFiles::drop) {
      drop_rest_ = true;
      return;
    }
    refuse(EditRefused::Kind::beyond,
           place(part, from) +
               ": damaged, and not the last file: --later keep goes on with the files behind it, although "
               "commands are missing in between; --later drop ends the log here");
  }

  void drop_whole(PartPlan& plan) {
    plan.dropped = true;
    RepairStep step;
    step.action = RepairAction::dropped_file;
    step.file = plan.part.name;
    step.extent = {0, plan.size};
    step.why = FindingCode::aof_torn_inside;
    step.commands = plan.commands;
    step.lost_bytes = plan.size;
    add_step(std::move(step));
  }

  void add_step(RepairStep step) {
    summary_.lost_bytes += step.lost_bytes;
    summary_.lost_commands += step.commands;
    summary_.steps.push_back(std::move(step));
  }

  void check_loss() const {
    const auto compare = [](uint64_t lost, const std::optional<uint64_t>& permitted,
                            const std::string& what) {
      if (!permitted || lost <= *permitted) return;
      refuse(EditRefused::Kind::too_much, std::to_string(lost) + " " + what + " would be lost, and " +
                                              std::to_string(*permitted) + " are permitted");
    };
    compare(summary_.lost_bytes, options_.max_loss_bytes, "bytes");
    compare(summary_.lost_commands, options_.max_loss_commands, "commands");
  }

  // ----------------------------------------------------------------------------------------- the result

  void write() {
    if (summary_.steps.empty() && summary_.rdb.empty() && output_.in_place) return;
    SetOutput result(set_, output_, {false, options_.known});
    for (const std::unique_ptr<PartPlan>& plan : plans_) write_part(*plan, result);
    summary_.edit = result.commit(without_history(manifest_));
  }

  void write_part(PartPlan& plan, SetOutput& result) {
    if (plan.dropped) {
      result.drop_part(plan.part, *plan.opened.source, "behind damage", plan.commands);
      std::erase_if(manifest_.lines, [&](const ManifestLine& line) { return line.file == plan.part.name; });
      return;
    }
    const std::unique_ptr<PartOutput> out = result.begin_part(plan.part, *plan.opened.source);
    for (const Change& change : plan.changes) {
      if (!change.insert.empty()) out->insert(change.drop.offset, change.insert);
      out->drop(change.drop, change.why, change.commands);
    }
    out->finish(plan.end);
  }

  const AppendSet& set_;
  const RepairOptions& options_;
  const OutputOptions& output_;
  Manifest manifest_;
  std::vector<SetPart> parts_;
  std::vector<std::unique_ptr<PartPlan>> plans_;
  bool drop_rest_ = false;
  RepairSummary summary_;
};

}  // namespace

RepairSummary repair_set(const AppendSet& set, const RepairOptions& options, const OutputOptions& output) {
  return Repair(set, options, output).run();
}

}  // namespace persist
