// The search behind damage: cheap looks at many places, whole walks at few, and a bound on all of them.
#include "aof/record_probe.hpp"

#include <algorithm>

#include "aof/command_walk.hpp"
#include "aof/commands.hpp"
#include "aof/resp.hpp"

namespace persist {

namespace {

// Enough for the count, and the length and name of any command.
constexpr uint64_t kHeadBytes = 96;
constexpr uint64_t kSearchBytes = 1 << 16;
// Without going back, a command must be at hand whole to be believed.
constexpr uint64_t kAtHandMax = uint64_t{1} << 18;

bool take_header(Bytes& text, char prefix, uint64_t& number) {
  if (text.empty() || text.front() != prefix) return false;
  const size_t digits = parse_digits(text.substr(1), number);
  if (digits == 0 || !text.substr(digits + 1).starts_with("\r\n")) return false;
  text.remove_prefix(digits + 3);
  return true;
}

// By its count and name alone.
bool begins_command(Bytes head) {
  uint64_t count = 0;
  uint64_t length = 0;
  if (!take_header(head, '*', count) || !take_header(head, '$', length)) return false;
  if (head.size() < length) return false;
  const CommandSpec* spec = find_command(head.substr(0, static_cast<size_t>(length)));
  return spec != nullptr && arity_fits(*spec, static_cast<size_t>(count));
}

}  // namespace

RecordProbe::Candidate RecordProbe::probe(uint64_t offset) {
  const Window head = source_.window(offset, kHeadBytes);
  if (!begins_command(head.bytes)) return {};
  WalkLimits limits;
  limits.arguments = arguments_left_;
  limits.beginnings = 0;
  const WalkedCommand walked = walk_command(source_, offset, limits);
  spend(walked.passed);
  return {walked.end, walked.outcome == Walked::whole && !walked.why, walked.outcome == Walked::torn};
}

RecordProbe::Candidate RecordProbe::probe_at_hand(Bytes bytes) {
  if (!begins_command(bytes.substr(0, kHeadBytes))) return {};
  ArgumentList args;
  const FramedCommand framed = parse_command(bytes.data(), bytes.data() + bytes.size(), args);
  if (framed.framing != Framing::whole) return {0, false, framed.framing == Framing::more};
  return {static_cast<uint64_t>(framed.end - bytes.data()), true, false};
}

bool RecordProbe::is_plausible(uint64_t offset, bool chained) {
  const auto judge = [&](const Candidate& first, Bytes behind, auto probe_second) {
    if (!first.whole) return false;
    if (behind.empty() || (!chained && behind.front() == '#')) return true;
    const Candidate second = probe_second();
    return second.whole || (second.torn && !chained);
  };
  if (source_.rereadable()) {
    const Candidate first = probe(offset);
    const Window behind = first.whole ? source_.window(first.end, 1) : Window();
    return judge(first, behind.bytes, [&] { return probe(first.end); });
  }
  // By one window: if a pipe were asked for what is behind, it might forget what is in front of that.
  const Window window = source_.window(offset, kAtHandMax);
  const Candidate first = probe_at_hand(window.bytes);
  const Bytes behind = window.bytes.substr(static_cast<size_t>(first.end));
  return judge(first, behind, [&] { return probe_at_hand(behind); });
}

RecordProbe::Place RecordProbe::find(uint64_t from, bool chained) {
  while (true) {
    const Window window = source_.window(from, kSearchBytes);
    if (window.bytes.empty()) return {false, from};
    size_t at = arguments_left_ == 0 ? window.bytes.size() : 0;
    while ((at = window.bytes.find('*', at)) != Bytes::npos) {
      const Bytes head = window.bytes.substr(at, kHeadBytes);
      const bool cut_off = head.size() < kHeadBytes;
      if ((cut_off || begins_command(head)) && is_plausible(from + at, chained)) return {true, from + at};
      ++at;
    }
    from += window.bytes.size();
  }
}

}  // namespace persist
