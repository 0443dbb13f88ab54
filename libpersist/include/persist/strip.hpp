// Leaves commands and keys out of a log or an RDB file; all else is copied byte for byte. persist-strip(1)
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "persist/api.hpp"
#include "persist/append_set.hpp"
#include "persist/edit.hpp"
#include "persist/filter.hpp"

namespace persist {

// Both ends are part of it.
struct StripRange {
  uint64_t first = 0;
  uint64_t last = 0;
};

// Of the bytes of one file. An empty name will do if the set has one file only.
struct StripOffsets {
  std::string file;
  StripRange range;
};

// What goes: a record goes if all kinds that are given select it, and any value of one kind. A kind that a
// record cannot have, as a key has no command name, does not select it.
struct StripOptions {
  // Of commands, also inside of transactions.
  std::vector<std::string> commands;  // names, in any letter case
  std::vector<StripRange> indexes;    // counted over the set, from 0
  std::vector<StripOffsets> offsets;  // where the record begins; annotations, too
  // Of commands by the keys they name, and of entries of RDB parts. `types`: of these only; `expired` is not
  // used. SELECT, MULTI and EXEC name no keys.
  FilterOptions keys;
  bool any_key = false;              // also commands that name keys besides those selected
  std::vector<std::string> modules;  // whose values go; without a choice of keys their aux records, too
  // Beside all this, and not narrowed by it, but for annotations by offsets.
  bool annotations = false;
  std::vector<std::string> aux;  // names of AUX fields
  bool functions = false;        // function libraries of RDB parts

  std::vector<std::string> known;  // names of commands to take for known
};

struct StripCount {
  std::string name;
  uint64_t count = 0;
};

struct StripSummary {
  EditSummary edit;
  bool matched = false;              // false: nothing was there to go; in place, nothing was written
  std::vector<StripCount> commands;  // that went, by name in lower case, most first
  std::vector<StripCount> keys;      // that went from RDB parts, by type
  uint64_t annotations = 0;
  uint64_t aux_fields = 0;
  uint64_t functions = 0;
  uint64_t module_aux = 0;
  uint64_t transactions_emptied = 0;  // whose MULTI and EXEC went with what was in them
  uint64_t selects = 0;               // SELECTs that went: what follows works on another database now
  uint64_t shared = 0;                // commands that name other keys, too, and stayed
  std::optional<LeftOut> tail;        // damage behind the last command, cut off on the way
};

// Throws EditRefused, std::system_error, std::invalid_argument for a regular expression that is none.
PERSIST_API StripSummary strip_set(const AppendSet& set, const StripOptions& options,
                                   const OutputOptions& output);

}  // namespace persist
