// Vector sets. Scripts of logs are older than they are: only what changes them is here.
#include "engine/vector_set.hpp"

#include <array>

#include "engine/commands/table.hpp"

namespace persist {

namespace {

Effect effect_of(Call& call, VectorOutcome outcome) {
  if (outcome == VectorOutcome::error) return call.fail("ERR the vector does not fit the vector set");
  return call.done(outcome == VectorOutcome::changed ? 1 : 0, outcome == VectorOutcome::changed);
}

Effect vadd(Call& call) {
  const std::optional<VectorAddition> addition = parse_vector_addition(call.args.subspan(2));
  if (!addition) return call.fail(kSyntax);
  const Found<VectorSet> found = call.find_or_make<VectorSet>(call.args[1]);
  if (!found) return call.wrong_type();
  const VectorOutcome outcome = found->add(*addition);
  if (found->empty()) call.db().erase(*found.entry);
  return effect_of(call, outcome);
}

Effect vrem(Call& call) {
  const Found<VectorSet> found = call.find_as<VectorSet>(call.args[1]);
  if (found.wrong_type()) return call.wrong_type();
  if (!found) return call.done(0, false);
  const VectorOutcome outcome = found->remove(call.args[2]);
  if (found->empty()) call.db().erase(*found.entry);
  return effect_of(call, outcome);
}

Effect vsetattr(Call& call) {
  const Found<VectorSet> found = call.find_as<VectorSet>(call.args[1]);
  if (found.wrong_type()) return call.wrong_type();
  if (!found) return call.done(0, false);
  return effect_of(call, found->set_attributes(call.args[2], call.args[3]));
}

constexpr std::array kVectorSetHandlers = {
    CommandHandler{"vadd", vadd},
    CommandHandler{"vrem", vrem},
    CommandHandler{"vsetattr", vsetattr},
};

}  // namespace

std::span<const CommandHandler> vector_set_commands() { return kVectorSetHandlers; }

}  // namespace persist
