// A repair for programs. The shape: persist-repair(1), JSON.
#include <fmt/core.h>

#include <array>
#include <nlohmann/json.hpp>

#include "editing.hpp"
#include "repair_report.hpp"
#include "report.hpp"
#include "terminal.hpp"

namespace persist::tool {

namespace {

using Json = nlohmann::ordered_json;

// By RepairAction.
constexpr std::array<const char*, 6> kRepairActionIds = {"cut",    "skipped",  "dropped-file",
                                                         "closed", "selected", "manifest"};

Json log_step_json(const RepairStep& step) {
  Json json;
  json["action"] = kRepairActionIds[static_cast<size_t>(step.action)];
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

Json rdb_step_json(const SalvageStep& step) {
  Json json;
  json["action"] = salvage_action_name(step.action);
  json["offset"] = step.extent.offset;
  json["size"] = step.extent.size;
  json["code"] = finding_kind(step.why).id;
  if (!step.note.empty()) json["note"] = printable(step.note);
  if (step.db) json["db"] = *step.db;
  if (step.key) json["key"] = json_string(*step.key);
  if (step.action == SalvageAction::uncertain) json["kept"] = step.kept;
  return json;
}

Json keys_json(const RdbSalvage& salvage) {
  return {{"kept", salvage.keys_kept},
          {"salvaged", salvage.keys_salvaged},
          {"partial", salvage.keys_partial},
          {"uncertain", salvage.keys_uncertain},
          {"dropped", salvage.keys_dropped}};
}

Json by_type_json(const SalvageCounts::ByType& counts) {
  Json json = Json::object();
  for (size_t i = 0; i < counts.size(); ++i)
    if (counts[i] > 0) json[std::string(value_type_name(static_cast<ValueType>(i)))] = counts[i];
  return json;
}

Json db_counts_json(const SalvageCounts& counts) {
  return {{"db", counts.db},
          {"kept", by_type_json(counts.kept)},
          {"salvaged", by_type_json(counts.salvaged)},
          {"partial", by_type_json(counts.partial)},
          {"uncertain", by_type_json(counts.uncertain)},
          {"dropped", by_type_json(counts.dropped)}};
}

Json salvage_json(const RdbSalvage& salvage) {
  Json json;
  json["file"] = json_string(salvage.file);
  if (salvage.header) {
    json["header"] = {{"dialect", dialect_name(salvage.header->dialect)},
                      {"version", salvage.header->version}};
  }
  json["exact"] = salvage.exact;
  if (salvage.exact) json["false_match"] = salvage.false_match;
  json["keys"] = keys_json(salvage);
  json["bytes_lost"] = salvage.bytes_lost;
  if (salvage.stored_checksum) json["stored_checksum"] = fmt::format("{:016x}", *salvage.stored_checksum);
  if (salvage.computed_checksum)
    json["computed_checksum"] = fmt::format("{:016x}", *salvage.computed_checksum);
  json["dbs"] = Json::array();
  for (const SalvageCounts& counts : salvage.dbs) json["dbs"].push_back(db_counts_json(counts));
  json["steps"] = Json::array();
  for (const SalvageStep& step : salvage.steps) json["steps"].push_back(rdb_step_json(step));
  json["steps_in_all"] = salvage.steps_in_all;
  return json;
}

}  // namespace

std::string status_name(const RepairTold& told, const RepairSummary& summary) {
  if (is_sound(summary)) return "sound";
  return told.dry_run ? "repairable" : "repaired";
}

Json repair_json(const RepairTold& told, const RepairSummary& summary) {
  Json json;
  json["path"] = json_string(told.path);
  json["status"] = status_name(told, summary);
  add_members(json, summary.edit);
  json["lost_bytes"] = summary.lost_bytes;
  json["lost_commands"] = summary.lost_commands;
  json["salvaged_commands"] = summary.salvaged_commands;
  json["steps"] = Json::array();
  for (const RepairStep& step : summary.steps) json["steps"].push_back(log_step_json(step));
  json["rdb"] = Json::array();
  for (const RdbSalvage& salvage : summary.rdb) json["rdb"].push_back(salvage_json(salvage));
  return json;
}

}  // namespace persist::tool
