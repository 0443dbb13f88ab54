// Reads what is there and never waits for a block to be full. New bytes go behind the old ones as long as
// there is room, so that views into them stay good.
#include "io/follow_source.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>

namespace persist {

namespace {

constexpr size_t kRoomBytes = size_t{512} << 10;

[[noreturn]] void fail(const std::string& path) {
  throw std::system_error(errno, std::generic_category(), path);
}

}  // namespace

struct FollowSource::Room {
  explicit Room(size_t size) : data(std::make_unique_for_overwrite<char[]>(size)), capacity(size) {}
  std::unique_ptr<char[]> data;
  size_t capacity;
};

FollowSource::FollowSource(const std::string& path, Wait wait)
    : path_(path), name_(path == "-" ? "<stdin>" : path), wait_(std::move(wait)) {
  descriptor_ = path == "-" ? ::dup(STDIN_FILENO) : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor_ < 0) fail(path_);
  struct stat about {};
  is_file_ = path != "-" && ::fstat(descriptor_, &about) == 0 && S_ISREG(about.st_mode);
}

FollowSource::~FollowSource() { ::close(descriptor_); }

Window FollowSource::window(uint64_t from, uint64_t min) {
  if (from < start_ || from > end()) move_to(from);
  while (!ended_ && (end() < from || end() - from < min)) {
    make_room(from);
    const size_t got = read_some(room_->data.get() + filled_, room_->capacity - filled_);
    filled_ += got;
    if (got == 0 && !ended_ && !wait_()) ended_ = true;
  }
  if (from >= end()) return {};
  return {Bytes(room_->data.get() + (from - start_), static_cast<size_t>(end() - from)), room_};
}

// To a place outside the room: by seeking, or by reading over what lies between.
void FollowSource::move_to(uint64_t from) {
  if (is_file_) {
    room_.reset();
    start_ = from;
    filled_ = 0;
    return;
  }
  while (end() < from && !window(end(), 1).bytes.empty()) {
  }
}

// For at least one more byte, and whatever is from `from` on.
void FollowSource::make_room(uint64_t from) {
  if (room_ && filled_ < room_->capacity) return;
  const uint64_t keep_from = std::min(from, end());
  const auto kept = static_cast<size_t>(end() - keep_from);
  auto next = std::make_shared<Room>(std::max(kRoomBytes, 2 * kept));
  if (kept > 0) std::memcpy(next->data.get(), room_->data.get() + (keep_from - start_), kept);
  room_ = std::move(next);
  start_ = keep_from;
  filled_ = kept;
}

// What is there now, perhaps nothing.
size_t FollowSource::read_some(char* to, size_t room) {
  while (true) {
    if (!is_file_) {
      struct pollfd ready = {descriptor_, POLLIN, 0};
      if (::poll(&ready, 1, 0) == 0) return 0;
    }
    const ssize_t got =
        is_file_ ? ::pread(descriptor_, to, room, static_cast<off_t>(end())) : ::read(descriptor_, to, room);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail(name_);
    ended_ = got == 0 && !is_file_;
    return static_cast<size_t>(got);
  }
}

FollowSource::Change FollowSource::change() const {
  if (!is_file_) return Change::none;
  struct stat opened {};
  struct stat named {};
  if (::fstat(descriptor_, &opened) != 0) return Change::none;
  if (static_cast<uint64_t>(opened.st_size) < end()) return Change::shorter;
  if (::stat(path_.c_str(), &named) != 0) return Change::gone;
  const bool same = opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
  return same ? Change::none : Change::replaced;
}

}  // namespace persist
