// A disk that fails on request, for LD_PRELOAD: counts the calls that change files and makes one of them
// fail. What it is told, by the environment:
//
// PERSIST_FAULT_UNDER   only files in or below this folder count (as the kernel names it: without links)
// PERSIST_FAULT_LOG     where to write a line per call: number, name, path and, of a rename or a link, the
//                       new path, with tabs between; "!" in front of those that failed
// PERSIST_FAULT_AT      the number of the call that fails, from 1 on
// PERSIST_FAULT         how: eio         once
//                            enospc      from then on, each call that takes room on the disk (a rename, which
//                                        leaves as much as it takes, only if it is that call)
//                            kill        SIGKILL instead of the call
//                            kill-after  SIGKILL when it is done
// PERSIST_FAULT_SIMPLE  if set, the file system knows no flags of renameat2
//
// Nothing is flushed to the real disk: no test cuts the power, and flushing is what would take the time.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace {

using std::string_view;

string_view setting(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? string_view() : value;
}

struct Plan {
  string_view under = setting("PERSIST_FAULT_UNDER");
  string_view fault = setting("PERSIST_FAULT");
  long at = std::atol(setting("PERSIST_FAULT_AT").empty() ? "0" : setting("PERSIST_FAULT_AT").data());
  bool simple = !setting("PERSIST_FAULT_SIMPLE").empty();
  int log = -1;

  Plan() {
    const string_view path = setting("PERSIST_FAULT_LOG");
    if (path.empty()) return;
    log = static_cast<int>(
        ::syscall(SYS_openat, AT_FDCWD, path.data(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
  }
};

const Plan& plan() {
  static const Plan made;
  return made;
}

std::atomic<long> calls{0};
std::atomic<bool> is_full{false};

// What a call is about, as an absolute path.
class Place {
 public:
  explicit Place(int descriptor) { add_link(descriptor); }
  Place(int folder, const char* path) {
    if (path[0] != '/') {
      if (folder == AT_FDCWD) {
        size_ = ::getcwd(text_.data(), text_.size()) == nullptr ? 0 : std::strlen(text_.data());
      } else {
        add_link(folder);
      }
      add("/");
    }
    add(path);
  }

  [[nodiscard]] const char* text() const { return text_.data(); }
  [[nodiscard]] bool counts() const {
    const string_view under = plan().under;
    const string_view path(text_.data(), size_);
    return !under.empty() && path.starts_with(under) &&
           (path.size() == under.size() || path[under.size()] == '/');
  }

 private:
  void add(string_view part) {
    part = part.substr(0, text_.size() - 1 - size_);
    part.copy(text_.data() + size_, part.size());
    size_ += part.size();
  }
  void add_link(int descriptor) {
    std::array<char, 40> link{};
    std::snprintf(link.data(), link.size(), "/proc/self/fd/%d", descriptor);
    const ssize_t size = ::readlink(link.data(), text_.data(), text_.size() - 1);
    size_ = size < 0 ? 0 : static_cast<size_t>(size);
  }

  std::array<char, PATH_MAX> text_{};
  size_t size_ = 0;
};

void log_call(long number, const char* name, const Place& place, const char* other, bool failed) {
  if (plan().log < 0) return;
  std::array<char, 3 * PATH_MAX> line{};
  const int size = std::snprintf(line.data(), line.size(), "%s%ld\t%s\t%s\t%s\n", failed ? "!" : "", number,
                                 name, place.text(), other);
  ::syscall(SYS_write, plan().log, line.data(), static_cast<size_t>(size));
}

enum class Room : uint8_t { none, for_name, taken };  // on the disk, by this call

// The errno with which this call is to fail, or 0.
int error_of(long number, Room room) {
  const bool is_now = number == plan().at;
  if (is_now && plan().fault == "enospc") is_full = true;
  if (is_now && plan().fault == "eio") return EIO;
  return is_full && (room == Room::taken || (is_now && room == Room::for_name)) ? ENOSPC : 0;
}

// Performs the call, or not. The result is the call's, with errno. `other` is a second path it is about.
template <typename Call>
auto perform(const char* name, Room room, const Place& place, Call call, const char* other = "")
    -> decltype(call()) {
  if (!place.counts()) return call();
  const long number = ++calls;
  const int error = error_of(number, room);
  log_call(number, name, place, other, error != 0);
  if (number == plan().at && plan().fault == "kill") ::raise(SIGKILL);
  if (error != 0) {
    errno = error;
    return -1;
  }
  const auto result = call();
  if (number == plan().at && plan().fault == "kill-after") ::raise(SIGKILL);
  return result;
}

template <typename Function>
Function* real(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

int open_at(int folder, const char* path, int flags, mode_t mode) {
  const auto call = [=] { return static_cast<int>(::syscall(SYS_openat, folder, path, flags, mode)); };
  return (flags & O_CREAT) == 0 ? call() : perform("open", Room::taken, Place(folder, path), call);
}

int rename_at(int from_folder, const char* from, int to_folder, const char* to, unsigned flags) {
  const auto call = [=] {
    if (flags != 0 && plan().simple) {
      errno = EINVAL;
      return -1;
    }
    return static_cast<int>(::syscall(SYS_renameat2, from_folder, from, to_folder, to, flags));
  };
  const Room room = flags == RENAME_EXCHANGE ? Room::none : Room::for_name;
  return perform("rename", room, Place(from_folder, from), call, Place(to_folder, to).text());
}

int unlink_at(int folder, const char* path, int flags) {
  const auto call = [=] { return static_cast<int>(::syscall(SYS_unlinkat, folder, path, flags)); };
  return perform("unlink", Room::none, Place(folder, path), call);
}

}  // namespace

// The names of the C library, under both of their spellings where there are two.
extern "C" {

ssize_t write(int descriptor, const void* from, size_t size) {
  const auto call = [=] { return static_cast<ssize_t>(::syscall(SYS_write, descriptor, from, size)); };
  return perform("write", Room::taken, Place(descriptor), call);
}

ssize_t pwrite(int descriptor, const void* from, size_t size, off_t at) {
  const auto call = [=] { return static_cast<ssize_t>(::syscall(SYS_pwrite64, descriptor, from, size, at)); };
  return perform("pwrite", Room::taken, Place(descriptor), call);
}

ssize_t pwrite64(int descriptor, const void* from, size_t size, off64_t at) {
  return ::pwrite(descriptor, from, size, at);
}

ssize_t writev(int descriptor, const iovec* parts, int count) {
  const auto call = [=] { return static_cast<ssize_t>(::syscall(SYS_writev, descriptor, parts, count)); };
  return perform("writev", Room::taken, Place(descriptor), call);
}

int fsync(int descriptor) {
  return perform("fsync", Room::taken, Place(descriptor), [] { return 0; });
}

int fdatasync(int descriptor) {
  return perform("fdatasync", Room::taken, Place(descriptor), [] { return 0; });
}

int ftruncate(int descriptor, off_t size) noexcept {
  const auto call = [=] { return static_cast<int>(::syscall(SYS_ftruncate, descriptor, size)); };
  return perform("ftruncate", Room::taken, Place(descriptor), call);
}

int ftruncate64(int descriptor, off64_t size) noexcept { return ::ftruncate(descriptor, size); }

// A close that fails has closed all the same. Only what was written to counts.
int close(int descriptor) {
  const int flags = ::fcntl(descriptor, F_GETFL);
  const auto call = [=] { return static_cast<int>(::syscall(SYS_close, descriptor)); };
  if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY || descriptor == plan().log) return call();
  const int result = perform("close", Room::none, Place(descriptor), call);
  if (result != 0 && errno == EIO) {
    call();
    errno = EIO;
  }
  return result;
}

int open(const char* path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(more, mode_t) : 0;
  va_end(more);
  return open_at(AT_FDCWD, path, flags, mode);
}

int open64(const char* path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(more, mode_t) : 0;
  va_end(more);
  return open_at(AT_FDCWD, path, flags, mode);
}

int openat(int folder, const char* path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(more, mode_t) : 0;
  va_end(more);
  return open_at(folder, path, flags, mode);
}

int openat64(int folder, const char* path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(more, mode_t) : 0;
  va_end(more);
  return open_at(folder, path, flags, mode);
}

int mkostemp(char* path, int flags) {
  return perform("mkostemp", Room::taken, Place(AT_FDCWD, path),
                 [=] { return real<int(char*, int)>("mkostemp")(path, flags); });
}

int mkdir(const char* path, mode_t mode) noexcept {
  const auto call = [=] { return static_cast<int>(::syscall(SYS_mkdirat, AT_FDCWD, path, mode)); };
  return perform("mkdir", Room::taken, Place(AT_FDCWD, path), call);
}

int link(const char* from, const char* to) noexcept {
  const auto call = [=] { return static_cast<int>(::syscall(SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0)); };
  return perform("link", Room::taken, Place(AT_FDCWD, from), call, Place(AT_FDCWD, to).text());
}

int rename(const char* from, const char* to) noexcept { return rename_at(AT_FDCWD, from, AT_FDCWD, to, 0); }

int renameat(int from_folder, const char* from, int to_folder, const char* to) noexcept {
  return rename_at(from_folder, from, to_folder, to, 0);
}

int renameat2(int from_folder, const char* from, int to_folder, const char* to, unsigned flags) noexcept {
  return rename_at(from_folder, from, to_folder, to, flags);
}

int unlink(const char* path) noexcept { return unlink_at(AT_FDCWD, path, 0); }

int unlinkat(int folder, const char* path, int flags) noexcept { return unlink_at(folder, path, flags); }

int rmdir(const char* path) noexcept { return unlink_at(AT_FDCWD, path, AT_REMOVEDIR); }

}  // extern "C"
