// The loader reads header lines up to a line feed, takes the number they begin with, and never compares the
// two bytes behind an argument.
#include "aof/command_walk.hpp"

#include <algorithm>

#include "aof/resp.hpp"

namespace persist {

namespace {

// What servers from 7.0 on read of a line at once.
constexpr uint64_t kLineBytesMax = 1023;
constexpr Bytes kLineEnd = "\r\n";

// Beyond these, loaders crash or count wrongly; no server has written them.
constexpr uint64_t kLengthMax = uint64_t{1} << 40;
constexpr uint64_t kCountMax = (uint64_t{1} << 31) - 1;
bool is_count(uint64_t number) { return number > 0 && number <= kCountMax; }

std::string quoted(Bytes bytes) {
  constexpr size_t kShown = 16;
  std::string text = "\"";
  for (const char c : bytes.substr(0, kShown)) {
    constexpr char kDigits[] = "0123456789abcdef";
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\r') {
      text += "\\r";
    } else if (c == '\n') {
      text += "\\n";
    } else if (byte < 0x20 || byte >= 0x7f) {
      text += {'\\', 'x', kDigits[byte >> 4], kDigits[byte & 15]};
    } else {
      text += c;
    }
  }
  return text + (bytes.size() > kShown ? "...\"" : "\"");
}

class CommandWalk {
 public:
  CommandWalk(ByteSource& source, uint64_t offset, const WalkLimits& limits)
      : source_(source), limits_(limits), at_(offset) {}

  WalkedCommand walk() {
    walk_all();
    command_.end = at_;
    return std::move(command_);
  }

 private:
  void walk_all() {
    const std::optional<uint64_t> count = read_header('*', "argument count");
    if (!count) return;
    command_.arguments = *count;
    if (*count > limits_.arguments) {
      fail(Walked::malformed, at_, "argument count", "at most " + std::to_string(limits_.arguments),
           std::to_string(*count));
      return;
    }
    for (uint64_t i = 0; i < *count; ++i) {
      if (!read_argument()) return;
      ++command_.passed;
    }
  }

  bool read_argument() {
    const std::optional<uint64_t> size = read_header('$', "argument length");
    if (!size) return false;
    show(*size);
    const uint64_t begin = command_.argument_offset = at_;
    if (!pass(*size)) {
      fail(Walked::torn, begin, "argument", std::to_string(*size) + " bytes",
           std::to_string(at_ - begin) + " bytes before the end of the file");
      return false;
    }
    return read_line_end();
  }

  bool read_line_end() {
    const Bytes ending = ahead(kLineEnd.size());
    if (ending.size() < kLineEnd.size()) {
      fail(Walked::torn, at_, "end of an argument", quoted(kLineEnd), "the end of the file");
      return false;
    }
    if (ending != kLineEnd) mark_loose(at_, "end of an argument", quoted(kLineEnd), quoted(ending));
    at_ += kLineEnd.size();
    return true;
  }

  // The number of a line such as `*3\r\n`. Nothing if that was the end of it.
  std::optional<uint64_t> read_header(char prefix, const char* subject) {
    const uint64_t begin = at_;
    const std::string copy(read_line());  // what is asked for next may take the place of the bytes
    const Bytes line = copy;
    const std::string wanted = std::string("'") + prefix + "' and a number";
    if (line.empty()) {
      fail(Walked::torn, begin, subject, wanted, "the end of the file");
      return std::nullopt;
    }
    uint64_t number = 0;
    const size_t digits = line.front() == prefix ? parse_digits(line.substr(1), number) : 0;
    const bool ends = line.back() == '\n';
    // What the end of the file left of a line may still be the beginning of a good one.
    const Bytes rest = line.substr(std::min(line.size(), digits + 1));
    const bool torn = !ends && at_end() && line.front() == prefix && (rest.empty() || rest == "\r");
    if (torn) {
      fail(Walked::torn, begin, subject, wanted + " and " + quoted(kLineEnd), quoted(line));
      return std::nullopt;
    }
    const bool counts = digits > 0 && ends && (prefix == '$' ? number <= kLengthMax : is_count(number));
    if (!counts) {
      const uint64_t place = line.front() == prefix ? begin + 1 + digits : begin;
      fail(Walked::malformed, place, subject, wanted, quoted(line));
      return std::nullopt;
    }
    if (rest != kLineEnd) mark_loose(begin + 1 + digits, subject, quoted(kLineEnd), quoted(rest));
    return number;
  }

  // Up to and including the line feed; less at the end of the file, or if the line is too long.
  Bytes read_line() {
    const Bytes some = ahead(kLineBytesMax);
    const size_t feed = some.find('\n');
    const Bytes line = some.substr(0, feed == Bytes::npos ? some.size() : feed + 1);
    at_ += line.size();
    return line;
  }

  void show(uint64_t size) {
    if (command_.beginnings.size() >= limits_.beginnings) {
      command_.shows_all = false;
      return;
    }
    const uint64_t shown = std::min(size, limits_.beginning_bytes);
    if (shown < size) command_.shows_all = false;
    command_.beginnings.emplace_back(ahead(shown));
  }

  // False if the source ends before: then at_ is its end.
  bool pass(uint64_t size) {
    while (size > 0) {
      if (window_end() <= at_) pull(1);
      const uint64_t here = std::min(size, window_end() - std::min(at_, window_end()));
      if (here == 0) return false;
      at_ += here;
      size -= here;
      // A regular file need not be read to be passed.
      if (size > 0 && source_.rereadable() && source_.size()) {
        const uint64_t left = *source_.size() - std::min(*source_.size(), at_);
        const uint64_t skipped = std::min(size, left);
        at_ += skipped;
        size -= skipped;
        if (size > 0) return false;
      }
    }
    return true;
  }

  Bytes ahead(uint64_t size) {
    if (at_ < window_offset_ || at_ + size > window_end()) pull(size);
    if (at_ >= window_end()) return {};
    return window_.bytes.substr(static_cast<size_t>(at_ - window_offset_), static_cast<size_t>(size));
  }
  [[nodiscard]] bool at_end() { return ahead(1).empty(); }
  void pull(uint64_t size) {
    window_ = source_.window(at_, size);
    window_offset_ = at_;
  }
  [[nodiscard]] uint64_t window_end() const { return window_offset_ + window_.bytes.size(); }

  void mark_loose(uint64_t place, const char* subject, std::string expected, std::string found) {
    if (!command_.why) command_.why = {place, subject, std::move(expected), std::move(found)};
  }
  void fail(Walked outcome, uint64_t place, const char* subject, std::string expected, std::string found) {
    command_.outcome = outcome;
    // What was put up with before is the first thing wrong.
    if (outcome == Walked::malformed)
      mark_loose(place, subject, std::move(expected), std::move(found));
    else
      command_.why = {place, subject, std::move(expected), std::move(found)};
  }

  ByteSource& source_;
  const WalkLimits& limits_;
  uint64_t at_;
  Window window_;
  uint64_t window_offset_ = 0;
  WalkedCommand command_;
};

}  // namespace

WalkedCommand walk_command(ByteSource& source, uint64_t offset, const WalkLimits& limits) {
  return CommandWalk(source, offset, limits).walk();
}

}  // namespace persist
