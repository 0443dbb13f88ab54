// Opening, and reading and writing that goes on after a signal or after less than was asked for.
#include "io/unnamed_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "io/placing.hpp"

namespace persist {

namespace {

// Calls work(done) until `size` bytes are done; it returns how many more were. Nothing more is EIO.
template <typename Work>
int work_through(size_t size, Work work) {
  for (size_t done = 0; done < size;) {
    const ssize_t more = work(done);
    if (more > 0) {
      done += static_cast<size_t>(more);
    } else if (more == 0) {
      return EIO;
    } else if (errno != EINTR) {
      return errno;
    }
  }
  return 0;
}

void throw_if(int error) {
  if (error != 0) throw trouble(error, temporary_folder() + ": a temporary file");
}

}  // namespace

std::string temporary_folder() {
  const char* const folder = std::getenv("TMPDIR");
  return folder != nullptr && *folder != '\0' ? folder : "/tmp";
}

int open_unnamed_file(const std::string& folder) {
  const int descriptor = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (descriptor >= 0) return descriptor;
  // Not every file system can do that: a name then, for a moment.
  std::string name = folder + "/persist.XXXXXX";
  const int named = ::mkostemp(name.data(), O_CLOEXEC);
  if (named >= 0) ::unlink(name.c_str());
  return named;
}

int UnnamedFile::open() {
  close();
  descriptor_ = open_unnamed_file(temporary_folder());
  return is_open() ? 0 : errno;
}

int UnnamedFile::write_at(const void* from, size_t size, uint64_t at) const {
  const char* const bytes = static_cast<const char*>(from);
  return work_through(size, [&](size_t done) {
    return ::pwrite(descriptor_, bytes + done, size - done, static_cast<off_t>(at + done));
  });
}

int UnnamedFile::read_at(void* to, size_t size, uint64_t at) const {
  char* const bytes = static_cast<char*>(to);
  return work_through(size, [&](size_t done) {
    return ::pread(descriptor_, bytes + done, size - done, static_cast<off_t>(at + done));
  });
}

uint64_t UnnamedFile::append(Bytes bytes) {
  if (!is_open()) throw_if(open());
  const uint64_t at = appended_;
  throw_if(write_at(bytes.data(), bytes.size(), at));
  appended_ += bytes.size();
  return at;
}

void UnnamedFile::read(void* to, size_t size, uint64_t at) const { throw_if(read_at(to, size, at)); }

void UnnamedFile::close() {
  if (is_open()) ::close(descriptor_);
  descriptor_ = -1;
  appended_ = 0;
}

}  // namespace persist
