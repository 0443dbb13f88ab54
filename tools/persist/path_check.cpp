// What a path is, by its content; and the check that fits it.
#include "path_check.hpp"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <utility>

#include "check_log.hpp"
#include "input.hpp"
#include "replaying.hpp"
#include "report.hpp"

namespace persist::tool {

namespace {

class PathCheck {
 public:
  PathCheck(const PathCheckOptions& options, FindingSink& findings)
      : options_(options), findings_(findings) {}

  Verdict check(const std::string& path) {
    verdict_.path = path;
    std::error_code unknown;
    if (std::filesystem::is_directory(path, unknown)) {
      check_folder(path);
      return std::move(verdict_);
    }
    Input input = open_input(path);
    verdict_.compression = input.source->compression();
    if (input.payload) {
      verdict_.kind = "dump-payload";
      verdict_.rdb = check_dump_payload(input.payload->bytes, input.source->name(), findings_, rdb_options());
    } else if (const FileContent content = recognise_content(*input.source); content == FileContent::other) {
      ProgressLine progress(options_.progress, input.source->size());
      KindWatch watch(findings_);
      verdict_.rdb = check_rdb(*input.source, watch, rdb_options(&progress));
      verdict_.kind = watch.kind();
    } else if (content == FileContent::manifest) {
      check_folder(path);
    } else {
      check_file(std::move(input.source));
    }
    return std::move(verdict_);
  }

 private:
  [[nodiscard]] CheckOptions rdb_options(ProgressLine* progress = nullptr) const {
    CheckOptions options;
    options.target = options_.target;
    options.version_check = options_.version_check;
    options.now_ms = options_.now_ms;
    options.threads = options_.threads;
    if (progress != nullptr) options.progress = progress->callback();
    return options;
  }

  [[nodiscard]] LogCheckOptions log_options(ProgressLine& progress) const {
    LogCheckOptions options;
    options.rdb = rdb_options(&progress);
    options.known = options_.known;
    if (!options_.conf) return options;
    options.databases = options_.conf->databases;
    options.aof_load_truncated = options_.conf->aof_load_truncated;
    return options;
  }

  void check_folder(const std::string& path) {
    FindingList found;
    SetOptions options;
    if (options_.conf) options.conf = &*options_.conf;
    verdict_.set = open_append_set(path, found, options);
    const AppendSet& set = verdict_.set;
    verdict_.kind = set.kind == SetKind::data_dir ? "data-dir" : "append-dir";
    for (const Finding& finding : found.all) findings_.report(finding);
    if (!set.has_log() && !set.rdb_path.empty()) verdict_.set.parts = single_file_set(set.rdb_path).parts;
    uint64_t size = 0;
    for (const SetPart& part : set.parts) size += part.size;
    ProgressLine progress(options_.progress, size);
    verdict_.log = check_set(set, found.all, findings_, log_options(progress));
    const auto has_log = [](const PartSummary& part) { return part.has_log; };
    if (options_.replay && std::ranges::any_of(verdict_.log->parts, has_log)) replay(*options_.replay);
  }

  void replay(ReplayOptions options) {
    ProgressLine progress(options_.progress, bytes_of(verdict_.set));
    options.progress = progress.callback();
    check_replay(verdict_.set, findings_, options, *verdict_.log);
  }

  // An RDB file, a log, or an RDB file with a log behind it.
  void check_file(std::unique_ptr<ByteSource> source) {
    verdict_.set = single_file_set(verdict_.path);
    verdict_.set.parts.front().path = source->name();
    if (options_.replay) source = rereadable_source(std::move(source));
    ProgressLine progress(options_.progress, source->size());
    LogCheckOptions options = log_options(progress);
    options.open = [&](const SetPart&) { return borrowed_source(*source); };
    verdict_.log = check_set(verdict_.set, {}, findings_, options);
    const PartSummary& part = verdict_.log->parts.front();
    verdict_.kind = "aof";
    if (part.has_log && options_.replay) {
      ReplayOptions again = *options_.replay;
      again.open = options.open;
      replay(again);
    }
    if (part.has_log) return;
    verdict_.kind = "rdb";
    verdict_.rdb = *part.rdb;
    verdict_.rdb.valid_up_to = part.valid_up_to;
    verdict_.log.reset();
  }

  const PathCheckOptions& options_;
  FindingSink& findings_;
  Verdict verdict_;
};

}  // namespace

bool Verdict::compressed() const {
  const auto packed = [](const PartSummary& part) { return part.compression != Compression::none; };
  return compression != Compression::none || (log && std::ranges::any_of(log->parts, packed));
}

std::optional<uint64_t> Verdict::keys() const {
  if (!log || log->commands == 0) return rdb_keys();
  if (!log->replay || log->replay->refused) return std::nullopt;
  return log->replay->keys;
}

uint64_t Verdict::functions() const {
  if (!log) return rdb.functions;
  uint64_t sum = 0;
  for (const PartSummary& part : log->parts) sum += part.rdb ? part.rdb->functions : 0;
  return sum;
}

uint64_t Verdict::flushes() const {
  uint64_t sum = 0;
  if (!log) return sum;
  for (const PartSummary& part : log->parts) sum += part.flushes;
  return sum;
}

uint64_t Verdict::bytes() const {
  if (!log) return rdb.end;
  uint64_t sum = 0;
  for (const PartSummary& part : log->parts) sum += part.size;
  return sum;
}

std::optional<int64_t> Verdict::newest_time_s() const {
  if (!log) return rdb.ctime_s;
  std::optional<int64_t> newest;
  for (const PartSummary& part : log->parts) {
    newest = std::max(newest, part.last_time_s);
    if (part.rdb) newest = std::max(newest, part.rdb->ctime_s);
  }
  return newest;
}

uint64_t Verdict::undated_commands() const {
  uint64_t sum = 0;
  if (!log) return sum;
  for (const PartSummary& part : log->parts) sum += part.last_time_s ? 0 : part.commands;
  return sum;
}

Verdict check_path(const std::string& path, const PathCheckOptions& options, FindingSink& findings) {
  return PathCheck(options, findings).check(path);
}

bool loads(const Verdict& verdict, const Target& target) {
  if (!verdict.log) return verdict.rdb.sound() && !verdict.rdb.obstacle;
  const StartupVerdict* startup = verdict_of(*verdict.log, target);
  for (const PartSummary& part : verdict.log->parts) {
    if (part.rdb && part.rdb->obstacle) return false;
  }
  return startup != nullptr && startup->startup == Startup::loads;
}

Exit exit_of(const Verdict& verdict, const Target* target) {
  const Reach reach = verdict.log ? verdict.log->reach : verdict.rdb.reach;
  if (verdict.replay_refused() && reach != Reach::beyond) return kTrouble;
  const bool refused = target != nullptr && !loads(verdict, *target);
  if (verdict.sound() && (refused || !verdict.passed())) return kDamaged;
  return tool::exit_of(reach, verdict.sound());
}

}  // namespace persist::tool
