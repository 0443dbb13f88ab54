// diff() over bytes in memory, and what it said in lines that can be compared.
#pragma once

#include <string>
#include <vector>

#include "persist/diff.hpp"

namespace persist::test {

struct DatasetBytes {
  enum class Form : uint8_t { rdb, lines, log } form{};
  std::string bytes;
  std::optional<ServerVersion> as;  // who wrote a log
};

struct Diffed {
  DiffSummary summary;
  std::vector<KeyDifference> keys;
  std::vector<LibraryDifference> libraries;
  std::vector<Finding> findings;
  std::string commands;  // if `wants_commands`
  std::string refusal;   // what an EditRefused said
};

[[nodiscard]] Diffed diff_datasets(const DatasetBytes& a, const DatasetBytes& b, DiffOptions options = {},
                                   bool wants_commands = false);

// `~ 0 k hash hash: field f "1" -> "2"; expiry - -> "5"`, differences in the order of their text. A word of
// which something is missing says so: "abc"[5/20].
[[nodiscard]] std::string told(const KeyDifference& difference);
[[nodiscard]] std::string told(const Difference& difference);
// "~ function lib"
[[nodiscard]] std::string told(const LibraryDifference& difference);
// All keys, in order of their text, then libraries.
[[nodiscard]] std::vector<std::string> told(const Diffed& diffed);

// "a 1, b 2, changed 3, same 4, libraries 0 0 1": of the summary.
[[nodiscard]] std::string counts_of(const DiffSummary& summary);

}  // namespace persist::test
