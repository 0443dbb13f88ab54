// persist history: the life of one key.
#include <fmt/core.h>
#include <unistd.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "options.hpp"
#include "persist/history.hpp"
#include "replaying.hpp"
#include "report.hpp"
#include "verb.hpp"

namespace persist::tool {

namespace {

using Json = nlohmann::ordered_json;

struct HistoryArguments {
  std::string path;
  std::string key;
  std::optional<uint64_t> db;
  bool values = false;
  bool all = false;
  ReplayArguments replay;
  CommonOptions common;

  void add_to(CLI::App& app) {
    app.add_option("PATH", path,
                   "an append directory, its manifest, a data directory, or one log; - is standard input")
        ->required();
    app.add_option("--key", key, "the key, exactly")->required()->type_name("KEY");
    app.add_option("--db", db, "only in this database [all]")->type_name("N")->check(whole_number());
    app.add_flag("--values", values, "the whole value behind each event, as `persist dump` writes it");
    app.add_flag("--all", all, "also commands that named the key and changed nothing");
    replay.add_to(app, true);
    common.add_to(app);
  }
};

void print_summary(const HistoryArguments& arguments, const HistorySummary& summary) {
  if (arguments.common.json) {
    Json json;
    json["path"] = json_string(arguments.path);
    json["events"] = summary.events;
    json["exists"] = summary.exists;
    json["commands"] = summary.replay.commands;
    json["complete"] = summary.replay.complete;
    add_replay(json, summary.replay);
    std::fputs(json_line(json).c_str(), stderr);
    return;
  }
  fmt::print(stderr, "persist history: {}: {}; in the end the key {}\n", printable(arguments.path),
             counted(summary.events, "event"), summary.exists ? "is there" : "is not there");
}

int history(const HistoryArguments& arguments) {
  const std::unique_ptr<FindingSink> report =
      finding_report(arguments.common.json, arguments.common.findings_max);
  Keyspace found = open_keyspace(arguments.path, *report);
  const std::optional<AppendSet>& set = found.log;
  if (!set) {
    fmt::print(stderr, "persist history: {}: no log: only a log tells what happened to a key\n",
               printable(arguments.path));
    return kTrouble;
  }
  if (!arguments.common.json) announce_set("history", arguments.path, *set);
  const bool in_the_way = ::isatty(STDOUT_FILENO) != 0;
  ProgressLine progress(in_the_way ? When::never : arguments.common.progress_when(), bytes_of(*set));
  HistoryOptions options;
  options.key = arguments.key;
  options.db = arguments.db;
  options.json = arguments.common.json;
  options.values = arguments.values;
  options.all = arguments.all;
  options.replay = arguments.replay.options();
  found.lend_to(options.replay);
  options.replay.progress = progress.callback();
  const HistorySummary summary = tell_history(*set, *descriptor_sink(STDOUT_FILENO), *report, options);
  explain_replay("history", arguments.path, summary.replay, arguments.common.json);
  print_summary(arguments, summary);
  return exit_of(found, summary.replay);
}

}  // namespace

int run_history(Arguments words) {
  CLI::App app("Tells the life of a key: every command that touched it, and what it held behind each.",
               "persist history");
  HistoryArguments arguments;
  arguments.add_to(app);
  add_examples(app,
               "  persist history appendonlydir --key cart:17\n"
               "  persist history appendonlydir --key cart:17 --values --json | jq .after\n"
               "Exit status: 0 all of it, 1 only the tail is damaged, 2 it could not be read or replayed,\n"
               "3 damage beyond a tail. What came before the damage is told in every case.");
  if (const std::optional<Exit> status = parse(app, words)) return *status;
  return history(arguments);
}

}  // namespace persist::tool
