// The table of opcodes, and what each is followed by.
#include "rdb/opcodes.hpp"

#include <array>

#include "types/module.hpp"
#include "types/primitives.hpp"

namespace persist {

namespace {

constexpr uint64_t kClassesMax = 7;
constexpr uint64_t kRangeBytesMin = 2;

template <uint64_t bytes>
void skip_bytes(Cursor& in) {
  in.skip(bytes, "opcode payload");
}

template <int count>
void skip_lengths(Cursor& in) {
  for (int i = 0; i < count; ++i) in.length("opcode payload");
}

template <int count>
void skip_strings_of(Cursor& in) {
  for (int i = 0; i < count; ++i) skip_string(in, "opcode payload");
}

void skip_nothing(Cursor& /*in*/) {}

void skip_module_aux(Cursor& in) {
  skip_lengths<3>(in);  // id, the opcode of when, when
  skip_annotated(in);
}

void skip_function_pre_release(Cursor& in) {
  skip_strings_of<2>(in);
  if (in.length("function has description") != 0) skip_string(in, "function description");
  skip_string(in, "function code");
}

void skip_key_meta(Cursor& in) {
  const uint64_t at = in.offset();
  const uint64_t classes = in.length("key metadata classes");
  if (classes < 1 || classes > kClassesMax) {
    in.fail(FindingCode::rdb_key_meta, {at, in.offset() - at}, "key metadata classes", "1 to 7",
            std::to_string(classes));
  }
  for (uint64_t left = classes; left > 0; --left) {
    in.skip(sizeof(uint32_t), "key metadata class");
    skip_annotated(in);
  }
}

void skip_slot_import(Cursor& in) {
  skip_string(in, "slot import job");
  for (uint64_t left = in.count("slot range count", kRangeBytesMin); left > 0; --left) skip_lengths<2>(in);
}

constexpr std::array kRows = {
    OpcodeRow{0xff, Opcode::end, "eof", true, true, false, skip_nothing},
    OpcodeRow{0xfe, Opcode::select_db, "selectdb", true, true, false, skip_lengths<1>},
    OpcodeRow{0xfd, Opcode::expire_s, "expiretime", true, true, true, skip_bytes<4>},
    OpcodeRow{0xfc, Opcode::expire_ms, "expiretime-ms", true, true, true, skip_bytes<8>},
    OpcodeRow{0xfb, Opcode::resize_db, "resizedb", true, true, false, skip_lengths<2>},
    OpcodeRow{0xfa, Opcode::aux, "aux", true, true, false, skip_strings_of<2>},
    OpcodeRow{0xf9, Opcode::freq, "freq", true, true, true, skip_bytes<1>},
    OpcodeRow{0xf8, Opcode::idle, "idle", true, true, true, skip_lengths<1>},
    OpcodeRow{0xf7, Opcode::module_aux, "module-aux", true, true, false, skip_module_aux},
    OpcodeRow{0xf6, Opcode::function_pre_release, "function-pre-release", true, true, false,
              skip_function_pre_release},
    OpcodeRow{0xf5, Opcode::function, "function", true, true, false, skip_strings_of<1>},
    OpcodeRow{0xf4, Opcode::slot_info, "slot-info", true, true, false, skip_lengths<3>},
    OpcodeRow{0xf3, Opcode::key_meta, "key-meta", true, false, true, skip_key_meta},
    OpcodeRow{0xf3, Opcode::slot_import, "slot-import", false, true, false, skip_slot_import},
};

using ByCode = std::array<const OpcodeRow*, 256>;

constexpr ByCode rows_of(Dialect dialect) {
  ByCode rows{};
  for (const OpcodeRow& row : kRows) {
    if (dialect == Dialect::redis ? row.in_redis : row.in_valkey) rows[row.code] = &row;
  }
  return rows;
}
constexpr std::array<ByCode, 2> kByCode = {rows_of(Dialect::redis), rows_of(Dialect::valkey)};

constexpr auto kCodes = [] {
  std::array<uint8_t, kRows.size()> codes{};
  for (const OpcodeRow& row : kRows) codes[static_cast<size_t>(row.opcode)] = row.code;
  return codes;
}();

}  // namespace

const OpcodeRow* find_opcode(Dialect dialect, uint8_t code) {
  return kByCode[static_cast<size_t>(dialect)][code];
}

uint8_t opcode_code(Opcode opcode) { return kCodes[static_cast<size_t>(opcode)]; }

const char* unestablished_opcode(Dialect dialect, uint8_t code) {
  constexpr uint8_t kContested = 0xf2;
  if (code != kContested) return nullptr;
  return dialect == Dialect::redis ? "a hash template of Redis 8.10"
                                   : "an update record of a Valkey after 9.1";
}

Bytes read_key_meta(Cursor& in) {
  const uint64_t at = in.offset();
  skip_key_meta(in);
  const uint64_t size = in.offset() - at;
  in.seek(at);
  return in.take(size, "key metadata");
}

}  // namespace persist
