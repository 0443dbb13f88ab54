// Fields are gathered from and spread over at most nine bytes; whole strings are worked on in words of eight.
#include "engine/bit_field.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <limits>

#include "base/endian.hpp"
#include "base/letters.hpp"
#include "base/server_numbers.hpp"

namespace persist {

namespace {

// --- Fields -----------------------------------------------------------------------------------------------

uint64_t low_bits(uint32_t count) { return count == 64 ? ~uint64_t{0} : (uint64_t{1} << count) - 1; }

int64_t as_signed(uint64_t bits) { return std::bit_cast<int64_t>(bits); }

// What a field of that type holds when given these bits, the upper ones cut off.
int64_t cut_to(BitFieldType type, uint64_t bits) {
  bits &= low_bits(type.width);
  const bool negative = type.is_signed && (bits >> (type.width - 1)) != 0;
  return as_signed(negative ? bits | ~low_bits(type.width) : bits);
}

int64_t largest(BitFieldType type) {
  return as_signed(low_bits(type.is_signed ? type.width - 1 : type.width));
}

int64_t smallest(BitFieldType type) { return type.is_signed ? -largest(type) - 1 : 0; }

void write_bit_field(std::string& value, const BitField& field, int64_t to) {
  const auto bits = std::bit_cast<uint64_t>(to);
  for (uint32_t left = field.type.width; left > 0;) {
    // The byte that holds the lowest bit still to be written, and how many bits of it are the field's.
    const uint64_t end = field.offset + left;
    const size_t at = (end - 1) / 8;
    const auto in_byte = static_cast<uint32_t>((end - 1) % 8 + 1);
    const uint32_t count = std::min(left, in_byte);
    const uint32_t shift = 8 - in_byte;
    const uint64_t mask = low_bits(count) << shift;
    const uint64_t put = ((bits >> (field.type.width - left)) << shift) & mask;
    value[at] = static_cast<char>((static_cast<uint8_t>(value[at]) & ~mask) | put);
    left -= count;
  }
}

enum class Excess { none, above, below };

// The excess decides, not the number in `wrapped`.
std::optional<int64_t> settle(BitFieldType type, Excess excess, uint64_t wrapped, BitOverflow overflow) {
  if (excess == Excess::none || overflow == BitOverflow::wrap) return cut_to(type, wrapped);
  if (overflow == BitOverflow::fail) return std::nullopt;
  return excess == Excess::above ? largest(type) : smallest(type);
}

// SET finds numbers too large that are too small: a negative one for an unsigned field, whose bits it takes
// for a number, and for a signed field one so low that its difference to the largest overflows.
Excess excess_of_set(BitFieldType type, int64_t to) {
  int64_t room_above = 0;
  if (to > largest(type) || (!type.is_signed && to < 0)) return Excess::above;
  if (to >= smallest(type)) return Excess::none;
  return __builtin_sub_overflow(largest(type), to, &room_above) ? Excess::above : Excess::below;
}

Excess excess_of_sum(BitFieldType type, int64_t old, int64_t by) {
  int64_t sum = 0;
  if (__builtin_add_overflow(old, by, &sum)) return by > 0 ? Excess::above : Excess::below;
  if (sum > largest(type)) return Excess::above;
  return sum < smallest(type) ? Excess::below : Excess::none;
}

// --- Whole strings ----------------------------------------------------------------------------------------

constexpr size_t kWordBytes = sizeof(uint64_t);

uint64_t load_word(const char* from) {
  uint64_t word;
  std::memcpy(&word, from, kWordBytes);
  return word;
}

// Calls combine(to word, from word) -> word over the `size` bytes at both places.
template <typename Combine>
void combine_words(char* to, const char* from, size_t size, Combine combine) {
  size_t at = 0;
  for (; at + kWordBytes <= size; at += kWordBytes) {
    const uint64_t word = combine(load_word(to + at), load_word(from + at));
    std::memcpy(to + at, &word, kWordBytes);
  }
  for (; at < size; ++at) {
    const uint64_t byte = combine(static_cast<uint8_t>(to[at]), static_cast<uint8_t>(from[at]));
    to[at] = static_cast<char>(byte & 0xff);
  }
}

template <typename Combine>
void combine_into(std::string& to, Bytes from, Combine combine) {
  combine_words(to.data(), from.data(), from.size(), combine);
}

void and_into(std::string& to, Bytes from) {
  combine_into(to, from, [](uint64_t a, uint64_t b) { return a & b; });
  std::fill(to.begin() + static_cast<std::ptrdiff_t>(from.size()), to.end(), '\0');
}

void or_into(std::string& to, Bytes from) {
  combine_into(to, from, [](uint64_t a, uint64_t b) { return a | b; });
}

void xor_words_into(std::string& to, Bytes from) {
  combine_into(to, from, [](uint64_t a, uint64_t b) { return a ^ b; });
}

void take_from(std::string& to, Bytes from) {
  combine_into(to, from, [](uint64_t a, uint64_t b) { return a & ~b; });
}

std::string padded(Bytes source, size_t size) {
  std::string result(source);
  result.resize(size);
  return result;
}

// The bits of every source but the first, in `size` bytes.
std::string any_but_first(std::span<const Bytes> sources, size_t size) {
  std::string result(size, '\0');
  for (const Bytes source : sources.subspan(1)) or_into(result, source);
  return result;
}

std::string in_one(std::span<const Bytes> sources, size_t size) {
  std::string any(size, '\0');
  std::string several(size, '\0');
  std::string again;
  for (const Bytes source : sources) {
    again = any;
    and_into(again, source);
    or_into(several, again);
    or_into(any, source);
  }
  take_from(any, several);
  return any;
}

constexpr std::array<Bytes, 8> kOperationNames = {"and", "or", "xor", "not", "diff", "diff1", "andor", "one"};

// The bits [first, end) of a byte, as a mask.
uint8_t byte_mask(uint64_t first, uint64_t end) {
  return static_cast<uint8_t>((0xffU >> first) & (0xff00U >> end));
}

uint64_t count_in_bytes(Bytes bytes) {
  uint64_t count = 0;
  for (; bytes.size() >= kWordBytes; bytes.remove_prefix(kWordBytes))
    count += static_cast<uint64_t>(std::popcount(load_word(bytes.data())));
  for (const char byte : bytes) count += static_cast<uint64_t>(std::popcount(static_cast<uint8_t>(byte)));
  return count;
}

int64_t counted_from(int64_t at, uint64_t size) {
  return at < 0 ? std::max<int64_t>(as_signed(size) + at, 0) : at;
}

}  // namespace

// --- Texts ------------------------------------------------------------------------------------------------

std::optional<BitFieldType> parse_bit_field_type(Bytes text) {
  text = text.substr(0, text.find('\0'));
  if (text.empty() || (text[0] != 'i' && text[0] != 'u')) return std::nullopt;
  const bool is_signed = text[0] == 'i';
  const std::optional<int64_t> width = parse_server_integer(text.substr(1));
  if (!width || *width < 1 || *width > (is_signed ? 64 : 63)) return std::nullopt;
  return BitFieldType{static_cast<uint32_t>(*width), is_signed};
}

std::optional<uint64_t> parse_bit_offset(Bytes text) {
  const std::optional<int64_t> offset = parse_server_integer(text);
  if (!offset || *offset < 0) return std::nullopt;
  return static_cast<uint64_t>(*offset);
}

std::optional<uint64_t> parse_bit_field_offset(Bytes text, BitFieldType type) {
  if (!text.starts_with('#')) return parse_bit_offset(text);
  const std::optional<int64_t> fields = parse_server_integer(text.substr(1));
  if (!fields) return std::nullopt;
  // Servers let the product wrap around.
  const uint64_t offset = std::bit_cast<uint64_t>(*fields) * type.width;
  if (as_signed(offset) < 0) return std::nullopt;
  return offset;
}

std::optional<BitOverflow> parse_bit_overflow(Bytes text) {
  if (equals_ignoring_case(text, "wrap")) return BitOverflow::wrap;
  if (equals_ignoring_case(text, "sat")) return BitOverflow::saturate;
  if (equals_ignoring_case(text, "fail")) return BitOverflow::fail;
  return std::nullopt;
}

std::optional<BitOperation> parse_bit_operation(Bytes text) {
  for (size_t i = 0; i < kOperationNames.size(); ++i)
    if (equals_ignoring_case(text, kOperationNames[i])) return static_cast<BitOperation>(i);
  return std::nullopt;
}

// --- Fields -----------------------------------------------------------------------------------------------

void extend_with_zeros(std::string& value, uint64_t size_bytes) {
  if (value.size() < size_bytes) value.resize(size_bytes);
}

int64_t read_bit_field(Bytes value, const BitField& field) {
  uint64_t bits = 0;
  for (uint64_t at = field.offset; at < field.offset + field.type.width;) {
    const auto in_byte = static_cast<uint32_t>(at % 8);
    const auto count =
        static_cast<uint32_t>(std::min<uint64_t>(8 - in_byte, field.offset + field.type.width - at));
    const uint64_t byte = at / 8 < value.size() ? static_cast<uint8_t>(value[at / 8]) : 0;
    bits = (bits << count) | ((byte >> (8 - in_byte - count)) & low_bits(count));
    at += count;
  }
  return cut_to(field.type, bits);
}

std::optional<int64_t> set_bit_field(std::string& value, const BitField& field, int64_t to,
                                     BitOverflow overflow) {
  extend_with_zeros(value, field.bytes_needed());
  const std::optional<int64_t> settled =
      settle(field.type, excess_of_set(field.type, to), std::bit_cast<uint64_t>(to), overflow);
  if (!settled) return std::nullopt;
  const int64_t old = read_bit_field(value, field);
  write_bit_field(value, field, *settled);
  return old;
}

std::optional<int64_t> increment_bit_field(std::string& value, const BitField& field, int64_t by,
                                           BitOverflow overflow) {
  extend_with_zeros(value, field.bytes_needed());
  const int64_t old = read_bit_field(value, field);
  const uint64_t wrapped = std::bit_cast<uint64_t>(old) + std::bit_cast<uint64_t>(by);
  const std::optional<int64_t> settled =
      settle(field.type, excess_of_sum(field.type, old, by), wrapped, overflow);
  if (settled) write_bit_field(value, field, *settled);
  return settled;
}

bool read_bit(Bytes value, uint64_t offset) { return read_bit_field(value, {{1, false}, offset}) != 0; }

bool write_bit(std::string& value, uint64_t offset, bool bit) {
  return set_bit_field(value, {{1, false}, offset}, bit ? 1 : 0, BitOverflow::wrap) == 1;
}

// --- Whole strings ----------------------------------------------------------------------------------------

size_t sources_min(BitOperation operation) {
  const bool tells_first =
      operation == BitOperation::diff || operation == BitOperation::diff1 || operation == BitOperation::andor;
  return tells_first ? 2 : 1;
}

std::string apply_bit_operation(BitOperation operation, std::span<const Bytes> sources) {
  size_t size = 0;
  for (const Bytes source : sources) size = std::max(size, source.size());
  switch (operation) {
    case BitOperation::diff1: {
      std::string result = any_but_first(sources, size);
      take_from(result, sources.front());
      return result;
    }
    case BitOperation::andor: {
      std::string result = any_but_first(sources, size);
      and_into(result, sources.front());
      return result;
    }
    case BitOperation::one:
      return in_one(sources, size);
    default:
      break;
  }
  std::string result = padded(sources.front(), size);
  if (operation == BitOperation::bit_not)
    combine_into(result, result, [](uint64_t a, uint64_t) { return ~a; });
  for (const Bytes source : sources.subspan(1)) {
    if (operation == BitOperation::bit_and) and_into(result, source);
    if (operation == BitOperation::bit_or) or_into(result, source);
    if (operation == BitOperation::bit_xor) xor_words_into(result, source);
    if (operation == BitOperation::diff) take_from(result, source);
  }
  return result;
}

BitRange bitcount_range(int64_t start, int64_t end, BitUnit unit, uint64_t size_bytes) {
  if (start < 0 && end < 0 && start > end) return {};
  return bitpos_range(start, end, unit, size_bytes);
}

BitRange bitpos_range(int64_t start, int64_t end, BitUnit unit, uint64_t size_bytes) {
  const uint64_t unit_bits = unit == BitUnit::byte ? 8 : 1;
  const uint64_t size = size_bytes * 8 / unit_bits;
  const int64_t first = counted_from(start, size);
  const int64_t last = std::min(counted_from(end, size), as_signed(size) - 1);
  if (first > last) return {};
  return {static_cast<uint64_t>(first) * unit_bits, (static_cast<uint64_t>(last) + 1) * unit_bits};
}

uint64_t count_bits(Bytes value, BitRange range) {
  range.end = std::min<uint64_t>(range.end, value.size() * 8);
  if (range.first >= range.end) return 0;
  const uint64_t first_byte = range.first / 8;
  const uint64_t last_byte = (range.end - 1) / 8;
  const uint64_t in_last = (range.end - 1) % 8 + 1;
  const auto count = [&](uint64_t at, uint8_t mask) {
    return static_cast<uint64_t>(std::popcount(static_cast<uint8_t>(value[at] & mask)));
  };
  if (first_byte == last_byte) return count(first_byte, byte_mask(range.first % 8, in_last));
  return count(first_byte, byte_mask(range.first % 8, 8)) + count(last_byte, byte_mask(0, in_last)) +
         count_in_bytes(value.substr(first_byte + 1, last_byte - first_byte - 1));
}

std::optional<uint64_t> find_bit(Bytes value, BitRange range, bool bit) {
  const uint64_t skipped = bit ? 0 : ~uint64_t{0};  // a word without what is looked for
  const auto at_bit = [&](uint64_t at) {
    return ((static_cast<uint8_t>(value[at / 8]) << (at % 8)) & 0x80) != 0;
  };
  uint64_t at = range.first;
  while (at < range.end) {
    if (at % 8 == 0 && at + 64 <= range.end && load_word(value.data() + at / 8) == skipped)
      at += 64;
    else if (at_bit(at) == bit)
      return at;
    else
      ++at;
  }
  return std::nullopt;
}

}  // namespace persist
