// Values put away in a file without a name, to be read back in any order.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>

#include "base/byte_buffer.hpp"
#include "io/unnamed_file.hpp"
#include "persist/element.hpp"
#include "persist/encoding.hpp"
#include "types/value.hpp"

namespace persist {

// What is kept of a value besides its elements.
struct SpooledHead {
  ValueType type{};
  int64_t expire_at_ms = kNoExpiry;
  std::optional<uint64_t> idle_s;
  std::optional<uint8_t> freq;
  bool operator==(const SpooledHead&) const = default;
};

// Appends a value, of the type that the head says, as bytes that only read_spooled() understands.
void append_spooled(ByteBuffer& out, const SpooledHead& head, const Value& value);
// Into `value`, whose Bytes are its own. Throws std::system_error if the bytes are not all that
// append_spooled() has appended.
SpooledHead read_spooled(Bytes bytes, Value& value);

// The file, in $TMPDIR or /tmp, and what is on its way there.
class ValueSpool {
 public:
  ValueSpool() = default;
  ValueSpool(const ValueSpool&) = delete;
  ValueSpool& operator=(const ValueSpool&) = delete;

  // Where it went. By any number of threads, one after the other. Throws std::system_error, and then no more
  // may be appended.
  uint64_t append(Bytes bytes);
  // What was appended there, as a view into `room`, which is emptied first. By any number of threads, also
  // while another one appends. Throws std::system_error.
  Bytes read(uint64_t place, ByteBuffer& room) const;
  // Of all that was appended, with the lengths in front.
  [[nodiscard]] uint64_t size() const;
  // Forgets all of it. Nobody may be reading.
  void clear();

 private:
  void write_out();
  void read_written(uint64_t place, uint64_t up_to, ByteBuffer& room) const;
  void read_on(uint64_t place, size_t size, ByteBuffer& room) const;

  mutable std::mutex mutex_;  // reading what was written needs none
  UnnamedFile file_;
  ByteBuffer unwritten_;  // what comes behind what is in the file
};

}  // namespace persist
