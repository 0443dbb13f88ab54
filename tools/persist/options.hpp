// Options that more than one verb has, and how their values are read.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <vector>

#include "persist/filter.hpp"
#include "terminal.hpp"
#include "verb.hpp"

namespace persist::tool {

// Parses and returns nothing, or returns the exit status: --help was given, or something is wrong.
std::optional<Exit> parse(CLI::App& app, Arguments arguments);

// The text of FILES, EXAMPLES... that stands behind the options.
void add_examples(CLI::App& app, const std::string& examples);

// For options that take a whole number from 0 on.
CLI::Validator whole_number();

// Milliseconds since the epoch, out of seconds or milliseconds since then or 2026-11-20T18:00:00Z.
std::optional<int64_t> parse_time(const std::string& text);
// The same for the value of an option. Throws std::invalid_argument.
int64_t time_option(const std::string& name, const std::string& text);
int64_t wall_clock_ms();

// --known: for verbs that judge the names of commands.
void add_known(CLI::App& app, std::vector<std::string>& known);

struct CommonOptions {
  std::string progress = "auto";
  unsigned threads = 0;
  bool json = false;
  size_t findings_max = 100;

  void add_to(CLI::App& app);
  [[nodiscard]] When progress_when() const;
};

struct FilterArguments {
  std::vector<std::string> globs;
  std::vector<std::string> regexes;
  bool invert = false;
  std::vector<uint64_t> dbs;
  std::vector<std::string> types;
  std::vector<std::string> slots;
  std::string expired;  // empty: not given
  std::string as_of;

  void add_to(CLI::App& app);
  // All but --expired and --as-of.
  void add_selection_to(CLI::App& app);
  [[nodiscard]] bool selects() const;
  // Throws std::invalid_argument.
  [[nodiscard]] FilterOptions options() const;
};

}  // namespace persist::tool
