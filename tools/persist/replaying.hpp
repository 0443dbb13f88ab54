// What the verbs that replay a log share: their options, how they tell a log from an RDB file, what they say
// of the replay.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "input.hpp"
#include "options.hpp"
#include "persist/append_set.hpp"
#include "persist/replay.hpp"
#include "report.hpp"

namespace persist::tool {

struct ReplayArguments {
  std::string as;
  std::string module_commands = "fail";
  std::string now;
  std::string load_at;

  // `with_as`: the verb has no --as of its own.
  void add_to(CLI::App& app, bool with_as);
  // Throws std::invalid_argument.
  [[nodiscard]] ReplayOptions options() const;
};

// What a path leads to: a log to be replayed, or else one file to be read as RDB data.
struct Keyspace {
  // A folder, a manifest, or a file with commands in it, behind an RDB part or not.
  std::optional<AppendSet> log;
  // What is not a log; and what can be opened but once, such as standard input, in any case.
  Input input;
  std::string file;  // where that is: the path, or the RDB file of a data directory that has no log
  // Of the errors that were found while it was opened: files that are missing, a broken manifest.
  uint64_t errors = 0;
  Reach reach = Reach::nothing;

  // For the replay of what can be opened but once.
  void lend_to(ReplayOptions& options);
};
// Throws std::system_error.
Keyspace open_keyspace(const std::string& path, FindingSink& report);

// Say on standard error what was taken for a log, and which RDB file was read instead of the folder it is in.
void announce_set(const std::string& verb, const std::string& path, const AppendSet& set);
void announce_rdb(const std::string& verb, const std::string& path, const Keyspace& found);

// Says so if the path is no log; and to people if the server had to be guessed, or if commands were skipped.
// "persist dump: x: ..."
void explain_replay(const std::string& verb, const std::string& path, const ReplaySummary& summary,
                    bool json);
// The same for programs, which is there for them in any case.
void add_replay(nlohmann::ordered_json& json, const ReplaySummary& summary);

// The exit status that a log and its replay ask for.
Exit exit_of(const Keyspace& found, const ReplaySummary& summary);

// The bytes of all parts, for the progress line.
std::optional<uint64_t> bytes_of(const AppendSet& set);

}  // namespace persist::tool
