// Two passes: one to find what emptied databases and when, one to copy everything else.
#include "persist/undo_flush.hpp"

#include <algorithm>
#include <charconv>
#include <memory>

#include "base/letters.hpp"
#include "ops/edit_walk.hpp"

namespace persist {

namespace {

constexpr int64_t kSecondInMilliseconds = 1000;
// Numbers below are no times of any server: September 2001.
constexpr int64_t kTimeMsMin = 1'000'000'000'000;
constexpr size_t kCommandShown = 128;

std::optional<int64_t> parse_time_ms(Bytes text) {
  int64_t time_ms = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), time_ms);
  const bool number = error == std::errc{} && (end == text.data() + text.size() || *end == '-');
  return number && time_ms >= kTimeMsMin ? std::optional(time_ms) : std::nullopt;
}

// Which commands hold times, and where: how a log without annotations tells when things happened.
struct TimeSpots {
  const CommandSpec* xadd = find_command("xadd");
  const CommandSpec* xclaim = find_command("xclaim");
  const CommandSpec* pexpireat = find_command("pexpireat");
  const CommandSpec* set = find_command("set");
};

// What a command says about the time at which it was logged.
struct TimeHint {
  std::optional<int64_t> at_ms;      // about then
  std::optional<int64_t> before_ms;  // before that: an expiry lies in the future
};

TimeHint hint_of(const TimeSpots& spots, const CommandSpec* spec, std::span<const Bytes> args) {
  constexpr size_t kPexpireatWords = 3;
  TimeHint hint;
  if (spec == spots.pexpireat && args.size() >= kPexpireatWords) {
    hint.before_ms = parse_time_ms(args[2]);
  } else if (spec == spots.xadd) {
    // The ID stands behind the options: the first word that looks like one.
    for (const Bytes arg : args.subspan(std::min<size_t>(2, args.size()))) {
      if (arg.find('-') == Bytes::npos) continue;
      hint.at_ms = parse_time_ms(arg);
      break;
    }
  } else if (spec == spots.xclaim || spec == spots.set) {
    for (size_t i = 3; i + 1 < args.size(); ++i) {
      if (equals_ignoring_case(args[i], "time")) hint.at_ms = parse_time_ms(args[i + 1]);
      if (equals_ignoring_case(args[i], "pxat")) hint.before_ms = parse_time_ms(args[i + 1]);
    }
  }
  return hint;
}

std::string words_of(std::span<const Bytes> args) {
  std::string text;
  for (const Bytes arg : args) {
    if (text.size() > kCommandShown) break;
    text += (text.empty() ? "" : " ") + std::string(arg.substr(0, kCommandShown));
  }
  return text.substr(0, kCommandShown);
}

// A script that may flush: its text says so.
bool mentions_flush(const CommandSpec& spec, std::span<const Bytes> args) {
  if (!spec.name.starts_with("eval") || args.size() < 2) return false;
  const std::string text = in_lower_case(args[1]);
  return text.find("flushall") != std::string::npos || text.find("flushdb") != std::string::npos;
}

class FlushSearch {
 public:
  FlushSearch(const TimeSpots& spots, std::vector<Flush>& found) : spots_(spots), found_(found) {}

  // Looks at the record that the walk stands at.
  void look_at(const EditWalk& edit, const std::string& file) {
    const LogWalk& walk = edit.walk();
    if (!edit.is_command()) {
      if (walk.time_s()) note_time({*walk.time_s() * kSecondInMilliseconds, std::nullopt});
      return;
    }
    if (is_flush(walk)) [[unlikely]]
      add(edit, file);
    const CommandSpec* spec = walk.spec();
    const bool tells = spec != nullptr && (spec == spots_.set || spec == spots_.xadd ||
                                           spec == spots_.pexpireat || spec == spots_.xclaim);
    if (tells) note_time(hint_of(spots_, spec, walk.record().args()));
  }

  void note_base(std::optional<int64_t> ctime_s) {
    if (ctime_s) note_time({*ctime_s * kSecondInMilliseconds, std::nullopt});
  }

  // The log ends: nothing in it was written after this.
  void end(int64_t modified_ms) { note_time({std::nullopt, modified_ms}); }

 private:
  static bool is_flush(const LogWalk& walk) {
    if (walk.kind() == CommandKind::flushall || walk.kind() == CommandKind::flushdb) return true;
    return walk.kind() == CommandKind::script && mentions_flush(*walk.spec(), walk.record().args());
  }

  void add(const EditWalk& edit, const std::string& file) {
    const LogWalk& walk = edit.walk();
    Flush flush;
    flush.file = file;
    flush.extent = walk.record().extent();
    flush.index = flush.commands_before = walk.index();
    flush.command = words_of(walk.record().args());
    flush.all = walk.kind() == CommandKind::flushall;
    flush.is_script = walk.kind() == CommandKind::script;
    flush.db = walk.db();
    flush.in_multi = edit.was_in_multi();
    flush.time_s = walk.time_s();
    flush.not_before_ms = last_ms_;
    found_.push_back(std::move(flush));
  }

  // The nearest times on both sides of a flush bound it.
  void note_time(const TimeHint& hint) {
    if (hint.at_ms) last_ms_ = std::max(last_ms_.value_or(*hint.at_ms), *hint.at_ms);
    const std::optional<int64_t> after = hint.at_ms ? hint.at_ms : hint.before_ms;
    if (!after) return;
    for (; bounded_ < found_.size() && hint.at_ms; ++bounded_) bound(found_[bounded_], *after);
    if (!hint.at_ms) {
      for (size_t i = bounded_; i < found_.size(); ++i) bound(found_[i], *after);
    }
  }

  static void bound(Flush& flush, int64_t time_ms) {
    if (flush.not_before_ms && time_ms < *flush.not_before_ms) return;
    flush.not_after_ms = std::min(flush.not_after_ms.value_or(time_ms), time_ms);
  }

  const TimeSpots& spots_;
  std::vector<Flush>& found_;
  std::optional<int64_t> last_ms_;
  size_t bounded_ = 0;  // flushes before this one have a time behind them
};

class SetSearch {
 public:
  explicit SetSearch(const AppendSet& set) : set_(set) {}

  FlushReport run() {
    FlushSearch search(spots_, report_.flushes);
    LogCarry carry;
    for (const SetPart& part : set_.parts) {
      EditWalk edit(set_, part, Hold::beginnings, carry);
      search.note_base(edit.part().ctime_s);
      if (edit.part().has_rdb) {
        report_.base_written_at_s = edit.part().ctime_s;
        report_.has_base_keys |= edit.part().keys > 0;
      }
      while (edit.next()) search.look_at(edit, part.name);
      if (edit.tail()) report_.tail = edit.tail();
      carry = edit.walk().carry();
      if (part.modified_ns > 0) search.end(part.modified_ns / 1'000'000);
      report_.sources.emplace_back(std::move(edit.part().source));
    }
    for (Flush& flush : report_.flushes) flush.torn = is_torn(flush);
    report_.commands = carry.index;
    for (Flush& flush : report_.flushes) flush.commands_after = carry.index - flush.index - 1;
    look_elsewhere();
    return std::move(report_);
  }

 private:
  [[nodiscard]] bool is_torn(const Flush& flush) const {
    return report_.tail && report_.tail->file == flush.file &&
           flush.extent.offset >= report_.tail->extent.offset;
  }

  // Files that servers do not load may hold what a rewrite took away. Whatever state they are in.
  void look_elsewhere() {
    for (const SetPart& part : set_.others) {
      if (!part.present || part.size == 0) continue;
      try {
        AppendSet alone;
        alone.parts.push_back(part);
        EditWalk edit(alone, part, Hold::beginnings, {});
        report_.other_files.push_back(part.path);
        FlushSearch search(spots_, report_.elsewhere);
        while (edit.next()) search.look_at(edit, part.name);
      } catch (const EditRefused&) {
        continue;
      }
    }
  }

  const AppendSet& set_;
  TimeSpots spots_;
  FlushReport report_;
};

}  // namespace

FlushReport find_flushes(const AppendSet& set) { return SetSearch(set).run(); }

EditSummary undo_flushes(const AppendSet& set, const FlushReport& report, const std::vector<Flush>& flushes,
                         const OutputOptions& output, const std::vector<std::string>& known) {
  SetOutput result(set, output, {true, known});
  for (size_t i = 0; i < set.parts.size(); ++i) {
    const SetPart& part = set.parts[i];
    ByteSource& source = *report.sources[i];
    const std::unique_ptr<PartOutput> out = result.begin_part(part, source);
    for (const Flush& flush : flushes) {
      if (flush.file == part.name && !flush.torn) out->drop(flush.extent, "undone");
    }
    if (report.tail && report.tail->file == part.name) out->drop(report.tail->extent, report.tail->why, 0);
    out->finish(size_of(source));
  }
  return result.commit(without_history(set.manifest));
}

}  // namespace persist
