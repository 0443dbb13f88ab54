// A temporary file that no folder shows: it is gone with the last descriptor of it, however the process ends.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "persist/bytes.hpp"

namespace persist {

// $TMPDIR, or /tmp.
[[nodiscard]] std::string temporary_folder();

// Returns the descriptor, for reading and writing, or -1 with errno set.
[[nodiscard]] int open_unnamed_file(const std::string& folder);

// Such a file in the temporary folder. Any number of threads may read and write at places that do not
// overlap; all else is for one thread at a time.
class UnnamedFile {
 public:
  UnnamedFile() = default;
  ~UnnamedFile() { close(); }
  UnnamedFile(const UnnamedFile&) = delete;
  UnnamedFile& operator=(const UnnamedFile&) = delete;

  // What return int return 0 or the errno.
  [[nodiscard]] int open();
  [[nodiscard]] bool is_open() const { return descriptor_ >= 0; }
  [[nodiscard]] int write_at(const void* from, size_t size, uint64_t at) const;
  // All of it, or EIO if the file ends before.
  [[nodiscard]] int read_at(void* to, size_t size, uint64_t at) const;

  // At the end of all that was appended; says where that was. The first one opens the file. Throws
  // std::system_error.
  uint64_t append(Bytes bytes);
  // Throws std::system_error.
  void read(void* to, size_t size, uint64_t at) const;
  [[nodiscard]] uint64_t appended() const { return appended_; }

  // Gives its room on the disk back. It may be opened again.
  void close();

 private:
  int descriptor_ = -1;
  uint64_t appended_ = 0;
};

}  // namespace persist
