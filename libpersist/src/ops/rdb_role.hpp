// What a file of a set is to begin with, and what may follow.
#pragma once

#include <cstdint>

#include "persist/append_set.hpp"
#include "persist/source.hpp"

namespace persist {

struct RdbRole {
  bool is_rdb = false;           // it begins with RDB data, or did before it was damaged
  bool may_be_followed = false;  // by commands
  uint64_t wrapper = 0;          // bytes of a replication stream in front of the RDB data
};
[[nodiscard]] RdbRole rdb_role(const SetPart& part, ByteSource& source, bool has_magic);

}  // namespace persist
