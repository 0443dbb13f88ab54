// Checks a log: one file, or an append directory with its manifest; and tells what servers would do with it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "persist/api.hpp"
#include "persist/append_set.hpp"
#include "persist/check.hpp"
#include "persist/finding.hpp"
#include "persist/replay.hpp"
#include "persist/source.hpp"
#include "persist/target.hpp"

namespace persist {

// What a server does at start with `appendonly yes`.
enum class Startup : uint8_t {
  loads,         // all of it
  cuts,          // loads what is before `offset`, and cuts the file there
  empties,       // loads the RDB part, and cuts the file to 0 bytes
  refuses,       // does not start
  starts_empty,  // starts with nothing
  may_crash      // runs a command with a number of arguments that it does not expect
};
PERSIST_API Bytes startup_name(Startup startup);

struct StartupVerdict {
  const Target* target = nullptr;
  Startup startup = Startup::loads;
  std::string file;     // that decides it; empty if it loads
  uint64_t offset = 0;  // in that file: where it is cut, or what it refuses
  std::string why;      // half a sentence
};

struct LogCheckOptions {
  CheckOptions rdb;                // how RDB parts are checked; target and progress are used for the log, too
  std::vector<std::string> known;  // names of commands to take for known: renamed ones, those of modules
  uint64_t databases = 16;
  bool aof_load_truncated = true;
  std::function<std::unique_ptr<ByteSource>(const SetPart&)> open;  // empty: by path
};

// What a file of a set was found to hold. Offsets are of that file.
struct PartSummary {
  SetPart part;
  std::optional<CheckSummary> rdb;  // its RDB part, if it has one
  bool has_log = false;             // it is not an RDB file and nothing else
  Compression compression = Compression::none;
  uint64_t size = 0;
  uint64_t log_offset = 0;  // where the commands begin
  uint64_t commands = 0;
  uint64_t annotations = 0;
  uint64_t transactions = 0;
  uint64_t flushes = 0;
  std::optional<int64_t> first_time_s;  // of the timestamp annotations, seconds since the epoch
  std::optional<int64_t> last_time_s;
  uint64_t valid_up_to = 0;      // end of the last whole command or transaction before any damage
  uint64_t commands_behind = 0;  // that can be read behind the first damage
  bool damaged = false;          // its framing
};

struct SetSummary {
  std::vector<PartSummary> parts;
  uint64_t commands = 0;
  uint64_t keys = 0;                    // of the RDB parts
  std::optional<ReplaySummary> replay;  // by check_replay(): what the commands come to
  uint64_t valid_up_to = 0;             // of the first damaged part, or else of the last
  std::string damaged_part;             // the name of the first damaged one; empty if there is none
  uint64_t errors = 0;
  uint64_t warnings = 0;
  Reach reach = Reach::nothing;
  // What each server would do at start; in the order of targets(), for those that have logs at all.
  std::vector<StartupVerdict> startup;

  [[nodiscard]] bool sound() const { return errors == 0; }
};

// What a file holds, by its first bytes.
enum class FileContent : uint8_t { rdb, log, manifest, other };
PERSIST_API FileContent recognise_content(ByteSource& source);

// A set of one file, which need not be a regular one.
PERSIST_API AppendSet single_file_set(const std::string& path);

// Findings arrive in the order of the files. `found_with_set`: what opening the set has reported already; it
// counts here, too. Throws std::system_error when a part cannot be read.
PERSIST_API SetSummary check_set(const AppendSet& set, const std::vector<Finding>& found_with_set,
                                 FindingSink& findings, const LogCheckOptions& options);

// Replays the set, holding the dataset in memory, and reports the commands that a server would answer with an
// error, or why there is no replay. Damage, which check_set() has reported, is not reported again. Adds to
// the summary. Throws std::system_error.
PERSIST_API void check_replay(const AppendSet& set, FindingSink& findings, const ReplayOptions& options,
                              SetSummary& summary);

}  // namespace persist
