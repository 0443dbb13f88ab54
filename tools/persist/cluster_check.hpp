// persist check --cluster: what its paths are together, once each of them was checked.
#pragma once

#include <string>
#include <vector>

#include "ci_report.hpp"
#include "options.hpp"
#include "persist/replay.hpp"
#include "verb.hpp"

namespace persist::tool {

// Says it, for people or for programs, and adds it to the reports. Throws std::system_error,
// std::invalid_argument if a path is no file or folder.
Exit check_paths_as_cluster(const std::vector<std::string>& paths, const ReplayOptions& replay,
                            const CommonOptions& common, CiReports& reports);

}  // namespace persist::tool
