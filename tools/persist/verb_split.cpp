// persist split: by what a dataset is divided, and what went where.
#include "persist/split.hpp"

#include <fmt/core.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "dataset_input.hpp"
#include "dataset_verb.hpp"
#include "editing.hpp"
#include "options.hpp"
#include "replaying.hpp"
#include "report.hpp"
#include "salvaging.hpp"
#include "terminal.hpp"
#include "verb.hpp"
#include "writing.hpp"

namespace persist::tool {

namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kSplitVerb = "split";
constexpr size_t kFilesTold = 20;

struct SplitArguments : DatasetArguments {
  std::string path;
  std::string by;
  size_t files_max = kSplitFilesByDefault;
  bool rest = false;

  void add_to(CLI::App& app) {
    app.add_option("IN", path, "an RDB file, a log, JSON Lines of `dump`; - is standard input")->required();
    app.add_option("-o,--output", output.path, "the folder that is to hold the RDB files")->type_name("DIR");
    app.add_option("--by", by,
                   "slots:A-B,..., N for equal slot ranges, a nodes.conf, db, prefix or prefix:SEP")
        ->type_name("WHAT")
        ->required();
    app.add_option("--most", files_max, "make at most N files [1000]")->type_name("N")->check(whole_number());
    app.add_flag("--rest", rest, "keys of slots that nobody owns go to unassigned.rdb");
    app.add_flag("--force", output.force, "replace what is at DIR");
    app.add_flag("--dry-run", output.dry_run, "say what would go where and write nothing");
    app.add_flag("--salvage", salvage,
                 "of a damaged input, what is whole; of an RDB file also behind damage");
    write.add_to(app);
    add_reading_to(app);
  }
};

std::string named(const SplitMisfits& misfits) {
  std::string text;
  for (const SplitMisfits::Where& where : misfits.first) {
    text += (text.empty() ? "\"" : ", \"") + printable(where.key) + "\"";
    if (where.db != 0) text += " in db " + std::to_string(where.db);
  }
  return misfits.keys > misfits.first.size() ? text + ", ..." : text;
}

class SplitJob {
 public:
  explicit SplitJob(const SplitArguments& arguments) : arguments_(arguments), work_(arguments) {
    try {
      options_.rule = parse_split_rule(arguments.by);
    } catch (const std::invalid_argument& error) {
      throw std::invalid_argument(std::string("--by: ") + error.what());
    }
    options_.files_max = arguments.files_max;
    options_.keep_unassigned = arguments.rest;
    work_.fill(options_.convert);
  }

  Exit run() {
    Keyspace found = open_keyspace(arguments_.path, work_.report());
    if (arguments_.salvage) salvage_rdb(kSplitVerb, arguments_.path, found, arguments_.common.json);
    const ConvertInput input =
        dataset_input(kSplitVerb, arguments_.path, found, arguments_.replay, arguments_.common.json);
    if (found.errors > 0 && !arguments_.salvage) {
      fmt::print(stderr, "persist split: {}: nothing was written: the input is damaged\n",
                 printable(arguments_.path));
      return exit_of(found.reach, false);
    }
    KindWatch watch(work_.report());
    const SplitSummary summary = split_input(found, input, watch);
    const ConvertSummary& read = summary.convert;
    if (input.rdb != nullptr && !watch.is_rdb()) {
      fmt::print(stderr, "persist split: {}: neither an RDB file nor a log nor JSON Lines: {}\n",
                 printable(arguments_.path), watch.kind());
      return kTrouble;
    }
    if (read.replay) explain_replay(kSplitVerb, arguments_.path, *read.replay, arguments_.common.json);
    if (read.replay && (!read.replay->is_log || read.replay->refused)) return kTrouble;
    if (arguments_.common.json)
      print_json(summary);
    else
      print_text(summary);
    if (is_damaged(read)) return exit_of(read.reach, false);
    return fits(summary) ? kDone : kRefused;
  }

 private:
  SplitSummary split_input(const Keyspace& found, const ConvertInput& input, FindingSink& findings) {
    ProgressLine progress(arguments_.common.progress_when(),
                          found.log ? bytes_of(*found.log) : found.input.source->size());
    options_.convert.progress = progress.callback();
    return split(input, arguments_.output, findings, options_);
  }

  [[nodiscard]] bool is_damaged(const ConvertSummary& read) const {
    return !arguments_.salvage && (read.errors > 0 || !read.complete);
  }
  // Whether every key has a place, and nothing is lost that is not permitted to be.
  [[nodiscard]] bool fits(const SplitSummary& summary) const {
    return summary.beyond.keys == 0 && (arguments_.rest || summary.unowned.keys == 0) &&
           !summary.convert.losses.loses_more_than(work_.permitted());
  }
  [[nodiscard]] bool would_be_written(const SplitSummary& summary) const {
    return arguments_.output.dry_run && fits(summary) && !is_damaged(summary.convert);
  }

  void print_json(const SplitSummary& summary) const {
    const ConvertSummary& read = summary.convert;
    Json json;
    json["path"] = json_string(arguments_.path);
    if (!arguments_.output.path.empty()) json["output"] = json_string(arguments_.output.path);
    if (read.target != nullptr) json["target"] = read.target->name;
    json["status"] = read.committed ? "written" : would_be_written(summary) ? "dry-run" : "refused";
    json["keys"] = read.keys;
    json["written"] = read.committed ? read.written : 0;
    json["bytes"] = read.committed ? read.bytes_written : 0;
    json["unassigned"] = summary.unowned.keys;
    json["beyond_db0"] = summary.beyond.keys;
    json["complete"] = read.complete;
    json["errors"] = read.errors;
    json["losses"] = losses_json(read.losses, work_.permitted());
    if (read.replay) add_replay(json, *read.replay);
    json["files"] = Json::array();
    for (const SplitFile& file : summary.files) json["files"].push_back(Json::parse(split_index_line(file)));
    fmt::print("{}", json_line(json));
  }

  void print_text(const SplitSummary& summary) const {
    const ConvertSummary& read = summary.convert;
    const std::string path = printable(arguments_.path);
    print_losses(kSplitVerb, arguments_.path, read.losses, work_.permitted());
    if (summary.beyond.keys > 0) {
      fmt::print(stderr,
                 "persist split: {}: nothing was written: {} not in db 0, the only one of a cluster: {}; "
                 "--db 0 leaves out, --db-map moves\n",
                 path, counted(summary.beyond.keys, "key"), named(summary.beyond));
    }
    if (summary.unowned.keys > 0 && !arguments_.rest) {
      fmt::print(stderr,
                 "persist split: {}: nothing was written: {} in slots that no file is for: {}; --rest keeps "
                 "what is left\n",
                 path, counted(summary.unowned.keys, "key"), named(summary.unowned));
    }
    if (is_damaged(read)) {
      fmt::print(stderr,
                 "persist split: {}: nothing was written: the input is damaged; --salvage writes what is "
                 "whole of it, {}\n",
                 path, counted(read.written, "key"));
    }
    if (read.committed || would_be_written(summary)) print_files(summary);
  }

  void print_files(const SplitSummary& summary) const {
    const ConvertSummary& read = summary.convert;
    for (size_t i = 0; i < std::min(kFilesTold, summary.files.size()); ++i) {
      const SplitFile& file = summary.files[i];
      fmt::print(stderr, "  {}: {}, {}\n", file.name, counted(file.keys, "key"), human_size(file.bytes));
    }
    if (summary.files.size() > kFilesTold)
      fmt::print(stderr, "  and {} more\n", counted(summary.files.size() - kFilesTold, "file"));
    const std::string& where = arguments_.output.path.empty() ? arguments_.path : arguments_.output.path;
    fmt::print(stderr, "persist split: {}: {}: {}, {} of {}, {}, for {}{}\n", printable(where),
               read.committed ? "written" : "would be written", counted(summary.files.size(), "file"),
               read.written, counted(read.keys, "key"), human_size(read.bytes_written), read.target->name,
               read.target_chosen ? " (as --target was not given)" : "");
  }

  const SplitArguments& arguments_;
  DatasetWork work_;
  SplitOptions options_;
};

}  // namespace

int run_split(Arguments words) {
  CLI::App app("Divides a dataset among RDB files: by slot, cluster node, database or prefix.",
               "persist split");
  SplitArguments arguments;
  arguments.add_to(app);
  add_examples(app,
               "  persist split dump.rdb -o parts --by 3\n"
               "  persist split dump.rdb -o nodes --by /var/lib/redis/nodes.conf\n"
               "  persist split dump.rdb -o parts --by slots:0-5460,5461-10922 --rest\n"
               "  persist split appendonlydir -o tenants --by prefix --target redis-7.2\n"
               "  jq -r .file parts/index.jsonl\n"
               "Exit status: 0 written, 1 or 3 the input is damaged (--salvage), 2 it could not be done,\n"
               "4 refused: keys that no file is for (--rest), or data that the target cannot hold\n"
               "(--allow-loss).");
  if (const std::optional<Exit> status = parse(app, words)) return *status;
  if (arguments.output.path == "-") {
    fmt::print(stderr, "persist split: -o -: the result is a folder, which a stream cannot be\n");
    return kTrouble;
  }
  if (arguments.output.path.empty() && !arguments.output.dry_run) {
    fmt::print(stderr, "persist split: expected -o DIR or --dry-run\n");
    return kTrouble;
  }
  EditArguments edit;
  edit.path = arguments.path;
  edit.json = arguments.common.json;
  return run_edit(edit, kSplitVerb, [&] { return SplitJob(arguments).run(); });
}

}  // namespace persist::tool
