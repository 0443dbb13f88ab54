// The arithmetic that CRC-64/Jones is made of: residues of polynomials over GF(2) modulo its generator. That
// is primitive, so that every residue but 0 is a power of x, and 2^64-1 splits into small primes, so that the
// exponent is found in microseconds however large the file. man/persist-rdb.5, CHECKSUM
//
// Residues are reflected as the checksum is: bit 63 is the coefficient of x^0, bit 0 that of x^63. With that,
// crc64(0, m) is m(x) * x^64, where m(x) has the lowest bit of the first byte as its highest power.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace persist {

inline constexpr uint64_t kResidueOne = uint64_t{1} << 63;  // x^0

// The order of x: exponents count modulo this.
inline constexpr uint64_t kResidueOrder = ~uint64_t{0};

// Exponents modulo the order, which is what a carry is worth; both arguments are below it.
[[nodiscard]] constexpr uint64_t exponent_difference(uint64_t a, uint64_t b) {
  return a - b - (a < b ? 1 : 0);
}
[[nodiscard]] constexpr uint64_t exponent_sum(uint64_t a, uint64_t b) {
  return exponent_difference(a, exponent_difference(0, b));
}

[[nodiscard]] uint64_t residue_product(uint64_t a, uint64_t b);
// The same for processors that have no carry-less multiplication: several times slower.
[[nodiscard]] uint64_t residue_product_by_nibbles(uint64_t a, uint64_t b);
[[nodiscard]] uint64_t residue_power(uint64_t base, uint64_t exponent);
// x^exponent; of negative powers: x^(kResidueOrder - n).
[[nodiscard]] uint64_t residue_of_x(uint64_t exponent);
// The inverse of a residue that is not 0.
[[nodiscard]] uint64_t residue_inverse(uint64_t a);
// One step: a * x, and a / x.
[[nodiscard]] constexpr uint64_t residue_times_x(uint64_t a) {
  constexpr uint64_t kGenerator = 0x95ac9329ac4bc9b5;  // reflected, without x^64
  return (a >> 1) ^ ((a & 1) != 0 ? kGenerator : 0);
}
[[nodiscard]] constexpr uint64_t residue_over_x(uint64_t a) {
  constexpr uint64_t kGenerator = 0x95ac9329ac4bc9b5;
  return (a & kResidueOne) != 0 ? ((a ^ kGenerator) << 1) | 1 : a << 1;
}

// Many steps: a * x^kSteps is (a >> kSteps) ^ overflows[the kSteps lowest bits of a].
template <unsigned kSteps>
[[nodiscard]] constexpr std::array<uint64_t, size_t{1} << kSteps> residue_overflows() {
  std::array<uint64_t, size_t{1} << kSteps> overflows{};
  for (uint64_t lowest = 0; lowest < overflows.size(); ++lowest) {
    uint64_t moved = lowest;
    for (unsigned i = 0; i < kSteps; ++i) moved = residue_times_x(moved);
    overflows[lowest] = moved;
  }
  return overflows;
}

// Discrete logarithms to the base x. Has tables of up to forty megabytes, made once; may be used by several
// threads. Takes half a microsecond or one if many are asked for, forty if it is just one.
class ResidueLogs {
 public:
  // `queries`: how many logarithms will be asked for, about; the tables are balanced for that.
  explicit ResidueLogs(uint64_t queries);
  ~ResidueLogs();
  ResidueLogs(const ResidueLogs&) = delete;
  ResidueLogs& operator=(const ResidueLogs&) = delete;

  // The e < kResidueOrder with x^e == a; a is not 0.
  [[nodiscard]] uint64_t of(uint64_t a) const;

 private:
  struct Tables;
  std::unique_ptr<Tables> tables_;
};

}  // namespace persist
