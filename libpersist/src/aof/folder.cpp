// lstat before stat, and never a read that could block.
#include "aof/folder.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <system_error>

namespace persist {

namespace {

namespace fs = std::filesystem;

constexpr std::array kNothingThere = {ENOENT, ENOTDIR, ENAMETOOLONG};

bool leads_out(const std::string& folder, const std::string& path) {
  const fs::path inside = fs::canonical(folder);
  const fs::path target = fs::canonical(path);
  return std::ranges::mismatch(inside, target).in1 != inside.end();
}

FileState state_of(const struct stat& about) {
  FileState state;
  state.presence = S_ISREG(about.st_mode) ? Presence::file : Presence::stray;
  state.size = static_cast<uint64_t>(about.st_size);
  state.device = about.st_dev;
  state.inode = about.st_ino;
  state.modified_ns = static_cast<int64_t>(about.st_mtim.tv_sec) * 1'000'000'000 + about.st_mtim.tv_nsec;
  return state;
}

// What an error of lstat or stat says about the file.
FileState without_state(int error, const std::string& path) {
  if (std::ranges::find(kNothingThere, error) != kNothingThere.end()) return {};
  FileState stray;
  stray.presence = Presence::stray;
  if (error == ELOOP) return stray;
  throw std::system_error(error, std::generic_category(), path);
}

}  // namespace

std::string join_path(const std::string& folder, const std::string& name) {
  return folder.ends_with('/') ? folder + name : folder + '/' + name;
}

FileState examine_file(const std::string& folder, const std::string& name) {
  if (name.find('\0') != std::string::npos) return {};
  const std::string path = join_path(folder, name);
  struct stat about {};
  if (::lstat(path.c_str(), &about) != 0) return without_state(errno, path);
  if (!S_ISLNK(about.st_mode)) return state_of(about);
  if (::stat(path.c_str(), &about) != 0) return without_state(errno, path);
  FileState state = state_of(about);
  if (leads_out(folder, path)) state.presence = Presence::stray;
  return state;
}

std::vector<std::string> names_in(const std::string& folder) {
  std::vector<std::string> names;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    names.push_back(entry.path().filename().string());
  }
  std::ranges::sort(names);
  return names;
}

std::string read_head(const std::string& path, size_t bytes_max) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) throw std::system_error(errno, std::generic_category(), path);
  std::string head;
  struct stat about {};
  int error = ::fstat(descriptor, &about) == 0 ? 0 : errno;
  if (error == 0 && S_ISREG(about.st_mode)) {
    head.resize(std::min(bytes_max, static_cast<size_t>(about.st_size)));
    size_t done = 0;
    while (done < head.size()) {
      const ssize_t got = ::read(descriptor, head.data() + done, head.size() - done);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) error = errno;
      if (got <= 0) break;
      done += static_cast<size_t>(got);
    }
    head.resize(done);
  }
  ::close(descriptor);
  if (error != 0) throw std::system_error(error, std::generic_category(), path);
  return head;
}

}  // namespace persist
