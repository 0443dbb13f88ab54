// What the commands of a log consist of: counted by one walk over its files.
#pragma once

#include <functional>

#include "persist/append_set.hpp"
#include "persist/finding.hpp"
#include "persist/replay.hpp"
#include "persist/stat.hpp"

namespace persist {

// Counts the commands of all parts in the order in which a server replays them; damage ends it there, and the
// rest of the set is not counted; what came before it is, and be it a transaction without its end. Nothing is
// reported: the replay does that. The first and the last time are the earliest and the latest that any
// annotation names. `open` as in ReplayOptions. Throws std::system_error.
[[nodiscard]] LogStat count_commands(const AppendSet& set,
                                     const std::function<std::unique_ptr<ByteSource>(const SetPart&)>& open,
                                     const std::function<void(uint64_t)>& progress);

// Two of them as one: what a log with the commands of both would have. What is alive is known if it is of
// both. The shift of a time line is below 64, its first bucket not below 0, its last one not beyond what is a
// time.
void merge_log_stat(LogStat& into, const LogStat& other);

}  // namespace persist
