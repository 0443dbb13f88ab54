// A report of `persist stat` for people, on standard output.
#pragma once

#include "persist/stat.hpp"
#include "stat_json.hpp"

namespace persist::tool {

struct StatTextOptions {
  size_t prefixes = 20;  // lines of the tree of prefixes
};

void print_stat(const StatReport& report, const StatTold& told, const StatTextOptions& options);

}  // namespace persist::tool
