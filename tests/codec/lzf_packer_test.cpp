// Packing to LZF: what is packed inflates to what it was, does not depend on what was packed before, and is
// never larger than allowed.
#include "codec/lzf_packer.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <random>
#include <utility>
#include <vector>

#include "codec/lzf.hpp"
#include "support/bytes_builder.hpp"

using namespace persist;
using namespace persist::test;

namespace {

constexpr size_t kNoLimit = std::numeric_limits<size_t>::max();

// Memory of exactly the size of the text, so that a sanitizer sees what is read behind it.
std::string packed_by(LzfPacker& packer, Bytes text, size_t most = kNoLimit) {
  const std::vector<char> exact(text.begin(), text.end());
  ByteBuffer out;
  out.append(Bytes("before"));
  const size_t size = packer.pack(Bytes(exact.data(), exact.size()), most, out);
  CHECK(out.size() == 6 + size);
  CHECK(out.bytes().starts_with("before"));
  return std::string(out.bytes().substr(6));
}

std::string packed(Bytes text, size_t most = kNoLimit) {
  LzfPacker packer;
  return packed_by(packer, text, most);
}

std::string inflated(Bytes bytes, size_t size) {
  std::vector<char> room(size + kLzfSlack);
  REQUIRE(inflate_lzf(bytes, room.data(), size) == LzfFault::none);
  return {room.data(), size};
}

void check_round_trip(const std::string& text) {
  CAPTURE(text.size());
  const std::string bytes = packed(text);
  REQUIRE(validate_lzf(bytes, text.size()) == LzfFault::none);
  REQUIRE(inflated(bytes, text.size()) == text);
  REQUIRE(bytes.size() <= text.size() + text.size() / 32 + 1);
}

std::string repeated(Bytes text, size_t size) {
  std::string result;
  while (result.size() < size) result += text;
  result.resize(size);
  return result;
}

// Words out of a small vocabulary, and now and then a stretch of noise.
std::string mixed_text(size_t size, uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<std::string> words;
  for (uint32_t i = 0; i < 40; ++i) words.push_back(noise(1 + random() % 12, seed + i));
  std::string text;
  while (text.size() < size)
    text +=
        random() % 50 == 0 ? noise(random() % 400, static_cast<uint32_t>(random())) : words[random() % 40];
  text.resize(size);
  return text;
}

// All kinds of text that the tests below go through.
std::vector<std::string> many_texts() {
  std::vector<std::string> texts;
  for (size_t size = 0; size <= 40; ++size) {
    texts.push_back(noise(size));
    texts.push_back(std::string(size, 'a'));
    for (const Bytes period : {"ab", "abc", "abcd", "abcdefgh", "abcdefghijk"})
      texts.push_back(repeated(period, size));
  }
  for (const size_t size : {41U, 100U, 263U, 264U, 265U, 266U, 267U, 268U, 269U, 270U, 528U, 1000U, 5000U}) {
    texts.push_back(std::string(size, 'a'));
    texts.push_back("x" + std::string(size, 'a') + "y");
    texts.push_back(repeated("the quick brown fox ", size));
    texts.push_back(noise(size));
    texts.push_back(mixed_text(size, static_cast<uint32_t>(size)));
  }
  for (uint32_t seed = 0; seed < 30; ++seed) texts.push_back(mixed_text(1 + seed * 701, seed));
  return texts;
}

// What the first leaves in the table would be of use to the second, if it were not another text's: the first
// is looked at closely where the second is passed over quickly, and that is what the second repeats.
std::pair<std::string, std::string> telling_texts() {
  const std::string noisy = noise(3000);
  const std::string run(40, 'a');
  std::string second = noisy;
  for (size_t at = 2000; at < 2064; at += 7) second += run + noisy.substr(at, 5);
  return {std::string(2000, 'a') + noisy.substr(2000), second};
}

}  // namespace

TEST_CASE("lzf packer: texts of many shapes") {
  for (const std::string& text : many_texts()) check_round_trip(text);
}

TEST_CASE("lzf packer: nothing becomes nothing") { CHECK(packed("").empty()); }

TEST_CASE("lzf packer: exact bytes") {
  CHECK(hex(packed("abc")) == "02616263");
  CHECK(hex(packed(std::string(100, 'a'))) == "0061e05a00");
  CHECK(hex(packed("abcdXabcdY")) == "04616263645840040059");
  CHECK(packed(noise(33)) == lzf_literals(noise(33)));
  // A repeat of three is no reference.
  CHECK(packed("abcXabcY") == lzf_literals("abcXabcY"));
}

TEST_CASE("lzf packer: long runs") {
  const std::string run(300'000, 'x');
  check_round_trip(run);
  CHECK(packed(run).size() == 2 + (300'000 - 1 + 263) / 264 * 3);
  check_round_trip("y" + run + "z" + run);
}

TEST_CASE("lzf packer: periods up to the largest distance, and one more") {
  for (const size_t period : {1000U, 8191U, 8192U, 8193U}) {
    CAPTURE(period);
    const std::string text = repeated(noise(period), 40'000);
    check_round_trip(text);
    const size_t size = packed(text).size();
    CHECK(size > period);
    if (period <= 8192) CHECK(size < period + period / 8 + 1000);
    if (period > 8192) CHECK(size > 40'000);
  }
}

TEST_CASE("lzf packer: what compresses is found again behind what does not") {
  const std::string noisy = noise(200'000);
  const std::string text = repeated("{\"name\":\"somebody\",\"age\":42},", 20'000);
  check_round_trip(noisy + text);
  CHECK(packed(noisy + text).size() < 200'000 + 200'000 / 32 + 2000);
}

TEST_CASE("lzf packer: a limit is kept to the byte") {
  for (const std::string& text : many_texts()) {
    const std::string bytes = packed(text);
    if (bytes.empty()) continue;
    CAPTURE(text.size());
    REQUIRE(packed(text, bytes.size()) == bytes);
    REQUIRE(packed(text, bytes.size() - 1).empty());
    REQUIRE(packed(text, 0).empty());
  }
}

TEST_CASE("lzf packer: what was packed before plays no part") {
  const std::vector<std::string> texts = many_texts();
  LzfPacker used;
  for (int round = 0; round < 2; ++round) {
    for (const std::string& text : texts) {
      REQUIRE(packed_by(used, text) == packed(text));
      REQUIRE(packed_by(used, text) == packed(text));  // all of it is in the table now
    }
    packed_by(used, repeated("the quick brown fox ", 5000), 10);  // given up half-way
  }
}

TEST_CASE("lzf packer: what a former text left in the table is not used") {
  const auto [first, second] = telling_texts();
  LzfPacker packer;
  packed_by(packer, first);
  CHECK(packed_by(packer, second) == packed(second));
}

TEST_CASE("lzf packer: places that come round again") {
  const auto [first, second] = telling_texts();
  const std::string run(size_t{16} << 20, 'x');
  for (const size_t before_end :
       {size_t{0}, size_t{1}, second.size() - 1, second.size(), second.size() + 1}) {
    CAPTURE(before_end);
    LzfPacker packer;
    packed_by(packer, first);
    // Given up at once, but the places are gone.
    ByteBuffer out;
    size_t left = std::numeric_limits<uint32_t>::max() - 1 - first.size() - before_end;
    for (size_t part = 0; left > 0; left -= part) {
      part = std::min(left, run.size());
      REQUIRE(packer.pack(Bytes(run).substr(0, part), 0, out) == 0);
    }
    for (int round = 0; round < 2; ++round) {
      REQUIRE(packed_by(packer, second) == packed(second));
      REQUIRE(packed_by(packer, first) == packed(first));
    }
  }
}
