// The files of a split while they are written: any number of them, with bounded memory and few descriptors.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "io/placing.hpp"
#include "persist/sink.hpp"

namespace persist {

// What stands behind the last record of each.
struct SplitEnding {
  bool has_checksum = true;  // files of this version have room for one
  bool checksum = true;      // else it is 0
};

class SplitFiles {
 public:
  // `folder` must outlive it. Null: nothing is written, only counted.
  SplitFiles(AtomicFolder* folder, const SplitEnding& ending) : folder_(folder), ending_(ending) {}

  // Begins a file; files are known by the order in which they came.
  size_t add(const std::string& name, Bytes head);
  void write(size_t index, Bytes bytes);
  // Ends all of them: what was written is on the disk.
  void finish();

  [[nodiscard]] size_t count() const { return files_.size(); }
  [[nodiscard]] uint64_t bytes(size_t file) const { return files_[file].bytes; }

 private:
  struct File {
    std::string name;
    std::string waiting;  // to be written
    std::unique_ptr<OutputFile> open;
    bool exists = false;
    uint64_t crc = 0;
    uint64_t bytes = 0;
  };

  [[nodiscard]] size_t waiting_max() const;
  void put(size_t index, Bytes bytes);
  OutputFile& open(size_t index);
  void end(size_t index);

  AtomicFolder* folder_;
  SplitEnding ending_;
  std::vector<File> files_;
  std::deque<size_t> open_;  // those with a descriptor, in the order in which they got it
};

}  // namespace persist
