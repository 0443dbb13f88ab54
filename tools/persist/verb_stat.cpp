// persist stat: what a dataset consists of, and where the memory goes.
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <system_error>

#include "dataset_input.hpp"
#include "editing.hpp"
#include "input.hpp"
#include "options.hpp"
#include "persist/stat.hpp"
#include "replaying.hpp"
#include "report.hpp"
#include "stat_html.hpp"
#include "stat_json.hpp"
#include "stat_text.hpp"
#include "terminal.hpp"
#include "verb.hpp"

namespace persist::tool {

namespace {

constexpr const char* kStatVerb = "stat";
constexpr size_t kTopKeysMax = 10000;

struct StatArguments {
  std::vector<std::string> paths;
  std::string target;
  std::string allocator = "jemalloc";
  std::string separators = StatOptions{}.separators;
  size_t top = StatOptions{}.top_keys;
  StatTextOptions text;
  std::string html;
  bool csv = false;
  bool partial = false;
  bool merge = false;
  bool no_replay = false;
  bool force = false;
  CommonOptions common;
  FilterArguments filter;
  ReplayArguments replay;

  void add_to(CLI::App& app) {
    app.add_option("PATH", paths,
                   "RDB files, logs, JSON Lines of `dump`, results of --partial; - is standard input")
        ->required();
    app.add_flag("--merge", merge, "one report of all PATHs together");
    app.add_flag("--partial", partial, "write a result for --merge instead of a report");
    app.add_option("--html", html, "write the report as a page of HTML that stands alone")->type_name("FILE");
    app.add_flag("--force", force, "replace what is at FILE");
    app.add_flag("--csv", csv, "instead of a report, a row for every key");
    app.add_option("--top", top, "how many of the largest keys, by each measure [10]")
        ->type_name("N")
        ->check(CLI::Range(size_t{0}, kTopKeysMax).description(""));
    app.add_option("--prefixes", text.prefixes, "how many prefixes in the text [20]")
        ->type_name("N")
        ->check(whole_number());
    app.add_option("--separators", separators, "characters that prefixes end with [:;,_-+@=|#]")
        ->type_name("CHARS");
    app.add_option("--for", target, "whose memory is estimated: redis-7.2, ... [the server that wrote it]")
        ->type_name("TARGET");
    app.add_option("--allocator", allocator, "of that server: jemalloc, jemalloc-system or libc [jemalloc]")
        ->type_name("NAME");
    app.add_flag("--no-replay", no_replay, "of a log only its commands, not what is alive in it");
    filter.add_selection_to(app);
    app.add_option("--expired", filter.expired, "keep, drop, or only those whose expiry has passed [keep]")
        ->type_name("WHAT")
        ->check(CLI::IsMember({"keep", "drop", "only"}).description(""));
    app.add_option("--as-of", filter.as_of, "what expiries are measured against [when the input was written]")
        ->type_name("TIME");
    replay.add_to(app, true);
    common.add_to(app);
  }

  // What is wrong with what was given; empty if nothing is.
  [[nodiscard]] std::string mistake() const {
    if (int{common.json} + int{csv} + int{partial} > 1)
      return "--json, --csv and --partial exclude each other";
    if (csv && merge) return "--csv has a row for every key, which results of --partial do not know";
    if (!html.empty() && paths.size() > 1 && !merge)
      return "--html is one report: expected one PATH, or --merge";
    if (partial && paths.size() > 1 && !merge)
      return "--partial is one result: expected one PATH, or --merge";
    if (std::ranges::count(paths, "-") > 1) return "standard input can be given once";
    constexpr size_t kSeparatorsMax = 256;  // there are no more characters
    if (separators.empty() || separators.size() > kSeparatorsMax)
      return "--separators: expected between one character and all there are";
    return {};
  }
};

class StatRun {
 public:
  explicit StatRun(const StatArguments& arguments)
      : arguments_(arguments),
        selected_(selection(arguments.filter)),
        filter_(selected_),
        report_(finding_report(arguments.common.json, arguments.common.findings_max)) {
    options_.filter = &filter_;
    options_.top_keys = arguments.top;
    options_.separators = arguments.separators;
    options_.replays = !arguments.no_replay;
    options_.threads = arguments.common.threads;
    options_.now_ms = wall_clock_ms();
    if (!arguments.filter.as_of.empty()) options_.as_of_ms = selected_.now_ms;
    choose_estimate();
    if (!arguments.csv) return;
    rows_ = descriptor_sink(STDOUT_FILENO);
    options_.key_rows = rows_.get();
  }

  int run() {
    if (!arguments_.html.empty())
      page_.emplace(arguments_.html, arguments_.force ? Existing::replace : Existing::refuse);
    int status = kDone;
    bool has_all = true;
    for (const std::string& path : arguments_.paths) {
      const Exit one = stat_one(path);
      has_all = has_all && one != kTrouble;
      status = std::max<int>(status, one);
    }
    if (!arguments_.merge) return status;
    if (!has_all) {
      fmt::print(stderr, "persist stat: no report: not all of what was to be merged could be\n");
      return kTrouble;
    }
    print(*merged_, {merged_path_, "merged", damaged_});
    return status;
  }

 private:
  // A time that expiries are measured against does not yet drop any key.
  static FilterOptions selection(FilterArguments filter) {
    if (filter.expired.empty()) filter.expired = "keep";
    return filter.options();
  }

  void choose_estimate() {
    const std::optional<Allocator> allocator = find_allocator(arguments_.allocator);
    if (!allocator) {
      throw std::invalid_argument("--allocator " + arguments_.allocator +
                                  ": expected jemalloc, jemalloc-system or libc");
    }
    options_.allocator = *allocator;
    if (arguments_.target.empty()) return;
    options_.target = find_target(arguments_.target);
    if (options_.target != nullptr) return;
    std::string names;
    for (const Target& target : targets()) names += " " + std::string(target.name);
    throw std::invalid_argument("--for " + arguments_.target + ": expected one of" + names);
  }

  Exit stat_one(const std::string& path) {
    try {
      return stat_path(path);
    } catch (const std::system_error& error) {
      const bool exists = error.code() == std::errc::file_exists;
      fmt::print(stderr, "persist stat: {}{}\n", printable(error.what()),
                 exists ? " (--force replaces it)" : "");
      return kTrouble;
    }
  }

  Exit stat_path(const std::string& path) {
    Keyspace found = open_keyspace(path, *report_);
    if (!found.log && !found.input.payload && is_partial(*found.input.source))
      return take_partial(path, found);
    const bool quiet = arguments_.common.json || arguments_.partial;
    const ConvertInput input = dataset_input(kStatVerb, path, found, arguments_.replay, quiet);
    KindWatch watch(*report_);
    ProgressLine progress(arguments_.common.progress_when(),
                          found.log ? bytes_of(*found.log) : found.input.source->size());
    options_.progress = progress.callback();
    const StatSummary summary = stat(input, watch, options_);
    if (input.rdb != nullptr && !watch.is_rdb()) {
      fmt::print(stderr, "persist stat: {}: neither an RDB file nor a log nor JSON Lines: {}\n",
                 printable(path), watch.kind());
      return kTrouble;
    }
    if (summary.replay) explain_replay(kStatVerb, path, *summary.replay, arguments_.common.json);
    if (summary.replay && summary.replay->refused)
      fmt::print(stderr, "persist stat: {}: --no-replay tells of its commands alone\n", printable(path));
    const bool damaged = summary.errors > 0 || !summary.complete;
    const Exit status = exit_of(summary, found, damaged);
    if (status == kTrouble) return status;
    return take(summary.report, {path, kind_of(input), damaged}) ? status : kTrouble;
  }

  [[nodiscard]] static Exit exit_of(const StatSummary& summary, const Keyspace& found, bool damaged) {
    if (summary.replay) return tool::exit_of(found, *summary.replay);
    if (!summary.has_header) return kTrouble;
    return damaged ? tool::exit_of(std::max(summary.reach, found.reach), false) : kDone;
  }

  [[nodiscard]] static std::string kind_of(const ConvertInput& input) {
    if (input.json != nullptr) return "jsonl";
    if (input.rdb != nullptr) return "rdb";
    return input.log->manifest_path.empty() ? "aof" : "append-dir";
  }

  Exit take_partial(const std::string& path, const Keyspace& found) {
    try {
      if (arguments_.csv) throw std::invalid_argument("a result of --partial has no rows");
      const StatReport report = read_partial(*found.input.source);
      const bool damaged = report.errors > 0 || !report.complete;
      if (!take(report, {path, "merged", damaged})) return kTrouble;
      // How far the damage reached, the result does not say.
      return damaged ? kDamaged : kDone;
    } catch (const std::invalid_argument& error) {
      return refuse(path, error);
    }
  }

  static Exit refuse(const std::string& path, const std::invalid_argument& error) {
    fmt::print(stderr, "persist stat: {}: {}\n", printable(path), printable(error.what()));
    return kTrouble;
  }

  // False if it does not fit the others.
  bool take(const StatReport& report, const StatTold& told) {
    if (!arguments_.merge) {
      print(report, told);
      return true;
    }
    try {
      if (merged_)
        merge_stat(*merged_, report);
      else
        merged_ = report;
    } catch (const std::invalid_argument& error) {
      refuse(told.path, error);
      if (merged_->target != report.target) fmt::print(stderr, "persist stat: --for names one for all\n");
      return false;
    }
    damaged_ = damaged_ || told.damaged;
    merged_path_ += (merged_path_.empty() ? "" : ", ") + told.path;
    return true;
  }

  void print(const StatReport& report, const StatTold& told) {
    if (!arguments_.html.empty()) write_page(report, told);
    if (arguments_.csv) return;
    if (arguments_.partial) return write_partial(report, *descriptor_sink(STDOUT_FILENO));
    if (arguments_.common.json) {
      fmt::print("{}", json_line(stat_json(report, told)));
      return;
    }
    if (!arguments_.html.empty()) return;
    if (std::exchange(printed_, true)) fmt::print("\n");
    print_stat(report, told, arguments_.text);
  }

  void write_page(const StatReport& report, const StatTold& told) {
    page_->write(stat_html(stat_json(report, told), told.path));
    page_->commit();
    fmt::print(stderr, "persist stat: {}: written\n", printable(arguments_.html));
  }

  const StatArguments& arguments_;
  FilterOptions selected_;
  Filter filter_;
  std::unique_ptr<FindingSink> report_;
  std::unique_ptr<ByteSink> rows_;
  StatOptions options_;
  std::optional<AtomicFile> page_;
  std::optional<StatReport> merged_;
  std::string merged_path_;
  bool damaged_ = false;
  bool printed_ = false;
};

}  // namespace

int run_stat(Arguments words) {
  CLI::App app("Tells what a dataset consists of, and where the memory goes.", "persist stat");
  StatArguments arguments;
  arguments.add_to(app);
  add_examples(app,
               "  persist stat dump.rdb                                  what fills it?\n"
               "  persist stat --for valkey-8.1 --html report.html dump.rdb\n"
               "  persist stat --csv dump.rdb | sort -t, -k5nr | head    every key with its bytes\n"
               "  persist stat --partial shard1.rdb > 1.part             on each machine; then\n"
               "  persist stat --merge *.part                            one report of all shards\n"
               "Exit status: 0 all of it, 1 only the tail is damaged, 2 it could not be read, 3 damage\n"
               "beyond a tail.");
  if (const std::optional<Exit> status = parse(app, words)) return *status;
  if (const std::string mistake = arguments.mistake(); !mistake.empty()) {
    fmt::print(stderr, "persist stat: {}\n", printable(mistake));
    return kTrouble;
  }
  EditArguments edit;
  edit.path = arguments.paths.front();
  edit.json = arguments.common.json;
  return run_edit(edit, kStatVerb, [&] { return StatRun(arguments).run(); });
}

}  // namespace persist::tool
