// What the writer and the reader of partial results agree on, besides the schema.
#pragma once

#include <array>

#include "persist/stat.hpp"

namespace persist {

inline constexpr Bytes kPartialMember = "persist_stat_partial";  // the first one; its value is the version
inline constexpr uint64_t kPartialVersion = 1;
inline constexpr std::array<Bytes, kBigBys> kBigByNames = {"bytes", "memory", "elements", "largest_element"};

}  // namespace persist
