// One row for each type, made when first asked for.
#include "ops/plain_encoding.hpp"

#include <array>

namespace persist {

namespace {

constexpr size_t kTypes = static_cast<size_t>(ValueType::module) + 1;

std::array<Encoding, kTypes> make_rows() {
  std::array<Encoding, kTypes> rows;
  for (size_t i = 0; i < kTypes; ++i) {
    rows[i].type = static_cast<ValueType>(i);
    rows[i].label = value_type_name(rows[i].type);
  }
  return rows;
}

}  // namespace

const Encoding& plain_encoding(ValueType type) {
  static const std::array<Encoding, kTypes> kRows = make_rows();
  return kRows[static_cast<size_t>(type)];
}

RdbEntry head_of(uint64_t db, const KeyEntry& held) {
  RdbEntry entry;
  entry.db = db;
  entry.key = held.key();
  entry.encoding = &plain_encoding(held.type());
  entry.expire_at_ms = held.expire_at_ms;
  if (held.idle_s != KeyEntry::kNoIdle) entry.idle_s = held.idle_s;
  if (held.has_freq) entry.freq = held.freq;
  return entry;
}

}  // namespace persist
