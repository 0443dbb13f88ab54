// What can be read only once, in a file without a name: it is gone with the last that reads it.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <utility>

#include "io/placing.hpp"
#include "io/sources.hpp"
#include "io/unnamed_file.hpp"

namespace persist {

namespace {

// The copy, and what the original had to say for itself.
class SpooledSource : public ByteSource {
 public:
  SpooledSource(std::unique_ptr<ByteSource> copy, const ByteSource& original)
      : copy_(std::move(copy)), compression_(original.compression()) {
    if (original.damage() != nullptr) damage_ = *original.damage();
  }

  Window window(uint64_t from, uint64_t min) override {
    Window window = copy_->window(from, min);
    if (window.bytes.size() < min) met_end_ = true;
    return window;
  }
  [[nodiscard]] bool rereadable() const override { return true; }
  [[nodiscard]] std::optional<uint64_t> size() const override { return copy_->size(); }
  [[nodiscard]] const Finding* damage() const override {
    return met_end_ && damage_ ? &*damage_ : copy_->damage();
  }
  [[nodiscard]] Compression compression() const override { return compression_; }
  [[nodiscard]] const std::string& name() const override { return copy_->name(); }

 private:
  std::unique_ptr<ByteSource> copy_;
  Compression compression_;
  std::optional<Finding> damage_;
  bool met_end_ = false;
};

}  // namespace

std::unique_ptr<ByteSource> spool(ByteSource& from) {
  const std::string folder = temporary_folder();
  const std::string what = folder + ": the temporary copy of " + from.name();
  const int descriptor = open_unnamed_file(folder);
  if (descriptor < 0) throw trouble(errno, what);
  OutputFile file(descriptor, what, OutputFile::Kind::device);  // nobody needs it on the disk
  uint64_t size = 0;
  for (Window window = from.window(0, 1); !window.bytes.empty(); window = from.window(size, 1)) {
    file.write(window.bytes);
    size += window.bytes.size();
  }
  const int own = ::fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
  if (own < 0) throw trouble(errno, what);
  return std::make_unique<SpooledSource>(file_source(own, size, from.name()), from);
}

}  // namespace persist
