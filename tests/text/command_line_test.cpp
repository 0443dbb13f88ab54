// Arguments as redis-cli takes them: plain words as they are, all else between quotes.
#include "text/command_line.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace persist;

namespace {

// In a buffer of its own, so that a sanitizer sees the first byte written beyond it.
std::string argument_of(Bytes bytes) {
  const std::string copy(bytes);
  ByteBuffer out;
  append_argument(out, copy);
  return std::string(out.bytes());
}

bool is_quoted(const std::string& text) { return text.starts_with('"'); }

// The rule, byte by byte.
bool needs_quotes(Bytes bytes) {
  for (const char c : bytes) {
    if (c <= ' ' || c > '~' || c == '"' || c == '\'' || c == '\\') return true;
  }
  return bytes.empty();
}

}  // namespace

TEST_CASE("arguments are quoted as redis-cli prints them") {
  struct Example {
    Bytes bytes;
    Bytes text;
  };
  const Example examples[] = {
      {"", R"("")"},
      {"a", "a"},
      {"SET", "SET"},
      {"user:1000", "user:1000"},
      {"{a}*?[~]!#$%&()+,-./;<=>@^_`|", "{a}*?[~]!#$%&()+,-./;<=>@^_`|"},
      {" ", R"(" ")"},
      {"two words", R"("two words")"},
      {"a\"b", R"("a\"b")"},
      {"it's", R"("it's")"},
      {"a\\b", R"("a\\b")"},
      {"\n\r\t\a\b", R"("\n\r\t\a\b")"},
      {Bytes("\0\x01\x1f\x7f\x80\xff", 6), R"("\x00\x01\x1f\x7f\x80\xff")"},
      {"caf\xc3\xa9", R"("caf\xc3\xa9")"},
  };
  for (const Example& example : examples) CHECK(argument_of(example.bytes) == example.text);
}

TEST_CASE("every byte at every place of words of every small size") {
  for (size_t size = 1; size <= 20; ++size) {
    for (size_t place = 0; place < size; ++place) {
      for (int c = 0; c < 256; ++c) {
        std::string word(size, 'x');
        word[place] = static_cast<char>(c);
        if (is_quoted(argument_of(word)) != needs_quotes(word)) FAIL(size << " " << place << " " << c);
      }
    }
  }
}

TEST_CASE("an argument longer than what is put at once") {
  const std::string text = argument_of(std::string(100'000, '\n'));
  CHECK(text.size() == 200'002);
  CHECK(text.substr(0, 5) == R"("\n\n)");
  CHECK(text.ends_with(R"(\n")"));
}
