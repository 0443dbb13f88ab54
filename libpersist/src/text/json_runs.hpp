// JSON strings out of runs of bytes: for strings that are not in memory as a whole.
#pragma once

#include <array>

#include "base/byte_buffer.hpp"

namespace persist {

// Whether runs are UTF-8 when put together; a sequence may be cut by the end of a run.
class Utf8Runs {
 public:
  void add(Bytes run);
  [[nodiscard]] bool valid() const { return valid_ && kept_ == 0; }

 private:
  std::array<char, 8> start_{};  // of a sequence that was cut
  size_t kept_ = 0;
  bool valid_ = true;
};

// Writes what append_json_string() writes, run by run.
class JsonRuns {
 public:
  // `as_text`: the runs are known to be UTF-8; otherwise they become base64.
  JsonRuns(ByteBuffer& out, bool as_text);
  void add(Bytes run);
  void end();

 private:
  ByteBuffer& out_;
  bool as_text_;
  std::array<char, 3> group_{};  // of base64, not yet full
  size_t kept_ = 0;
};

}  // namespace persist
