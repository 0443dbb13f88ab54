// Temporary folders, a socket that plays the pipe, and the compressors whose decompressors are under test.
#include "support/files.hpp"

#include <isa-l/igzip_lib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <system_error>

#include "io/sources.hpp"

#ifdef PERSIST_WITH_ZSTD
#include <zstd.h>
#endif
#ifdef PERSIST_WITH_LZ4
#include <lz4frame.h>
#endif

namespace persist::test {

namespace fs = std::filesystem;

TempFolder::TempFolder() {
  path_ = (fs::temp_directory_path() / "persist-test.XXXXXX").string();
  if (::mkdtemp(path_.data()) == nullptr) throw std::system_error(errno, std::generic_category(), path_);
}

TempFolder::~TempFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

std::string TempFolder::file(const std::string& name, Bytes bytes) const {
  write_file(path(name), bytes);
  return path(name);
}

std::vector<std::string> TempFolder::names() const { return names_in(path_); }

std::vector<std::string> names_in(const std::string& path) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(path)) names.push_back(entry.path().filename().string());
  std::ranges::sort(names);
  return names;
}

void write_file(const std::string& path, Bytes bytes) {
  std::ofstream out(path, std::ios::binary);
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (!out.flush()) throw std::runtime_error("cannot write " + path);
}

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error("cannot open " + path);
  return {std::istreambuf_iterator<char>(in), {}};
}

int error_of(FunctionRef<void()> work, const std::string& name) {
  try {
    work();
  } catch (const std::system_error& error) {
    if (std::string(error.what()).find(name) == std::string::npos)
      throw std::runtime_error(name + " is not named by: " + error.what());
    return error.code().value();
  }
  return 0;
}

namespace {

constexpr uid_t kNobody = 65534;
const bool kIsRoot = ::geteuid() == 0;

void set_file_size_limit(rlim_t bytes) {
  rlimit limit{};
  ::getrlimit(RLIMIT_FSIZE, &limit);
  limit.rlim_cur = std::min(bytes, limit.rlim_max);
  ::setrlimit(RLIMIT_FSIZE, &limit);
}

}  // namespace

Unprivileged::Unprivileged() {
  if (kIsRoot && ::seteuid(kNobody) != 0) throw std::system_error(errno, std::generic_category(), "seteuid");
}

Unprivileged::~Unprivileged() {
  if (kIsRoot && ::seteuid(0) != 0) std::abort();
}

FileSizeLimit::FileSizeLimit(uint64_t bytes) {
  std::signal(SIGXFSZ, SIG_IGN);
  set_file_size_limit(bytes);
}

FileSizeLimit::~FileSizeLimit() {
  set_file_size_limit(RLIM_INFINITY);
  std::signal(SIGXFSZ, SIG_DFL);
}

// A socket instead of a pipe: writing to one whose reader has gone away can be kept from raising SIGPIPE.
PipedSource::PipedSource(std::string bytes) : bytes_(std::move(bytes)) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    throw std::system_error(errno, std::generic_category(), "socketpair");
  source_ = pipe_source(ends[0], "<pipe>");
  writer_ = std::thread([this, to = ends[1]] {
    constexpr size_t kPieceBytes = 50'000;  // so that reads come back short
    for (Bytes rest = bytes_; !rest.empty();) {
      const ssize_t sent = ::send(to, rest.data(), std::min(rest.size(), kPieceBytes), MSG_NOSIGNAL);
      if (sent < 0) break;
      rest.remove_prefix(static_cast<size_t>(sent));
    }
    ::close(to);
  });
}

PipedSource::~PipedSource() {
  source_.reset();  // ends the writing, too
  writer_.join();
}

std::string gzip_of(Bytes bytes) {
  std::string packed(bytes.size() + bytes.size() / 8 + 4096, '\0');
  std::string level_memory(ISAL_DEF_LVL1_DEFAULT, '\0');
  isal_zstream stream;
  isal_deflate_init(&stream);
  stream.gzip_flag = IGZIP_GZIP;
  stream.level = 1;
  stream.level_buf = reinterpret_cast<uint8_t*>(level_memory.data());
  stream.level_buf_size = static_cast<uint32_t>(level_memory.size());
  stream.end_of_stream = 1;
  stream.next_in = reinterpret_cast<uint8_t*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uint32_t>(bytes.size());
  stream.next_out = reinterpret_cast<uint8_t*>(packed.data());
  stream.avail_out = static_cast<uint32_t>(packed.size());
  if (isal_deflate(&stream) != COMP_OK || stream.avail_in != 0) throw std::runtime_error("isal_deflate");
  packed.resize(stream.total_out);
  return packed;
}

std::string zstd_of([[maybe_unused]] Bytes bytes) {
#ifdef PERSIST_WITH_ZSTD
  std::string packed(ZSTD_compressBound(bytes.size()), '\0');
  const size_t size = ZSTD_compress(packed.data(), packed.size(), bytes.data(), bytes.size(), 3);
  if (ZSTD_isError(size) != 0) throw std::runtime_error(ZSTD_getErrorName(size));
  packed.resize(size);
  return packed;
#else
  throw std::runtime_error("built without zstd");
#endif
}

std::string lz4_of([[maybe_unused]] Bytes bytes) {
#ifdef PERSIST_WITH_LZ4
  LZ4F_preferences_t preferences{};
  preferences.frameInfo.contentChecksumFlag = LZ4F_contentChecksumEnabled;
  std::string packed(LZ4F_compressFrameBound(bytes.size(), &preferences), '\0');
  const size_t size =
      LZ4F_compressFrame(packed.data(), packed.size(), bytes.data(), bytes.size(), &preferences);
  if (LZ4F_isError(size) != 0) throw std::runtime_error(LZ4F_getErrorName(size));
  packed.resize(size);
  return packed;
#else
  throw std::runtime_error("built without LZ4");
#endif
}

}  // namespace persist::test
