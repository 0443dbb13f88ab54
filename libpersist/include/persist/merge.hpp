// One RDB file out of several datasets. persist-merge(1)
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "persist/api.hpp"
#include "persist/convert.hpp"

namespace persist {

// Which of several values a key gets that stands in several inputs.
enum class ConflictPolicy : uint8_t {
  refuse,     // none: nothing is written
  first,      // that of the first input that has it
  last,       // that of the last one
  newest_ttl  // that which lives longest, without an expiry for ever; of equal ones the last
};
// "error", "first", "last", "newest-ttl"
PERSIST_API Bytes conflict_policy_name(ConflictPolicy policy);
// Absent if there is none of that name.
PERSIST_API std::optional<ConflictPolicy> find_conflict_policy(Bytes name);

struct MergeOptions {
  ConflictPolicy on_conflict = ConflictPolicy::refuse;
  WriteOptions write;  // without a target: that of the newest server that wrote an input
  std::vector<LossFeature> permitted_losses;  // of data
  bool salvage = false;                       // damaged inputs: what is whole of them
  const Filter* filter = nullptr;             // null: everything
  const KeyChanges* changes = nullptr;        // null: none; names and dbs conflict as they come out
  unsigned threads = 0;                       // 0: as many as are useful
  // The bytes dealt with: of each log once, of all other inputs twice.
  std::function<void(uint64_t bytes)> progress;
};

struct MergedInput {
  bool has_header = false;
  bool complete = false;  // all of it was read
  uint64_t keys = 0;      // whole ones in it
  uint64_t written = 0;   // of them
  uint64_t errors = 0;
  Reach reach = Reach::nothing;
  std::optional<ReplaySummary> replay;  // of a log

  [[nodiscard]] bool damaged() const { return errors > 0 || !complete; }
};

struct MergeConflict {
  std::optional<uint64_t> db;  // absent: a function library
  std::string name;            // of the key or library
  std::vector<size_t> inputs;  // that have it, by number
};

struct MergeSummary {
  std::vector<MergedInput> inputs;
  uint64_t conflicts = 0;          // keys that stand in several inputs
  uint64_t library_conflicts = 0;  // function libraries of one name whose code differs
  std::vector<MergeConflict> first_conflicts;
  uint64_t written = 0;  // keys
  uint64_t bytes_written = 0;
  const Target* target = nullptr;
  bool target_chosen = false;  // by us
  LossReport losses;

  // Why nothing was written: an input is damaged or could not be replayed, keys conflict and that is to be
  // refused, more would be lost than is permitted.
  bool committed = false;

  [[nodiscard]] bool has_conflicts() const { return conflicts > 0 || library_conflicts > 0; }
};

// Writes to a file that appears whole or not at all: after all inputs were read, what was written was
// checked, and no more is lost than permitted. Inputs are read two or three times; those that cannot be are
// copied to a file without a name first. Needs memory for the keys that conflict, some 100 bytes each, and
// for the datasets of logs. Throws EditRefused if the result would not be sound, std::system_error when
// reading or writing fails.
PERSIST_API MergeSummary merge(std::span<const ConvertInput> inputs, const OutputOptions& output,
                               FindingSink& findings, const MergeOptions& options);

}  // namespace persist
