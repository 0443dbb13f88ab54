// persist undo-flush: what emptied databases, when, and a log without it.
#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "editing.hpp"
#include "persist/undo_flush.hpp"
#include "terminal.hpp"
#include "verb.hpp"

namespace persist::tool {

namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kUndoVerb = "undo-flush";

struct UndoArguments {
  EditArguments edit;
  bool last = false;
  bool all = false;
  std::vector<std::string> at;
  bool no_counts = false;

  void add_to(CLI::App& app) {
    edit.add_to(app);
    auto* which = app.add_option_group("which");
    which->add_flag("--last", last, "undo the last flush");
    which->add_flag("--all", all, "undo every flush");
    which->add_option("--at", at, "undo the flush that begins there (any of several)")
        ->type_name("FILE:OFFSET")
        ->take_all()
        ->allow_extra_args(false)
        ->expected(1);
    which->require_option(0, 1);
    app.add_flag("--no-counts", no_counts,
                 "do not replay the log to count the keys that each flush took away");
  }

  [[nodiscard]] bool writes() const {
    return !edit.output.path.empty() || edit.output.in_place || edit.output.dry_run;
  }
};

std::string time_of(const Flush& flush) {
  constexpr int64_t kMillisecondsInSecond = 1000;
  if (flush.time_s) return time_in_words(*flush.time_s);
  const auto told = [](int64_t time_ms) { return time_in_words(time_ms / kMillisecondsInSecond); };
  if (flush.not_before_ms && flush.not_after_ms)
    return "estimate: " + told(*flush.not_before_ms) + " to " + told(*flush.not_after_ms);
  if (flush.not_before_ms) return "estimate: after " + told(*flush.not_before_ms);
  if (flush.not_after_ms) return "estimate: before " + told(*flush.not_after_ms);
  return "time unknown";
}

// "34 keys (db 0: 20 string, 5 list; db 3: 9 hash)"
std::string in_words(const KeyCounts& counts) {
  std::string text = counted(sum_of(counts), "key");
  const KeyCount* before = nullptr;
  for (const KeyCount& count : counts) {
    if (before == nullptr || before->db != count.db)
      text += fmt::format("{}db {}: ", before == nullptr ? " (" : "; ", count.db);
    else
      text += ", ";
    text += fmt::format("{} {}", count.keys, value_type_name(count.type));
    before = &count;
  }
  return text + (before == nullptr ? "" : ")");
}

void print_flush(const Flush& flush) {
  std::string what = printable(flush.command);
  if (flush.is_script) what = "script that mentions a flush: " + what;
  const std::string where = flush.all ? "all databases" : fmt::format("db {}", flush.db);
  fmt::print("{}:{:#x}: #{} {} ({}{}), {}, {} before, {} after{}\n", printable(flush.file),
             flush.extent.offset, flush.index, what, where,
             flush.torn       ? ", in a transaction that never ran: it has no end"
             : flush.in_multi ? ", in a transaction"
                              : "",
             time_of(flush), counted(flush.commands_before, "command"), flush.commands_after,
             flush.wiped ? ", took away " + in_words(*flush.wiped) : "");
}

Json json_of(const KeyCounts& counts) {
  Json json = Json::array();
  for (const KeyCount& count : counts)
    json.push_back({{"db", count.db}, {"type", value_type_name(count.type)}, {"keys", count.keys}});
  return json;
}

Json flush_json(const Flush& flush) {
  Json json;
  json["file"] = json_string(flush.file);
  json["offset"] = flush.extent.offset;
  json["size"] = flush.extent.size;
  json["index"] = flush.index;
  json["command"] = json_string(flush.command);
  json["all"] = flush.all;
  json["db"] = flush.db;
  json["in_multi"] = flush.in_multi;
  json["torn"] = flush.torn;
  json["script"] = flush.is_script;
  if (flush.time_s) json["time_s"] = *flush.time_s;
  if (flush.not_before_ms) json["not_before_ms"] = *flush.not_before_ms;
  if (flush.not_after_ms) json["not_after_ms"] = *flush.not_after_ms;
  json["commands_before"] = flush.commands_before;
  json["commands_after"] = flush.commands_after;
  if (flush.wiped) json["wiped"] = json_of(*flush.wiped);
  return json;
}

// What else there is to know before anybody touches a server.
void print_evidence(const FlushReport& report) {
  const auto say = [](const std::string& line) { fmt::print(stderr, "persist undo-flush: {}\n", line); };
  if (report.tail) {
    say(fmt::format("{}:{:#x}: a damaged tail of {} will be left out, too [{}]", printable(report.tail->file),
                    report.tail->extent.offset, counted(report.tail->extent.size, "byte"), report.tail->why));
  }
  if (report.base_written_at_s && report.flushes.empty()) {
    say("the base was written at " + time_in_words(*report.base_written_at_s) +
        ": a flush before that is not in this log any more");
  }
  for (const Flush& flush : report.elsewhere) {
    say(fmt::format("{}:{:#x}: {} in a file that servers do not load: data of before it may still be there",
                    printable(flush.file), flush.extent.offset, printable(flush.command)));
  }
  for (const std::string& file : report.other_files)
    say(printable(file) + ": not loaded by servers; keep it");
}

void print_checklist() {
  fmt::print(stderr,
             "If this has just happened, on the server:\n"
             "  1. CONFIG SET auto-aof-rewrite-percentage 0      a rewrite would take the data away\n"
             "  2. SHUTDOWN NOSAVE, or kill -9                   a plain SHUTDOWN saves an empty RDB file\n"
             "  3. cp -a the data directory, then work on the copy\n"
             "  4. persist undo-flush --last COPY -o RECOVERED; start a server on RECOVERED and look\n");
}

std::vector<Flush> choose(const FlushReport& report, const UndoArguments& arguments) {
  std::vector<Flush> flushes;
  for (const Flush& flush : report.flushes) {
    if (!flush.is_script && !flush.torn) flushes.push_back(flush);
  }
  if (arguments.last)
    flushes.erase(flushes.begin(), flushes.end() - std::min<ptrdiff_t>(1, std::ssize(flushes)));
  if (arguments.at.empty()) return flushes;
  flushes.clear();
  for (const std::string& text : arguments.at) {
    const Place place = parse_place("--at", text);
    const auto found = std::ranges::find_if(report.flushes, [&](const Flush& flush) {
      return flush.extent.offset == place.offset && (place.file.empty() || place.file == flush.file);
    });
    if (found == report.flushes.end()) {
      throw EditRefused(EditRefused::Kind::unusable,
                        "--at " + text + ": expected the place of a flush, found none");
    }
    flushes.push_back(*found);
  }
  std::ranges::sort(flushes, {}, &Flush::index);
  const auto same = [](const Flush& a, const Flush& b) { return a.index == b.index; };
  flushes.erase(std::unique(flushes.begin(), flushes.end(), same), flushes.end());
  return flushes;
}

// What the log as it is, and the result, end with.
struct Counted {
  std::optional<EndCounts> input;
  std::optional<EndCounts> result;
};

Counted count(const UndoArguments& arguments, const AppendSet& set, FlushReport& report) {
  Counted counts;
  if (arguments.no_counts || report.flushes.empty()) return counts;
  counts.input = count_flushed(set, report, {});
  if (counts.input->obstacle) {
    fmt::print(stderr, "persist undo-flush: keys cannot be counted: {}\n",
               finding_line(*counts.input->obstacle, false));
  }
  return counts;
}

void add_counts(Json& json, const char* name, const std::optional<EndCounts>& counts) {
  if (counts && !counts->obstacle) json[name] = json_of(counts->keys);
}

void print_json(const UndoArguments& arguments, const FlushReport& report, const Counted& counts,
                const std::vector<Flush>& undone, const EditSummary& summary) {
  Json json;
  json["path"] = json_string(arguments.edit.path);
  json["status"] = undone.empty() ? "listed" : arguments.edit.output.dry_run ? "planned" : "undone";
  json["commands"] = report.commands;
  for (const auto& [name, flushes] : {std::pair("flushes", &report.flushes), std::pair("undone", &undone),
                                      std::pair("elsewhere", &report.elsewhere)}) {
    json[name] = Json::array();
    for (const Flush& flush : *flushes) json[name].push_back(flush_json(flush));
  }
  json["other_files"] = Json::array();
  for (const std::string& file : report.other_files) json["other_files"].push_back(json_string(file));
  if (report.base_written_at_s) json["base_written_at_s"] = *report.base_written_at_s;
  add_counts(json, "keys", counts.input);
  add_counts(json, "result_keys", counts.result);
  if (counts.input && counts.input->obstacle) json["obstacle"] = tool::json_of(*counts.input->obstacle);
  if (arguments.writes()) add_members(json, summary);
  fmt::print("{}", json_line(json));
}

bool has_script(const FlushReport& report) { return std::ranges::any_of(report.flushes, &Flush::is_script); }

int refuse_to_choose(const UndoArguments& arguments, const FlushReport& report, const Counted& counts,
                     size_t flushes) {
  if (arguments.edit.json) print_json(arguments, report, counts, {}, {});
  fmt::print(stderr,
             "persist undo-flush: {}: say which: --last, --all or --at FILE:OFFSET; nothing was written\n",
             fmt::format("{} flushes", flushes));
  return kTrouble;
}

int undo(const UndoArguments& arguments) {
  TextReport findings(arguments.edit.findings_max);
  const EditInput input = open_for_edit(arguments.edit, kUndoVerb, findings);
  FlushReport report = find_flushes(input.set);
  Counted counts = count(arguments, input.set, report);
  if (!arguments.edit.json) {
    for (const Flush& flush : report.flushes) print_flush(flush);
  }
  print_evidence(report);
  if (!arguments.writes()) {
    if (arguments.edit.json) print_json(arguments, report, counts, {}, {});
    if (report.flushes.empty())
      fmt::print(stderr, "persist undo-flush: no FLUSHALL or FLUSHDB in this log\n");
    print_checklist();
    return kDone;
  }
  const std::vector<Flush> chosen = choose(report, arguments);
  const bool named = arguments.last || arguments.all || !arguments.at.empty();
  if (!named && chosen.size() > 1) return refuse_to_choose(arguments, report, counts, chosen.size());
  if (chosen.empty()) {
    throw EditRefused(
        EditRefused::Kind::unusable,
        arguments.edit.path + ": no FLUSHALL or FLUSHDB to undo in this log; nothing was written" +
            (has_script(report) ? " (a script that may have flushed is undone by --at only)" : ""));
  }
  const EditSummary summary =
      undo_flushes(input.set, report, chosen, arguments.edit.output, arguments.edit.known);
  fmt::print(stderr, "persist undo-flush: {} undone{}\n", chosen.size(),
             chosen.front().commands_after > 0
                 ? "; what was written behind it stays and now meets the old data"
                 : "");
  if (counts.input && !counts.input->obstacle) counts.result = count_without(input.set, report, chosen, {});
  if (counts.result && !counts.result->obstacle) {
    fmt::print(stderr, "persist undo-flush: the result ends with {} instead of {}\n",
               in_words(counts.result->keys), in_words(counts.input->keys));
  }
  print_edit(arguments.edit, kUndoVerb, summary);
  if (arguments.edit.json) print_json(arguments, report, counts, chosen, summary);
  return kDone;
}

}  // namespace

int run_undo_flush(Arguments words) {
  CLI::App app("Lists what emptied databases, and with -o, --in-place or --dry-run writes a log without it.",
               "persist undo-flush");
  UndoArguments arguments;
  arguments.add_to(app);
  add_examples(
      app,
      "  persist undo-flush /var/lib/redis                         what was flushed, and when?\n"
      "  persist undo-flush --last copy -o recovered               all but the last flush\n"
      "  persist undo-flush --at appendonly.aof.1.incr.aof:3527 copy/appendonlydir -o recovered\n"
      "Exit status: 0 listed or written, 2 trouble, no flush, or several and none chosen, 3 damage in the\n"
      "way (repair it first).");
  if (const std::optional<Exit> status = parse(app, words)) return *status;
  if (arguments.writes() && !arguments.edit.check(kUndoVerb)) return kTrouble;
  return run_edit(arguments.edit, kUndoVerb, [&] { return undo(arguments); });
}

}  // namespace persist::tool
