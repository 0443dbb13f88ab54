// What looks at the entries of one side of a comparison: first to digest them, later to tell in what they
// differ.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "ops/entry_output.hpp"
#include "ops/key_match.hpp"
#include "ops/value_difference.hpp"
#include "ops/value_spool.hpp"
#include "persist/diff.hpp"

namespace persist {

// What all passes over both sides share.
struct DiffState {
  DiffState(const DiffOptions& wanted, DiffSink& to);

  [[nodiscard]] bool ignores(DiffIgnore what) const { return ignored[static_cast<size_t>(what)]; }
  // Field expiries that may be apart cannot be hashed: then values decide that digests tell apart.
  [[nodiscard]] bool values_decide() const {
    return options.ttl_tolerance_ms > 0 && !ignores(DiffIgnore::field_ttl);
  }

  const DiffOptions& options;
  DiffSink& sink;
  std::array<bool, kDiffIgnores> ignored{};
  uint64_t seed;
  CompareRules compare;
  KeyMatch keys;
  ValueSpool spool;                // values of A that have changed
  std::atomic<uint64_t> told = 0;  // keys, to the sink
  DiffSummary summary;
};

// What is no key: libraries by name, data of modules by module, place and bytes. For a library its code.
using DiffLibraries = std::map<std::pair<bool, std::string>, std::string>;

// One side of the comparison.
struct DiffSideState {
  bool is_a = false;
  bool is_indexed = false;
  DiffInput* input = nullptr;
  DiffLibraries libraries;
};

// Digests entries and hands the records to the index, or has them matched with it.
std::unique_ptr<EntryOutput> make_digest_output(DiffState& state, DiffSideState& side);

// Tells in what the entries differ. Of A it puts away values that have changed, so that the same of B can be
// compared with them: A comes first. `rules` are those of the commands.
std::unique_ptr<EntryOutput> make_detail_output(DiffState& state, DiffSideState& side,
                                                const OutputRules& rules);

}  // namespace persist
