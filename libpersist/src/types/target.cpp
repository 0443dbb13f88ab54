// The table of targets and the acceptance table. A new server is a row; what it newly accepts, a bit in a
// row.
#include "persist/target.hpp"

#include <array>

#include "types/encodings.hpp"
#include "types/module.hpp"

namespace persist {

namespace {

using enum Acceptance;
using enum Dialect;

constexpr Target kTargets[] = {
    {"redis-2.0", redis, r2_0, 1, 0, 0, false, 200},
    {"redis-2.2", redis, r2_0, 1, 0, 0, false, 202},
    {"redis-2.4", redis, r2_4, 2, 0, 0, false, 204},
    {"redis-2.6", redis, r2_6, 6, 0, 0, false, 206},
    {"redis-2.8", redis, r2_6, 6, 0, 0, false, 208},
    {"redis-3.0", redis, r2_6, 6, 0, 0, false, 300},
    {"redis-3.2", redis, r3_2, 7, 0, 0, false, 302},
    {"redis-4.0", redis, r4_0, 8, 0, 0, false, 400},
    {"redis-5.0", redis, r5_0, 9, 0, 0, false, 500},
    {"redis-6.0", redis, r5_0, 9, 0, 0, false, 600},
    {"redis-6.2", redis, r5_0, 9, 0, 0, false, 602},
    {"redis-7.0", redis, r7_0, 10, 0, 0, false, 700},
    {"redis-7.2", redis, r7_2, 11, 0, 0, false, 702},
    {"redis-7.4", redis, r7_4, 12, 0, 0, false, 704},
    {"redis-8.0", redis, r7_4, 12, 0, 0, true, 800},
    {"redis-8.2", redis, r7_4, 12, 0, 0, true, 802},
    {"redis-8.4", redis, r7_4, 12, 0, 0, true, 804},
    {"redis-8.6", redis, r8_6, 13, 0, 0, true, 806},
    {"redis-8.8", redis, r8_8, 14, 0, 0, true, 808, true},
    {"valkey-7.2", valkey, v7_2, 11, 0, 0, false, 702},
    {"valkey-8.0", valkey, v7_2, 11, 0, 0, false, 800},
    {"valkey-8.1", valkey, v7_2, 11, 11, 0, false, 801},
    {"valkey-9.0", valkey, v9_0, 11, 0, 80, false, 900},
    {"valkey-9.1", valkey, v9_0, 11, 0, 80, false, 901, true},
};

// Sets of columns.
using Columns = uint16_t;
constexpr Columns bit(Acceptance column) { return static_cast<Columns>(1U << static_cast<unsigned>(column)); }
// The Redis releases from one on, and all of Valkey, which began at Redis 7.2.
constexpr Columns since(Acceptance first) {
  Columns columns = bit(v7_2) | bit(v9_0);
  for (auto i = static_cast<unsigned>(first); i <= static_cast<unsigned>(r8_8); ++i) {
    columns = static_cast<Columns>(columns | (1U << i));
  }
  return columns;
}
constexpr Columns redis_since(Acceptance first) {
  return static_cast<Columns>(since(first) & ~(bit(v7_2) | bit(v9_0)));
}
constexpr Columns kWithOldModules = bit(r4_0) | bit(r5_0) | bit(r7_0);

struct Accepted {
  uint8_t first = 0;
  uint8_t last = 0;
  Columns columns = 0;
  bool under_redis = true;  // the magic of the file
  bool under_valkey = true;
};

constexpr Accepted kTypes[] = {
    {0, 4, since(r2_0)},
    {5, 5, since(r4_0)},
    {6, 6, kWithOldModules},
    {7, 7, since(r4_0)},
    {9, 12, since(r2_4)},
    {13, 13, since(r2_6)},
    {14, 14, since(r3_2)},
    {15, 15, since(r5_0)},
    {16, 19, since(r7_0)},
    {20, 21, since(r7_2)},
    {22, 25, redis_since(r7_4), true, false},
    {22, 22, bit(v9_0), false, true},
    {26, 26, redis_since(r8_6), true, false},
    {27, 28, redis_since(r8_8), true, false},
};

constexpr Accepted kOpcodes[] = {
    {0xfd, 0xff, since(r2_0)},
    {0xfc, 0xfc, since(r2_6)},
    {0xfa, 0xfb, since(r3_2)},
    {0xf7, 0xf9, since(r5_0)},
    {0xf6, 0xf6, bit(r7_0)},
    {0xf5, 0xf5, since(r7_0)},
    {0xf4, 0xf4, static_cast<Columns>(redis_since(r7_4) | bit(v9_0))},
    {0xf3, 0xf3, redis_since(r8_6), true, false},
    {0xf3, 0xf3, bit(v9_0), false, true},
};

template <size_t n>
bool accepts(const Accepted (&table)[n], Acceptance column, Dialect dialect, uint8_t code) {
  for (const Accepted& row : table) {
    if (code < row.first || code > row.last || (row.columns & bit(column)) == 0) continue;
    if (dialect == redis ? row.under_redis : row.under_valkey) return true;
  }
  return false;
}

constexpr uint64_t kDatabasesByDefault = 16;
constexpr Bytes kVectorSet = "vectorset";
constexpr Acceptance kLongLengthsSince = r4_0;

Finding obstacle(FindingCode code, const char* noun, const Target& target, std::string expected,
                 std::string found) {
  Finding finding;
  finding.code = code;
  finding.subject = std::string(noun) + " for " + std::string(target.name);
  finding.expected = std::move(expected);
  finding.found = std::move(found);
  return finding;
}

// Looks at one record for one target. Each overload says what could be in the way.
struct Look {
  const Target& target;
  VersionCheck check;
  Dialect dialect;
  const RecordTraits& traits;

  using Found = std::optional<Finding>;

  [[nodiscard]] Found opcode(uint8_t code, Bytes name) const {
    if (accepts_opcode(target, dialect, code)) return std::nullopt;
    return obstacle(FindingCode::target_opcode, "opcode", target, "an opcode that it knows",
                    std::string(name));
  }

  [[nodiscard]] bool accepts_header(const RdbHeader& header) const {
    if (header.dialect == redis) {
      if (target.acceptance == v9_0 && check == VersionCheck::relaxed &&
          header.version > target.redis_version_max) {
        return header.version < 80;
      }
      return header.version >= 1 && header.version <= target.redis_version_max;
    }
    if (target.family == redis || (target.valkey_version_max == 0 && target.valkey_version == 0))
      return false;
    if (check == VersionCheck::relaxed && header.version >= 80) return true;
    return header.version == target.valkey_version ||
           (header.version >= 1 && header.version <= target.valkey_version_max);
  }

  Found operator()(const RdbHeader& header) const {
    if (accepts_header(header)) return std::nullopt;
    std::string accepted = "REDIS versions up to " + std::to_string(target.redis_version_max);
    if (target.valkey_version != 0) accepted += " or VALKEY version " + std::to_string(target.valkey_version);
    return obstacle(FindingCode::target_header, "header", target, accepted,
                    std::string(header.dialect == redis ? "REDIS" : "VALKEY") + " version " +
                        std::to_string(header.version));
  }
  Found operator()(const AuxField& /*aux*/) const { return opcode(0xfa, "aux"); }
  Found operator()(const SelectDb& select) const {
    if (select.db < kDatabasesByDefault) return std::nullopt;
    return obstacle(FindingCode::target_databases, "db number", target, "less than 16",
                    std::to_string(select.db));
  }
  Found operator()(const ResizeDb& /*resize*/) const { return opcode(0xfb, "resizedb"); }
  Found operator()(const SlotInfo& /*info*/) const { return opcode(0xf4, "slot-info"); }
  Found operator()(const SlotImport& /*import*/) const {
    if (Found refused = opcode(0xf3, "slot-import")) return refused;
    return obstacle(FindingCode::target_slot_import, "record", target, "cluster mode", "a slot import");
  }
  Found operator()(const FunctionLibrary& library) const {
    return library.pre_release ? opcode(0xf6, "function-pre-release") : opcode(0xf5, "function");
  }
  Found operator()(const ModuleAux& aux) const {
    if (Found refused = opcode(0xf7, "module-aux")) return refused;
    return obstacle(FindingCode::target_module, "module data", target, "module " + std::string(aux.module),
                    "data of that module");
  }
  Found operator()(const RdbEntry& entry) const {
    if (Found refused = prefixes(entry)) return refused;
    const uint8_t code = entry.encoding->code;
    if (!accepts_type(target, dialect, code)) {
      return obstacle(FindingCode::target_encoding, "type code", target, "a type code that it knows",
                      std::to_string(code) + ", " + std::string(entry.encoding->label));
    }
    if (entry.encoding->type != ValueType::module ||
        (target.has_vector_sets && traits.module == kVectorSet)) {
      return std::nullopt;
    }
    return obstacle(FindingCode::target_module, "module data", target,
                    "module " + std::string(traits.module) + " to be loaded", "a value of it");
  }
  Found operator()(const RdbEnd& /*end*/) const { return std::nullopt; }

 private:
  [[nodiscard]] Found prefixes(const RdbEntry& entry) const {
    Found refused;
    if (entry.expire_at_ms != kNoExpiry && !entry.expiry_in_seconds) refused = opcode(0xfc, "expiretime-ms");
    if (!refused && entry.idle_s) refused = opcode(0xf8, "idle");
    if (!refused && entry.freq) refused = opcode(0xf9, "freq");
    if (!refused && !entry.key_meta.empty()) refused = key_metadata(entry.key_meta);
    return refused;
  }

  // A class that the target does not know is passed over only if its flags say that it may be.
  [[nodiscard]] Found key_metadata(Bytes classes) const {
    if (Found refused = opcode(0xf3, "key-meta")) return refused;
    bool must_be_known = false;
    for_each_metadata_class(
        classes, [&](const MetadataClass& found) { must_be_known = must_be_known || !found.may_be_ignored; });
    if (must_be_known) {
      return obstacle(FindingCode::target_module, "module data", target, "the module of a key's metadata",
                      "a class it must know");
    }
    return std::nullopt;
  }
};

}  // namespace

std::span<const Target> targets() { return kTargets; }

const Target* find_target(Bytes name) {
  for (const Target& target : kTargets) {
    if (name == target.name) return &target;
    if (name.starts_with(target.name) && name[target.name.size()] == '.') return &target;
  }
  return nullptr;
}

bool accepts_type(const Target& target, Dialect dialect, uint8_t code) {
  return accepts(kTypes, target.acceptance, dialect, code);
}

bool accepts_opcode(const Target& target, Dialect dialect, uint8_t code) {
  return accepts(kOpcodes, target.acceptance, dialect, code);
}

std::optional<Finding> find_obstacle(const Target& target, VersionCheck check, Dialect dialect,
                                     const RdbRecord& record, const RecordTraits& traits) {
  std::optional<Finding> found = std::visit(Look{target, check, dialect, traits}, record.body);
  if (!found && traits.long_length && target.acceptance < kLongLengthsSince) {
    found = obstacle(FindingCode::target_length, "length", target, "lengths below 2^32", "a 64-bit length");
  }
  if (!found) return std::nullopt;
  found->extent = record.extent;
  if (const RdbEntry* entry = std::get_if<RdbEntry>(&record.body)) {
    found->db = entry->db;
    found->key = std::string(entry->key);
    found->record = std::string(entry->encoding->label);
  }
  return found;
}

}  // namespace persist
