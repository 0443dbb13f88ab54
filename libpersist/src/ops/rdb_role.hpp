// What a file of a set is to begin with, and what may follow.
#pragma once

#include "persist/append_set.hpp"
#include "persist/source.hpp"

namespace persist {

struct RdbRole {
  bool is_rdb = false;           // it begins with RDB data, or did before it was damaged
  bool may_be_followed = false;  // by commands
};
[[nodiscard]] RdbRole rdb_role(const SetPart& part, ByteSource& source, bool has_magic);

}  // namespace persist
