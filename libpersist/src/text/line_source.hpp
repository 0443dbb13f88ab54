// A source cut into lines, each as long as it is: memory is taken only for bytes that are present.
#pragma once

#include "persist/source.hpp"

namespace persist {

struct TextLine {
  Bytes text;           // without its end, which may be CR LF
  Extent extent;        // of the whole line in the file
  uint64_t number = 0;  // from 1
  bool ended = false;   // false: the source ends before the line does
  size_t behind = 0;    // how many bytes may be looked at behind the text
};

class LineSource {
 public:
  // The source must outlive it. A byte order mark at the start is passed over.
  explicit LineSource(ByteSource& source) : source_(source) {}

  // False at the end. The text is valid until the next call. Throws std::system_error.
  bool next(TextLine& line);

  [[nodiscard]] uint64_t offset() const { return offset_; }

 private:
  bool read_on(size_t at_hand);
  void skip_mark();

  ByteSource& source_;
  Window window_;
  size_t at_ = 0;  // in the window
  uint64_t offset_ = 0;
  uint64_t number_ = 0;
};

}  // namespace persist
