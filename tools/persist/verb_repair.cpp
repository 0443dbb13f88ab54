// persist repair: what was found, what was done about it.
#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "editing.hpp"
#include "persist/repair.hpp"
#include "persist/sink.hpp"
#include "repair_report.hpp"
#include "terminal.hpp"
#include "verb.hpp"

namespace persist::tool {

namespace {

constexpr const char* kRepairVerb = "repair";

struct RepairArguments {
  EditArguments edit;
  bool salvage = false;
  std::string later = "refuse";
  std::string max_loss;
  std::optional<uint64_t> max_loss_commands;
  bool reseal = false;
  bool keep_damaged = false;
  bool drop_uncertain = false;
  bool deep = false;
  std::string report;

  void add_to(CLI::App& app) {
    edit.takes_any = true;
    edit.add_to(app);
    app.add_flag("--salvage", salvage, "also skip damage in the middle and keep what stands behind it");
    app.add_option("--later", later,
                   "the files behind a damaged one: keep, drop, or refuse to repair [refuse]")
        ->type_name("WHAT")
        ->check(CLI::IsMember({"keep", "drop", "refuse"}).description(""));
    app.add_option("--max-loss", max_loss,
                   "refuse to lose more than SIZE, such as 64k; permits to cut damage "
                   "in the middle")
        ->type_name("SIZE");
    app.add_option("--max-loss-commands", max_loss_commands, "refuse to lose more than N commands")
        ->type_name("N")
        ->check(whole_number());
    app.add_flag("--reseal", reseal,
                 "give RDB data that reads well a new checksum, if its own cannot be made to fit");
    app.add_flag("--keep-damaged", keep_damaged,
                 "with --salvage: of a value of RDB data that does not decode, keep what does");
    app.add_flag("--drop-uncertain", drop_uncertain,
                 "leave keys of RDB data out that may not be what was written");
    app.add_flag("--deep", deep, "of RDB data: also look for two flipped bits, far apart; takes longer");
    app.add_option(
           "--report", report,
           "tell what was done in FILE, too: Markdown (.md), JSON (.json) or text; even with --dry-run")
        ->type_name("FILE");
  }

  // What is wrong with what was given; empty if nothing is.
  [[nodiscard]] std::string mistake() const {
    if (keep_damaged && !salvage) return "--keep-damaged is for --salvage";
    return {};
  }

  [[nodiscard]] RepairTold told() const {
    const std::pair<bool, const char*> flags[] = {{salvage, " --salvage"},
                                                  {reseal, " --reseal"},
                                                  {keep_damaged, " --keep-damaged"},
                                                  {drop_uncertain, " --drop-uncertain"},
                                                  {deep, " --deep"}};
    const std::pair<std::string, std::string> values[] = {
        {" --later ", later == "refuse" ? "" : later},
        {" --max-loss ", max_loss},
        {" --max-loss-commands ", max_loss_commands ? std::to_string(*max_loss_commands) : ""}};
    RepairTold told{edit.path, edit.output.path, "", edit.output.in_place, edit.output.dry_run};
    for (const auto& [given, name] : flags)
      if (given) told.options += name;
    for (const auto& [name, value] : values)
      if (!value.empty()) told.options += name + shell_word(value);
    for (const std::string& name : edit.known) told.options += " --known " + shell_word(name);
    return told;
  }

  [[nodiscard]] RepairOptions options() const {
    RepairOptions options;
    options.salvage = salvage;
    options.later = later == "keep"   ? LaterFiles::keep
                    : later == "drop" ? LaterFiles::drop
                                      : LaterFiles::refuse;
    if (!max_loss.empty()) options.max_loss_bytes = parse_size("--max-loss", max_loss);
    options.max_loss_commands = max_loss_commands;
    options.known = edit.known;
    options.rdb.reseal = reseal;
    options.rdb.keep_damaged = keep_damaged;
    options.rdb.drop_uncertain = drop_uncertain;
    options.rdb.deep = deep;
    return options;
  }
};

// As the file system knows it; of what it cannot resolve, such as a pipe, as it is written.
std::filesystem::path resolved(const std::string& path) {
  std::error_code unknown;
  const std::filesystem::path known = std::filesystem::weakly_canonical(path, unknown);
  return unknown ? std::filesystem::absolute(path).lexically_normal() : known;
}

// A file that tells of the repair. It is opened before anything is written, so that a path that cannot be
// ends the job at once.
class ReportFile {
 public:
  ReportFile(const std::string& path, const EditArguments& edit) : path_(path) {
    check_place(edit);
    file_.emplace(path, edit.output.force ? Existing::replace : Existing::refuse);
  }

  void write(const RepairTold& told, const RepairSummary& summary) {
    file_->write(content(told, summary));
    file_->commit();
    fmt::print(stderr, "persist repair: {}: written\n", printable(path_));
  }

 private:
  // --force must replace nothing but reports.
  void check_place(const EditArguments& edit) const {
    std::vector<std::string> taken = {edit.path};
    std::string result = edit.output.in_place ? edit.path : edit.output.path;
    result.resize(result.find_last_not_of('/') + 1);
    if (!result.empty()) taken.insert(taken.end(), {result, result + ".lost"});
    const std::filesystem::path place = resolved(path_);
    for (const std::string& one : taken) {
      const std::filesystem::path folder = resolved(one);
      if (std::mismatch(folder.begin(), folder.end(), place.begin(), place.end()).first == folder.end()) {
        throw EditRefused(EditRefused::Kind::unusable,
                          path_ + ": expected a place for the report outside of " + one);
      }
    }
  }

  [[nodiscard]] std::string content(const RepairTold& told, const RepairSummary& summary) const {
    const std::string extension = std::filesystem::path(path_).extension();
    if (extension == ".json") return json_line(repair_json(told, summary));
    const std::unique_ptr<Document> document = extension == ".md" ? markdown_document() : text_document();
    report_repair(*document, told, summary);
    return document->written();
  }

  std::string path_;
  std::optional<AtomicFile> file_;
};

RepairSummary repair_watched(const AppendSet& set, RepairOptions options, const OutputOptions& output) {
  ProgressLine progress(When::automatic, std::nullopt);
  options.rdb.progress = progress.callback();
  return repair_set(set, options, output);
}

int repair(const RepairArguments& arguments) {
  std::optional<ReportFile> file;
  if (!arguments.report.empty()) file.emplace(arguments.report, arguments.edit);
  TextReport report(arguments.edit.findings_max);
  const EditInput input = open_for_edit(arguments.edit, kRepairVerb, report);
  const RepairSummary summary = repair_watched(input.set, arguments.options(), arguments.edit.output);
  print_repair(summary, arguments.edit.findings_max);
  print_edit(arguments.edit, kRepairVerb, summary.edit);
  if (file) file->write(arguments.told(), summary);
  if (arguments.edit.json) fmt::print("{}", json_line(repair_json(arguments.told(), summary)));
  return kDone;
}

}  // namespace

int run_repair(Arguments words) {
  CLI::App app("Writes a sound log or RDB file out of a damaged one; PATH itself stays as it is.",
               "persist repair");
  RepairArguments arguments;
  arguments.add_to(app);
  add_examples(
      app,
      "  persist repair appendonlydir -o repaired\n"
      "  persist repair --dry-run /var/lib/redis\n"
      "  persist repair --in-place --max-loss 64k /data/appendonlydir    # in an init container\n"
      "  persist repair --salvage appendonly.aof -o salvaged.aof\n"
      "  persist repair --dry-run --salvage --report loss.md dump.rdb    # what would be left of it?\n"
      "  persist repair --salvage --keep-damaged dump.rdb -o whole.rdb\n"
      "Exit status: 0 repaired or sound, 2 trouble, 3 damage in the middle (--salvage, --reseal), 4 more\n"
      "would be lost than permitted.");
  if (const std::optional<Exit> status = parse(app, words)) return *status;
  if (!arguments.edit.check(kRepairVerb)) return kTrouble;
  if (const std::string mistake = arguments.mistake(); !mistake.empty()) {
    fmt::print(stderr, "persist repair: {}\n", mistake);
    return kTrouble;
  }
  return run_edit(arguments.edit, kRepairVerb, [&] { return repair(arguments); });
}

}  // namespace persist::tool
