// The manifest of an append directory: which files make up the log, and in which order. persist-aof(5),
// MANIFEST
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "persist/api.hpp"
#include "persist/bytes.hpp"
#include "persist/finding.hpp"

namespace persist {

enum class ManifestType : char { base = 'b', incr = 'i', history = 'h' };

// One line. `more` are the pairs beyond file, seq and type (startoffset, endoffset, and what later servers
// may add), in their order; they are kept when the manifest is written again.
struct ManifestLine {
  std::string file;
  int64_t sequence = 0;
  ManifestType type = ManifestType::base;
  std::vector<std::pair<std::string, std::string>> more;
  bool operator==(const ManifestLine&) const = default;
};

struct Manifest {
  std::vector<ManifestLine> lines;    // in the order of the file
  std::vector<std::string> comments;  // with their '#', without the line feed
  bool operator==(const Manifest&) const = default;
};

// What a server would read. False if it would refuse to start: then the error was reported, and `manifest`
// has the lines that could be read all the same, for those who repair.
PERSIST_API bool parse_manifest(Bytes text, const std::string& file, FindingSink& findings,
                                Manifest& manifest);

// As a server writes it: base, history, incr in ascending order; comments in front.
PERSIST_API std::string format_manifest(const Manifest& manifest);

// Whether the text of a file looks like a manifest rather than a log: its first line that is no comment
// begins with a pair that a manifest has.
PERSIST_API bool looks_like_manifest(Bytes head);

}  // namespace persist
