// Where the seed of hash64 comes from.
#include "base/hash64.hpp"

#include <random>

namespace persist {

uint64_t random_seed() {
  std::random_device device;
  return (uint64_t{device()} << 32) | device();
}

}  // namespace persist
