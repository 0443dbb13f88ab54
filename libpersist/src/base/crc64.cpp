// CRC-64/Jones by ISA-L, which folds with carry-less multiplication: several times the speed of reading.
#include "base/crc64.hpp"

#include <isa-l/crc64.h>

namespace persist {

uint64_t crc64(uint64_t crc, Bytes bytes) {
  // ISA-L inverts before and after; Redis does neither.
  return ~crc64_jones_refl(~crc, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
}

void Checksum::extend(Bytes bytes, uint64_t offset) {
  if (offset > upto || offset + bytes.size() <= upto) return;
  bytes.remove_prefix(upto - offset);
  value = crc64(value, bytes);
  upto += bytes.size();
}

}  // namespace persist
