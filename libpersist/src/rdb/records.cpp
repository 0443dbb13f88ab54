// What stands behind each opcode. man/persist-rdb.5, OPCODES
#include <algorithm>
#include <array>

#include "rdb/record_reader.hpp"
#include "types/module.hpp"
#include "types/primitives.hpp"

namespace persist {

namespace {

constexpr uint64_t kDbMax = (uint64_t{1} << 31) - 1;
constexpr int64_t kMsPerSecond = 1000;
constexpr uint64_t kSlotRangeBytesMin = 2;
constexpr uint64_t kWhenOpcode = 2;
constexpr uint64_t kWhenMax = 2;

}  // namespace

Bytes checksum_state_name(ChecksumState state) {
  constexpr std::array<Bytes, 4> kNames = {"good", "bad", "disabled", "absent"};
  return kNames[static_cast<size_t>(state)];
}

RecordReader::ReadOpcode RecordReader::reader_of(Opcode opcode) {
  static constexpr std::array<ReadOpcode, 14> kReaders = {
      &RecordReader::read_end,          &RecordReader::read_select_db,
      &RecordReader::read_expire_s,     &RecordReader::read_expire_ms,
      &RecordReader::read_resize_db,    &RecordReader::read_aux,
      &RecordReader::read_freq,         &RecordReader::read_idle,
      &RecordReader::read_module_aux,   &RecordReader::read_function_pre_release,
      &RecordReader::read_function,     &RecordReader::read_slot_info,
      &RecordReader::read_key_metadata, &RecordReader::read_slot_import,
  };
  return kReaders[static_cast<size_t>(opcode)];
}

// ------------------------------------------------------------------------------------------------ prefixes

void RecordReader::read_expire_s() {
  prefixes_.expire_at_ms = in_.le<int32_t>("expiry in seconds") * kMsPerSecond;
  prefixes_.expiry_in_seconds = true;
}

void RecordReader::read_expire_ms() {
  prefixes_.expire_at_ms = in_.le<int64_t>("expiry in milliseconds");
  prefixes_.expiry_in_seconds = false;
}

void RecordReader::read_freq() { prefixes_.freq = in_.u8("LFU frequency"); }

void RecordReader::read_idle() { prefixes_.idle_s = in_.length("LRU idle time"); }

void RecordReader::read_key_metadata() {
  prefixes_.key_meta = read_key_meta(in_);
  has_key_meta_ = true;
}

// ------------------------------------------------------------------------------------------------ between
// keys

void RecordReader::read_select_db() {
  const uint64_t at = in_.offset();
  const uint64_t db = in_.length("database number");
  if (db > kDbMax) {
    in_.fail(FindingCode::rdb_db_range, {at, in_.offset() - at}, "database number", "less than 2^31",
             std::to_string(db));
  }
  state_.db = db;
  record_.body = SelectDb{db};
}

void RecordReader::read_resize_db() {
  const uint64_t keys = in_.length("number of keys");
  record_.body = ResizeDb{keys, in_.length("number of volatile keys")};
}

void RecordReader::read_aux() {
  const Bytes name = read_string(in_, "AUX name");
  record_.body = AuxField{name, read_string(in_, "AUX value")};
}

void RecordReader::read_slot_info() {
  SlotInfo info;
  info.slot = in_.length("slot");
  info.keys = in_.length("slot's number of keys");
  info.volatile_keys = in_.length("slot's number of volatile keys");
  record_.body = info;
}

void RecordReader::read_slot_import() {
  const Bytes job = read_string(in_, "slot import job");
  ScratchList<SlotRange> slots(scratch_);
  for (uint64_t left = in_.count("slot range count", kSlotRangeBytesMin); left > 0; --left) {
    const uint64_t first = in_.length("first slot");
    slots.push({first, in_.length("last slot")});
  }
  record_.body = SlotImport{job, slots.items()};
}

void RecordReader::read_function() {
  FunctionLibrary library;
  library.code = read_string(in_, "function library");
  record_.body = library;
}

void RecordReader::read_function_pre_release() {
  FunctionLibrary library;
  library.pre_release = true;
  library.name = read_string(in_, "function name");
  library.engine = read_string(in_, "function engine");
  if (in_.length("function has description") != 0)
    library.description = read_string(in_, "function description");
  library.code = read_string(in_, "function code");
  record_.body = library;
}

void RecordReader::read_module_aux() {
  const ModuleId id = parse_module_id(in_.length("module id"));
  const uint64_t at = in_.offset();
  const uint64_t opcode = in_.length("module aux opcode");
  const uint64_t when = in_.length("module aux time");
  if (opcode != kWhenOpcode || when < 1 || when > kWhenMax) {
    in_.fail(FindingCode::module_damaged, {at, in_.offset() - at}, "module aux time", "opcode 2 and 1 or 2",
             "opcode " + std::to_string(opcode) + " and " + std::to_string(when));
  }
  const uint64_t payload_at = in_.offset();
  skip_annotated(in_);
  const uint64_t size = in_.offset() - payload_at;
  in_.seek(payload_at);
  char* name = scratch_.take(kModuleNameBytes);
  std::ranges::copy(id.name_bytes(), name);
  record_.body = ModuleAux{{name, kModuleNameBytes}, id.encver, when, in_.take(size, "module aux")};
}

// ------------------------------------------------------------------------------------------------ the end

void RecordReader::read_end() {
  RdbEnd end;
  if (state_.has_checksum) {
    // Everything up to here counts, the checksum itself does not.
    const uint64_t at = in_.offset();
    in_.settle_checksum();
    end.computed = state_.checksum.value;
    end.stored = in_.le<uint64_t>("checksum");
    end.checksum = end.stored == 0              ? ChecksumState::disabled
                   : end.stored == end.computed ? ChecksumState::good
                                                : ChecksumState::bad;
    const auto hex = [](uint64_t value) {
      std::array<char, 17> text{};
      std::snprintf(text.data(), text.size(), "%016llx", static_cast<unsigned long long>(value));
      return std::string(text.data());
    };
    if (end.checksum == ChecksumState::bad) {
      warn(FindingCode::rdb_checksum, {at, sizeof(uint64_t)}, "checksum", hex(end.computed), hex(end.stored));
    } else if (end.checksum == ChecksumState::disabled) {
      warn(FindingCode::rdb_no_checksum, {at, sizeof(uint64_t)}, "checksum", "", "0, which means none");
    }
  }
  complete_ = true;
  record_.body = end;
  check_eof_mark();
  check_trailing();
}

void RecordReader::check_eof_mark() {
  if (state_.announced_bytes && *state_.announced_bytes != in_.offset() - state_.magic_offset) {
    warn(FindingCode::rdb_wrapper_length, {state_.magic_offset, in_.offset() - state_.magic_offset},
         "RDB data", std::to_string(*state_.announced_bytes) + " bytes",
         std::to_string(in_.offset() - state_.magic_offset));
  }
  if (state_.eof_mark.empty()) return;
  const uint64_t at = in_.offset();
  const Bytes next = in_.ahead(state_.eof_mark.size());
  if (next == state_.eof_mark) return in_.skip(next.size(), "end mark");
  const bool torn = state_.eof_mark.starts_with(next);
  warn(FindingCode::rdb_eof_mark, {at, next.size()}, "end mark of the replication stream", state_.eof_mark,
       torn ? std::to_string(next.size()) + " bytes of it" : "other bytes");
}

void RecordReader::check_trailing() {
  const bool replicated = !state_.eof_mark.empty() || state_.announced_bytes.has_value();
  if (source_ == nullptr || replicated || in_.at_end()) return;
  const uint64_t at = in_.offset();
  const Bytes next = in_.ahead(1);
  const bool commands = next == "*" || next == "#";
  const std::optional<uint64_t> left = in_.remaining();
  warn(commands ? FindingCode::rdb_aof_tail : FindingCode::rdb_trailing, {at, left.value_or(0)},
       "end of the RDB data", "the end of the file",
       (left ? std::to_string(*left) : "more") + (commands ? " bytes of commands" : " bytes"));
}

}  // namespace persist
