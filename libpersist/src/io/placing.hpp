// What files and folders that appear whole have in common: hidden names, durable writing, renaming into
// place. Nothing here looks at what is inside.
#pragma once

#include <cstdint>
#include <string>
#include <system_error>

#include "persist/function_ref.hpp"
#include "persist/sink.hpp"

namespace persist {

inline constexpr size_t kNameBytesMax = 255;  // of an entry in a folder

// An errno as an exception whose message begins with `path`.
[[nodiscard]] std::system_error trouble(int error, const std::string& path);

// Where an output that is called `path` really goes: links are followed, also one that leads to nothing yet,
// and "." has a name. Throws std::system_error.
[[nodiscard]] std::string output_path(const std::string& path);

// The folder that `path` lies in.
[[nodiscard]] std::string folder_of(const std::string& path);

// Tries hidden names beside `path` until make(name) takes one: it returns 0, or the errno that says why not,
// of which EEXIST asks for another name. Throws std::system_error.
std::string make_beside(const std::string& path, FunctionRef<int(const std::string&)> make);

// Opens a new file for writing. Returns the descriptor, or -1 with errno set.
int open_new(const std::string& path, const Attributes& attributes);
// Returns 0 or the errno. The rights of `attributes` come later, by settle_folder().
int make_folder(const std::string& path, const Attributes& attributes);

// The owner as far as the system permits it, and the rights.
void apply(const Attributes& attributes, int descriptor);

// While one of these lives, interrupt_outputs() leaves it to the writer to end.
class OutputInProgress {
 public:
  OutputInProgress();
  ~OutputInProgress();
  OutputInProgress(const OutputInProgress&) = delete;
  OutputInProgress& operator=(const OutputInProgress&) = delete;
};

// A descriptor that is written once from front to end. Errors name `name`; one that was met is met again at
// the end, so that a file with a hole is never taken for whole.
class OutputFile {
 public:
  enum class Kind : uint8_t { file, device };  // a device is not flushed

  OutputFile(int descriptor, std::string name, Kind kind = Kind::file);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  void write(Bytes bytes);
  // Flushed to the disk and closed. Throws the first error there was, also when called again.
  void finish();
  // Closed, and never to be finished.
  void abandon();
  [[nodiscard]] bool finished() const { return descriptor_ < 0; }

 private:
  int descriptor_;
  std::string name_;
  Kind kind_;
  int error_ = 0;
};

// Makes the names in a folder durable. Returns 0 or the errno; a file system or rights that do not allow it
// are no error.
[[nodiscard]] int flush_folder(const std::string& folder);
// The same for a folder of our own, which gets its attributes now. Errors name `name`.
void settle_folder(const std::string& folder, const Attributes& attributes, const std::string& name);

// Throws, before work is wasted, what placing at `path` would throw as things stand.
void check_place(const std::string& path, Existing existing, bool is_folder);

// Rename what stands under `temporary`, durable and closed, to `path`. They throw std::system_error, and then
// the old state holds. `temporary` comes back empty when what it named is no longer ours to remove.
struct Placed {
  std::string backup;    // empty if none was asked for or nothing was there
  std::string replaced;  // the old folder under a hidden name, to be removed
};
Placed place_file(std::string& temporary, const std::string& path, Existing existing);
Placed place_folder(std::string& temporary, const std::string& path, Existing existing);

// Removes it with all it holds; links are removed, not followed. Returns 0 or the errno.
[[nodiscard]] int remove_tree(const std::string& path);

}  // namespace persist
