// What a command changes for those behind it, and what a server would call the damage it meets.
#include "aof/log_walk.hpp"

#include <limits>

namespace persist {

LogWalk::LogWalk(ByteSource& source, uint64_t offset, Hold hold, const LogCarry& carry)
    : reader_(source, offset, hold), carry_(carry), begin_(offset), sound_up_to_(offset) {}

LogStep LogWalk::next() {
  switch (reader_.next()) {
    case LogStep::command:
      return take_command();
    case LogStep::annotation:
      if (const std::optional<int64_t> time_s = parse_timestamp(reader_.annotation())) carry_.time_s = time_s;
      return LogStep::annotation;
    case LogStep::damage:
      return take_damage();
    case LogStep::end:
      break;
  }
  return take_end();
}

LogStep LogWalk::take_command() {
  spec_ = find_command(reader_.args().front());
  kind_ = spec_ != nullptr ? spec_->kind : CommandKind::other;
  ++carry_.index;
  ++commands_;
  if (kind_ != CommandKind::other) [[unlikely]]
    take_kind();
  if (!in_multi_) sound_up_to_ = reader_.offset();
  return LogStep::command;
}

void LogWalk::take_kind() {
  if (kind_ == CommandKind::multi && !in_multi_) {
    in_multi_ = true;
    multi_ = reader_.extent();
  } else if (kind_ == CommandKind::exec) {
    in_multi_ = false;
  } else if (kind_ == CommandKind::select && reader_.args().size() == 2) {
    if (const std::optional<uint64_t> db = parse_db(reader_.args()[1])) db_ = *db;
  }
}

// Names the damage by what a server would make of it.
LogStep LogWalk::take_damage() {
  damage_ = reader_.damage();
  if (damage_.code != FindingCode::aof_truncated) return LogStep::damage;
  if (commands_ == 0 && begin_ > 0) {
    damage_.code = FindingCode::aof_torn_first;
  } else if (in_multi_) {
    damage_.code = FindingCode::aof_torn_multi;
  }
  return LogStep::damage;
}

LogStep LogWalk::take_end() {
  const bool cut_off = damage_.extent.size > 0 && damage_.extent.end() == reader_.offset();
  if (!in_multi_ || cut_off) return LogStep::end;
  in_multi_ = false;
  damage_ = {};
  const bool first = begin_ > 0 && multi_.offset == begin_ && sound_up_to_ == begin_;
  damage_.code = first ? FindingCode::aof_torn_first : FindingCode::aof_open_multi;
  damage_.extent = {multi_.offset, reader_.offset() - multi_.offset};
  damage_.place = reader_.offset();
  damage_.subject = "transaction";
  damage_.expected = "EXEC";
  damage_.found = "the end of the file";
  return LogStep::damage;
}

std::optional<uint64_t> parse_db(Bytes text) {
  uint64_t number = 0;
  if (text.empty() || parse_digits(text, number) != text.size()) return std::nullopt;
  if (number > std::numeric_limits<int32_t>::max()) return std::nullopt;
  return number;
}

}  // namespace persist
