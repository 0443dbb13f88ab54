// Salvages of bytes in memory, with all that is told of them, and the entries of files as they stand there.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "persist/edit.hpp"
#include "persist/salvage.hpp"

namespace persist::test {

// A whole entry.
struct Whole {
  Extent extent;
  uint64_t db = 0;
  std::string key;
  std::string record;
  ValueType type{};
};

[[nodiscard]] std::vector<Whole> entries_of(Bytes file);

// Database and key; of keys that come twice, the last one.
using Name = std::pair<uint64_t, std::string>;
[[nodiscard]] std::map<Name, std::string> by_name(const std::vector<Whole>& entries);

struct Salvaged {
  bool refused = false;
  std::string refusal;
  std::string file;
  uint64_t end = 0;
  RdbSalvage report;
  std::vector<SalvageEdit> edits;
  std::vector<Whole> entries;        // of the result
  std::vector<SalvageLabel> labels;  // of these
};
[[nodiscard]] Salvaged salvage(Bytes damaged, const SalvageOptions& options);
// As with --salvage.
[[nodiscard]] Salvaged salvage(Bytes damaged);

// What the edits make of the input, as far as the RDB data of it goes.
[[nodiscard]] std::string applied(Bytes damaged, const Salvaged& salvaged);

// "gap rdb.zeroed": what was done and why, a line for each step.
[[nodiscard]] std::string steps_of(const RdbSalvage& report);

}  // namespace persist::test
