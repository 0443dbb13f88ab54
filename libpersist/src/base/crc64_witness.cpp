// Where the last bit of a file counts as x^0, its checksum is what the bits make times x^64. A pattern read
// as a residue has bit i at x^(63-i); so the syndrome of a run is its pattern times x^d, with d bits from its
// first one to the end of the file, and that of one bit is x^(d+63).
#include "base/crc64_witness.hpp"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <future>
#include <system_error>
#include <thread>
#include <tuple>

#include "base/crc64.hpp"
#include "base/crc64_field.hpp"

namespace persist {

namespace {

using BitPair = std::array<uint64_t, 2>;
using BitPairs = std::vector<BitPair>;

void sort_runs(std::vector<BitRun>& runs) {
  std::ranges::sort(runs, {}, [](const BitRun& run) { return std::tuple(run.length(), run.first_bit); });
}

// The part of it that is in the file.
Extent clipped(Extent extent, uint64_t file_bytes) {
  extent.offset = std::min(extent.offset, file_bytes);
  extent.size = std::min(extent.size, file_bytes - extent.offset);
  return extent;
}

// ------------------------------------------------------------------------------------------- runs anywhere

constexpr uint32_t kPatternEnd = uint32_t{1} << kRunBitsAnywhere;

uint32_t pattern_product(uint32_t a, uint32_t b) {
  uint32_t product = 0;
  for (; b != 0; b >>= 1, a <<= 1) product ^= (b & 1) != 0 ? a : 0;
  return product;
}

// Of every odd pattern, taken as a residue; by half of it. Those that are products of others, which all but
// one in seven are, have the sum of the others' logarithms.
std::vector<uint64_t> pattern_logs(const ResidueLogs& logs) {
  constexpr uint64_t kLogOfOne = 63;
  constexpr uint64_t kUnknown = kResidueOrder;
  std::vector<uint64_t> known(kPatternEnd / 2, kUnknown);
  known[0] = kLogOfOne;
  for (uint32_t a = 3; a < kPatternEnd; a += 2) {
    if (known[a / 2] == kUnknown) known[a / 2] = logs.of(a);
    const uint64_t above_one = exponent_difference(known[a / 2], kLogOfOne);
    const uint32_t end = std::min(a + 1, uint32_t{1} << (kRunBitsAnywhere + 1 - std::bit_width(a)));
    for (uint32_t b = 3; b < end; b += 2)
      known[pattern_product(a, b) / 2] = exponent_sum(above_one, known[b / 2]);
  }
  return known;
}

// The same for every syndrome: made once, when the first one is to be explained.
const std::vector<uint64_t>& known_pattern_logs() {
  constexpr uint64_t kIrreducible = 4800;  // patterns, about
  static const std::vector<uint64_t> kKnown = pattern_logs(ResidueLogs(kIrreducible));
  return kKnown;
}

// ---------------------------------------------------------------------------------------------------- pairs

// What `work` finds in every one of the portions, by several threads: each calls work(portion).
template <typename Work>
BitPairs gather_pairs(uint64_t portions, uint64_t threads, const Work& work) {
  std::atomic<uint64_t> next = 0;
  const auto run = [&] {
    BitPairs found;
    for (uint64_t i = next++; i < portions; i = next++) work(i, found);
    return found;
  };
  std::vector<std::future<BitPairs>> others;
  for (uint64_t i = 1; i < std::min(threads, portions); ++i) {
    try {
      others.push_back(std::async(std::launch::async, run));
    } catch (const std::system_error&) {
      break;  // there is one fewer
    }
  }
  BitPairs all = run();
  for (std::future<BitPairs>& other : others) {
    const BitPairs found = other.get();
    all.insert(all.end(), found.begin(), found.end());
  }
  std::ranges::sort(all);
  return all;
}

// All residues y of single bits for which y ^ syndrome is that of a single bit as well. Of two that differ by
// the syndrome, the one without its highest bit stands for both, so that equal ones are looked for: as many
// at a time as the caches like, by a hash table for each of the buckets they are dealt into.
class PairSearch {
 public:
  PairSearch(uint64_t syndrome, uint64_t bits) : syndrome_(syndrome), bits_(bits) {}

  [[nodiscard]] uint64_t passes() const { return std::bit_ceil((bits_ + kPassBits - 1) / kPassBits); }

  // Appends to `found` one of every two residues whose hashes fall to this pass.
  void run(uint64_t pass, std::vector<uint64_t>& found) const {
    std::vector<uint64_t> slots;
    for (const Bucket& bucket : deal(pass)) find_equal(bucket, slots, found);
  }

 private:
  using Bucket = std::vector<uint64_t>;
  static constexpr uint64_t kPassBits = uint64_t{1} << 22;  // 32 MB
  static constexpr size_t kBuckets = 256;                   // of 128 KB

  // Bits 24 to 47 for the slot, up to 55 for the pass, the rest for the bucket.
  static uint64_t hash(uint64_t residue) { return residue * 0x9e3779b97f4a7c15; }

  [[nodiscard]] std::vector<Bucket> deal(uint64_t pass) const {
    const uint64_t pass_mask = (passes() - 1) << 48;
    const auto highest = static_cast<unsigned>(std::bit_width(syndrome_)) - 1;
    std::vector<Bucket> buckets(kBuckets);
    const size_t expected = bits_ / passes() / kBuckets;
    for (Bucket& bucket : buckets) bucket.reserve(expected + expected / 16 + 64);
    uint64_t residue = residue_of_x(64);  // of the last bit
    for (uint64_t i = 0; i < bits_; ++i, residue = residue_times_x(residue)) {
      const uint64_t smaller = residue ^ (syndrome_ & (0 - (residue >> highest & 1)));
      const uint64_t hashed = hash(smaller);
      if ((hashed & pass_mask) == pass << 48) buckets[hashed >> 56].push_back(smaller);
    }
    return buckets;
  }

  // 0 marks a free slot, and comes of a residue that is the syndrome, which then has no partner.
  static void find_equal(const Bucket& bucket, std::vector<uint64_t>& slots, std::vector<uint64_t>& found) {
    slots.assign(std::bit_ceil(bucket.size() * 2 + 1), 0);
    for (const uint64_t residue : bucket) {
      size_t i = hash(residue) >> 24 & (slots.size() - 1);
      while (slots[i] != 0 && slots[i] != residue) i = (i + 1) & (slots.size() - 1);
      if (slots[i] != 0) found.push_back(residue);
      slots[i] = residue;
    }
  }

  uint64_t syndrome_;
  uint64_t bits_;
};

}  // namespace

unsigned BitRun::length() const { return static_cast<unsigned>(std::bit_width(pattern)); }

std::vector<BitRun> CrcWitness::runs() const {
  const uint64_t log = ResidueLogs(1).of(syndrome_);
  const std::vector<uint64_t>& known = known_pattern_logs();
  std::vector<BitRun> runs;
  for (uint32_t pattern = 1; pattern < kPatternEnd; pattern += 2) {
    const uint64_t to_end = exponent_difference(log, known[pattern / 2]);
    if (to_end > bits_) continue;
    const BitRun run{bits_ - to_end, pattern};
    if (run.length() <= to_end) runs.push_back(run);
  }
  sort_runs(runs);
  return runs;
}

std::vector<BitRun> CrcWitness::runs_within(Extent extent) const {
  static constexpr auto kOverflows = residue_overflows<8>();
  const Extent place = clipped(extent, bits_ / 8);
  const uint64_t end = place.end() * 8;
  uint64_t bit = place.offset * 8;
  // Were the pattern to begin with this bit, this would be it. One that begins up to seven bits further on is
  // this many bits further to the left.
  uint64_t residue = residue_product(syndrome_, residue_of_x(exponent_difference(0, bits_ - bit)));
  std::vector<BitRun> runs;
  for (; bit < end; bit += 8, residue = residue >> 8 ^ kOverflows[residue & 0xff]) {
    if (residue >> (kRunBitsWithin + 7) != 0) continue;
    const auto shift = static_cast<unsigned>(std::countr_zero(residue));
    const BitRun run{bit + shift, static_cast<uint32_t>(residue >> shift)};
    const bool is_short = residue >> shift >> kRunBitsWithin == 0;
    if (shift < 8 && is_short && run.first_bit + run.length() <= end) runs.push_back(run);
  }
  sort_runs(runs);
  return runs;
}

std::vector<std::array<uint64_t, 2>> CrcWitness::pairs() const {
  if (bits_ > kPairBytesMax * 8) return {};
  const PairSearch search(syndrome_, bits_);
  const ResidueLogs logs(1);
  const auto bit_of = [&](uint64_t residue) { return bits_ + 63 - logs.of(residue); };
  return gather_pairs(search.passes(), 2, [&](uint64_t pass, BitPairs& found) {
    std::vector<uint64_t> residues;
    search.run(pass, residues);
    for (const uint64_t residue : residues) {
      const auto [low, high] = std::minmax({bit_of(residue), bit_of(residue ^ syndrome_)});
      found.push_back({low, high});
    }
  });
}

std::vector<std::array<uint64_t, 2>> CrcWitness::pairs_within(Extent extent) const {
  constexpr uint64_t kPortion = 4096;  // bits
  Extent place = clipped(extent, bits_ / 8);
  place.size = std::min(place.size, kPairExtentMax);
  const uint64_t begin = place.offset * 8;
  const uint64_t end = place.end() * 8;
  const ResidueLogs logs(place.size * 8);
  const auto look = [&](uint64_t portion, BitPairs& found) {
    const uint64_t first = begin + portion * kPortion;
    uint64_t bit = std::min(first + kPortion, end);
    uint64_t residue = residue_of_x(bits_ - bit + 64);  // of the bit in front of that
    for (; bit-- > first; residue = residue_times_x(residue)) {
      if (residue == syndrome_) continue;  // explained by this bit alone
      const uint64_t other_to_end = exponent_difference(logs.of(residue ^ syndrome_), 63);
      if (other_to_end == 0 || other_to_end > bits_) continue;
      const uint64_t other = bits_ - other_to_end;
      const bool seen_from_other = other < bit && other >= begin;
      if (!seen_from_other) found.push_back({std::min(bit, other), std::max(bit, other)});
    }
  };
  return gather_pairs((place.size * 8 + kPortion - 1) / kPortion, std::thread::hardware_concurrency(), look);
}

double CrcWitness::chance_of_runs() const {
  return std::ldexp(static_cast<double>(bits_), int{kRunBitsAnywhere} - 1 - 64);
}

double CrcWitness::chance_of_runs_within(Extent extent) {
  return std::ldexp(static_cast<double>(extent.size) * 8, int{kRunBitsWithin} - 1 - 64);
}

double CrcWitness::chance_of_pairs() const {
  const auto bits = static_cast<double>(bits_);
  return std::ldexp(bits * (bits - 1) / 2, -64);
}

double CrcWitness::chance_of_pairs_within(Extent extent) const {
  const uint64_t looked_at = std::min(clipped(extent, bits_ / 8).size, kPairExtentMax) * 8;
  return std::ldexp(static_cast<double>(looked_at) * static_cast<double>(bits_), -64);
}

uint64_t crc64_change(Bytes flipped, uint64_t behind) {
  constexpr uint64_t kByte = kResidueOne >> 8;
  return residue_product(crc64(0, flipped), residue_power(kByte, behind));
}

}  // namespace persist
