// persist check: one verdict a path.
#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <system_error>

#include "check_log.hpp"
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
  std::string conf_path;
  std::optional<ServerConf> conf;
  std::vector<std::string> known;
  CommonOptions common;

  void add_to(CLI::App& app) {
    app.add_option("PATH", paths, "files, append directories, data directories; - is standard input");
    app.add_option("--for", target_name,
                   "also: will this server load it? (redis-2.0 to redis-8.8, valkey-7.2 to valkey-9.1)")
        ->type_name("SERVER");
    app.add_flag("--relaxed", relaxed, "with --for valkey: as configured with `rdb-version-check relaxed`")
        ->needs("--for");
    app.add_option("--conf", conf_path, "a redis.conf or valkey.conf: where the data is, and what is on")
        ->type_name("FILE");
    app.add_option("--known", known, "names of commands that were renamed, or are a module's")
        ->type_name("NAME,...")
        ->delimiter(',')
        ->expected(1)
        ->take_all();
    common.add_to(app);
  }
};

// What a path was taken for, and what came of it: of an RDB file or a payload the one, of a log the other.
struct Verdict {
  std::string path;
  std::string kind = "rdb";
  Compression compression = Compression::none;
  CheckSummary rdb;
  AppendSet set;
  std::optional<SetSummary> log;

  [[nodiscard]] bool sound() const { return log ? log->sound() : rdb.sound(); }
  [[nodiscard]] uint64_t errors() const { return log ? log->errors : rdb.errors; }
  [[nodiscard]] uint64_t warnings() const { return log ? log->warnings : rdb.warnings; }
};

// Finds out what a path is and checks it.
class PathCheck {
 public:
  PathCheck(const CheckArguments& arguments, FindingSink& findings)
      : arguments_(arguments), findings_(findings) {}

  Verdict check(const std::string& path) {
    verdict_.path = path;
    if (std::filesystem::is_directory(path)) {
      check_folder(path);
      return std::move(verdict_);
    }
    Input input = open_input(path);
    verdict_.compression = input.source->compression();
    if (input.payload) {
      verdict_.kind = "dump-payload";
      verdict_.rdb = check_dump_payload(input.payload->bytes, input.source->name(), findings_, rdb_options());
    } else if (const FileContent content = recognise_content(*input.source); content == FileContent::other) {
      ProgressLine progress(arguments_.common.progress_when(), input.source->size());
      KindWatch watch(findings_);
      verdict_.rdb = check_rdb(*input.source, watch, rdb_options(&progress));
      verdict_.kind = watch.kind();
    } else if (content == FileContent::manifest) {
      check_folder(path);
    } else {
      check_file(std::move(input.source));
    }
    return std::move(verdict_);
  }

 private:
  [[nodiscard]] CheckOptions rdb_options(ProgressLine* progress = nullptr) const {
    CheckOptions options;
    options.target = arguments_.target;
    options.version_check = arguments_.relaxed ? VersionCheck::relaxed : VersionCheck::strict;
    options.now_ms = wall_clock_ms();
    options.threads = arguments_.common.threads;
    if (progress != nullptr) options.progress = progress->callback();
    return options;
  }

  [[nodiscard]] LogCheckOptions log_options(ProgressLine& progress) const {
    LogCheckOptions options;
    options.rdb = rdb_options(&progress);
    options.known = arguments_.known;
    if (!arguments_.conf) return options;
    options.databases = arguments_.conf->databases;
    options.aof_load_truncated = arguments_.conf->aof_load_truncated;
    return options;
  }

  void check_folder(const std::string& path) {
    FindingList found;
    SetOptions options;
    if (arguments_.conf) options.conf = &*arguments_.conf;
    verdict_.set = open_append_set(path, found, options);
    const AppendSet& set = verdict_.set;
    verdict_.kind = set.kind == SetKind::data_dir ? "data-dir" : "append-dir";
    for (const Finding& finding : found.all) findings_.report(finding);
    if (!set.has_log() && !set.rdb_path.empty()) verdict_.set.parts = single_file_set(set.rdb_path).parts;
    uint64_t size = 0;
    for (const SetPart& part : set.parts) size += part.size;
    ProgressLine progress(arguments_.common.progress_when(), size);
    verdict_.log = check_set(set, found.all, findings_, log_options(progress));
  }

  // An RDB file, a log, or an RDB file with a log behind it.
  void check_file(std::unique_ptr<ByteSource> source) {
    verdict_.set = single_file_set(verdict_.path);
    verdict_.set.parts.front().path = source->name();
    ProgressLine progress(arguments_.common.progress_when(), source->size());
    LogCheckOptions options = log_options(progress);
    options.open = [&](const SetPart&) { return std::move(source); };
    verdict_.log = check_set(verdict_.set, {}, findings_, options);
    const PartSummary& part = verdict_.log->parts.front();
    verdict_.kind = "aof";
    if (part.has_log) return;
    verdict_.kind = "rdb";
    verdict_.rdb = *part.rdb;
    verdict_.rdb.valid_up_to = part.valid_up_to;
    verdict_.log.reset();
  }

  const CheckArguments& arguments_;
  FindingSink& findings_;
  Verdict verdict_;
};

// What stands in the way of the target, in words; empty if nothing does.
bool loads(const Verdict& verdict, const Target& target) {
  if (!verdict.log) return verdict.rdb.sound() && !verdict.rdb.obstacle;
  const StartupVerdict* startup = verdict_of(*verdict.log, target);
  for (const PartSummary& part : verdict.log->parts) {
    if (part.rdb && part.rdb->obstacle) return false;
  }
  return startup != nullptr && startup->startup == Startup::loads;
}

Exit exit_of(const Verdict& verdict, const Target* target) {
  const Reach reach = verdict.log ? verdict.log->reach : verdict.rdb.reach;
  if (verdict.sound() && target != nullptr && !loads(verdict, *target)) return kDamaged;
  return tool::exit_of(reach, verdict.sound());
}

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

void print_answer(const Verdict& verdict, const Target& target) {
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
  fmt::print("{}: {}: {}\n", printable(verdict.path), target.name, answer);
}

void print_text(const Verdict& verdict, const Target* target) {
  std::string line = fmt::format("{}: {}: ", printable(verdict.path), verdict_word(verdict));
  line += verdict.log ? describe(verdict.set, *verdict.log) : verdict.kind;
  if (verdict.compression != Compression::none)
    line += fmt::format(" in {}", compression_name(verdict.compression));
  if (!verdict.log) line += describe_rdb(verdict.rdb);
  if (verdict.errors() > 0) line += ", " + counted(verdict.errors(), "error");
  if (verdict.warnings() > 0) line += ", " + counted(verdict.warnings(), "warning");
  fmt::print("{}\n", line);
  if (target != nullptr) {
    print_answer(verdict, *target);
  } else if (verdict.log && !verdict.sound()) {
    fmt::print("{}: what servers do with it at start:\n{}", printable(verdict.path),
               describe_startup(*verdict.log));
  }
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

void print_json(const Verdict& verdict, const Target* target, const KeptReport& report) {
  Json json;
  json["path"] = json_string(verdict.path);
  json["kind"] = verdict.kind;
  json["status"] = verdict.sound() ? "ok" : "damaged";
  if (verdict.compression != Compression::none) json["compression"] = compression_name(verdict.compression);
  if (verdict.log)
    add_members(json, *verdict.log);
  else
    add_rdb(json, verdict.rdb);
  if (target != nullptr) json["target"] = json_of_target(verdict, *target);
  json["findings"] = Json::array();
  for (const Finding& finding : report.kept()) json["findings"].push_back(json_of(finding));
  if (report.left_out() > 0) json["findings_left_out"] = report.left_out();
  fmt::print("{}", json_line(json));
}

int report_unreadable(const std::string& path, const CheckArguments& arguments, const char* what) {
  if (arguments.common.json) {
    Json json = {{"path", json_string(path)}, {"status", "unreadable"}, {"error", printable(what)}};
    json["findings"] = Json::array();
    fmt::print("{}", json_line(json));
  }
  fmt::print(stderr, "persist check: {}\n", printable(what));
  return kTrouble;
}

int check_one(const std::string& path, const CheckArguments& arguments) {
  try {
    if (arguments.common.json) {
      KeptReport report(arguments.common.findings_max);
      const Verdict verdict = PathCheck(arguments, report).check(path);
      print_json(verdict, arguments.target, report);
      return exit_of(verdict, arguments.target);
    }
    TextReport report(arguments.common.findings_max);
    const Verdict verdict = PathCheck(arguments, report).check(path);
    print_text(verdict, arguments.target);
    return exit_of(verdict, arguments.target);
  } catch (const std::system_error& error) {
    return report_unreadable(path, arguments, error.what());
  } catch (const std::invalid_argument& error) {
    return report_unreadable(path, arguments, error.what());
  }
}

// False if there is no such server.
bool find_named_target(CheckArguments& arguments) {
  if (arguments.target_name.empty()) return true;
  arguments.target = find_target(arguments.target_name);
  if (arguments.target != nullptr) return true;
  std::string names;
  for (const Target& target : targets()) names += " " + std::string(target.name);
  fmt::print(stderr, "persist check: --for {}: expected one of{}\n", printable(arguments.target_name), names);
  return false;
}

}  // namespace

int run_check(Arguments words) {
  CLI::App app("Checks files and logs: framing, checksums, every encoding, manifests, commands.",
               "persist check");
  CheckArguments arguments;
  arguments.add_to(app);
  add_examples(
      app,
      "  persist check dump.rdb\n"
      "  persist check /var/lib/redis\n"
      "  persist check --conf /etc/redis/redis.conf\n"
      "  persist check --json backups/*.rdb.gz | jq -r 'select(.status != \"ok\").path'\n"
      "  persist check --for redis-7.2 dump.rdb\n"
      "Exit status: 0 sound, 1 only the tail is damaged (or --for says no), 2 it could not be read,\n"
      "3 damage beyond a tail.");
  if (const std::optional<Exit> status = parse(app, words)) return *status;
  if (!find_named_target(arguments)) return kTrouble;
  if (!arguments.conf_path.empty()) {
    arguments.conf = read_server_conf(arguments.conf_path);
    if (arguments.paths.empty()) arguments.paths.push_back(arguments.conf->dir.value_or("."));
  }
  if (arguments.paths.empty()) {
    fmt::print(stderr, "persist check: PATH is required, or --conf FILE\n");
    return kTrouble;
  }
  int status = kDone;
  for (const std::string& path : arguments.paths) status = std::max(status, check_one(path, arguments));
  return status;
}

}  // namespace persist::tool
