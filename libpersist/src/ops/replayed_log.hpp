// A log on its way through a verb: all that it holds, in memory.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "ops/entry_output.hpp"
#include "ops/replay_set.hpp"

namespace persist {

struct ReplayedLog {
  std::unique_ptr<Dataset> data;
  LoadedRdb rest;                           // of the RDB parts: module aux, scripts, losses
  std::optional<RdbProvenance> provenance;  // of values in their layouts; absent if there are two of them
  ReplaySummary summary;
  bool knows_idmp = true;  // whether the server would remember anything of the producers of streams
};

// Throws std::system_error.
ReplayedLog replay_log(const AppendSet& set, FindingSink& findings, const ReplayOptions& options);

}  // namespace persist
