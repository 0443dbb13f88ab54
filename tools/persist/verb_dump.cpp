// persist dump: the key space on standard output or in a file.
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "input.hpp"
#include "options.hpp"
#include "persist/dump.hpp"
#include "replaying.hpp"
#include "report.hpp"
#include "salvaging.hpp"
#include "terminal.hpp"
#include "verb.hpp"

namespace persist::tool {

namespace {

using Json = nlohmann::ordered_json;

struct DumpArguments {
  std::string path;
  std::string output;
  bool force = false;
  bool partial = false;
  bool salvage = false;
  bool meta = false;
  bool annotate = false;
  size_t annotate_bytes = DumpOptions{}.annotate_bytes;
  CommonOptions common;
  FilterArguments filter;
  ReplayArguments replay;

  // On a terminal that shows the dump itself, a progress line would stand in its way.
  [[nodiscard]] When progress_when() const {
    const bool in_the_way = output.empty() && ::isatty(STDOUT_FILENO) != 0;
    return in_the_way && common.progress_when() == When::automatic ? When::never : common.progress_when();
  }

  void add_to(CLI::App& app) {
    app.add_option("PATH", path, "what to dump; - is standard input")->required();
    app.add_option("-o,--output", output, "write to FILE, which appears whole or not at all")
        ->type_name("FILE");
    app.add_flag("--force", force, "let FILE replace one that exists")->needs("--output");
    app.add_flag("--partial", partial, "let FILE appear although the input is damaged")->needs("--output");
    app.add_flag("--salvage", salvage,
                 "of a damaged RDB file, also what stands behind damage; --meta then labels it");
    app.add_flag("--meta", meta, "also lines for the records that are no keys");
    app.add_flag("--annotate", annotate, "records with offset, size and bytes instead of JSON");
    app.add_option("--bytes", annotate_bytes, "with --annotate: show up to N bytes of each record [32]")
        ->type_name("N")
        ->check(whole_number())
        ->needs("--annotate");
    filter.add_to(app);
    replay.add_to(app, true);
    common.add_to(app);
  }
};

bool is_same_file(const std::string& a, const std::string& b) {
  struct stat of_a {};
  struct stat of_b {};
  return ::stat(a.c_str(), &of_a) == 0 && ::stat(b.c_str(), &of_b) == 0 && S_ISREG(of_a.st_mode) &&
         of_a.st_dev == of_b.st_dev && of_a.st_ino == of_b.st_ino;
}

// `replay`: of a log; null for an RDB file.
void print_summary(const DumpArguments& arguments, const DumpSummary& summary, bool written,
                   const ReplaySummary* replay) {
  if (arguments.common.json) {
    Json json;
    json["path"] = json_string(arguments.path);
    json["keys"] = summary.keys;
    json["written"] = written ? summary.written : 0;
    json["complete"] = summary.complete;
    json["errors"] = summary.errors;
    if (replay != nullptr) add_replay(json, *replay);
    std::fputs(json_line(json).c_str(), stderr);
  } else if (summary.errors > 0 && !written) {
    fmt::print(stderr,
               "persist dump: {}: nothing was written: {} of {} could be read; --partial writes them\n",
               printable(arguments.path), summary.written, counted(summary.keys, "key"));
  } else if (summary.errors > 0) {
    fmt::print(stderr, "persist dump: {}: damaged: what could be read was written, {}\n",
               printable(arguments.path), counted(summary.written, "key"));
  }
}

// `salvaged`: what the input was damaged like; null if it was not, or nobody asked.
DumpSummary dump_to(const DumpArguments& arguments, const Filter& filter, const Input& input,
                    const SalvagedInput* salvaged, ByteSink& output, FindingSink& findings) {
  if (input.payload) return dump_payload(input.payload->bytes, input.source->name(), output, findings);
  ProgressLine progress(arguments.progress_when(), input.source->size());
  DumpOptions options;
  options.filter = &filter;
  options.meta = arguments.meta;
  options.annotate = arguments.annotate;
  options.annotate_bytes = arguments.annotate_bytes;
  options.threads = arguments.common.threads;
  options.progress = progress.callback();
  if (salvaged != nullptr)
    options.label = [salvaged](uint64_t offset) { return salvaged->salvaged().label(offset); };
  return dump_rdb(*input.source, output, findings, options);
}

// Says what the input was taken for, besides plain RDB.
void announce(const DumpArguments& arguments, const Input& input) {
  const Compression compression = input.source->compression();
  if (arguments.common.json || (!input.payload && compression == Compression::none)) return;
  fmt::print(stderr, "persist dump: {}: {}{}{}\n", printable(arguments.path),
             input.payload ? "a DUMP payload" : "an RDB file", compression == Compression::none ? "" : " in ",
             compression == Compression::none ? Bytes() : compression_name(compression));
}

// --- Of a log
// -----------------------------------------------------------------------------------------------

LogDumpSummary dump_log_to(const DumpArguments& arguments, const FilterOptions& selected, Keyspace& found,
                           ByteSink& output, FindingSink& findings) {
  const AppendSet& set = *found.log;
  const Filter filter(selected);
  ProgressLine progress(arguments.progress_when(), bytes_of(set));
  ReplayOptions replay = arguments.replay.options();
  found.lend_to(replay);
  replay.progress = progress.callback();
  DumpOptions options;
  options.filter = &filter;
  if (selected.expired == Expired::drop) options.hide_fields_past_ms = selected.now_ms;
  return dump_log(set, output, findings, options, replay);
}

// The same words as of an RDB file, with the keys that are there in the end.
DumpSummary summary_of(const Keyspace& found, const LogDumpSummary& dumped) {
  DumpSummary summary;
  summary.keys = dumped.replay.keys;
  summary.written = dumped.written;
  summary.complete = dumped.replay.complete;
  summary.errors = found.errors + (dumped.replay.reach == Reach::nothing ? 0 : 1);
  return summary;
}

int dump_set(const DumpArguments& arguments, Keyspace& found, FindingSink& findings) {
  if (arguments.meta || arguments.annotate) {
    fmt::print(stderr,
               "persist dump: {}: --meta and --annotate are for RDB files; for the commands of a log "
               "see `persist log`\n",
               printable(arguments.path));
    return kTrouble;
  }
  const FilterOptions selected = arguments.filter.options();
  if (!arguments.common.json) announce_set("dump", arguments.path, *found.log);
  LogDumpSummary dumped;
  bool written = true;
  if (arguments.output.empty()) {
    dumped = dump_log_to(arguments, selected, found, *descriptor_sink(STDOUT_FILENO), findings);
  } else {
    AtomicFile output(arguments.output, arguments.force ? Existing::replace : Existing::refuse);
    dumped = dump_log_to(arguments, selected, found, output, findings);
    written = exit_of(found, dumped.replay) == kDone ||
              (arguments.partial && exit_of(found, dumped.replay) != kTrouble);
    if (written) output.commit();
  }
  explain_replay("dump", arguments.path, dumped.replay, arguments.common.json);
  if (exit_of(found, dumped.replay) != kTrouble)
    print_summary(arguments, summary_of(found, dumped), written, &dumped.replay);
  return exit_of(found, dumped.replay);
}

int dump(const DumpArguments& arguments) {
  const Filter filter(arguments.filter.options());
  if (!arguments.output.empty() && is_same_file(arguments.path, arguments.output)) {
    fmt::print(stderr, "persist dump: {} is the input: it is never written to\n",
               printable(arguments.output));
    return kTrouble;
  }
  const std::unique_ptr<FindingSink> report =
      finding_report(arguments.common.json, arguments.common.findings_max);
  Keyspace found = open_keyspace(arguments.path, *report);
  if (found.log) return dump_set(arguments, found, *report);
  const SalvagedInput* salvaged =
      arguments.salvage ? salvage_rdb("dump", arguments.path, found, arguments.common.json) : nullptr;
  const Input& input = found.input;
  if (!arguments.common.json) announce_rdb("dump", arguments.path, found);
  announce(arguments, input);
  KindWatch watch(*report);
  DumpSummary summary;
  bool written = true;
  if (arguments.output.empty()) {
    summary = dump_to(arguments, filter, input, salvaged, *descriptor_sink(STDOUT_FILENO), watch);
  } else {
    AtomicFile output(arguments.output, arguments.force ? Existing::replace : Existing::refuse);
    summary = dump_to(arguments, filter, input, salvaged, output, watch);
    written = summary.errors == 0 || (arguments.partial && summary.has_header);
    if (written) output.commit();
  }
  if (!watch.is_rdb()) {
    fmt::print(stderr, "persist dump: {}: not an RDB file: {}\n", printable(arguments.path), watch.kind());
    return kTrouble;
  }
  // In words it has been said.
  if (salvaged != nullptr && arguments.common.json) summary.errors += found.errors;
  print_summary(arguments, summary, written, nullptr);
  if (salvaged != nullptr) return exit_of(salvaged->salvaged().report());
  return exit_of(summary.reach, summary.complete && summary.errors == 0);
}

}  // namespace

int run_dump(Arguments words) {
  CLI::App app("Writes the key space as JSON Lines, one key a line.", "persist dump");
  DumpArguments arguments;
  arguments.add_to(app);
  add_examples(app,
               "  persist dump dump.rdb | jq -r .key\n"
               "  persist dump --key 'session:*' --expired drop -o sessions.jsonl dump.rdb.gz\n"
               "  persist dump --annotate --bytes 64 dump.rdb | less\n"
               "  persist dump --salvage --meta broken.rdb -o whole.jsonl\n"
               "  persist dump --as-of 2026-11-20T18:00:00Z appendonlydir\n"
               "Exit status: 0 all of it, 1 only the tail is damaged, 2 it could not be read or written,\n"
               "3 damage beyond a tail. What is whole is dumped in every case: up to the damage, with\n"
               "--salvage also behind it.");
  if (const std::optional<Exit> status = parse(app, words)) return *status;
  return dump(arguments);
}

}  // namespace persist::tool
