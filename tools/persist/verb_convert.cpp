// persist convert: a dataset in any form becomes one in any other.
#include <fmt/core.h>
#include <unistd.h>

#include <memory>

#include "dataset_input.hpp"
#include "dataset_verb.hpp"
#include "editing.hpp"
#include "input.hpp"
#include "options.hpp"
#include "persist/convert.hpp"
#include "replaying.hpp"
#include "report.hpp"
#include "salvaging.hpp"
#include "terminal.hpp"
#include "verb.hpp"
#include "writing.hpp"

namespace persist::tool {

namespace {

constexpr const char* kStream = "-";

struct ConvertArguments : DatasetArguments {
  std::string path;
  std::string to;
  std::string base = "rdb";
  std::string log_name = ConvertOptions{}.log_name;
  bool canonical = false;
  bool restore = false;
  bool replace = false;
  bool meta = false;

  void add_to(CLI::App& app) {
    app.add_option("IN", path, "an RDB file, a log, JSON Lines of `dump`; - is standard input")->required();
    app.add_option("-o,--output", output.path, "where the result goes; - is standard output")
        ->type_name("OUT");
    app.add_option("--to", to, "rdb, aof, resp, jsonl, csv or dump")->type_name("FORM")->required();
    app.add_flag("--force", output.force, "replace what is at OUT");
    app.add_flag("--dry-run", output.dry_run, "say what would be lost and write nothing");
    write.add_to(app);
    app.add_flag("--canonical", canonical, "keys and members sorted, nothing that changes from save to save");
    app.add_option("--base", base, "aof: what the log begins with: rdb, or aof for commands [rdb]")
        ->type_name("FORM")
        ->check(CLI::IsMember({"rdb", "aof"}));
    app.add_option("--name", log_name, "aof: what its files are called after [appendonly.aof]")
        ->type_name("NAME");
    app.add_flag("--restore", restore, "resp: RESTORE with DUMP payloads instead of plain commands");
    app.add_flag("--replace", replace, "resp: what is there already under a key goes first");
    app.add_flag("--meta", meta, "jsonl: also lines for the records that are no keys");
    app.add_flag("--salvage", salvage,
                 "of a damaged input, what is whole; of an RDB file also behind damage");
    add_reading_to(app);
  }
};

bool is_stream(const ConvertArguments& arguments) { return arguments.output.path == kStream; }

class Job {
 public:
  explicit Job(const ConvertArguments& arguments) : arguments_(arguments), work_(arguments) {
    options_.to = *find_output_form(arguments.to);
    options_.canonical = arguments.canonical;
    options_.base_of_commands = arguments.base == "aof";
    options_.log_name = arguments.log_name;
    options_.restore = arguments.restore;
    options_.replace = arguments.replace;
    options_.meta = arguments.meta;
    work_.fill(options_);
  }

  int run() {
    Keyspace found = open_keyspace(arguments_.path, work_.report());
    if (arguments_.salvage) salvage_rdb("convert", arguments_.path, found, arguments_.common.json);
    KindWatch watch(work_.report());
    // What is written to a stream, or sorted, may have to be read twice.
    if (found.input.source && (is_stream(arguments_) || arguments_.canonical))
      found.input.source = rereadable_source(std::move(found.input.source));
    const ConvertInput input =
        dataset_input("convert", arguments_.path, found, arguments_.replay, arguments_.common.json);
    const ConvertSummary summary = convert_from(found, input, watch);
    if (input.rdb != nullptr && !watch.is_rdb()) {
      fmt::print(stderr, "persist convert: {}: neither an RDB file nor a log nor JSON Lines: {}\n",
                 printable(arguments_.path), watch.kind());
      return kTrouble;
    }
    return report_conversion(told(), found, summary, work_.permitted());
  }

 private:
  [[nodiscard]] ConversionTold told() const {
    ConversionTold told;
    told.verb = "convert";
    told.path = arguments_.path;
    told.output = is_stream(arguments_) ? "" : arguments_.output.path;
    told.to = arguments_.to;
    told.json = arguments_.common.json;
    told.to_stream = is_stream(arguments_);
    told.dry_run = arguments_.output.dry_run;
    told.salvage = arguments_.salvage;
    return told;
  }

  ConvertSummary convert_from(Keyspace& found, const ConvertInput& input, FindingSink& findings) {
    ProgressLine progress(arguments_.common.progress_when(),
                          found.log ? bytes_of(*found.log) : found.input.source->size());
    options_.progress = progress.callback();
    if (is_stream(arguments_))
      return convert_to_stream(input, *descriptor_sink(STDOUT_FILENO), findings, options_);
    return convert(input, arguments_.output, findings, options_);
  }

  const ConvertArguments& arguments_;
  DatasetWork work_;
  ConvertOptions options_;
};

bool check_arguments(const ConvertArguments& arguments) {
  std::string wrong;
  if (arguments.output.path.empty() && !arguments.output.dry_run) wrong = "expected -o OUT or --dry-run";
  if (!find_output_form(arguments.to))
    wrong = "--to " + arguments.to + ": expected rdb, aof, resp, jsonl, csv or dump";
  if (arguments.restore && arguments.to != "resp") wrong = "--restore is for --to resp";
  if (arguments.replace && arguments.to != "resp") wrong = "--replace is for --to resp";
  if (arguments.meta && arguments.to != "jsonl") wrong = "--meta is for --to jsonl";
  if (arguments.to != "aof" && (arguments.base != "rdb" || arguments.log_name != ConvertOptions{}.log_name))
    wrong = "--base and --name are for --to aof";
  if (arguments.output.dry_run && is_stream(arguments))
    wrong = "--dry-run writes nothing: -o - does not go with it";
  if (!is_file_name(arguments.log_name))
    wrong = "--name " + arguments.log_name + ": expected the name of a file, not a path";
  if (wrong.empty()) return true;
  fmt::print(stderr, "persist convert: {}\n", printable(wrong));
  return false;
}

}  // namespace

int run_convert(Arguments words) {
  CLI::App app("Turns a dataset from any form into any other, for the server of your choice.",
               "persist convert");
  ConvertArguments arguments;
  arguments.add_to(app);
  add_examples(app,
               "  persist convert dump.rdb --to rdb --target redis-7.2 -o old.rdb     roll back\n"
               "  persist convert dump.rdb --to rdb --target valkey-8.1 -o valkey.rdb\n"
               "  persist convert dump.rdb --to aof -o appendonlydir                  for appendonly yes\n"
               "  persist convert dump.rdb --to resp -o - | redis-cli --pipe\n"
               "  persist convert appendonlydir --to jsonl -o - | jq .key\n"
               "Exit status: 0 written, 1 or 3 the input is damaged (--salvage), 2 it could not be done,\n"
               "4 refused: the target cannot hold all of the data (--allow-loss).");
  if (const std::optional<Exit> status = parse(app, words)) return *status;
  if (!check_arguments(arguments)) return kTrouble;
  EditArguments edit;
  edit.path = arguments.path;
  edit.json = arguments.common.json;
  return run_edit(edit, "convert", [&] { return Job(arguments).run(); });
}

}  // namespace persist::tool
