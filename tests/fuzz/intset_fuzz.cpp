// Intsets: whatever the bytes, what is told ascends and is as many as stated.
#include "codec/intset.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>

using namespace persist;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const Bytes bytes(reinterpret_cast<const char*>(data), size);
  try {
    IntsetReader reader(Blob{bytes, 0, false});
    size_t count = 0;
    int64_t before = std::numeric_limits<int64_t>::min();
    for (int64_t number = 0; reader.next(number);) {
      if (count++ > 0 && number <= before) std::abort();
      before = number;
    }
    if (count == 0 || count > size / 2) std::abort();
  } catch (const FormatError& error) {
    if (error.finding.extent.end() > size) std::abort();
  }
  return 0;
}
