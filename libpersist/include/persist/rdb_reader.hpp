// Reads an RDB file record by record: pull records, and have the elements of a value pushed.
//
//   auto source = persist::open_source("dump.rdb");
//   persist::FindingList findings;
//   persist::RdbReader reader(*source, findings);
//   while (const persist::RdbRecord* record = reader.next())
//     if (const auto* entry = std::get_if<persist::RdbEntry>(&record->body))
//     std::puts(std::string(entry->key).c_str());
//
// The format: persist-rdb(5).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <variant>

#include "persist/api.hpp"
#include "persist/bytes.hpp"
#include "persist/element.hpp"
#include "persist/encoding.hpp"
#include "persist/finding.hpp"
#include "persist/source.hpp"

namespace persist {

enum class ChecksumState : uint8_t {
  good,
  bad,
  disabled,
  absent
};  // absent: RDB versions before 5 have none
PERSIST_API Bytes checksum_state_name(ChecksumState state);

// The records, one per opcode. A record with a key is an entry; its prefixes (expiry, idle, freq, key
// metadata) are part of it. All Bytes are valid until the reader moves on.
struct RdbHeader {
  Dialect dialect = Dialect::redis;
  uint32_t version = 0;
};
struct AuxField {
  Bytes name;
  Bytes value;
};
struct SelectDb {
  uint64_t db = 0;
};
struct ResizeDb {
  uint64_t keys = 0;
  uint64_t volatile_keys = 0;
};
struct SlotInfo {
  uint64_t slot = 0;
  uint64_t keys = 0;
  uint64_t volatile_keys = 0;
};
struct SlotRange {
  uint64_t first = 0;
  uint64_t last = 0;
};
struct SlotImport {
  Bytes job;
  std::span<const SlotRange> slots;
};
struct FunctionLibrary {
  Bytes code;
  // Only the form of the 7.0 release candidates has these, and its code has no shebang line.
  bool pre_release = false;
  Bytes name;
  Bytes engine;
  std::optional<Bytes> description;
};
struct ModuleAux {
  Bytes module;
  uint32_t encver = 0;
  uint64_t when = 0;  // 1 before the keys, 2 behind them
  Bytes payload;      // annotated values, end mark included
};
struct RdbEntry {
  uint64_t db = 0;
  Bytes key;
  const Encoding* encoding = nullptr;
  int64_t expire_at_ms = kNoExpiry;
  bool expiry_in_seconds = false;  // stored so, by servers before 2.6
  std::optional<uint64_t> idle_s;
  std::optional<uint8_t> freq;
  Bytes key_meta;             // what stands behind opcode 243, verbatim; empty without one
  uint64_t value_offset = 0;  // where the value begins in the file
};
struct RdbEnd {
  ChecksumState checksum = ChecksumState::absent;
  uint64_t stored = 0;
  uint64_t computed = 0;
};

struct RdbRecord {
  Extent extent;  // for an entry given by next_head(): up to its value
  std::variant<RdbHeader, AuxField, SelectDb, ResizeDb, SlotInfo, SlotImport, FunctionLibrary, ModuleAux,
               RdbEntry, RdbEnd>
      body;
};

class RecordReader;

// Not thread-safe. Damage goes to the FindingSink, once, with offset, db and key; a value whose inside is
// broken but whose end is certain is left out and reading goes on, anything else ends the reading. Throws
// std::system_error when the source cannot be read; nothing else.
class PERSIST_API RdbReader {
 public:
  // Both must outlive the reader. A replication stream's `$<length>` or `$EOF:<mark>` line in front is
  // skipped and its mark checked.
  RdbReader(ByteSource& source, FindingSink& findings);
  ~RdbReader();
  RdbReader(const RdbReader&) = delete;
  RdbReader& operator=(const RdbReader&) = delete;

  // The next record, or nullptr behind the end or at damage that cannot be passed. A value has been walked to
  // its end before its record is returned: half a value is never seen.
  const RdbRecord* next();

  // Tells the value of the entry that next() returned last. May be called again.
  void visit(ElementSink sink);

  // The same in one walk instead of two, for those who can take back what they did with a value: next_head()
  // stops before the value; read_value() tells it and returns false if it turned out to be damaged half-way.
  // A value that is not asked for is skipped by its lengths alone.
  const RdbRecord* next_head();
  bool read_value(ElementSink sink);

  // True once the EOF opcode was read.
  [[nodiscard]] bool complete() const;

  // The end of the last whole record that no damage came before.
  [[nodiscard]] uint64_t valid_up_to() const;

 private:
  std::unique_ptr<RecordReader> records_;
};

// One value as DUMP returns it and RESTORE takes it: type, payload, version, checksum.
struct DumpPayload {
  const Encoding* encoding = nullptr;
  uint32_t version = 0;
  Dialect dialect = Dialect::redis;
  Bytes key_meta;
  ChecksumState checksum = ChecksumState::absent;
};

// Walks `payload` completely, telling its value, and returns what stands around it.
// Throws FormatError; what was told before it is half a value.
PERSIST_API DumpPayload read_dump_payload(Bytes payload, ElementSink sink);

}  // namespace persist
