// The report of a repair, for a ticket or for those who look into it later: what was wrong, what was done
// about it, what is left to look at and with which commands.
#include "repair_report.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>

#include "report.hpp"
#include "terminal.hpp"

namespace persist::tool {

namespace {

namespace fs = std::filesystem;

struct Section {
  const char* name;
  const char* sentence;
};
enum SectionIndex : uint8_t { kCorrected, kLeftOut, kInPart, kUncertain, kTwice, kPutIn };
constexpr std::array<Section, 6> kSections = {
    {{"Corrected", "Flipped bits that the checksum gave away; all else is as it was."},
     {"Left out", "What could not be read, or was not to be kept. Offsets are those of the input."},
     {"Kept in part", "Values that do not decode to their end: what does was kept."},
     {"Uncertain",
      "These keys decode well, but may not hold what was written. Have their owners look at them."},
     {"Keys that came twice", "Of each the last record was kept; the earlier ones were left out."},
     {"Put in", "Bytes that the input did not have, or not any more."}}};

// By SalvageAction.
constexpr std::array<SectionIndex, 10> kSectionOf = {kCorrected, kPutIn, kLeftOut, kInPart,    kLeftOut,
                                                     kLeftOut,   kTwice, kPutIn,   kUncertain, kPutIn};

SectionIndex section_of(const SalvageStep& step) {
  return step.kept ? kSectionOf[static_cast<size_t>(step.action)] : kLeftOut;
}

class RepairReport {
 public:
  RepairReport(Document& document, const RepairTold& told, const RepairSummary& summary)
      : document_(document), told_(told), summary_(summary), edit_(summary.edit) {}

  void write() {
    document_.title({"persist repair: ", code(told_.path), ": ", status_name(told_, summary_)});
    tell_files();
    for (const RdbSalvage& salvage : summary_.rdb) tell_rdb(salvage);
    if (!summary_.steps.empty()) tell_steps();
    if (told_.dry_run)
      tell_how_to_repair();
    else
      tell_checks();
  }

 private:
  void tell_files() {
    std::vector<Words> items;
    items.push_back({"input: ", code(told_.path)});
    if (!edit_.backup.empty()) append(items.back(), {", which is now ", code(edit_.backup)});
    if (edit_.output.empty())
      items.push_back({told_.dry_run ? "result: none, this was a dry run" : "result: the input as it is"});
    else
      items.push_back({"result: ", code(edit_.output)});
    if (!edit_.lost.empty()) items.push_back({"what the result has not: ", code(edit_.lost)});
    items.push_back({fmt::format("{} kept, {} left out, {} put in", counted(edit_.bytes_kept, "byte"),
                                 edit_.bytes_dropped, edit_.bytes_inserted)});
    if (summary_.lost_commands > 0)
      items.push_back({counted(summary_.lost_commands, "command") + " lost, whole or torn"});
    document_.list(items);
    if (is_sound(summary_)) document_.paragraph({"Nothing was wrong, and nothing was done."});
  }

  // ------------------------------------------------------------------------------------------- RDB data

  void tell_rdb(const RdbSalvage& salvage) {
    document_.heading({"RDB data of ", code(salvage.file)});
    std::string sums = salvage_in_words(salvage) + ".";
    if (salvage.header) {
      sums = fmt::format("{}, RDB version {}: {}", dialect_name(salvage.header->dialect),
                         salvage.header->version, sums);
    }
    document_.paragraph({sums});
    std::string unknown = unknown_in_words(salvage);
    if (!unknown.empty()) document_.paragraph({"N" + unknown.substr(1) + "."});
    tell_reasons(salvage);
    tell_counts(salvage);
    for (size_t i = 0; i < kSections.size(); ++i) tell_section(salvage, static_cast<SectionIndex>(i));
    if (salvage.steps_in_all > salvage.steps.size())
      document_.paragraph({fmt::format("Only the first {} of {} are told here.", salvage.steps.size(),
                                       counted(salvage.steps_in_all, "step"))});
  }

  void tell_reasons(const RdbSalvage& salvage) {
    std::vector<FindingCode> codes;
    for (const SalvageStep& step : salvage.steps) codes.push_back(step.why);
    std::vector<Words> items = reasons(codes);
    if (salvage.stored_checksum && salvage.computed_checksum &&
        *salvage.stored_checksum != *salvage.computed_checksum) {
      items.push_back({fmt::format("The input states the checksum {:016x}; that of its bytes is {:016x}.",
                                   *salvage.stored_checksum, *salvage.computed_checksum)});
    }
    tell_list("What was wrong", items);
  }

  void tell_counts(const RdbSalvage& salvage) {
    const std::vector<Column> columns = {{"db"},
                                         {"type"},
                                         {"kept", true},
                                         {"salvaged", true},
                                         {"partial", true},
                                         {"uncertain", true},
                                         {"dropped", true}};
    std::vector<std::vector<std::string>> rows;
    for (const SalvageCounts& counts : salvage.dbs) {
      for (size_t i = 0; i < counts.kept.size(); ++i) {
        const std::array<uint64_t, 5> numbers = {counts.kept[i], counts.salvaged[i], counts.partial[i],
                                                 counts.uncertain[i], counts.dropped[i]};
        if (std::ranges::all_of(numbers, [](uint64_t number) { return number == 0; })) continue;
        rows.push_back(row(std::to_string(counts.db), value_type_name(static_cast<ValueType>(i)), numbers));
      }
    }
    rows.push_back(row("all", "",
                       {salvage.keys_kept, salvage.keys_salvaged, salvage.keys_partial,
                        salvage.keys_uncertain, salvage.keys_dropped}));
    document_.subheading({"Keys"});
    document_.table(columns, rows);
    document_.paragraph(
        {"Of the keys that were kept, salvaged ones stand behind a gap, partial ones have not "
         "all of their value, uncertain ones may not be what was written. Dropped are those "
         "known to be lost."});
  }

  static std::vector<std::string> row(const std::string& db, Bytes type,
                                      const std::array<uint64_t, 5>& numbers) {
    std::vector<std::string> cells = {db, std::string(type)};
    for (const uint64_t number : numbers) cells.push_back(std::to_string(number));
    return cells;
  }

  void tell_section(const RdbSalvage& salvage, SectionIndex index) {
    std::vector<Words> items;
    for (const SalvageStep& step : salvage.steps)
      if (section_of(step) == index) items.push_back(placed(salvage.file, step.extent, step_words(step)));
    if (items.empty()) return;
    document_.subheading({kSections[index].name});
    document_.paragraph({kSections[index].sentence});
    document_.list(items);
  }

  // ------------------------------------------------------------------------------------ logs, manifests

  void tell_steps() {
    document_.heading({"Log and manifest"});
    std::vector<FindingCode> codes;
    std::vector<Words> items;
    for (const RepairStep& step : summary_.steps) {
      codes.push_back(step.why);
      Words item = {code(step.file), ":"};
      append(item, placed(step.file, step.extent, step_words(step)));
      items.push_back(std::move(item));
    }
    tell_list("What was wrong", reasons(codes));
    tell_list("What was done", items);
    if (summary_.salvaged_commands == 0) return;
    document_.paragraph({counted(summary_.salvaged_commands, "command") +
                         " behind damage were salvaged: what they rest on may be missing, and nobody can say "
                         "that the dataset is consistent."});
  }

  // ------------------------------------------------------------------------------------------- both

  static void append(Words& words, const Words& more) { words.insert(words.end(), more.begin(), more.end()); }

  void tell_list(const char* heading, const std::vector<Words>& items) {
    if (items.empty()) return;
    document_.subheading({heading});
    document_.list(items);
  }

  // What the findings mean, each once.
  static std::vector<Words> reasons(const std::vector<FindingCode>& codes) {
    std::vector<FindingCode> told;
    std::vector<Words> items;
    for (const FindingCode why : codes) {
      if (std::ranges::find(told, why) != told.end()) continue;
      told.push_back(why);
      const FindingKind& kind = finding_kind(why);
      items.push_back({code(kind.id), ": " + std::string(kind.sentence)});
    }
    return items;
  }

  // "0x1f3a2: left out 12 bytes [...], bytes 0 to 11 of out.lost/dump.rdb"
  [[nodiscard]] Words placed(const std::string& file, Extent extent, const Words& words) const {
    Words item = {code(fmt::format("{:#x}", extent.offset)), ": "};
    append(item, words);
    const std::optional<Extent> lost = lost_part(file, extent);
    if (lost) {
      const std::string last = lost->size > 1 ? fmt::format(" to {}", lost->end() - 1) : "";
      append(item, {fmt::format(", {} {}{} of ", lost->size > 1 ? "bytes" : "byte", lost->offset, last),
                    code(edit_.lost + "/" + file)});
    }
    return item;
  }

  // Where in the file of what it lost they are; absent if that is not known, or nothing was lost there.
  [[nodiscard]] std::optional<Extent> lost_part(const std::string& file, Extent extent) const {
    if (edit_.lost.empty()) return std::nullopt;
    uint64_t before = 0;
    for (const LeftOut& run : edit_.first_runs) {
      if (run.file != file) continue;
      const uint64_t begin = std::max(run.extent.offset, extent.offset);
      const uint64_t end = std::min(run.extent.end(), extent.end());
      if (begin < end) return Extent{before + begin - run.extent.offset, end - begin};
      before += run.extent.size;
    }
    return std::nullopt;
  }

  // ------------------------------------------------------------------------------------ what comes next

  void tell_how_to_repair() {
    if (is_sound(summary_)) return;
    const std::string result = told_.output.empty() ? "repaired" : told_.output;
    const std::string where = told_.in_place ? " --in-place" : " -o " + shell_word(result);
    document_.heading({"To have it done"});
    document_.commands({"persist repair" + told_.options + where + " " + shell_word(told_.path),
                        "persist check " + shell_word(told_.in_place ? told_.path : result)});
  }

  void tell_checks() {
    if (edit_.output.empty()) return;
    const std::string result = shell_word(edit_.output);
    std::vector<std::string> lines = {"persist check " + result};
    for (const RdbSalvage& salvage : summary_.rdb) tell_checks_of(salvage, lines);
    lines.push_back("persist diff --brief BACKUP " + result + "    # BACKUP: an older copy");
    if (!edit_.lost.empty()) lines.push_back("cat " + shell_word(edit_.lost + "/index.jsonl"));
    document_.heading({"To check the result"});
    document_.commands(lines);
  }

  void tell_checks_of(const RdbSalvage& salvage, std::vector<std::string>& lines) const {
    const std::string path = shell_word(path_of(salvage.file));
    const bool is_valkey = salvage.header && salvage.header->dialect == Dialect::valkey;
    const std::string server = is_valkey ? "valkey" : "redis";
    // Its check tools go by what the file is for: with commands behind the RDB data it is a log.
    if (salvage.file.ends_with(".aof")) {
      lines.push_back(server + "-check-aof " + path);
      return;
    }
    lines.push_back(server + "-check-rdb " + path);
    lines.push_back("persist dump --meta " + path + " | jq -c 'select(.key) | [.db, .type, .key]'");
  }

  // Of a file of the result, which may be in a folder or in the append directory of one.
  [[nodiscard]] std::string path_of(const std::string& file) const {
    std::error_code unknown;
    if (!fs::is_directory(edit_.output, unknown)) return edit_.output;
    const fs::path folder(edit_.output);
    if (fs::exists(folder / file, unknown)) return (folder / file).string();
    for (const fs::directory_entry& entry : fs::directory_iterator(folder, unknown))
      if (fs::exists(entry.path() / file, unknown)) return (entry.path() / file).string();
    return (folder / file).string();
  }

  Document& document_;
  const RepairTold& told_;
  const RepairSummary& summary_;
  const EditSummary& edit_;
};

}  // namespace

void report_repair(Document& document, const RepairTold& told, const RepairSummary& summary) {
  RepairReport(document, told, summary).write();
}

}  // namespace persist::tool
