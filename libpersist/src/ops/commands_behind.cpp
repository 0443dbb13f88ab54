// Values may hold records, and arguments of commands too: what is read undamaged over the other is right.
#include "ops/commands_behind.hpp"

#include "aof/log_walk.hpp"

namespace persist {

std::optional<uint64_t> CommandsBehind::find(uint64_t at, const std::optional<RecordChain>& chain) {
  if (!place_ || (place_->found && place_->offset < at)) place_ = RecordProbe(source_).find(at, true);
  const RecordProbe::Place place = *place_;
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

}  // namespace persist
