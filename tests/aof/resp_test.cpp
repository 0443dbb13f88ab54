// How commands are framed: the strict way, which takes what servers write, and the lenient one, which takes
// what their loaders take.
#include "aof/resp.hpp"

#include <doctest/doctest.h>

#include "aof/command_walk.hpp"
#include "support/aof_builder.hpp"
#include "support/drip_source.hpp"
#include "support/notation.hpp"

using namespace persist;
using namespace persist::test;

namespace {

std::string joined_args(std::span<const Bytes> args) {
  std::string text;
  for (const Bytes arg : args) text += (text.empty() ? "" : " ") + shown(arg);
  return text;
}

// "whole 27 SET a 1", "more", "malformed".
std::string tell_strict(Bytes bytes) {
  ArgumentList args;
  const FramedCommand framed = parse_command(bytes.data(), bytes.data() + bytes.size(), args);
  if (framed.framing == Framing::malformed) return "malformed";
  if (framed.framing == Framing::more) return "more";
  return "whole " + std::to_string(framed.end - bytes.data()) + " " + joined_args(args.all());
}

// "whole 27 SET a 1", with "loose 8 argument length" behind it; "torn 20 argument", "malformed 1 argument
// count".
std::string tell_lenient(ByteSource& source, const WalkLimits& limits) {
  const WalkedCommand walked = walk_command(source, 0, limits);
  const std::string why =
      walked.why ? std::to_string(walked.why->place) + " " + walked.why->subject : std::string("nowhere");
  if (walked.outcome == Walked::torn) return "torn " + why;
  if (walked.outcome == Walked::malformed) return "malformed " + why;
  std::string text = "whole " + std::to_string(walked.end);
  for (const std::string& arg : walked.beginnings) text += " " + shown(arg);
  if (!walked.shows_all) text += " ...";
  return text + (walked.why ? "; loose " + why : "");
}

std::string tell_lenient(Bytes bytes) { return tell_lenient(*memory_source(bytes), {}); }

struct Row {
  std::string bytes;
  std::string strict;
  std::string lenient;
};

// What a loader takes, and what not. persist-aof(5), COMMANDS
std::vector<Row> framing_rows() {
  const std::string huge = std::to_string(uint64_t{1} << 63);
  return {
      {"*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n", "whole 27 SET a 1", "whole 27 SET a 1"},
      {"*2\r\n$0\r\n\r\n$2\r\n\r\n\r\n", "whole 18 \"\" \\x0d\\x0a", "whole 18 \"\" \\x0d\\x0a"},
      {"*1\r\n$04\r\nPING\r\n", "whole 15 PING", "whole 15 PING"},
      {"SET a 1\r\n", "malformed", "malformed 0 argument count"},
      {"#TS:1\r\n", "malformed", "malformed 0 argument count"},
      {"*0\r\n", "malformed", "malformed 2 argument count"},
      {"*-1\r\n", "malformed", "malformed 1 argument count"},
      {"*+1\r\n$4\r\nPING\r\n", "malformed", "malformed 1 argument count"},
      {"* 1\r\n$4\r\nPING\r\n", "malformed", "malformed 1 argument count"},
      {"*abc\r\n", "malformed", "malformed 1 argument count"},
      {"*\r\n$4\r\n", "malformed", "malformed 1 argument count"},
      {"*1\r\n:4\r\nPING\r\n", "malformed", "malformed 4 argument length"},
      {"*1\r\n$-1\r\n", "malformed", "malformed 5 argument length"},
      {"*2\r\n$4\r\nPING\r\n*1\r\n", "malformed", "malformed 14 argument length"},
      // Line feeds alone, and what is left of a line behind its number.
      {"*1\n$4\r\nPING\r\n", "malformed", "whole 13 PING; loose 2 argument count"},
      {"*3\n$3\nSET\r\n$1\na\r\n$1\n1\r\n", "malformed", "whole 23 SET a 1; loose 2 argument count"},
      {"*1\r\n$4\nPING\r\n", "malformed", "whole 13 PING; loose 6 argument length"},
      {"*1xyz\r\n$4\r\nPING\r\n", "malformed", "whole 17 PING; loose 2 argument count"},
      {"*1\r\n$4 xyz\r\nPING\r\n", "malformed", "whole 18 PING; loose 6 argument length"},
      // Two bytes behind an argument, whatever they are.
      {"*1\r\n$4\r\nPINGxx", "malformed", "whole 14 PING; loose 12 end of an argument"},
      {std::string("*1\r\n$4\r\nPING\0\0", 14), "malformed", "whole 14 PING; loose 12 end of an argument"},
      {"*3\r\n$3\r\nSETXX$1\r\naYY$1\r\n1ZZ", "malformed", "whole 27 SET a 1; loose 11 end of an argument"},
      // An argument longer, or shorter, than its length says.
      {"*2\r\n$3\r\nGET\r\n$1\r\nabc\r\n", "malformed", "whole 20 GET a; loose 18 end of an argument"},
      {"*2\r\n$3\r\nGET\r\n$5\r\nabc\r\n*1\r\n", "malformed",
       "whole 24 GET abc\\x0d\\x0a; loose 22 end of an argument"},
      // Numbers without measure.
      {"*" + huge + "\r\n", "malformed", "malformed 20 argument count"},
      {"*1\r\n$" + huge + "\r\n0123456789", "malformed", "malformed 24 argument length"},
      {"*1\r\n$99999999999999999999999999\r\nabc", "malformed", "malformed 31 argument length"},
      {"*1\r\n$1099511627777\r\n0123456789", "malformed", "malformed 18 argument length"},
      {"*1\r\n$1099511627776\r\n0123456789", "malformed", "torn 20 argument"},
      {"*2147483648\r\n$1\r\na\r\n", "more", "malformed 11 argument count"},
      {"*2147483647\r\n$1\r\na\r\n", "more", "torn 20 argument length"},
      {"*1\r\n$18446744073709551616\r\n\r\n", "malformed", "malformed 25 argument length"},
      {"*18446744073709551617\r\n$4\r\nPING\r\n", "malformed", "malformed 21 argument count"},
      {"*1\r\n$10000000000\r\n0123456789", "more", "torn 18 argument"},
      {"*1000000000\r\n$3\r\nDEL\r\n", "more", "torn 22 argument length"},
  };
}

}  // namespace

TEST_CASE("framing: strict and lenient") {
  for (const Row& row : framing_rows()) {
    CAPTURE(shown(row.bytes));
    CHECK(tell_strict(row.bytes) == row.strict);
    CHECK(tell_lenient(row.bytes) == row.lenient);
    // By the smallest windows there are; a pipe also has to be read through.
    for (const bool is_file : {true, false}) {
      DripSource source(row.bytes, is_file);
      CHECK(tell_lenient(source, {}) == row.lenient);
    }
  }
}

TEST_CASE("framing: every beginning of a command asks for more, and never for more than it takes") {
  const std::string whole = resp({"SET", "a", "", std::string(200, 'x'), std::string(1'000, '\r'), "*1\r\n"});
  REQUIRE(tell_strict(whole).starts_with("whole " + std::to_string(whole.size())));
  for (size_t size = 0; size < whole.size(); ++size) {
    CAPTURE(size);
    ArgumentList args;
    const std::string beginning = whole.substr(0, size);  // so that a sanitizer sees where it ends
    const FramedCommand framed = parse_command(beginning.data(), beginning.data() + size, args);
    REQUIRE(framed.framing == Framing::more);
    CHECK(framed.needed > size);
    CHECK(framed.needed <= whole.size());
    CHECK(tell_lenient(beginning).starts_with("torn "));
  }
}

TEST_CASE("framing: bytes behind a command are nobody's business") {
  const std::string two = resp("SET a 1") + "garbage";
  CHECK(tell_strict(two) == "whole 27 SET a 1");
  CHECK(tell_lenient(two) == "whole 27 SET a 1");
}

TEST_CASE("framing: many arguments") {
  std::vector<std::string> words = {"DEL"};
  for (int i = 0; i < 10'000; ++i) words.push_back(std::to_string(i));
  const std::string command = resp(words);
  ArgumentList args;
  for (int round = 0; round < 2; ++round) {  // the room is used again
    const FramedCommand framed = parse_command(command.data(), command.data() + command.size(), args);
    REQUIRE(framed.framing == Framing::whole);
    REQUIRE(args.size() == words.size());
    CHECK(args.all().back() == "9999");
  }
}

TEST_CASE("framing: only so much is shown, and only so many arguments are walked over") {
  const std::string command = resp({"SADD", "key", "abcdef", "ghi"});
  WalkLimits limits;
  limits.beginnings = 3;
  limits.beginning_bytes = 4;
  CHECK(tell_lenient(*memory_source(command), limits) == "whole 44 SADD key abcd ...");
  limits = {};
  limits.arguments = 3;
  CHECK(tell_lenient(*memory_source(command), limits) == "malformed 4 argument count");
  limits.arguments = 4;
  CHECK(tell_lenient(*memory_source(command), limits) == "whole 44 SADD key abcdef ghi");
}

TEST_CASE("framing: what a misframing says") {
  const WalkedCommand walked = walk_command(*memory_source("*2\r\n$3\r\nGET\r\n%5\r\n\x01"), 0, {});
  REQUIRE(walked.why);
  CHECK(walked.why->expected == "'$' and a number");
  CHECK(walked.why->found == "\"%5\\r\\n\"");
  const WalkedCommand torn = walk_command(*memory_source("*1\r\n$9\r\nabc"), 0, {});
  REQUIRE(torn.why);
  CHECK(torn.why->expected == "9 bytes");
  CHECK(torn.why->found == "3 bytes before the end of the file");
}

TEST_CASE("digits: numbers that stop growing") {
  struct DigitRow {
    Bytes text;
    size_t digits;
    uint64_t number;
  };
  constexpr uint64_t kMost = uint64_t{1} << 63;
  for (const DigitRow& row :
       {DigitRow{"", 0, 0}, DigitRow{"x1", 0, 0}, DigitRow{"-1", 0, 0}, DigitRow{"0", 1, 0},
        DigitRow{"007x", 3, 7}, DigitRow{"9223372036854775807", 19, kMost - 1},
        DigitRow{"9223372036854775808", 19, kMost}, DigitRow{"18446744073709551616", 20, kMost},
        DigitRow{"99999999999999999999999999999999", 32, kMost}}) {
    CAPTURE(row.text);
    uint64_t number = 1;
    CHECK(parse_digits(row.text, number) == row.digits);
    CHECK(number == row.number);
  }
}
