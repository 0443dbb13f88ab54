// What check says of a log: a verdict for people, and members of a JSON line.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "persist/check_set.hpp"

namespace persist::tool {

// "append directory, 2 files, redis RDB version 11 with 34 keys, 99 commands"
std::string describe(const AppendSet& set, const SetSummary& summary);

// What each server would do, those that do the same in one line.
std::string describe_startup(const SetSummary& summary);

// The verdict for one server; null if there is none of it.
const StartupVerdict* verdict_of(const SetSummary& summary, const Target& target);
// "will load it", "cuts it at 0x12 (with aof-load-truncated yes)"
std::string describe(const StartupVerdict& verdict);

// `keys`: in the end, if known; `functions`: of the RDB parts.
void add_members(nlohmann::ordered_json& json, const SetSummary& summary, std::optional<uint64_t> keys,
                 uint64_t functions);

}  // namespace persist::tool
