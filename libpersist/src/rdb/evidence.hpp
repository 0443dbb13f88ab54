// How much bytes say for being what they are read as: bits, the logarithm of how improbable it is that random
// bytes read so well.
#pragma once

#include <algorithm>
#include <cstdint>

#include "persist/bytes.hpp"
#include "persist/rdb_reader.hpp"

namespace persist {

// A type code or an opcode, among all bytes.
inline constexpr unsigned kCodeBits = 3;

// A string that is stored as a number: three introductory bytes of 256.
inline constexpr unsigned kNumberBits = 5;

// A compressed string whose stream inflates to the stated size.
inline constexpr unsigned kPackedBits = 12;

// A container whose own size, count and end mark agree with the string around it.
inline constexpr unsigned kContainerBits = 32;

// Text, in bits, no more than `most`: printable ASCII and well-formed UTF-8 speak for it, anything else more
// strongly against it, so that random bytes come out at 0. Looks no further than it has to.
[[nodiscard]] unsigned text_bits(Bytes bytes, unsigned most);

// Text whose length is written in letters, too, may be cut out of a longer text anywhere.
inline constexpr unsigned kCutTextBits = 8;
[[nodiscard]] inline bool is_letter(char byte) { return byte >= 0x20 && byte < 0x7f; }

struct Evidence {
  unsigned bits = 0;
  // The same of all that a record explains, however much that is: for choosing between records that exclude
  // each other.
  uint64_t weight = 0;
};
[[nodiscard]] Evidence weigh_record(const RdbRecord& record, Bytes bytes);

// Moments in the years 2000 to 2100; 2001 to 2038 for seconds.
[[nodiscard]] constexpr bool is_plausible_ms(int64_t at_ms) {
  return at_ms >= 946'684'800'000 && at_ms < 4'102'444'800'000;
}
[[nodiscard]] constexpr bool is_plausible_s(int64_t at_s) {
  return at_s >= 978'307'200 && at_s < 2'147'483'647;
}

// Whether servers write an AUX field of this name.
[[nodiscard]] bool is_server_aux(Bytes name);

// Bits of parts of records.
[[nodiscard]] unsigned aux_name_bits(Bytes name);
[[nodiscard]] unsigned function_bits(Bytes code);

}  // namespace persist
