// persist digest: one number that tells whether two datasets are the same.
#include <fmt/core.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <system_error>

#include "input.hpp"
#include "options.hpp"
#include "persist/digest.hpp"
#include "replaying.hpp"
#include "report.hpp"
#include "terminal.hpp"
#include "verb.hpp"

namespace persist::tool {

namespace {

using Json = nlohmann::ordered_json;

struct DigestArguments {
  std::vector<std::string> paths;
  std::string server;
  bool full = false;
  bool per_db = false;
  bool partial = false;
  CommonOptions common;
  FilterArguments filter;
  ReplayArguments replay;

  void add_to(CLI::App& app) {
    app.add_option("PATH", paths, "RDB files, logs, append and data directories; - is standard input")
        ->required();
    app.add_option("--as", server,
                   "as this server answers DEBUG DIGEST, such as redis-7.0 [the one that wrote it]; in a log "
                   "its rules are followed")
        ->type_name("SERVER");
    app.add_flag("--full", full, "our own digest, which leaves nothing out that DEBUG DIGEST does");
    app.add_flag("--per-db", per_db, "first a line for each db that has keys");
    app.add_flag("--partial", partial, "tell the digest of what is whole although the input is damaged");
    filter.add_to(app);
    replay.add_to(app, false);
    common.add_to(app);
  }
};

class DigestRun {
 public:
  explicit DigestRun(const DigestArguments& arguments)
      : arguments_(arguments), selected_(arguments.filter.options()), filter_(selected_) {
    options_.full = arguments.full;
    options_.filter = &filter_;
    options_.threads = arguments.common.threads;
    if (selected_.expired == Expired::drop) options_.hide_fields_past_ms = selected_.now_ms;
    if (arguments.server.empty()) return;
    options_.server = find_target(arguments.server);
    if (options_.server != nullptr) return;
    std::string names;
    for (const Target& target : targets()) names += " " + std::string(target.name);
    throw std::invalid_argument("--as " + arguments.server + ": expected one of" + names);
  }

  int run() {
    int status = kDone;
    for (const std::string& path : arguments_.paths) status = std::max<int>(status, digest_one(path));
    return status;
  }

 private:
  Exit digest_one(const std::string& path) {
    try {
      return digest_path(path);
    } catch (const std::system_error& error) {
      fmt::print(stderr, "persist digest: {}\n", printable(error.what()));
      return kTrouble;
    }
  }

  Exit digest_path(const std::string& path) {
    const std::unique_ptr<FindingSink> report =
        finding_report(arguments_.common.json, arguments_.common.findings_max);
    Keyspace found = open_keyspace(path, *report);
    if (found.log) return digest_set(path, found, *report);
    const Input& input = found.input;
    if (input.payload) return refuse(path, "a DUMP payload: there is no key to it, so no digest");
    if (!arguments_.common.json) announce_rdb("digest", path, found);
    KindWatch watch(*report);
    ProgressLine progress(arguments_.common.progress_when(), input.source->size());
    options_.progress = progress.callback();
    const DigestSummary summary = digest_rdb(*input.source, watch, options_);
    if (!watch.is_rdb()) return refuse(path, "not an RDB file: " + watch.kind());
    if (!summary.obstacle.empty()) return refuse(path, "there is no digest: " + summary.obstacle);
    tell(path, summary, true);
    return exit_of(summary.reach, summary.complete && summary.errors == 0);
  }

  Exit digest_set(const std::string& path, Keyspace& found, FindingSink& report) {
    if (!arguments_.common.json) announce_set("digest", path, *found.log);
    ProgressLine progress(arguments_.common.progress_when(), bytes_of(*found.log));
    ReplayOptions replay = arguments_.replay.options();
    if (options_.server != nullptr) replay.as = parse_server_version(options_.server->name);
    replay.progress = progress.callback();
    found.lend_to(replay);
    LogDigestSummary summary = digest_log(*found.log, report, options_, replay);
    explain_replay("digest", path, summary.replay, arguments_.common.json);
    if (exit_of(found, summary.replay) == kTrouble) return kTrouble;
    if (!summary.digest.obstacle.empty())
      return refuse(path, "there is no digest: " + summary.digest.obstacle);
    summary.digest.errors += found.errors;
    tell(path, summary.digest, summary.replay.server_known);
    return exit_of(found, summary.replay);
  }

  static Exit refuse(const std::string& path, const std::string& why) {
    fmt::print(stderr, "persist digest: {}: {}\n", printable(path), why);
    return kTrouble;
  }

  void tell(const std::string& path, const DigestSummary& summary, bool writer_known) const {
    const bool told = summary.errors == 0 || (arguments_.partial && summary.has_header);
    if (arguments_.common.json) return print_json(path, summary, told);
    if (!summary.server.empty() && arguments_.server.empty() && writer_known) {
      fmt::print(stderr, "persist digest: {}: as of {}, which wrote it\n", printable(path), summary.server);
    }
    if (told && summary.errors > 0) {
      fmt::print(stderr, "persist digest: {}: damaged: the digest is that of what could be read, {}\n",
                 printable(path), counted(summary.counted, "key"));
    }
    if (told) return print_lines(path, summary);
    fmt::print(stderr,
               "persist digest: {}: there is no digest: {} of {} could be read; --partial tells theirs\n",
               printable(path), summary.counted, counted(summary.keys, "key"));
  }

  void print_lines(const std::string& path, const DigestSummary& summary) const {
    const std::string behind = arguments_.paths.size() > 1 ? "  " + printable(path) : "";
    if (arguments_.per_db) {
      for (const auto& [db, digest] : summary.dbs) fmt::print("{}  db {}{}\n", digest, db, behind);
      if (!summary.libraries.empty()) fmt::print("{}  functions{}\n", summary.libraries, behind);
    }
    fmt::print("{}{}\n", summary.digest, behind);
  }

  void print_json(const std::string& path, const DigestSummary& summary, bool told) const {
    Json json;
    json["path"] = json_string(path);
    json["kind"] = arguments_.full ? "full" : "debug-digest";
    if (!summary.server.empty()) json["server"] = summary.server;
    if (told) {
      json["digest"] = summary.digest;
      json["dbs"] = Json::array();
      for (const auto& [db, digest] : summary.dbs) json["dbs"].push_back({{"db", db}, {"digest", digest}});
      if (!summary.libraries.empty()) json["functions"] = summary.libraries;
    }
    json["keys"] = summary.keys;
    json["counted"] = summary.counted;
    json["complete"] = summary.complete;
    json["errors"] = summary.errors;
    fmt::print("{}", json_line(json));
  }

  const DigestArguments& arguments_;
  FilterOptions selected_;
  Filter filter_;
  DigestOptions options_;
};

}  // namespace

int run_digest(Arguments words) {
  CLI::App app("Tells the digest of a dataset, as DEBUG DIGEST or in full.", "persist digest");
  DigestArguments arguments;
  arguments.add_to(app);
  add_examples(app,
               "  persist digest dump.rdb                          what DEBUG DIGEST said when it was saved\n"
               "  persist digest --as redis-7.2 dump.rdb           what a later server will say\n"
               "  persist digest --full --per-db a.rdb b.rdb.gz    are they the same, expiries and all?\n"
               "  persist digest appendonlydir                     what the server that loads it will say\n"
               "Exit status: 0 all of it, 1 only the tail is damaged, 2 it could not be read or there is no\n"
               "digest, 3 damage beyond a tail.");
  if (const std::optional<Exit> status = parse(app, words)) return *status;
  return DigestRun(arguments).run();
}

}  // namespace persist::tool
