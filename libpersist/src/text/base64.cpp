// Four characters at a time, each looked up as its six bits.
#include "text/base64.hpp"

#include <array>
#include <cstdint>

namespace persist {

namespace {

constexpr uint32_t kNoSextet = 0xff'00'00'00;  // above all that four of them give

constexpr std::array<uint32_t, 256> make_sextets() {
  constexpr Bytes kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::array<uint32_t, 256> sextets{};
  sextets.fill(kNoSextet);
  for (uint32_t i = 0; i < kAlphabet.size(); ++i) sextets[static_cast<uint8_t>(kAlphabet[i])] = i;
  return sextets;
}
constexpr std::array<uint32_t, 256> kSextets = make_sextets();

uint32_t sextet(char c) { return kSextets[static_cast<uint8_t>(c)]; }

}  // namespace

std::optional<size_t> decode_base64(Bytes text, char* room) {
  if (text.empty()) return 0;
  if (text.size() % 4 != 0) return std::nullopt;
  const size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  const char* from = text.data();
  const char* const last = from + text.size() - 4;
  char* to = room;
  for (; from != last; from += 4, to += 3) {
    const uint32_t bits =
        sextet(from[0]) << 18 | sextet(from[1]) << 12 | sextet(from[2]) << 6 | sextet(from[3]);
    if (((sextet(from[0]) | sextet(from[1]) | sextet(from[2]) | sextet(from[3])) & kNoSextet) != 0)
      return std::nullopt;
    to[0] = static_cast<char>(bits >> 16);
    to[1] = static_cast<char>(bits >> 8);
    to[2] = static_cast<char>(bits);
  }
  uint32_t bits = 0;
  for (size_t i = 0; i < 4; ++i) {
    const uint32_t more = i < 4 - padding ? sextet(last[i]) : 0;
    if ((more & kNoSextet) != 0) return std::nullopt;
    bits = bits << 6 | more;
  }
  const uint32_t spare = padding == 2 ? 0xffff : padding == 1 ? 0xff : 0;
  if ((bits & spare) != 0) return std::nullopt;
  for (size_t i = 0; i < 3 - padding; ++i) *to++ = static_cast<char>(bits >> (16 - 8 * i));
  return static_cast<size_t>(to - room);
}

}  // namespace persist
