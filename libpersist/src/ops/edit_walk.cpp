// Refuses what only a repair should decide, and takes along the tail that it would cut.
#include "ops/edit_walk.hpp"

#include <algorithm>

namespace persist {

namespace {

// Whether nothing that counts follows the part.
bool is_last_of(const AppendSet& set, const SetPart& part) {
  const auto at = std::ranges::find(set.parts, part.name, &SetPart::name);
  return std::all_of(at == set.parts.end() ? at : at + 1, set.parts.end(),
                     [](const SetPart& later) { return later.size == 0; });
}

LogPart open_sound(const SetPart& part) {
  if (!part.present) {
    throw EditRefused(EditRefused::Kind::beyond,
                      part.path + ": the manifest lists it, but it is not there: `persist repair` first");
  }
  FindingList found;
  LogPart opened = open_part(part, found);
  if (opened.sound_rdb && opened.sound_carrier) return opened;
  std::string what = part.path + (opened.sound_carrier ? ": its RDB part is damaged"
                                                       : ": the compressed file is torn or damaged");
  if (!found.all.empty()) {
    what +=
        " at offset " + std::to_string(found.all.front().extent.offset) + ": " + found.all.front().message();
  }
  throw EditRefused(EditRefused::Kind::beyond, what);
}

}  // namespace

EditWalk::EditWalk(const AppendSet& set, const SetPart& part, Hold hold, const LogCarry& carry)
    : about_(part),
      is_last_(is_last_of(set, part)),
      opened_(open_sound(part)),
      walk_(*opened_.source, opened_.log_offset, hold, carry) {}

bool EditWalk::next() {
  was_in_multi_ = walk_.in_multi();
  switch (walk_.next()) {
    case LogStep::command:
      is_command_ = true;
      return true;
    case LogStep::annotation:
      is_command_ = false;
      return true;
    case LogStep::damage:
      take_damage();
      return false;
    case LogStep::end:
      return false;
  }
  return false;
}

void EditWalk::take_damage() {
  const LogDamage& damage = walk_.damage();
  if (damage.resumes || !is_last_) {
    throw EditRefused(EditRefused::Kind::beyond,
                      about_.path + " at offset " + std::to_string(damage.extent.offset) + ": " +
                          damage.subject + ": expected " + damage.expected + ", found " + damage.found +
                          " [" + std::string(finding_kind(damage.code).id) + "]: `persist repair` first");
  }
  const uint64_t from = walk_.sound_up_to();
  tail_ = LeftOut{about_.name, {from, opened_.size - from}, std::string(finding_kind(damage.code).id)};
}

}  // namespace persist
