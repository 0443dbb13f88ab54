// A path of whatever kind, checked: what persist check says of it, before anybody prints it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "persist/append_set.hpp"
#include "persist/check.hpp"
#include "persist/check_set.hpp"
#include "persist/server_conf.hpp"
#include "persist/source.hpp"
#include "persist/target.hpp"
#include "terminal.hpp"
#include "verb.hpp"

namespace persist::tool {

struct PathCheckOptions {
  const Target* target = nullptr;
  VersionCheck version_check = VersionCheck::strict;
  std::optional<ServerConf> conf;
  std::vector<std::string> known;
  std::optional<ReplayOptions> replay;  // of logs, if they are to be replayed
  int64_t now_ms = 0;
  unsigned threads = 0;
  When progress = When::automatic;
};

// What a path was taken for, and what came of it: of an RDB file or a payload the one, of a log the other.
struct Verdict {
  std::string path;
  std::string kind = "rdb";
  Compression compression = Compression::none;
  CheckSummary rdb;
  AppendSet set;
  std::optional<SetSummary> log;
  // What the gates have against it, which says nothing against the file; none of them asked for: nothing.
  std::optional<std::vector<Finding>> gates;

  [[nodiscard]] bool sound() const { return log ? log->sound() : rdb.sound(); }
  [[nodiscard]] uint64_t errors() const { return log ? log->errors : rdb.errors; }
  [[nodiscard]] uint64_t warnings() const { return log ? log->warnings : rdb.warnings; }
  [[nodiscard]] bool compressed() const;  // any of its files
  [[nodiscard]] bool passed() const { return !gates || gates->empty(); }

  [[nodiscard]] uint64_t rdb_keys() const { return log ? log->keys : rdb.keys; }  // of RDB parts
  // What a server would hold; nothing if that takes a replay, and there was none.
  [[nodiscard]] std::optional<uint64_t> keys() const;
  [[nodiscard]] bool replay_refused() const { return log && log->replay && log->replay->refused; }
  [[nodiscard]] uint64_t functions() const;  // of RDB parts
  [[nodiscard]] uint64_t commands() const { return log ? log->commands : 0; }
  [[nodiscard]] uint64_t flushes() const;
  [[nodiscard]] uint64_t bytes() const;  // of the data, inflated
  // The latest time that the data tells of itself; seconds since the epoch.
  [[nodiscard]] std::optional<int64_t> newest_time_s() const;
  // Commands that stand behind no timestamp annotation of their file: nothing tells how new they are.
  [[nodiscard]] uint64_t undated_commands() const;
};

// Finds out what the path is and checks it. Throws std::system_error or std::invalid_argument when it cannot
// be read.
Verdict check_path(const std::string& path, const PathCheckOptions& options, FindingSink& findings);

// Whether this server would load it.
bool loads(const Verdict& verdict, const Target& target);

// `target`: null if none was asked about.
Exit exit_of(const Verdict& verdict, const Target* target);

}  // namespace persist::tool
