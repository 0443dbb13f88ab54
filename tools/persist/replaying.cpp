// Telling what a path leads to, and what came of a replay.
#include "replaying.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "persist/check_set.hpp"
#include "persist/rdb_reader.hpp"
#include "persist/source.hpp"

namespace persist::tool {

namespace {

// Whether the RDB data at the beginning of a file says of itself that commands follow. Base files of sets do
// not: theirs stand in other files. The beginning stays to be read.
bool is_preamble(ByteSource& source) {
  constexpr uint64_t kHeadMax = uint64_t{64} << 10;
  const Window window = source.window(0, kHeadMax);
  const std::unique_ptr<ByteSource> head = memory_source(window.bytes.substr(0, kHeadMax));
  FindingList ignored;
  RdbReader reader(*head, ignored);
  while (const RdbRecord* record = reader.next_head()) {
    if (std::holds_alternative<RdbHeader>(record->body)) continue;
    const auto* aux = std::get_if<AuxField>(&record->body);
    if (aux == nullptr) return false;
    if (aux->name == "aof-preamble") return aux->value == "1";
  }
  return false;
}

bool is_log(ByteSource& source) {
  const FileContent content = recognise_content(source);
  return content == FileContent::log || (content == FileContent::rdb && is_preamble(source));
}

// Counts the errors that pass. Notes, on old files for example, are for those who check.
class OpeningErrors : public FindingSink {
 public:
  OpeningErrors(FindingSink& to, Keyspace& found) : to_(to), found_(found) {}
  void report(const Finding& finding) override {
    if (finding.kind().severity == Severity::error) {
      ++found_.errors;
      found_.reach = std::max(found_.reach, finding.kind().reach);
    }
    if (finding.kind().severity != Severity::note) to_.report(finding);
  }

 private:
  FindingSink& to_;
  Keyspace& found_;
};

bool is_manifest(ByteSource& source) { return recognise_content(source) == FileContent::manifest; }

}  // namespace

void ReplayArguments::add_to(CLI::App& app, bool with_as) {
  if (with_as) {
    app.add_option("--as", as, "follow the rules of this server, such as redis-6.2 [the one that wrote it]")
        ->type_name("SERVER");
  }
  app.add_option("--module-commands", module_commands,
                 "commands of modules in a log: fail, or skip them and do without their keys [fail]")
      ->type_name("WHAT")
      ->check(CLI::IsMember({"fail", "skip"}).description(""));
  app.add_option("--now", now, "what relative times in old logs count from [when the log was last written]")
      ->type_name("TIME");
  app.add_option("--load-at", load_at,
                 "as a Redis from 7.4 on that loads the log at TIME: it does not see fields expired by then")
      ->type_name("TIME");
}

ReplayOptions ReplayArguments::options() const {
  ReplayOptions options;
  if (!as.empty()) {
    options.as = parse_server_version(as);
    if (!options.as)
      throw std::invalid_argument("--as " + as + ": not a server; say redis-7.2 or valkey-8.1, for example");
  }
  options.skip_module_commands = module_commands == "skip";
  if (!now.empty()) options.now_ms = time_option("--now", now);
  if (!load_at.empty()) options.load_at_ms = time_option("--load-at", load_at);
  return options;
}

void Keyspace::lend_to(ReplayOptions& options) {
  if (!input.source) return;
  options.open = [this](const SetPart&) { return std::move(input.source); };
  // Nothing tells when a pipe was written.
  if (!options.now_ms) options.now_ms = wall_clock_ms();
}

Keyspace open_keyspace(const std::string& path, FindingSink& report) {
  Keyspace found;
  OpeningErrors findings(report, found);
  found.file = path;
  std::error_code none;
  if (std::filesystem::is_directory(path, none)) {
    AppendSet set = open_append_set(path, findings, {});
    if (set.has_log() || set.rdb_path.empty()) {
      found.log = std::move(set);
      return found;
    }
    found.file = set.rdb_path;
  }
  found.input = open_input(found.file);
  if (found.input.payload || found.file != path) return found;
  if (!std::filesystem::is_regular_file(path, none)) {
    if (is_log(*found.input.source)) found.log = single_file_set(path);
  } else if (is_manifest(*found.input.source) || is_log(*found.input.source)) {
    found.log = open_append_set(path, findings, {});
    found.input = {};
  }
  return found;
}

void announce_rdb(const std::string& verb, const std::string& path, const Keyspace& found) {
  if (found.file == path) return;
  const std::string name = found.file.substr(found.file.rfind('/') + 1);
  fmt::print(stderr, "persist {}: {}: a data directory: {}\n", verb, printable(path), printable(name));
}

void announce_set(const std::string& verb, const std::string& path, const AppendSet& set) {
  constexpr const char* kNames[] = {"a log", "an append directory", "a data directory"};
  std::string names;
  for (const SetPart& part : set.parts) names += (names.empty() ? "" : ", ") + printable(part.name);
  const bool is_file = set.kind == SetKind::file;
  fmt::print(stderr, "persist {}: {}: {}{}\n", verb, printable(path), kNames[static_cast<size_t>(set.kind)],
             is_file         ? ""
             : names.empty() ? ": nothing in it"
                             : ": " + names);
}

void explain_replay(const std::string& verb, const std::string& path, const ReplaySummary& summary,
                    bool json) {
  const std::string who = "persist " + verb + ": " + printable(path) + ": ";
  if (!summary.is_log) {
    fmt::print(stderr, "{}neither a log nor an RDB file\n", who);
    return;
  }
  if (json) return;
  if (summary.refused) fmt::print(stderr, "{}the replay ended at a command that it cannot follow\n", who);
  if (summary.module_commands > 0) {
    fmt::print(stderr, "{}{} of modules skipped: what they changed is missing\n", who,
               counted(summary.module_commands, "command"));
  }
  if (!summary.server_known) {
    fmt::print(stderr, "{}who wrote it is not told: taken for {} (--as says otherwise)\n", who,
               server_version_name(summary.server));
  }
}

void add_replay(nlohmann::ordered_json& json, const ReplaySummary& summary) {
  json["server"] = server_version_name(summary.server);
  json["server_known"] = summary.server_known;
  if (summary.module_commands > 0) json["module_commands"] = summary.module_commands;
}

Exit exit_of(const Keyspace& found, const ReplaySummary& summary) {
  if (!summary.is_log || summary.refused) return kTrouble;
  const Reach reach = std::max(found.reach, summary.reach);
  return exit_of(reach, found.errors == 0 && summary.complete && reach == Reach::nothing);
}

std::optional<uint64_t> bytes_of(const AppendSet& set) {
  uint64_t size = 0;
  for (const SetPart& part : set.parts) size += part.size;
  return size > 0 ? std::optional(size) : std::nullopt;
}

}  // namespace persist::tool
