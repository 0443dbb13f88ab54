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

// There was no room for a key.
bool is_header(Extent extent) {
  constexpr uint64_t kHeaderBytes = 9;
  return extent.offset == 0 && extent.size <= kHeaderBytes;
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
  for (const std::string& words : {salvage_in_words(salvage), unknown_in_words(salvage)})
    if (!words.empty()) fmt::print(stderr, "persist repair: {}: {}\n", printable(salvage.file), words);
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
  const bool ends_here = step.action == SalvageAction::tail && step.extent.size == 0;
  Words words = {ends_here ? "ends here" : row.words};
  if (!step.kept) words.emplace_back(", left out");
  if ((row.has_size && !ends_here) || !step.kept)
    words.emplace_back(fmt::format(" {}", counted(step.extent.size, "byte")));
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
  if (salvage.keys_dropped > 0) text += fmt::format("; {} known to be lost", salvage.keys_dropped);
  if (salvage.exact) return text + "; " + exactness_in_words(salvage);
  if (is_doubtful(salvage)) text += "; all of it reads well, but some of it is not what was written";
  return text + fmt::format("; {} left out", counted(salvage.bytes_lost, "byte"));
}

std::string exactness_in_words(const RdbSalvage& salvage) {
  std::string text = "the file is as it was written: the checksum fits again";
  if (salvage.false_match > 0)
    text += fmt::format(", which it would by accident with a probability of {:.0e}", salvage.false_match);
  return text;
}

bool is_doubtful(const RdbSalvage& salvage) {
  return std::ranges::any_of(salvage.steps, [](const SalvageStep& step) {
    return step.action == SalvageAction::sealed && step.why == FindingCode::rdb_checksum;
  });
}

std::string unknown_in_words(const RdbSalvage& salvage) {
  uint64_t in_gaps = 0;
  bool is_torn = false;
  for (const SalvageStep& step : salvage.steps) {
    const bool is_tail = step.action == SalvageAction::tail && step.why != FindingCode::rdb_trailing;
    if (is_tail && finding_kind(step.why).reach == Reach::tail)
      is_torn = true;
    else if ((is_tail || step.action == SalvageAction::gap) && !is_header(step.extent))
      in_gaps += step.extent.size;
  }
  std::string text;
  if (in_gaps > 0) text = fmt::format("how many keys the {} in gaps held", counted(in_gaps, "byte"));
  if (is_torn) text += std::string(text.empty() ? "" : ", or ") + "how many keys were to follow its torn end";
  return text.empty() ? text : "nobody can say " + text;
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
