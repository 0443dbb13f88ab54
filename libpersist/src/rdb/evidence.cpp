// Bits of evidence. Chance is thought of as random bytes: what damage leaves behind is rarely as random,
// which is why records that say nothing (zeroed blocks are full of them) are worth nothing at all.
#include "rdb/evidence.hpp"

#include <array>

#include "rdb/resync.hpp"
#include "rdb/sniff.hpp"

namespace persist {

namespace {

// In fifths of a bit: 1.4 bits for a byte of text, four against it for any other. Control characters do not
// stand in text at all, but between the words of what is packed: against them is what a word has.
constexpr int kTextFifths = 7;
constexpr int kOtherFifths = -20;
constexpr int kControlFifths = -50;
constexpr int kHopelessFifths = -40;
constexpr int kFifthsPerBit = 5;

constexpr unsigned kKeyBitsMax = 48;
constexpr size_t kUsualKeyBytes = 1024;  // a longer one is more often anything that lies there
constexpr unsigned kNameBitsMax = 24;
constexpr unsigned kExpiryBits = 20;
constexpr unsigned kOddExpiryBits = 3;
constexpr unsigned kServerWordBits = 40;
constexpr unsigned kShebangBits = 16;
constexpr unsigned kHintBits = 3;
constexpr unsigned kLowDbBits = 6;
constexpr unsigned kPrefixBits = 6;
constexpr unsigned kMetadataBits = 16;
constexpr unsigned kModuleAuxBits = 24;
constexpr unsigned kSlotImportBits = 32;
constexpr uint64_t kSlots = 16384;
constexpr uint64_t kUsualDbs = 16;
constexpr size_t kJobNameBytes = 40;

constexpr std::array<Bytes, 13> kServerAux = {
    "redis-ver",   "valkey-ver", "redis-bits", "ctime",        "used-mem",  "repl-stream-db",      "repl-id",
    "repl-offset", "aof-base",   "lua",        "aof-preamble", "slot-info", "cluster-slot-states",
};

// How many bytes a well-formed UTF-8 sequence of two bytes or more has that begins here; 0 if none does.
size_t utf8_bytes(Bytes bytes) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(bytes[i]); };
  const uint8_t first = byte(0);
  const size_t size = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
  if (size == 0 || bytes.size() < size) return 0;
  for (size_t i = 1; i < size; ++i)
    if ((byte(i) & 0xc0) != 0x80) return 0;
  const bool overlong = (first == 0xe0 && byte(1) < 0xa0) || (first == 0xf0 && byte(1) < 0x90);
  return overlong ? 0 : size;
}

bool is_white(uint8_t byte) { return byte == '\t' || byte == '\n' || byte == '\r'; }

bool is_nul_only(Bytes bytes) { return bytes.find_first_not_of('\0') == Bytes::npos; }

unsigned prefix_bits(const RdbEntry& entry) {
  unsigned bits = 0;
  if (entry.expire_at_ms != kNoExpiry)
    bits += is_plausible_ms(entry.expire_at_ms) ? kExpiryBits : kOddExpiryBits;
  if (entry.idle_s) bits += kPrefixBits;
  if (entry.freq) bits += kPrefixBits;
  if (!entry.key_meta.empty()) bits += kMetadataBits;
  return bits;
}

// Text as the key of the entry whose value begins at `head`.
unsigned key_bits(Bytes key, Bytes bytes, uint64_t head) {
  const size_t length_bytes = key.size() < 64 ? 1 : 2;
  const uint64_t before = head - std::min<uint64_t>(head, key.size() + length_bytes);
  const Bytes length = bytes.substr(std::min<uint64_t>(bytes.size(), before)).substr(0, length_bytes);
  const bool says_less = std::ranges::all_of(length, is_letter) || key.size() > kUsualKeyBytes;
  // A compressed key is text no more probably than its packed bytes are.
  const uint64_t most =
      std::min<uint64_t>(says_less ? kCutTextBits : kKeyBitsMax, head * kTextFifths / kFifthsPerBit);
  return text_bits(key, static_cast<unsigned>(most));
}

Evidence weigh_entry(const RdbEntry& entry, const RdbRecord& record, Bytes bytes) {
  const uint64_t head = entry.value_offset - record.extent.offset;
  const uint64_t size = record.extent.size - std::min(record.extent.size, head);
  const Bytes value = bytes.substr(std::min<uint64_t>(bytes.size(), head)).substr(0, size);
  const Evidence of_value = weigh_value(*entry.encoding, value, size);
  const unsigned of_prefixes = prefix_bits(entry);
  // Two zeros in front of a string, the end of a zeroed block, make an entry of it.
  if (is_nul_only(entry.key) && (entry.encoding->type == ValueType::string || of_value.bits == 0)) return {};
  const unsigned of_head = kCodeBits + of_prefixes + key_bits(entry.key, bytes, head);
  const unsigned divisor = entry.key.size() > kUsualKeyBytes ? 2 : 1;
  return {(of_head + of_value.bits) / divisor, (of_head + of_value.weight) / divisor};
}

struct BitsOf {
  unsigned operator()(const RdbHeader&) const { return kServerWordBits; }
  unsigned operator()(const AuxField& aux) const {
    return kCodeBits + aux_name_bits(aux.name) + text_bits(aux.value, kNameBitsMax);
  }
  unsigned operator()(const SelectDb& select) const { return select.db < kUsualDbs ? kLowDbBits : kHintBits; }
  unsigned operator()(const ResizeDb& sizes) const {
    return sizes.volatile_keys <= sizes.keys ? kHintBits : 0;
  }
  unsigned operator()(const SlotInfo& info) const {
    return info.slot < kSlots && info.volatile_keys <= info.keys ? kLowDbBits : 0;
  }
  unsigned operator()(const SlotImport& import) const {
    return import.job.size() == kJobNameBytes ? kCodeBits + text_bits(import.job, kSlotImportBits) : 0;
  }
  unsigned operator()(const FunctionLibrary& library) const {
    return kCodeBits +
           (library.pre_release ? text_bits(library.code, kServerWordBits) : function_bits(library.code));
  }
  unsigned operator()(const ModuleAux&) const { return kModuleAuxBits; }
  unsigned operator()(const RdbEntry&) const { return 0; }  // weigh_entry()
  unsigned operator()(const RdbEnd&) const { return 0; }    // where it stands says more
};

}  // namespace

unsigned text_bits(Bytes bytes, unsigned most) {
  const int enough = static_cast<int>(most) * kFifthsPerBit;
  int fifths = 0;
  for (size_t at = 0; at < bytes.size() && fifths < enough && fifths > kHopelessFifths;) {
    const auto byte = static_cast<uint8_t>(bytes[at]);
    if (byte < 0x80) {
      fifths += byte >= 0x20 && byte != 0x7f ? kTextFifths : is_white(byte) ? kOtherFifths : kControlFifths;
      ++at;
      continue;
    }
    const size_t size = utf8_bytes(bytes.substr(at));
    fifths += size == 0 ? kOtherFifths : kTextFifths * static_cast<int>(size);
    at += std::max<size_t>(size, 1);
  }
  return static_cast<unsigned>(std::clamp(fifths, 0, enough) / kFifthsPerBit);
}

bool is_server_aux(Bytes name) {
  constexpr Bytes kTaskAux = "cluster-asm-task";
  return std::ranges::find(kServerAux, name) != kServerAux.end() || name == kTaskAux;
}

unsigned aux_name_bits(Bytes name) {
  return is_server_aux(name) ? kServerWordBits : text_bits(name, kNameBitsMax);
}

unsigned function_bits(Bytes code) {
  if (code.starts_with("#!lua")) return kServerWordBits;
  return code.starts_with("#!") ? kShebangBits : 0;
}

Evidence weigh_record(const RdbRecord& record, Bytes bytes) {
  if (const auto* entry = std::get_if<RdbEntry>(&record.body)) return weigh_entry(*entry, record, bytes);
  const unsigned bits = std::visit(BitsOf{}, record.body);
  return {bits, bits};
}

unsigned evidence_of(const RdbRecord& record, Bytes bytes) { return weigh_record(record, bytes).bits; }

}  // namespace persist
