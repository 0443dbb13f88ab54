// Zipmaps: whatever the bytes, every field and value lies inside and the walk ends.
#include "codec/zipmap.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

using namespace persist;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const Bytes bytes(reinterpret_cast<const char*>(data), size);
  try {
    ZipmapReader reader(Blob{bytes, 0, false});
    Bytes field;
    Bytes value;
    size_t pairs = 0;
    while (reader.next(field, value)) {
      if (field.data() <= bytes.data() || value.end() > bytes.end() || ++pairs > size) std::abort();
    }
  } catch (const FormatError& error) {
    if (error.finding.extent.end() > size) std::abort();
  }
  return 0;
}
