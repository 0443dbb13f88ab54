// An append directory whose place is known: its manifest and its files.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "persist/append_set.hpp"

namespace persist {

struct FileState;

// Whether the folder holds a manifest or files named like parts.
[[nodiscard]] bool holds_set(const std::vector<std::string>& names);

// The name of the manifest that a server would read in a folder that holds a set, there or not: the
// configured one, else the only one. Throws std::invalid_argument if there are several.
[[nodiscard]] std::string choose_manifest(const std::string& folder, const std::vector<std::string>& names,
                                          const std::string& configured);

// Fills in everything about the append directory; the path and the kind are the caller's.
void read_set(const std::string& folder, const std::string& manifest_name, FindingSink& findings,
              AppendSet& set);

// Adds a file to `others` and reports it.
void add_other(AppendSet& set, FindingSink& findings, FindingCode code, SetPart part);

[[nodiscard]] SetPart make_part(const std::string& folder, const std::string& name, PartRole role,
                                int64_t sequence, const FileState& state);

void report_file(FindingSink& findings, FindingCode code, const std::string& path);

}  // namespace persist
