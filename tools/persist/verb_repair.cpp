// persist repair: what was found, what was done about it.
#include <fmt/core.h>

#include <array>
#include <nlohmann/json.hpp>

#include "editing.hpp"
#include "persist/repair.hpp"
#include "terminal.hpp"
#include "verb.hpp"

namespace persist::tool {

namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kRepairVerb = "repair";

struct RepairArguments {
  EditArguments edit;
  bool salvage = false;
  std::string later = "refuse";
  std::string max_loss;
  std::optional<uint64_t> max_loss_commands;

  void add_to(CLI::App& app) {
    edit.add_to(app);
    app.add_flag("--salvage", salvage, "also skip damage in the middle and keep what stands behind it");
    app.add_option("--later", later,
                   "the files behind a damaged one: keep, drop, or refuse to repair [refuse]")
        ->type_name("WHAT")
        ->check(CLI::IsMember({"keep", "drop", "refuse"}).description(""));
    app.add_option("--max-loss", max_loss,
                   "refuse to lose more than SIZE, such as 64k; permits to cut damage "
                   "in the middle")
        ->type_name("SIZE");
    app.add_option("--max-loss-commands", max_loss_commands, "refuse to lose more than N commands")
        ->type_name("N")
        ->check(whole_number());
  }

  [[nodiscard]] RepairOptions options() const {
    RepairOptions options;
    options.salvage = salvage;
    options.later = later == "keep"   ? LaterFiles::keep
                    : later == "drop" ? LaterFiles::drop
                                      : LaterFiles::refuse;
    if (!max_loss.empty()) options.max_loss_bytes = parse_size("--max-loss", max_loss);
    options.max_loss_commands = max_loss_commands;
    options.known = edit.known;
    return options;
  }
};

constexpr std::array<const char*, 6> kActions = {"cut",    "skipped", "dropped",
                                                 "put in", "put in",  "written anew"};
constexpr std::array<const char*, 6> kActionIds = {"cut",    "skipped",  "dropped-file",
                                                   "closed", "selected", "manifest"};

std::string keys_in_words(const RepairStep& step) {
  std::string text;
  for (const std::string& key : step.keys) text += (text.empty() ? ": \"" : ", \"") + printable(key) + "\"";
  return text;
}

void print_step(const RepairStep& step) {
  const auto action = static_cast<size_t>(step.action);
  const bool told = step.action == RepairAction::closed || step.action == RepairAction::selected ||
                    step.action == RepairAction::manifest;
  std::string line = fmt::format("{}:{:#x}: {}", printable(step.file), step.extent.offset, kActions[action]);
  if (told) {
    line += ": " + printable(step.note);
  } else {
    line += fmt::format(" {}, {}{} [{}]", counted(step.extent.size, "byte"),
                        counted(step.commands, "command"), keys_in_words(step), finding_kind(step.why).id);
  }
  fmt::print(stderr, "{}\n", line);
}

Json step_json(const RepairStep& step) {
  Json json;
  json["action"] = kActionIds[static_cast<size_t>(step.action)];
  json["file"] = json_string(step.file);
  json["offset"] = step.extent.offset;
  json["size"] = step.extent.size;
  json["code"] = finding_kind(step.why).id;
  if (!step.note.empty()) json["note"] = printable(step.note);
  json["commands"] = step.commands;
  json["keys"] = Json::array();
  for (const std::string& key : step.keys) json["keys"].push_back(json_string(key));
  return json;
}

void print_json(const RepairArguments& arguments, const RepairSummary& summary) {
  Json json;
  json["path"] = json_string(arguments.edit.path);
  json["status"] = summary.steps.empty()           ? "sound"
                   : arguments.edit.output.dry_run ? "repairable"
                                                   : "repaired";
  add_members(json, summary.edit);
  json["lost_bytes"] = summary.lost_bytes;
  json["lost_commands"] = summary.lost_commands;
  json["salvaged_commands"] = summary.salvaged_commands;
  json["steps"] = Json::array();
  for (const RepairStep& step : summary.steps) json["steps"].push_back(step_json(step));
  fmt::print("{}", json_line(json));
}

int repair(const RepairArguments& arguments) {
  TextReport report(arguments.edit.findings_max);
  const EditInput input = open_for_edit(arguments.edit, kRepairVerb, report);
  const RepairSummary summary = repair_set(input.set, arguments.options(), arguments.edit.output);
  for (const RepairStep& step : summary.steps) print_step(step);
  if (summary.steps.empty()) fmt::print(stderr, "persist repair: nothing to repair\n");
  if (summary.salvaged_commands > 0) {
    fmt::print(
        stderr,
        "persist repair: {} behind damage were salvaged: what they rest on may be missing, and nobody can "
        "say that the dataset is consistent\n",
        counted(summary.salvaged_commands, "command"));
  }
  print_edit(arguments.edit, kRepairVerb, summary.edit);
  if (arguments.edit.json) print_json(arguments, summary);
  return kDone;
}

}  // namespace

int run_repair(Arguments words) {
  CLI::App app("Writes a sound log out of a damaged one; PATH itself stays as it is.", "persist repair");
  RepairArguments arguments;
  arguments.add_to(app);
  add_examples(
      app,
      "  persist repair appendonlydir -o repaired\n"
      "  persist repair --dry-run /var/lib/redis\n"
      "  persist repair --in-place --max-loss 64k /data/appendonlydir    # in an init container\n"
      "  persist repair --salvage appendonly.aof -o salvaged.aof\n"
      "Exit status: 0 repaired or sound, 2 trouble, 3 damage in the middle (--salvage), 4 more would be\n"
      "lost than permitted.");
  if (const std::optional<Exit> status = parse(app, words)) return *status;
  if (!arguments.edit.check(kRepairVerb)) return kTrouble;
  return run_edit(arguments.edit, kRepairVerb, [&] { return repair(arguments); });
}

}  // namespace persist::tool
