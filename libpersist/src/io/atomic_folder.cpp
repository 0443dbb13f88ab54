// A folder that appears whole or not at all: its files and names are flushed under a hidden name beside it.
#include <sys/stat.h>

#include <cerrno>
#include <exception>
#include <map>
#include <set>
#include <stdexcept>

#include "io/placing.hpp"
#include "persist/sink.hpp"

namespace persist {

namespace {

// A file of the folder. The folder keeps the OutputFile, and with it what went wrong, beyond the sink.
class FolderSink : public ByteSink {
 public:
  explicit FolderSink(std::shared_ptr<OutputFile> file) : file_(std::move(file)) {}
  FolderSink(const FolderSink&) = delete;
  FolderSink& operator=(const FolderSink&) = delete;
  ~FolderSink() override {
    // Where an exception ends the writing, the rest of the file is missing.
    if (std::uncaught_exceptions() > exceptions_) {
      file_->abandon();
      return;
    }
    try {
      file_->finish();
    } catch (const std::system_error&) {  // commit() meets it again
    }
  }

  void write(Bytes bytes) override { file_->write(bytes); }
  void finish() override { file_->finish(); }

 private:
  std::shared_ptr<OutputFile> file_;
  int exceptions_ = std::uncaught_exceptions();
};

bool is_part(Bytes part) {
  return !part.empty() && part != "." && part != ".." && part.find('\0') == Bytes::npos;
}

// "file" or "subfolder/file".
bool is_name(const std::string& name) {
  const size_t slash = name.find('/');
  if (slash == std::string::npos) return is_part(name);
  const Bytes file = Bytes(name).substr(slash + 1);
  return is_part(Bytes(name).substr(0, slash)) && is_part(file) && file.find('/') == Bytes::npos;
}

}  // namespace

struct AtomicFolder::State {
  OutputInProgress in_progress;
  std::string path;
  Existing existing = Existing::refuse;
  Attributes attributes;
  std::string temporary;
  std::string backup;
  std::map<std::string, std::shared_ptr<OutputFile>> files;
  std::set<std::string> subfolders;

  ~State() {
    if (temporary.empty()) return;
    // Rights that settle() gave may forbid even us to empty it.
    for (const std::string& name : subfolders) ::chmod((temporary + "/" + name).c_str(), 0700);
    ::chmod(temporary.c_str(), 0700);
    // What cannot be removed is hidden at least; there is nobody to tell.
    [[maybe_unused]] const int best_effort = remove_tree(temporary);
  }

  void make_subfolder(const std::string& name) {
    if (subfolders.contains(name)) return;
    if (const int error = make_folder(temporary + "/" + name, attributes))
      throw trouble(error, path + "/" + name);
    subfolders.insert(name);
  }

  void finish_files() {
    for (const auto& [name, file] : files) {
      if (!file->finished()) throw std::logic_error(path + "/" + name + ": committed while it is written");
    }
    for (const auto& [name, file] : files) file->finish();
  }

  void settle() {
    for (const std::string& name : subfolders)
      settle_folder(temporary + "/" + name, attributes, path + "/" + name);
    settle_folder(temporary, attributes, path);
  }

  // The old folder goes only when the new one is sure to stay.
  void place() {
    const Placed placed = place_folder(temporary, path, existing);
    backup = placed.backup;
    int error = flush_folder(folder_of(path));
    if (error == 0 && !placed.replaced.empty()) error = remove_tree(placed.replaced);
    if (error == 0) return;
    throw trouble(error, placed.replaced.empty() ? path : path + " (the old one is " + placed.replaced + ")");
  }
};

AtomicFolder::AtomicFolder(const std::string& path, Existing existing, const Attributes& attributes)
    : state_(std::make_unique<State>()) {
  state_->path = output_path(path);
  state_->existing = existing;
  state_->attributes = attributes;
  check_place(state_->path, existing, true);
  state_->temporary =
      make_beside(state_->path, [&](const std::string& name) { return make_folder(name, attributes); });
}

AtomicFolder::~AtomicFolder() = default;

std::unique_ptr<ByteSink> AtomicFolder::create(const std::string& name, const Attributes& attributes) {
  if (!is_name(name)) throw std::invalid_argument("no name for a file in a folder: \"" + name + "\"");
  if (state_->files.contains(name)) throw std::invalid_argument("created twice: \"" + name + "\"");
  if (const size_t slash = name.find('/'); slash != std::string::npos)
    state_->make_subfolder(name.substr(0, slash));
  const std::string path = state_->path + "/" + name;
  const int descriptor = open_new(state_->temporary + "/" + name, attributes);
  if (descriptor < 0) throw trouble(errno, path);
  auto file = std::make_shared<OutputFile>(descriptor, path);
  state_->files.emplace(name, file);
  return std::make_unique<FolderSink>(std::move(file));
}

std::string AtomicFolder::path_of(const std::string& name) const {
  return (state_->temporary.empty() ? state_->path : state_->temporary) + "/" + name;
}

void AtomicFolder::commit() {
  if (state_->temporary.empty()) return;
  state_->finish_files();
  state_->settle();
  state_->place();
}

const std::string& AtomicFolder::temporary() const { return state_->temporary; }

const std::string& AtomicFolder::backup() const { return state_->backup; }

}  // namespace persist
