// persist check: one verdict a path.
#include <fmt/core.h>

#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <system_error>

#include "input.hpp"
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
    app.add_flag("--relaxed", relaxed, "with --for valkey: as configured with `rdb-version-check relaxed`")
        ->needs("--for");
    common.add_to(app);
  }
};

// What a path was taken for, and what came of it.
struct Verdict {
  std::string path;
  std::string kind = "rdb";
  Compression compression = Compression::none;
  CheckSummary summary;
};

Verdict check_path(const std::string& path, const CheckArguments& arguments, FindingSink& findings) {
  Verdict verdict;
  verdict.path = path;
  const Input input = open_input(path);
  verdict.compression = input.source->compression();
  ProgressLine progress(arguments.common.progress_when(), input.source->size());
  CheckOptions options;
  options.target = arguments.target;
  options.version_check = arguments.relaxed ? VersionCheck::relaxed : VersionCheck::strict;
  options.now_ms = wall_clock_ms();
  options.threads = arguments.common.threads;
  options.progress = progress.callback();
  if (input.payload) {
    verdict.kind = "dump-payload";
    verdict.summary = check_dump_payload(input.payload->bytes, input.source->name(), findings, options);
    return verdict;
  }
  KindWatch watch(findings);
  verdict.summary = check_rdb(*input.source, watch, options);
  verdict.kind = watch.kind();
  return verdict;
}

bool loads(const CheckSummary& summary) { return summary.sound() && !summary.obstacle; }

Exit exit_of(const CheckSummary& summary) {
  if (summary.sound() && summary.obstacle) return kDamaged;
  return tool::exit_of(summary.reach, summary.sound());
}

// "1 key", "2 keys"
std::string counted(uint64_t count, const char* noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

const char* verdict_word(const Verdict& verdict) {
  if (verdict.summary.sound()) return "ok";
  return verdict.kind == "rdb" || verdict.kind == "dump-payload" ? "damaged" : "not an RDB file";
}

void print_text(const Verdict& verdict, const Target* target) {
  const CheckSummary& summary = verdict.summary;
  std::string line = fmt::format("{}: {}: {}", printable(verdict.path), verdict_word(verdict), verdict.kind);
  if (verdict.compression != Compression::none)
    line += fmt::format(" in {}", compression_name(verdict.compression));
  if (summary.has_header) {
    line += fmt::format(", {} version {}, {}", dialect_name(summary.dialect), summary.version,
                        counted(summary.keys, "key"));
    if (summary.volatile_keys > 0) line += fmt::format(" ({} with an expiry)", summary.volatile_keys);
    if (summary.functions > 0) line += ", " + counted(summary.functions, "function");
    if (summary.complete) line += fmt::format(", checksum {}", checksum_state_name(summary.checksum));
    if (!summary.sound()) line += fmt::format(", whole up to {:#x}", summary.valid_up_to);
  }
  if (summary.errors > 0) line += ", " + counted(summary.errors, "error");
  if (summary.warnings > 0) line += ", " + counted(summary.warnings, "warning");
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
  json["path"] = json_string(verdict.path);
  json["kind"] = verdict.kind;
  json["status"] = summary.sound() ? "ok" : "damaged";
  if (verdict.compression != Compression::none) json["compression"] = compression_name(verdict.compression);
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
    if (arguments.common.json) {
      Json json = {{"path", json_string(path)}, {"status", "unreadable"}, {"error", printable(error.what())}};
      json["findings"] = Json::array();
      fmt::print("{}", json_line(json));
    }
    fmt::print(stderr, "persist check: {}\n", printable(error.what()));
    return kTrouble;
  }
}

}  // namespace

int run_check(Arguments words) {
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
  if (const std::optional<Exit> status = parse(app, words)) return *status;
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
