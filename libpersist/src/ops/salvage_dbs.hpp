// Which databases the records behind gaps belong to, where the record that selects them is lost.
#pragma once

#include <map>

#include "ops/salvage_walk.hpp"

namespace persist {

// By the offset of the stretch, for those that the walk took for others: "as before the gap" is what it goes
// by.
[[nodiscard]] std::map<uint64_t, uint64_t> infer_dbs(ByteSource& source, const SalvageWalked& walked);

}  // namespace persist
