// How an RDB file begins: the magic and version, and what replication puts in front of it. man/persist-rdb.5,
// HEADER
#include <algorithm>

#include "base/decimal.hpp"
#include "rdb/diagnose.hpp"
#include "rdb/record_reader.hpp"

namespace persist {

namespace {

constexpr size_t kHeadBytes = 512;
constexpr size_t kEofMarkBytes = 40;
constexpr size_t kPrefaceLineMax = 128;

constexpr Bytes kRedisMagic = "REDIS";
constexpr Bytes kValkeyMagic = "VALKEY";
constexpr Bytes kEofPrefix = "EOF:";

constexpr uint32_t kRedisVersionMax = 14;
constexpr uint32_t kValkeyVersion = 80;

bool is_known(Dialect dialect, uint32_t version) {
  if (dialect == Dialect::valkey) return version == kValkeyVersion;
  return version >= 1 && version <= kRedisVersionMax;
}

// Servers read as many digits as there are.
uint32_t lenient_version(Bytes text) {
  uint32_t version = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') break;
    version = version * 10 + static_cast<uint32_t>(c - '0');
  }
  return version;
}

}  // namespace

void RecordReader::read_header() {
  header_read_ = true;
  if (in_.at_end()) {
    if (source_->damage() != nullptr) throw FormatError(*source_->damage());
    fail_wrong_file(FindingCode::input_empty);
  }
  read_replication_preface();
  const Bytes head = in_.ahead(kHeadBytes);
  const std::optional<FindingCode> wrong = diagnose_head(head);
  if (wrong && (*wrong != FindingCode::input_nul || is_all_nul())) fail_wrong_file(*wrong);
  if (wrong) fail_wrong_file(FindingCode::input_unknown);
  read_magic();
}

void RecordReader::fail_wrong_file(FindingCode code) {
  in_.fail(code, {in_.offset(), in_.ahead(kHeadBytes).size()}, "", "", "");
}

bool RecordReader::is_all_nul() {
  uint64_t at = in_.offset();
  for (;;) {
    const Window window = source_->window(at, 1);
    if (window.bytes.empty()) return true;
    if (window.bytes.find_first_not_of('\0') != Bytes::npos) return false;
    at += window.bytes.size();
  }
}

void RecordReader::read_magic() {
  const uint64_t at = in_.offset();
  state_.magic_offset = at;
  state_.checksum = {0, at};
  const Bytes header = in_.take(kHeaderBytes, "magic and version");
  RdbHeader& told = record_.body.emplace<RdbHeader>();
  const Bytes magic = header.starts_with(kValkeyMagic) ? kValkeyMagic : kRedisMagic;
  state_.dialect = magic == kValkeyMagic ? Dialect::valkey : Dialect::redis;
  encodings_ = &encodings_by_code(state_.dialect);
  const Bytes digits = header.substr(magic.size());
  const Extent where{at + magic.size(), digits.size()};
  const bool well_formed = digits.find_first_not_of("0123456789") == Bytes::npos;
  state_.version = lenient_version(digits);
  state_.has_checksum = state_.version >= kChecksumSince || !well_formed;
  if (!well_formed) {
    warn(FindingCode::rdb_bad_version, where, "version", std::to_string(digits.size()) + " digits",
         "\"" + std::string(digits) + "\"");
  } else if (!is_known(state_.dialect, state_.version)) {
    warn(FindingCode::rdb_unknown_version, where, "version",
         state_.dialect == Dialect::redis ? "1 to 14" : "80", std::to_string(state_.version));
  }
  told = {state_.dialect, state_.version};
  knows_header_ = true;
}

// Keep-alive newlines, the reply to PSYNC, then `$<length>` or `$EOF:<mark>`, each ended by CR LF.
void RecordReader::read_replication_preface() {
  const uint64_t begin = in_.offset();
  for (;;) {
    const Bytes ahead = in_.ahead(kPrefaceLineMax);
    if (ahead.starts_with('\n') || ahead.starts_with("\r\n")) {
      in_.skip(ahead.find('\n') + 1, "keep-alive");
      continue;
    }
    const size_t line_end = ahead.find("\r\n");
    if (line_end == Bytes::npos || (ahead.front() != '$' && ahead.front() != '+')) break;
    const Bytes line = ahead.substr(1, line_end - 1);
    const bool announces = ahead.front() == '$';
    in_.skip(line_end + 2, "replication preface");
    if (!announces) continue;
    if (line.starts_with(kEofPrefix) && line.size() == kEofPrefix.size() + kEofMarkBytes) {
      state_.eof_mark = line.substr(kEofPrefix.size());
    } else if (const auto length = parse_decimal<uint64_t>(line)) {
      state_.announced_bytes = *length;
    }
    return;
  }
  // Not a replication stream: whatever it is, it is looked at from its beginning.
  const Bytes ahead = in_.ahead(kValkeyMagic.size());
  if (!ahead.starts_with(kRedisMagic) && !ahead.starts_with(kValkeyMagic)) in_.seek(begin);
}

}  // namespace persist
