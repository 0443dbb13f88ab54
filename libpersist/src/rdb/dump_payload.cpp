// DUMP payloads: one value with a footer. man/persist-rdb.5, DUMP PAYLOAD
//
//   [f3 key metadata] type code, value, u16le RDB version, u64le checksum of all before it
#include "base/endian.hpp"
#include "rdb/opcodes.hpp"
#include "types/encodings.hpp"
#include "types/primitives.hpp"

#include "persist/rdb_reader.hpp"

namespace persist {

namespace {

constexpr size_t kFooterBytes = 10;
constexpr uint32_t kValkeySince = 80;  // no Redis file has or will have such a version for long
constexpr uint8_t kKeyMeta = 0xf3;

ChecksumState check_footer(Bytes payload, uint64_t stored) {
  if (stored == 0) return ChecksumState::disabled;
  return crc64(0, payload.substr(0, payload.size() - sizeof stored)) == stored ? ChecksumState::good
                                                                               : ChecksumState::bad;
}

}  // namespace

DumpPayload read_dump_payload(Bytes payload, ElementSink sink) {
  const Blob whole{payload, 0, false};
  if (payload.size() <= kFooterBytes) {
    whole.fail(FindingCode::dump_size, 0, payload.size(), "DUMP payload", "more than 10 bytes",
               std::to_string(payload.size()));
  }
  const Bytes body = payload.substr(0, payload.size() - kFooterBytes);
  DumpPayload told;
  told.version = load_le<uint16_t>(payload.data() + body.size());
  told.dialect = told.version >= kValkeySince ? Dialect::valkey : Dialect::redis;
  told.checksum = check_footer(payload, load_le<uint64_t>(payload.data() + body.size() + 2));
  if (told.checksum == ChecksumState::bad) {
    whole.fail(FindingCode::dump_checksum, body.size() + 2, sizeof(uint64_t), "DUMP payload checksum",
               "the checksum of the bytes before it", "another");
  }
  Scratch scratch;
  Cursor in(body, 0, scratch);
  uint8_t code = in.u8("type code");
  if (code == kKeyMeta && told.dialect == Dialect::redis) {
    told.key_meta = read_key_meta(in);
    code = in.u8("type code");
  }
  told.encoding = find_encoding(told.dialect, code);
  if (told.encoding == nullptr) {
    const bool known = unestablished_type(told.dialect, code) != nullptr;
    in.fail(known ? FindingCode::rdb_unestablished : FindingCode::rdb_unknown_code, {in.offset() - 1, 1},
            "type code", "a value", hex_byte(code));
  }
  row_of(*told.encoding).decode(in, sink);
  if (!in.at_end()) {
    in.fail(FindingCode::dump_size, {in.offset(), *in.remaining()}, "DUMP payload",
            "its footer behind the value", std::to_string(*in.remaining()) + " bytes more");
  }
  return told;
}

}  // namespace persist
