// A string in eight bytes, as items of lists and members of sets are kept. The two low bits tell the kind:
//
//   0  block    pointer to a varint length and the bytes, in the pool; the upper 16 bits are free for a tag
//   1  short    up to seven bytes in the word itself, their number in bits 2 to 4
//   2  integer  the text is that of an integer; it stands in the upper 62 bits
//
// Every text has exactly one kind, so that equal words of the latter two are equal texts and unequal ones
// are not. No word is 0.
#pragma once

#include <cstdint>
#include <cstring>

#include "base/decimal.hpp"
#include "base/endian.hpp"
#include "engine/pool.hpp"
#include "persist/bytes.hpp"

namespace persist {

using Word = uint64_t;

inline constexpr Word kWordKind = 3;
inline constexpr Word kWordBlock = 0;
inline constexpr Word kWordShort = 1;
inline constexpr Word kWordInteger = 2;
inline constexpr Word kWordTag = Word{0xffff} << 48;

// Where a word's text is put together if it has no bytes of its own.
struct CellRoom {
  char bytes[kDecimalMax + 4];
};

// --- Lengths in blocks: seven bits a byte, the lowest first
inline size_t varint_bytes(uint64_t value) {
  size_t bytes = 1;
  for (; value >= 0x80; value >>= 7) ++bytes;
  return bytes;
}
inline char* put_varint(char* at, uint64_t value) {
  for (; value >= 0x80; value >>= 7) *at++ = static_cast<char>(value | 0x80);
  *at++ = static_cast<char>(value);
  return at;
}
inline const char* get_varint(const char* at, uint64_t& value) {
  value = static_cast<uint8_t>(*at++);
  if (value < 0x80) [[likely]]
    return at;
  value &= 0x7f;
  for (unsigned shift = 7;; shift += 7) {
    const auto byte = static_cast<uint8_t>(*at++);
    value |= uint64_t{byte & 0x7fU} << shift;
    if (byte < 0x80) return at;
  }
}

inline char* word_block(Word word) {
  return reinterpret_cast<char*>(word & ~kWordTag);  // NOLINT(performance-no-int-to-ptr): that is the point
}
inline Word block_word(const char* block, uint64_t hash) {
  return reinterpret_cast<uintptr_t>(block) | (hash & kWordTag);
}

// The word of a text that needs no block, or 0.
Word immediate_word(Bytes text);
Word integer_word(int64_t number);  // likewise: 0 if it takes more than 62 bits

// A word of its own for the text. `hash` gives the tag of a block.
inline Word make_word(Pool& pool, Bytes text, uint64_t hash = 0) {
  if (const Word word = immediate_word(text)) return word;
  char* block = pool.take(varint_bytes(text.size()) + text.size());
  copy_bytes(put_varint(block, text.size()), text);
  return block_word(block, hash);
}

inline Bytes block_text(const char* block) {
  uint64_t size = 0;
  const char* text = get_varint(block, size);
  return {text, static_cast<size_t>(size)};
}

Bytes immediate_text(Word word, CellRoom& room);

// Valid for as long as both the word's block and the room are.
inline Bytes word_text(Word word, CellRoom& room) {
  if ((word & kWordKind) == kWordBlock) [[likely]]
    return block_text(word_block(word));
  return immediate_text(word, room);
}

// A text that words are compared with.
class SoughtText {
 public:
  explicit SoughtText(Bytes text) : text_(text), immediate_(immediate_word(text)) {}
  [[nodiscard]] bool is_in(Word word) const {
    if (immediate_ != 0) return word == immediate_;
    return (word & kWordKind) == kWordBlock && block_text(word_block(word)) == text_;
  }

 private:
  Bytes text_;
  Word immediate_;
};

inline void free_word(Pool& pool, Word word) {
  if ((word & kWordKind) != kWordBlock) return;
  char* block = word_block(word);
  const Bytes text = block_text(block);
  pool.give(block, static_cast<size_t>(text.data() + text.size() - block));
}

}  // namespace persist
