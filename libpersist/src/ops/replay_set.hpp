// A set replayed into a dataset: part after part, each with its RDB part and its commands.
#pragma once

#include <functional>

#include "engine/load_rdb.hpp"
#include "engine/replay.hpp"
#include "persist/append_set.hpp"
#include "persist/replay.hpp"

namespace persist {

// Who looks on.
struct ReplayWatch {
  ReplayObserver* observer = nullptr;
  // Told before each part, and when its RDB part has been loaded.
  std::function<void(const SetPart& part)> part;
  std::function<void(const SetPart& part, const LoadedRdb& loaded)> rdb_loaded;
};

// Replays up to the end, or to the first damage, as a server does that is told to load a truncated log; what
// ends the replay is reported. Throws std::system_error when a part cannot be read.
ReplaySummary replay_set(const AppendSet& set, FindingSink& findings, const ReplayOptions& options,
                         const ReplayWatch& watch, Dataset& data);

}  // namespace persist
