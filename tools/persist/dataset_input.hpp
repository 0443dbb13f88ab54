// A path as the verbs that convert datasets take it: an RDB file, a log, or JSON Lines.
#pragma once

#include <string>

#include "persist/convert.hpp"
#include "replaying.hpp"

namespace persist::tool {

// Says what the path was taken for, unless `quiet`. What comes back points into `found`, which must outlive
// it. Throws EditRefused if it is a DUMP payload.
ConvertInput dataset_input(const std::string& verb, const std::string& path, Keyspace& found,
                           const ReplayArguments& replay, bool quiet);

}  // namespace persist::tool
