// persist check: one verdict a path.
#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <system_error>
#include <utility>
#include <vector>

#include "check_text.hpp"
#include "ci_report.hpp"
#include "cluster_check.hpp"
#include "gates.hpp"
#include "options.hpp"
#include "path_check.hpp"
#include "replaying.hpp"
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
  bool replay = false;
  bool cluster = false;
  ReplayArguments replaying;
  GateArguments gates;
  std::vector<std::pair<std::string, std::string>> reports;
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
    add_known(app, known);
    app.add_flag("--replay", replay,
                 "replay logs: which commands fail, and how many keys are there in the end?");
    app.add_flag("--cluster", cluster,
                 "also: are these the nodes of a cluster, every slot and key in one place?");
    replaying.add_to(app, true);
    gates.add_to(app);
    app.add_option("--report", reports, "also write a report for CI servers: junit or sarif, and where to")
        ->type_name("FORMAT FILE")
        ->allow_extra_args(false)
        ->take_all();
    common.add_to(app);
  }

  [[nodiscard]] PathCheckOptions path_options() const {
    PathCheckOptions options;
    options.target = target;
    options.version_check = relaxed ? VersionCheck::relaxed : VersionCheck::strict;
    options.conf = conf;
    options.known = known;
    options.now_ms = wall_clock_ms();
    options.threads = common.threads;
    options.progress = common.progress_when();
    return options;
  }
};

// Tells two sinks.
class Both : public FindingSink {
 public:
  Both(FindingSink& first, FindingSink& second) : first_(first), second_(second) {}
  void report(const Finding& finding) override {
    first_.report(finding);
    second_.report(finding);
  }

 private:
  FindingSink& first_;
  FindingSink& second_;
};

// Checks one path after the other and says what came of each.
class CheckRun {
 public:
  explicit CheckRun(const CheckArguments& arguments)
      : arguments_(arguments),
        options_(arguments.path_options()),
        gates_(arguments.gates.gates()),
        reports_(arguments.reports) {
    gates_.only_path = arguments.paths.size() == 1;
    // What gates count are the keys in the end.
    const bool counts_keys = gates_.min_keys || (gates_.baseline && gates_.baseline->was_replayed());
    if (arguments.replay || counts_keys) options_.replay = arguments.replaying.options();
  }

  int run() {
    int status = kDone;
    for (const std::string& path : arguments_.paths) status = std::max<int>(status, check_one(path));
    if (arguments_.cluster) status = std::max<int>(status, check_cluster());
    reports_.write();
    return status;
  }

 private:
  Exit check_one(const std::string& path) {
    return unless_unreadable(
        path, [&] { return arguments_.common.json ? check_for_programs(path) : check_for_people(path); });
  }

  Exit check_cluster() {
    return unless_unreadable("cluster", [&] {
      return check_paths_as_cluster(arguments_.paths, arguments_.replaying.options(), arguments_.common,
                                    reports_);
    });
  }

  template <typename Work>
  Exit unless_unreadable(const std::string& path, Work work) {
    try {
      return work();
    } catch (const std::system_error& error) {
      return report_unreadable(path, error.what());
    } catch (const std::invalid_argument& error) {
      return report_unreadable(path, error.what());
    }
  }

  Exit check_for_programs(const std::string& path) {
    KeptReport kept(arguments_.common.findings_max);
    Verdict verdict = check_path(path, options_, kept);
    hold_against_gates(verdict);
    std::vector<Finding> findings = all_findings(verdict, kept);
    fmt::print("{}", json_line(verdict_json(verdict, arguments_.target, findings, kept.left_out())));
    return conclude(verdict, std::move(findings), kept.left_out());
  }

  Exit check_for_people(const std::string& path) {
    KeptReport kept(arguments_.common.findings_max);
    Verdict verdict = check_aloud(path, kept);
    hold_against_gates(verdict);
    if (verdict.gates) {
      // However many findings there were: what the gates say is said.
      TextReport report(verdict.gates->size());
      for (const Finding& finding : *verdict.gates) report.report(finding);
    }
    fmt::print("{}", verdict_text(verdict, arguments_.target));
    return conclude(verdict, all_findings(verdict, kept), kept.left_out());
  }

  Verdict check_aloud(const std::string& path, KeptReport& kept) const {
    TextReport text(arguments_.common.findings_max);
    Both both(kept, text);
    return check_path(path, options_, both);
  }

  void hold_against_gates(Verdict& verdict) const {
    if (gates_.any()) verdict.gates = failed_gates(verdict, gates_);
  }

  static std::vector<Finding> all_findings(const Verdict& verdict, const KeptReport& kept) {
    std::vector<Finding> all = kept.kept();
    if (verdict.gates) all.insert(all.end(), verdict.gates->begin(), verdict.gates->end());
    return all;
  }

  Exit conclude(const Verdict& verdict, std::vector<Finding> findings, size_t left_out) {
    if (!arguments_.common.json && verdict.log && verdict.log->replay)
      explain_replay("check", verdict.path, *verdict.log->replay, false);
    const Exit status = exit_of(verdict, arguments_.target);
    if (!reports_.any()) return status;
    reports_.add({verdict.path, status, verdict_text(verdict, arguments_.target), verdict.compressed(),
                  std::move(findings), left_out});
    return status;
  }

  Exit report_unreadable(const std::string& path, const char* what) {
    if (arguments_.common.json) {
      Json json = {{"path", json_string(path)}, {"status", "unreadable"}, {"error", printable(what)}};
      if (gates_.any()) json["gates"] = "failed";
      json["findings"] = Json::array();
      fmt::print("{}", json_line(json));
    }
    fmt::print(stderr, "persist check: {}\n", printable(what));
    reports_.add({path, kTrouble, what, false, {}, 0});
    return kTrouble;
  }

  const CheckArguments& arguments_;
  PathCheckOptions options_;
  Gates gates_;
  CiReports reports_;
};

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
      "  persist check --replay appendonlydir\n"
      "  persist check --cluster node-1 node-2 node-3\n"
      "  persist check --min-keys 1000 --max-age 26h --report junit backup.xml /backups/latest\n"
      "  persist check --baseline last.json --max-shrink 10% dump.rdb\n"
      "Exit status: 0 sound, 1 only the tail is damaged (or --for or a gate says no), 2 it could not be\n"
      "read or replayed, 3 damage beyond a tail.");
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
  return CheckRun(arguments).run();
}

}  // namespace persist::tool
