// First the place is found, then everything before it is copied.
#include "persist/cut.hpp"

#include <algorithm>
#include <memory>

#include "base/letters.hpp"
#include "ops/edit_walk.hpp"
#include "persist/filter.hpp"

namespace persist {

namespace {

constexpr int64_t kMillisecondsInSecond = 1000;

[[noreturn]] void refuse(const std::string& what) { throw EditRefused(EditRefused::Kind::unusable, what); }

// Name and arguments as a pattern sees them.
std::string line_of(std::span<const Bytes> args) {
  std::string line;
  for (const Bytes arg : args) {
    line += line.empty() ? in_upper_case(arg) : " " + std::string(arg);
  }
  return line;
}

std::string with_upper_name(const std::string& pattern) {
  const size_t name_end = std::min(pattern.find_first_of(" ?[\\"), pattern.size());
  return in_upper_case(pattern.substr(0, name_end)) + pattern.substr(name_end);
}

class Cut {
 public:
  Cut(const AppendSet& set, const CutPoint& point, const OutputOptions& output,
      const std::vector<std::string>& known)
      : set_(set), point_(point), output_(output), known_(known) {
    if (point.pattern) pattern_ = with_upper_name(*point.pattern);
    if (point.offset) find_file();
  }

  CutSummary run() {
    LogCarry carry;
    for (size_t i = 0; i < set_.parts.size(); ++i) {
      if (summary_.found)
        count_rest(i, carry);
      else
        search(i, carry);
    }
    if (!summary_.found) check_not_found();
    write();
    return std::move(summary_);
  }

 private:
  // The part that --at-offset speaks of.
  void find_file() {
    const auto by_name = [&](const SetPart& part) {
      return part.name == point_.file || part.path == point_.file;
    };
    if (!point_.file.empty()) {
      const auto at = std::ranges::find_if(set_.parts, by_name);
      if (at == set_.parts.end()) refuse(point_.file + ": expected one of the files of the set" + names());
      offset_part_ = static_cast<size_t>(at - set_.parts.begin());
      return;
    }
    if (set_.parts.size() > 1) refuse("an offset needs the name of its file, FILE:OFFSET" + names());
    offset_part_ = 0;
  }

  [[nodiscard]] std::string names() const {
    std::string text = ": it has";
    for (const SetPart& part : set_.parts) text += " " + part.name;
    return text;
  }

  void search(size_t index, LogCarry& carry) {
    walks_.push_back(std::make_unique<EditWalk>(set_, set_.parts[index], Hold::beginnings, carry));
    EditWalk& edit = *walks_.back();
    ends_.push_back(edit.part().size);
    check_base(edit, index);
    keys_kept_ += edit.part().keys;
    // The carry as it was before a transaction, should one have to go whole.
    LogCarry boundary_carry = carry;
    while (edit.next()) {
      if (!edit.was_in_multi()) boundary_carry = before(edit, carry);
      if (is_beyond(edit, index)) {
        settle(edit, index, edit.boundary(), boundary_carry);
        summary_.before_multi = edit.was_in_multi();
        count_behind(edit);
        carry = edit.walk().carry();
        return;
      }
      carry = edit.walk().carry();
      any_time_ |= carry.time_s.has_value();
    }
    if (edit.tail()) {
      summary_.tail = edit.tail();
      ends_.back() = edit.tail()->extent.offset;
    }
    summary_.commands_kept = carry.index;
    summary_.last_time_s = carry.time_s;
    // At the end of its file: what there is to cut are the files behind it.
    const bool more = std::any_of(set_.parts.begin() + static_cast<ptrdiff_t>(index) + 1, set_.parts.end(),
                                  [](const SetPart& later) { return later.size > 0; });
    if (is_offset_part(index) && more) settle(edit, index, ends_.back(), carry);
  }

  // What had been read in front of the last record.
  [[nodiscard]] static LogCarry before(const EditWalk& edit, const LogCarry& last) {
    LogCarry carry = last;
    if (edit.is_command()) carry.index = edit.walk().index();
    return carry;
  }

  [[nodiscard]] bool is_offset_part(size_t index) const { return point_.offset && offset_part_ == index; }

  // A base tells when it was written: nothing in the set is older.
  void check_base(EditWalk& edit, size_t index) {
    const LogPart& part = edit.part();
    if (is_offset_part(index) && *point_.offset < part.log_offset) {
      refuse(set_.parts[index].path + ": the offset lies in the RDB part, which ends at " +
             std::to_string(part.log_offset));
    }
    if (!point_.time_ms || !part.ctime_s || *part.ctime_s * kMillisecondsInSecond <= *point_.time_ms) return;
    if (part.keys == 0) return;
    refuse(set_.parts[index].path + ": its RDB part was written at " + std::to_string(*part.ctime_s) +
           " (seconds since 1970), after the time asked for: look for history files or an older copy");
  }

  [[nodiscard]] bool is_beyond(const EditWalk& edit, size_t index) const {
    const LogWalk& walk = edit.walk();
    if (point_.time_ms)
      return !edit.is_command() && walk.time_s() && *walk.time_s() * kMillisecondsInSecond > *point_.time_ms;
    if (point_.offset) return offset_part_ == index && walk.record().extent().end() > *point_.offset;
    if (!edit.is_command()) return false;
    if (point_.command) return walk.index() >= *point_.command;
    return glob_matches(pattern_, line_of(walk.record().args()));
  }

  void settle(EditWalk& edit, size_t index, uint64_t offset, const LogCarry& carry) {
    summary_.found = true;
    summary_.file = set_.parts[index].name;
    summary_.offset = offset;
    summary_.commands_kept = carry.index;
    summary_.last_time_s = carry.time_s;
    ends_[index] = offset;
    const bool before_all = point_.time_ms && carry.index == 0 && keys_kept_ == 0;
    if (before_all || (offset == 0 && index == 0)) {
      refuse(edit.source().name() + ": nothing stands before the place asked for" +
             (edit.walk().time_s()
                  ? "; the log begins at " + std::to_string(*edit.walk().time_s()) + " (seconds since 1970)"
                  : ""));
    }
  }

  void count_behind(EditWalk& edit) {
    try {
      while (edit.next()) {
      }
    } catch (const EditRefused&) {
      // Damage behind the cut is gone with it.
    }
    summary_.commands_dropped = edit.walk().carry().index - summary_.commands_kept;
  }

  // A file behind the cut goes whole, whatever its state.
  void count_rest(size_t index, LogCarry& carry) {
    ends_.push_back(0);
    dropped_from_ = std::min(dropped_from_, index);
    try {
      walks_.push_back(std::make_unique<EditWalk>(set_, set_.parts[index], Hold::beginnings, carry));
    } catch (const EditRefused&) {
      walks_.push_back(nullptr);
      return;
    }
    count_behind(*walks_.back());
    carry = walks_.back()->walk().carry();
  }

  void check_not_found() const {
    if (point_.time_ms && !any_time_) {
      refuse(set_.path +
             ": no timestamps in the log (aof-timestamp-enabled was off): `persist log` shows offsets and "
             "commands to cut at");
    }
    if (point_.pattern) refuse(set_.path + ": no command matches \"" + *point_.pattern + "\"");
  }

  void write() {
    if (!summary_.found && !summary_.tail && output_.in_place) return;
    SetOutput result(set_, output_, {true, known_});
    Manifest manifest = without_history(set_.manifest);
    for (size_t i = 0; i < set_.parts.size(); ++i) {
      if (i >= dropped_from_) {
        drop_part(i, result);
        std::erase_if(manifest.lines,
                      [&](const ManifestLine& line) { return line.file == set_.parts[i].name; });
      } else {
        copy_part(i, result);
      }
    }
    const uint64_t dropped = summary_.commands_dropped;
    summary_.edit = result.commit(manifest);
    summary_.edit.commands_dropped = dropped;
  }

  void drop_part(size_t index, SetOutput& result) {
    const SetPart& part = set_.parts[index];
    if (walks_[index])
      result.drop_part(part, walks_[index]->source(), "behind the cut", 0);
    else if (part.present)
      result.drop_part(part, *open_source(part.path), "behind the cut", 0);
  }

  void copy_part(size_t index, SetOutput& result) {
    const std::unique_ptr<PartOutput> out = result.begin_part(set_.parts[index], walks_[index]->source());
    const uint64_t size = walks_[index]->part().size;
    if (ends_[index] < size) out->drop({ends_[index], size - ends_[index]}, "behind the cut", 0);
    out->finish(size);
  }

  const AppendSet& set_;
  const CutPoint& point_;
  const OutputOptions& output_;
  const std::vector<std::string>& known_;
  std::string pattern_;
  size_t offset_part_ = 0;
  std::vector<std::unique_ptr<EditWalk>> walks_;
  std::vector<uint64_t> ends_;  // of what is kept, by part
  size_t dropped_from_ = ~size_t{0};
  uint64_t keys_kept_ = 0;  // of RDB parts
  bool any_time_ = false;
  CutSummary summary_;
};

}  // namespace

CutSummary cut_set(const AppendSet& set, const CutPoint& point, const OutputOptions& output,
                   const std::vector<std::string>& known) {
  return Cut(set, point, output, known).run();
}

}  // namespace persist
