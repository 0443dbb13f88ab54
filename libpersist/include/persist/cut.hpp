// Ends a log at a point in time or place. persist-cut(1)
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "persist/api.hpp"
#include "persist/append_set.hpp"
#include "persist/edit.hpp"

namespace persist {

// Where to cut; one of them. All mean a place between records, and never one inside of a transaction: then
// it is cut before its MULTI.
struct CutPoint {
  // Everything up to this time stays: up to the first timestamp annotation beyond it. Milliseconds.
  std::optional<int64_t> time_ms;
  // At the last boundary at or before the offset. An empty file name will do if the set has one log only.
  std::optional<uint64_t> offset;
  std::string file;
  // So many commands stay, counted over the set.
  std::optional<uint64_t> command;
  // Before the first command that matches: a glob over name and arguments, one blank between them; the name
  // in any letter case.
  std::optional<std::string> pattern;
};

struct CutSummary {
  EditSummary edit;
  bool found = false;  // false: all of it stays
  std::string file;    // where it was cut
  uint64_t offset = 0;
  bool before_multi = false;  // the point was inside of a transaction
  uint64_t commands_kept = 0;
  uint64_t commands_dropped = 0;       // that could be read
  std::optional<int64_t> last_time_s;  // of the last annotation that stays
  std::optional<LeftOut> tail;         // damage behind the last command, cut off on the way
};

// Throws EditRefused, std::system_error.
PERSIST_API CutSummary cut_set(const AppendSet& set, const CutPoint& point, const OutputOptions& output,
                               const std::vector<std::string>& known);

}  // namespace persist
