// From a path to a source: file or pipe, packed or not, by what it is and not by what it is called.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <stdexcept>
#include <system_error>

#include "io/sources.hpp"

namespace persist {

namespace {

constexpr uint64_t kMagicBytes = 4;

std::system_error open_trouble(int error, const std::string& path) {
  return {error, std::generic_category(), path};
}

// A disk says how large it is only by where it ends. What does not is read as it comes.
std::unique_ptr<ByteSource> open_disk(int descriptor, const std::string& path) {
  const off_t size = ::lseek(descriptor, 0, SEEK_END);
  ::lseek(descriptor, 0, SEEK_SET);
  if (size <= 0) return pipe_source(descriptor, path);
  return file_source(descriptor, static_cast<uint64_t>(size), path);
}

std::unique_ptr<ByteSource> open_plain(const std::string& path) {
  if (path == "-") return pipe_source(::dup(STDIN_FILENO), "<stdin>");
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) throw open_trouble(errno, path);
  struct stat about {};
  if (::fstat(descriptor, &about) != 0 || S_ISDIR(about.st_mode)) {
    const int error = S_ISDIR(about.st_mode) ? EISDIR : errno;
    ::close(descriptor);
    throw open_trouble(error, path);
  }
  if (S_ISBLK(about.st_mode)) return open_disk(descriptor, path);
  if (!S_ISREG(about.st_mode)) return pipe_source(descriptor, path);
  return file_source(descriptor, static_cast<uint64_t>(about.st_size), path);
}

struct Packing {
  Compression compression;
  Bytes magic;
};
constexpr Packing kPackings[] = {
    {Compression::gzip, Bytes("\x1f\x8b", 2)},
    {Compression::zstd, Bytes("\x28\xb5\x2f\xfd", 4)},
    {Compression::lz4, Bytes("\x04\x22\x4d\x18", 4)},
};

#if !defined(PERSIST_WITH_ZSTD) || !defined(PERSIST_WITH_LZ4)
[[noreturn]] void refuse_packing(const std::string& name, Bytes packing) {
  throw std::system_error(std::make_error_code(std::errc::not_supported),
                          name + ": " + std::string(packing) + " was not built into this persist");
}
#endif

}  // namespace

ByteSource::~ByteSource() = default;

const Finding* ByteSource::damage() const { return nullptr; }

Compression ByteSource::compression() const { return Compression::none; }

Bytes compression_name(Compression compression) {
  constexpr std::array<Bytes, 4> kNames = {"none", "gzip", "zstd", "lz4"};
  return kNames[static_cast<size_t>(compression)];
}

Compression recognise_compression(Bytes head) {
  for (const Packing& packing : kPackings) {
    if (head.starts_with(packing.magic)) return packing.compression;
  }
  return Compression::none;
}

std::unique_ptr<ByteSource> open_source(const std::string& path) {
  std::unique_ptr<ByteSource> source = open_plain(path);
  switch (recognise_compression(source->window(0, kMagicBytes).bytes)) {
    case Compression::none:
      return source;
    case Compression::gzip:
      return gzip_source(std::move(source));
#ifdef PERSIST_WITH_ZSTD
    case Compression::zstd:
      return zstd_source(std::move(source));
#else
    case Compression::zstd:
      refuse_packing(source->name(), "zstd");
#endif
#ifdef PERSIST_WITH_LZ4
    case Compression::lz4:
      return lz4_source(std::move(source));
#else
    case Compression::lz4:
      refuse_packing(source->name(), "LZ4");
#endif
  }
  return source;
}

}  // namespace persist
