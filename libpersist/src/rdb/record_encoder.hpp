// Encodes records of an RDB file, one by one, for a target. The reverse of RecordReader. man/persist-rdb.5
#pragma once

#include "persist/rdb_reader.hpp"
#include "rdb/opcodes.hpp"
#include "types/encodings.hpp"

namespace persist {

class RecordEncoder {
 public:
  // Records go to the end of `out`, which must outlive it.
  RecordEncoder(ByteBuffer& out, const WriteRules& rules) : encoder_(out, rules) {}

  [[nodiscard]] const WriteRules& rules() const { return encoder_.rules(); }
  [[nodiscard]] const Target& target() const { return *rules().target; }

  void header();
  void aux(Bytes name, Bytes value);
  void select(uint64_t db);
  void resize(const ResizeDb& sizes);
  void slot_info(const SlotInfo& info);
  void function(Bytes code);
  void module_aux(const ModuleAux& aux);

  // An entry with what stands in front of it. The target must have room for all of it: see Fitter.
  void entry(const RdbEntry& entry, const Value& value);
  // The same with a value as it stands in a file; entry.encoding says in which layout.
  void entry_with(const RdbEntry& entry, Bytes value);
  void string_entry(const RdbEntry& entry, Bytes text);

  // What DUMP would answer.
  void payload(const RdbEntry& entry, const Value& value);

  // Behind the last record. The checksum, which is that of all bytes from the magic up to this, is for the
  // caller to add if the target has_checksum().
  void end();
  [[nodiscard]] bool has_checksum() const;

  // Gives memory back that only an unusually large value needed.
  void shrink() { encoder_.shrink(); }

 private:
  void opcode(Opcode opcode) { encoder_.u8(opcode_code(opcode)); }
  void prefixes(const RdbEntry& entry);
  const EncodingRow& row_for(const RdbEntry& entry, const Value& value) const;

  Encoder encoder_;
};

}  // namespace persist
