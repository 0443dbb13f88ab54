// persist dump: the key space on standard output or in a file.
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "input.hpp"
#include "options.hpp"
#include "persist/dump.hpp"
#include "report.hpp"
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
  bool meta = false;
  bool annotate = false;
  size_t annotate_bytes = DumpOptions{}.annotate_bytes;
  CommonOptions common;
  FilterArguments filter;

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
    app.add_flag("--meta", meta, "also lines for the records that are no keys");
    app.add_flag("--annotate", annotate, "records with offset, size and bytes instead of JSON");
    app.add_option("--bytes", annotate_bytes, "with --annotate: show up to N bytes of each record [32]")
        ->type_name("N")
        ->check(whole_number())
        ->needs("--annotate");
    filter.add_to(app);
    common.add_to(app);
  }
};

// Findings on standard error, as text or as JSON Lines.
class JsonLinesReport : public FindingSink {
 public:
  explicit JsonLinesReport(size_t most) : most_(most) {}
  void report(const Finding& finding) override {
    if (seen_++ < most_) std::fputs(json_line(json_of(finding)).c_str(), stderr);
  }

 private:
  size_t most_;
  size_t seen_ = 0;
};

std::unique_ptr<FindingSink> make_report(const CommonOptions& common) {
  if (common.json) return std::make_unique<JsonLinesReport>(common.findings_max);
  return std::make_unique<TextReport>(common.findings_max);
}

bool is_same_file(const std::string& a, const std::string& b) {
  struct stat of_a {};
  struct stat of_b {};
  return ::stat(a.c_str(), &of_a) == 0 && ::stat(b.c_str(), &of_b) == 0 && S_ISREG(of_a.st_mode) &&
         of_a.st_dev == of_b.st_dev && of_a.st_ino == of_b.st_ino;
}

void print_summary(const DumpArguments& arguments, const DumpSummary& summary, bool written) {
  if (arguments.common.json) {
    Json json;
    json["path"] = json_string(arguments.path);
    json["keys"] = summary.keys;
    json["written"] = written ? summary.written : 0;
    json["complete"] = summary.complete;
    json["errors"] = summary.errors;
    std::fputs(json_line(json).c_str(), stderr);
  } else if (summary.errors > 0 && !written) {
    fmt::print(stderr,
               "persist dump: {}: nothing was written: {} of {} keys are readable; --partial writes them\n",
               printable(arguments.path), summary.written, summary.keys);
  } else if (summary.errors > 0) {
    fmt::print(stderr, "persist dump: {}: damaged: what could be read was written, {} keys\n",
               printable(arguments.path), summary.written);
  }
}

DumpSummary dump_to(const DumpArguments& arguments, const Filter& filter, const Input& input,
                    ByteSink& output, FindingSink& findings) {
  if (input.payload) return dump_payload(input.payload->bytes, input.source->name(), output, findings);
  ProgressLine progress(arguments.progress_when(), input.source->size());
  DumpOptions options;
  options.filter = &filter;
  options.meta = arguments.meta;
  options.annotate = arguments.annotate;
  options.annotate_bytes = arguments.annotate_bytes;
  options.threads = arguments.common.threads;
  options.progress = progress.callback();
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

int dump(const DumpArguments& arguments) {
  const Filter filter(arguments.filter.options());
  if (!arguments.output.empty() && is_same_file(arguments.path, arguments.output)) {
    fmt::print(stderr, "persist dump: {} is the input: it is never written to\n",
               printable(arguments.output));
    return kTrouble;
  }
  const Input input = open_input(arguments.path);
  announce(arguments, input);
  const std::unique_ptr<FindingSink> report = make_report(arguments.common);
  KindWatch watch(*report);
  DumpSummary summary;
  bool written = true;
  if (arguments.output.empty()) {
    summary = dump_to(arguments, filter, input, *descriptor_sink(STDOUT_FILENO), watch);
  } else {
    AtomicFile output(arguments.output, arguments.force ? Existing::replace : Existing::refuse);
    summary = dump_to(arguments, filter, input, output, watch);
    written = summary.errors == 0 || (arguments.partial && summary.has_header);
    if (written) output.commit();
  }
  if (!watch.is_rdb()) {
    fmt::print(stderr, "persist dump: {}: not an RDB file: {}\n", printable(arguments.path), watch.kind());
    return kTrouble;
  }
  print_summary(arguments, summary, written);
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
               "Exit status: 0 all of it, 1 only the tail is damaged, 2 it could not be read or written,\n"
               "3 damage beyond a tail. What is whole is dumped in every case.");
  if (const std::optional<Exit> status = parse(app, words)) return *status;
  return dump(arguments);
}

}  // namespace persist::tool
