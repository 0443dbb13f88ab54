// LZF: the validator says what the decompressor says; the first two bytes are the stated size. And whatever
// the input is, packed and inflated again it is the same.
#include "codec/lzf.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "base/endian.hpp"
#include "codec/lzf_packer.hpp"

using namespace persist;

namespace {

void check_inflation(Bytes packed, size_t stated) {
  std::vector<char> room(stated + kLzfSlack);
  const bool inflates = inflate_lzf(packed, room.data(), stated) == LzfFault::none;
  const bool valid = validate_lzf(packed, stated) == LzfFault::none;
  if (inflates != valid) std::abort();
  if (inflates && stated > lzf_size_max(packed.size())) std::abort();
}

// The second time, all that is in the table is of the first.
void check_packing(Bytes bytes, size_t most) {
  LzfPacker packer;
  ByteBuffer first;
  ByteBuffer again;
  packer.pack(bytes, SIZE_MAX, first);
  packer.pack(bytes, SIZE_MAX, again);
  if (first.bytes() != again.bytes()) std::abort();
  std::vector<char> room(bytes.size() + kLzfSlack);
  if (inflate_lzf(first.bytes(), room.data(), bytes.size()) != LzfFault::none) std::abort();
  if (Bytes(room.data(), bytes.size()) != bytes) std::abort();

  again.clear();
  const size_t size = packer.pack(bytes, most, again);
  if (size != (first.size() <= most ? first.size() : 0) || size != again.size()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const Bytes bytes(reinterpret_cast<const char*>(data), size);
  const size_t stated = load_le<uint16_t>(bytes.data());
  check_inflation(bytes.substr(2), stated);
  check_packing(bytes.substr(2), stated);
  return 0;
}
