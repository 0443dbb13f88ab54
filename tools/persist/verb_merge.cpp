// persist merge: several datasets become one RDB file.
#include <fmt/core.h>

#include <algorithm>
#include <deque>
#include <memory>
#include <nlohmann/json.hpp>

#include "dataset_input.hpp"
#include "dataset_verb.hpp"
#include "editing.hpp"
#include "options.hpp"
#include "persist/merge.hpp"
#include "replaying.hpp"
#include "report.hpp"
#include "salvaging.hpp"
#include "terminal.hpp"
#include "verb.hpp"
#include "writing.hpp"

namespace persist::tool {

namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kMergeVerb = "merge";

struct MergeArguments : DatasetArguments {
  std::vector<std::string> paths;
  std::string on_conflict = "error";

  void add_to(CLI::App& app) {
    app.add_option("IN", paths, "RDB files, logs, JSON Lines of `dump`; - is standard input")->required();
    app.add_option("-o,--output", output.path, "the RDB file that is to hold it all")->type_name("OUT");
    app.add_option("--on-conflict", on_conflict,
                   "which value a key gets that stands in several: error, first, last or newest-ttl [error]")
        ->type_name("POLICY");
    app.add_flag("--force", output.force, "replace what is at OUT");
    app.add_flag("--dry-run", output.dry_run, "say what would conflict or be lost and write nothing");
    app.add_flag("--salvage", salvage, "of damaged inputs, what is whole; of RDB files also behind damage");
    write.add_to(app);
    add_reading_to(app);
  }

  // What is wrong with what was given; empty if nothing is.
  [[nodiscard]] std::string mistake() const {
    if (output.path.empty() && !output.dry_run) return "expected -o OUT or --dry-run";
    if (output.path == "-") return "-o -: the result is read back, which a stream cannot be";
    if (!find_conflict_policy(on_conflict))
      return "--on-conflict " + on_conflict + ": expected error, first, last or newest-ttl";
    if (std::ranges::count(paths, "-") > 1) return "standard input can be given once";
    return {};
  }
};

class MergeJob {
 public:
  explicit MergeJob(const MergeArguments& arguments) : arguments_(arguments), work_(arguments) {
    options_.on_conflict = *find_conflict_policy(arguments.on_conflict);
    work_.fill(options_);
  }

  int run() {
    for (const std::string& path : arguments_.paths)
      if (const std::optional<Exit> trouble = open(path)) return *trouble;
    const MergeSummary summary = merge_all();
    const Exit status = exit_of(summary);
    if (arguments_.common.json)
      print_json(summary, status);
    else
      print_text(summary, status);
    return status;
  }

 private:
  std::optional<Exit> open(const std::string& path) {
    Keyspace& found = opened_.emplace_back(open_keyspace(path, work_.report()));
    if (arguments_.salvage) salvage_rdb(kMergeVerb, path, found, arguments_.common.json);
    inputs_.push_back(dataset_input(kMergeVerb, path, found, arguments_.replay, arguments_.common.json));
    if (!found.log || found.errors == 0 || arguments_.salvage) return std::nullopt;
    fmt::print(stderr, "persist merge: {}: nothing was written: the log is damaged\n", printable(path));
    return tool::exit_of(found.reach, false);
  }

  // What merge() deals with in all; absent if something comes through a pipe.
  [[nodiscard]] std::optional<uint64_t> bytes_to_come() const {
    uint64_t bytes = 0;
    for (const Keyspace& found : opened_) {
      const std::optional<uint64_t> size = found.log ? bytes_of(*found.log) : found.input.source->size();
      if (!size) return std::nullopt;
      bytes += found.log ? *size : 2 * *size;
    }
    return bytes;
  }

  MergeSummary merge_all() {
    ProgressLine progress(arguments_.common.progress_when(), bytes_to_come());
    options_.progress = progress.callback();
    return merge(inputs_, arguments_.output, work_.report(), options_);
  }

  [[nodiscard]] static bool readable(const MergedInput& input) {
    return input.replay ? input.replay->is_log && !input.replay->refused : input.has_header;
  }
  [[nodiscard]] bool refuses_conflicts(const MergeSummary& summary) const {
    return summary.has_conflicts() && options_.on_conflict == ConflictPolicy::refuse;
  }

  [[nodiscard]] Exit exit_of(const MergeSummary& summary) const {
    Reach reach = Reach::nothing;
    bool damaged = false;
    for (const MergedInput& input : summary.inputs) {
      if (!readable(input)) return kTrouble;
      damaged = damaged || input.damaged();
      reach = std::max(reach, input.reach);
    }
    if (damaged && !arguments_.salvage) return tool::exit_of(reach, false);
    if (refuses_conflicts(summary)) return kTrouble;
    return summary.losses.loses_more_than(work_.permitted()) ? kRefused : kDone;
  }

  void print_text(const MergeSummary& summary, Exit status) const {
    bool all_readable = true;
    for (size_t i = 0; i < summary.inputs.size(); ++i) {
      print_input(arguments_.paths[i], summary.inputs[i]);
      all_readable = all_readable && readable(summary.inputs[i]);
    }
    if (!all_readable) return;
    print_conflicts(summary);
    print_losses(kMergeVerb, arguments_.output.path.empty() ? "dry run" : arguments_.output.path,
                 summary.losses, work_.permitted());
    if (status != kDone) return;
    uint64_t keys = 0;
    for (const MergedInput& input : summary.inputs) keys += input.keys;
    fmt::print(stderr, "persist merge: {}: {} of {}, {}, for {}{}\n",
               summary.committed ? printable(arguments_.output.path) + ": written" : "would be written",
               summary.written, counted(keys, "key"), human_size(summary.bytes_written), summary.target->name,
               summary.target_chosen ? " (as --target was not given)" : "");
  }

  void print_input(const std::string& path, const MergedInput& input) const {
    if (input.replay) explain_replay(kMergeVerb, path, *input.replay, false);
    const std::string who = "persist merge: " + printable(path) + ": ";
    if (!readable(input)) {
      if (!input.replay) fmt::print(stderr, "{}neither an RDB file nor a log nor JSON Lines\n", who);
    } else if (input.damaged()) {
      fmt::print(stderr, "{}{}, {}\n", who,
                 arguments_.salvage
                     ? "damaged: what is whole of it was taken"
                     : "nothing was written: it is damaged; --salvage takes what is whole of it",
                 counted(input.keys, "key"));
    }
  }

  // "\"k\" in db 1: a.rdb, b.rdb"
  void print_conflicts(const MergeSummary& summary) const {
    for (const MergeConflict& conflict : summary.first_conflicts) {
      std::string inputs;
      for (const size_t input : conflict.inputs)
        inputs += (inputs.empty() ? "" : ", ") + printable(arguments_.paths[input]);
      fmt::print(stderr, "persist merge: {}\"{}\"{}: in {}\n", conflict.db ? "" : "function library ",
                 printable(conflict.name),
                 conflict.db.value_or(0) != 0 ? fmt::format(" in db {}", *conflict.db) : "", inputs);
    }
    std::string what;
    if (summary.conflicts > 0)
      what = counted(summary.conflicts, "key") + (summary.conflicts == 1 ? " stands" : " stand");
    if (summary.library_conflicts > 0) {
      what += fmt::format(
          "{}{} {} with different code", what.empty() ? "" : ", and ", summary.library_conflicts,
          summary.library_conflicts == 1 ? "function library stands" : "function libraries stand");
    }
    if (what.empty()) return;
    const bool refused = refuses_conflicts(summary);
    fmt::print(stderr, "persist merge: {}{} in several inputs{}\n", refused ? "nothing was written: " : "",
               what,
               refused ? "; --on-conflict first, last or newest-ttl decides"
                       : ": decided by --on-conflict " + arguments_.on_conflict);
  }

  [[nodiscard]] const char* status_word(const MergeSummary& summary, Exit status) const {
    if (summary.committed) return "written";
    if (status == kDone) return "dry-run";
    return refuses_conflicts(summary) && status == kTrouble ? "conflict" : "refused";
  }

  void print_json(const MergeSummary& summary, Exit status) const {
    Json json;
    if (!arguments_.output.path.empty()) json["output"] = json_string(arguments_.output.path);
    json["status"] = status_word(summary, status);
    if (summary.target != nullptr) json["target"] = summary.target->name;
    json["inputs"] = Json::array();
    for (size_t i = 0; i < summary.inputs.size(); ++i) {
      const MergedInput& input = summary.inputs[i];
      Json one;
      one["path"] = json_string(arguments_.paths[i]);
      one["keys"] = input.keys;
      one["written"] = input.written;
      one["complete"] = input.complete;
      one["errors"] = input.errors;
      if (input.replay) add_replay(one, *input.replay);
      json["inputs"].push_back(std::move(one));
    }
    json["written"] = summary.written;
    json["bytes"] = summary.bytes_written;
    json["conflicts"] = summary.conflicts;
    json["library_conflicts"] = summary.library_conflicts;
    json["first_conflicts"] = Json::array();
    for (const MergeConflict& conflict : summary.first_conflicts) {
      Json one;
      if (conflict.db) one["db"] = *conflict.db;
      one[conflict.db ? "key" : "library"] = json_string(conflict.name);
      one["inputs"] = conflict.inputs;
      json["first_conflicts"].push_back(std::move(one));
    }
    json["losses"] = losses_json(summary.losses, work_.permitted());
    fmt::print("{}", json_line(json));
  }

  const MergeArguments& arguments_;
  DatasetWork work_;
  std::deque<Keyspace> opened_;  // the inputs point into it
  std::vector<ConvertInput> inputs_;
  MergeOptions options_;
};

}  // namespace

int run_merge(Arguments words) {
  CLI::App app("Makes one RDB file out of several datasets.", "persist merge");
  MergeArguments arguments;
  arguments.add_to(app);
  add_examples(app,
               "  persist merge shard1.rdb shard2.rdb shard3.rdb -o all.rdb\n"
               "  persist merge old.rdb new.rdb -o both.rdb --on-conflict last\n"
               "  persist merge appendonlydir extra.jsonl -o both.rdb --target redis-7.2\n"
               "Exit status: 0 written, 1 or 3 an input is damaged (--salvage), 2 it could not be done,\n"
               "or keys stand in several inputs (--on-conflict), 4 refused: the target cannot hold all\n"
               "of the data (--allow-loss).");
  if (const std::optional<Exit> status = parse(app, words)) return *status;
  if (const std::string mistake = arguments.mistake(); !mistake.empty()) {
    fmt::print(stderr, "persist merge: {}\n", printable(mistake));
    return kTrouble;
  }
  EditArguments edit;
  edit.path = arguments.paths.front();
  edit.json = arguments.common.json;
  return run_edit(edit, kMergeVerb, [&] { return MergeJob(arguments).run(); });
}

}  // namespace persist::tool
