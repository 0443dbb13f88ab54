// Numbers, lengths, strings and LZF streams as bytes.
#include "support/bytes_builder.hpp"

#include <algorithm>
#include <bit>
#include <map>
#include <random>
#include <stdexcept>

namespace persist::test {

namespace {

constexpr size_t kLiteralRunMax = 32;
constexpr size_t kReferenceMin = 3;
constexpr size_t kReferenceMax = 264;
constexpr size_t kDistanceMax = 8192;

int nibble(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::string unhex(Bytes text) {
  std::string bytes;
  int high = -1;
  bool comment = false;
  for (const char c : text) {
    comment = (comment && c != '\n') || c == ';';
    if (comment || c == ' ' || c == '\n') continue;
    const int value = nibble(c);
    if (value < 0) throw std::invalid_argument("not hexadecimal: " + std::string(text));
    if (high < 0) {
      high = value;
      continue;
    }
    bytes.push_back(static_cast<char>(high * 16 + value));
    high = -1;
  }
  if (high >= 0) throw std::invalid_argument("half a byte: " + std::string(text));
  return bytes;
}

std::string hex(Bytes bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const char c : bytes) {
    text.push_back(kDigits[static_cast<uint8_t>(c) >> 4]);
    text.push_back(kDigits[static_cast<uint8_t>(c) & 15]);
  }
  return text;
}

std::string le(double value) { return le(std::bit_cast<uint64_t>(value)); }

std::string length(uint64_t value) {
  if (value < 64) return {static_cast<char>(value)};
  if (value < 16384) return be(static_cast<uint16_t>(0x4000 | value));
  if (value <= UINT32_MAX) return "\x80" + be(static_cast<uint32_t>(value));
  return long_length(value);
}

std::string long_length(uint64_t value) { return "\x81" + be(value); }

std::string plain_string(Bytes text) { return length(text.size()) + std::string(text); }

std::string integer_string(int64_t value) {
  if (value >= INT8_MIN && value <= INT8_MAX) return "\xc0" + le(static_cast<int8_t>(value));
  if (value >= INT16_MIN && value <= INT16_MAX) return "\xc1" + le(static_cast<int16_t>(value));
  if (value >= INT32_MIN && value <= INT32_MAX) return "\xc2" + le(static_cast<int32_t>(value));
  throw std::invalid_argument("no integer string holds this");
}

std::string lzf_string(Bytes text) {
  const std::string packed = lzf_compress(text);
  return "\xc3" + length(packed.size()) + length(text.size()) + packed;
}

std::string lzf_literals(Bytes text) {
  std::string packed;
  for (size_t at = 0; at < text.size(); at += kLiteralRunMax) {
    const Bytes run = text.substr(at, kLiteralRunMax);
    packed.push_back(static_cast<char>(run.size() - 1));
    packed += run;
  }
  return packed;
}

std::string lzf_reference(size_t distance, size_t size) {
  const size_t stored = size - 2;
  const size_t back = distance - 1;
  std::string item;
  if (stored < 7) {
    item.push_back(static_cast<char>((stored << 5) | (back >> 8)));
  } else {
    item.push_back(static_cast<char>((7U << 5) | (back >> 8)));
    item.push_back(static_cast<char>(stored - 7));
  }
  item.push_back(static_cast<char>(back & 0xff));
  return item;
}

std::string lzf_compress(Bytes text) {
  std::string packed;
  std::string literals;
  std::map<Bytes, size_t> seen;  // the last place of each three bytes
  size_t at = 0;
  while (at < text.size()) {
    const Bytes group = text.substr(at, kReferenceMin);
    const auto before = group.size() == kReferenceMin ? seen.find(group) : seen.end();
    size_t same = 0;
    if (before != seen.end() && at - before->second <= kDistanceMax) {
      const size_t most = std::min(kReferenceMax, text.size() - at);
      while (same < most && text[before->second + same] == text[at + same]) ++same;
    }
    const size_t step = same >= kReferenceMin ? same : 1;
    if (step == 1) {
      literals.push_back(text[at]);
    } else {
      packed += lzf_literals(literals) + lzf_reference(at - before->second, same);
      literals.clear();
    }
    for (size_t i = at; i < at + step && i + kReferenceMin <= text.size(); ++i)
      seen[text.substr(i, kReferenceMin)] = i;
    at += step;
  }
  return packed + lzf_literals(literals);
}

std::string noise(size_t count, uint32_t seed) {
  std::mt19937 random(seed);
  std::string bytes(count, '\0');
  for (char& c : bytes) c = static_cast<char>(random());
  return bytes;
}

}  // namespace persist::test
