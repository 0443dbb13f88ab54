// What a result does not have: the bytes, file by file, and an index of where they were and why they went.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "base/byte_buffer.hpp"
#include "persist/edit.hpp"
#include "persist/sink.hpp"
#include "persist/source.hpp"

namespace persist {

class LostFolder {
 public:
  // Made with the first run that is added. An empty path: nothing is kept. `file` is what its files have of
  // rights and owner; the folder has the same, and can be entered by those who can read.
  LostFolder(std::string path, Existing existing, const Attributes& file)
      : path_(std::move(path)), existing_(existing), attributes_(file) {}

  void add(const LeftOut& run, ByteSource& from);

  // Puts the folder into place, if there is one, and returns its path.
  std::string commit();

 private:
  ByteSink& file_of(const std::string& name);
  void flush_index();

  std::string path_;
  Existing existing_;
  Attributes attributes_;
  std::unique_ptr<AtomicFolder> folder_;
  std::map<std::string, std::unique_ptr<ByteSink>> files_;
  std::string last_name_;  // of the file that was added to last
  ByteSink* last_file_ = nullptr;
  std::unique_ptr<ByteSink> index_;
  ByteBuffer lines_;  // of the index, not yet written
};

}  // namespace persist
