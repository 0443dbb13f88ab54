// Files of a folder, looked at without following names out of it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "persist/bytes.hpp"

namespace persist {

enum class Presence : uint8_t {
  absent,  // nothing, or a link that leads to nothing
  file,    // a regular file, or a link to one inside of the folder
  stray    // a link that leads out of the folder, or no regular file
};

struct FileState {
  Presence presence = Presence::absent;
  uint64_t size = 0;
  uint64_t device = 0;
  uint64_t inode = 0;
  int64_t modified_ns = 0;

  [[nodiscard]] int64_t modified_s() const { return modified_ns / 1'000'000'000; }
};

[[nodiscard]] std::string join_path(const std::string& folder, const std::string& name);

// Throws std::system_error if it cannot be told.
[[nodiscard]] FileState examine_file(const std::string& folder, const std::string& name);

// Of everything in the folder, in order.
[[nodiscard]] std::vector<std::string> names_in(const std::string& folder);

// Follows links: whether that is allowed was found out before. Nothing of what is no regular file.
[[nodiscard]] std::string read_head(const std::string& path, size_t bytes_max);

}  // namespace persist
