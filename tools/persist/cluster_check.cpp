// The members of a cluster: folders of servers with their nodes.conf, or files of which nobody knows the
// slots.
#include "cluster_check.hpp"

#include <fmt/core.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "persist/check_cluster.hpp"
#include "replaying.hpp"
#include "report.hpp"
#include "terminal.hpp"

namespace persist::tool {

namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kClusterName = "cluster";
constexpr const char* kNodesConf = "nodes.conf";

// What opening a path has to say, the check of that path has said.
ClusterMember member_at(const std::string& path) {
  namespace fs = std::filesystem;
  std::error_code unknown;
  const bool folder = fs::is_directory(path, unknown);
  if (!folder && !fs::is_regular_file(path, unknown))
    throw std::invalid_argument(path + ": --cluster reads files more than once: expected a file or a folder");
  FindingList said_before;
  Keyspace found = open_keyspace(path, said_before);
  ClusterMember member;
  member.name = path;
  if (found.log)
    member.log = std::move(found.log);
  else
    member.rdb_path = found.file;
  if (const fs::path conf = fs::path(path) / kNodesConf; folder && fs::exists(conf, unknown))
    member.nodes_conf = conf.string();
  return member;
}

std::string cluster_text(const ClusterSummary& summary) {
  size_t untold = 0;
  size_t copies = 0;
  size_t unread = 0;
  for (const ClusterMemberSummary& member : summary.members) {
    if (!member.knows_slots) ++untold;
    if (member.copy_of)
      ++copies;
    else if (!member.complete)
      ++unread;
  }
  std::string line = fmt::format("{}: {}: {}, {}", kClusterName, summary.sound() ? "ok" : "damaged",
                                 counted(summary.members.size(), "node"), counted(summary.keys, "key"));
  if (copies > 0) line += fmt::format(", {} left out as a copy", counted(copies, "replica"));
  if (untold < summary.members.size()) line += fmt::format(", {} owned", counted(summary.slots, "slot"));
  if (untold > 0)
    line += fmt::format(", {} not tell {} slots",
                        untold == 1 ? "1 node does" : fmt::format("{} nodes do", untold),
                        untold == 1 ? "its" : "their");
  if (unread > 0) line += fmt::format(", {} that could not be read to the end", counted(unread, "node"));
  if (summary.keys_twice > 0) line += fmt::format(", {} twice", counted(summary.keys_twice, "key"));
  if (summary.keys_foreign > 0)
    line += fmt::format(", {} in foreign slots", counted(summary.keys_foreign, "key"));
  if (summary.keys_beyond > 0) line += fmt::format(", {} not in db 0", counted(summary.keys_beyond, "key"));
  if (summary.errors > 0) line += ", " + counted(summary.errors, "error");
  if (summary.warnings > 0) line += ", " + counted(summary.warnings, "warning");
  return line + "\n";
}

Json member_json(const ClusterMember& member, const ClusterMemberSummary& about,
                 const std::vector<ClusterMember>& members) {
  Json json;
  json["path"] = json_string(member.name);
  if (!about.node.empty()) json["node"] = about.node;
  if (about.copy_of) {
    json["copy_of"] = json_string(members[*about.copy_of].name);
    return json;
  }
  if (about.knows_slots) json["slots"] = about.slots;
  json["keys"] = about.keys;
  json["complete"] = about.complete;
  return json;
}

Json cluster_json(const std::vector<ClusterMember>& members, const ClusterSummary& summary,
                  const KeptReport& kept) {
  Json json;
  json["path"] = kClusterName;
  json["kind"] = kClusterName;
  json["status"] = summary.sound() ? "ok" : "damaged";
  json["nodes"] = Json::array();
  for (size_t i = 0; i < members.size(); ++i)
    json["nodes"].push_back(member_json(members[i], summary.members[i], members));
  json["keys"] = summary.keys;
  json["slots"] = summary.slots;
  json["slots_known"] = summary.knows_slots;
  json["keys_twice"] = summary.keys_twice;
  json["keys_foreign"] = summary.keys_foreign;
  json["keys_beyond_db0"] = summary.keys_beyond;
  json["findings"] = Json::array();
  for (const Finding& finding : kept.kept()) json["findings"].push_back(json_of(finding));
  if (kept.left_out() > 0) json["findings_left_out"] = kept.left_out();
  return json;
}

}  // namespace

Exit check_paths_as_cluster(const std::vector<std::string>& paths, const ReplayOptions& replay,
                            const CommonOptions& common, CiReports& reports) {
  std::vector<ClusterMember> members;
  members.reserve(paths.size());
  for (const std::string& path : paths) members.push_back(member_at(path));
  ClusterOptions options;
  options.replay = replay;
  options.threads = common.threads;
  KeptReport kept(common.findings_max);
  const ClusterSummary summary = check_cluster(members, kept, options);
  const std::string text = cluster_text(summary);
  if (common.json) {
    fmt::print("{}", json_line(cluster_json(members, summary, kept)));
  } else {
    TextReport report(common.findings_max);
    for (const Finding& finding : kept.kept()) report.report(finding);
    if (kept.left_out() > 0) fmt::print(stderr, "... and {} more findings\n", kept.left_out());
    fmt::print("{}", text);
  }
  const Exit status = exit_of(summary.reach, summary.sound());
  if (reports.any()) reports.add({kClusterName, status, text, false, kept.kept(), kept.left_out()});
  return status;
}

}  // namespace persist::tool
