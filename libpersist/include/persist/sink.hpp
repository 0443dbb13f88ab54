// Where bytes go: an open descriptor, or a file that appears whole or not at all.
#pragma once

#include <memory>
#include <string>

#include "persist/api.hpp"
#include "persist/bytes.hpp"

namespace persist {

class PERSIST_API ByteSink {
 public:
  virtual ~ByteSink();
  // Takes all the bytes. Throws std::system_error (EPIPE when a reader of ours has gone away).
  virtual void write(Bytes bytes) = 0;
};

// Writes to a descriptor that the caller owns, such as standard output. Not buffered: hand it large pieces.
PERSIST_API std::unique_ptr<ByteSink> descriptor_sink(int descriptor);

// A file written beside its final name. Nothing appears under that name before commit(), which flushes the
// data to the disk, renames, and flushes the folder; destroyed without it, no trace is left. A path that is
// an existing device or FIFO (/dev/null, /dev/stdout) is written to directly: there commit() only ends the
// writing.
class PERSIST_API AtomicFile : public ByteSink {
 public:
  // Throws std::system_error: EEXIST if a file of that name exists and `overwrite` is false.
  AtomicFile(const std::string& path, bool overwrite);
  ~AtomicFile() override;
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(Bytes bytes) override;
  void commit();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace persist
