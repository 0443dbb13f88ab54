// The lines of redis-check-rdb, which redis-check-aof prints as well for the RDB part of a file.
#pragma once

#include <cstdint>
#include <string_view>

#include "persist/source.hpp"

namespace persist::tool {

struct RdbVerdict {
  bool sound = false;
  uint64_t end = 0;  // of the RDB data: what follows is for the caller to judge
};

// Checks the source from its beginning and prints what the original would. `name` is what it calls the file.
// Throws std::system_error when the source cannot be read.
RdbVerdict print_rdb_check(ByteSource& source, std::string_view name);

}  // namespace persist::tool
