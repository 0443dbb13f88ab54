// Only what is true of any file: nobody is told the memory that a server used, or its place in a replication
// stream.
#include "rdb/file_head.hpp"

namespace persist {

namespace {

constexpr unsigned kBaseAuxSince = 700;
constexpr unsigned kPreambleAuxSince = 400;
constexpr unsigned kValkeyNameSince = 800;
constexpr uint8_t kAuxCode = 0xfa;
constexpr uint8_t kFunctionCode = 0xf5;

}  // namespace

bool knows_aux(const Target& target) { return accepts_opcode(target, target.header().dialect, kAuxCode); }

bool knows_functions(const Target& target) {
  return accepts_opcode(target, target.header().dialect, kFunctionCode);
}

void write_file_head(RecordEncoder& records, const FileHead& head) {
  records.header();
  const Target& target = records.target();
  if (!knows_aux(target)) return;
  if (head.says_who_reads) {
    const bool is_valkey = target.family == Dialect::valkey && target.release >= kValkeyNameSince;
    const Bytes number = target.name.substr(target.name.find('-') + 1);
    records.aux(is_valkey ? "valkey-ver" : "redis-ver", std::string(number) + ".0");
    records.aux("redis-bits", "64");
  }
  if (target.release >= kBaseAuxSince)
    records.aux("aof-base", head.is_base ? "1" : "0");
  else if (target.release >= kPreambleAuxSince)
    records.aux("aof-preamble", head.is_base ? "1" : "0");
}

}  // namespace persist
