// The bytes of a HyperLogLog:
//
//   "HYLL", encoding (0 dense, 1 sparse), 3 x 0
//   cached cardinality, u64le; bit 63 set: invalid
//   dense:  16384 registers of 6 bits, the low bits of a byte first
//   sparse: opcodes whose runs add up to 16384 registers
//     00llllll            run of l + 1 zeros           "ZERO"
//     01llllll llllllll   run of l + 1 zeros           "XZERO"
//     1vvvvvll            run of l + 1 registers v + 1 "VAL"
//
// The same registers have many sparse forms. Which one a server arrives at is a matter of how it splits and
// joins opcodes, and set_sparse does exactly that.
#include "engine/hyperloglog.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "base/endian.hpp"

namespace persist {

namespace {

constexpr Bytes kMagic = "HYLL";
constexpr size_t kEncodingAt = 4;
constexpr size_t kCacheAt = 8;
constexpr size_t kHeaderBytes = 16;
constexpr char kDense = 0;
constexpr char kSparse = 1;
constexpr uint8_t kCacheInvalid = 0x80;  // in the last byte of the header

constexpr uint32_t kIndexBits = 14;
constexpr uint32_t kRegisters = 1U << kIndexBits;
constexpr uint32_t kRegisterBits = 6;
constexpr uint32_t kRegisterMax = (1U << kRegisterBits) - 1;
constexpr uint32_t kHashBits = 64 - kIndexBits;
constexpr size_t kDenseBytes = kHeaderBytes + size_t{kRegisters} * kRegisterBits / 8;

constexpr uint32_t kZeroRunMax = 64;
constexpr uint32_t kValueRunMax = 4;
constexpr uint8_t kSparseValueMax = 32;
// No sparse form is longer: the shortest runs in the widest opcodes. Longer strings are corrupt; servers may
// write to their beginning all the same, and at that move what stands behind it with every element.
constexpr size_t kSparseBytesLimit = kHeaderBytes + size_t{kRegisters} * 2;
constexpr int kJoinSteps = 5;

using Registers = std::array<uint8_t, kRegisters>;
using Histogram = std::array<uint32_t, kRegisterMax + 1>;

uint8_t byte_at(Bytes value, size_t at) { return static_cast<uint8_t>(value[at]); }

bool is_dense(Bytes value) { return value[kEncodingAt] == kDense; }

// --- Hashing ----------------------------------------------------------------------------------------------

// MurmurHash64A.
uint64_t murmur64a(Bytes bytes) {
  constexpr uint64_t kSeed = 0xadc83b19;
  constexpr uint64_t kMultiplier = 0xc6a4a7935bd1e995;
  constexpr int kShift = 47;
  uint64_t hash = kSeed ^ (bytes.size() * kMultiplier);
  for (; bytes.size() >= 8; bytes.remove_prefix(8)) {
    uint64_t word = load_le<uint64_t>(bytes.data()) * kMultiplier;
    word ^= word >> kShift;
    hash = (hash ^ (word * kMultiplier)) * kMultiplier;
  }
  if (!bytes.empty()) {
    uint64_t tail = 0;
    for (size_t i = 0; i < bytes.size(); ++i) tail |= uint64_t{byte_at(bytes, i)} << (8 * i);
    hash = (hash ^ tail) * kMultiplier;
  }
  hash = (hash ^ (hash >> kShift)) * kMultiplier;
  return hash ^ (hash >> kShift);
}

struct Sighting {
  uint32_t index;
  uint8_t count;  // zeros at the low end of the hash behind the index, plus one: 1 to 51
};

Sighting sighting_of(Bytes element) {
  const uint64_t hash = murmur64a(element);
  const uint64_t rest = (hash >> kIndexBits) | (uint64_t{1} << kHashBits);
  return {static_cast<uint32_t>(hash & (kRegisters - 1)), static_cast<uint8_t>(1 + std::countr_zero(rest))};
}

// --- Dense registers --------------------------------------------------------------------------------------

uint8_t get_dense(Bytes value, uint32_t index) {
  const size_t bit = size_t{index} * kRegisterBits;
  const size_t at = kHeaderBytes + bit / 8;
  uint32_t pair = byte_at(value, at);
  if (at + 1 < value.size()) pair |= uint32_t{byte_at(value, at + 1)} << 8;
  return static_cast<uint8_t>((pair >> (bit % 8)) & kRegisterMax);
}

bool raise_dense(std::string& value, uint32_t index, uint8_t count) {
  if (get_dense(value, index) >= count) return false;
  const size_t bit = size_t{index} * kRegisterBits;
  const size_t at = kHeaderBytes + bit / 8;
  const uint32_t keep = ~(kRegisterMax << (bit % 8));
  const uint32_t put = uint32_t{count} << (bit % 8);
  value[at] = static_cast<char>((byte_at(value, at) & keep) | put);
  if (at + 1 < value.size()) {
    value[at + 1] = static_cast<char>((byte_at(value, at + 1) & (keep >> 8)) | (put >> 8));
  }
  return true;
}

// --- Sparse opcodes ---------------------------------------------------------------------------------------

struct HllOpcode {
  uint32_t size = 1;  // bytes
  uint32_t run = 0;
  uint8_t count = 0;  // 0 for ZERO and XZERO
};

// Absent: the string ends inside it.
std::optional<HllOpcode> opcode_at(Bytes value, size_t at) {
  if (at >= value.size()) return std::nullopt;
  const uint32_t byte = byte_at(value, at);
  if ((byte & 0x80) != 0) return HllOpcode{1, (byte & 3) + 1, static_cast<uint8_t>(((byte >> 2) & 31) + 1)};
  if ((byte & 0x40) == 0) return HllOpcode{1, byte + 1, 0};
  if (at + 1 >= value.size()) return std::nullopt;
  return HllOpcode{2, (((byte & 63) << 8) | byte_at(value, at + 1)) + 1, 0};
}

char value_opcode(uint32_t count, uint32_t run) {
  return static_cast<char>(0x80 | ((count - 1) << 2) | (run - 1));
}

// A part of a run that is split: nothing if it is empty.
void append_run(std::string& opcodes, uint8_t count, uint32_t run) {
  if (run == 0) return;
  if (count > 0) {
    opcodes += value_opcode(count, run);
    return;
  }
  if (run > kZeroRunMax) opcodes += static_cast<char>(0x40 | ((run - 1) >> 8));
  opcodes += static_cast<char>(run - 1);
}

// Tells the registers of a sparse value run by run. False: they are not exactly 16384.
template <typename OnRun>
bool walk_sparse(Bytes value, OnRun on_run) {
  uint32_t index = 0;
  for (size_t at = kHeaderBytes; at < value.size();) {
    const std::optional<HllOpcode> opcode = opcode_at(value, at);
    if (!opcode || opcode->run > kRegisters - index) return false;
    on_run(index, *opcode);
    index += opcode->run;
    at += opcode->size;
  }
  return index == kRegisters;
}

// Makes one opcode of neighbours of equal value, from the opcode before the changed one on, as far as servers
// look.
void join_values(std::string& value, size_t at) {
  for (int step = 0; step < kJoinSteps; ++step) {
    const std::optional<HllOpcode> opcode = opcode_at(value, at);
    if (!opcode) return;
    const std::optional<HllOpcode> next = opcode_at(value, at + opcode->size);
    if (opcode->count > 0 && next && next->count == opcode->count &&
        opcode->run + next->run <= kValueRunMax) {
      value.erase(at, 1);
      value[at] = value_opcode(opcode->count, opcode->run + next->run);
    } else {
      at += opcode->size;
    }
  }
}

HllChange promote_and_raise(std::string& value, Sighting sighting) {
  if (!hll_to_dense(value)) return HllChange::corrupt;
  return raise_dense(value, sighting.index, sighting.count) ? HllChange::changed : HllChange::unchanged;
}

// Like a server, looks no further than the register; whether the rest adds up shows when somebody counts.
HllChange raise_sparse(std::string& value, Sighting sighting, size_t sparse_bytes_max) {
  if (value.size() > kSparseBytesLimit) return HllChange::corrupt;
  if (sighting.count > kSparseValueMax) return promote_and_raise(value, sighting);
  size_t at = kHeaderBytes;
  size_t before = at;  // the opcode before, or the first
  uint32_t first = 0;  // the register at which the opcode begins
  std::optional<HllOpcode> found = opcode_at(value, at);
  while (found && sighting.index >= first + found->run) {
    before = at;
    at += found->size;
    first += found->run;
    found = opcode_at(value, at);
  }
  if (!found) return HllChange::corrupt;
  if (found->count >= sighting.count) return HllChange::unchanged;

  const uint32_t left = sighting.index - first;
  std::string opcodes;
  append_run(opcodes, found->count, left);
  append_run(opcodes, sighting.count, 1);
  append_run(opcodes, found->count, found->run - left - 1);
  const size_t size = value.size() - found->size + opcodes.size();
  if (opcodes.size() > found->size && size > sparse_bytes_max) return promote_and_raise(value, sighting);
  value.replace(at, found->size, opcodes);
  join_values(value, before);
  return HllChange::changed;
}

HllChange raise(std::string& value, Sighting sighting, size_t sparse_bytes_max) {
  if (!is_dense(value)) return raise_sparse(value, sighting, sparse_bytes_max);
  return raise_dense(value, sighting.index, sighting.count) ? HllChange::changed : HllChange::unchanged;
}

// --- Registers as a whole ---------------------------------------------------------------------------------

bool merge_into(Registers& registers, Bytes value) {
  if (!is_dense(value)) {
    return walk_sparse(value, [&](uint32_t index, const HllOpcode& opcode) {
      for (uint32_t i = index; opcode.count > 0 && i < index + opcode.run; ++i)
        registers[i] = std::max(registers[i], opcode.count);
    });
  }
  for (uint32_t i = 0; i < kRegisters; ++i) registers[i] = std::max(registers[i], get_dense(value, i));
  return true;
}

// --- Estimators -------------------------------------------------------------------------------------------

double inverse_powers_sum(const Histogram& histogram) {
  double sum = 0;
  for (size_t count = histogram.size(); count-- > 0;)
    sum += std::ldexp(static_cast<double>(histogram[count]), -static_cast<int>(count));
  return sum;
}

double alpha() { return 0.7213 / (1 + 1.079 / kRegisters); }

uint64_t estimate_raw(const Histogram& histogram) {
  constexpr double kSize = kRegisters;
  double estimate = (1 / inverse_powers_sum(histogram)) * alpha() * kSize * kSize;
  if (estimate < kSize * 2.5 && histogram[0] != 0) {
    estimate = kSize * std::log(kSize / histogram[0]);
  } else if (estimate < 72000) {
    const double e = estimate;
    const double bias_percent = 5.9119e-18 * (e * e * e * e) - 1.4253e-12 * (e * e * e) +
                                1.2940e-7 * (e * e) - 5.2921e-3 * e + 83.3216;
    estimate -= estimate * (bias_percent / 100);
  }
  constexpr double kEnough = 1e18;  // registers that no element sets reach beyond what 64 bits hold
  return static_cast<uint64_t>(std::min(estimate, kEnough));
}

uint64_t estimate_log_log_beta(const Histogram& histogram) {
  constexpr double kSize = kRegisters;
  constexpr std::array kCoefficients = {0.070471823, 0.17393686,   0.16339839, -0.09237745,
                                        0.03738027,  -0.005384159, 0.00042419};
  const double zeros = histogram[0];
  const double log_zeros = std::log(zeros + 1);
  double beta = -0.370393911 * zeros;
  for (size_t i = 0; i < kCoefficients.size(); ++i)
    beta += kCoefficients[i] * std::pow(log_zeros, static_cast<double>(i + 1));
  const double sum = inverse_powers_sum(histogram) + beta;
  return static_cast<uint64_t>(std::llround(alpha() * kSize * (kSize - zeros) * (1 / sum)));
}

double ertl_sigma(double x) {
  if (x == 1) return std::numeric_limits<double>::infinity();
  double z = x;
  double before;
  double y = 1;
  do {
    x *= x;
    before = z;
    z += x * y;
    y += y;
  } while (before != z);
  return z;
}

double ertl_tau(double x) {
  if (x == 0 || x == 1) return 0;
  double z = 1 - x;
  double before;
  double y = 1;
  do {
    x = std::sqrt(x);
    before = z;
    y *= 0.5;
    z -= (1 - x) * (1 - x) * y;
  } while (before != z);
  return z / 3;
}

uint64_t estimate_ertl(const Histogram& histogram) {
  constexpr double kSize = kRegisters;
  constexpr double kAlphaInfinity = 0.721347520444481703680;  // 0.5 / ln 2
  double z = kSize * ertl_tau((kSize - histogram[kHashBits + 1]) / kSize);
  for (size_t count = kHashBits; count > 0; --count) z = (z + histogram[count]) * 0.5;
  z += kSize * ertl_sigma(histogram[0] / kSize);
  return static_cast<uint64_t>(std::llround(kAlphaInfinity * kSize * kSize / z));
}

uint64_t estimate(const Registers& registers, HllEstimator estimator) {
  Histogram histogram{};
  for (const uint8_t count : registers) ++histogram[count];
  switch (estimator) {
    case HllEstimator::raw:
      return estimate_raw(histogram);
    case HllEstimator::log_log_beta:
      return estimate_log_log_beta(histogram);
    case HllEstimator::ertl:
      return estimate_ertl(histogram);
  }
  return 0;
}

}  // namespace

std::string new_hyperloglog() {
  std::string value(kMagic);
  value += kSparse;
  value.resize(kHeaderBytes);
  append_run(value, 0, kRegisters);
  return value;
}

bool is_hyperloglog(Bytes value) {
  if (value.size() < kHeaderBytes || !value.starts_with(kMagic)) return false;
  return value[kEncodingAt] == kSparse || (is_dense(value) && value.size() == kDenseBytes);
}

HllChange hll_add(std::string& value, Bytes element, size_t sparse_bytes_max) {
  const HllChange change = raise(value, sighting_of(element), sparse_bytes_max);
  if (change == HllChange::changed) hll_invalidate(value);
  return change;
}

std::optional<uint64_t> hll_cached(Bytes value) {
  if ((byte_at(value, kHeaderBytes - 1) & kCacheInvalid) != 0) return std::nullopt;
  return load_le<uint64_t>(value.data() + kCacheAt);
}

void hll_store_cached(std::string& value, uint64_t cardinality) {
  for (size_t i = 0; i < sizeof cardinality; ++i)
    value[kCacheAt + i] = static_cast<char>((cardinality >> (8 * i)) & 0xff);
}

void hll_invalidate(std::string& value) {
  value[kHeaderBytes - 1] = static_cast<char>(byte_at(value, kHeaderBytes - 1) | kCacheInvalid);
}

std::optional<uint64_t> hll_count(Bytes value, HllEstimator estimator) {
  return hll_count_union({&value, 1}, estimator);
}

std::optional<uint64_t> hll_count_union(std::span<const Bytes> values, HllEstimator estimator) {
  Registers registers{};
  for (const Bytes value : values)
    if (!merge_into(registers, value)) return std::nullopt;
  return estimate(registers, estimator);
}

bool hll_merge(std::string& target, std::span<const Bytes> sources, HllMergeResult result,
               size_t sparse_bytes_max) {
  Registers registers{};
  bool dense = result == HllMergeResult::dense || is_dense(target);
  if (!merge_into(registers, target)) return false;
  for (const Bytes source : sources) {
    if (!merge_into(registers, source)) return false;
    dense = dense || is_dense(source);
  }
  if (dense && !hll_to_dense(target)) return false;
  for (uint32_t i = 0; i < kRegisters; ++i)
    if (registers[i] > 0) raise(target, {i, registers[i]}, sparse_bytes_max);
  hll_invalidate(target);
  return true;
}

bool hll_to_dense(std::string& value) {
  if (is_dense(value)) return true;
  std::string dense(value, 0, kHeaderBytes);
  dense[kEncodingAt] = kDense;
  dense.resize(kDenseBytes);
  const bool whole = walk_sparse(value, [&](uint32_t index, const HllOpcode& opcode) {
    for (uint32_t i = index; opcode.count > 0 && i < index + opcode.run; ++i)
      raise_dense(dense, i, opcode.count);
  });
  if (whole) value = std::move(dense);
  return whole;
}

}  // namespace persist
