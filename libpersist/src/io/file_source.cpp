// Regular files by pread, pipes by read. Nothing is mapped: a file that shrinks under us just ends.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "io/block_source.hpp"
#include "io/sources.hpp"

namespace persist {

namespace {

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() { ::close(number_); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return number_; }

 private:
  int number_;
};

// Calls `read_some(to, room)` until the room is full or the end is reached.
template <typename ReadSome>
size_t read_fully(char* to, size_t room, const std::string& name, ReadSome read_some) {
  size_t done = 0;
  while (done < room) {
    const ssize_t got = read_some(to + done, room - done);
    if (got == 0) break;
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw std::system_error(errno, std::generic_category(), name);
    done += static_cast<size_t>(got);
  }
  return done;
}

class FileSource : public BlockSource {
 public:
  FileSource(int descriptor, uint64_t size, std::string name)
      : BlockSource(std::move(name)), descriptor_(descriptor), size_(size) {
    ::posix_fadvise(descriptor, 0, 0, POSIX_FADV_SEQUENTIAL);
  }
  [[nodiscard]] bool rereadable() const override { return true; }
  [[nodiscard]] std::optional<uint64_t> size() const override { return size_; }

 protected:
  size_t fill(char* to, size_t room) override {
    // The size at open is the size: what a server appends meanwhile is not ours to judge.
    room = static_cast<size_t>(std::min<uint64_t>(room, size_ - std::min(size_, at_)));
    const size_t got = read_fully(to, room, name(), [&](char* into, size_t count) {
      const ssize_t part = ::pread(descriptor_.get(), into, count, static_cast<off_t>(at_));
      if (part > 0) at_ += static_cast<uint64_t>(part);
      return part;
    });
    if (got < room) {
      set_damage(FindingCode::source_shrank, at_,
                 std::to_string(at_) + " bytes where there had been " + std::to_string(size_));
    }
    return got;
  }
  void seek(uint64_t offset) override { at_ = offset; }

 private:
  Descriptor descriptor_;
  uint64_t size_;
  uint64_t at_ = 0;
};

class PipeSource : public BlockSource {
 public:
  PipeSource(int descriptor, std::string name) : BlockSource(std::move(name)), descriptor_(descriptor) {}
  [[nodiscard]] bool rereadable() const override { return false; }
  [[nodiscard]] std::optional<uint64_t> size() const override { return std::nullopt; }

 protected:
  size_t fill(char* to, size_t room) override {
    return read_fully(to, room, name(),
                      [&](char* into, size_t count) { return ::read(descriptor_.get(), into, count); });
  }

 private:
  Descriptor descriptor_;
};

}  // namespace

std::unique_ptr<ByteSource> file_source(int descriptor, uint64_t size, std::string name) {
  return std::make_unique<FileSource>(descriptor, size, std::move(name));
}

std::unique_ptr<ByteSource> pipe_source(int descriptor, std::string name) {
  return std::make_unique<PipeSource>(descriptor, std::move(name));
}

}  // namespace persist
