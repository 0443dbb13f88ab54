// Writes a sound log or RDB file out of a damaged one. persist-repair(1)
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "persist/api.hpp"
#include "persist/append_set.hpp"
#include "persist/edit.hpp"
#include "persist/finding.hpp"
#include "persist/salvage.hpp"

namespace persist {

// What to do with the files behind one that had to be cut.
enum class LaterFiles : uint8_t { refuse, keep, drop };

struct RepairOptions {
  bool salvage = false;  // skip damage in the middle and go on behind it; do without files that are missing
  LaterFiles later = LaterFiles::refuse;
  std::optional<uint64_t> max_loss_bytes;     // NUL bytes at the end are no loss
  std::optional<uint64_t> max_loss_commands;  // whole ones, and one that is torn
  std::vector<std::string> known;             // names of commands to take for known
  SalvageOptions rdb;                         // of damaged RDB data; its `salvage` is the one above
};

enum class RepairAction : uint8_t {
  cut,           // everything from extent.offset on
  skipped,       // bytes in the middle: what follows is salvaged
  dropped_file,  // a whole file
  closed,        // an EXEC was put in where the rest of a transaction is lost
  selected,      // a SELECT was put in: the lost bytes held one
  manifest       // written from the files
};

struct RepairStep {
  RepairAction action{};
  std::string file;
  Extent extent;
  FindingCode why{};
  std::string note;               // of a manifest: the rule; what was put in
  uint64_t commands = 0;          // whole or torn ones that are lost
  std::vector<std::string> keys;  // of these, the first ones
  uint64_t lost_bytes = 0;
};

struct RepairSummary {
  EditSummary edit;
  std::vector<RepairStep> steps;  // none: there was nothing to do
  uint64_t lost_bytes = 0;
  uint64_t lost_commands = 0;
  uint64_t salvaged_commands = 0;  // that stand behind damage and were kept
  std::vector<RdbSalvage> rdb;     // of each part whose RDB data is damaged
};

// Throws EditRefused, std::system_error.
PERSIST_API RepairSummary repair_set(const AppendSet& set, const RepairOptions& options,
                                     const OutputOptions& output);

}  // namespace persist
