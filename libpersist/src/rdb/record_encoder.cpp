// Prefixes stand in the order in which servers write them: expiry, idle time or frequency, metadata.
#include "rdb/record_encoder.hpp"

#include <stdexcept>

#include "base/crc64.hpp"
#include "types/module.hpp"

namespace persist {

namespace {

constexpr size_t kMagicBytes = 9;  // with the version
constexpr uint64_t kAnnotatedNumber = 2;
constexpr int64_t kMillisecondsPerSecond = 1000;

}  // namespace

void RecordEncoder::header() {
  const RdbHeader header = target().header();
  const Bytes magic = header.dialect == Dialect::redis ? "REDIS" : "VALKEY";
  const std::string digits = std::to_string(header.version);
  encoder_.raw(magic);
  encoder_.raw(std::string(kMagicBytes - magic.size() - digits.size(), '0'));
  encoder_.raw(digits);
}

void RecordEncoder::aux(Bytes name, Bytes value) {
  opcode(Opcode::aux);
  encoder_.string(name);
  encoder_.string(value);
}

void RecordEncoder::select(uint64_t db) {
  opcode(Opcode::select_db);
  encoder_.length(db);
}

void RecordEncoder::resize(const ResizeDb& sizes) {
  opcode(Opcode::resize_db);
  encoder_.length(sizes.keys);
  encoder_.length(sizes.volatile_keys);
}

void RecordEncoder::slot_info(const SlotInfo& info) {
  opcode(Opcode::slot_info);
  encoder_.length(info.slot);
  encoder_.length(info.keys);
  encoder_.length(info.volatile_keys);
}

void RecordEncoder::function(Bytes code) {
  opcode(Opcode::function);
  encoder_.string(code);
}

void RecordEncoder::module_aux(const ModuleAux& aux) {
  opcode(Opcode::module_aux);
  encoder_.length(module_id(aux.module, aux.encver));
  encoder_.length(kAnnotatedNumber);
  encoder_.length(aux.when);
  encoder_.raw(aux.payload);
}

void RecordEncoder::prefixes(const RdbEntry& entry) {
  if (entry.expire_at_ms != kNoExpiry) {
    if (entry.expiry_in_seconds) {
      opcode(Opcode::expire_s);
      encoder_.le(static_cast<int32_t>(entry.expire_at_ms / kMillisecondsPerSecond));
    } else {
      opcode(Opcode::expire_ms);
      encoder_.le(entry.expire_at_ms);
    }
  }
  if (entry.idle_s) {
    opcode(Opcode::idle);
    encoder_.length(*entry.idle_s);
  } else if (entry.freq) {
    opcode(Opcode::freq);
    encoder_.u8(*entry.freq);
  }
  if (!entry.key_meta.empty()) {
    opcode(Opcode::key_meta);
    encoder_.raw(entry.key_meta);
  }
}

const EncodingRow& RecordEncoder::row_for(const RdbEntry& entry, const Value& value) const {
  const EncodingRow* row = choose_encoding(value, rules());
  if (row != nullptr) return *row;
  throw std::invalid_argument("the value of \"" + std::string(entry.key) + "\", a " +
                              std::string(value_type_name(value.type)) + ", cannot be written for " +
                              std::string(target().name));
}

void RecordEncoder::entry(const RdbEntry& entry, const Value& value) {
  const EncodingRow& row = row_for(entry, value);
  prefixes(entry);
  encoder_.u8(row.code);
  encoder_.string(entry.key);
  row.encode(encoder_, value);
}

void RecordEncoder::entry_with(const RdbEntry& entry, Bytes value) {
  prefixes(entry);
  encoder_.u8(entry.encoding->code);
  encoder_.string(entry.key);
  encoder_.raw(value);
}

void RecordEncoder::string_entry(const RdbEntry& entry, Bytes text) {
  constexpr uint8_t kStringCode = 0;
  prefixes(entry);
  encoder_.u8(kStringCode);
  encoder_.string(entry.key);
  encoder_.string(text);
}

void RecordEncoder::payload(const RdbEntry& entry, const Value& value) {
  const size_t begin = encoder_.out().size();
  if (!entry.key_meta.empty()) {
    opcode(Opcode::key_meta);
    encoder_.raw(entry.key_meta);
  }
  const EncodingRow& row = row_for(entry, value);
  encoder_.u8(row.code);
  row.encode(encoder_, value);
  encoder_.le(static_cast<uint16_t>(target().header().version));
  encoder_.le(crc64(0, encoder_.out().bytes().substr(begin)));
}

void RecordEncoder::end() { opcode(Opcode::end); }

bool RecordEncoder::has_checksum() const { return target().header().version >= kChecksumSince; }

}  // namespace persist
