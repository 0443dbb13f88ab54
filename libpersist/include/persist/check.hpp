// Checks an RDB file: framing, checksum, every encoding deeply, what values mean, and whether a server would
// load it.
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <string>

#include "persist/api.hpp"
#include "persist/finding.hpp"
#include "persist/rdb_reader.hpp"
#include "persist/source.hpp"
#include "persist/target.hpp"

namespace persist {

// Told of a record, and of the offset behind it (of module data, behind what is told here). Of what the
// record shows, only AUX fields, the names of modules, and the name and code of function libraries are there.
using RecordObserver = std::function<void(const RdbRecord& record, uint64_t offset)>;

struct CheckOptions {
  const Target* target = nullptr;  // also ask whether this server would load the file
  VersionCheck version_check = VersionCheck::strict;
  int64_t now_ms = 0;      // what "expired" is measured against
  unsigned threads = 0;    // 0: as many as are useful
  RecordObserver observe;  // told every record that is no entry, in the order of the file
  std::function<void(uint64_t offset)> progress;
};

struct CheckSummary {
  bool has_header = false;
  Dialect dialect = Dialect::redis;
  uint32_t version = 0;
  uint64_t keys = 0;  // whole ones
  uint64_t volatile_keys = 0;
  uint64_t expired = 0;
  uint64_t volatile_fields = 0;
  uint64_t functions = 0;
  std::array<uint64_t, 8> keys_by_type{};  // by ValueType
  bool complete = false;                   // an EOF opcode was read
  ChecksumState checksum = ChecksumState::absent;
  std::optional<int64_t> ctime_s;  // when it was saved, by its AUX field ctime: seconds since the epoch
  uint64_t valid_up_to = 0;        // end of the last whole record with nothing wrong before it
  uint64_t end = 0;                // where the reading ended
  uint64_t errors = 0;
  uint64_t warnings = 0;
  Reach reach = Reach::nothing;  // of the errors, the farthest
  // The first thing that the target would not load, where one was asked for.
  std::optional<Finding> obstacle;

  [[nodiscard]] bool sound() const { return complete && errors == 0; }
};

// Findings arrive in the order of the file; duplicate keys, found out last, at the end. One about the target
// is reported, too, but is no error of the file. Throws std::system_error when the source cannot be read.
PERSIST_API CheckSummary check_rdb(ByteSource& source, FindingSink& findings, const CheckOptions& options);

// A DUMP payload as a whole file. With a target: whether its RESTORE would take it.
PERSIST_API CheckSummary check_dump_payload(Bytes payload, const std::string& file, FindingSink& findings,
                                            const CheckOptions& options);

// Whether the bytes are a DUMP payload: nothing but the checksum tells.
PERSIST_API bool is_dump_payload(Bytes bytes);

}  // namespace persist
