// Lists the commands of a log, each with its place, index, database and time. persist-log(1)
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "persist/api.hpp"
#include "persist/append_set.hpp"
#include "persist/finding.hpp"
#include "persist/replay.hpp"
#include "persist/sink.hpp"

namespace persist {

// Which commands are listed: those that pass all kinds of what was asked for, and any of one kind.
struct LogSelection {
  std::vector<std::string> key_globs;    // any of the command's keys, as KEYS matches
  std::vector<std::string> key_regexes;  // RE2, anywhere in the key
  std::vector<std::string> commands;     // names, in any letter case
  std::vector<uint64_t> dbs;
  std::optional<int64_t> since_ms;  // both inclusive; what has no time is in neither
  std::optional<int64_t> until_ms;
};

// What going on behind the end needs from the outside.
struct LogFollowing {
  // Waits for about so many milliseconds. False: it is time to end.
  std::function<bool(int milliseconds)> pause;
  // Told in half a sentence when the reading does not simply go on where it stood.
  std::function<void(const std::string& file, const std::string& what)> notice;
};

struct LogOptions {
  LogSelection selection;
  bool json = false;                        // JSON Lines instead of text
  bool whole = false;                       // also very large commands in full, which are then held in memory
  bool annotations = false;                 // list them, too
  bool keys = false;                        // list the keys of RDB parts instead of saying how many they are
  std::optional<uint64_t> head_lines;       // only the first lines; reading ends there
  std::optional<uint64_t> tail_lines;       // only the last lines, which are kept in memory
  const LogFollowing* following = nullptr;  // null: ends at the end
  // Not null: the log is replayed, and each command listed when it has run, with its effect. Then nothing is
  // followed, and neither annotations nor keys are listed.
  const ReplayOptions* effects = nullptr;
  std::function<void(uint64_t offset)> progress;
};

struct LogSummary {
  bool is_log = true;     // false: the one file begins with neither a command nor an RDB part
  uint64_t commands = 0;  // that were read
  uint64_t lines = 0;     // that passed the selection
  bool has_times = false;
  bool out_of_reach = false;  // commands of a set stand behind an RDB part that could not be read to its end
  bool complete = true;       // false: ended before the end, because it was told to or has listed enough
  std::optional<ReplaySummary> replay;  // if effects were asked for
};

// Damage is reported; reading goes on behind it where whole commands follow. Throws std::system_error when a
// part cannot be read or the output not be written, std::invalid_argument for a regular expression that is
// none, and for following what is compressed.
PERSIST_API LogSummary list_log(const AppendSet& set, ByteSink& output, FindingSink& findings,
                                const LogOptions& options);

}  // namespace persist
