// Brings back what a damaged RDB file still holds: undoes flipped bits that the checksum gives away, keeps
// every whole record, goes on behind damage. persist-repair(1)
//
//   persist::SalvagedRdb salvaged(*source, options);
//   persist::RdbReader reader(salvaged.source(), findings);
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "persist/api.hpp"
#include "persist/encoding.hpp"
#include "persist/finding.hpp"
#include "persist/rdb_reader.hpp"
#include "persist/source.hpp"

namespace persist {

struct SalvageOptions {
  bool salvage = false;       // leave damage in the middle out; without: flipped bits and torn ends only
  bool reseal = false;        // a new checksum for what reads well, but is not what its checksum was made of
  bool keep_damaged = false;  // of a value that does not decode, keep what does
  bool drop_uncertain = false;  // leave out what may not be what was written
  bool deep = false;            // also look for two flipped bits, however far apart
  bool followed = false;        // commands may follow the RDB data
  std::function<void(uint64_t offset)> progress;
};

enum class SalvageAction : uint8_t {
  corrected,  // bits were flipped back
  header,     // magic and version were put in
  value,      // a record whose value does not decode was left out
  partial,    // of a value that does not decode, what does was kept
  gap,        // bytes that no record could be read from were left out
  tail,       // the same, up to the end: the file was cut
  twice,      // an earlier record of a key that comes again
  database,   // a SELECTDB was put in where one is lost
  uncertain,  // a record that may not be what was written
  sealed      // the EOF opcode and the checksum were put in
};
PERSIST_API Bytes salvage_action_name(SalvageAction action);

struct SalvageStep {
  SalvageAction action{};
  Extent extent;  // of the input
  FindingCode why{};
  std::string note;  // what was put in, or why there is doubt; for people
  std::optional<uint64_t> db;
  std::optional<std::string> key;
  bool kept = true;  // of an uncertain record
};

// Keys of a database, by type.
struct SalvageCounts {
  using ByType = std::array<uint64_t, static_cast<size_t>(ValueType::module) + 1>;
  uint64_t db = 0;
  ByType kept{};       // all that are in the result
  ByType salvaged{};   // of these: behind a gap
  ByType partial{};    // of these: not all of the value
  ByType uncertain{};  // of these: may not be what was written
  ByType dropped{};    // known to be lost: those in gaps nobody can count
};

struct RdbSalvage {
  std::string file;
  std::optional<RdbHeader> header;  // of the result
  bool exact = false;      // flipped bits were all that was wrong: the result is the file as it was written
  double false_match = 0;  // how probable it is that another damage fits a correction's checksum as well
  std::vector<SalvageStep> steps;  // by place; empty: the file is sound. The first ones
  uint64_t steps_in_all = 0;
  std::vector<SalvageCounts> dbs;  // in the order of the file
  uint64_t keys_kept = 0;
  uint64_t keys_salvaged = 0;
  uint64_t keys_partial = 0;
  uint64_t keys_uncertain = 0;
  uint64_t keys_dropped = 0;
  uint64_t bytes_lost = 0;  // of the input, that the result does not have
  std::optional<uint64_t> stored_checksum;
  std::optional<uint64_t> computed_checksum;  // of the input as it is
};

// Something of the input that the result has not, or that was put in.
struct SalvageEdit {
  Extent drop;
  std::string insert;
  std::string why;  // id of the finding, or "twice"
};

// What of a record in the result is to be said.
enum class SalvageLabel : uint8_t { sound, salvaged, partial, uncertain };
PERSIST_API Bytes salvage_label_name(SalvageLabel label);

class PERSIST_API SalvagedRdb {
 public:
  // Reads all of the source, which must be rereadable and outlive this; more than once if it is damaged.
  // Throws EditRefused where the options do not permit what it needs, or nothing can be done;
  // std::system_error.
  SalvagedRdb(ByteSource& damaged, const SalvageOptions& options);
  ~SalvagedRdb();
  SalvagedRdb(const SalvagedRdb&) = delete;
  SalvagedRdb& operator=(const SalvagedRdb&) = delete;

  // The RDB data of the result, without what may follow it.
  [[nodiscard]] ByteSource& source();
  [[nodiscard]] const RdbSalvage& report() const;
  // What makes the result out of the input, by ascending place. Empty: there was nothing to do.
  [[nodiscard]] const std::vector<SalvageEdit>& edits() const;
  // Where the RDB data ends in the input: what follows it may be commands.
  [[nodiscard]] uint64_t end() const;
  // Of the record that begins at an offset of source().
  [[nodiscard]] SalvageLabel label(uint64_t offset) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace persist
