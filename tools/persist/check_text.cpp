// The verdict on a path in words and as JSON. The shapes: persist-check(1), OUTPUT and JSON.
#include "check_text.hpp"

#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "check_log.hpp"
#include "report.hpp"
#include "terminal.hpp"

namespace persist::tool {

namespace {

using Json = nlohmann::ordered_json;

const char* verdict_word(const Verdict& verdict) {
  if (verdict.sound()) return "ok";
  const bool ours = verdict.log || verdict.kind == "rdb" || verdict.kind == "dump-payload";
  return ours ? "damaged" : "neither RDB file nor log";
}

std::string describe_rdb(const CheckSummary& summary) {
  if (!summary.has_header) return "";
  std::string text = fmt::format(", {} version {}, {}", dialect_name(summary.dialect), summary.version,
                                 counted(summary.keys, "key"));
  if (summary.volatile_keys > 0) text += fmt::format(" ({} with an expiry)", summary.volatile_keys);
  if (summary.functions > 0) text += ", " + counted(summary.functions, "function");
  if (summary.complete) text += fmt::format(", checksum {}", checksum_state_name(summary.checksum));
  if (!summary.sound()) text += fmt::format(", whole up to {:#x}", summary.valid_up_to);
  return text;
}

std::string answer_of(const Verdict& verdict, const Target& target) {
  std::string answer;
  if (loads(verdict, target)) {
    answer = "will load it";
  } else if (verdict.log) {
    const StartupVerdict* startup = verdict_of(*verdict.log, target);
    answer =
        startup != nullptr && startup->startup != Startup::loads ? describe(*startup) : "will not load it";
  } else {
    answer = verdict.rdb.obstacle ? "will not load it" : "may not load it: it is damaged";
  }
  return fmt::format("{}: {}: {}\n", printable(verdict.path), target.name, answer);
}

void add_rdb(Json& json, const CheckSummary& summary) {
  if (summary.has_header) {
    json["dialect"] = dialect_name(summary.dialect);
    json["version"] = summary.version;
    json["keys"] = summary.keys;
    json["volatile_keys"] = summary.volatile_keys;
    json["functions"] = summary.functions;
    json["complete"] = summary.complete;
    if (summary.complete) json["checksum"] = checksum_state_name(summary.checksum);
  }
  json["valid_up_to"] = summary.valid_up_to;
}

Json json_of_target(const Verdict& verdict, const Target& target) {
  Json json = {{"name", target.name}, {"loads", loads(verdict, target)}};
  if (!verdict.log) {
    if (verdict.rdb.obstacle) json["obstacle"] = json_of(*verdict.rdb.obstacle);
    return json;
  }
  for (const PartSummary& part : verdict.log->parts) {
    if (part.rdb && part.rdb->obstacle) json["obstacle"] = json_of(*part.rdb->obstacle);
  }
  if (const StartupVerdict* startup = verdict_of(*verdict.log, target)) json["does"] = describe(*startup);
  return json;
}

// How much there is and how new it is, for those who compare.
void add_measures(Json& json, const Verdict& verdict) {
  if (verdict.log) {
    json["flushes"] = verdict.flushes();
  } else if (verdict.rdb.ctime_s) {
    json["ctime_s"] = *verdict.rdb.ctime_s;
  }
  json["bytes"] = verdict.bytes();
  if (const std::optional<int64_t> newest_s = verdict.newest_time_s()) json["newest_time_s"] = *newest_s;
}

}  // namespace

std::string verdict_text(const Verdict& verdict, const Target* target) {
  std::string line = fmt::format("{}: {}: ", printable(verdict.path), verdict_word(verdict));
  line += verdict.log ? describe(verdict.set, *verdict.log) : verdict.kind;
  if (verdict.compression != Compression::none)
    line += fmt::format(" in {}", compression_name(verdict.compression));
  if (!verdict.log) line += describe_rdb(verdict.rdb);
  if (verdict.errors() > 0) line += ", " + counted(verdict.errors(), "error");
  if (verdict.warnings() > 0) line += ", " + counted(verdict.warnings(), "warning");
  if (!verdict.passed()) {
    const size_t failed = verdict.gates->size();
    line += failed == 1 ? ", gate failed" : fmt::format(", {} gates failed", failed);
  }
  line += "\n";
  if (target != nullptr) return line + answer_of(verdict, *target);
  if (!verdict.log || verdict.sound()) return line;
  return line + fmt::format("{}: what servers do with it at start:\n{}", printable(verdict.path),
                            describe_startup(*verdict.log));
}

Json verdict_json(const Verdict& verdict, const Target* target, const std::vector<Finding>& findings,
                  size_t left_out) {
  Json json;
  json["path"] = json_string(verdict.path);
  json["kind"] = verdict.kind;
  json["status"] = verdict.sound() ? "ok" : "damaged";
  if (verdict.compression != Compression::none) json["compression"] = compression_name(verdict.compression);
  if (verdict.log)
    add_members(json, *verdict.log, verdict.keys(), verdict.functions());
  else
    add_rdb(json, verdict.rdb);
  add_measures(json, verdict);
  if (target != nullptr) json["target"] = json_of_target(verdict, *target);
  if (verdict.gates) json["gates"] = verdict.passed() ? "passed" : "failed";
  json["findings"] = Json::array();
  for (const Finding& finding : findings) json["findings"].push_back(json_of(finding));
  if (left_out > 0) json["findings_left_out"] = left_out;
  return json;
}

}  // namespace persist::tool
