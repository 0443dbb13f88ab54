// What persist check says of a path: for people and for programs.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "path_check.hpp"
#include "persist/finding.hpp"

namespace persist::tool {

// Lines, each with its end: the verdict; with a target, its answer; of a damaged log what servers do with it.
std::string verdict_text(const Verdict& verdict, const Target* target);

// The line of --json. `findings`: those of the gates are among them; `left_out`: how many more there were.
nlohmann::ordered_json verdict_json(const Verdict& verdict, const Target* target,
                                    const std::vector<Finding>& findings, size_t left_out);

}  // namespace persist::tool
