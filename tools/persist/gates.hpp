// Gates: what a backup must have besides being sound, as a build has tests. Each that does not let it through
// is a finding, gate.*.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "path_check.hpp"

namespace persist::tool {

// What a line of an earlier `check --json` tells of how much there was.
struct BaselineLine {
  std::string path;  // the member as it stands there: text or an object, quotes included
  bool sound = false;
  std::optional<uint64_t> keys;  // in the end; nothing for a log that was not replayed
  uint64_t rdb_keys = 0;         // of RDB parts
  uint64_t functions = 0;
  uint64_t commands = 0;
  uint64_t flushes = 0;
  uint64_t bytes = 0;
};

class Baseline {
 public:
  // Throws std::invalid_argument that names the file, and what to do.
  static Baseline read(const std::string& file);

  // The line of that path; failing that the only one, if there is one and `only_path`. Null if there is none.
  [[nodiscard]] const BaselineLine* find(const std::string& path, bool only_path) const;

  // Whether logs were replayed for it, so that what is held against it must be, too.
  [[nodiscard]] bool was_replayed() const;

 private:
  std::vector<BaselineLine> lines_;
};

struct Gates {
  std::optional<uint64_t> min_keys;
  std::optional<int64_t> max_age_s;
  std::string max_age;  // as it was given, for messages
  std::optional<Baseline> baseline;
  std::string baseline_file;
  double max_shrink = 0;  // a share: 0.2
  std::string max_shrink_text;
  bool require_checksum = false;
  int64_t now_s = 0;
  bool only_path = false;  // there is one PATH only

  [[nodiscard]] bool any() const { return min_keys || max_age_s || baseline || require_checksum; }
};

// What they have against it. Whatever they need to know and the file does not tell is held against it.
std::vector<Finding> failed_gates(const Verdict& verdict, const Gates& gates);

struct GateArguments {
  std::optional<uint64_t> min_keys;
  std::string max_age;
  std::string as_of;
  std::string baseline;
  std::string max_shrink = "20%";
  bool require_checksum = false;

  void add_to(CLI::App& app);
  // Reads the baseline, too. Throws std::invalid_argument.
  [[nodiscard]] Gates gates() const;
};

}  // namespace persist::tool
