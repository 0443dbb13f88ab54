// Part after part: its RDB part is loaded, its commands are run, and what ends the replay is told.
#include "ops/replay_set.hpp"

#include <algorithm>

#include "aof/commands.hpp"
#include "engine/implied_version.hpp"
#include "engine/load_rdb.hpp"
#include "io/sources.hpp"
#include "ops/log_part.hpp"

namespace persist {

namespace {

// Where guessing begins: with a manifest, which servers from 7.0 on write, and without one.
constexpr unsigned kLikelyWithManifest = 702;
constexpr unsigned kOldest = 200;

// Counts the errors that pass, and knows how bad the worst is.
class ReachSink : public FindingSink {
 public:
  ReachSink(FindingSink& to, Reach& reach) : to_(to), reach_(reach) {}
  void report(const Finding& finding) override {
    if (finding.kind().severity == Severity::error) reach_ = std::max(reach_, finding.kind().reach);
    to_.report(finding);
  }

 private:
  FindingSink& to_;
  Reach& reach_;
};

// The oldest server that knows all commands of a file.
unsigned oldest_writer(ByteSource& source) {
  unsigned oldest = kOldest;
  LogReader reader(source, 0, Hold::beginnings);
  for (LogStep step = reader.next(); step != LogStep::end; step = reader.next()) {
    if (step != LogStep::command) continue;
    if (const CommandSpec* spec = find_command(reader.args().front()))
      oldest = std::max(oldest, implied_version(*spec, reader.args()));
  }
  return oldest;
}

class SetReplay {
 public:
  SetReplay(const AppendSet& set, FindingSink& findings, const ReplayOptions& options,
            const ReplayWatch& watch, Dataset& data)
      : set_(set), findings_(findings, summary_.reach), options_(options), watch_(watch), data_(data) {}

  ReplaySummary run() {
    bool goes_on = true;
    for (const SetPart& part : set_.parts) {
      if (!part.present || !goes_on) continue;
      if (watch_.part) watch_.part(part);
      goes_on = replay_part(part, &part == &set_.parts.back());
      done_ += part.size;
    }
    take_counts();
    if (set_.kind != SetKind::file && summary_.complete) is_unchanged(set_, findings_);
    return summary_;
  }

 private:
  // False if the replay ends with it.
  bool replay_part(const SetPart& part, bool is_last) {
    std::unique_ptr<ByteSource> source = options_.open ? options_.open(part) : open_source(part.path);
    const bool is_looked_through = !options_.as && !replay_ && !begins_with_rdb(*source);
    if (is_looked_through && !source->rereadable()) source = spool(*source);
    uint64_t offset = 0;
    if (begins_with_rdb(*source)) {
      if (!load_rdb_part(*source, part.role)) return stop();
      offset = loaded_.end;
      if (watch_.rdb_loaded) watch_.rdb_loaded(part, loaded_);
    } else if (part.role == PartRole::single && !source->window(0, 1).bytes.empty() &&
               !holds_commands(*source)) {
      summary_.is_log = false;
      return stop();
    }
    settle_server(*source);
    const bool whole = run_commands(*source, offset, is_last);
    if (const Finding* damage = source->damage()) {
      findings_.report(*damage);
      return stop();
    }
    return whole;
  }

  bool stop() {
    summary_.complete = false;
    return false;
  }

  // False if what follows it is out of reach.
  bool load_rdb_part(ByteSource& source, PartRole role) {
    RdbPartSink sink(findings_);
    const uint64_t before = done_;
    const auto progress = [&](uint64_t offset) {
      if (options_.progress) options_.progress(before + offset);
    };
    loaded_ = load_rdb(source, sink, data_, progress);
    if (sink.errors() > 0 || !loaded_.complete) {
      // A server refuses the whole set for this.
      if (role != PartRole::single || loaded_.complete)
        summary_.reach = std::max(summary_.reach, Reach::beyond);
    }
    return loaded_.complete;
  }

  // Decides whose rules are followed, before the first command.
  void settle_server(ByteSource& source) {
    if (replay_) return;
    std::optional<ServerVersion> server = options_.as;
    if (!server) server = loaded_.server;
    if (!server) {
      server = guess(source);
      summary_.server_known = false;
    }
    summary_.server = *server;
    ReplayRules rules;
    rules.profile = {server->family, server->version};
    rules.is_guess = !summary_.server_known;
    rules.now_ms = options_.now_ms ? *options_.now_ms : written_ms();
    rules.field_clock_ms = options_.load_at_ms;
    rules.skip_module_commands = options_.skip_module_commands;
    replay_ = std::make_unique<Replay>(data_, rules, watch_.observer);
    if (!rules.profile.is_before(700)) pack_zeros();
  }

  void pack_zeros() {
    for (const auto& [db, key] : loaded_.with_signed_zeros)
      if (KeyEntry* entry = data_.db(db).find(key)) entry->pack_zeros(data_.pool());
  }

  // Servers that write a manifest differ in what they know, and that a command tells when it comes. Older
  // ones differ in what they make of the same command: all commands are looked at first.
  [[nodiscard]] ServerVersion guess(ByteSource& source) const {
    if (set_.kind != SetKind::file && !set_.manifest.lines.empty())
      return {Dialect::redis, kLikelyWithManifest};
    return {Dialect::redis, oldest_writer(source)};
  }

  [[nodiscard]] int64_t written_ms() const {
    constexpr int64_t kNanosecondsPerMillisecond = 1'000'000;
    int64_t latest = 0;
    for (const SetPart& part : set_.parts) latest = std::max(latest, part.modified_ns);
    return latest / kNanosecondsPerMillisecond;
  }

  bool run_commands(ByteSource& source, uint64_t offset, bool is_last) {
    LogWalk walk(source, offset, Hold::whole, carry_);
    replay_->begin_file();
    const Replay::Stop stopped = replay_->run(walk, [&] {
      if (options_.progress) options_.progress(done_ + walk.record().offset());
    });
    carry_ = walk.carry();
    if (stopped == Replay::Stop::end) return true;
    if (stopped == Replay::Stop::refused) {
      summary_.refused = true;
      findings_.report(refusal_finding(replay_->refusal(), source.name()));
      return stop();
    }
    Finding finding = finding_of(walk, source.name());
    findings_.report(finding);
    if (!is_last && finding.kind().reach == Reach::tail) {
      finding.code = FindingCode::aof_torn_inside;
      finding.context.clear();
      findings_.report(finding);
    }
    return stop();
  }

  static Finding refusal_finding(const ReplayRefusal& refusal, const std::string& file) {
    Finding finding;
    switch (refusal.kind) {
      case ReplayRefusal::Kind::unknown_command:
        finding.code = FindingCode::aof_unknown_command;
        break;
      case ReplayRefusal::Kind::module_command:
        finding.code = FindingCode::replay_module_command;
        break;
      case ReplayRefusal::Kind::not_replayed:
        finding.code = FindingCode::replay_no_rule;
        break;
      case ReplayRefusal::Kind::script:
        finding.code = FindingCode::replay_script;
        break;
    }
    finding.file = file;
    finding.extent = refusal.extent;
    finding.subject = "command " + std::to_string(refusal.index);
    finding.found = refusal.why.empty() ? refusal.command : refusal.command + ": " + refusal.why;
    return finding;
  }

  void take_counts() {
    if (replay_) {
      const ReplayCounts& counts = replay_->counts();
      summary_.changed = counts.changed;
      summary_.unchanged = counts.unchanged;
      summary_.failed = counts.failed;
      summary_.module_commands = counts.module_commands;
      summary_.server.version = replay_->profile().version;
    }
    summary_.commands = carry_.index;
    summary_.keys = data_.keys();
  }

  const AppendSet& set_;
  ReplaySummary summary_;
  ReachSink findings_;
  const ReplayOptions& options_;
  const ReplayWatch& watch_;
  Dataset& data_;
  LoadedRdb loaded_;
  std::unique_ptr<Replay> replay_;
  LogCarry carry_;
  uint64_t done_ = 0;
};

}  // namespace

ReplaySummary replay_set(const AppendSet& set, FindingSink& findings, const ReplayOptions& options,
                         const ReplayWatch& watch, Dataset& data) {
  return SetReplay(set, findings, options, watch, data).run();
}

}  // namespace persist
