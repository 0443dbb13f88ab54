// Where lines go: all of them, the first few, or the last few.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>

#include "base/byte_buffer.hpp"
#include "persist/sink.hpp"

namespace persist {

class LineOutput {
 public:
  LineOutput(ByteSink& sink, std::optional<uint64_t> head, std::optional<uint64_t> tail);
  LineOutput(const LineOutput&) = delete;
  LineOutput& operator=(const LineOutput&) = delete;

  // To put a line into, with its line feed; then end_line() is called. False: no more lines are wanted.
  ByteBuffer& begin_line() { return keeps_ ? kept_ : out_; }
  [[nodiscard]] bool end_line() {
    ++lines_;
    if (keeps_) drop_old_lines();
    return lines_ < lines_max_;
  }
  [[nodiscard]] bool wants_lines() const { return lines_ < lines_max_; }

  // Hands everything on. What comes afterwards is passed on, whether or not only the last lines were wanted.
  void flush();

  [[nodiscard]] uint64_t lines() const { return lines_; }

 private:
  void drop_old_lines();

  ByteSink& sink_;
  std::function<void(Bytes)> drain_;
  ByteBuffer out_;
  uint64_t lines_ = 0;
  uint64_t lines_max_;
  bool keeps_;
  uint64_t kept_max_;
  ByteBuffer kept_;
  ByteBuffer spare_;         // to move the wanted lines to
  std::deque<size_t> ends_;  // in kept_, of the lines that may be wanted
  size_t begin_ = 0;         // in kept_, of the first of them
};

}  // namespace persist
