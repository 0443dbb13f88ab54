// What all data of modules share: the id, and annotated values. man/persist-rdb.5, MODULE VALUES
#pragma once

#include "io/cursor.hpp"

namespace persist {

inline constexpr size_t kModuleNameBytes = 9;

struct ModuleId {
  char name[kModuleNameBytes];
  uint32_t encver;

  [[nodiscard]] Bytes name_bytes() const { return {name, kModuleNameBytes}; }
};

ModuleId parse_module_id(uint64_t id);

// Annotated values up to and including the end mark.
void skip_annotated(Cursor& in);

}  // namespace persist
