// What people and programs call the steps of a salvage, and what it says of keys.
#include <array>

#include "persist/salvage.hpp"

namespace persist {

Bytes salvage_action_name(SalvageAction action) {
  constexpr std::array<Bytes, 10> kNames = {"corrected", "header", "value",    "partial",   "gap",
                                            "tail",      "twice",  "database", "uncertain", "sealed"};
  return kNames[static_cast<size_t>(action)];
}

Bytes salvage_label_name(SalvageLabel label) {
  constexpr std::array<Bytes, 4> kNames = {"sound", "salvaged", "partial", "uncertain"};
  return kNames[static_cast<size_t>(label)];
}

}  // namespace persist
