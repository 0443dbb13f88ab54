// persist-aof(5), COMMANDS. The original reads the first line of a record and of an argument into a buffer of
// 127 bytes, annotations into one of 1023, and understands numbers as C's strtol does.
#include "log_scan.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>
#include <limits>

#include "terminal.hpp"

namespace persist::tool {

namespace {

constexpr size_t kHeaderMax = 127;
constexpr size_t kAnnotationMax = 1023;
constexpr int64_t kLongMax = std::numeric_limits<int64_t>::max();
constexpr uint64_t kLineEnd = 2;  // CR LF
constexpr Bytes kTimestamp = "#TS:";

struct Number {
  int64_t value = 0;
  size_t end = 0;  // behind the last digit; the beginning if there are none
  bool overflow = false;
};

// As strtol: leading blanks, a sign, saturation.
Number leading_number(Bytes text, size_t begin) {
  size_t i = begin;
  while (i < text.size() && (text[i] == ' ' || (text[i] >= '\t' && text[i] <= '\r'))) ++i;
  const bool negative = i < text.size() && text[i] == '-';
  if (negative || (i < text.size() && text[i] == '+')) ++i;
  Number number{0, begin, false};
  for (; i < text.size() && text[i] >= '0' && text[i] <= '9'; ++i) {
    const int64_t digit = text[i] - '0';
    number.overflow = number.overflow || number.value > (kLongMax - digit) / 10;
    if (!number.overflow) number.value = number.value * 10 + digit;
    number.end = i + 1;
  }
  if (number.overflow) number.value = kLongMax;
  if (negative) number.value = -number.value - (number.overflow ? 1 : 0);
  return number;
}

// The original prints signed characters: ff becomes ffffffff.
std::string hex(Bytes text, size_t i) {
  const int value = i < text.size() ? static_cast<signed char>(text[i]) : 0;
  return fmt::format("{:02x}", static_cast<unsigned>(value));
}

enum class Word : uint8_t { other, multi, exec };

// As C strings: what stands behind a NUL does not count.
Word word_of(Bytes argument) {
  const auto is = [&](Bytes name) {
    return argument.size() >= name.size() &&
           std::equal(name.begin(), name.end(), argument.begin(),
                      [](char lower, char c) { return lower == (c >= 'A' && c <= 'Z' ? c + 32 : c); }) &&
           (argument.size() == name.size() || argument[name.size()] == '\0');
  };
  return is("multi") ? Word::multi : is("exec") ? Word::exec : Word::other;
}

class Scan {
 public:
  Scan(ByteSource& source, const ScanOptions& options)
      : source_(source), options_(options), size_(source.size()), at_(options.from) {
    result_.line = options.line;
  }

  ScanResult run() {
    do {
      if (!in_multi_) result_.ok_up_to = at_;
    } while (step());
    if (at_end_ && in_multi_ && result_.detail.empty())
      result_.detail = "Reached EOF before reading EXEC for MULTI";
    result_.size = whole_size();
    return std::move(result_);
  }

 private:
  // At least `count` bytes from here on, or all there are.
  Bytes peek(size_t count) {
    if (rest_.size() < count) {
      window_ = source_.window(at_, count);
      rest_ = window_.bytes;
    }
    return rest_;
  }

  void advance(size_t count) {
    rest_.remove_prefix(count);
    at_ += count;
  }

  // Passes over `count` bytes, or all there are; says how many. Does not read them where the size is known.
  uint64_t skip(uint64_t count) {
    const uint64_t begin = at_;
    while (at_ - begin < count) {
      if (rest_.empty() && size_) {
        at_ += std::min(count - (at_ - begin), *size_ - std::min(*size_, at_));
        break;
      }
      if (peek(1).empty()) break;
      advance(static_cast<size_t>(std::min<uint64_t>(rest_.size(), count - (at_ - begin))));
    }
    return at_ - begin;
  }

  uint64_t whole_size() {
    if (size_) return *size_;
    skip(std::numeric_limits<uint64_t>::max());
    return at_;
  }

  bool fail(std::string detail) {
    result_.place = place_;
    result_.detail = std::move(detail);
    return false;
  }

  bool step() {
    const Bytes next = peek(1);
    result_.place = place_;
    if (next.empty()) {
      at_end_ = true;
      return false;
    }
    if (next.front() == '*') return record();
    if (next.front() == '#') return annotation();
    result_.format_error = true;
    return false;
  }

  bool record() {
    const uint64_t begin = at_;
    int64_t count = 0;
    if (!read_number('*', count)) return false;
    if (count <= 0 && !result_.hollow) result_.hollow = begin;
    for (int64_t i = 0; i < count; ++i) {
      if (!argument(i == 0)) return false;
    }
    return true;
  }

  bool read_number(char prefix, int64_t& value) {
    place_ = at_;
    const Bytes near = peek(kHeaderMax);
    // What nearly every line looks like.
    constexpr size_t kDigitsMax = 16;
    size_t i = 1;
    value = 0;
    while (i < near.size() && i <= kDigitsMax && near[i] >= '0' && near[i] <= '9')
      value = value * 10 + (near[i++] - '0');
    if (i > 1 && i + 1 < near.size() && near[i] == '\r' && near[i + 1] == '\n' && near[0] == prefix) {
      advance(i + kLineEnd);
      ++result_.line;
      return true;
    }
    return read_odd_number(prefix, value);
  }

  bool read_odd_number(char prefix, int64_t& value) {
    Bytes line = rest_.substr(0, kHeaderMax);
    if (line.empty()) {
      at_end_ = true;
      result_.place = place_;
      return false;
    }
    line = line.substr(0, std::min(line.find('\n'), line.size() - 1) + 1);
    if (line.front() != prefix) {
      return fail(fmt::format("Expected prefix '{}', got: '{}'", prefix, printable(line.substr(0, 1))));
    }
    const Number number = leading_number(line, 1);
    if (!line.substr(number.end).starts_with("\r\n")) return fail_line_end(line, number.end);
    value = number.value;
    advance(line.size());
    ++result_.line;
    return true;
  }

  bool fail_line_end(Bytes text, size_t i) {
    return fail(fmt::format("Expected \\r\\n, got: {}{}", hex(text, i), hex(text, i + 1)));
  }

  bool argument(bool first) {
    int64_t length = 0;
    if (!read_number('$', length)) return false;
    if (length < 0 || length > kLongMax - static_cast<int64_t>(kLineEnd)) {
      return fail(
          fmt::format("Expected to read string of {} bytes, which is not in the suitable range", length));
    }
    place_ = at_;
    const auto size = static_cast<uint64_t>(length);
    const Word word = first ? peek_word(size) : Word::other;
    uint64_t got = size;
    if (size <= rest_.size())
      advance(static_cast<size_t>(size));
    else
      got = skip(size);
    const Bytes end = peek(kLineEnd).substr(0, kLineEnd);
    if (got + end.size() < size + kLineEnd) {
      return fail(fmt::format("Expected to read {} bytes, got {} bytes", size + kLineEnd, got + end.size()));
    }
    if (end != "\r\n") return fail_line_end(end, 0);
    advance(kLineEnd);
    ++result_.line;
    return first ? note(word) : true;
  }

  Word peek_word(uint64_t size) {
    constexpr uint64_t kWordMin = 4;
    constexpr uint64_t kWordMax = 6;  // with a NUL behind it
    if (size < kWordMin) return Word::other;
    const auto shown = static_cast<size_t>(std::min(size, kWordMax));
    return word_of(peek(shown).substr(0, shown));
  }

  bool note(Word word) {
    if (word == Word::other) return true;
    const bool begins = word == Word::multi;
    if (in_multi_ == begins) {
      return fail(
          fmt::format("Unexpected {} in AOF {}", begins ? "MULTI" : "EXEC", printable(options_.path)));
    }
    in_multi_ = begins;
    return true;
  }

  bool annotation() {
    place_ = at_;
    const Bytes text = peek(kAnnotationMax).substr(0, kAnnotationMax);
    const size_t end = text.find('\n');
    const Bytes line = text.substr(0, end == Bytes::npos ? end : end + 1);
    if (options_.up_to_s && line.starts_with(kTimestamp) && !is_early_enough(line)) return false;
    if (end == Bytes::npos && text.size() < kAnnotationMax) result_.torn_annotation = at_;
    advance(line.size());
    return true;
  }

  bool is_early_enough(Bytes line) {
    const Number number = leading_number(line, kTimestamp.size());
    const bool good = !number.overflow && number.end < line.size() && line[number.end] == '\r';
    if (good && number.value <= *options_.up_to_s) return true;
    result_.stop = good ? ScanResult::Stop::timestamp : ScanResult::Stop::bad_timestamp;
    result_.place = place_;
    return false;
  }

  ByteSource& source_;
  const ScanOptions& options_;
  const std::optional<uint64_t> size_;
  uint64_t at_;
  Window window_;
  Bytes rest_;          // of the window, from `at_` on
  uint64_t place_ = 0;  // of the line or argument read last
  bool in_multi_ = false;
  bool at_end_ = false;
  ScanResult result_;
};

}  // namespace

ScanResult scan_log(ByteSource& source, const ScanOptions& options) { return Scan(source, options).run(); }

}  // namespace persist::tool
