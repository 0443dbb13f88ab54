// A file that appears whole or not at all: written beside its name, flushed, renamed, the folder flushed.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <optional>

#include "io/placing.hpp"
#include "persist/sink.hpp"

namespace persist {

namespace {

class DescriptorSink : public ByteSink {
 public:
  explicit DescriptorSink(int descriptor) : descriptor_(descriptor) {}
  void write(Bytes bytes) override {
    while (!bytes.empty()) {
      const ssize_t put = ::write(descriptor_, bytes.data(), bytes.size());
      if (put < 0 && errno == EINTR) continue;
      if (put < 0) throw trouble(errno, "<output>");
      bytes.remove_prefix(static_cast<size_t>(put));
    }
  }

 private:
  int descriptor_;
};

}  // namespace

ByteSink::~ByteSink() = default;

void ByteSink::finish() {}

std::unique_ptr<ByteSink> descriptor_sink(int descriptor) {
  return std::make_unique<DescriptorSink>(descriptor);
}

struct AtomicFile::State {
  OutputInProgress in_progress;
  std::string path;
  Existing existing = Existing::refuse;
  std::string temporary;  // empty when writing directly to a device
  std::string backup;
  std::optional<OutputFile> output;

  ~State() {
    if (!temporary.empty()) ::unlink(temporary.c_str());
  }

  void open_device() {
    const int descriptor = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
    if (descriptor < 0) throw trouble(errno, path);
    output.emplace(descriptor, path, OutputFile::Kind::device);
  }

  void open_beside(const Attributes& attributes) {
    // A slash at the end asks for a folder.
    if (path.ends_with('/')) throw trouble(EISDIR, path);
    path = output_path(path);
    check_place(path, existing, false);
    int descriptor = -1;
    temporary = make_beside(path, [&](const std::string& name) {
      descriptor = open_new(name, attributes);
      return descriptor < 0 ? errno : 0;
    });
    output.emplace(descriptor, path);
  }
};

AtomicFile::AtomicFile(const std::string& path, Existing existing, const Attributes& attributes)
    : state_(std::make_unique<State>()) {
  state_->path = path;
  state_->existing = existing;
  struct stat about {};
  const bool exists = ::stat(path.c_str(), &about) == 0;
  if (exists && !S_ISREG(about.st_mode) && !S_ISDIR(about.st_mode)) {
    state_->open_device();
  } else {
    state_->open_beside(attributes);
  }
}

AtomicFile::~AtomicFile() = default;

void AtomicFile::write(Bytes bytes) { state_->output->write(bytes); }

void AtomicFile::finish() { state_->output->finish(); }

void AtomicFile::commit() {
  finish();
  if (state_->temporary.empty()) return;
  state_->backup = place_file(state_->temporary, state_->path, state_->existing).backup;
  if (const int error = flush_folder(folder_of(state_->path))) throw trouble(error, state_->path);
}

const std::string& AtomicFile::temporary() const { return state_->temporary; }

const std::string& AtomicFile::backup() const { return state_->backup; }

}  // namespace persist
