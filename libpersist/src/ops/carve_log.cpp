// Logs and manifests in any bytes. Commands must be framed to the byte as servers write them: that, some
// names and their numbers of arguments leave nothing to chance.
#include <algorithm>

#include "aof/command_walk.hpp"
#include "aof/commands.hpp"
#include "aof/log_reader.hpp"
#include "aof/resp.hpp"
#include "ops/carve_find.hpp"
#include "ops/no_findings.hpp"
#include "persist/manifest.hpp"

namespace persist {

namespace {

constexpr uint64_t kLineBytesMax = 1024;
constexpr size_t kCommandNameMax = 128;
constexpr Bytes kTimeMark = "#TS:";

bool is_word_byte(char c) { return c > ' ' && c < 0x7f; }

// A timestamp annotation with its line end at the beginning of `bytes`: its size. 0 if there is none.
size_t annotation_size(Bytes bytes) {
  uint64_t seconds = 0;
  if (!bytes.starts_with(kTimeMark)) return 0;
  const size_t digits = parse_digits(bytes.substr(kTimeMark.size()), seconds);
  const size_t size = kTimeMark.size() + digits;
  return digits > 0 && bytes.substr(size).starts_with("\r\n") ? size + 2 : 0;
}

// Whether servers put such commands into logs; others appear there, but say little.
bool is_logged(const CommandSpec& spec) {
  return spec.has(kCommandWrites) || spec.kind != CommandKind::other;
}

class ChainWalk {
 public:
  ChainWalk(const CarveSite& site, uint64_t from, uint64_t telling_min)
      : site_(site), from_(from), telling_min_(telling_min), at_(from), told_(from) {
    chain_.end = chain_.read = from;
  }

  CommandChain walk() {
    while (may_go_on() && step()) {
      chain_.end = at_;
      if (site_.progress && at_ - told_ >= kCarveTellBytes) site_.progress(told_ = at_);
    }
    if (!chain_.why && in_multi_) chain_.why = FindingCode::aof_open_multi;
    chain_.read = std::max(chain_.read, chain_.end);
    return chain_;
  }

  // The end of one step, inside of a chain, where commands need not be known.
  uint64_t pass() {
    chain_.commands = 1;
    return step() ? at_ : from_;
  }

 private:
  [[nodiscard]] bool may_go_on() const {
    return chain_.telling >= telling_min_ || at_ - from_ <= site_.budget.left(from_);
  }

  // The bytes from at_ on: `size` of them, if there are so many.
  Bytes ahead(uint64_t size) {
    if (at_ < begin_ || at_ + size > begin_ + window_.bytes.size()) {
      window_ = site_.image.window(at_, size);
      begin_ = at_;
      chain_.read = std::max(chain_.read, std::min(at_ + size, site_.end));
    }
    return window_.bytes.substr(static_cast<size_t>(at_ - begin_));
  }

  bool step() {
    const Bytes bytes = ahead(1);
    if (bytes.empty()) return false;
    if (bytes.front() == '*') return take_command(bytes);
    return bytes.front() == '#' && take_annotation();
  }

  bool take_annotation() {
    const Bytes bytes = ahead(kLineBytesMax).substr(0, kLineBytesMax);
    const size_t size = annotation_size(bytes);
    at_ += size;
    if (size == 0 && at_ + bytes.size() == site_.end && bytes.starts_with(kTimeMark) &&
        bytes.find('\n') == Bytes::npos)
      tear(FindingCode::aof_torn_annotation);
    return size > 0;
  }

  bool take_command(Bytes bytes) {
    FramedCommand framed = parse_command(bytes.data(), bytes.data() + bytes.size(), args_);
    while (framed.framing == Framing::more) {
      const bool there = framed.needed <= site_.end - std::min(site_.end, at_);
      if (there && framed.needed > kHeldBytesMax) return take_large();
      if (!there || framed.needed > site_.budget.left(at_)) return give_up();
      bytes = ahead(framed.needed);
      if (bytes.size() < framed.needed) return give_up();
      framed = parse_command(bytes.data(), bytes.data() + bytes.size(), args_);
    }
    if (framed.framing != Framing::whole) return give_up();
    if (!take(args_.all().front(), args_.size())) return false;
    at_ += static_cast<uint64_t>(framed.end - bytes.data());
    return true;
  }

  // Passes large arguments without reading them.
  bool take_large() {
    if (site_.budget.left(at_) == 0) return give_up();
    WalkLimits limits;
    limits.beginnings = 1;
    limits.beginning_bytes = kCommandNameMax;
    const WalkedCommand walked = walk_command(site_.image, at_, limits);
    chain_.read = std::max(chain_.read, std::min(walked.end, site_.end));
    if (walked.outcome != Walked::whole || walked.why || walked.end > site_.end) return give_up();
    if (!take(walked.beginnings.front(), walked.arguments)) return false;
    at_ = walked.end;
    return true;
  }

  // A name that nobody knows may be a module's, or that of a renamed command; but something must be known at
  // the beginning.
  bool take(Bytes name, uint64_t arguments) {
    const CommandSpec* spec = find_command(name);
    const bool known = spec != nullptr && arity_fits(*spec, static_cast<size_t>(arguments));
    if (!known && chain_.commands == 0) return false;
    if (name.empty() || name.size() > kCommandNameMax || !std::ranges::all_of(name, is_word_byte))
      return false;
    ++chain_.commands;
    if (!known) return true;
    if (is_logged(*spec)) ++chain_.telling;
    if (spec->kind == CommandKind::multi) in_multi_ = true;
    if (spec->kind == CommandKind::exec) in_multi_ = false;
    return true;
  }

  // What stands here is no whole command. If it begins like one, one was torn.
  bool give_up() {
    Bytes head = ahead(kLineBytesMax).substr(0, kLineBytesMax);
    uint64_t count = 0;
    const size_t digits = parse_digits(head.substr(std::min<size_t>(1, head.size())), count);
    head.remove_prefix(std::min(head.size(), 1 + digits));
    constexpr Bytes kGoesOn = "\r\n$";
    const bool cut_off = head.size() < kGoesOn.size() && kGoesOn.starts_with(head);
    if (cut_off || (digits > 0 && head.starts_with(kGoesOn))) tear(FindingCode::aof_truncated);
    return false;
  }

  void tear(FindingCode why) {
    chain_.torn = true;
    chain_.why = in_multi_ ? FindingCode::aof_torn_multi : why;
  }

  const CarveSite& site_;
  uint64_t from_;
  uint64_t telling_min_;
  uint64_t at_;
  uint64_t told_;
  Window window_;
  uint64_t begin_ = 0;
  ArgumentList args_;
  bool in_multi_ = false;
  CommandChain chain_;
};

// Where annotations begin that end at `offset`.
uint64_t annotations_in_front(const CarveSite& site, uint64_t offset) {
  constexpr uint64_t kAnnotationMax = 4 + 20 + 2;
  while (true) {
    const uint64_t from = std::max(site.floor, offset - std::min(offset, kAnnotationMax));
    const uint64_t size = offset - from;
    const Window window = site.image.window(from, size);
    const Bytes bytes = window.bytes.substr(0, static_cast<size_t>(size));
    const size_t mark = bytes.rfind(kTimeMark);
    if (mark == Bytes::npos || annotation_size(bytes.substr(mark)) != bytes.size() - mark) return offset;
    offset = from + mark;
  }
}

}  // namespace

CommandChain walk_chain(const CarveSite& site, uint64_t from, uint64_t telling_min) {
  return ChainWalk(site, from, telling_min).walk();
}

uint64_t pass_in_chain(const CarveSite& site, uint64_t from) { return ChainWalk(site, from, 0).pass(); }

std::optional<CarveFind> carve_log(const CarveSite& site, uint64_t offset, uint64_t commands_min,
                                   uint64_t& walked_to) {
  const CommandChain chain = walk_chain(site, offset, std::max<uint64_t>(commands_min, 1));
  walked_to = chain.end;
  const bool believed = chain.telling > 0 && chain.telling >= commands_min;
  site.budget.spend(chain.read - (believed ? chain.end : offset));
  if (!believed) return std::nullopt;
  CarveFind find;
  find.torn = chain.torn;
  Carved& carved = find.carved;
  carved.kind = CarvedKind::log;
  carved.extent.offset = annotations_in_front(site, offset);
  carved.extent.size = carved.whole_bytes = chain.end - carved.extent.offset;
  carved.commands = chain.commands;
  carved.why = chain.why;
  carved.whole = !chain.why;
  return find;
}

// ------------------------------------------------------------------------------------------------ manifests

namespace {

// A line with its line feed; empty if it does not end.
Bytes line_at(Bytes bytes) {
  const size_t feed = bytes.substr(0, kLineBytesMax).find('\n');
  return feed == Bytes::npos ? Bytes() : bytes.substr(0, feed + 1);
}

bool is_manifest_line(Bytes line) {
  const bool may_be = line.starts_with("file ") && line.find(" seq ") != Bytes::npos;
  NoFindings nobody;
  Manifest manifest;
  return may_be && parse_manifest(line, "", nobody, manifest) && manifest.lines.size() == 1;
}

class ManifestError : public FindingSink {
 public:
  void report(const Finding& finding) override {
    if (!code && finding.kind().severity == Severity::error) code = finding.code;
  }
  std::optional<FindingCode> code;
};

// A word of other text may end in "file".
bool begins_line(const CarveSite& site, uint64_t offset) {
  if (offset == site.floor || offset % kSectorBytes == 0) return true;
  const Window before = site.image.window(offset - 1, 1);
  if (before.bytes.empty()) return false;
  const auto byte = static_cast<unsigned char>(before.bytes.front());
  return byte == '\n' || byte < '\t' || byte >= 0x7f;
}

}  // namespace

std::optional<CarveFind> carve_manifest(const CarveSite& site, uint64_t offset) {
  constexpr uint64_t kManifestBytesMax = uint64_t{256} << 10;
  if (!begins_line(site, offset)) return std::nullopt;
  const Window first = site.image.window(offset, kLineBytesMax);
  if (!is_manifest_line(line_at(first.bytes))) return std::nullopt;
  const Window window = site.image.window(offset, kManifestBytesMax);
  const Bytes text =
      window.bytes.substr(0, static_cast<size_t>(std::min(kManifestBytesMax, site.end - offset)));
  size_t size = 0;
  for (Bytes line; is_manifest_line(line = line_at(text.substr(size)));) size += line.size();
  ManifestError error;
  Manifest manifest;
  parse_manifest(text.substr(0, size), "", error, manifest);
  // A line that begins well and does not end.
  if (!error.code && text.substr(size).starts_with("file ")) error.code = FindingCode::manifest_long_line;
  CarveFind find;
  find.carved.kind = CarvedKind::manifest;
  find.carved.extent = {offset, size};
  find.carved.whole_bytes = size;
  find.carved.why = error.code;
  find.carved.whole = !error.code;
  return find;
}

}  // namespace persist
