// JSON out of runs: wherever a string is cut, the outcome is that of the whole.
#include "text/json_runs.hpp"

#include <doctest/doctest.h>

#include <random>
#include <string>
#include <vector>

#include "text/json_string.hpp"

using namespace persist;

namespace {

std::string whole(Bytes bytes) {
  ByteBuffer out;
  append_json_string(out, bytes);
  return std::string(out.bytes());
}

std::string in_runs(const std::vector<Bytes>& runs) {
  Utf8Runs look;
  for (const Bytes run : runs) look.add(run);
  ByteBuffer out;
  JsonRuns value(out, look.valid());
  for (const Bytes run : runs) value.add(run);
  value.end();
  return std::string(out.bytes());
}

const std::vector<std::string> kStrings = {
    "",
    "plain",
    "a\"b\\c\nd",
    "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80",  // two, three and four bytes
    "x\xc3\xa9",                             // ends in a sequence
    "\xc3",                                  // one that does not end
    "ab\xf0\x9f\x98",                        // nor this
    "\xf0\x9f\x98\x80\x80",                  // a byte too many
    "\x80",                                  // none that begins
    "\xed\xa0\x80",                          // a surrogate
    std::string("\0\xff\x01", 3),
    "\xf4\x90\x80\x80",  // beyond Unicode
    "\xc0\xaf",          // overlong
};

}  // namespace

TEST_CASE("a string cut in two anywhere") {
  for (const std::string& text : kStrings) {
    for (size_t at = 0; at <= text.size(); ++at) {
      const Bytes bytes = text;
      CAPTURE(at);
      CHECK(in_runs({bytes.substr(0, at), bytes.substr(at)}) == whole(bytes));
    }
  }
}

TEST_CASE("a string cut at every byte") {
  for (const std::string& text : kStrings) {
    std::vector<Bytes> runs;
    for (size_t at = 0; at < text.size(); ++at) runs.push_back(Bytes(text).substr(at, 1));
    CHECK(in_runs(runs) == whole(text));
  }
}

TEST_CASE("random strings in random runs") {
  std::mt19937 random(1);
  for (int round = 0; round < 2000; ++round) {
    std::string text;
    while (random() % 12 != 0) text += kStrings[random() % kStrings.size()];
    std::vector<Bytes> runs;
    for (size_t at = 0; at < text.size();) {
      const size_t size = std::min<size_t>(1 + random() % 5, text.size() - at);
      runs.push_back(Bytes(text).substr(at, size));
      at += size;
    }
    REQUIRE(in_runs(runs) == whole(text));
  }
}
