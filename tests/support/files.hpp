// Files, pipes and packed files for tests to read from.
#pragma once

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "persist/function_ref.hpp"
#include "persist/source.hpp"

namespace persist::test {

// A folder that is gone when the test is over.
class TempFolder {
 public:
  TempFolder();
  ~TempFolder();
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string path(const std::string& name) const { return path_ + "/" + name; }
  // Writes a file and returns its path.
  [[nodiscard]] std::string file(const std::string& name, Bytes bytes) const;
  [[nodiscard]] std::vector<std::string> names() const;

 private:
  std::string path_;
};

// The names in a folder, in order.
[[nodiscard]] std::vector<std::string> names_in(const std::string& path);
void write_file(const std::string& path, Bytes bytes);
[[nodiscard]] std::string read_file(const std::string& path);

// The errno of the std::system_error that `work` throws, whose message must hold `name`; 0 if it throws none.
[[nodiscard]] int error_of(FunctionRef<void()> work, const std::string& name);

// As long as it lives, root is nobody; others stay who they are.
class Unprivileged {
 public:
  Unprivileged();
  ~Unprivileged();
  Unprivileged(const Unprivileged&) = delete;
  Unprivileged& operator=(const Unprivileged&) = delete;
};

// As long as it lives, a file cannot grow beyond that: writing fails with EFBIG.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(uint64_t bytes);
  ~FileSizeLimit();
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;
};

// A source that can be read once only, fed by a thread of its own.
class PipedSource {
 public:
  explicit PipedSource(std::string bytes);
  ~PipedSource();
  PipedSource(const PipedSource&) = delete;
  PipedSource& operator=(const PipedSource&) = delete;
  [[nodiscard]] ByteSource& source() { return *source_; }

 private:
  std::string bytes_;
  std::unique_ptr<ByteSource> source_;
  std::thread writer_;
};

// One member or frame each.
[[nodiscard]] std::string gzip_of(Bytes bytes);
[[nodiscard]] std::string zstd_of(Bytes bytes);
[[nodiscard]] std::string lz4_of(Bytes bytes);

}  // namespace persist::test
