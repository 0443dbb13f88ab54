// What the files of a split are called: after what is in them, whatever bytes that is made of.
#pragma once

#include <string>

#include "persist/split.hpp"

namespace persist {

// "slots-0-5460.rdb", "node-1f2e3d4c-10.0.0.1-6379.rdb", "db-3.rdb", "prefix-user.rdb"
[[nodiscard]] std::string split_file_name(const SplitFile& file);

// Letters, digits, '.', '_' and '-' stand for themselves, any other byte is %XX. What would be too long for a
// name ends in '~' and a hash.
[[nodiscard]] std::string safe_file_name(Bytes text);

}  // namespace persist
