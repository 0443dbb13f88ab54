// LZF: the validator says what the decompressor says. The first two bytes are the stated size.
#include "codec/lzf.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "base/endian.hpp"

using namespace persist;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const Bytes bytes(reinterpret_cast<const char*>(data), size);
  const Bytes packed = bytes.substr(2);
  const size_t stated = load_le<uint16_t>(bytes.data());
  std::vector<char> room(stated + kLzfSlack);
  const bool inflates = inflate_lzf(packed, room.data(), stated) == LzfFault::none;
  const bool valid = validate_lzf(packed, stated) == LzfFault::none;
  if (inflates != valid) std::abort();
  if (inflates && stated > lzf_size_max(packed.size())) std::abort();
  return 0;
}
