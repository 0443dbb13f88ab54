// persist strip: what was asked to go, and what went.
#include <fmt/core.h>

#include <charconv>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "editing.hpp"
#include "persist/strip.hpp"
#include "terminal.hpp"
#include "verb.hpp"

namespace persist::tool {

namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kStripVerb = "strip";
constexpr size_t kNamesTold = 12;

std::optional<uint64_t> parse_bound(std::string_view text) {
  const bool hexadecimal = text.starts_with("0x");
  if (hexadecimal) text.remove_prefix(2);
  uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number, hexadecimal ? 16 : 10);
  return error == std::errc{} && rest == end ? std::optional(number) : std::nullopt;
}

// "7" or "0-99".
StripRange parse_range(const std::string& option, std::string_view text) {
  const size_t dash = text.find('-');
  const std::optional<uint64_t> first = parse_bound(text.substr(0, dash));
  const std::optional<uint64_t> last =
      dash == std::string_view::npos ? first : parse_bound(text.substr(dash + 1));
  if (!first || !last || *first > *last) {
    throw std::invalid_argument(option + " " + std::string(text) +
                                ": expected a number, or a range such as 0-99");
  }
  return {*first, *last};
}

StripOffsets parse_offsets(const std::string& text) {
  const size_t colon = text.rfind(':');
  const size_t range = colon == std::string::npos ? 0 : colon + 1;
  return {text.substr(0, range == 0 ? 0 : colon),
          parse_range("--offset", std::string_view(text).substr(range))};
}

void add_list(CLI::App& app, const std::string& name, std::vector<std::string>& to, const std::string& type,
              const std::string& help) {
  app.add_option(name, to, help)
      ->type_name(type)
      ->delimiter(',')
      ->expected(1)
      ->take_all()
      ->allow_extra_args(false);
}

struct StripArguments {
  EditArguments edit;
  FilterArguments filter;
  StripOptions wanted;
  std::vector<std::string> indexes;
  std::vector<std::string> offsets;

  void add_to(CLI::App& app) {
    edit.add_to(app);
    add_list(app, "--command", wanted.commands, "NAME,...", "commands of this name, in any letter case");
    add_list(app, "--index", indexes, "A-B,...",
             "commands by their number in the set, from 0, both inclusive");
    add_list(app, "--offset", offsets, "FILE:A-B,...", "records that begin there (0x for hexadecimal)");
    filter.add_selection_to(app);
    app.add_flag("--any-key", wanted.any_key, "also commands that name keys besides the selected ones");
    add_list(app, "--module", wanted.modules, "NAME,...",
             "values of this module and, alone, its aux records");
    app.add_flag("--annotations", wanted.annotations, "the lines with #, such as timestamps");
    add_list(app, "--aux", wanted.aux, "NAME,...", "AUX fields of this name");
    app.add_flag("--functions", wanted.functions, "the function libraries of RDB parts");
  }

  [[nodiscard]] bool selects() const {
    return filter.selects() || !wanted.commands.empty() || !indexes.empty() || !offsets.empty() ||
           !wanted.modules.empty() || wanted.annotations || !wanted.aux.empty() || wanted.functions;
  }

  // Throws std::invalid_argument.
  [[nodiscard]] StripOptions options() const {
    if (!selects()) {
      throw std::invalid_argument(
          "expected something to leave out: --command, --key, --db, --type, --index, --offset, "
          "--annotations...");
    }
    StripOptions options = wanted;
    options.keys = filter.options();
    for (const std::string& text : indexes) options.indexes.push_back(parse_range("--index", text));
    for (const std::string& text : offsets) options.offsets.push_back(parse_offsets(text));
    options.known = edit.known;
    return options;
  }
};

std::string in_capitals(std::string name) {
  for (char& c : name) c = static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  return printable(name);
}

// "3 commands: DEL 2, SET 1"
void add_counts(std::string& line, uint64_t total, const char* noun, const std::vector<StripCount>& counts,
                bool are_commands) {
  if (counts.empty()) return;
  line += (line.empty() ? "" : "; ") + counted(total, noun) + ": ";
  for (size_t i = 0; i < std::min(counts.size(), kNamesTold); ++i) {
    const std::string name = are_commands ? in_capitals(counts[i].name) : counts[i].name;
    line += fmt::format("{}{} {}", i == 0 ? "" : ", ", name, counts[i].count);
  }
  if (counts.size() > kNamesTold) line += fmt::format(" and {} other names", counts.size() - kNamesTold);
}

void add_count(std::string& line, uint64_t count, const char* one, const char* many) {
  if (count > 0) line += fmt::format("{}{} {}", line.empty() ? "" : "; ", count, count == 1 ? one : many);
}

uint64_t total_of(const std::vector<StripCount>& counts) {
  uint64_t total = 0;
  for (const StripCount& one : counts) total += one.count;
  return total;
}

void print_text(const StripSummary& summary) {
  if (summary.tail) {
    fmt::print(stderr, "{}:{:#x}: damaged tail of {} left out [{}]\n", printable(summary.tail->file),
               summary.tail->extent.offset, counted(summary.tail->extent.size, "byte"), summary.tail->why);
  }
  std::string line;
  add_counts(line, total_of(summary.commands), "command", summary.commands, true);
  add_counts(line, total_of(summary.keys), "key", summary.keys, false);
  add_count(line, summary.annotations, "annotation", "annotations");
  add_count(line, summary.aux_fields, "AUX field", "AUX fields");
  add_count(line, summary.functions, "function library", "function libraries");
  add_count(line, summary.module_aux, "module aux record", "module aux records");
  fmt::print(stderr, "persist strip: {}\n", summary.matched ? "left out: " + line : "nothing matched");
  if (summary.shared > 0) {
    fmt::print(stderr, "persist strip: {} on other keys, too, and {} kept; --any-key drops {}\n",
               counted(summary.shared, "command") + (summary.shared == 1 ? " works" : " work"),
               summary.shared == 1 ? "was" : "were", summary.shared == 1 ? "it" : "them");
  }
  if (summary.selects > 0) {
    fmt::print(stderr,
               "persist strip: with {} gone, what follows works on the database that was selected before\n",
               counted(summary.selects, "SELECT"));
  }
}

Json counts_json(const std::vector<StripCount>& counts) {
  Json json = Json::object();
  for (const StripCount& one : counts) json[printable(one.name)] = one.count;
  return json;
}

void print_json(const StripArguments& arguments, const StripSummary& summary) {
  Json json;
  json["path"] = json_string(arguments.edit.path);
  json["status"] = summary.matched ? "stripped" : "unchanged";
  add_members(json, summary.edit);
  json["commands"] = counts_json(summary.commands);
  json["keys"] = counts_json(summary.keys);
  json["annotations"] = summary.annotations;
  json["aux_fields"] = summary.aux_fields;
  json["functions"] = summary.functions;
  json["module_aux"] = summary.module_aux;
  json["transactions_emptied"] = summary.transactions_emptied;
  json["commands_shared"] = summary.shared;
  if (summary.tail) {
    json["tail"] = {{"file", json_string(summary.tail->file)},
                    {"offset", summary.tail->extent.offset},
                    {"size", summary.tail->extent.size},
                    {"code", summary.tail->why}};
  }
  fmt::print("{}", json_line(json));
}

int strip(const StripArguments& arguments) {
  const StripOptions options = arguments.options();
  TextReport report(arguments.edit.findings_max);
  const EditInput input = open_for_edit(arguments.edit, kStripVerb, report);
  const StripSummary summary = strip_set(input.set, options, arguments.edit.output);
  print_text(summary);
  print_edit(arguments.edit, kStripVerb, summary.edit);
  if (arguments.edit.json) print_json(arguments, summary);
  return kDone;
}

}  // namespace

int run_strip(Arguments words) {
  CLI::App app("Leaves commands and keys out; all else is copied byte for byte.", "persist strip");
  StripArguments arguments;
  arguments.add_to(app);
  add_examples(app,
               "  persist strip appendonlydir -o stripped --command flushall,flushdb\n"
               "  persist strip dump.rdb -o small.rdb --key 'tmp:*' --key 'cache:*'\n"
               "  persist strip appendonlydir -o only-cart --key 'cart:*' --not\n"
               "  persist strip appendonly.aof --dry-run --index 1200-1210\n"
               "A record goes if all kinds of options that are given select it, and any value of one kind.\n"
               "Exit status: 0 written, 2 trouble, 3 damage that strip does not mend (repair it first).");
  if (const std::optional<Exit> status = parse(app, words)) return *status;
  if (!arguments.edit.check(kStripVerb)) return kTrouble;
  return run_edit(arguments.edit, kStripVerb, [&] { return strip(arguments); });
}

}  // namespace persist::tool
