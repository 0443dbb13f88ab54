// Escaping sixteen bytes at a time. Most strings have nothing to escape: they are copied while they are
// looked at.
#include "text/json_string.hpp"

#include <simdjson.h>

#include <array>
#include <cmath>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace persist {

namespace {

constexpr size_t kBlock = 16;
constexpr size_t kEscapeMax = 6;  // \u001f

// What each byte becomes: up to six characters and their number, so that one store of eight does for any
// byte.
struct JsonEscape {
  std::array<char, 7> text;
  uint8_t size;
};

constexpr std::array<JsonEscape, 256> make_json_escapes() {
  constexpr char kDigits[] = "0123456789abcdef";
  std::array<JsonEscape, 256> escapes{};
  for (size_t c = 0; c < escapes.size(); ++c) {
    escapes[c] = {{static_cast<char>(c)}, 1};
    if (c < 0x20) escapes[c] = {{'\\', 'u', '0', '0', kDigits[c >> 4], kDigits[c & 15]}, 6};
  }
  constexpr std::array<std::array<char, 2>, 7> kShort = {
      {{'"', '"'}, {'\\', '\\'}, {'\b', 'b'}, {'\f', 'f'}, {'\n', 'n'}, {'\r', 'r'}, {'\t', 't'}}};
  for (const auto& [c, letter] : kShort) escapes[static_cast<uint8_t>(c)] = {{'\\', letter}, 2};
  return escapes;
}
constexpr std::array<JsonEscape, 256> kJsonEscapes = make_json_escapes();

char* put_escaped(char* to, char c) {
  const JsonEscape& escape = kJsonEscapes[static_cast<uint8_t>(c)];
  std::memcpy(to, &escape, sizeof escape);
  return to + escape.size;
}

// Which bytes of a block need an escape, and which are not ASCII; a bit each.
struct Block {
  uint32_t special;
  uint32_t high;
};

#ifdef __SSE2__

Block classify(__m128i bytes) {
  const __m128i quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
  const __m128i backslash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
  const __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes);
  return {static_cast<uint32_t>(_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quote, backslash), control))),
          static_cast<uint32_t>(_mm_movemask_epi8(bytes))};
}

// Looks at a block while copying it.
Block copy_block(char* to, const char* from) {
  __m128i bytes;
  std::memcpy(&bytes, from, kBlock);
  std::memcpy(to, &bytes, kBlock);
  return classify(bytes);
}

// Up to eight bytes as a number, the first lowest; as many loads for any size.
uint64_t load_few(const char* from, size_t size) {
  if (size >= 4) {
    uint32_t first = 0;
    uint32_t last = 0;
    std::memcpy(&first, from, 4);
    std::memcpy(&last, from + size - 4, 4);
    return first | (uint64_t{last} << (8 * (size - 4)));
  }
  const auto byte = [&](size_t i) { return uint64_t{static_cast<uint8_t>(from[i])} << (8 * i); };
  return byte(0) | byte(size / 2) | byte(size - 1);
}

// The same for fewer bytes than a block, but at least one; nothing behind them is looked at.
Block copy_rest(char* to, const char* from, size_t size) {
  uint64_t low = 0;
  uint64_t high = 0;
  if (size > 8) {
    std::memcpy(&low, from, 8);
    high = load_few(from + 8, size - 8);
  } else {
    low = load_few(from, size);
  }
  const __m128i bytes = _mm_set_epi64x(static_cast<int64_t>(high), static_cast<int64_t>(low));
  std::memcpy(to, &bytes, kBlock);
  Block block = classify(bytes);
  block.special &= (1U << size) - 1;  // the zeros behind look like control characters
  return block;
}

#else

Block copy_block(char* to, const char* from) {
  Block block{};
  for (size_t i = 0; i < kBlock; ++i) {
    const auto c = static_cast<uint8_t>(from[i]);
    to[i] = from[i];
    block.special |= static_cast<uint32_t>(kJsonEscapes[c].size > 1) << i;
    block.high |= static_cast<uint32_t>(c >> 7) << i;
  }
  return block;
}

Block copy_rest(char* to, const char* from, size_t size) {
  std::array<char, kBlock> padded;
  padded.fill(' ');
  std::memcpy(padded.data(), from, size);
  return copy_block(to, padded.data());
}

#endif

// Puts `size` <= kBlock bytes, all of which stand at `to` already. If any needs an escape, all go through the
// table: that is one store a byte and no branch, cheaper than finding out which ones.
char* put_block(char* to, const char* from, size_t size, uint32_t special) {
  if (special == 0) return to + size;
  for (size_t i = 0; i < size; ++i) to = put_escaped(to, from[i]);
  return to;
}

// How much of a string is put before asking for more room: six times as much may come of it.
constexpr size_t kStretch = size_t{32} << 10;

// The room that put_stretch() needs.
size_t room_for(size_t size) { return size * kEscapeMax + kBlock + sizeof(JsonEscape); }

struct Put {
  char* to;
  const char* stopped_at;
};

// Puts text, at most kStretch bytes. Stops before the first block with a byte that is not ASCII unless told
// that the bytes are known to be UTF-8.
Put put_stretch(char* to, Bytes text, bool known_utf8) {
  const char* from = text.data();
  const char* const end = from + text.size();
  while (static_cast<size_t>(end - from) >= kBlock) {
    const Block block = copy_block(to, from);
    if (block.high != 0 && !known_utf8) return {to, from};
    to = put_block(to, from, kBlock, block.special);
    from += kBlock;
  }
  if (from == end) return {to, end};
  const auto rest = static_cast<size_t>(end - from);
  const Block block = copy_rest(to, from, rest);
  if (block.high != 0 && !known_utf8) return {to, from};
  return {put_block(to, from, rest, block.special), end};
}

// Two characters for each twelve bits.
using Base64Pairs = std::array<std::array<char, 2>, 4096>;
constexpr char kBase64Alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr Base64Pairs make_base64_pairs() {
  Base64Pairs pairs{};
  for (size_t bits = 0; bits < pairs.size(); ++bits) {
    pairs[bits] = {kBase64Alphabet[bits >> 6], kBase64Alphabet[bits & 63]};
  }
  return pairs;
}
constexpr Base64Pairs kBase64Pairs = make_base64_pairs();

char* put_base64(char* to, Bytes bytes) {
  const auto byte = [&](size_t i) { return static_cast<uint32_t>(static_cast<uint8_t>(bytes[i])); };
  size_t i = 0;
  for (; i + 3 <= bytes.size(); i += 3) {
    const uint32_t bits = (byte(i) << 16) | (byte(i + 1) << 8) | byte(i + 2);
    std::memcpy(to, kBase64Pairs[bits >> 12].data(), 2);
    std::memcpy(to + 2, kBase64Pairs[bits & 0xfff].data(), 2);
    to += 4;
  }
  const size_t left = bytes.size() - i;
  if (left == 0) return to;
  const uint32_t bits = (byte(i) << 16) | (left == 2 ? byte(i + 1) << 8 : 0);
  std::memcpy(to, kBase64Pairs[bits >> 12].data(), 2);
  to[2] = left == 2 ? kBase64Alphabet[(bits >> 6) & 63] : '=';
  to[3] = '=';
  return to + 4;
}

}  // namespace

namespace {

// Text too long to be taken back: whether it is UTF-8 is found out first.
bool append_long_text(ByteBuffer& out, Bytes bytes) {
  if (!is_json_text(bytes)) return false;
  out.append('"');
  put_json_text(out, bytes);
  out.append('"');
  return true;
}

}  // namespace

bool append_json_text(ByteBuffer& out, Bytes bytes) {
  if (bytes.size() > kStretch) return append_long_text(out, bytes);
  char* const begin = out.room(room_for(bytes.size()) + 2);
  *begin = '"';
  Put put = put_stretch(begin + 1, bytes, false);
  const Bytes rest = bytes.substr(static_cast<size_t>(put.stopped_at - bytes.data()));
  if (!rest.empty()) {
    if (!is_json_text(rest)) return false;
    put = put_stretch(put.to, rest, true);
  }
  *put.to = '"';
  out.advance(put.to + 1);
  return true;
}

bool is_json_text(Bytes bytes) { return simdjson::validate_utf8(bytes.data(), bytes.size()); }

void put_json_text(ByteBuffer& out, Bytes text) {
  for (size_t done = 0; done < text.size(); done += kStretch) {
    const Bytes stretch = text.substr(done, kStretch);
    out.advance(put_stretch(out.room(room_for(stretch.size())), stretch, true).to);
  }
}

void put_json_base64(ByteBuffer& out, Bytes bytes) {
  constexpr size_t kStretch3 = kStretch / 3 * 3;  // whole groups of three
  for (size_t done = 0; done < bytes.size(); done += kStretch3) {
    const Bytes stretch = bytes.substr(done, kStretch3);
    out.advance(put_base64(out.room((stretch.size() + 2) / 3 * 4), stretch));
  }
}

void append_json_base64(ByteBuffer& out, Bytes bytes) {
  out.append(R"({"$base64":")");
  put_json_base64(out, bytes);
  out.append(R"("})");
}

void append_json_string(ByteBuffer& out, Bytes bytes) {
  if (!append_json_text(out, bytes)) append_json_base64(out, bytes);
}

void append_json_double(ByteBuffer& out, double value) {
  constexpr size_t kLongest = 32;
  if (!std::isfinite(value)) {
    out.append(std::isnan(value) ? Bytes(R"("nan")") : value > 0 ? Bytes(R"("inf")") : Bytes(R"("-inf")"));
  } else if (value == 0 && std::signbit(value)) {
    out.append("-0.0");  // as an integer it would lose its sign
  } else {
    char* to = out.room(kLongest);
    out.advance(std::to_chars(to, to + kLongest, value).ptr);
  }
}

}  // namespace persist
