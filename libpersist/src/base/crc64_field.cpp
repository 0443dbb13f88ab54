// Products by carry-less multiplication, logarithms by Pohlig and Hellman: one in each of four subgroups,
// whose orders have no factor in common, by baby steps and giant steps.
#include "base/crc64_field.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace persist {

#if defined(__x86_64__)

namespace {

constexpr uint64_t kReflectedGenerator = residue_times_x(1);

// With the product of 127 bits one step to the left, its upper half is below x^64 and its lower half is to be
// made 0 by a multiple of the generator. Which one, the inverse of the generator as a power series tells,
// that is, modulo 2^64 without carries; it is one step to the left already, so that the product need not be.
constexpr uint64_t make_reducer() {
  constexpr uint64_t kGeneratorLow = kReflectedGenerator << 1 | 1;  // but for x^0
  uint64_t inverse = 0;
  uint64_t left = 1;
  for (unsigned i = 0; i < 64; ++i) {
    if ((left >> i & 1) == 0) continue;
    inverse |= uint64_t{1} << i;
    left ^= kGeneratorLow << i;
  }
  return inverse << 1;
}

__attribute__((target("pclmul"))) uint64_t residue_product_by_clmul(uint64_t a, uint64_t b) {
  constexpr auto kReducer = static_cast<long long>(make_reducer());
  constexpr auto kGenerator = static_cast<long long>(kReflectedGenerator);
  const __m128i product = _mm_clmulepi64_si128(_mm_cvtsi64_si128(static_cast<long long>(a)),
                                               _mm_cvtsi64_si128(static_cast<long long>(b)), 0);
  const __m128i quotient = _mm_clmulepi64_si128(product, _mm_cvtsi64_si128(kReducer), 0);
  const __m128i reduced =
      _mm_xor_si128(product, _mm_clmulepi64_si128(quotient, _mm_cvtsi64_si128(kGenerator), 0));
  const auto low = static_cast<uint64_t>(_mm_cvtsi128_si64(reduced));
  const auto high = static_cast<uint64_t>(_mm_cvtsi128_si64(_mm_unpackhi_epi64(reduced, reduced)));
  return high << 1 | low >> 63;
}

}  // namespace

#endif

uint64_t residue_product_by_nibbles(uint64_t a, uint64_t b) {
  static constexpr auto kOverflows = residue_overflows<4>();
  std::array<uint64_t, 16> multiples{};  // by four coefficients of b, bit 3 being the lowest power
  for (size_t bit = 8; bit != 0; bit /= 2) {
    multiples[bit] = a;
    a = residue_times_x(a);
  }
  for (size_t i = 1; i < 16; ++i) multiples[i] = multiples[i & (i - 1)] ^ multiples[i & (~i + 1)];
  uint64_t product = 0;
  for (unsigned i = 0; i < 64; i += 4)
    product = product >> 4 ^ kOverflows[product & 15] ^ multiples[b >> i & 15];
  return product;
}

uint64_t residue_product(uint64_t a, uint64_t b) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("pclmul") != 0) return residue_product_by_clmul(a, b);
#endif
  return residue_product_by_nibbles(a, b);
}

uint64_t residue_power(uint64_t base, uint64_t exponent) {
  uint64_t power = kResidueOne;
  for (; exponent != 0; exponent >>= 1) {
    if ((exponent & 1) != 0) power = residue_product(power, base);
    base = residue_product(base, base);
  }
  return power;
}

uint64_t residue_of_x(uint64_t exponent) {
  uint64_t power = kResidueOne;
  for (int bit = static_cast<int>(std::bit_width(exponent)) - 1; bit >= 0; --bit) {
    power = residue_product(power, power);
    if ((exponent >> bit & 1) != 0) power = residue_times_x(power);
  }
  return power;
}

uint64_t residue_inverse(uint64_t a) { return residue_power(a, kResidueOrder - 1); }

// ---------------------------------------------------------------------------------------------- logarithms

// a^(2^16) for any a: as squaring is linear, a sum of what each of its bytes contributes.
class SixteenSquarings {
 public:
  SixteenSquarings() {
    for (size_t bit = 0; bit < 64; ++bit) {
      uint64_t power = uint64_t{1} << bit;
      for (int i = 0; i < 16; ++i) power = residue_product(power, power);
      std::array<uint64_t, 256>& row = bytes_[bit / 8];
      const size_t lowest = size_t{1} << bit % 8;
      for (size_t rest = 0; rest < lowest; ++rest) row[lowest + rest] = row[rest] ^ power;
    }
  }

  [[nodiscard]] uint64_t of(uint64_t a) const {
    uint64_t sum = 0;
    for (size_t i = 0; i < 8; ++i) sum ^= bytes_[i][a >> 8 * i & 0xff];
    return sum;
  }

 private:
  std::array<std::array<uint64_t, 256>, 8> bytes_{};
};

// The subgroup of one order. With c = kResidueOrder / order, a^c is in it for every a = x^e. Its logarithm s
// to the base x^(c*c) makes s*c congruent to e modulo the order and to 0 modulo the others: e is their sum.
class SubgroupLogs {
 public:
  SubgroupLogs(uint64_t order, uint64_t queries)
      : order_(order), cofactor_(kResidueOrder / order), baby_steps_(balanced_steps(order, queries)) {
    const size_t size = std::bit_ceil(baby_steps_ * 2);
    slots_.resize(size);
    shift_ = 64 - std::countr_zero(size);
    const uint64_t base = residue_power(residue_of_x(cofactor_), cofactor_);
    uint64_t power = kResidueOne;
    for (uint32_t exponent = 0; exponent < baby_steps_; ++exponent) {
      slots_[slot_of(power)] = {power, exponent};
      power = residue_product(power, base);
    }
    giant_step_ = residue_inverse(power);
  }

  // What `a`, which is an element, contributes to the exponent.
  [[nodiscard]] uint64_t share(uint64_t a) const {
    for (uint64_t giant = 0; giant < order_; giant += baby_steps_) {
      const Slot& slot = slots_[slot_of(a)];
      if (slot.element == a) return (giant + slot.exponent) * cofactor_;
      a = residue_product(a, giant_step_);
    }
    return 0;  // no element
  }

 private:
  struct Slot {
    uint64_t element = 0;  // 0: free
    uint32_t exponent = 0;
  };

  // As many as make the table cost what the queries do, within 32 MB.
  static uint64_t balanced_steps(uint64_t order, uint64_t queries) {
    constexpr uint64_t kStepsMax = uint64_t{1} << 20;
    const double balanced =
        std::sqrt(static_cast<double>(order) * std::max(static_cast<double>(queries) / 2, 1.0));
    const uint64_t most = std::min(order, kStepsMax);
    return balanced < static_cast<double>(most) ? static_cast<uint64_t>(balanced) + 1 : most;
  }

  // Where it is, or else would be.
  [[nodiscard]] size_t slot_of(uint64_t element) const {
    size_t i = element * 0x9e3779b97f4a7c15 >> shift_;
    while (slots_[i].element != element && slots_[i].element != 0) i = (i + 1) & (slots_.size() - 1);
    return i;
  }

  uint64_t order_;
  uint64_t cofactor_;
  uint64_t baby_steps_;
  uint64_t giant_step_ = 0;  // base^-baby_steps_
  std::vector<Slot> slots_;  // at most half of them in use
  int shift_ = 0;            // from a hash to a slot
};

// 65535 * 65537 * 641 * 6700417 is the order of x.
struct ResidueLogs::Tables {
  explicit Tables(uint64_t queries)
      : of_65535(65535, queries),
        of_65537(65537, queries),
        of_641(641, queries),
        of_6700417(6700417, queries) {}

  SixteenSquarings squarings;
  SubgroupLogs of_65535;
  SubgroupLogs of_65537;
  SubgroupLogs of_641;
  SubgroupLogs of_6700417;
};

ResidueLogs::ResidueLogs(uint64_t queries) : tables_(std::make_unique<Tables>(queries)) {}
ResidueLogs::~ResidueLogs() = default;

uint64_t ResidueLogs::of(uint64_t a) const {
  const SixteenSquarings& squarings = tables_->squarings;
  // a^(2^n - 1), n doubling.
  uint64_t ones = a;
  for (unsigned n = 1; n < 16; n *= 2) {
    uint64_t shifted = ones;
    for (unsigned i = 0; i < n; ++i) shifted = residue_product(shifted, shifted);
    ones = residue_product(shifted, ones);
  }
  const uint64_t ones_16 = squarings.of(ones);  // a^((2^16 - 1) * 2^16)
  const uint64_t ones_32 = squarings.of(ones_16);
  const uint64_t half = residue_product(ones, ones_16);  // a^(2^32 - 1), of the order 641 * 6700417
  const uint64_t pair = residue_product(a, squarings.of(a));
  const uint64_t norm = residue_product(pair, squarings.of(squarings.of(pair)));  // a^(65537 * (2^32 + 1))
  uint64_t exponent = tables_->of_65535.share(norm);
  exponent = exponent_sum(exponent, tables_->of_65537.share(residue_product(ones, ones_32)));
  exponent = exponent_sum(exponent, tables_->of_641.share(residue_power(half, 6700417)));
  return exponent_sum(exponent, tables_->of_6700417.share(residue_power(half, 641)));
}

}  // namespace persist
