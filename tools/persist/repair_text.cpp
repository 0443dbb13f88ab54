// Steps and sums of a repair in words, and what goes to standard error of them.
#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "repair_report.hpp"
#include "report.hpp"
#include "terminal.hpp"

namespace persist::tool {

namespace {

// By RepairAction.
constexpr std::array<const char*, 6> kRepairActions = {"cut",    "skipped", "dropped",
                                                       "put in", "put in",  "written anew"};

struct SalvageRow {
  const char* words;
  bool has_size;  // the bytes are lost
  bool has_code;
};
// By SalvageAction.
constexpr std::array<SalvageRow, 10> kSalvageActions = {{{"corrected", false, false},
                                                         {"put in", false, false},
                                                         {"left out", true, true},
                                                         {"kept in part", false, true},
                                                         {"left out", true, true},
                                                         {"cut", true, true},
                                                         {"left out", true, true},
                                                         {"put in", false, false},
                                                         {"uncertain", false, false},
                                                         {"put in", false, false}}};

Span quoted_key(Bytes key) {
  constexpr size_t kShown = 200;
  if (key.size() <= kShown) return code(fmt::format("\"{}\"", key));
  return code(fmt::format("\"{}\"... of {} bytes", key.substr(0, kShown), key.size()));
}

void append(Words& words, const Words& more) { words.insert(words.end(), more.begin(), more.end()); }

// `, "user:17" in db 3`
Words owner_words(const SalvageStep& step) {
  if (!step.key) return {};
  Words words = {", ", quoted_key(*step.key)};
  if (step.db && *step.db != 0) words.emplace_back(fmt::format(" in db {}", *step.db));
  return words;
}

void print_line(const std::string& file, uint64_t offset, const Words& words) {
  fmt::print(stderr, "{}:{:#x}: {}\n", printable(file), offset, plain_text(words));
}

void print_salvage(const RdbSalvage& salvage, size_t steps_max) {
  const size_t shown = std::min(steps_max, salvage.steps.size());
  for (size_t i = 0; i < shown; ++i) {
    const SalvageStep& step = salvage.steps[i];
    print_line(salvage.file, step.extent.offset, step_words(step));
  }
  if (salvage.steps_in_all > shown)
    fmt::print(stderr, "... and {}\n", counted(salvage.steps_in_all - shown, "more step"));
}

void print_sums(const RdbSalvage& salvage) {
  const std::string file = printable(salvage.file);
  fmt::print(stderr, "persist repair: {}: {}\n", file, salvage_in_words(salvage));
  if (salvage.exact) fmt::print(stderr, "persist repair: {}: {}\n", file, exactness_in_words(salvage));
}

}  // namespace

Words step_words(const RepairStep& step) {
  const bool told = step.action == RepairAction::closed || step.action == RepairAction::selected ||
                    step.action == RepairAction::manifest;
  Words words = {kRepairActions[static_cast<size_t>(step.action)]};
  if (told) {
    append(words, {": ", printable(step.note)});
    return words;
  }
  words.emplace_back(
      fmt::format(" {}, {}", counted(step.extent.size, "byte"), counted(step.commands, "command")));
  for (size_t i = 0; i < step.keys.size(); ++i)
    append(words, {i == 0 ? ": " : ", ", quoted_key(step.keys[i])});
  words.emplace_back(fmt::format(" [{}]", finding_kind(step.why).id));
  return words;
}

Words step_words(const SalvageStep& step) {
  const SalvageRow& row = kSalvageActions[static_cast<size_t>(step.action)];
  Words words = {row.words};
  if (!step.kept) words.emplace_back(", left out");
  if (row.has_size || !step.kept) words.emplace_back(fmt::format(" {}", counted(step.extent.size, "byte")));
  append(words, owner_words(step));
  if (!step.note.empty()) append(words, {": ", printable(step.note)});
  if (row.has_code) words.emplace_back(fmt::format(" [{}]", finding_kind(step.why).id));
  return words;
}

std::string salvage_in_words(const RdbSalvage& salvage) {
  struct Part {
    uint64_t keys;
    const char* words;
  };
  const std::array<Part, 3> parts = {{{salvage.keys_salvaged, "salvaged"},
                                      {salvage.keys_partial, "in part"},
                                      {salvage.keys_uncertain, "uncertain"}}};
  std::string text = counted(salvage.keys_kept, "key") + " kept";
  const char* joint = ", of them ";
  for (const Part& part : parts) {
    if (part.keys == 0) continue;
    text += fmt::format("{}{} {}", joint, part.keys, part.words);
    joint = ", ";
  }
  if (salvage.keys_dropped > 0) text += fmt::format("; {} dropped", salvage.keys_dropped);
  return text + fmt::format("; {} lost", counted(salvage.bytes_lost, "byte"));
}

std::string exactness_in_words(const RdbSalvage& salvage) {
  std::string text = "the file is as it was written: checksum good";
  if (salvage.false_match > 0)
    text += fmt::format("; a wrong correction would fit with a probability of {:.0e}", salvage.false_match);
  return text;
}

void print_repair(const RepairSummary& summary, size_t steps_max) {
  for (const RdbSalvage& salvage : summary.rdb) print_salvage(salvage, steps_max);
  for (const RepairStep& step : summary.steps) print_line(step.file, step.extent.offset, step_words(step));
  if (is_sound(summary)) fmt::print(stderr, "persist repair: nothing to repair\n");
  for (const RdbSalvage& salvage : summary.rdb) print_sums(salvage);
  if (summary.salvaged_commands > 0) {
    fmt::print(
        stderr,
        "persist repair: {} behind damage were salvaged: what they rest on may be missing, and nobody can "
        "say that the dataset is consistent\n",
        counted(summary.salvaged_commands, "command"));
  }
}

}  // namespace persist::tool
