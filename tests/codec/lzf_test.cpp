// LZF: round trips, overlapping copies, bounds; and that the validator says what the decompressor says.
#include "codec/lzf.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "support/bytes_builder.hpp"

using namespace persist;
using namespace persist::test;

namespace {

// The definition, byte by byte: what any stream inflates to, if it does.
std::optional<std::string> inflate_by_bytes(Bytes packed) {
  std::string out;
  size_t at = 0;
  const auto left = [&] { return packed.size() - at; };
  const auto next = [&] { return static_cast<size_t>(static_cast<uint8_t>(packed[at++])); };
  while (left() > 0) {
    const size_t control = next();
    if (control < 32) {
      if (left() < control + 1) return std::nullopt;
      out += packed.substr(at, control + 1);
      at += control + 1;
      continue;
    }
    size_t size = control >> 5;
    if (left() < (size == 7 ? 2U : 1U)) return std::nullopt;
    if (size == 7) size += next();
    const size_t distance = ((control & 31) << 8) + next() + 1;
    if (distance > out.size()) return std::nullopt;
    for (size += 2; size > 0; --size) out += out[out.size() - distance];
  }
  return out;
}

// Inflates into memory of exactly the size that is promised to be enough.
LzfFault inflate(Bytes packed, size_t size, std::string& out) {
  const std::vector<char> exact(packed.begin(), packed.end());
  std::vector<char> room(size + kLzfSlack);
  const LzfFault fault = inflate_lzf(Bytes(exact.data(), exact.size()), room.data(), size);
  out.assign(room.data(), size);
  return fault;
}

// Everything that must hold of a stream and a stated size.
void check_stream(Bytes packed, size_t size) {
  const std::optional<std::string> truth = inflate_by_bytes(packed);
  const bool good = truth && truth->size() == size;
  std::string out;
  const LzfFault fault = inflate(packed, size, out);
  const LzfFault verdict = validate_lzf(packed, size);
  CAPTURE(hex(packed));
  CAPTURE(size);
  REQUIRE((fault == LzfFault::none) == good);
  REQUIRE((verdict == LzfFault::none) == good);
  if (good) {
    REQUIRE(out == *truth);
    REQUIRE(size <= lzf_size_max(packed.size()));
  }
}

std::string text_with_repeats(size_t size, uint32_t seed) {
  std::mt19937 random(seed);
  std::string text;
  while (text.size() < size) {
    if (text.size() > 3 && random() % 3 == 0) {
      const size_t distance = 1 + random() % std::min<size_t>(text.size(), random() % 2 == 0 ? 20 : 8192);
      for (size_t count = 3 + random() % 300; count > 0; --count) text += text[text.size() - distance];
    } else {
      text += static_cast<char>('a' + random() % 26);
    }
  }
  text.resize(size);
  return text;
}

}  // namespace

TEST_CASE("lzf: the worked example") {
  const std::string packed = unhex("01 61 61  e0 57 00  01 61 61");
  std::string out;
  CHECK(inflate(packed, 100, out) == LzfFault::none);
  CHECK(out == std::string(100, 'a'));
  CHECK(validate_lzf(packed, 100) == LzfFault::none);
}

TEST_CASE("lzf: nothing inflates to nothing") {
  check_stream("", 0);
  check_stream("", 1);
}

TEST_CASE("lzf: literal runs of every size") {
  for (size_t size = 1; size <= 32; ++size) {
    const std::string text = noise(size);
    check_stream(static_cast<char>(size - 1) + text, size);
    check_stream(static_cast<char>(size - 1) + text, size + 1);
    check_stream(static_cast<char>(size - 1) + text, size - 1);
    check_stream(static_cast<char>(size - 1) + text.substr(1), size);
    check_stream(static_cast<char>(size - 1) + text + noise(40).insert(0, 1, '\x1f').substr(0, 33),
                 size + 32);
  }
}

TEST_CASE("lzf: references of every size from every short distance") {
  const std::string literals = noise(32);
  const std::string start = '\x1f' + literals;
  for (size_t distance = 1; distance <= 34; ++distance) {
    for (size_t size = 3; size <= 264; ++size) {
      const std::string packed = start + lzf_reference(distance, size);
      check_stream(packed, 32 + size);
      if (size % 16 < 2) check_stream(packed + std::string("\0!", 2), 33 + size);
    }
  }
}

TEST_CASE("lzf: a reference from the start of the output") {
  for (size_t made = 1; made <= 20; ++made) {
    const std::string start = static_cast<char>(made - 1) + noise(made);
    check_stream(start + lzf_reference(made, 50), made + 50);
    check_stream(start + lzf_reference(made + 1, 50), made + 50);  // one byte before it
  }
  check_stream(lzf_reference(1, 3), 3);
}

TEST_CASE("lzf: the largest distance") {
  const std::string text = noise(8192);
  const std::string packed = lzf_literals(text);
  check_stream(packed + lzf_reference(8192, 264), 8192 + 264);
  const std::string shorter = lzf_literals(Bytes(text).substr(0, 8191));
  check_stream(shorter + lzf_reference(8192, 264), 8191 + 264);
}

TEST_CASE("lzf: round trips") {
  for (uint32_t seed = 0; seed < 60; ++seed) {
    const std::string text = text_with_repeats(seed * 397, seed);
    const std::string packed = lzf_compress(text);
    CHECK(inflate_by_bytes(packed) == text);
    check_stream(packed, text.size());
    check_stream(packed, text.size() + 1);
    if (!text.empty()) check_stream(packed, text.size() - 1);
    check_stream(lzf_literals(text), text.size());
  }
  check_stream(lzf_compress(std::string(1'000'000, 'x')), 1'000'000);
}

TEST_CASE("lzf: streams cut at every byte, and with every byte changed") {
  const std::string text = text_with_repeats(700, 5);
  const std::string packed = lzf_compress(text);
  for (size_t cut = 0; cut < packed.size(); ++cut) check_stream(packed.substr(0, cut), text.size());
  for (size_t at = 0; at < packed.size(); ++at) {
    for (const int flip : {0x01, 0x20, 0x80, 0xe0, 0xff}) {
      std::string changed = packed;
      changed[at] = static_cast<char>(changed[at] ^ flip);
      check_stream(changed, text.size());
      const std::optional<std::string> truth = inflate_by_bytes(changed);
      if (truth) check_stream(changed, truth->size());
    }
  }
}

TEST_CASE("lzf: garbage") {
  std::mt19937 random(7);
  for (int round = 0; round < 20'000; ++round) {
    const std::string packed = noise(random() % 200, static_cast<uint32_t>(random()));
    const std::optional<std::string> truth = inflate_by_bytes(packed);
    check_stream(packed, truth ? truth->size() : random() % 2000);
  }
}

TEST_CASE("lzf: garbage that begins with more than the largest distance") {
  const std::string start = lzf_literals(noise(8300));
  std::mt19937 random(11);
  for (int round = 0; round < 2'000; ++round) {
    const std::string packed = start + noise(random() % 300, static_cast<uint32_t>(random()));
    const std::optional<std::string> truth = inflate_by_bytes(packed);
    check_stream(packed, truth ? truth->size() : 8300 + random() % 9000);
  }
}

TEST_CASE("lzf: faults have names, and the largest size does not overflow") {
  CHECK(inflate_lzf("\x05", nullptr, 0) == LzfFault::input_overrun);
  for (const LzfFault fault : {LzfFault::none, LzfFault::input_overrun, LzfFault::distance,
                               LzfFault::output_overrun, LzfFault::output_short})
    CHECK(Bytes(lzf_fault_text(fault)).size() > 5);
  CHECK(lzf_size_max(3) == 264);
  CHECK(lzf_size_max(~uint64_t{0}) == ~uint64_t{0});
}
