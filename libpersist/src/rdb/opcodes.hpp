// The opcodes of RDB: the control bytes between the entries. man/persist-rdb.5, OPCODES
#pragma once

#include "io/cursor.hpp"
#include "persist/encoding.hpp"

namespace persist {

enum class Opcode : uint8_t {
  end,
  select_db,
  expire_s,
  expire_ms,
  resize_db,
  aux,
  freq,
  idle,
  module_aux,
  function_pre_release,
  function,
  slot_info,
  key_meta,
  slot_import,
};

struct OpcodeRow {
  uint8_t code;
  Opcode opcode;
  Bytes name;
  bool in_redis;
  bool in_valkey;
  bool is_prefix;            // belongs to the key that follows
  void (*skip)(Cursor& in);  // what stands behind the code
};

// Null if the dialect has no such opcode that we know.
[[nodiscard]] const OpcodeRow* find_opcode(Dialect dialect, uint8_t code);

// The byte of an opcode.
[[nodiscard]] uint8_t opcode_code(Opcode opcode);

// Opcodes that a dialect has but whose layout is not established.
[[nodiscard]] const char* unestablished_opcode(Dialect dialect, uint8_t code);

// What stands behind a KEY_META opcode, verbatim: LEN classes, classes x (u32le spec, annotated values).
Bytes read_key_meta(Cursor& in);

}  // namespace persist
