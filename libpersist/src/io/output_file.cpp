// Making and writing what is not in place yet: hidden names, new files and folders, their flushing.
#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <filesystem>
#include <utility>

#include "io/placing.hpp"

namespace persist {

namespace fs = std::filesystem;

namespace {

constexpr int kLinksMax = 40;            // as the kernel
constexpr int kNamesTried = 100;         // of 36^6
constexpr size_t kDecorationBytes = 16;  // what a hidden name may add to it, generously

// Told by a handler of signals.
std::atomic<bool> interrupted = false;
std::atomic<int> outputs = 0;  // being made
static_assert(std::atomic<bool>::is_always_lock_free && std::atomic<int>::is_always_lock_free);

std::string random_letters() {
  constexpr char kLetters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
  unsigned char noise[6] = {};
  if (::getrandom(noise, sizeof noise, 0) != static_cast<ssize_t>(sizeof noise))
    throw std::system_error(errno, std::generic_category(), "getrandom");
  std::string letters;
  for (const unsigned char byte : noise) letters += kLetters[byte % (sizeof kLetters - 1)];
  return letters;
}

std::string without_slashes_at_the_end(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

// "." and ".." cannot be renamed; the folder they mean can.
std::string with_a_name(const std::string& path) {
  const std::string last = fs::path(path).filename().string();
  if (last != "." && last != "..") return path;
  std::error_code error;
  const fs::path real = fs::canonical(path, error);
  if (error) throw trouble(error.value(), path);
  return real.string();
}

}  // namespace

std::system_error trouble(int error, const std::string& path) {
  return {error, std::generic_category(), path};
}

std::string output_path(const std::string& path) {
  if (path.empty()) throw trouble(ENOENT, "\"\"");
  fs::path at = without_slashes_at_the_end(path);
  std::error_code error;
  for (int links = 0; fs::is_symlink(fs::symlink_status(at, error)); ++links) {
    if (links == kLinksMax) throw trouble(ELOOP, path);
    const fs::path target = fs::read_symlink(at, error);
    if (error) throw trouble(error.value(), path);
    at = without_slashes_at_the_end((at.parent_path() / target).string());
  }
  return with_a_name(at.string());
}

std::string folder_of(const std::string& path) {
  const fs::path parent = fs::path(path).parent_path();
  return parent.empty() ? "." : parent.string();
}

std::string make_beside(const std::string& path, FunctionRef<int(const std::string&)> make) {
  const std::string name = fs::path(path).filename().string().substr(0, kNameBytesMax - kDecorationBytes);
  int error = EEXIST;
  for (int tried = 0; tried < kNamesTried && error == EEXIST; ++tried) {
    std::string hidden = (fs::path(folder_of(path)) / ("." + name + "." + random_letters())).string();
    error = make(hidden);
    if (error == 0) return hidden;
  }
  throw trouble(error, path);
}

// Rights that were asked for may be narrower than the umask leaves: until they are set, nobody else looks in.

int open_new(const std::string& path, const Attributes& attributes) {
  const mode_t mode = attributes.mode ? 0600 : 0666;
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (descriptor >= 0) apply(attributes, descriptor);
  return descriptor;
}

int make_folder(const std::string& path, const Attributes& attributes) {
  return ::mkdir(path.c_str(), attributes.mode ? 0700 : 0777) == 0 ? 0 : errno;
}

void apply(const Attributes& attributes, int descriptor) {
  constexpr auto kUnchanged = static_cast<uint32_t>(-1);
  const uint32_t gid = attributes.gid.value_or(kUnchanged);
  // Who may not give a file away may still be a member of the group. The owner comes before the rights
  // because a change of owner takes the set-ID bits with it.
  if (attributes.uid || attributes.gid) {
    const bool given = ::fchown(descriptor, attributes.uid.value_or(kUnchanged), gid) == 0;
    [[maybe_unused]] const bool best_effort = given || ::fchown(descriptor, kUnchanged, gid) == 0;
  }
  if (attributes.mode) ::fchmod(descriptor, *attributes.mode);
}

Attributes attributes_of(const std::string& path) {
  struct stat about {};
  if (::stat(path.c_str(), &about) != 0) throw trouble(errno, path);
  return {about.st_mode & 07777, about.st_uid, about.st_gid};
}

OutputFile::OutputFile(int descriptor, std::string name, Kind kind)
    : descriptor_(descriptor), name_(std::move(name)), kind_(kind) {}

OutputFile::~OutputFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

OutputInProgress::OutputInProgress() { ++outputs; }
OutputInProgress::~OutputInProgress() { --outputs; }

bool interrupt_outputs() noexcept {
  interrupted = true;
  return outputs > 0;
}

void OutputFile::write(Bytes bytes) {
  if (interrupted) throw trouble(error_ = EINTR, name_);
  while (!bytes.empty()) {
    const ssize_t put = ::write(descriptor_, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) {
      error_ = errno;
      throw trouble(error_, name_);
    }
    bytes.remove_prefix(static_cast<size_t>(put));
  }
}

void OutputFile::finish() {
  if (descriptor_ >= 0) {
    if (error_ == 0 && kind_ == Kind::file && ::fsync(descriptor_) != 0) error_ = errno;
    // A close that was interrupted has closed.
    if (::close(std::exchange(descriptor_, -1)) != 0 && error_ == 0 && errno != EINTR) error_ = errno;
  }
  if (error_ != 0) throw trouble(error_, name_);
}

void OutputFile::abandon() {
  if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
  if (error_ == 0) error_ = ECANCELED;
}

int flush_folder(const std::string& folder) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return errno == EACCES ? 0 : errno;
  const int error = ::fsync(descriptor) == 0 || errno == EINVAL ? 0 : errno;
  ::close(descriptor);
  return error;
}

void settle_folder(const std::string& folder, const Attributes& attributes, const std::string& name) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) throw trouble(errno, name);
  apply(attributes, descriptor);
  const int error = ::fsync(descriptor) == 0 || errno == EINVAL ? 0 : errno;
  ::close(descriptor);
  if (error != 0) throw trouble(error, name);
}

}  // namespace persist
