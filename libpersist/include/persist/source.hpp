// Where bytes come from: a file, memory, a pipe, or any of these compressed.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "persist/api.hpp"
#include "persist/bytes.hpp"
#include "persist/finding.hpp"

namespace persist {

// Bytes of a source together with what keeps them in memory: they stay valid as long as `keep` (or a copy of
// it) lives. An empty `keep` means that they live as long as the source itself.
struct Window {
  Bytes bytes;
  std::shared_ptr<const void> keep;
};

enum class Compression : uint8_t { none, gzip, zstd, lz4 };
PERSIST_API Bytes compression_name(Compression compression);

// A file seen through windows. Not thread-safe; windows already handed out may be read by any thread.
class PERSIST_API ByteSource {
 public:
  virtual ~ByteSource();

  // Contiguous bytes from the absolute offset `from` on: at least `min` of them, unless the source ends
  // before; then all that there are (none at or behind the end). Memory is taken only for bytes that are
  // present, however large `min` is. Anything before `from` may be forgotten unless the source is rereadable.
  // Throws std::system_error when reading fails.
  virtual Window window(uint64_t from, uint64_t min) = 0;

  // True if `from` may go back: a regular file or memory; false for pipes and compressed streams.
  [[nodiscard]] virtual bool rereadable() const = 0;

  // The number of bytes in all, if that is known before the end is reached. For a file: its size when it was
  // opened.
  [[nodiscard]] virtual std::optional<uint64_t> size() const = 0;

  // Damage of the carrier (a torn gzip stream, a file that shrank under us) that made the source end early.
  // Filled once a window came out short; the offset counts bytes of the carrier.
  [[nodiscard]] virtual const Finding* damage() const;

  // What was taken off on the way: offsets count the bytes behind it.
  [[nodiscard]] virtual Compression compression() const;

  // How people know this source: a path, or "<stdin>".
  [[nodiscard]] virtual const std::string& name() const = 0;
};

// A regular file is read by windows and never mapped, so that a file cut short while we read ends early
// instead of raising SIGBUS; so is a disk. "-" is standard input. Anything else that can be opened (a FIFO, a
// tape) is read as a pipe. Compressed content is recognised by its first bytes, never by the name, and
// inflated on the way. Throws std::system_error when the path cannot be opened or is a folder.
PERSIST_API std::unique_ptr<ByteSource> open_source(const std::string& path);

// The bytes are borrowed and must outlive the source. Compressed content is not looked for.
PERSIST_API std::unique_ptr<ByteSource> memory_source(Bytes bytes, std::string name = "<memory>");

// Reads through another source, which must outlive it.
PERSIST_API std::unique_ptr<ByteSource> borrowed_source(ByteSource& source);

// The same bytes for those who read more than once: what cannot go back is copied to a nameless file in
// $TMPDIR or /tmp. Nothing may have been forgotten yet. Throws std::system_error.
PERSIST_API std::unique_ptr<ByteSource> rereadable_source(std::unique_ptr<ByteSource> source);

// What the first bytes of a source say about compression.
PERSIST_API Compression recognise_compression(Bytes head);

}  // namespace persist
