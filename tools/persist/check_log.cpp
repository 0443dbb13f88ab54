// Logs and sets in words and in JSON; servers that do the same share a line.
#include "check_log.hpp"

#include <fmt/core.h>

#include <nlohmann/json.hpp>
#include <vector>

#include "replaying.hpp"
#include "report.hpp"
#include "terminal.hpp"

namespace persist::tool {

namespace {

using Json = nlohmann::ordered_json;

std::string kind_in_words(const AppendSet& set) {
  switch (set.kind) {
    case SetKind::append_dir:
      return "append directory";
    case SetKind::data_dir:
      return set.manifest_path.empty() ? "data directory" : "data directory with an append directory";
    case SetKind::file:
      break;
  }
  return "append only file";
}

// Servers next to each other that do the same.
struct Alike {
  const StartupVerdict* first;
  const StartupVerdict* last;
};

bool is_alike(const StartupVerdict& a, const StartupVerdict& b) {
  return a.target->family == b.target->family && a.startup == b.startup && a.file == b.file &&
         a.offset == b.offset && a.why == b.why;
}

std::vector<Alike> group(const std::vector<StartupVerdict>& verdicts) {
  std::vector<Alike> groups;
  for (const StartupVerdict& verdict : verdicts) {
    if (!groups.empty() && is_alike(*groups.back().last, verdict))
      groups.back().last = &verdict;
    else
      groups.push_back({&verdict, &verdict});
  }
  return groups;
}

Json part_json(const PartSummary& part) {
  Json json;
  json["file"] = json_string(part.part.name);
  json["role"] = part_role_name(part.part.role);
  json["present"] = part.part.present;
  json["size"] = part.size;
  if (part.rdb) {
    json["dialect"] = dialect_name(part.rdb->dialect);
    json["version"] = part.rdb->version;
    json["keys"] = part.rdb->keys;
    if (part.rdb->complete) json["checksum"] = checksum_state_name(part.rdb->checksum);
    if (part.rdb->ctime_s) json["ctime_s"] = *part.rdb->ctime_s;
  }
  json["log_offset"] = part.log_offset;
  json["commands"] = part.commands;
  json["transactions"] = part.transactions;
  json["annotations"] = part.annotations;
  json["flushes"] = part.flushes;
  if (part.first_time_s) json["first_time_s"] = *part.first_time_s;
  if (part.last_time_s) json["last_time_s"] = *part.last_time_s;
  json["valid_up_to"] = part.valid_up_to;
  if (part.damaged) json["commands_behind"] = part.commands_behind;
  return json;
}

Json replay_json(const ReplaySummary& replay) {
  Json json;
  add_replay(json, replay);
  json["complete"] = replay.complete;
  json["commands"] = replay.commands;
  json["changed"] = replay.changed;
  json["unchanged"] = replay.unchanged;
  json["failed"] = replay.failed;
  return json;
}

}  // namespace

std::string describe(const AppendSet& set, const SetSummary& summary) {
  std::string text = kind_in_words(set);
  if (set.kind != SetKind::file) text += ", " + counted(summary.parts.size(), "file");
  uint64_t flushes = 0;
  for (const PartSummary& part : summary.parts) {
    flushes += part.flushes;
    if (part.rdb) {
      text += fmt::format(", {} RDB version {} with {}", dialect_name(part.rdb->dialect), part.rdb->version,
                          counted(part.rdb->keys, "key"));
    }
  }
  text += ", " + counted(summary.commands, "command");
  if (flushes > 0) text += fmt::format(" ({} of them empty databases)", flushes);
  if (summary.replay && !summary.replay->refused)
    text += fmt::format(", {} in the end", counted(summary.replay->keys, "key"));
  if (!summary.damaged_part.empty()) {
    text += fmt::format(", whole up to {:#x}", summary.valid_up_to);
    if (summary.parts.size() > 1) text += " of " + printable(summary.damaged_part);
  }
  for (const PartSummary& part : summary.parts) {
    if (part.commands_behind > 0) text += fmt::format(", {} behind the damage", part.commands_behind);
  }
  return text;
}

std::string describe(const StartupVerdict& verdict) {
  const std::string why = verdict.why.empty() ? "" : " (" + printable(verdict.why) + ")";
  const std::string place = fmt::format("{} at {:#x}", printable(verdict.file), verdict.offset);
  switch (verdict.startup) {
    case Startup::loads:
      return "will load it" + why;
    case Startup::cuts:
      return "cuts " + place + why;
    case Startup::empties:
      return "cuts " + printable(verdict.file) + " to 0 bytes" + why;
    case Startup::refuses:
      return "refuses " + place + why;
    case Startup::starts_empty:
      return "starts empty" + why;
    case Startup::may_crash:
      return "may crash on " + place + why;
  }
  return "";
}

std::string describe_startup(const SetSummary& summary) {
  std::string text;
  for (const Alike& alike : group(summary.startup)) {
    const Bytes first = alike.first->target->name;
    const Bytes last = alike.last->target->name;
    std::string servers(first);
    if (first != last) servers += " to " + std::string(last.substr(last.find('-') + 1));
    text += fmt::format("  {:<18} {}\n", servers, describe(*alike.first));
  }
  return text;
}

const StartupVerdict* verdict_of(const SetSummary& summary, const Target& target) {
  for (const StartupVerdict& verdict : summary.startup) {
    if (verdict.target == &target) return &verdict;
  }
  return nullptr;
}

void add_members(Json& json, const SetSummary& summary, std::optional<uint64_t> keys, uint64_t functions) {
  if (keys) json["keys"] = *keys;
  json["functions"] = functions;
  json["commands"] = summary.commands;
  json["valid_up_to"] = summary.valid_up_to;
  json["parts"] = Json::array();
  for (const PartSummary& part : summary.parts) json["parts"].push_back(part_json(part));
  if (summary.replay) json["replay"] = replay_json(*summary.replay);
  json["at_start"] = Json::array();
  for (const Alike& alike : group(summary.startup)) {
    Json row;
    row["from"] = alike.first->target->name;
    row["to"] = alike.last->target->name;
    row["does"] = startup_name(alike.first->startup);
    if (!alike.first->file.empty()) {
      row["file"] = json_string(alike.first->file);
      row["offset"] = alike.first->offset;
    }
    if (!alike.first->why.empty()) row["why"] = printable(alike.first->why);
    json["at_start"].push_back(std::move(row));
  }
}

}  // namespace persist::tool
