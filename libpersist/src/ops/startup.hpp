// What each server would do with a log at start, told from what the check has found. persist-aof(5), LOADING
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "aof/commands.hpp"
#include "persist/check_set.hpp"

namespace persist {

// The first of its kind in a file.
struct FirstSeen {
  std::string name;
  uint64_t offset = 0;
};
struct SeenDamage {
  FindingCode code{};
  uint64_t offset = 0;
};

struct PartFacts {
  std::string file;
  bool has_rdb = false;
  bool rdb_sound = true;
  Dialect dialect = Dialect::redis;
  uint32_t rdb_version = 0;
  std::optional<uint64_t> annotation;
  std::optional<uint64_t> long_annotation;
  std::optional<FirstSeen> unknown;
  std::optional<FirstSeen> arity;
  std::optional<SeenDamage> damage;
  uint64_t server_cut = 0;    // where servers would cut: the end of the last whole command, queued ones too
  uint64_t before_multi = 0;  // the same, as it was before the last MULTI
  // Where each command first stands, by its row in command_specs(), plus one; 0 if it does not.
  std::vector<uint64_t> first_use = std::vector<uint64_t>(command_specs().size());

  void use(const CommandSpec& spec, uint64_t offset) {
    uint64_t& first = first_use[static_cast<size_t>(&spec - command_specs().data())];
    if (first == 0) first = offset + 1;
  }
};

struct SetFacts {
  const AppendSet& set;
  const std::vector<Finding>& found_with_set;
  std::vector<PartFacts> parts;
};

std::vector<StartupVerdict> startup_verdicts(const SetFacts& facts, const LogCheckOptions& options);

}  // namespace persist
