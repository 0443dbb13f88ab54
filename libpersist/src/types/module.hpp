// What all data of modules share: the id, and annotated values. man/persist-rdb.5, MODULE VALUES
#pragma once

#include "io/cursor.hpp"
#include "persist/function_ref.hpp"

namespace persist {

inline constexpr size_t kModuleNameBytes = 9;

struct ModuleId {
  char name[kModuleNameBytes];
  uint32_t encver;

  [[nodiscard]] Bytes name_bytes() const { return {name, kModuleNameBytes}; }
};

ModuleId parse_module_id(uint64_t id);
// The reverse. The name must have kModuleNameBytes characters of those that names are made of.
uint64_t module_id(Bytes name, uint32_t encver);

// Annotated values up to and including the end mark.
void skip_annotated(Cursor& in);

// One class of what modules keep of a key: behind opcode 243.
struct MetadataClass {
  static constexpr size_t kNameBytes = 4;
  char name[kNameBytes];
  bool may_be_ignored;  // by a server that does not know the class

  [[nodiscard]] Bytes name_bytes() const { return {name, kNameBytes}; }
};

// `classes` as read_key_meta() gives it: sound.
void for_each_metadata_class(Bytes classes, FunctionRef<void(const MetadataClass&)> act);

}  // namespace persist
