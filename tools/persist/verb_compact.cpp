// persist compact: a log written anew, as short as it can be.
#include <fmt/core.h>

#include "changing.hpp"
#include "dataset_input.hpp"
#include "editing.hpp"
#include "options.hpp"
#include "persist/compact.hpp"
#include "replaying.hpp"
#include "report.hpp"
#include "terminal.hpp"
#include "verb.hpp"
#include "writing.hpp"

namespace persist::tool {

namespace {

struct CompactArguments {
  std::string path;
  OutputOptions output;
  std::string to = "aof";
  std::string base = "rdb";
  std::string log_name = ConvertOptions{}.log_name;
  std::string as_of;
  bool drop_expired = false;
  bool salvage = false;
  CommonOptions common;
  WriteArguments write;
  ReplayArguments replay;

  void add_to(CLI::App& app) {
    app.add_option("PATH", path, "an append directory, its manifest, a data directory, or an old AOF")
        ->required();
    app.add_option("-o,--output", output.path,
                   "where the result goes: an append directory; a file for targets before 7.0")
        ->type_name("OUT");
    app.add_option("--to", to, "aof, or rdb for an RDB file [aof]")
        ->type_name("FORM")
        ->check(CLI::IsMember({"aof", "rdb"}));
    app.add_option("--base", base, "what the log begins with: rdb, or aof for commands [rdb]")
        ->type_name("FORM")
        ->check(CLI::IsMember({"rdb", "aof"}));
    app.add_option("--name", log_name, "what its files are called after [appendonly.aof]")->type_name("NAME");
    app.add_flag("--force", output.force, "replace what is at OUT");
    app.add_flag("--dry-run", output.dry_run, "say what would be written and write nothing");
    app.add_flag("--drop-expired", drop_expired, "leave out what has expired");
    app.add_option("--as-of", as_of, "the time that counts for --drop-expired [now]")
        ->type_name("TIME")
        ->needs("--drop-expired");
    app.add_flag("--salvage", salvage, "of a damaged log, what comes before the damage");
    write.add_to(app);
    replay.add_to(app, true);
    common.add_to(app);
  }
};

int compact_log(const CompactArguments& arguments) {
  const std::vector<LossFeature> permitted = arguments.write.permitted_losses();
  ChangeArguments change;
  if (arguments.drop_expired) change.expired = "drop";
  change.as_of = arguments.drop_expired ? arguments.as_of : "";
  const Filter filter(change.with_expired({}));
  const KeyChanges changes(change.options());
  const std::unique_ptr<FindingSink> report =
      finding_report(arguments.common.json, arguments.common.findings_max);
  Keyspace found = open_keyspace(arguments.path, *report);
  if (!found.log) {
    throw EditRefused(
        EditRefused::Kind::unusable,
        arguments.path + ": there is no log to compact; `persist convert` writes RDB files anew");
  }
  const ConvertInput input =
      dataset_input("compact", arguments.path, found, arguments.replay, arguments.common.json);
  ProgressLine progress(arguments.common.progress_when(), bytes_of(*found.log));
  ConvertOptions options;
  options.to = arguments.to == "rdb" ? OutputForm::rdb : OutputForm::aof;
  options.write = arguments.write.options();
  options.base_of_commands = arguments.base == "aof";
  options.log_name = arguments.log_name;
  options.permitted_losses = permitted;
  options.salvage = arguments.salvage;
  options.filter = &filter;
  if (arguments.drop_expired) options.changes = &changes;
  options.threads = arguments.common.threads;
  options.progress = progress.callback();
  const ConvertSummary summary = compact(input, arguments.output, *report, options);
  ConversionTold told;
  told.verb = "compact";
  told.path = arguments.path;
  told.output = arguments.output.path;
  told.to = arguments.to;
  told.json = arguments.common.json;
  told.dry_run = arguments.output.dry_run;
  told.salvage = arguments.salvage;
  return report_conversion(told, found, summary, permitted);
}

}  // namespace

int run_compact(Arguments words) {
  CLI::App app("Replays a log and writes what it comes to: a fresh base, an empty incr file, a manifest.",
               "persist compact");
  CompactArguments arguments;
  arguments.add_to(app);
  add_examples(app,
               "  persist compact appendonlydir -o small\n"
               "  persist compact appendonlydir -o dump.rdb --to rdb\n"
               "  persist compact --target redis-6.2 appendonlydir -o appendonly.aof\n"
               "  persist compact --drop-expired --as-of 2026-11-20T18:00:00Z appendonlydir -o small\n"
               "The result is read back and its digest compared before it appears.\n"
               "Exit status: 0 written, 1 or 3 the log is damaged (--salvage), 2 it could not be done,\n"
               "4 refused: the target cannot hold all of the data (--allow-loss).");
  if (const std::optional<Exit> status = parse(app, words)) return *status;
  if (arguments.to == "rdb" && (arguments.base != "rdb" || arguments.log_name != ConvertOptions{}.log_name)) {
    fmt::print(stderr, "persist compact: --base and --name are for --to aof\n");
    return kTrouble;
  }
  if (arguments.output.path == "-") {
    fmt::print(stderr, "persist compact: -o -: the result is read back, which a stream cannot be\n");
    return kTrouble;
  }
  if (arguments.output.path.empty() && !arguments.output.dry_run) {
    fmt::print(stderr, "persist compact: expected -o OUT or --dry-run\n");
    return kTrouble;
  }
  if (!is_file_name(arguments.log_name)) {
    fmt::print(stderr, "persist compact: --name {}: expected the name of a file, not a path\n",
               printable(arguments.log_name));
    return kTrouble;
  }
  EditArguments edit;
  edit.path = arguments.path;
  edit.json = arguments.common.json;
  return run_edit(edit, "compact", [&] { return compact_log(arguments); });
}

}  // namespace persist::tool
