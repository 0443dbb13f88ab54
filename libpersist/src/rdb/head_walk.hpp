// Moves over the parts of a record by their heads: lengths, first bytes of strings and containers. Throws
// nothing and takes no memory. What it moves over is told in letters:
//
//   s  string                 z  ziplist          l  length              1  one byte
//   d  score as text          p  listpack         c  database number     T  expiry in milliseconds
//   D  score, eight bytes     i  intset           r  RESIZEDB hint       t  expiry in seconds
//   e  expiry of a field      m  zipmap           S  slot info           M  module id
//   E  smallest of these      n  quicklist2 node  u  AUX name            x  module aux opcode and time
//   k  key of a stream node   A  array            f  code of a library   a  annotated values
//   K  key metadata           G  count of groups or producers            y  library of a release candidate
//   *(...)  a count and as many, at least one     ?(...)  the same, or none
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "base/endian.hpp"
#include "persist/bytes.hpp"

namespace persist {

// Moves over bytes by what their heads say. Once they lead out of sight, or farther than one looks, it is
// blind: everything more is taken for granted, and nothing counted.
class HeadWalk {
 public:
  // Of all strings of a value, and of the heads of its elements.
  static constexpr unsigned kTextBitsMax = 32;
  static constexpr unsigned kHeadBitsMax = 16;
  static constexpr unsigned kValueBitsMax = 48;

  // `bytes`: those at hand of `left`. `elements`: how many of each value to look at. `sound`: whether it is
  // known that all of it decodes.
  HeadWalk(Bytes bytes, uint64_t left, uint64_t elements, bool sound)
      : data_(bytes.data()),
        size_(std::min<uint64_t>(bytes.size(), left)),
        left_(left),
        elements_(elements),
        sound_(sound) {}

  [[nodiscard]] uint64_t at() const { return at_; }
  [[nodiscard]] uint64_t left() const { return left_ - at_; }
  [[nodiscard]] bool blind() const { return blind_; }
  [[nodiscard]] unsigned bits() {
    weigh_texts();
    return std::min(bits_ + std::min(text_, kTextBitsMax) + std::min(heads_, kHeadBitsMax), kValueBitsMax);
  }
  // All that was counted, in proportion to the elements there are.
  [[nodiscard]] uint64_t weight() {
    weigh_texts();
    const uint64_t seen = uint64_t{bits_} + text_ + heads_;
    return count_ > elements_ ? seen * (count_ / elements_) : seen;
  }
  void start_counting() {
    bits_ = text_ = heads_ = 0;
    texts_ = 0;
    counting_ = false;
  }
  // Parts looked at so far.
  [[nodiscard]] unsigned parts() const { return parts_; }
  [[nodiscard]] Bytes seen(uint64_t from) const { return seen(from, at_); }
  [[nodiscard]] Bytes seen(uint64_t from, uint64_t to) const {
    return {data_ + std::min(from, size_), static_cast<size_t>(std::min(to, size_) - std::min(from, size_))};
  }

  uint8_t u8() {
    if (at_ < size_) return static_cast<uint8_t>(data_[at_++]);
    blind_ = true;
    return 0;
  }

  // Each says whether what stands here may be that.
  bool follows(const char* layout);
  bool string();

 private:
  bool item(char letter);
  bool counted(const char* layout, bool may_be_none);
  bool length(uint64_t& value) { return length_after(u8(), value); }
  bool length_after(uint8_t first, uint64_t& value);
  bool skip(uint64_t bytes) {
    if (bytes > left_ - at_) return false;
    at_ += bytes;
    return true;
  }
  template <typename T>
  T number();
  bool plain(uint64_t bytes, uint64_t head);
  void weigh_texts();
  bool packed(uint64_t& size, Bytes& literals);
  bool blob(char letter);
  bool blob_head(char letter, Bytes head, uint64_t size);
  bool score_text();
  bool stamp(bool in_ms);
  bool field_expiry(char letter);
  bool lengths(char letter);
  bool node_key();
  bool container();
  bool aux_name();
  bool library();
  bool early_library();
  bool array();
  bool annotated();
  bool metadata();

  // A string that was moved over, whose bytes are looked at once it is known that all around it reads well.
  struct Text {
    uint64_t head;
    uint64_t begin;
    uint64_t bytes;
    bool is_element;
  };
  static constexpr unsigned kTextsAtOnce = 16;

  const char* data_;
  uint64_t size_;       // at hand
  uint64_t left_;       // in all
  uint64_t elements_;   // to look at
  uint64_t count_ = 0;  // that there are
  uint64_t at_ = 0;
  unsigned bits_ = 0;
  unsigned text_ = 0;
  unsigned heads_ = 0;
  unsigned texts_ = 0;
  std::array<Text, kTextsAtOnce> unweighed_;
  unsigned parts_ = 0;
  bool counting_ = false;  // elements, not parts of a record
  bool sound_;             // known to decode
  bool blind_ = false;
};

}  // namespace persist
