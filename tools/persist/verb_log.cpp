// persist log: the commands of a log, one a line.
#include <fmt/core.h>
#include <poll.h>
#include <unistd.h>

#include <csignal>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "options.hpp"
#include "persist/log.hpp"
#include "replaying.hpp"
#include "report.hpp"
#include "terminal.hpp"
#include "verb.hpp"

namespace persist::tool {

namespace {

using Json = nlohmann::ordered_json;

struct LogArguments {
  std::string path;
  LogSelection selection;
  std::string since;
  std::string until;
  std::optional<uint64_t> head;
  std::optional<uint64_t> tail;
  bool follow = false;
  bool keys = false;
  bool annotations = false;
  bool json = false;
  bool whole = false;
  bool effect = false;
  ReplayArguments replay;
  size_t findings_max = 100;
  std::string progress = "auto";

  void add_to(CLI::App& app) {
    app.add_option("PATH", path, "an append directory, a manifest, a file; - is standard input")->required();
    add_selection_to(app);
    auto* first =
        app.add_option("--head", head, "the first N lines only")->type_name("N")->check(whole_number());
    app.add_option("--tail", tail, "the last N lines only")
        ->type_name("N")
        ->check(whole_number())
        ->excludes(first);
    auto* following = app.add_flag("-f,--follow", follow, "go on as the log grows, until interrupted");
    auto* of_rdb =
        app.add_flag("--keys", keys, "the keys of an RDB part, instead of one line that counts them");
    auto* notes = app.add_flag("--annotations", annotations, "also the annotations, such as the timestamps");
    app.add_flag("--effect", effect,
                 "replay the log and say what came of each command: changed, unchanged, failed")
        ->excludes(following)
        ->excludes(of_rdb)
        ->excludes(notes);
    replay.add_to(app, true);
    app.add_flag("--whole", whole, "also commands of more than 1 MiB in full; each is then held in memory");
    app.add_flag("--json", json, "JSON Lines, also for findings and the summary");
    app.add_option("--max-findings", findings_max, "say at most N findings, count the rest [100]")
        ->type_name("N")
        ->check(whole_number());
    app.add_option("--progress", progress, "auto, always or never show how far it has come")
        ->type_name("WHEN")
        ->check(CLI::IsMember({"auto", "always", "never"}).description(""));
  }

  void add_selection_to(CLI::App& app) {
    app.add_option("--command", selection.commands, "commands of this name, in any letter case")
        ->type_name("NAME,...")
        ->delimiter(',')
        ->expected(1)
        ->take_all()
        ->allow_extra_args(false);
    app.add_option("--key", selection.key_globs, "commands with a key that matches: * ? [a-z]")
        ->type_name("GLOB")
        ->expected(1)
        ->take_all()
        ->allow_extra_args(false);
    app.add_option("--key-regex", selection.key_regexes, "with a key in which this RE2 expression is found")
        ->type_name("REGEX")
        ->expected(1)
        ->take_all()
        ->allow_extra_args(false);
    app.add_option("--db", selection.dbs, "commands that work on these databases")
        ->type_name("N,...")
        ->delimiter(',')
        ->expected(1)
        ->take_all()
        ->allow_extra_args(false);
    app.add_option("--since", since, "from this time on")->type_name("TIME");
    app.add_option("--until", until, "up to this time, inclusive")->type_name("TIME");
  }

  // Throws std::invalid_argument.
  void read_times() {
    if (!since.empty()) selection.since_ms = time_option("--since", since);
    if (!until.empty()) selection.until_ms = time_option("--until", until);
  }

  [[nodiscard]] bool wants_times() const { return selection.since_ms || selection.until_ms; }

  // On a terminal that shows the list itself, a progress line would stand in its way.
  [[nodiscard]] When progress_when() const {
    if (progress == "always") return When::always;
    return progress == "never" || ::isatty(STDOUT_FILENO) != 0 ? When::never : When::automatic;
  }
};

// Passes errors on and counts them. What else check has to say of a log is not asked for here.
class ErrorReport : public FindingSink {
 public:
  explicit ErrorReport(const LogArguments& arguments) : json_max_(arguments.findings_max) {
    if (!arguments.json) text_ = std::make_unique<TextReport>(arguments.findings_max);
  }
  void report(const Finding& finding) override {
    if (finding.kind().severity != Severity::error) return;
    reach_ = std::max(reach_, finding.kind().reach);
    ++errors_;
    if (text_)
      text_->report(finding);
    else if (errors_ <= json_max_)
      std::fputs(json_line(json_of(finding)).c_str(), stderr);
  }
  [[nodiscard]] uint64_t errors() const { return errors_; }
  [[nodiscard]] Exit exit() const { return exit_of(reach_, errors_ == 0); }

 private:
  std::unique_ptr<TextReport> text_;
  size_t json_max_;
  uint64_t errors_ = 0;
  Reach reach_ = Reach::nothing;
};

// --- Following
// ----------------------------------------------------------------------------------------------

volatile std::sig_atomic_t interrupted = 0;

void interrupt(int /*signal*/) { interrupted = 1; }

void end_when_interrupted() {
  struct sigaction action {};
  action.sa_handler = interrupt;
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
}

// False once we were interrupted, or nobody reads our output any more.
bool pause(int milliseconds) {
  struct pollfd output = {STDOUT_FILENO, 0, 0};
  const int events = ::poll(&output, 1, milliseconds);
  return interrupted == 0 && !(events > 0 && (output.revents & (POLLERR | POLLHUP)) != 0);
}

void notice(const std::string& file, const std::string& what) {
  std::fputs(("persist log: " + printable(file) + ": " + what + "\n").c_str(), stderr);
}

// --- The job
// ------------------------------------------------------------------------------------------------

void print_summary(const LogArguments& arguments, const AppendSet& set, const LogSummary& summary,
                   const ErrorReport& report) {
  if (!arguments.json) return;
  constexpr const char* kKinds[] = {"file", "append-dir", "data-dir"};
  Json json;
  json["path"] = json_string(arguments.path);
  json["kind"] = kKinds[static_cast<size_t>(set.kind)];
  json["commands"] = summary.commands;
  json["lines"] = summary.lines;
  json["complete"] = summary.complete;
  json["errors"] = report.errors();
  if (summary.replay) add_replay(json, *summary.replay);
  std::fputs(json_line(json).c_str(), stderr);
}

int refuse(const LogArguments& arguments, const std::string& why) {
  fmt::print(stderr, "persist log: {}: {}\n", printable(arguments.path), why);
  return kTrouble;
}

int log(const LogArguments& arguments) {
  ErrorReport report(arguments);
  const AppendSet set = open_append_set(arguments.path, report, {});
  if (!set.has_log() && !set.rdb_path.empty())
    return refuse(arguments, "no log, only an RDB file: see `persist dump " + printable(set.rdb_path) + "`");
  if (set.kind != SetKind::file && !arguments.json) announce_set("log", arguments.path, set);
  const LogFollowing following{pause, notice};
  ProgressLine progress(arguments.progress_when(), bytes_of(set));
  LogOptions options;
  options.selection = arguments.selection;
  options.json = arguments.json;
  options.whole = arguments.whole;
  options.annotations = arguments.annotations;
  options.keys = arguments.keys;
  options.head_lines = arguments.head;
  options.tail_lines = arguments.tail;
  ReplayOptions replay = arguments.replay.options();
  replay.progress = progress.callback();
  // Nothing tells when a pipe was written.
  if (arguments.path == "-" && !replay.now_ms) replay.now_ms = wall_clock_ms();
  if (arguments.effect) options.effects = &replay;
  if (arguments.follow) {
    end_when_interrupted();
    options.following = &following;
  } else {
    options.progress = progress.callback();
  }
  const LogSummary summary = list_log(set, *descriptor_sink(STDOUT_FILENO), report, options);
  if (!summary.is_log)
    return refuse(arguments, "not a log: it begins with neither a command nor an RDB part");
  if (summary.replay) explain_replay("log", arguments.path, *summary.replay, arguments.json);
  print_summary(arguments, set, summary, report);
  if (summary.replay && summary.replay->refused) return kTrouble;
  if (arguments.follow && !summary.complete) return kDone;
  if (arguments.wants_times() && !summary.has_times && summary.complete) {
    return refuse(arguments,
                  "--since, --until: the log has no timestamps, which servers from 7.0 on write with "
                  "`aof-timestamp-enabled yes`");
  }
  return summary.out_of_reach ? kBroken : report.exit();
}

}  // namespace

int run_log(Arguments words) {
  CLI::App app("Lists the commands of a log with file, offset, index, db and time.", "persist log");
  LogArguments arguments;
  arguments.add_to(app);
  add_examples(
      app,
      "  persist log appendonlydir | less\n"
      "  persist log --command flushall,flushdb appendonlydir\n"
      "  persist log --key 'cart:17' --since 2026-11-20T18:00:00Z --json appendonlydir\n"
      "  persist log --tail 20 --follow appendonlydir\n"
      "  persist log --effect appendonlydir | grep -w failed\n"
      "Exit status: 0 all of it, 1 only the tail is damaged, 2 it could not be read, or has no times\n"
      "to go by, 3 damage beyond a tail. What can be read is listed in every case.");
  if (const std::optional<Exit> status = parse(app, words)) return *status;
  arguments.read_times();
  return log(arguments);
}

}  // namespace persist::tool
