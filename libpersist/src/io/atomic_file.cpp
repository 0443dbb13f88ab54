// Output that appears whole or not at all: written beside its name, flushed, renamed, the folder flushed.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "persist/sink.hpp"

namespace persist {

namespace {

std::system_error trouble(const std::string& path) { return {errno, std::generic_category(), path}; }

void write_fully(int descriptor, Bytes bytes, const std::string& name) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(descriptor, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) throw trouble(name);
    bytes.remove_prefix(static_cast<size_t>(put));
  }
}

class DescriptorSink : public ByteSink {
 public:
  explicit DescriptorSink(int descriptor) : descriptor_(descriptor) {}
  void write(Bytes bytes) override { write_fully(descriptor_, bytes, "<output>"); }

 private:
  int descriptor_;
};

// Makes the new name itself durable. A file system that cannot do it (EINVAL) is not our trouble.
void flush_folder(const std::filesystem::path& folder) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;
  ::fsync(descriptor);
  ::close(descriptor);
}

}  // namespace

ByteSink::~ByteSink() = default;

std::unique_ptr<ByteSink> descriptor_sink(int descriptor) {
  return std::make_unique<DescriptorSink>(descriptor);
}

struct AtomicFile::State {
  std::string path;
  std::string temporary;  // empty when writing directly to a device
  bool overwrite = false;
  int descriptor = -1;

  [[nodiscard]] std::filesystem::path folder() const {
    const std::filesystem::path parent = std::filesystem::path(path).parent_path();
    return parent.empty() ? "." : parent;
  }

  void open_beside() {
    const std::filesystem::path name = std::filesystem::path(path).filename();
    temporary = (folder() / ("." + name.string() + ".XXXXXX")).string();
    descriptor = ::mkostemp(temporary.data(), O_CLOEXEC);
    if (descriptor < 0) {
      temporary.clear();
      throw trouble(path);
    }
    const mode_t mask = ::umask(0);
    ::umask(mask);
    ::fchmod(descriptor, 0666 & ~mask);
  }

  void rename_into_place() const {
    const unsigned flags = overwrite ? 0 : RENAME_NOREPLACE;
    if (::renameat2(AT_FDCWD, temporary.c_str(), AT_FDCWD, path.c_str(), flags) == 0) return;
    // File systems without RENAME_NOREPLACE answer EINVAL; the name was free when we began.
    if (errno != EINVAL || ::rename(temporary.c_str(), path.c_str()) != 0) throw trouble(path);
  }
};

AtomicFile::AtomicFile(const std::string& path, bool overwrite) : state_(std::make_unique<State>()) {
  std::error_code no_link;
  const std::filesystem::path real = std::filesystem::canonical(path, no_link);
  // What is replaced is the file that a link leads to, not the link.
  state_->path = no_link ? path : real.string();
  state_->overwrite = overwrite;
  struct stat about {};
  if (::stat(path.c_str(), &about) == 0 && !S_ISREG(about.st_mode)) {
    state_->descriptor = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
    if (state_->descriptor < 0) throw trouble(path);
    return;
  }
  if (about.st_nlink > 0 && !overwrite) {
    errno = EEXIST;
    throw trouble(path);
  }
  state_->open_beside();
}

AtomicFile::~AtomicFile() {
  if (state_->descriptor >= 0) ::close(state_->descriptor);
  if (!state_->temporary.empty()) ::unlink(state_->temporary.c_str());
}

void AtomicFile::write(Bytes bytes) { write_fully(state_->descriptor, bytes, state_->path); }

void AtomicFile::commit() {
  if (!state_->temporary.empty() && ::fsync(state_->descriptor) != 0) throw trouble(state_->path);
  const int closed = ::close(state_->descriptor);
  state_->descriptor = -1;
  if (closed != 0) throw trouble(state_->path);
  if (state_->temporary.empty()) return;
  state_->rename_into_place();
  state_->temporary.clear();
  flush_folder(state_->folder());
}

}  // namespace persist
