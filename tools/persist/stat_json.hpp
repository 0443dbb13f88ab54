// A report of `persist stat` as JSON: what --json prints and the HTML page shows.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "persist/stat.hpp"

namespace persist::tool {

// What is known of a report besides.
struct StatTold {
  std::string path;
  std::string kind;  // "rdb", "aof", "append-dir", "jsonl", "merged"
  bool damaged = false;
};

// The commands of a log by name, those with most bytes first.
std::vector<std::pair<std::string, CommandStat>> commands_by_bytes(const LogStat& log);

inline bool has_keys(const StatCount& count) { return count.keys > 0; }

nlohmann::ordered_json stat_json(const StatReport& report, const StatTold& told);

}  // namespace persist::tool
