// The end of one element of a value.
#pragma once

#include "io/cursor.hpp"

namespace persist {

// What decoding one element (or node) took, in scratch memory and windows, is given back before the next: a
// value of any number of elements needs no more memory than its largest.
class ElementScope {
 public:
  explicit ElementScope(Cursor& in) : in_(in), mark_(in.scratch().mark()) {}
  void next() {
    in_.scratch().rewind(mark_);
    in_.release();
  }

 private:
  Cursor& in_;
  Scratch::Mark mark_;
};

}  // namespace persist
