// The frame of repair, strip, undo-flush and cut: options, opening, refusals, the last line.
#include "editing.hpp"

#include <fmt/core.h>

#include <charconv>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "persist/check_set.hpp"
#include "terminal.hpp"

namespace persist::tool {

namespace {

using Json = nlohmann::ordered_json;

struct Unit {
  std::string_view name;
  uint64_t bytes;
};
constexpr Unit kUnits[] = {
    {"", 1},         {"b", 1},          {"k", 1000},        {"kb", 1000},     {"m", 1000000},
    {"mb", 1000000}, {"g", 1000000000}, {"gb", 1000000000}, {"ki", 1 << 10},  {"kib", 1 << 10},
    {"mi", 1 << 20}, {"mib", 1 << 20},  {"gi", 1 << 30},    {"gib", 1 << 30},
};

Exit exit_of_refusal(EditRefused::Kind kind) {
  switch (kind) {
    case EditRefused::Kind::beyond:
      return kBroken;
    case EditRefused::Kind::too_much:
      return kRefused;
    case EditRefused::Kind::unusable:
    case EditRefused::Kind::changed:
      break;
  }
  return kTrouble;
}

const char* kind_name(EditRefused::Kind kind) {
  switch (kind) {
    case EditRefused::Kind::unusable:
      return "unusable";
    case EditRefused::Kind::beyond:
      return "beyond";
    case EditRefused::Kind::too_much:
      return "too-much";
    case EditRefused::Kind::changed:
      return "changed";
  }
  return "";
}

// As short as a part of a header, it may be the rest of an RDB file only if something else says so.
bool may_be_rdb(const std::string& path, ByteSource& source) {
  constexpr size_t kHeaderBytes = 9;
  const Window window = source.window(0, kHeaderBytes);
  const Bytes head = window.bytes.substr(0, kHeaderBytes);
  if (head.size() == kHeaderBytes || path.ends_with(".rdb")) return true;
  return !head.empty() && (Bytes("REDIS00").starts_with(head) || Bytes("VALKEY0").starts_with(head));
}

}  // namespace

void EditArguments::add_to(CLI::App& app) {
  app.add_option("PATH", path, "an append directory, its manifest, a data directory, or one file")
      ->required();
  app.add_option("-o,--output", output.path,
                 "where the result goes: a folder for a folder, a file for a file")
      ->type_name("OUT");
  app.add_flag("--in-place", output.in_place, "put the result where PATH is; that is kept as PATH.bak");
  app.add_flag("--force", output.force, "replace what is at OUT");
  app.add_flag("--dry-run", output.dry_run, "say what would be done and write nothing");
  app.add_flag("--json", json, "what was done as one line of JSON on standard output");
  app.add_option("--max-findings", findings_max, "say at most N findings [100]")
      ->type_name("N")
      ->check(whole_number());
  add_known(app, known);
}

bool EditArguments::check(const std::string& verb) const {
  const char* wrong = nullptr;
  if (output.path.empty() && !output.in_place && !output.dry_run)
    wrong = "expected -o OUT, --in-place or --dry-run";
  if (!output.path.empty() && output.in_place) wrong = "-o and --in-place exclude each other";
  if (path == "-" && output.in_place) wrong = "standard input has no place: expected -o OUT";
  if (wrong == nullptr) return true;
  fmt::print(stderr, "persist {}: {}\n", verb, wrong);
  return false;
}

EditInput open_for_edit(const EditArguments& arguments, const std::string& verb, FindingSink& report) {
  EditInput input;
  FindingList found;
  std::error_code unknown;
  const bool folder = std::filesystem::is_directory(arguments.path, unknown);
  bool manifest = false;
  if (!folder && std::filesystem::is_regular_file(arguments.path, unknown)) {
    const std::unique_ptr<ByteSource> source = open_source(arguments.path);
    const FileContent content = recognise_content(*source);
    manifest = content == FileContent::manifest;
    const bool refuses =
        content == FileContent::other && !(arguments.takes_any && may_be_rdb(arguments.path, *source));
    if (refuses && source->damage() == nullptr) {
      throw EditRefused(
          EditRefused::Kind::unusable,
          arguments.path + (source->window(0, 1).bytes.empty()
                                ? ": it has no bytes; look for another copy"
                                : ": expected an append only file, a manifest, an append directory or an RDB "
                                  "file"));
    }
  }
  if (!folder && !manifest) {
    input.set = single_file_set(arguments.path);
    return input;
  }
  input.set = open_append_set(arguments.path, found, {});
  for (const Finding& finding : found.all) report.report(finding);
  input.found = std::move(found.all);
  if (!input.set.has_log() && input.set.rdb_path.empty()) {
    throw EditRefused(
        EditRefused::Kind::unusable,
        arguments.path + ": expected an append directory, an append only file or dump.rdb in it");
  }
  // What a server starts from that has no log.
  if (!input.set.has_log()) input.set = single_file_set(input.set.rdb_path);
  const std::string& what = input.set.manifest_path;
  fmt::print(stderr, "persist {}: {}\n", verb, printable(what.empty() ? input.set.parts.front().path : what));
  return input;
}

int run_edit(const EditArguments& arguments, const std::string& verb, const std::function<int()>& work) {
  try {
    return work();
  } catch (const EditRefused& refusal) {
    fmt::print(stderr, "persist {}: {}\n", verb, printable(refusal.what()));
    if (arguments.json) {
      const Json json = {{"path", json_string(arguments.path)},
                         {"status", "refused"},
                         {"reason", kind_name(refusal.kind)},
                         {"message", printable(refusal.what())}};
      fmt::print("{}", json_line(json));
    }
    return exit_of_refusal(refusal.kind);
  }
}

void print_edit(const EditArguments& arguments, const std::string& verb, const EditSummary& summary) {
  if (arguments.json) return;
  if (summary.output.empty() && !arguments.output.dry_run) {
    fmt::print(stderr, "persist {}: {}: left as it is\n", verb, printable(arguments.path));
    return;
  }
  std::string line =
      arguments.output.dry_run ? "dry run, nothing written" : printable(summary.output) + ": written";
  line += fmt::format(": {} bytes kept", summary.bytes_kept);
  if (summary.bytes_dropped > 0) line += fmt::format(", {} left out", summary.bytes_dropped);
  if (!summary.lost.empty()) line += ", in " + printable(summary.lost);
  if (summary.bytes_inserted > 0) line += fmt::format(", {} put in", summary.bytes_inserted);
  if (!summary.backup.empty()) line += "; the input is now " + printable(summary.backup);
  fmt::print(stderr, "persist {}: {}\n", verb, line);
}

void add_members(Json& json, const EditSummary& summary) {
  json["output"] = json_string(summary.output);
  if (!summary.backup.empty()) json["backup"] = json_string(summary.backup);
  if (!summary.lost.empty()) json["lost"] = json_string(summary.lost);
  json["bytes_kept"] = summary.bytes_kept;
  json["bytes_dropped"] = summary.bytes_dropped;
  json["bytes_inserted"] = summary.bytes_inserted;
  json["commands_dropped"] = summary.commands_dropped;
  json["keys_dropped"] = summary.keys_dropped;
}

Place parse_place(const std::string& option, const std::string& text) {
  constexpr int kDecimal = 10;
  constexpr int kHexadecimal = 16;
  const size_t colon = text.rfind(':');
  std::string_view number = std::string_view(text).substr(colon == std::string::npos ? 0 : colon + 1);
  const bool hexadecimal = number.starts_with("0x");
  if (hexadecimal) number.remove_prefix(2);
  Place place;
  const char* const end = number.data() + number.size();
  const auto [rest, error] =
      std::from_chars(number.data(), end, place.offset, hexadecimal ? kHexadecimal : kDecimal);
  if (error != std::errc{} || rest != end)
    throw std::invalid_argument(option + " " + text + ": expected FILE:OFFSET, such as appendonly.aof:3527");
  if (colon != std::string::npos) place.file = text.substr(0, colon);
  return place;
}

uint64_t parse_size(const std::string& option, const std::string& text) {
  uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  std::string unit(rest, end);
  for (char& c : unit) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  unit.erase(0, unit.find_first_not_of(' '));
  for (const Unit& known : kUnits) {
    if (error == std::errc{} && known.name == unit && number <= ~uint64_t{0} / known.bytes)
      return number * known.bytes;
  }
  throw std::invalid_argument(option + " " + text + ": expected bytes, such as 500, 64k or 1MiB");
}

}  // namespace persist::tool
