// The bookkeeping of a salvage.
#include "ops/salvage_ledger.hpp"

#include <algorithm>

namespace persist {

namespace {

constexpr const char* kUncertain = "uncertain";

constexpr size_t kDbsMax = 65536;

}  // namespace

SalvageCounts& counts_of(std::map<uint64_t, SalvageCounts>& counts, uint64_t db) {
  const bool is_one_more = counts.size() >= kDbsMax && !counts.contains(db);
  const uint64_t told = is_one_more ? counts.rbegin()->first : db;
  SalvageCounts& of_db = counts[told];
  of_db.db = told;
  return of_db;
}

// `by`: 1, or -1 as it wraps.
void SalvageLedger::add(uint64_t db, ValueType type, KeyFate fate, uint64_t by) {
  SalvageCounts& of_db = counts_of(walked_.counts, db);
  const auto at = static_cast<size_t>(type);
  if (fate == KeyFate::dropped) {
    of_db.dropped[at] += by;
    return;
  }
  of_db.kept[at] += by;
  if (fate == KeyFate::uncertain) of_db.uncertain[at] += by;
  if (fate == KeyFate::partial) of_db.partial[at] += by;
  if (stretch().is_salvaged) of_db.salvaged[at] += by;
}

void SalvageLedger::count(uint64_t db, ValueType type, KeyFate fate) { add(db, type, fate, 1); }

void SalvageLedger::take_back(uint64_t db, ValueType type, KeyFate fate) {
  add(db, type, fate, ~uint64_t{0});
}

void SalvageLedger::add_step(SalvageStep step) {
  if (walked_.steps.size() < kSalvageStepsMax) walked_.steps.push_back(std::move(step));
  ++walked_.steps_in_all;
}

void SalvageLedger::leave_out(Extent extent, SalvageAction action, const Finding& why, std::string insert,
                              uint64_t told) {
  SalvageStep step;
  step.action = action;
  step.extent.offset = std::min(std::max(extent.offset, told), extent.end());
  step.extent.size = extent.end() - step.extent.offset;
  step.why = why.code;
  step.note = why.message();
  step.db = why.db;
  step.key = why.key;
  if (step.extent.size > 0 || extent.size == 0) add_step(std::move(step));
  walked_.edits.push_back({extent, std::move(insert), std::string(finding_kind(why.code).id)});
}

void SalvageLedger::drop_record(Extent extent, const Finding& why) {
  note_middle(why, extent.offset);
  leave_out(extent, SalvageAction::value, why, {});
}

void SalvageLedger::keep_part(Extent extent, const Finding& why, uint64_t elements, std::string record) {
  note_middle(why, extent.offset);
  tell_part(extent, why, elements);
  walked_.edits.push_back({extent, std::move(record), std::string(finding_kind(why.code).id)});
}

void SalvageLedger::tell_part(Extent extent, const Finding& why, uint64_t elements) {
  SalvageStep step;
  step.action = SalvageAction::partial;
  step.extent = extent;
  step.why = why.code;
  step.note =
      std::to_string(elements) + (elements == 1 ? " element kept: " : " elements kept: ") + why.message();
  step.db = why.db;
  step.key = why.key;
  add_step(std::move(step));
  walked_.partial.push_back(extent);
}

void SalvageLedger::doubt(Extent extent, uint64_t db, Bytes key, FindingCode why, const char* note) {
  SalvageStep step;
  step.action = SalvageAction::uncertain;
  step.extent = extent;
  step.why = why;
  step.note = note;
  step.db = db;
  step.key = std::string(key);
  step.kept = !drops_uncertain_;
  add_step(std::move(step));
  // Of a whole database there may be millions: what adjoins is drawn together.
  if (!drops_uncertain_) {
    if (!walked_.uncertain.empty() && walked_.uncertain.back().end() == extent.offset)
      walked_.uncertain.back().size += extent.size;
    else
      walked_.uncertain.push_back(extent);
    return;
  }
  SalvageEdit* last = walked_.edits.empty() ? nullptr : &walked_.edits.back();
  if (last != nullptr && last->why == kUncertain && last->drop.end() == extent.offset) {
    last->drop.size += extent.size;
    return;
  }
  const auto behind = std::ranges::upper_bound(walked_.edits, extent.offset, {},
                                               [](const SalvageEdit& edit) { return edit.drop.offset; });
  walked_.edits.insert(behind, {extent, "", kUncertain});
}

void SalvageLedger::note_middle(const Finding& why, uint64_t at) {
  if (walked_.middle) return;
  walked_.middle = why;
  walked_.middle->extent.offset = at;
}

void SalvageLedger::go_back(const Mark& mark, uint64_t offset) {
  walked_.steps_in_all -= walked_.steps.size() - std::min(walked_.steps.size(), mark.steps);
  walked_.steps.resize(std::min(walked_.steps.size(), mark.steps));
  walked_.edits.resize(std::min(walked_.edits.size(), mark.edits));
  // What was drawn together may reach beyond.
  if (!walked_.edits.empty() && walked_.edits.back().drop.end() > offset)
    walked_.edits.back().drop.size = offset - walked_.edits.back().drop.offset;
  for (std::vector<Extent>* records : {&walked_.uncertain, &walked_.partial})
    while (!records->empty() && records->back().offset >= offset) records->pop_back();
  if (!walked_.uncertain.empty() && walked_.uncertain.back().end() > offset)
    walked_.uncertain.back().size = offset - walked_.uncertain.back().offset;
}

}  // namespace persist
