// Walks bytes in the order of the format. Every read names what it reads, so that the error message is free;
// fail() is the only place that throws. Works over fixed bytes, or over a source, whose windows it then
// pulls.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/crc64.hpp"
#include "base/endian.hpp"
#include "io/scratch.hpp"
#include "persist/bytes.hpp"
#include "persist/finding.hpp"
#include "persist/source.hpp"

namespace persist {

// Whether somebody will look at strings that decoders need not understand themselves (string values, list
// items, hash values). If not, compressed ones are validated without being inflated and come out empty.
enum class Payloads : uint8_t { wanted, validated };

class Cursor {
 public:
  // Over fixed bytes that begin at `offset` of the file. `behind`: how many follow in the file that are not
  // to be read, but that lengths may count on; absent if that is not known.
  Cursor(Bytes bytes, uint64_t offset, Scratch& scratch, std::optional<uint64_t> behind = 0);

  // Over a source, from `offset` on. With `checksum`, all bytes passed are counted into it.
  Cursor(ByteSource& source, uint64_t offset, Scratch& scratch, Checksum* checksum = nullptr);

  [[nodiscard]] uint64_t offset() const { return end_offset_ - static_cast<uint64_t>(end_ - at_); }
  [[nodiscard]] Scratch& scratch() const { return *scratch_; }

  // What is left in all, if it is known.
  [[nodiscard]] std::optional<uint64_t> remaining() const;
  [[nodiscard]] bool at_end() { return at_ == end_ && !pull(1); }

  uint8_t u8(const char* noun) {
    need(1, noun);
    return static_cast<uint8_t>(*at_++);
  }
  template <typename T>
  T le(const char* noun) {
    need(sizeof(T), noun);
    const T value = load_le<T>(at_);
    at_ += sizeof(T);
    return value;
  }
  template <typename T>
  T be(const char* noun) {
    need(sizeof(T), noun);
    const T value = load_be<T>(at_);
    at_ += sizeof(T);
    return value;
  }
  // Views: valid until release(), or for as long as the fixed bytes are.
  Bytes take(uint64_t size, const char* noun) {
    need(size, noun);
    const Bytes taken(at_, static_cast<size_t>(size));
    at_ += size;
    return taken;
  }
  // Up to `most` bytes, at least one: what is at hand. Unlike take(), needs no room for them all.
  Bytes take_some(uint64_t most, const char* noun);
  void skip(uint64_t size, const char* noun) {
    if (static_cast<uint64_t>(end_ - at_) >= size) [[likely]] {
      at_ += size;
    } else {
      skip_windows(size, noun);
    }
  }

  // LEN of man/persist-rdb.5, LENGTH. The forms that introduce a special string are refused.
  uint64_t length(const char* noun) { return length_after(u8(noun), noun); }
  // The length that began with `first`.
  uint64_t length_after(uint8_t first, const char* noun) {
    if (first < 0x40) [[likely]]
      return first;
    if (first < 0x80) return (static_cast<uint64_t>(first & 0x3f) << 8) | u8(noun);
    return long_length(first, noun);
  }

  // A count of things of at least `bytes_each` bytes. One that the rest of the file cannot hold is refused at
  // once.
  uint64_t count(const char* noun, uint64_t bytes_each = 1);

  // A new record begins here: until the next one, one may seek() back to here and to what follows.
  void begin_record() {
    record_offset_ = offset();
    pinned_ = 0;
    if (!held_.empty()) held_.clear();
  }
  [[nodiscard]] uint64_t record_offset() const { return record_offset_; }
  void seek(uint64_t offset);

  // Views taken so far outlive every release() up to the next record.
  void pin() { pinned_ = held_.size() + 1; }

  // Views taken since pin() are done with. Lets a record larger than a window pass through.
  void release() {
    if (held_.size() > pinned_) held_.resize(pinned_);
  }

  // Counts what was passed since the last window into the checksum, up to here.
  void settle_checksum();

  // Whether the next byte is at hand and below `limit`.
  [[nodiscard]] bool next_is_below(uint8_t limit) const {
    return at_ != end_ && static_cast<uint8_t>(*at_) < limit;
  }

  // The next `size` bytes without passing them; fewer only at the end.
  Bytes ahead(size_t size);

  // All bytes from `from` on, as far as they are at hand without reading: for showing a place.
  [[nodiscard]] Bytes around(uint64_t from, size_t size) const;

  [[noreturn]] void fail(FindingCode code, Extent where, std::string subject, std::string expected,
                         std::string found) const;

  // True once a 64-bit length was met: servers before 4.0 do not know them.
  [[nodiscard]] bool saw_long_length() const { return saw_long_length_; }

  // How many bytes the compressed strings that were passed stand for, as they state it.
  void count_inflated(uint64_t size) { inflated_ += std::min(size, kInflatedMax - inflated_); }
  [[nodiscard]] uint64_t inflated() const { return inflated_; }

  Payloads payloads = Payloads::wanted;

 private:
  void need(uint64_t size, const char* noun) {
    if (static_cast<uint64_t>(end_ - at_) < size) [[unlikely]]
      refill(size, noun);
  }
  [[nodiscard]] uint64_t begin_offset() const { return end_offset_ - static_cast<uint64_t>(end_ - begin_); }
  void refill(uint64_t size, const char* noun);
  void skip_windows(uint64_t size, const char* noun);
  bool pull(uint64_t size);
  uint64_t long_length(uint8_t first, const char* noun);
  [[noreturn]] void fail_short(uint64_t size, const char* noun);

  const char* at_ = nullptr;
  const char* end_ = nullptr;
  uint64_t end_offset_ = 0;
  Scratch* scratch_;
  const char* begin_ = nullptr;
  ByteSource* source_ = nullptr;
  std::optional<uint64_t> behind_;
  Checksum* checksum_ = nullptr;
  Window window_;
  std::vector<Window> held_;  // earlier windows that views may point into
  size_t pinned_ = 0;         // of held_, counting the current window once it is there
  uint64_t record_offset_ = 0;
  static constexpr uint64_t kInflatedMax = ~uint64_t{0};
  uint64_t inflated_ = 0;
  bool saw_long_length_ = false;
};

}  // namespace persist
