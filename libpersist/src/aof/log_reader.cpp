// The fast way for all that is framed as servers write it and at hand; the slow way for the rest.
#include "aof/log_reader.hpp"

#include <algorithm>

#include "base/decimal.hpp"

namespace persist {

namespace {

// An annotation has to end somewhere.
constexpr uint64_t kAnnotationBytesMax = uint64_t{64} << 10;
constexpr uint64_t kPlenty = ~uint64_t{0};

bool is_nul(Bytes bytes) { return bytes.find_first_not_of('\0') == Bytes::npos; }

// Whether there is nothing but NUL bytes from `at` to the end of the source. `at` is left where others may
// begin: what a pipe has passed it does not give again.
bool passes_nul(ByteSource& source, uint64_t& at) {
  while (true) {
    const Window window = source.window(at, 1);
    if (window.bytes.empty()) return true;
    if (!is_nul(window.bytes)) return false;
    at += window.bytes.size();
  }
}

uint64_t end_of(ByteSource& source, uint64_t from) {
  if (source.size()) return *source.size();
  for (Window window = source.window(from, 1); !window.bytes.empty(); window = source.window(from, 1))
    from += window.bytes.size();
  return from;
}

}  // namespace

LogReader::LogReader(ByteSource& source, uint64_t offset, Hold hold)
    : source_(source), hold_(hold), end_offset_(offset), record_offset_(offset), probe_(source) {}

// So many bytes of the record, from its beginning on. False if the source ends before.
bool LogReader::pull(uint64_t bytes) {
  window_ = source_.window(record_offset_, bytes);
  at_ = window_.bytes.data();
  end_ = at_ + window_.bytes.size();
  end_offset_ = record_offset_ + window_.bytes.size();
  return window_.bytes.size() >= bytes;
}

void LogReader::move_to(uint64_t offset) {
  if (offset <= end_offset_ && end_offset_ - offset <= window_.bytes.size()) {
    at_ = end_ - (end_offset_ - offset);
    return;
  }
  window_ = {};
  at_ = end_ = nullptr;
  end_offset_ = offset;
}

LogStep LogReader::next() {
  record_offset_ = offset();
  if (at_ == end_ && !pull(1)) [[unlikely]]
    return LogStep::end;
  if (*at_ == '*') [[likely]]
    return read_command();
  if (*at_ == '#') return read_annotation();
  return read_slowly();
}

bool LogReader::next_at_hand() {
  if (at_ == end_ || *at_ != '*') return false;
  const FramedCommand framed = parse_command(at_, end_, args_);
  if (framed.framing != Framing::whole) return false;
  record_offset_ = offset();
  at_ = framed.end;
  argument_count_ = args_.size();
  shows_all_ = true;
  looseness_.reset();
  return true;
}

LogStep LogReader::read_command() {
  FramedCommand framed = parse_command(at_, end_, args_);
  while (framed.framing == Framing::more) [[unlikely]] {
      const bool may_hold = hold_ == Hold::whole || framed.needed <= kHeldBytesMax;
      if (!may_hold || !pull(framed.needed)) return read_slowly();
      framed = parse_command(at_, end_, args_);
    }
  if (framed.framing == Framing::malformed) [[unlikely]]
    return read_slowly();
  at_ = framed.end;
  argument_count_ = args_.size();
  shows_all_ = true;
  if (looseness_) looseness_.reset();
  return LogStep::command;
}

LogStep LogReader::read_slowly() {
  WalkLimits limits;
  if (hold_ == Hold::whole) limits.beginnings = limits.beginning_bytes = kPlenty;
  WalkedCommand walked = walk_command(source_, record_offset_, limits);
  if (walked.outcome != Walked::whole) probe_.spend(walked.passed);
  if (walked.outcome == Walked::torn) return give_up(walked, FindingCode::aof_truncated);
  if (walked.outcome == Walked::malformed) return give_up(walked, std::nullopt);
  if (walked.why) {
    // What only loaders put up with is believed if a record follows.
    const Window behind = source_.window(walked.end, 1);
    const bool followed = behind.bytes.empty() || behind.bytes.front() == '*' || behind.bytes.front() == '#';
    if (!followed) return give_up(walked, std::nullopt);
  }
  take_walked(std::move(walked));
  return LogStep::command;
}

void LogReader::take_walked(WalkedCommand walked) {
  looseness_ = std::move(walked.why);
  argument_count_ = walked.arguments;
  shows_all_ = walked.shows_all;
  beginnings_ = std::move(walked.beginnings);
  args_.clear();
  for (const std::string& beginning : beginnings_) args_.push(beginning);
  move_to(walked.end);
}

// `torn_as` if the end of the file came before the end of the record.
LogStep LogReader::give_up(const WalkedCommand& walked, std::optional<FindingCode> torn_as) {
  const Misframing& why = *walked.why;
  damage_ = {};
  damage_.place = why.place;
  damage_.subject = why.subject;
  damage_.expected = why.expected;
  damage_.found = why.found;
  // A source that cannot go back is searched from where it stands.
  const bool goes_back = source_.rereadable();
  const uint64_t from = goes_back ? record_offset_ + 1 : std::max(walked.end, record_offset_ + 1);
  RecordProbe::Place next;
  uint64_t nul_end = goes_back ? why.place : from;
  const Bytes passed = around(why.place, static_cast<size_t>(nul_end - std::min(nul_end, why.place)));
  const bool nul_so_far = is_nul(passed) && why.place + passed.size() >= nul_end;
  if (!torn_as && nul_so_far && passes_nul(source_, nul_end) && nul_end > why.place) {
    next.offset = nul_end;
    damage_.code = FindingCode::aof_nul_tail;
    damage_.found =
        std::to_string(nul_end - std::min(nul_end, why.place)) + " NUL bytes to the end of the file";
  } else {
    next = probe_.find(goes_back ? from : std::max(from, nul_end), torn_as.has_value());
    // A torn argument that begins like a command holds commands, as a copied log does: they are no part of
    // this one.
    if (torn_as && next.found && next.offset == walked.argument_offset)
      next = {false, end_of(source_, next.offset)};
    damage_.resumes = next.found;
    damage_.code = next.found ? FindingCode::aof_bad_record : torn_as.value_or(FindingCode::aof_garbage_tail);
  }
  damage_.extent = {record_offset_, next.offset - record_offset_};
  move_to(next.offset);
  return LogStep::damage;
}

LogStep LogReader::read_annotation() {
  Bytes at_hand(at_, static_cast<size_t>(end_ - at_));
  size_t feed = at_hand.substr(0, kAnnotationBytesMax).find('\n');
  // Asked for bit by bit: of a file that is being followed, what is not needed would be waited for.
  while (feed == Bytes::npos && at_hand.size() < kAnnotationBytesMax && pull(at_hand.size() + 1)) {
    at_hand = window_.bytes;
    feed = at_hand.substr(0, kAnnotationBytesMax).find('\n');
  }
  if (feed == Bytes::npos) {
    const bool torn = window_.bytes.size() < kAnnotationBytesMax;
    WalkedCommand walked;
    walked.end = end_offset_;
    walked.why = {record_offset_, "annotation", "a line end",
                  torn ? "the end of the file" : "none in 64 KiB"};
    return give_up(walked, torn ? std::optional(FindingCode::aof_torn_annotation) : std::nullopt);
  }
  annotation_ = Bytes(at_ + 1, feed - 1);
  if (annotation_.ends_with('\r')) annotation_.remove_suffix(1);
  at_ += feed + 1;
  return LogStep::annotation;
}

std::optional<Bytes> LogReader::raw() const {
  const uint64_t window_offset = end_offset_ - window_.bytes.size();
  if (record_offset_ < window_offset || at_ == nullptr) return std::nullopt;
  return window_.bytes.substr(static_cast<size_t>(record_offset_ - window_offset),
                              static_cast<size_t>(offset() - record_offset_));
}

Bytes LogReader::around(uint64_t from, size_t size) const {
  const uint64_t window_offset = end_offset_ - window_.bytes.size();
  if (from < window_offset || from > end_offset_) return {};
  return window_.bytes.substr(static_cast<size_t>(from - window_offset), size);
}

std::optional<int64_t> parse_timestamp(Bytes annotation) {
  constexpr Bytes kMark = "TS:";
  if (!annotation.starts_with(kMark)) return std::nullopt;
  annotation.remove_prefix(kMark.size());
  const std::optional<int64_t> seconds = parse_decimal<int64_t>(annotation);
  if (!seconds || *seconds < 0) return std::nullopt;
  return seconds;
}

}  // namespace persist
