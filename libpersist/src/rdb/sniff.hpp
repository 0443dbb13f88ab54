// A first look at a place: whether a chain of records may begin there. Reads lengths and the heads of strings
// only, throws nothing, takes no memory; what it lets pass is to be decoded in earnest. Of random bytes, it
// lets about one place in seventy thousand pass.
#pragma once

#include <array>
#include <cstdint>

#include "persist/bytes.hpp"
#include "persist/encoding.hpp"
#include "rdb/evidence.hpp"

namespace persist {

// What a value says for itself that is known to decode; `bytes`: as many of its `size` bytes as are at hand.
[[nodiscard]] Evidence weigh_value(const Encoding& encoding, Bytes bytes, uint64_t size);

class HeadWalk;

class Sniffer {
 public:
  // `version`: what is newer begins no chain; 0 if it is not known. `end_bytes`: how many the EOF opcode and
  // what belongs to it take. `followed`: commands may follow these.
  Sniffer(Dialect dialect, uint32_t version, uint64_t end_bytes, bool followed);

  // Whether a record may begin with these two bytes.
  [[nodiscard]] bool may_begin(char first, char second) const {
    const Code& code = codes_[static_cast<uint8_t>(first)];
    if (code.layout == nullptr) [[likely]]
      return false;
    return !code.is_entry || begins_string_[static_cast<uint8_t>(second)];
  }

  // `bytes`: from the place on, as far as they are at hand. `left`: how many there are up to the end.
  [[nodiscard]] bool promising(Bytes bytes, uint64_t left) const;

 private:
  struct Code {
    const char* layout = nullptr;  // of what follows, by the letters of sniff.cpp
    bool is_entry = false;
    bool is_prefix = false;
  };
  enum class Look : uint8_t { no, record, end };

  [[nodiscard]] Look look_at(HeadWalk& walk, Bytes& key) const;
  [[nodiscard]] bool is_good_end(const HeadWalk& walk) const;

  std::array<Code, 256> codes_{};
  std::array<bool, 256> begins_string_{};
  uint64_t end_bytes_;
  bool followed_;
};

}  // namespace persist
