// persist cut: where the log was ended, and what that leaves.
#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "editing.hpp"
#include "persist/cut.hpp"
#include "terminal.hpp"
#include "verb.hpp"

namespace persist::tool {

namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kCutVerb = "cut";

struct CutArguments {
  EditArguments edit;
  std::string time;
  std::string offset;
  std::optional<uint64_t> command;
  std::string pattern;

  void add_to(CLI::App& app) {
    edit.add_to(app);
    auto* point = app.add_option_group("point");
    point
        ->add_option("--at-time", time, "keep all up to TIME: 2026-11-20T18:00:00Z, or since 1970 in s or ms")
        ->type_name("TIME");
    point
        ->add_option("--at-offset", offset,
                     "keep what ends at or before the offset of FILE (0x for hexadecimal)")
        ->type_name("FILE:OFFSET");
    point->add_option("--at-command", command, "keep the first N commands of the set")
        ->type_name("N")
        ->check(whole_number());
    point->add_option("--before", pattern, "keep what stands before the first command like GLOB: 'FLUSHALL*'")
        ->type_name("GLOB");
    point->require_option(1);
  }

  // Throws std::invalid_argument.
  [[nodiscard]] CutPoint cut_point() const {
    CutPoint wanted;
    if (!time.empty()) {
      wanted.time_ms = parse_time(time);
      if (!wanted.time_ms) {
        throw std::invalid_argument("--at-time " + time +
                                    ": expected a time such as 2026-11-20T18:00:00Z or 1795200000");
      }
    }
    if (!offset.empty()) {
      const Place place = parse_place("--at-offset", offset);
      wanted.file = place.file;
      wanted.offset = place.offset;
    }
    wanted.command = command;
    if (!pattern.empty()) wanted.pattern = pattern;
    return wanted;
  }
};

void print_text(const CutSummary& summary) {
  if (summary.tail) {
    fmt::print(stderr, "{}:{:#x}: damaged tail of {} left out [{}]\n", printable(summary.tail->file),
               summary.tail->extent.offset, counted(summary.tail->extent.size, "byte"), summary.tail->why);
  }
  if (!summary.found) {
    fmt::print(stderr, "persist cut: nothing stands behind that point: all {} stay\n",
               counted(summary.commands_kept, "command"));
    return;
  }
  fmt::print(stderr, "{}:{:#x}: cut{}: {} kept, {} left out\n", printable(summary.file), summary.offset,
             summary.before_multi ? " before the transaction that the point is in" : "",
             counted(summary.commands_kept, "command"), summary.commands_dropped);
}

void print_json(const CutArguments& arguments, const CutSummary& summary) {
  Json json;
  json["path"] = json_string(arguments.edit.path);
  json["status"] = summary.found ? "cut" : "unchanged";
  add_members(json, summary.edit);
  if (summary.found) {
    json["file"] = json_string(summary.file);
    json["offset"] = summary.offset;
    json["before_multi"] = summary.before_multi;
  }
  json["commands_kept"] = summary.commands_kept;
  json["commands_dropped"] = summary.commands_dropped;
  if (summary.last_time_s) json["last_time_s"] = *summary.last_time_s;
  fmt::print("{}", json_line(json));
}

int cut(const CutArguments& arguments) {
  TextReport report(arguments.edit.findings_max);
  const EditInput input = open_for_edit(arguments.edit, kCutVerb, report);
  const CutSummary summary =
      cut_set(input.set, arguments.cut_point(), arguments.edit.output, arguments.edit.known);
  print_text(summary);
  print_edit(arguments.edit, kCutVerb, summary.edit);
  if (arguments.edit.json) print_json(arguments, summary);
  return kDone;
}

}  // namespace

int run_cut(Arguments words) {
  CLI::App app("Ends a log at a point in time or place, never inside of a transaction.", "persist cut");
  CutArguments arguments;
  arguments.add_to(app);
  add_examples(
      app,
      "  persist cut appendonlydir -o before --at-time 2026-11-20T18:00:00Z\n"
      "  persist cut appendonlydir -o before --before 'FLUSHALL*'\n"
      "  persist cut appendonlydir -o before --at-offset appendonly.aof.1.incr.aof:3527\n"
      "  persist cut --dry-run appendonly.aof --at-command 1000\n"
      "Exit status: 0 written, 2 trouble or no such point, 3 damage before the point (repair it first).");
  if (const std::optional<Exit> status = parse(app, words)) return *status;
  if (!arguments.edit.check(kCutVerb)) return kTrouble;
  return run_edit(arguments.edit, kCutVerb, [&] { return cut(arguments); });
}

}  // namespace persist::tool
