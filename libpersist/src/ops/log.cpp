// The list of a log: file after file, each with its RDB part and its commands.
#include "persist/log.hpp"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <stdexcept>

#include "aof/log_walk.hpp"
#include "io/follow_source.hpp"
#include "ops/line_output.hpp"
#include "ops/log_effects.hpp"
#include "ops/log_follow.hpp"
#include "ops/log_lines.hpp"
#include "ops/log_part.hpp"
#include "ops/log_selection.hpp"
#include "rdb/record_reader.hpp"

namespace persist {

namespace {

constexpr uint64_t kCommandsBetweenLooks = uint64_t{1} << 16;

class LogLister {
 public:
  LogLister(const AppendSet& set, ByteSink& output, FindingSink& findings, const LogOptions& options)
      : set_(set),
        findings_(findings),
        options_(options),
        selector_(options.selection),
        lines_(options.json),
        output_(output, options.head_lines, options.tail_lines) {}

  LogSummary run() {
    for (const SetPart& part : set_.parts) {
      if (!part.present || !output_.wants_lines()) continue;
      const bool is_last = &part == &set_.parts.back();
      if (is_last && options_.following != nullptr)
        follow(part);
      else
        list_part(part, is_last);
      done_ += part.size;
    }
    output_.flush();
    summary_.commands = carry_.index;
    summary_.lines = output_.lines();
    summary_.complete = summary_.complete && output_.wants_lines();
    const bool is_still = options_.following == nullptr && summary_.complete;
    if (is_still && set_.kind != SetKind::file) is_unchanged(set_, findings_);
    return summary_;
  }

 private:
  void list_part(const SetPart& part, bool is_last) {
    const std::unique_ptr<ByteSource> source = open_source(part.path);
    uint64_t offset = 0;
    if (!begin_part(*source, part, offset)) return;
    list_commands(*source, offset, is_last);
    if (const Finding* damage = source->damage()) findings_.report(*damage);
  }

  // Lists the RDB part, if there is one, and finds where the commands begin. False if they are out of reach.
  bool begin_part(ByteSource& source, const SetPart& part, uint64_t& offset) {
    lines_.set_file(part.path == "-" ? Bytes(source.name()) : Bytes(part.name));
    if (begins_with_rdb(source)) return list_rdb(source, part.role, offset);
    const bool may_be_anything = part.role == PartRole::single && options_.following == nullptr;
    if (!may_be_anything || source.window(0, 1).bytes.empty() || holds_commands(source)) return true;
    summary_.is_log = false;
    return false;
  }

  bool list_rdb(ByteSource& source, PartRole role, uint64_t& offset) {
    RdbPartSink sink(findings_);
    RecordReader records(source, sink);
    records.set_payloads(Payloads::validated);
    RdbPart part;
    while (const RdbRecord* record = records.next_head()) {
      if (const auto* header = std::get_if<RdbHeader>(&record->body)) part.header = *header;
      const auto* entry = std::get_if<RdbEntry>(&record->body);
      if (entry == nullptr) continue;
      if (options_.keys && resume_at_ == 0 && selector_.selects_key(entry->db, entry->key)) {
        lines_.put_key(output_.begin_line(), *record, *entry);
        if (!output_.end_line()) return false;
      }
      if (records.finish_value()) ++part.keys;
    }
    part.complete = records.complete();
    part.size = offset = records.offset();
    if (!options_.keys && selector_.selects_all() && resume_at_ == 0 && part.header.version != 0) {
      lines_.put_rdb(output_.begin_line(), part);
      if (!output_.end_line()) return false;
    }
    summary_.out_of_reach = summary_.out_of_reach || (!part.complete && role != PartRole::single);
    return part.complete;
  }

  // --- Commands
  // ---------------------------------------------------------------------------------------------

  void list_commands(ByteSource& source, uint64_t offset, bool is_last) {
    LogWalk walk(source, offset, options_.whole ? Hold::whole : Hold::beginnings, carry_);
    read_up_to_ = offset;
    bool wants_more = output_.wants_lines();
    while (wants_more) {
      const bool was_in_multi = walk.in_multi();
      const LogStep step = walk.next();
      if (step == LogStep::end) break;
      if (step == LogStep::command) [[likely]]
        wants_more = list_command(walk, was_in_multi || walk.in_multi());
      else if (step == LogStep::annotation)
        wants_more = list_annotation(walk);
      else
        take_damage(source, walk, is_last);
      if (step != LogStep::damage) read_up_to_ = walk.record().offset();
    }
    carry_ = walk.carry();
  }

  bool list_command(const LogWalk& walk, bool multi) {
    if (walk.commands() % kCommandsBetweenLooks == 0 && !look_up(walk)) return false;
    const ListedCommand told = listed(walk, multi);
    if (!selector_.selects_all() && !selector_.selects(told.command)) return true;
    if (was_listed(walk)) [[unlikely]]
      return true;
    lines_.put_command(output_.begin_line(), told);
    return output_.end_line();
  }

  bool list_annotation(const LogWalk& walk) {
    summary_.has_times = summary_.has_times || walk.time_s().has_value();
    if (!options_.annotations || !selector_.selects_time(walk.time_s()) || was_listed(walk)) return true;
    lines_.put_annotation(output_.begin_line(), walk);
    return output_.end_line();
  }

  // Before the file was cut off.
  [[nodiscard]] bool was_listed(const LogWalk& walk) const {
    return walk.record().extent().offset < resume_at_;
  }

  bool look_up(const LogWalk& walk) {
    if (options_.progress) options_.progress(done_ + walk.record().offset());
    if (options_.following == nullptr || options_.following->pause(0)) return true;
    summary_.complete = false;
    return false;
  }

  void take_damage(const ByteSource& source, const LogWalk& walk, bool is_last) {
    if (follower_ && follower_->was_interrupted()) return;
    const LogDamage& damage = walk.damage();
    if (damage.extent.offset < resume_at_) return;
    Finding finding = finding_of(walk, source.name());
    // What has come before it is seen before it.
    if (options_.following != nullptr) output_.flush();
    findings_.report(finding);
    if (is_last || finding.kind().reach != Reach::tail) return;
    finding.code = FindingCode::aof_torn_inside;
    finding.context.clear();
    findings_.report(finding);
  }

  // --- Following
  // --------------------------------------------------------------------------------------------

  void follow(SetPart part) {
    FollowEnd end = FollowEnd::new_part;
    do {
      const LogCarry before = carry_;
      end = follow_one(part);
      if (end == FollowEnd::cut_off) {
        go_back(part);
        carry_ = before;
        continue;
      }
      resume_at_ = 0;
      part = follower_->next_part();
      if (end == FollowEnd::replaced)
        options_.following->notice(part.path, "is another file now: it is read from its beginning");
    } while (output_.wants_lines() && end != FollowEnd::none && end != FollowEnd::stopped);
    if (end == FollowEnd::stopped) summary_.complete = false;
  }

  FollowEnd follow_one(const SetPart& part) {
    follower_.emplace(set_, part, *options_.following, [this] { output_.flush(); });
    FollowSource& source = follower_->source();
    refuse_compressed(source);
    uint64_t offset = 0;
    if (begin_followed(part, offset)) list_commands(source, offset, true);
    return follower_->end();
  }

  // An RDB part is there whole from the beginning; to find its end, it is not waited for more.
  bool begin_followed(const SetPart& part, uint64_t& offset) {
    FollowSource& source = follower_->source();
    if (!source.rereadable() || !begins_with_rdb(source)) return begin_part(source, part, offset);
    return begin_part(*open_source(part.path), part, offset);
  }

  static void refuse_compressed(FollowSource& source) {
    constexpr uint64_t kMagicBytes = 4;
    const Compression packing = recognise_compression(source.window(0, kMagicBytes).bytes);
    if (packing == Compression::none) return;
    throw std::invalid_argument(source.name() + ": it is compressed with " +
                                std::string(compression_name(packing)) + ", and cannot be followed");
  }

  // To the beginning of a file that was cut off. What was listed of it and is still there is not listed
  // again.
  void go_back(const SetPart& part) {
    std::error_code unreadable;
    const uint64_t size = std::filesystem::file_size(part.path, unreadable);
    const bool keeps_all = !unreadable && size >= read_up_to_;
    resume_at_ = keeps_all ? std::max(resume_at_, read_up_to_) : 0;
    options_.following->notice(part.path, keeps_all
                                              ? "was cut off behind what was listed: reading goes on there"
                                              : "was cut short: it is read from its beginning");
  }

  const AppendSet& set_;
  FindingSink& findings_;
  const LogOptions& options_;
  LogSelector selector_;
  LogLines lines_;
  LineOutput output_;
  LogSummary summary_;
  LogCarry carry_;
  uint64_t done_ = 0;        // bytes of the files before
  uint64_t read_up_to_ = 0;  // of the file at hand: the end of the last record
  uint64_t resume_at_ = 0;   // what begins before that was listed already
  std::optional<LogFollower> follower_;
};

}  // namespace

LogSummary list_log(const AppendSet& set, ByteSink& output, FindingSink& findings,
                    const LogOptions& options) {
  if (options.effects != nullptr) return list_effects(set, output, findings, options);
  return LogLister(set, output, findings, options).run();
}

}  // namespace persist
