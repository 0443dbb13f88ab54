// persist dump: the key space on standard output or in a file.
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <memory>
#include <nlohmann/json.hpp>

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

  void add_to(CLI::App& app) {
    app.add_option("PATH", path, "what to dump; - is standard input")->required();
    app.add_option("-o,--output", output, "write to FILE, which appears whole or not at all")
        ->type_name("FILE");
    app.add_flag("--force", force, "let FILE replace one that exists");
    app.add_flag("--partial", partial, "let FILE appear although the input is damaged");
    app.add_flag("--meta", meta, "also lines for the records that are no keys");
    app.add_flag("--annotate", annotate, "records with offset, size and bytes instead of JSON");
    app.add_option("--bytes", annotate_bytes, "with --annotate: show up to N bytes of each record [32]")
        ->type_name("N");
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
    json["path"] = printable(arguments.path);
    json["keys"] = summary.keys;
    json["written"] = summary.written;
    json["complete"] = summary.complete;
    json["errors"] = summary.errors;
    std::fputs(json_line(json).c_str(), stderr);
  } else if (summary.errors > 0) {
    fmt::print(stderr, "persist dump: {}: damaged; {} whole keys{}\n", printable(arguments.path),
               summary.keys,
               written ? "" : "; nothing was written (--partial writes them, or use standard output)");
  }
}

DumpSummary dump_to(const DumpArguments& arguments, const Filter& filter, ByteSource& source,
                    ByteSink& output, FindingSink& findings) {
  ProgressLine progress(arguments.output.empty() && ::isatty(STDOUT_FILENO) != 0
                            ? When::never
                            : arguments.common.progress_when(),
                        source.size());
  DumpOptions options;
  options.filter = &filter;
  options.meta = arguments.meta;
  options.annotate = arguments.annotate;
  options.annotate_bytes = arguments.annotate_bytes;
  options.threads = arguments.common.threads;
  options.progress = progress.callback();
  return dump_rdb(source, output, findings, options);
}

int dump(const DumpArguments& arguments) {
  const Filter filter(arguments.filter.options());
  const std::unique_ptr<ByteSource> source = open_source(arguments.path);
  const std::unique_ptr<FindingSink> report = make_report(arguments.common);
  if (arguments.output.empty()) {
    const std::unique_ptr<ByteSink> output = descriptor_sink(STDOUT_FILENO);
    const DumpSummary summary = dump_to(arguments, filter, *source, *output, *report);
    print_summary(arguments, summary, true);
    return summary.has_header ? exit_of(summary.reach, summary.errors == 0) : kTrouble;
  }
  if (is_same_file(arguments.path, arguments.output)) {
    fmt::print(stderr, "persist dump: {} is the input: it is never written to\n",
               printable(arguments.output));
    return kTrouble;
  }
  AtomicFile output(arguments.output, arguments.force);
  const DumpSummary summary = dump_to(arguments, filter, *source, output, *report);
  const bool commit = summary.errors == 0 || (arguments.partial && summary.has_header);
  if (commit) output.commit();
  print_summary(arguments, summary, commit);
  return summary.has_header ? exit_of(summary.reach, summary.errors == 0) : kTrouble;
}

}  // namespace

int run_dump(Arguments raw) {
  CLI::App app("Writes the key space as JSON Lines, one key a line.", "persist dump");
  DumpArguments arguments;
  arguments.add_to(app);
  add_examples(app,
               "  persist dump dump.rdb | jq -r .key\n"
               "  persist dump --key 'session:*' --expired drop -o sessions.jsonl dump.rdb.gz\n"
               "  persist dump --annotate --bytes 64 dump.rdb | less\n"
               "Exit status: 0 all of it, 1 only the tail is damaged, 2 it could not be read or written,\n"
               "3 damage beyond a tail. What is whole is dumped in every case.");
  if (const std::optional<Exit> status = parse(app, raw)) return *status;
  return dump(arguments);
}

}  // namespace persist::tool
