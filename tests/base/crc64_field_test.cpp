// Residues against their definition, and logarithms against powers.
#include "base/crc64_field.hpp"

#include <doctest/doctest.h>

#include <random>

#include "base/crc64.hpp"

using namespace persist;

namespace {

constexpr uint64_t kFactors[] = {3, 5, 17, 257, 641, 65537, 6700417};

// Horner's rule: b's coefficients from the highest power, bit 0, on.
uint64_t product_by_bits(uint64_t a, uint64_t b) {
  uint64_t product = 0;
  for (unsigned bit = 0; bit < 64; ++bit) product = residue_times_x(product) ^ ((b >> bit & 1) != 0 ? a : 0);
  return product;
}

}  // namespace

TEST_CASE("crc64 field: products are what the definition says, on any processor") {
  constexpr uint64_t kSome[] = {0, 1, 2, kResidueOne, kResidueOne >> 1, ~uint64_t{0}, 0x95ac9329ac4bc9b5};
  const auto check = [](uint64_t a, uint64_t b) {
    CAPTURE(a);
    CAPTURE(b);
    CHECK(residue_product(a, b) == product_by_bits(a, b));
    CHECK(residue_product_by_nibbles(a, b) == product_by_bits(a, b));
  };
  for (const uint64_t a : kSome)
    for (const uint64_t b : kSome) check(a, b);
  std::mt19937_64 dice(1);
  for (int i = 0; i < 1000; ++i) check(dice(), dice());
}

TEST_CASE("crc64 field: the checksum is the message times x^64") {
  const Bytes message = "123456789";
  uint64_t sum = 0;
  for (size_t bit = 0; bit < message.size() * 8; ++bit) {
    const bool is_set = (static_cast<uint8_t>(message[bit / 8]) >> bit % 8 & 1) != 0;
    if (is_set) sum ^= residue_of_x(message.size() * 8 - 1 - bit + 64);
  }
  CHECK(sum == 0xe9c6d914c4b8d9ca);
  CHECK(sum == crc64(0, message));
}

TEST_CASE("crc64 field: single steps, powers and inverses agree") {
  CHECK(residue_of_x(0) == kResidueOne);
  CHECK(residue_of_x(1) == kResidueOne >> 1);
  CHECK(residue_of_x(63) == 1);
  CHECK(residue_of_x(64) == 0x95ac9329ac4bc9b5);
  CHECK(residue_power(residue_of_x(1), 1000) == residue_of_x(1000));
  std::mt19937_64 dice(2);
  for (int i = 0; i < 100; ++i) {
    const uint64_t a = dice();
    const uint64_t e = dice() >> (dice() % 64);
    CAPTURE(a);
    CAPTURE(e);
    CHECK(residue_times_x(residue_over_x(a)) == a);
    CHECK(residue_over_x(a) == residue_product(a, residue_of_x(kResidueOrder - 1)));
    CHECK(residue_product(a, residue_inverse(a)) == kResidueOne);
    CHECK(residue_product(residue_power(a, e), a) == residue_power(a, e + 1));
    CHECK(residue_product(residue_of_x(e), residue_of_x(kResidueOrder - e)) == kResidueOne);
    const uint64_t lowest = a & 0xfff;
    CHECK((a >> 12 ^ residue_overflows<12>()[lowest]) == residue_product(a, residue_of_x(12)));
  }
}

TEST_CASE("crc64 field: x has the order 2^64-1, no smaller one") {
  CHECK(residue_product(residue_of_x(kResidueOrder - 1), residue_of_x(1)) == kResidueOne);
  uint64_t order = 1;
  for (const uint64_t factor : kFactors) {
    CAPTURE(factor);
    CHECK(residue_of_x(kResidueOrder / factor) != kResidueOne);
    order *= factor;
  }
  CHECK(order == kResidueOrder);
}

TEST_CASE("crc64 field: exponents count modulo the order") {
  constexpr uint64_t kLast = kResidueOrder - 1;
  constexpr struct {
    uint64_t a, b, sum, difference;
  } kRows[] = {
      {0, 0, 0, 0},
      {5, 3, 8, 2},
      {3, 5, 8, kResidueOrder - 2},
      {kLast, 1, 0, kLast - 1},
      {1, kLast, 0, 2},
      {kLast, 2, 1, kLast - 2},
      {0, kLast, kLast, 1},
      {kLast, kLast, kLast - 1, 0},
      {kLast, 0, kLast, kLast},
  };
  for (const auto& row : kRows) {
    CAPTURE(row.a);
    CAPTURE(row.b);
    CHECK(exponent_sum(row.a, row.b) == row.sum);
    CHECK(exponent_difference(row.a, row.b) == row.difference);
  }
}

TEST_CASE("crc64 field: logarithms are exponents, however many are to be asked for") {
  constexpr uint64_t kQueries[] = {0, 1, 100, 20'000};
  for (const uint64_t queries : kQueries) {
    CAPTURE(queries);
    const ResidueLogs logs(queries);
    std::mt19937_64 dice(queries);
    const auto check = [&](uint64_t exponent) {
      CAPTURE(exponent);
      CHECK(logs.of(residue_of_x(exponent)) == exponent);
    };
    for (uint64_t exponent = 0; exponent < 3; ++exponent) {
      check(exponent);
      check(kResidueOrder - 1 - exponent);
    }
    // Elements of subgroups: all but one of the logarithms that make theirs are 0.
    for (const uint64_t factor : kFactors) {
      check(factor);
      check(kResidueOrder / factor);
      check(kResidueOrder / factor * (factor - 1));
    }
    for (int i = 0; i < (queries == 0 ? 2 : 100); ++i) {
      const uint64_t a = dice();
      CHECK(residue_of_x(logs.of(a)) == a);
    }
  }
}
