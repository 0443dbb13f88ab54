// What a repair has found and done: for people on standard error, for programs, and as a report to keep.
#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "document.hpp"
#include "persist/repair.hpp"

namespace persist::tool {

// How a repair is spoken of.
struct RepairTold {
  std::string path;     // the input, as it was given
  std::string output;   // as it was given; empty with in_place, and if a dry run has none
  std::string options;  // with which a dry run is done in earnest: " --salvage --deep"
  bool in_place = false;
  bool dry_run = false;
};

inline bool is_sound(const RepairSummary& summary) { return summary.steps.empty() && summary.rdb.empty(); }
std::string status_name(const RepairTold& told, const RepairSummary& summary);

// A line for each step, of RDB data at most so many, and what came of it.
void print_repair(const RepairSummary& summary, size_t steps_max);

nlohmann::ordered_json repair_json(const RepairTold& told, const RepairSummary& summary);

void report_repair(Document& document, const RepairTold& told, const RepairSummary& summary);

// What was done in a step, without its place.
Words step_words(const RepairStep& step);
Words step_words(const SalvageStep& step);
// "118 keys kept, of them 3 salvaged; 4 known to be lost; 312 bytes left out"
std::string salvage_in_words(const RdbSalvage& salvage);
// What nobody can tell of the damage; empty if there is nothing.
std::string unknown_in_words(const RdbSalvage& salvage);
// All of it reads well, but the checksum is that of something else.
bool is_doubtful(const RdbSalvage& salvage);
// Why the result is what was written once.
std::string exactness_in_words(const RdbSalvage& salvage);

}  // namespace persist::tool
