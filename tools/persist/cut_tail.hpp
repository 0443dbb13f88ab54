// The one place where a tool changes a file that it was given: taking off its end, which is kept beside it.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

namespace persist::tool {

// What a path led to when it was looked at.
struct FileMark {
  dev_t device = 0;
  ino_t inode = 0;
  uint64_t size = 0;
  int64_t modified_ns = 0;
  bool regular = false;
  bool operator==(const FileMark&) const = default;
};

// Throws std::system_error.
FileMark mark_of(const std::string& path);

// Writes the bytes from `size` on to PATH.lost/NAME.SIZE (or NAME.SIZE.1 ... if that is taken), flushes them
// to the disk, and only then cuts the file, in place. Returns where they are. Throws std::system_error, also
// if the file is no longer the one that was marked: then it was not cut.
std::string cut_tail(const std::string& path, const FileMark& mark, uint64_t size);

}  // namespace persist::tool
