// A file that has lost its descriptor to another one is opened again to be appended to.
#include "ops/split_files.hpp"

#include <fcntl.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/crc64.hpp"
#include "base/endian.hpp"

namespace persist {

namespace {

constexpr size_t kDescriptorsMax = 200;
constexpr size_t kWaitingBytesOfAll = size_t{32} << 20;
constexpr size_t kWaitingBytesMin = size_t{4} << 10;
constexpr size_t kWaitingBytesMax = size_t{256} << 10;
// Half of what the system gives us, at most.
size_t descriptors_max() {
  struct rlimit limit {};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return kDescriptorsMax;
  return std::clamp<size_t>(limit.rlim_cur / 2, 1, kDescriptorsMax);
}

constexpr Bytes kEndOfFile = "\xff";

}  // namespace

size_t SplitFiles::waiting_max() const {
  return std::clamp(kWaitingBytesOfAll / files_.size(), kWaitingBytesMin, kWaitingBytesMax);
}

size_t SplitFiles::add(const std::string& name, Bytes head) {
  File& file = files_.emplace_back();
  file.name = name;
  write(files_.size() - 1, head);
  return files_.size() - 1;
}

void SplitFiles::write(size_t index, Bytes bytes) {
  File& file = files_[index];
  file.bytes += bytes.size();
  if (folder_ == nullptr) return;
  if (ending_.checksum) file.crc = crc64(file.crc, bytes);
  const size_t most = waiting_max();
  if (file.waiting.size() + bytes.size() <= most) {
    file.waiting.append(bytes);
    return;
  }
  put(index, file.waiting);
  file.waiting.clear();
  if (file.waiting.capacity() > 2 * most) file.waiting = {};  // there were fewer files when it grew
  if (bytes.size() >= most / 2)
    put(index, bytes);
  else
    file.waiting.append(bytes);
}

void SplitFiles::put(size_t index, Bytes bytes) {
  if (!bytes.empty()) open(index).write(bytes);
}

OutputFile& SplitFiles::open(size_t index) {
  File& file = files_[index];
  if (file.open) return *file.open;
  if (open_.size() == descriptors_max()) {
    files_[open_.front()].open->abandon();
    files_[open_.front()].open.reset();
    open_.pop_front();
  }
  const std::string path = folder_->path_of(file.name);
  const int descriptor =
      file.exists ? ::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC) : open_new(path, {});
  if (descriptor < 0) throw trouble(errno, file.name);
  file.exists = true;
  file.open = std::make_unique<OutputFile>(descriptor, file.name);
  open_.push_back(index);
  return *file.open;
}

void SplitFiles::end(size_t index) {
  write(index, kEndOfFile);
  if (ending_.has_checksum) {
    std::array<char, sizeof(uint64_t)> checksum{};
    store_le(checksum.data(), ending_.checksum ? files_[index].crc : 0);
    write(index, {checksum.data(), checksum.size()});
  }
  if (folder_ == nullptr) return;
  File& file = files_[index];
  put(index, file.waiting);
  file.waiting = {};
  open(index).finish();
  std::erase(open_, index);
  file.open.reset();
}

void SplitFiles::finish() {
  for (size_t i = 0; i < files_.size(); ++i) end(i);
}

}  // namespace persist
