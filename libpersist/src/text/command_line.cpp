// Most arguments are plain words: whether they are is found out eight bytes at a time.
#include "text/command_line.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace persist {

namespace {

constexpr size_t kWord = sizeof(uint64_t);

constexpr uint64_t every_byte(uint8_t byte) { return 0x0101010101010101U * byte; }

// The high bit of each byte that is the given one, none of those above 0x7f; others may follow the first.
constexpr uint64_t is_byte(uint64_t word, char c) {
  const uint64_t different = word ^ every_byte(static_cast<uint8_t>(c));
  return ~((different & every_byte(0x7f)) + every_byte(0x7f));
}

// Whether any of eight bytes makes an argument need quotes.
constexpr bool has_odd_byte(uint64_t word) {
  constexpr uint8_t kAboveBlank = 0x80 - ('!');  // carries into the high bit for '!' and above
  const uint64_t low = word & every_byte(0x7f);
  const uint64_t blank_or_below = ~(low + every_byte(kAboveBlank));
  const uint64_t del = low + every_byte(1);
  const uint64_t special = is_byte(word, '"') | is_byte(word, '\'') | is_byte(word, '\\');
  return ((word | blank_or_below | del | special) & every_byte(0x80)) != 0;
}

uint64_t load_word(const char* from) {
  uint64_t word = 0;
  std::memcpy(&word, from, kWord);
  return word;
}

// Fewer than eight bytes but at least one; all of them, some perhaps twice.
uint64_t load_part(const char* from, size_t size) {
  if (size >= 4) {
    uint32_t first = 0;
    uint32_t last = 0;
    std::memcpy(&first, from, 4);
    std::memcpy(&last, from + size - 4, 4);
    return first | (uint64_t{last} << 32);
  }
  const auto byte = [&](size_t i) { return uint64_t{static_cast<uint8_t>(from[i])}; };
  return (every_byte('x') << 24) | byte(0) | (byte(size / 2) << 8) | (byte(size - 1) << 16);
}

bool is_plain(Bytes argument) {
  if (argument.empty()) return false;
  if (argument.size() < kWord) return !has_odd_byte(load_part(argument.data(), argument.size()));
  const char* const last = argument.data() + argument.size() - kWord;
  for (const char* from = argument.data(); from < last; from += kWord) {
    if (has_odd_byte(load_word(from))) return false;
  }
  return !has_odd_byte(load_word(last));
}

// What each byte becomes: up to four characters and their number, so that one store of four does for any.
struct ArgumentEscape {
  std::array<char, 4> text;
  uint8_t size;
};

constexpr std::array<ArgumentEscape, 256> make_argument_escapes() {
  constexpr char kDigits[] = "0123456789abcdef";
  std::array<ArgumentEscape, 256> escapes{};
  for (size_t c = 0; c < escapes.size(); ++c) {
    const bool printable = c >= ' ' && c <= '~';
    escapes[c] = printable ? ArgumentEscape{{static_cast<char>(c)}, 1}
                           : ArgumentEscape{{'\\', 'x', kDigits[c >> 4], kDigits[c & 15]}, 4};
  }
  constexpr std::array<std::array<char, 2>, 7> kShort = {
      {{'\n', 'n'}, {'\r', 'r'}, {'\t', 't'}, {'\a', 'a'}, {'\b', 'b'}, {'"', '"'}, {'\\', '\\'}}};
  for (const auto& [c, letter] : kShort) escapes[static_cast<uint8_t>(c)] = {{'\\', letter}, 2};
  return escapes;
}
constexpr std::array<ArgumentEscape, 256> kArgumentEscapes = make_argument_escapes();

}  // namespace

void append_argument(ByteBuffer& out, Bytes argument) {
  if (is_plain(argument)) [[likely]]
    out.append(argument);
  else
    append_quoted(out, argument);
}

void append_quoted(ByteBuffer& out, Bytes bytes) {
  // As much as is put before asking for more room: four times as many characters may come of it.
  constexpr size_t kStretch = size_t{16} << 10;
  out.append('"');
  for (size_t done = 0; done < bytes.size(); done += kStretch) {
    const Bytes stretch = bytes.substr(done, kStretch);
    char* to = out.room(stretch.size() * sizeof(ArgumentEscape::text));
    for (const char c : stretch) {
      const ArgumentEscape& escape = kArgumentEscapes[static_cast<uint8_t>(c)];
      std::memcpy(to, escape.text.data(), escape.text.size());
      to += escape.size;
    }
    out.advance(to);
  }
  out.append('"');
}

}  // namespace persist
