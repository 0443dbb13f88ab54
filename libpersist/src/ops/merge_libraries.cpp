// Libraries have no expiry: what lives longest is the last.
#include "ops/merge_libraries.hpp"

#include "ops/libraries.hpp"

namespace persist {

void MergeLibraries::note_library(size_t input, Bytes code) {
  const auto [found, is_new] = libraries_.try_emplace(std::string(library_name(code)));
  Library& library = found->second;
  const uint64_t hash = hash_of(code);
  if (is_new) {
    library.code = hash;
    library.input = input;
  }
  if (is_new || library.inputs.back() != input) library.inputs.push_back(input);
  if (library.code != hash) {
    if (!library.conflict) {
      library.conflict = conflicts_.size();
      conflicts_.push_back({std::nullopt, found->first, {}});
    }
    if (policy_ != ConflictPolicy::first) {
      library.code = hash;
      library.input = input;
    }
  }
  if (library.conflict) conflicts_[*library.conflict].inputs = library.inputs;
}

void MergeLibraries::note_once(size_t input, Bytes bytes) { once_.try_emplace(hash_of(bytes), input); }

bool MergeLibraries::keeps_library(size_t input, Bytes code) const {
  const auto found = libraries_.find(library_name(code));
  return found == libraries_.end() || (found->second.input == input && found->second.code == hash_of(code));
}

bool MergeLibraries::keeps_once(size_t input, Bytes bytes) const {
  const auto found = once_.find(hash_of(bytes));
  return found == once_.end() || found->second == input;
}

}  // namespace persist
