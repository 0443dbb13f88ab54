// Ziplists: packed_walk.hpp says what holds of them.
#include "codec/ziplist.hpp"
#include "packed_walk.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  persist::walk_packed<persist::ZiplistReader>(data, size);
  return 0;
}
