// Every step reaches the disk before the next: whatever happens, the bytes are in one of the two places.
#include "cut_tail.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <vector>

namespace persist::tool {

namespace {

constexpr mode_t kReadBits = 0444;
constexpr mode_t kPermissionBits = 0777;

[[noreturn]] void fail(int error, const std::string& what) {
  throw std::system_error(error, std::generic_category(), what);
}

class Descriptor {
 public:
  Descriptor(int number, std::string name) : number_(number), name_(std::move(name)) {
    if (number_ < 0) fail(errno, name_);
  }
  ~Descriptor() { ::close(number_); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  [[nodiscard]] int get() const { return number_; }
  [[nodiscard]] const std::string& name() const { return name_; }

  void flush() const {
    if (::fsync(number_) != 0) fail(errno, name_);
  }
  [[nodiscard]] struct stat about() const {
    struct stat found {};
    if (::fstat(number_, &found) != 0) fail(errno, name_);
    return found;
  }

 private:
  int number_;
  std::string name_;
};

FileMark mark_from(const struct stat& about) {
  constexpr int64_t kNsPerSecond = 1'000'000'000;
  return {about.st_dev, about.st_ino, static_cast<uint64_t>(about.st_size),
          about.st_mtim.tv_sec * kNsPerSecond + about.st_mtim.tv_nsec, S_ISREG(about.st_mode)};
}

void refuse_if_changed(const Descriptor& file, const FileMark& mark) {
  if (mark_from(file.about()) != mark) fail(EBUSY, file.name() + " has changed meanwhile");
}

void write_fully(const Descriptor& to, const char* bytes, size_t count) {
  while (count > 0) {
    const ssize_t written = ::write(to.get(), bytes, count);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail(errno, to.name());
    bytes += written;
    count -= static_cast<size_t>(written);
  }
}

void copy(const Descriptor& from, uint64_t begin, uint64_t end, const Descriptor& to) {
  constexpr uint64_t kPieceBytes = uint64_t{1} << 20;
  std::vector<char> piece(static_cast<size_t>(std::min(end - begin, kPieceBytes)));
  while (begin < end) {
    const auto wanted = static_cast<size_t>(std::min<uint64_t>(end - begin, piece.size()));
    const ssize_t got = ::pread(from.get(), piece.data(), wanted, static_cast<off_t>(begin));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail(errno, from.name());
    if (got == 0) fail(EBUSY, from.name() + " has become shorter meanwhile");
    write_fully(to, piece.data(), static_cast<size_t>(got));
    begin += static_cast<uint64_t>(got);
  }
}

// Opens a file that was not there, under the first name that is free.
Descriptor create_free(const Descriptor& folder, const std::string& stem, mode_t mode, std::string& name) {
  for (unsigned number = 0;; ++number) {
    name = number == 0 ? stem : stem + "." + std::to_string(number);
    const int descriptor =
        ::openat(folder.get(), name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    if (descriptor >= 0 || errno != EEXIST) return {descriptor, folder.name() + "/" + name};
  }
}

// Who may read the file may read what came off it.
std::string keep(const Descriptor& file, const FileMark& mark, uint64_t begin, const Descriptor& folder,
                 const std::string& stem) {
  const mode_t mode = file.about().st_mode & kPermissionBits;
  std::string name;
  const Descriptor kept = create_free(folder, stem, mode & kReadBits, name);
  try {
    if (::fchmod(kept.get(), mode) != 0) fail(errno, kept.name());
    copy(file, begin, mark.size, kept);
    kept.flush();
    folder.flush();
  } catch (...) {
    ::unlinkat(folder.get(), name.c_str(), 0);
    throw;
  }
  return kept.name();
}

}  // namespace

FileMark mark_of(const std::string& path) {
  struct stat about {};
  if (::stat(path.c_str(), &about) != 0) fail(errno, path);
  return mark_from(about);
}

std::string cut_tail(const std::string& path, const FileMark& mark, uint64_t size) {
  const Descriptor file(::open(path.c_str(), O_RDWR | O_CLOEXEC), path);
  refuse_if_changed(file, mark);
  const size_t slash = path.rfind('/');
  const std::string parent = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const std::string folder_name = path + ".lost";
  const mode_t readers = file.about().st_mode & kReadBits;
  const bool made = ::mkdir(folder_name.c_str(), S_IRWXU | readers | (readers >> 2)) == 0;
  if (!made && errno != EEXIST) fail(errno, folder_name);
  std::string kept;
  try {
    const Descriptor folder(::open(folder_name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC),
                            folder_name);
    kept = keep(file, mark, size, folder, path.substr(slash + 1) + "." + std::to_string(size));
    Descriptor(::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC), parent).flush();
  } catch (...) {
    if (made) ::rmdir(folder_name.c_str());
    throw;
  }
  refuse_if_changed(file, mark);
  if (::ftruncate(file.get(), static_cast<off_t>(size)) != 0) fail(errno, path);
  file.flush();
  return kept;
}

}  // namespace persist::tool
