// Cuts a file into runs of whole records, so that several threads can work on it. Walks by lengths alone.
#pragma once

#include <memory>

#include "rdb/record_reader.hpp"

namespace persist {

struct Piece {
  Bytes bytes;
  std::shared_ptr<const void> keep;  // what keeps the bytes in memory
  uint64_t offset = 0;
  uint64_t db = 0;  // the database selected at its beginning
};

class PieceCutter {
 public:
  PieceCutter(ByteSource& source, const RdbState& state) : source_(source), state_(state) {}

  // False if what comes next must be read record by record, from state() on: the end, damage, or a record
  // that is too large for a piece. Whoever did that says with resume() where to go on.
  bool next(Piece& piece);

  [[nodiscard]] const RdbState& state() const { return state_; }
  void resume(const RdbState& state) { state_ = state; }

 private:
  struct Run {
    size_t bytes = 0;
    uint64_t db = 0;       // selected behind it
    bool stopped = false;  // at something that is not to be passed, as opposed to the end of the window
  };
  [[nodiscard]] Run skim(Bytes bytes);

  ByteSource& source_;
  RdbState state_;
  Scratch scratch_;
};

}  // namespace persist
