// One row for each type, made when first asked for.
#include "types/plain_encoding.hpp"

#include <array>

namespace persist {

namespace {

constexpr size_t kPlainTypes = static_cast<size_t>(ValueType::module) + 1;

std::array<Encoding, kPlainTypes> make_plain_rows() {
  std::array<Encoding, kPlainTypes> rows;
  for (size_t i = 0; i < kPlainTypes; ++i) {
    rows[i].type = static_cast<ValueType>(i);
    rows[i].label = value_type_name(rows[i].type);
  }
  return rows;
}

}  // namespace

const Encoding& plain_encoding(ValueType type) {
  static const std::array<Encoding, kPlainTypes> kPlainRows = make_plain_rows();
  return kPlainRows[static_cast<size_t>(type)];
}

}  // namespace persist
