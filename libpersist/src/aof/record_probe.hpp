// Where, behind damage, the log goes on: at a known command with as many arguments as it may have, behind
// which the next record follows or the file ends.
#pragma once

#include <algorithm>
#include <cstdint>

#include "persist/source.hpp"

namespace persist {

class RecordProbe {
 public:
  explicit RecordProbe(ByteSource& source) : source_(source) {}

  struct Place {
    bool found = false;
    uint64_t offset = 0;  // of the record; the end of the source if there is none
  };

  // The first plausible record at `from` or later. With `chained`, two whole commands have to follow each
  // other, or one the end of the file: for bytes that may be the inside of a torn argument.
  Place find(uint64_t from, bool chained);

  // So many arguments were walked over in vain elsewhere.
  void spend(uint64_t arguments) { arguments_left_ -= std::min(arguments_left_, arguments); }

 private:
  struct Candidate {
    uint64_t end = 0;
    bool whole = false;
    bool torn = false;
  };
  Candidate probe(uint64_t offset);
  static Candidate probe_at_hand(Bytes bytes);
  bool is_plausible(uint64_t offset, bool chained);

  ByteSource& source_;
  // So many arguments may be walked over in vain: a file made to look like many commands, each as long as the
  // file, would take for ever. When they are used up, nothing is found any more.
  uint64_t arguments_left_ = uint64_t{1} << 24;
};

}  // namespace persist
