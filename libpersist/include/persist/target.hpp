// Servers that a file may have to be loaded by, and what each of them accepts. persist-rdb(5), ACCEPTANCE
#pragma once

#include <optional>
#include <span>

#include "persist/api.hpp"
#include "persist/bytes.hpp"
#include "persist/encoding.hpp"
#include "persist/finding.hpp"
#include "persist/rdb_reader.hpp"

namespace persist {

// What one release line accepts of a type or opcode; the columns of the acceptance table.
enum class Acceptance : uint8_t {
  r2_0,
  r2_4,
  r2_6,
  r3_2,
  r4_0,
  r5_0,
  r7_0,
  r7_2,
  r7_4,
  r8_6,
  r8_8,
  v7_2,
  v9_0
};

struct Target {
  Bytes name;  // "redis-6.2", "valkey-9.0"
  Dialect family = Dialect::redis;
  Acceptance acceptance{};
  uint32_t redis_version_max = 0;   // REDIS magic: 1 to this
  uint32_t valkey_version_max = 0;  // VALKEY magic: 1 to this...
  uint32_t valkey_version = 0;      // ...and this; 0 for none
  bool has_vector_sets = false;
};

PERSIST_API std::span<const Target> targets();

// By name; a patch level ("redis-7.2.6") counts as its release. Null if there is no such target.
PERSIST_API const Target* find_target(Bytes name);

// How Valkey from 8.1 on treats versions of the other family: its configuration `rdb-version-check`.
enum class VersionCheck : uint8_t { strict, relaxed };

// What a record's head does not tell.
struct RecordTraits {
  bool long_length = false;  // a 64-bit length was met in it
  Bytes module;              // of a module value
};

// Why the target would not load the record, if it would not.
PERSIST_API std::optional<Finding> find_obstacle(const Target& target, VersionCheck check, Dialect dialect,
                                                 const RdbRecord& record, const RecordTraits& traits);

}  // namespace persist
