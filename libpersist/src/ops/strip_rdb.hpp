// Leaves records out of the RDB data that a file begins with.
#pragma once

#include <array>
#include <cstdint>

#include "ops/set_output.hpp"
#include "ops/strip_selection.hpp"

namespace persist {

struct RdbStripped {
  std::array<uint64_t, static_cast<size_t>(ValueType::module) + 1> keys{};  // by type
  uint64_t aux_fields = 0;
  uint64_t functions = 0;
  uint64_t module_aux = 0;
};

// `out` must stand at the beginning of the file, and what has gone is added to `stripped`. Throws EditRefused
// at damage.
void strip_rdb(ByteSource& source, const StripSelection& selection, PartOutput& out, RdbStripped& stripped);

}  // namespace persist
