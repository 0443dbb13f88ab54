// persist check: one verdict a path.
#include <fmt/core.h>

#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <system_error>

#include "options.hpp"
#include "persist/check.hpp"
#include "report.hpp"
#include "terminal.hpp"
#include "verb.hpp"

namespace persist::tool {

namespace {

using Json = nlohmann::ordered_json;

struct CheckArguments {
  std::vector<std::string> paths;
  std::string target_name;
  const Target* target = nullptr;
  bool relaxed = false;
  CommonOptions common;

  void add_to(CLI::App& app) {
    app.add_option("PATH", paths, "what to check; - is standard input")->required();
    app.add_option("--for", target_name,
                   "also: will this server load it? (redis-2.0 to redis-8.8, valkey-7.2 to valkey-9.1)")
        ->type_name("SERVER");
    app.add_flag("--relaxed", relaxed, "with --for valkey: as configured with `rdb-version-check relaxed`");
    common.add_to(app);
  }
};

// What a path was taken for, and what came of it.
struct Verdict {
  std::string path;
  std::string kind = "rdb";
  CheckSummary summary;
};

// A file that is no RDB file is known by the finding that says so.
struct WrongKind {
  FindingCode code;
  const char* kind;
};
constexpr WrongKind kWrongKinds[] = {
    {FindingCode::input_empty, "empty"},     {FindingCode::input_nul, "nul"},
    {FindingCode::input_aof, "aof"},         {FindingCode::input_manifest, "manifest"},
    {FindingCode::input_html, "html"},       {FindingCode::input_json, "json"},
    {FindingCode::input_archive, "archive"}, {FindingCode::input_envelope, "valkey-envelope"},
    {FindingCode::input_unknown, "unknown"},
};

// Passes findings on and notes what kind of file they speak of.
class KindWatch : public FindingSink {
 public:
  KindWatch(FindingSink& to, std::string& kind) : to_(to), kind_(kind) {}
  void report(const Finding& finding) override {
    for (const WrongKind& wrong : kWrongKinds) {
      if (finding.code == wrong.code) kind_ = wrong.kind;
    }
    to_.report(finding);
  }

 private:
  FindingSink& to_;
  std::string& kind_;
};

// The whole source, if it is small enough for a DUMP payload and does not begin like a file.
std::optional<Window> whole_if_payload(ByteSource& source) {
  constexpr uint64_t kPayloadMax = uint64_t{64} << 20;
  if (!source.size() || *source.size() > kPayloadMax) return std::nullopt;
  Window window = source.window(0, *source.size());
  const bool file = window.bytes.starts_with("REDIS") || window.bytes.starts_with("VALKEY");
  if (file || !is_dump_payload(window.bytes)) return std::nullopt;
  return window;
}

Verdict check_path(const std::string& path, const CheckArguments& arguments, FindingSink& findings) {
  Verdict verdict{path, "rdb", {}};
  const std::unique_ptr<ByteSource> source = open_source(path);
  if (const std::optional<Window> payload = whole_if_payload(*source)) {
    verdict.kind = "dump-payload";
    verdict.summary = check_dump_payload(payload->bytes, source->name(), findings);
    return verdict;
  }
  ProgressLine progress(arguments.common.progress_when(), source->size());
  CheckOptions options;
  options.target = arguments.target;
  options.version_check = arguments.relaxed ? VersionCheck::relaxed : VersionCheck::strict;
  options.now_ms = wall_clock_ms();
  options.threads = arguments.common.threads;
  options.progress = progress.callback();
  KindWatch watch(findings, verdict.kind);
  verdict.summary = check_rdb(*source, watch, options);
  return verdict;
}

bool loads(const CheckSummary& summary) { return summary.sound() && !summary.obstacle; }

Exit exit_of(const CheckSummary& summary) {
  if (summary.sound() && summary.obstacle) return kDamaged;
  return tool::exit_of(summary.reach, summary.sound());
}

void print_text(const Verdict& verdict, const Target* target) {
  const CheckSummary& summary = verdict.summary;
  std::string line =
      fmt::format("{}: {}: {}", printable(verdict.path), summary.sound() ? "ok" : "damaged", verdict.kind);
  if (summary.has_header) {
    line +=
        fmt::format(", {} version {}, {} keys", dialect_name(summary.dialect), summary.version, summary.keys);
    if (summary.volatile_keys > 0) line += fmt::format(" ({} with an expiry)", summary.volatile_keys);
    if (summary.functions > 0) line += fmt::format(", {} function libraries", summary.functions);
    if (summary.complete) line += fmt::format(", checksum {}", checksum_state_name(summary.checksum));
    if (!summary.sound()) line += fmt::format(", whole up to {:#x}", summary.valid_up_to);
  }
  if (summary.errors > 0) line += fmt::format(", {} error{}", summary.errors, summary.errors == 1 ? "" : "s");
  if (summary.warnings > 0)
    line += fmt::format(", {} warning{}", summary.warnings, summary.warnings == 1 ? "" : "s");
  fmt::print("{}\n", line);
  if (target == nullptr) return;
  const char* answer = loads(summary)     ? "will load it"
                       : summary.obstacle ? "will not load it"
                                          : "may not load it: it is damaged";
  fmt::print("{}: {}: {}\n", printable(verdict.path), target->name, answer);
}

void print_json(const Verdict& verdict, const Target* target, const KeptReport& report) {
  const CheckSummary& summary = verdict.summary;
  Json json;
  json["path"] = printable(verdict.path);
  json["kind"] = verdict.kind;
  json["status"] = summary.sound() ? "ok" : "damaged";
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
  if (target != nullptr) {
    json["target"] = {{"name", target->name}, {"loads", loads(summary)}};
    if (summary.obstacle) json["target"]["obstacle"] = json_of(*summary.obstacle);
  }
  json["findings"] = Json::array();
  for (const Finding& finding : report.kept()) json["findings"].push_back(json_of(finding));
  if (report.left_out() > 0) json["findings_left_out"] = report.left_out();
  fmt::print("{}", json_line(json));
}

int check_one(const std::string& path, const CheckArguments& arguments) {
  try {
    if (arguments.common.json) {
      KeptReport report(arguments.common.findings_max);
      const Verdict verdict = check_path(path, arguments, report);
      print_json(verdict, arguments.target, report);
      return exit_of(verdict.summary);
    }
    TextReport report(arguments.common.findings_max);
    const Verdict verdict = check_path(path, arguments, report);
    print_text(verdict, arguments.target);
    return exit_of(verdict.summary);
  } catch (const std::system_error& error) {
    fmt::print(stderr, "persist check: {}\n", printable(error.what()));
    return kTrouble;
  }
}

}  // namespace

int run_check(Arguments raw) {
  CLI::App app("Checks files: framing, checksum, every encoding, what the values mean.", "persist check");
  CheckArguments arguments;
  arguments.add_to(app);
  add_examples(
      app,
      "  persist check dump.rdb\n"
      "  persist check --json backups/*.rdb.gz | jq -r 'select(.status != \"ok\").path'\n"
      "  persist check --for redis-7.2 dump.rdb\n"
      "Exit status: 0 sound, 1 only the tail is damaged (or --for says no), 2 it could not be read,\n"
      "3 damage beyond a tail.");
  if (const std::optional<Exit> status = parse(app, raw)) return *status;
  if (!arguments.target_name.empty()) {
    arguments.target = find_target(arguments.target_name);
    if (arguments.target == nullptr) {
      std::string names;
      for (const Target& target : targets()) names += " " + std::string(target.name);
      fmt::print(stderr, "persist check: --for {}: expected one of{}\n", printable(arguments.target_name),
                 names);
      return kTrouble;
    }
  }
  int status = kDone;
  for (const std::string& path : arguments.paths) status = std::max(status, check_one(path, arguments));
  return status;
}

}  // namespace persist::tool
