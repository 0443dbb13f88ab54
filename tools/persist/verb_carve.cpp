// persist carve: RDB files, logs and manifests out of any bytes.
#include "persist/carve.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "editing.hpp"
#include "options.hpp"
#include "report.hpp"
#include "terminal.hpp"
#include "verb.hpp"

namespace persist::tool {

namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kCarveVerb = "carve";

struct CarveArguments {
  std::string path;
  std::string folder;
  std::vector<std::string> only;
  std::string tail;
  CarveOptions options;
  CommonOptions common;

  void add_to(CLI::App& app) {
    app.add_option("IMAGE", path,
                   "a disk image, a device, a core dump, a capture of packets, any file; - is "
                   "standard input")
        ->required();
    app.add_option("-o,--output", folder, "the folder that is to hold what is found")->type_name("DIR");
    app.add_option("--only", only, "look for rdb, log, manifest only (more than one: with commas)")
        ->type_name("WHAT")
        ->delimiter(',')
        ->check(CLI::IsMember({"rdb", "log", "manifest"}).description(""));
    app.add_option("--min-commands", options.commands_min, "a log has at least N commands [4]")
        ->type_name("N")
        ->check(whole_number());
    app.add_option("--tail", tail, "bytes to take behind what is whole of a torn file [1MiB]")
        ->type_name("SIZE");
    app.add_flag("--dry-run", options.dry_run, "say what there is and write nothing");
    app.add_flag("--force", options.force, "replace what an earlier carve has left at DIR");
    app.add_flag("--json", common.json, "what was found as one line of JSON on standard output");
    app.add_option("--progress", common.progress, "auto, always or never show how far it has come")
        ->type_name("WHEN")
        ->check(CLI::IsMember({"auto", "always", "never"}).description(""));
  }

  // Throws std::invalid_argument.
  void settle() {
    const auto wants = [&](const char* what) { return only.empty() || std::ranges::count(only, what) > 0; };
    options.rdb = wants("rdb");
    options.logs = wants("log");
    options.manifests = wants("manifest");
    if (!tail.empty()) options.tail_bytes = parse_size("--tail", tail);
    if (folder == "-") throw std::invalid_argument("-o -: the result is a folder, which a stream cannot be");
    if (folder.empty() && !options.dry_run) throw std::invalid_argument("expected -o DIR or --dry-run");
  }
};

std::string described(const Carved& carved) {
  std::string text;
  switch (carved.kind) {
    case CarvedKind::rdb:
      text = "RDB";
      break;
    case CarvedKind::preamble:
      text = "log with an RDB preamble";
      break;
    case CarvedKind::log:
      text = "log";
      break;
    case CarvedKind::manifest:
      text = "manifest";
      break;
  }
  if (carved.header)
    text += fmt::format(", {} version {}", dialect_name(carved.header->dialect), carved.header->version);
  text += ", " + counted(carved.extent.size, "byte");
  if (carved.whole) {
    text += ", whole";
  } else if (carved.why) {
    text += fmt::format(", {} of them whole [{}]", carved.whole_bytes, finding_kind(*carved.why).id);
  }
  if (carved.checksum) text += fmt::format(", checksum {}", checksum_state_name(*carved.checksum));
  if (carved.header) text += ", " + counted(carved.keys, "key");
  if (carved.kind == CarvedKind::log || carved.kind == CarvedKind::preamble)
    text += ", " + counted(carved.commands, "command");
  return text;
}

void print_found(const CarveSummary& summary) {
  for (const Carved& carved : summary.found) {
    const std::string where = carved.stream.empty() ? "" : printable(carved.stream) + ": ";
    const std::string to = carved.name.empty() ? "" : " -> " + carved.name;
    fmt::print("{}{:#x}: {}{}\n", where, carved.extent.offset, described(carved), to);
  }
  if (summary.found_in_all > summary.found.size())
    fmt::print("and {} more\n", summary.found_in_all - summary.found.size());
}

const char* status_of(const CarveSummary& summary, const CarveOptions& options) {
  if (summary.found_in_all == 0) return "nothing";
  return options.dry_run ? "dry-run" : "written";
}

void print_json(const CarveArguments& arguments, const CarveSummary& summary) {
  Json json;
  json["path"] = json_string(arguments.path);
  if (!arguments.folder.empty()) json["output"] = json_string(arguments.folder);
  json["status"] = status_of(summary, arguments.options);
  json["bytes_read"] = summary.bytes_read;
  json["capture"] = summary.is_capture;
  if (summary.is_capture) json["packets_missing"] = summary.packets_missing;
  json["found_in_all"] = summary.found_in_all;
  json["found"] = Json::array();
  for (const Carved& carved : summary.found) json["found"].push_back(Json::parse(carved_line(carved)));
  fmt::print("{}", json_line(json));
}

void print_summary(const CarveArguments& arguments, const CarveSummary& summary) {
  std::string line = printable(arguments.path) + ": ";
  line += summary.found_in_all == 0 ? "nothing" : std::to_string(summary.found_in_all);
  line += " found in " + human_size(summary.bytes_read);
  if (summary.is_capture) line += ", a capture of packets";
  if (summary.packets_missing > 0) line += fmt::format(", of which {} are missing", summary.packets_missing);
  if (!summary.folder.empty()) line += ", written to " + printable(summary.folder);
  if (arguments.options.dry_run) line += "; dry run, nothing written";
  fmt::print(stderr, "persist carve: {}\n", line);
}

Exit run_carving(CarveArguments& arguments) {
  const std::unique_ptr<ByteSource> image = rereadable_source(open_source(arguments.path));
  CarveSummary summary;
  {
    ProgressLine progress(arguments.common.progress_when(), image->size());
    arguments.options.progress = progress.callback();
    summary = carve(*image, arguments.folder, arguments.options);
  }
  if (image->damage() != nullptr)
    finding_report(arguments.common.json, arguments.common.findings_max)->report(*image->damage());
  if (arguments.common.json) {
    print_json(arguments, summary);
  } else {
    print_found(summary);
    print_summary(arguments, summary);
  }
  return summary.found_in_all == 0 ? kDamaged : kDone;
}

}  // namespace

int run_carve(Arguments words) {
  CLI::App app("Finds RDB files, logs and manifests in any bytes: disks, core dumps, captures.",
               "persist carve");
  CarveArguments arguments;
  arguments.add_to(app);
  add_examples(app,
               "  persist carve disk.img -o found                    what a deleted volume still holds\n"
               "  persist carve --dry-run --json disk.img            only say what there is\n"
               "  persist carve core.1234 -o found --only rdb        out of a core dump\n"
               "  persist carve replication.pcap -o found            out of captured packets\n"
               "  persist repair --salvage found/0001-0x1f400.rdb -o saved.rdb\n"
               "Exit status: 0 something was found, 1 nothing was, 2 it could not be done.");
  if (const std::optional<Exit> status = parse(app, words)) return *status;
  arguments.settle();
  EditArguments edit;
  edit.path = arguments.path;
  edit.json = arguments.common.json;
  return run_edit(edit, kCarveVerb, [&] { return run_carving(arguments); });
}

}  // namespace persist::tool
