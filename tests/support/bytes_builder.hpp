// The smallest pieces that files are built of: numbers, lengths, strings, LZF, hexadecimal text.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>

#include "persist/bytes.hpp"

namespace persist::test {

// Hexadecimal text to bytes. Blanks separate as one likes; a `;` begins a comment up to the end of the line.
[[nodiscard]] std::string unhex(Bytes text);
[[nodiscard]] std::string hex(Bytes bytes);

template <std::integral T>
[[nodiscard]] std::string le(T value) {
  std::string bytes;
  for (size_t i = 0; i < sizeof(T); ++i)
    bytes.push_back(static_cast<char>(static_cast<uint64_t>(value) >> (8 * i)));
  return bytes;
}

template <std::integral T>
[[nodiscard]] std::string be(T value) {
  const std::string little = le(value);
  return {little.rbegin(), little.rend()};
}

[[nodiscard]] std::string le(double value);

// LEN in its shortest form, and in the nine-byte form.
[[nodiscard]] std::string length(uint64_t value);
[[nodiscard]] std::string long_length(uint64_t value);

// STR: plain; as an integer of the given width; compressed.
[[nodiscard]] std::string plain_string(Bytes text);
[[nodiscard]] std::string integer_string(int64_t value);
[[nodiscard]] std::string lzf_string(Bytes text);

// LZF streams: of literals alone, and with references wherever bytes repeat.
[[nodiscard]] std::string lzf_literals(Bytes text);
[[nodiscard]] std::string lzf_compress(Bytes text);
// One item of a stream: a reference that copies `size` (3 to 264) bytes from `distance` (1 to 8192) back.
[[nodiscard]] std::string lzf_reference(size_t distance, size_t size);

// `count` bytes that no compressor can do much about, the same ones for the same seed.
[[nodiscard]] std::string noise(size_t count, uint32_t seed = 1);

}  // namespace persist::test
