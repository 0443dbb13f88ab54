// Flipped bits are found from the checksum alone: in bytes that are there, and in files of gigabytes that are
// not.
#include "base/crc64_witness.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <string>

#include "base/crc64.hpp"
#include "base/crc64_field.hpp"

using namespace persist;

namespace {

using Pair = std::array<uint64_t, 2>;

constexpr uint64_t kGigabytes = 10'000'000'000;  // a file of ten

std::string sealed_message(size_t size) {
  std::mt19937_64 dice(size);
  std::string message(size, '\0');
  for (char& c : message) c = static_cast<char>(dice());
  const uint64_t checksum = crc64(0, message);
  for (unsigned i = 0; i < 8; ++i) message += static_cast<char>(checksum >> 8 * i);
  return message;
}

void flip(std::string& message, uint64_t bit) {
  message[bit / 8] = static_cast<char>(static_cast<uint8_t>(message[bit / 8]) ^ (1U << bit % 8));
}

// Of a file of which only the size matters.
uint64_t syndrome_of(const BitRun& run, uint64_t file_bytes) {
  uint64_t bits = uint64_t{run.pattern} << run.first_bit % 8;
  std::string flipped;
  for (; bits != 0; bits >>= 8) flipped += static_cast<char>(bits);
  return crc64_change(flipped, file_bytes - run.first_bit / 8 - flipped.size());
}

uint64_t syndrome_of(const Pair& pair, uint64_t file_bytes) {
  return syndrome_of(BitRun{pair[0], 1}, file_bytes) ^ syndrome_of(BitRun{pair[1], 1}, file_bytes);
}

// A pattern of this length, with its first and its last bit set.
uint32_t pattern_of(unsigned length, uint64_t dice) {
  const uint32_t ends = uint32_t{1} << (length - 1) | 1;
  return static_cast<uint32_t>(dice & (ends - 1)) | ends;
}

void check_only(const std::vector<BitRun>& found, const BitRun& run) {
  CAPTURE(run.first_bit);
  CAPTURE(run.pattern);
  REQUIRE(found.size() == 1);
  CHECK(found[0].first_bit == run.first_bit);
  CHECK(found[0].pattern == run.pattern);
}

void check_only(const std::vector<Pair>& found, const Pair& pair) {
  CAPTURE(pair[0]);
  CAPTURE(pair[1]);
  REQUIRE(found.size() == 1);
  CHECK(found[0] == pair);
}

}  // namespace

TEST_CASE("crc64 witness: every single bit of a message and its checksum is found") {
  const std::string sound = sealed_message(32);
  REQUIRE(crc64(0, sound) == 0);
  for (uint64_t bit = 0; bit < sound.size() * 8; ++bit) {
    std::string message = sound;
    flip(message, bit);
    const CrcWitness witness(crc64(0, message), message.size());
    check_only(witness.runs_within({0, message.size()}), {bit, 1});
    if (bit % 37 == 0) check_only(witness.runs(), {bit, 1});
  }
}

TEST_CASE("crc64 witness: runs of every length are found in files of any size, and nothing else is") {
  constexpr uint64_t kSizes[] = {20, 28, 1000, 70'001, kGigabytes};
  std::mt19937_64 dice(1);
  for (unsigned length = 1; length <= kRunBitsAnywhere; ++length) {
    const uint64_t bytes = kSizes[length % std::size(kSizes)];
    CAPTURE(bytes);
    const BitRun run{dice() % (bytes * 8 - length + 1), pattern_of(length, dice())};
    CHECK(run.length() == length);
    check_only(CrcWitness(syndrome_of(run, bytes), bytes).runs(), run);
  }
}

TEST_CASE("crc64 witness: runs at the ends of a file, in its checksum and across the border of that") {
  const std::string sound = sealed_message(100);
  const uint64_t bits = sound.size() * 8;
  const BitRun runs[] = {
      {0, 0x8001}, {bits - 64 - 8, 0xa5c3}, {bits - 64, 0x9001}, {bits - 16, 0xffff}, {bits - 1, 1}};
  for (const BitRun& run : runs) {
    std::string message = sound;
    for (unsigned i = 0; i < run.length(); ++i)
      if ((run.pattern >> i & 1) != 0) flip(message, run.first_bit + i);
    const uint64_t syndrome = crc64(0, message);
    CHECK(syndrome == syndrome_of(run, message.size()));
    check_only(CrcWitness(syndrome, message.size()).runs(), run);
  }
}

TEST_CASE("crc64 witness: a run that would begin or end outside of the file is none") {
  const uint64_t in_front = syndrome_of(BitRun{8 * 8 - 3, 0x8421}, 108);
  CHECK(CrcWitness(in_front, 108).runs().size() == 1);
  CHECK(CrcWitness(in_front, 100).runs().empty());
  CHECK(CrcWitness(in_front, 100).runs_within({0, 100}).empty());
  constexpr uint64_t kPattern = 0x8421;  // as a residue
  const auto from_end = [](uint64_t bits) { return residue_product(kPattern, residue_of_x(bits)); };
  check_only(CrcWitness(from_end(16), 100).runs(), {800 - 16, kPattern});
  CHECK(CrcWitness(from_end(15), 100).runs().empty());
  CHECK(CrcWitness(from_end(15), 100).runs_within({0, 100}).empty());
}

TEST_CASE(
    "crc64 witness: in a file large enough many runs explain anything; all of them do, shortest first") {
  constexpr uint64_t kBytes = uint64_t{1} << 52;
  constexpr uint64_t kSyndrome = 0x0123456789abcdef;
  const CrcWitness witness(kSyndrome, kBytes);
  CHECK(witness.chance_of_runs() == 64);
  const std::vector<BitRun> runs = witness.runs();
  CHECK(runs.size() > 32);
  CHECK(runs.size() < 128);
  for (size_t i = 0; i < runs.size(); ++i) {
    CAPTURE(i);
    CHECK(syndrome_of(runs[i], kBytes) == kSyndrome);
    CHECK((runs[i].pattern & 1) == 1);
    if (i == 0) continue;
    const unsigned before = runs[i - 1].length();
    const bool is_behind = before < runs[i].length() || runs[i - 1].first_bit < runs[i].first_bit;
    CHECK(before <= runs[i].length());
    CHECK(is_behind);
  }
}

TEST_CASE("crc64 witness: what no few bits explain") {
  const std::string sound = sealed_message(1000);
  std::string message = sound;
  for (const uint64_t bit : {100U, 3000U, 7000U}) flip(message, bit);
  const CrcWitness witness(crc64(0, message), message.size());
  CHECK(witness.runs().empty());
  CHECK(witness.runs_within({0, message.size()}).empty());
  CHECK(witness.pairs().empty());
  CHECK(witness.pairs_within({0, 64}).empty());
}

TEST_CASE("crc64 witness: longer runs are found where they lie wholly within the extent") {
  constexpr Extent kPlace = {4'000'000'000, 50};
  std::mt19937_64 dice(3);
  for (unsigned length = 1; length <= kRunBitsWithin; ++length) {
    const uint64_t last = kPlace.end() * 8 - length;
    const struct {
      uint64_t first_bit;
      bool found;
    } rows[] = {{kPlace.offset * 8 - 1, false},
                {kPlace.offset * 8, true},
                {kPlace.offset * 8 + dice() % 300, true},
                {last, true},
                {last + 1, false}};
    for (const auto& row : rows) {
      const BitRun run{row.first_bit, pattern_of(length, dice())};
      const std::vector<BitRun> found =
          CrcWitness(syndrome_of(run, kGigabytes), kGigabytes).runs_within(kPlace);
      if (row.found)
        check_only(found, run);
      else
        CHECK(found.empty());
    }
  }
}

TEST_CASE("crc64 witness: a run of 33 bits is not taken for a shorter one") {
  constexpr uint64_t kPattern = 0x100000001;
  const CrcWitness witness(residue_product(kPattern, residue_of_x(400)), 100);
  CHECK(witness.runs_within({0, 100}).empty());
}

TEST_CASE("crc64 witness: extents may reach beyond the file") {
  const BitRun run{99 * 8, 0x81};
  const CrcWitness witness(syndrome_of(run, 100), 100);
  check_only(witness.runs_within({90, ~uint64_t{0}}), run);
  check_only(witness.pairs_within({99, ~uint64_t{0}}), {99 * 8, 99 * 8 + 7});
  for (const Extent& outside : {Extent{100, 1}, Extent{~uint64_t{0}, 10}, Extent{50, 0}}) {
    CHECK(witness.runs_within(outside).empty());
    CHECK(witness.pairs_within(outside).empty());
  }
}

TEST_CASE("crc64 witness: two bits of a file, however far apart") {
  constexpr uint64_t kBytes = 5000;
  std::mt19937_64 dice(4);
  std::vector<Pair> pairs = {
      {0, kBytes * 8 - 1}, {7, 8}, {kBytes * 8 - 2, kBytes * 8 - 1}, {100, kBytes * 8 - 60}};
  for (int i = 0; i < 5; ++i) {
    const uint64_t first = dice() % (kBytes * 4);
    pairs.push_back({first, first + 1 + dice() % (kBytes * 4 - 1)});
  }
  for (const Pair& pair : pairs) {
    const CrcWitness witness(syndrome_of(pair, kBytes), kBytes);
    check_only(witness.pairs(), pair);
    check_only(witness.pairs_within({pair[0] / 8, 1}), pair);
    check_only(witness.pairs_within({pair[1] / 8, 1}), pair);
  }
}

TEST_CASE("crc64 witness: two bits are looked for in several passes, up to a size") {
  constexpr uint64_t kBytes = uint64_t{600} << 10;
  for (const Pair& pair : {Pair{12'345, 4'567'890}, Pair{1, 2'000'001}, Pair{4'900'000, 4'900'033}})
    check_only(CrcWitness(syndrome_of(pair, kBytes), kBytes).pairs(), pair);
  constexpr uint64_t kTooMany = CrcWitness::kPairBytesMax + 1;
  CHECK(CrcWitness(syndrome_of(Pair{1, 2}, kTooMany), kTooMany).pairs().empty());
}

TEST_CASE("crc64 witness: one bit in an extent, the other anywhere in a large file") {
  constexpr Extent kPlace = {7'000'000'000, 1500};
  constexpr uint64_t kBegin = kPlace.offset * 8;
  constexpr uint64_t kEnd = kBegin + kPlace.size * 8;
  const struct {
    Pair pair;
    bool found;
  } rows[] = {
      {{0, kBegin}, true},
      {{kEnd - 1, kGigabytes * 8 - 1}, true},
      {{kBegin + 4095, kBegin + 4096}, true},
      {{kBegin, kEnd - 1}, true},
      {{kBegin - 1, kEnd}, false},
  };
  for (const auto& row : rows) {
    const CrcWitness witness(syndrome_of(row.pair, kGigabytes), kGigabytes);
    if (row.found)
      check_only(witness.pairs_within(kPlace), row.pair);
    else
      CHECK(witness.pairs_within(kPlace).empty());
  }
}

TEST_CASE("crc64 witness: the bit behind the last one is none of the file") {
  constexpr uint64_t kBytes = 500;
  const uint64_t syndrome = syndrome_of(BitRun{1234, 1}, kBytes) ^ residue_of_x(63);
  const CrcWitness witness(syndrome, kBytes);
  CHECK(witness.pairs().empty());
  CHECK(witness.pairs_within({100, 100}).empty());
}

TEST_CASE("crc64 witness: one bit is no pair") {
  constexpr uint64_t kBytes = 500;
  const CrcWitness witness(syndrome_of(BitRun{1234, 1}, kBytes), kBytes);
  CHECK(witness.pairs().empty());
  CHECK(witness.pairs_within({100, 100}).empty());
}

TEST_CASE("crc64 witness: chances are explanations tried over 2^64") {
  constexpr double kSyndromes = 18446744073709551616.0;
  const CrcWitness witness(1, 1000);
  CHECK(witness.chance_of_runs() == 8000.0 * 32768 / kSyndromes);
  CHECK(CrcWitness::chance_of_runs_within({5, 100}) == 800.0 * 2147483648.0 / kSyndromes);
  CHECK(witness.chance_of_pairs() == 8000.0 * 7999 / 2 / kSyndromes);
  CHECK(witness.chance_of_pairs_within({5, 100}) == 800.0 * 8000 / kSyndromes);
  CHECK(witness.chance_of_pairs_within({990, 100}) == 80.0 * 8000 / kSyndromes);
  const CrcWitness large(1, kGigabytes);
  const double most = static_cast<double>(CrcWitness::kPairExtentMax) * 8 * kGigabytes * 8;
  CHECK(large.chance_of_pairs_within({5, kGigabytes}) == most / kSyndromes);
}

TEST_CASE("crc64 witness: the change of a checksum is that of the bytes with zeros behind") {
  const std::string flipped = "\x01\x80 some bytes";
  for (const uint64_t behind : {0U, 1U, 7U, 8U, 1000U}) {
    const uint64_t change = crc64_change(flipped, behind);
    CHECK(change == crc64(0, flipped + std::string(behind, '\0')));
  }
  std::string message = sealed_message(300);
  const uint64_t before = crc64(0, Bytes(message).substr(0, 200));
  message[50] = static_cast<char>(message[50] ^ 0x5a);
  CHECK(crc64(0, Bytes(message).substr(0, 200)) == (before ^ crc64_change("\x5a", 149)));
  CHECK(crc64_change("", 5) == 0);
}
