// Damage that readers do not see, as findings.
#pragma once

#include <string>

#include "persist/finding.hpp"

namespace persist {

// NULs that read like a record.
[[nodiscard]] Finding zeroed_record(const std::string& file, Extent extent);
// A function library that is no text.
[[nodiscard]] Finding spoilt_library(const std::string& file, Extent extent);
// An EOF opcode with records behind it.
[[nodiscard]] Finding early_end(const std::string& file, uint64_t offset);

}  // namespace persist
