// Commands in memory: `*count`, then `$length` and that many bytes for each argument. persist-aof(5),
// COMMANDS
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "persist/bytes.hpp"

namespace persist {

// The arguments of one command, the name first. Room is kept from command to command.
class ArgumentList {
 public:
  void clear() { size_ = 0; }
  void push(Bytes argument) {
    if (size_ == capacity_) [[unlikely]]
      grow();
    room_[size_++] = argument;
  }
  [[nodiscard]] std::span<const Bytes> all() const { return {room_.get(), size_}; }
  [[nodiscard]] size_t size() const { return size_; }

 private:
  void grow();
  std::unique_ptr<Bytes[]> room_;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

enum class Framing : uint8_t {
  whole,
  more,      // the bytes at hand are not enough
  malformed  // not framed as servers write it
};

struct FramedCommand {
  Framing framing = Framing::malformed;
  const char* end = nullptr;  // of a whole one
  uint64_t needed = 0;        // for more: at least so many bytes from the beginning on
};

// The command that begins at `at`, framed exactly as servers write it: the fast way. Nothing is reserved for
// an argument that is not there.
FramedCommand parse_command(const char* at, const char* end, ArgumentList& args);

// The digits at the beginning of `text`, as a number that stops growing at 2^63. Returns how many there are.
size_t parse_digits(Bytes text, uint64_t& number);

}  // namespace persist
