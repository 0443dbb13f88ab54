// Function libraries and cached scripts of several inputs: each once, and which input is to give it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/hash64.hpp"
#include "persist/merge.hpp"

namespace persist {

class MergeLibraries {
 public:
  explicit MergeLibraries(ConflictPolicy policy) : policy_(policy) {}

  // Input by input. `code` is that of released servers, whose first line names the library.
  void note_library(size_t input, Bytes code);
  // Of cached scripts, and of what modules keep beside the keys: any bytes that are to be written but once.
  void note_once(size_t input, Bytes bytes);

  // By several threads, once all are noted.
  [[nodiscard]] bool keeps_library(size_t input, Bytes code) const;
  [[nodiscard]] bool keeps_once(size_t input, Bytes bytes) const;

  [[nodiscard]] const std::vector<MergeConflict>& conflicts() const { return conflicts_; }

 private:
  struct Library {
    uint64_t code = 0;  // its hash
    size_t input = 0;   // that gives it
    std::vector<size_t> inputs;
    std::optional<size_t> conflict;  // its place among them
  };
  [[nodiscard]] uint64_t hash_of(Bytes text) const { return hash64(text, seed_); }

  ConflictPolicy policy_;
  uint64_t seed_ = random_seed();
  std::map<std::string, Library, std::less<>> libraries_;
  std::map<uint64_t, size_t> once_;  // the first input that has it, by hash
  std::vector<MergeConflict> conflicts_;
};

}  // namespace persist
