// The predicate over entries, and what it is made of.
#include "persist/filter.hpp"

#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <stdexcept>

namespace persist {

namespace {

constexpr unsigned kSlots = 16384;

// CRC-16/XMODEM, which cluster mode hashes keys with.
constexpr std::array<uint16_t, 256> make_crc16() {
  constexpr unsigned kPolynomial = 0x1021;
  std::array<uint16_t, 256> table{};
  for (unsigned i = 0; i < table.size(); ++i) {
    unsigned crc = i << 8;
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 0x8000) != 0 ? (crc << 1) ^ kPolynomial : crc << 1;
    table[i] = static_cast<uint16_t>(crc);
  }
  return table;
}
constexpr std::array<uint16_t, 256> kCrc16 = make_crc16();

// A set of bytes in a pattern, which stands behind its opening bracket; left behind the closing one.
bool set_matches(Bytes& pattern, uint8_t c) {
  const bool negated = pattern.starts_with('^');
  if (negated) pattern.remove_prefix(1);
  bool matches = false;
  while (!pattern.empty() && pattern.front() != ']') {
    // What is escaped stands for itself and begins no range.
    const bool escaped = pattern.front() == '\\' && pattern.size() > 1;
    if (escaped) pattern.remove_prefix(1);
    auto first = static_cast<uint8_t>(pattern.front());
    auto last = first;
    if (!escaped && pattern.size() > 2 && pattern[1] == '-') {
      last = static_cast<uint8_t>(pattern[2]);
      pattern.remove_prefix(2);
    }
    if (first > last) std::swap(first, last);
    matches = matches || (c >= first && c <= last);
    pattern.remove_prefix(1);
  }
  if (!pattern.empty()) pattern.remove_prefix(1);
  return matches != negated;
}

// Whether the pattern's first item, which is no star, takes `c`; the pattern is left behind it.
bool item_matches(Bytes& pattern, char c) {
  const char item = pattern.front();
  pattern.remove_prefix(1);
  if (item == '?') return true;
  if (item == '[') return set_matches(pattern, static_cast<uint8_t>(c));
  if (item == '\\' && !pattern.empty()) {
    const char escaped = pattern.front();
    pattern.remove_prefix(1);
    return escaped == c;
  }
  return item == c;
}

template <typename T>
bool is_any(const std::vector<T>& wanted, const T& value) {
  return wanted.empty() || std::ranges::find(wanted, value) != wanted.end();
}

}  // namespace

unsigned key_slot(Bytes key) {
  const size_t open = key.find('{');
  if (open != Bytes::npos) {
    const size_t close = key.find('}', open + 1);
    if (close != Bytes::npos && close > open + 1) key = key.substr(open + 1, close - open - 1);
  }
  unsigned crc = 0;
  for (const char c : key)
    crc = ((crc << 8) ^ kCrc16[((crc >> 8) ^ static_cast<uint8_t>(c)) & 0xff]) & 0xffff;
  return crc % kSlots;
}

bool glob_matches(Bytes pattern, Bytes text) {
  // Where to take up again when what follows the last star does not match: one byte of text further on.
  Bytes star_pattern;
  Bytes star_text;
  bool starred = false;
  while (!text.empty() || !pattern.empty()) {
    if (!pattern.empty() && pattern.front() == '*') {
      pattern.remove_prefix(1);
      starred = true;
      star_pattern = pattern;
      star_text = text;
      continue;
    }
    if (!pattern.empty() && !text.empty() && item_matches(pattern, text.front())) {
      text.remove_prefix(1);
      continue;
    }
    if (!starred || star_text.empty()) return false;
    star_text.remove_prefix(1);
    pattern = star_pattern;
    text = star_text;
  }
  return true;
}

struct Filter::Compiled {
  FilterOptions options;
  std::vector<std::unique_ptr<re2::RE2>> regexes;

  [[nodiscard]] bool matches_key(Bytes key) const {
    if (options.key_globs.empty() && regexes.empty()) return true;
    return std::ranges::any_of(options.key_globs,
                               [&](const std::string& glob) { return glob_matches(glob, key); }) ||
           std::ranges::any_of(regexes, [&](const auto& regex) {
             return re2::RE2::PartialMatch(re2::StringPiece(key.data(), key.size()), *regex);
           });
  }

  [[nodiscard]] bool matches_slot(Bytes key) const {
    if (options.slots.empty()) return true;
    const unsigned slot = key_slot(key);
    return std::ranges::any_of(
        options.slots, [&](const auto& range) { return slot >= range.first && slot <= range.second; });
  }

  [[nodiscard]] bool selects(const RdbEntry& entry) const {
    return is_any(options.dbs, entry.db) && is_any(options.types, entry.encoding->type) &&
           matches_slot(entry.key) && matches_key(entry.key);
  }

  [[nodiscard]] bool matches_expiry(const RdbEntry& entry) const {
    if (options.expired == Expired::keep) return true;
    const bool expired = entry.expire_at_ms != kNoExpiry && entry.expire_at_ms <= options.now_ms;
    return expired == (options.expired == Expired::only);
  }

  [[nodiscard]] bool has_selection() const {
    return !options.key_globs.empty() || !regexes.empty() || !options.dbs.empty() || !options.types.empty() ||
           !options.slots.empty();
  }
};

Filter::Filter(FilterOptions options) : compiled_(std::make_unique<Compiled>()) {
  compiled_->options = std::move(options);
  for (const std::string& text : compiled_->options.key_regexes) {
    auto regex = std::make_unique<re2::RE2>(text, re2::RE2::Quiet);
    if (!regex->ok()) throw std::invalid_argument("regular expression \"" + text + "\": " + regex->error());
    compiled_->regexes.push_back(std::move(regex));
  }
}

Filter::~Filter() = default;

bool Filter::accepts_all() const {
  return !compiled_->has_selection() && compiled_->options.expired == Expired::keep;
}

bool Filter::selects() const { return compiled_->has_selection(); }

bool Filter::accepts(const RdbEntry& entry) const {
  if (!compiled_->matches_expiry(entry)) return false;
  if (!compiled_->has_selection()) return true;
  return compiled_->selects(entry) != compiled_->options.invert;
}

bool Filter::accepts_key(Bytes key) const {
  if (!compiled_->has_selection()) return true;
  return (compiled_->matches_slot(key) && compiled_->matches_key(key)) != compiled_->options.invert;
}

}  // namespace persist
