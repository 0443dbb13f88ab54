// Splitting and quoting of words. What splits is what redis-server's sdssplitargs splits.
#include "aof/words.hpp"

#include <algorithm>
#include <array>

#include "base/letters.hpp"

namespace persist {

namespace {

struct Escape {
  char letter;
  char byte;
};
constexpr Escape kEscapes[] = {{'n', '\n'}, {'r', '\r'}, {'t', '\t'}, {'b', '\b'}, {'a', '\a'}};

constexpr bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
// Narrower than what may stand between words: \v and \f do not end one.
constexpr bool ends_word(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == '\0'; }
constexpr bool is_printable(char c) { return c >= ' ' && c <= '~'; }

constexpr int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char letter = lower(c);
  return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

class Splitter {
 public:
  explicit Splitter(Bytes line) : rest_(line) {}

  std::optional<std::vector<std::string>> split() {
    std::vector<std::string> words;
    while (skip_space()) {
      words.emplace_back();
      if (!take_word(words.back())) return std::nullopt;
    }
    return words;
  }

 private:
  // False at the end, which a NUL byte is, too.
  bool skip_space() {
    while (!rest_.empty() && is_space(rest_.front())) rest_.remove_prefix(1);
    return !rest_.empty() && rest_.front() != '\0';
  }

  bool take_word(std::string& word) {
    while (!rest_.empty() && !ends_word(rest_.front())) {
      const char c = take();
      if (c == '"') return take_double_quoted(word);
      if (c == '\'') return take_single_quoted(word);
      word.push_back(c);
    }
    return true;
  }

  bool take_double_quoted(std::string& word) {
    while (!rest_.empty() && rest_.front() != '\0') {
      const char c = take();
      if (c == '"') return stands_alone();
      word.push_back(c == '\\' && !rest_.empty() ? take_escaped() : c);
    }
    return false;
  }

  bool take_single_quoted(std::string& word) {
    while (!rest_.empty() && rest_.front() != '\0') {
      char c = take();
      if (c == '\'') return stands_alone();
      if (c == '\\' && rest_.starts_with('\'')) c = take();
      word.push_back(c);
    }
    return false;
  }

  char take_escaped() {
    if (rest_.size() >= 3 && rest_[0] == 'x' && hex_digit(rest_[1]) >= 0 && hex_digit(rest_[2]) >= 0) {
      const int byte = hex_digit(rest_[1]) * 16 + hex_digit(rest_[2]);
      rest_.remove_prefix(3);
      return static_cast<char>(byte);
    }
    const char c = take();
    const auto* escape = std::ranges::find(kEscapes, c, &Escape::letter);
    return escape == std::end(kEscapes) ? c : escape->byte;
  }

  [[nodiscard]] bool stands_alone() const {
    return rest_.empty() || is_space(rest_.front()) || rest_.front() == '\0';
  }

  char take() {
    const char c = rest_.front();
    rest_.remove_prefix(1);
    return c;
  }

  Bytes rest_;
};

// Servers write a word with ' as it is and then cannot read it back; here it counts as one to be quoted.
bool needs_quotes(Bytes word) {
  return word.empty() || !std::ranges::all_of(word, [](char c) {
           return is_printable(c) && c != ' ' && c != '"' && c != '\\' && c != '\'';
         });
}

bool must_escape(char c, Quoting quoting) {
  if (c == '\\' || c == '"' || c == '\n' || c == '\0') return true;
  return quoting == Quoting::as_server && !is_printable(c);
}

void append_escaped(std::string& out, char c) {
  constexpr Bytes kDigits = "0123456789abcdef";
  out.push_back('\\');
  const auto* escape = std::ranges::find(kEscapes, c, &Escape::byte);
  if (escape != std::end(kEscapes)) {
    out.push_back(escape->letter);
  } else if (is_printable(c)) {
    out.push_back(c);
  } else {
    const auto byte = static_cast<uint8_t>(c);
    out.push_back('x');
    out.push_back(kDigits[byte >> 4]);
    out.push_back(kDigits[byte & 0xf]);
  }
}

}  // namespace

Bytes trimmed(Bytes line) {
  constexpr Bytes kBlanks = " \t\r\n";
  const size_t first = line.find_first_not_of(kBlanks);
  if (first == Bytes::npos) return {};
  return line.substr(first, line.find_last_not_of(kBlanks) - first + 1);
}

std::optional<std::vector<std::string>> split_words(Bytes line) { return Splitter(line).split(); }

std::string quoted_word(Bytes word, Quoting quoting) {
  if (!needs_quotes(word)) return std::string(word);
  std::string out = "\"";
  for (const char c : word) {
    if (must_escape(c, quoting)) {
      append_escaped(out, c);
    } else {
      out.push_back(c);
    }
  }
  return out + '"';
}

std::string shown_word(Bytes word) {
  constexpr size_t kShownMax = 64;
  if (word.size() <= kShownMax) return quoted_word(word);
  return quoted_word(word.substr(0, kShownMax)) + "...";
}

}  // namespace persist
