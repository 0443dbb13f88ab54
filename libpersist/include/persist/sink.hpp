// Where bytes go: an open descriptor, or a file or a whole folder that appears complete or not at all.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "persist/api.hpp"
#include "persist/bytes.hpp"

namespace persist {

class PERSIST_API ByteSink {
 public:
  virtual ~ByteSink();
  // Takes all the bytes. Throws std::system_error (EPIPE when a reader of ours has gone away; for what
  // becomes a file, its message names the final path).
  virtual void write(Bytes bytes) = 0;
  // Nothing more comes. A sink that writes a file has the bytes on the disk afterwards, or throws
  // std::system_error; others do nothing. Calling it again does nothing.
  virtual void finish();
};

// Writes to a descriptor that the caller owns, such as standard output. Not buffered: hand it large pieces.
PERSIST_API std::unique_ptr<ByteSink> descriptor_sink(int descriptor);

// What to do when something of that name is there already. Only a file stands in for a file, and a folder for
// a folder: otherwise EISDIR or ENOTDIR is thrown.
enum class Existing : uint8_t {
  refuse,   // EEXIST, when opened and, should it have come in between, at commit()
  replace,  // the old one is gone after commit()
  back_up,  // the old one stands under PATH.bak after commit() or, these being taken, PATH.bak.1, PATH.bak.2
            // ...
};

// Rights and owner that something new is to have. What is absent is as for anything new: mode 0666 (folders:
// 0777) less the umask, the owner who runs us. The owner is given away only if the system permits it; failing
// that is no error.
struct Attributes {
  std::optional<uint32_t> mode;  // permission bits, 07777
  std::optional<uint32_t> uid;
  std::optional<uint32_t> gid;
};

// Those of what is there; links are followed. Throws std::system_error.
PERSIST_API Attributes attributes_of(const std::string& path);

// For handlers of signals, async-signal-safe. If an output that is to appear whole is being made, the next
// write to it throws std::system_error (EINTR), so that it leaves nothing behind, and true is returned. If
// none is, the process may end at once: false.
PERSIST_API bool interrupt_outputs() noexcept;

// A file written beside its final name. Nothing appears under that name before commit(), which flushes the
// data to the disk, renames, and flushes the folder; destroyed without it, no trace is left. At every moment
// either the old file or the new one stands whole under the name. If the name is a symbolic link, that which
// it leads to is replaced (or made), not the link. A path that is an existing device or FIFO (/dev/null,
// /dev/stdout) is written to directly: there commit() only ends the writing.
class PERSIST_API AtomicFile : public ByteSink {
 public:
  // Throws std::system_error.
  AtomicFile(const std::string& path, Existing existing, const Attributes& attributes = {});
  ~AtomicFile() override;
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(Bytes bytes) override;

  // The data is on the disk and can be read back under temporary(); nothing was renamed. commit() does this
  // if nobody did.
  void finish() override;

  // Throws std::system_error. Then the old state holds, unless it was the folder that could not be flushed.
  void commit();

  // The path it is being written under; empty for devices and after commit().
  [[nodiscard]] const std::string& temporary() const;

  // Where the replaced file went; empty before commit() and if nothing was backed up.
  [[nodiscard]] const std::string& backup() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// A folder of files, made beside its final name: an append directory appears as a set or not at all. Renaming
// and links are as with AtomicFile. An old folder is exchanged for the new one in a single step; only on file
// systems that cannot exchange there is a moment between two renames at which the old one stands whole under
// another name (the backup's, or a hidden one beside it) and nothing under its own.
class PERSIST_API AtomicFolder {
 public:
  // `attributes` are those of the folder and of the subfolders. Throws std::system_error.
  AtomicFolder(const std::string& path, Existing existing, const Attributes& attributes = {});
  ~AtomicFolder();
  AtomicFolder(const AtomicFolder&) = delete;
  AtomicFolder& operator=(const AtomicFolder&) = delete;

  // Opens a new file in it. `name` may be "subfolder/file"; the subfolder is made. Names that are absolute,
  // empty, deeper, have "." or ".." as a part, or were used before are a mistake of the caller:
  // std::invalid_argument. Throws std::system_error. Destroying the sink finishes it; an error then, or one
  // of an earlier write, is thrown by commit().
  std::unique_ptr<ByteSink> create(const std::string& name, const Attributes& attributes = {});

  // Where a file of that name lies now: in temporary() before commit(), under the final path behind it.
  [[nodiscard]] std::string path_of(const std::string& name) const;

  // Every sink must have been finished or destroyed: std::logic_error. Throws std::system_error. Then the old
  // state holds, with two exceptions: the folder above could not be flushed, or the replaced folder could not
  // be removed entirely, whose rest the message names.
  void commit();

  // As with AtomicFile.
  [[nodiscard]] const std::string& temporary() const;
  [[nodiscard]] const std::string& backup() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace persist
