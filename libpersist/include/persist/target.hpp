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
  unsigned release = 0;         // 602 for 6.2
  bool narrow_backlen = false;  // how it states the length of some entries of listpacks; persist-rdb(5)

  // The header of the files that it writes.
  [[nodiscard]] RdbHeader header() const {
    if (valkey_version != 0) return {Dialect::valkey, valkey_version};
    return {Dialect::redis, redis_version_max};
  }
};

// Up to where values are written packed; these are the defaults of all servers. What a target has no packed
// layout for, it does not pack.
struct PackLimits {
  uint64_t hash_entries = 512;        // hash-max-listpack-entries (-ziplist-, -zipmap-)
  uint64_t hash_value = 64;           // hash-max-listpack-value: bytes of the longest field or value
  uint64_t list_entries = 512;        // list-max-ziplist-entries of servers up to 3.0
  uint64_t list_value = 64;           // list-max-ziplist-value of these
  int64_t list_node = -2;             // list-max-listpack-size: -1 to -5 for 4 to 64 KiB a node, else entries
  uint64_t set_ints = 512;            // set-max-intset-entries
  uint64_t set_entries = 128;         // set-max-listpack-entries
  uint64_t set_value = 64;            // set-max-listpack-value
  uint64_t zset_entries = 128;        // zset-max-listpack-entries (-ziplist-)
  uint64_t zset_value = 64;           // zset-max-listpack-value
  uint64_t stream_node_bytes = 4096;  // stream-node-max-bytes
  uint64_t stream_node_entries = 100;  // stream-node-max-entries

  bool operator==(const PackLimits&) const = default;
};

PERSIST_API std::span<const Target> targets();

// By name; a patch level ("redis-7.2.6") counts as its release. Null if there is no such target.
PERSIST_API const Target* find_target(Bytes name);

// Whether it reads values of that type code in a file that begins with the magic of that family.
PERSIST_API bool accepts_type(const Target& target, Dialect dialect, uint8_t code);
// Likewise the records and prefixes that begin with that opcode.
PERSIST_API bool accepts_opcode(const Target& target, Dialect dialect, uint8_t code);

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
