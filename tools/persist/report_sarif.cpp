// SARIF 2.1.0: the table of findings as rules, and a result for each finding.
#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "ci_report.hpp"
#include "report.hpp"
#include "terminal.hpp"

namespace persist::tool {

namespace {

using Json = nlohmann::ordered_json;

Json text_of(std::string_view text) { return {{"text", printable(text)}}; }

// A path as a URI: relative to wherever the check ran, or absolute. RFC 3986: unreserved characters and the
// slash stand for themselves.
std::string uri_of(std::string_view path) {
  constexpr std::string_view kPlain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/";
  // Two slashes in front would name a host.
  while (path.starts_with("//")) path.remove_prefix(1);
  std::string uri = path.starts_with('/') ? "file://" : "";
  for (const char c : path) {
    if (kPlain.find(c) != std::string_view::npos)
      uri += c;
    else
      uri += fmt::format("%{:02X}", static_cast<uint8_t>(c));
  }
  return uri;
}

Json rules() {
  Json rules = Json::array();
  for (const FindingKind& kind : finding_kinds()) {
    Json rule;
    rule["id"] = kind.id;
    rule["shortDescription"] = text_of(kind.sentence);
    rule["help"] = text_of(kind.action);
    rule["defaultConfiguration"] = {{"level", severity_name(kind.severity)}};
    rules.push_back(std::move(rule));
  }
  return rules;
}

Json location_of(const Finding& finding, bool compressed) {
  Json place;
  place["artifactLocation"] = {{"uri", uri_of(finding.file)}};
  // Offsets behind a decompression are no places of the artifact, and a finding about all of it has none.
  if (!compressed && (finding.extent.offset > 0 || finding.extent.size > 0)) {
    Json& region = place["region"];
    region["byteOffset"] = finding.extent.offset;
    if (!finding.inflated_offset) region["byteLength"] = finding.extent.size;
  }
  return {{"physicalLocation", std::move(place)}};
}

Json result_of(const Finding& finding, bool compressed) {
  Json result;
  result["ruleId"] = finding.kind().id;
  result["ruleIndex"] = static_cast<size_t>(finding.code);
  result["level"] = severity_name(finding.kind().severity);
  result["message"] = text_of(finding.message());
  result["locations"] = Json::array({location_of(finding, compressed)});
  // The same finding as in persist check --json.
  result["properties"] = json_of(finding);
  return result;
}

// A server asked about may refuse what no finding is about.
Json refusal_of(const PathResult& result) {
  Json json;
  json["level"] = "error";
  json["message"] = text_of(std::string_view(result.words).substr(0, result.words.find('\n')));
  Json place = {{"artifactLocation", {{"uri", uri_of(result.path)}}}};
  json["locations"] = Json::array({Json{{"physicalLocation", std::move(place)}}});
  return json;
}

bool has_error(const PathResult& result) {
  for (const Finding& finding : result.findings) {
    if (finding.kind().severity == Severity::error) return true;
  }
  return false;
}

void add_results(Json& results, const PathResult& result) {
  for (const Finding& finding : result.findings) results.push_back(result_of(finding, result.compressed));
  if (result.status != kDone && result.status != kTrouble && !has_error(result))
    results.push_back(refusal_of(result));
}

// What could not be read is no result but trouble of the tool.
Json invocation_of(const std::vector<PathResult>& results) {
  Json invocation = {{"executionSuccessful", true}};
  for (const PathResult& result : results) {
    if (result.status != kTrouble) continue;
    invocation["executionSuccessful"] = false;
    Json notification;
    notification["level"] = "error";
    notification["message"] = text_of(result.words);
    invocation["toolExecutionNotifications"].push_back(std::move(notification));
  }
  return invocation;
}

}  // namespace

std::string sarif_report(const std::vector<PathResult>& results) {
  Json run;
  run["tool"]["driver"] = {{"name", "persist"}, {"version", PERSIST_VERSION}, {"rules", rules()}};
  run["invocations"] = Json::array({invocation_of(results)});
  run["results"] = Json::array();
  for (const PathResult& result : results) add_results(run["results"], result);
  Json log;
  log["$schema"] = "https://json.schemastore.org/sarif-2.1.0.json";
  log["version"] = "2.1.0";
  log["runs"] = Json::array({std::move(run)});
  return json_line(log);
}

}  // namespace persist::tool
