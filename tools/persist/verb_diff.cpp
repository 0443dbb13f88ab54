// persist diff: in what two datasets differ.
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "changing.hpp"
#include "dataset_input.hpp"
#include "diff_report.hpp"
#include "editing.hpp"
#include "options.hpp"
#include "persist/diff.hpp"
#include "replaying.hpp"
#include "report.hpp"
#include "salvaging.hpp"
#include "terminal.hpp"
#include "verb.hpp"
#include "writing.hpp"

namespace persist::tool {

namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kDiffVerb = "diff";

// Of a word, as text and as JSON.
constexpr uint64_t kTextWordBytes = 80;
constexpr uint64_t kJsonWordBytes = uint64_t{1} << 20;

struct DiffArguments {
  std::string a;
  std::string b;
  bool brief = false;
  bool stat = false;
  bool whole = false;
  bool salvage = false;
  std::optional<uint64_t> limit;
  std::optional<uint64_t> per_key;
  std::vector<std::string> ignored;
  std::string ttl_tolerance;
  std::string max_memory;
  std::string colour = "auto";
  std::string emit;
  std::string output = "-";
  bool force = false;
  CommonOptions common;
  WriteArguments write;
  FilterArguments filter;
  ChangeArguments changes;
  ReplayArguments replay;

  void add_to(CLI::App& app) {
    app.add_option("A", a, "an RDB file, a log, JSON Lines of `dump`; - is standard input")->required();
    app.add_option("B", b, "what it is compared with, in any of these forms")->required();
    app.add_flag("-q,--brief", brief, "only which keys differ, not in what");
    app.add_flag("--stat", stat, "only how many keys differ, by type");
    app.add_option("--limit", limit, "say at most N keys; all are counted [all]")
        ->type_name("N")
        ->check(whole_number());
    app.add_option("--per-key", per_key, "say at most N differences of each key; all are counted [100]")
        ->type_name("N")
        ->check(whole_number());
    app.add_flag("--whole", whole, "say long values in full");
    app.add_option("--ignore", ignored,
                   "what need not be equal: ttl, field-ttl, idle, groups, counters, idmp, functions, modules")
        ->type_name("WHAT,...")
        ->delimiter(',')
        ->expected(1)
        ->take_all()
        ->allow_extra_args(false);
    app.add_option("--ttl-tolerance", ttl_tolerance, "expiries that are so near to each other are equal: 2s")
        ->type_name("TIME");
    app.add_flag("--salvage", salvage,
                 "of damaged inputs, compare what is whole; of RDB files also behind damage");
    app.add_option("--emit", emit, "resp: instead of the differences, commands that make A equal to B")
        ->type_name("FORM")
        ->check(CLI::IsMember({"resp"}).description(""));
    app.add_option("-o,--output", output, "where the commands go [standard output]")->type_name("OUT");
    app.add_flag("--force", force, "replace what is at OUT");
    write.add_target_to(app);
    app.add_option("--max-memory", max_memory,
                   "for what is known of keys; what is more goes to temporary files [1GiB]")
        ->type_name("SIZE");
    app.add_option("--color", colour, "auto, always or never [auto]")
        ->type_name("WHEN")
        ->check(CLI::IsMember({"auto", "always", "never"}).description(""));
    filter.add_to(app);
    changes.add_names_to(app);
    replay.add_to(app, true);
    common.add_to(app);
  }

  // What is wrong with what was given; empty if nothing is.
  [[nodiscard]] std::string mistake() const {
    if (a == "-" && b == "-") return "standard input can be given once";
    if (brief && stat) return "--brief and --stat exclude each other";
    if (!emit.empty() && (brief || stat)) return "--emit says what to do, not --brief or --stat";
    if (emit.empty() && (output != "-" || force || !write.target.empty() || !write.allow_loss.empty()))
      return "-o, --force, --target and --allow-loss are for the commands of --emit";
    if (!emit.empty() && (!changes.db_map.empty() || !changes.renames.empty()))
      return "--emit makes A as it is equal to B: without --db-map and --rename";
    return {};
  }
};

class DiffRun {
 public:
  explicit DiffRun(const DiffArguments& arguments)
      : arguments_(arguments),
        selected_(arguments.filter.options()),
        filter_(selected_),
        report_(finding_report(arguments.common.json, arguments.common.findings_max)) {
    options_.detail = arguments.stat    ? DiffDetail::counts
                      : arguments.brief ? DiffDetail::keys
                                        : DiffDetail::values;
    fill_tolerances();
    options_.filter = &filter_;
    if (arguments.limit) options_.keys_max = *arguments.limit;
    if (arguments.per_key) options_.differences_max = *arguments.per_key;
    options_.word_bytes_max = arguments.whole         ? ~uint64_t{0}
                              : arguments.common.json ? kJsonWordBytes
                                                      : kTextWordBytes;
    if (!arguments.max_memory.empty())
      options_.memory_bytes = parse_size("--max-memory", arguments.max_memory);
    options_.salvage = arguments.salvage;
    options_.threads = arguments.common.threads;
    options_.target = arguments.write.options().target;
    options_.permitted_losses = arguments.write.permitted_losses();
    fill_changes();
    // Who asks how many of which type has to have them looked at.
    if (arguments.stat) {
      options_.detail = DiffDetail::keys;
      options_.keys_max = 0;
    }
  }

  int run() {
    Keyspace found_a = open_keyspace(arguments_.a, *report_);
    Keyspace found_b = open_keyspace(arguments_.b, *report_);
    if (arguments_.salvage) {
      salvage_rdb(kDiffVerb, arguments_.a, found_a, arguments_.common.json);
      salvage_rdb(kDiffVerb, arguments_.b, found_b, arguments_.common.json);
    }
    const bool quiet = arguments_.common.json || !arguments_.emit.empty();
    const ConvertInput a = dataset_input(kDiffVerb, arguments_.a, found_a, arguments_.replay, quiet);
    const ConvertInput b = dataset_input(kDiffVerb, arguments_.b, found_b, arguments_.replay, quiet);
    const DiffSummary summary = arguments_.emit.empty() ? compare(a, b) : emit(a, b);
    const Exit status = exit_of(summary, found_a, found_b);
    if (arguments_.common.json)
      print_json(summary, status);
    else
      print_text(summary);
    return status;
  }

 private:
  class NoSink : public DiffSink {
   public:
    void key(const KeyDifference& /*difference*/) override {}
    void library(const LibraryDifference& /*difference*/) override {}
  };

  void fill_tolerances() {
    for (const std::string& name : arguments_.ignored) {
      const std::optional<DiffIgnore> ignore = find_diff_ignore(name);
      if (!ignore) {
        throw std::invalid_argument(
            "--ignore " + name +
            ": expected ttl, field-ttl, idle, groups, counters, idmp, functions or modules");
      }
      options_.ignored.push_back(*ignore);
    }
    if (!arguments_.ttl_tolerance.empty())
      options_.ttl_tolerance_ms = parse_duration("--ttl-tolerance", arguments_.ttl_tolerance);
    if (options_.ttl_tolerance_ms < 0)
      throw std::invalid_argument("--ttl-tolerance " + arguments_.ttl_tolerance +
                                  ": expected a time from 0 on");
  }

  void fill_changes() {
    KeyChangeOptions of_b;
    of_b.now_ms = selected_.now_ms;
    of_b.drop_expired_fields = selected_.expired == Expired::drop;
    KeyChangeOptions of_a = arguments_.changes.options();
    of_a.now_ms = of_b.now_ms;
    of_a.drop_expired_fields = of_b.drop_expired_fields;
    changes_a_ = std::make_unique<KeyChanges>(of_a);
    changes_b_ = std::make_unique<KeyChanges>(of_b);
    if (of_b.drop_expired_fields) options_.changes_b = changes_b_.get();
    if (of_b.drop_expired_fields || arguments_.changes.changes_something())
      options_.changes_a = changes_a_.get();
  }

  DiffSummary compare(const ConvertInput& a, const ConvertInput& b) {
    if (arguments_.stat) {
      NoSink none;
      return compare(a, b, none);
    }
    const bool colour =
        arguments_.colour == "always" || (arguments_.colour == "auto" && use_colour_on(STDOUT_FILENO));
    const std::unique_ptr<DiffSink> sink = arguments_.common.json ? diff_json() : diff_text(colour);
    return compare(a, b, *sink);
  }

  DiffSummary compare(const ConvertInput& a, const ConvertInput& b, DiffSink& sink) {
    ProgressLine progress(arguments_.common.progress_when(), std::nullopt);
    options_.progress = progress.callback();
    return diff(a, b, sink, *report_, options_);
  }

  DiffSummary emit(const ConvertInput& a, const ConvertInput& b) {
    NoSink sink;
    options_.keys_max = 0;
    if (arguments_.output == "-") {
      const std::unique_ptr<ByteSink> out = descriptor_sink(STDOUT_FILENO);
      options_.commands = out.get();
      return compare(a, b, sink);
    }
    AtomicFile out(arguments_.output, arguments_.force ? Existing::replace : Existing::refuse);
    options_.commands = &out;
    DiffSummary summary = compare(a, b, sink);
    if (summary.compared && (summary.commands_written || !summary.differ())) out.commit();
    return summary;
  }

  [[nodiscard]] static bool readable(const DiffInput& input) {
    return input.replay ? input.replay->is_log && !input.replay->refused : input.has_header;
  }

  [[nodiscard]] Exit exit_of(const DiffSummary& summary, const Keyspace& found_a,
                             const Keyspace& found_b) const {
    if (!readable(summary.a) || !readable(summary.b)) return kTrouble;
    Exit status = kDone;
    for (const auto& [input, found] : {std::pair(&summary.a, &found_a), std::pair(&summary.b, &found_b)}) {
      if (!input->damaged() && found->errors == 0) continue;
      status = std::max(status, tool::exit_of(std::max(input->reach, found->reach), false));
    }
    if (status != kDone) return status;
    if (!arguments_.emit.empty()) return summary.differ() && !summary.commands_written ? kRefused : kDone;
    return summary.differ() ? kDamaged : kDone;
  }

  void print_text(const DiffSummary& summary) const {
    print_input(arguments_.a, summary.a);
    print_input(arguments_.b, summary.b);
    if (!summary.compared) return;
    if (!arguments_.emit.empty())
      print_losses(kDiffVerb, "commands", summary.losses, options_.permitted_losses);
    if (arguments_.stat) print_counts(summary);
    const uint64_t libraries = summary.libraries[0] + summary.libraries[1] + summary.libraries[2];
    const std::string counts = summary.keys[0] + summary.keys[1] + summary.keys[2] > 0
                                   ? fmt::format("{} only in {}, {} only in {}, {} changed, {} the same",
                                                 summary.keys[0], printable(arguments_.a), summary.keys[1],
                                                 printable(arguments_.b), summary.keys[2], summary.same)
                                   : fmt::format("no difference in {}", counted(summary.same, "key"));
    const bool damaged = summary.a.damaged() || summary.b.damaged();
    fmt::print(stderr, "persist diff: {}{}\n", counts, damaged ? ", of what could be read" : "");
    if (libraries > 0) {
      fmt::print(stderr, "persist diff: {} of functions or modules {}\n", counted(libraries, "record"),
                 libraries == 1 ? "differs" : "differ");
    }
    if (summary.only_idle > 0) {
      fmt::print(stderr, "persist diff: {} changed in nothing but idle time or frequency: --ignore idle\n",
                 counted(summary.only_idle, "key"));
    }
    if (summary.commands_written && arguments_.output != "-")
      fmt::print(stderr, "persist diff: {}: written, {}\n", printable(arguments_.output),
                 human_size(summary.commands_bytes));
  }

  void print_input(const std::string& path, const DiffInput& input) const {
    if (input.replay) explain_replay(kDiffVerb, path, *input.replay, false);
    if (!readable(input)) {
      if (!input.replay)
        fmt::print(stderr, "persist diff: {}: neither an RDB file nor a log nor JSON Lines\n",
                   printable(path));
    } else if (input.damaged()) {
      fmt::print(
          stderr, "persist diff: {}: damaged, with {} that can be read: {}\n", printable(path),
          counted(input.keys, "key"),
          arguments_.salvage ? "these were compared" : "nothing was compared; --salvage compares these");
    }
  }

  static void print_counts(const DiffSummary& summary) {
    fmt::print("{:<8} {:>12} {:>12} {:>12}\n", "type", "only in A", "only in B", "changed");
    for (size_t type = 0; type < summary.by_type[0].size(); ++type) {
      const auto of = [&](DiffKind kind) { return summary.by_type[static_cast<size_t>(kind)][type]; };
      if (of(DiffKind::only_a) + of(DiffKind::only_b) + of(DiffKind::changed) == 0) continue;
      fmt::print("{:<8} {:>12} {:>12} {:>12}\n", value_type_name(static_cast<ValueType>(type)),
                 of(DiffKind::only_a), of(DiffKind::only_b), of(DiffKind::changed));
    }
  }

  [[nodiscard]] static Json input_json(const std::string& path, const DiffInput& input) {
    Json json;
    json["path"] = json_string(path);
    json["keys"] = input.keys;
    json["compared"] = input.compared;
    json["complete"] = input.complete;
    json["errors"] = input.errors;
    if (input.replay) add_replay(json, *input.replay);
    return json;
  }

  void print_json(const DiffSummary& summary, Exit status) const {
    Json json;
    json["status"] = !summary.compared    ? (status == kTrouble ? "unreadable" : "damaged")
                     : status == kRefused ? "refused"
                     : summary.differ()   ? "different"
                                          : "same";
    json["a"] = input_json(arguments_.a, summary.a);
    json["b"] = input_json(arguments_.b, summary.b);
    if (summary.compared) {
      json["same"] = summary.same;
      json["only_a"] = summary.keys[0];
      json["only_b"] = summary.keys[1];
      json["changed"] = summary.keys[2];
      json["libraries"] = summary.libraries;
      if (options_.detail == DiffDetail::values) json["only_idle"] = summary.only_idle;
      Json by_type = Json::object();
      for (size_t type = 0; type < summary.by_type[0].size(); ++type) {
        if (summary.by_type[0][type] + summary.by_type[1][type] + summary.by_type[2][type] == 0) continue;
        by_type[std::string(value_type_name(static_cast<ValueType>(type)))] = {
            {"only_a", summary.by_type[0][type]},
            {"only_b", summary.by_type[1][type]},
            {"changed", summary.by_type[2][type]}};
      }
      json["by_type"] = by_type;
    }
    if (!arguments_.emit.empty() && summary.compared)
      json["losses"] = losses_json(summary.losses, options_.permitted_losses);
    // The commands are what standard output is for.
    fmt::print(!arguments_.emit.empty() && arguments_.output == "-" ? stderr : stdout, "{}",
               json_line({{"summary", json}}));
  }

  const DiffArguments& arguments_;
  FilterOptions selected_;
  Filter filter_;
  std::unique_ptr<FindingSink> report_;
  std::unique_ptr<KeyChanges> changes_a_;
  std::unique_ptr<KeyChanges> changes_b_;
  DiffOptions options_;
};

}  // namespace

int run_diff(Arguments words) {
  CLI::App app("Tells in what two datasets differ, whatever their forms, versions and order.",
               "persist diff");
  DiffArguments arguments;
  arguments.add_to(app);
  add_examples(app,
               "  persist diff yesterday.rdb today.rdb                what has changed\n"
               "  persist diff --stat before.rdb appendonlydir        how much of which type\n"
               "  persist diff --ttl-tolerance 1s --ignore idle a.rdb.gz b.rdb\n"
               "  persist diff --json old.rdb new.rdb | jq 'select(.kind == \"only-a\").key'\n"
               "  persist diff --emit resp replica.rdb source.rdb | redis-cli --pipe\n"
               "Exit status: 0 the same, 1 different, 2 they could not be compared, 1 or 3 an input is\n"
               "damaged (--salvage), 4 refused: commands cannot say all of it (--allow-loss).");
  if (const std::optional<Exit> status = parse(app, words)) return *status;
  if (const std::string mistake = arguments.mistake(); !mistake.empty()) {
    fmt::print(stderr, "persist diff: {}\n", printable(mistake));
    return kTrouble;
  }
  EditArguments edit;
  edit.path = arguments.a;
  edit.json = arguments.common.json;
  return run_edit(edit, kDiffVerb, [&] { return DiffRun(arguments).run(); });
}

}  // namespace persist::tool
