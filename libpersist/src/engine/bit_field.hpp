// Bits of strings: the arithmetic behind BITFIELD, SETBIT, BITOP, BITCOUNT and BITPOS.
//
// Bit 0 is the most significant bit of byte 0, and numbers are big-endian. Offsets and sizes are bits unless
// named otherwise. Bits behind the end of a string read as zero.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "persist/bytes.hpp"

namespace persist {

struct BitFieldType {
  uint32_t width = 0;  // 1 to 64 if signed, else 1 to 63
  bool is_signed = false;
};

struct BitField {
  BitFieldType type;
  uint64_t offset = 0;

  // What a string must hold, in bytes, for the field to lie inside.
  [[nodiscard]] uint64_t bytes_needed() const { return (offset + type.width - 1) / 8 + 1; }
};

// `i1` to `i64`, `u1` to `u63`, in small letters.
[[nodiscard]] std::optional<BitFieldType> parse_bit_field_type(Bytes text);

// A plain number of bits. At most 2^63 - 1: whoever grows a string by it must know a bound of their own.
[[nodiscard]] std::optional<uint64_t> parse_bit_offset(Bytes text);
// The same, or `#n`: n fields of that width.
[[nodiscard]] std::optional<uint64_t> parse_bit_field_offset(Bytes text, BitFieldType type);

enum class BitOverflow { wrap, saturate, fail };
// In any case of letters: WRAP, SAT, FAIL.
[[nodiscard]] std::optional<BitOverflow> parse_bit_overflow(Bytes text);

// Appends zero bytes until the string has at least `size_bytes`.
void extend_with_zeros(std::string& value, uint64_t size_bytes);

[[nodiscard]] int64_t read_bit_field(Bytes value, const BitField& field);

// Both extend the string as far as the field reaches, even if FAIL then keeps the field as it is, and answer
// as the server does: SET with the old value, INCRBY with the new one; absent when FAIL refused.
std::optional<int64_t> set_bit_field(std::string& value, const BitField& field, int64_t to,
                                     BitOverflow overflow);
std::optional<int64_t> increment_bit_field(std::string& value, const BitField& field, int64_t by,
                                           BitOverflow overflow);

[[nodiscard]] bool read_bit(Bytes value, uint64_t offset);
// Extends the string as far as the bit, even to clear it. Returns the bit's old value.
bool write_bit(std::string& value, uint64_t offset, bool bit);

enum class BitOperation {
  bit_and,
  bit_or,
  bit_xor,
  bit_not,  // of the only source
  diff,     // in the first source and in no other
  diff1,    // in another, not in the first
  andor,    // in the first and in another
  one       // in exactly one source
};

// In any case of letters.
[[nodiscard]] std::optional<BitOperation> parse_bit_operation(Bytes text);
// How many sources the operation needs; NOT takes no more than that.
[[nodiscard]] size_t sources_min(BitOperation operation);

// The sources must be at least sources_min. As long as the longest of them; missing keys are empty sources.
[[nodiscard]] std::string apply_bit_operation(BitOperation operation, std::span<const Bytes> sources);

// A range of bits [first, end).
struct BitRange {
  uint64_t first = 0;
  uint64_t end = 0;
};

enum class BitUnit { byte, bit };

// Start and end as BITCOUNT and BITPOS take them: both inclusive, negative ones counted from the end of a
// string of `size_bytes`. Never reaches outside the string. They differ where both ends lie before the
// beginning in the wrong order: nothing for BITCOUNT, the first byte or bit for BITPOS.
[[nodiscard]] BitRange bitcount_range(int64_t start, int64_t end, BitUnit unit, uint64_t size_bytes);
[[nodiscard]] BitRange bitpos_range(int64_t start, int64_t end, BitUnit unit, uint64_t size_bytes);

[[nodiscard]] uint64_t count_bits(Bytes value, BitRange range);
// Where the first bit of that kind stands. The range must lie inside the string.
[[nodiscard]] std::optional<uint64_t> find_bit(Bytes value, BitRange range, bool bit);

}  // namespace persist
