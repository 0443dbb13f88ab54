// Which parts records are made of, in the letters of head_walk.hpp, and the first look at a few in a row.
// man/persist-rdb.5, VALUE TYPES, OPCODES
#include "rdb/sniff.hpp"

#include <algorithm>

#include "rdb/head_walk.hpp"
#include "rdb/opcodes.hpp"
#include "types/encodings.hpp"
#include "types/primitives.hpp"

namespace persist {

namespace {

// A chain is let pass with so many bits, or so many records; one whose end is out of sight, with so few.
constexpr unsigned kEnoughBits = 20;
constexpr unsigned kEnoughRecords = 4;
constexpr unsigned kBlindBits = 10;

// How many elements of each value are looked at: at a first look, and for evidence. A first look ends after
// so many parts of all its records together, of which there are few in front of a key.
constexpr uint64_t kGlance = 6;
constexpr uint64_t kScrutiny = 64;
constexpr unsigned kPartsMax = 24;
constexpr unsigned kPrefixesMax = 6;

struct ValueLayout {
  uint8_t code;
  const char* layout;
};
constexpr ValueLayout kValueLayouts[] = {
    {0, "s"},
    {1, "*(s)"},
    {2, "*(s)"},
    {3, "*(sd)"},
    {4, "*(ss)"},
    {5, "*(sD)"},
    {7, "Ma"},
    {9, "m"},
    {10, "z"},
    {11, "i"},
    {12, "z"},
    {13, "z"},
    {14, "*(z)"},
    {15, "?(kp)lllG"},
    {16, "p"},
    {17, "p"},
    {18, "*(n)"},
    {19, "?(kp)llllllllG"},
    {20, "p"},
    {21, "?(kp)llllllllG"},
    {22, "*(lss)"},
    {23, "p"},
    {24, "E*(lss)"},
    {25, "Ep"},
    {26, "?(kp)llllllllGllGll"},
    {27, "?(kp)llllllllGllGll"},
    {28, "A"},
};
constexpr const char* kValkeyHashLayout = "*(sse)";

const char* layout_of(const Encoding& encoding) {
  constexpr uint8_t kFieldTtlHash = 22;
  if (encoding.code == kFieldTtlHash && encoding.in_valkey) return kValkeyHashLayout;
  const auto* row = std::ranges::find(kValueLayouts, encoding.code, &ValueLayout::code);
  return row == std::end(kValueLayouts) ? nullptr : row->layout;
}

// By Opcode: the layout, and the first RDB version whose writers use it.
struct OpcodeLayout {
  const char* layout;
  uint32_t since;
};
constexpr OpcodeLayout kOpcodeLayouts[] = {
    {"", 1},  {"c", 1},  {"t", 1},  {"T", 3},  {"r", 7},  {"us", 7}, {"1", 9},
    {"l", 9}, {"xa", 9}, {"y", 10}, {"f", 10}, {"S", 12}, {"K", 13}, {"s*(ll)", 80},
};

}  // namespace

Evidence weigh_value(const Encoding& encoding, Bytes bytes, uint64_t size) {
  const char* layout = layout_of(encoding);
  if (layout == nullptr) return {};
  HeadWalk walk(bytes, size, kScrutiny, true);
  // That it decodes is known: no more than how far this looks depends on the answer.
  (void)walk.follows(layout);
  return {walk.bits(), walk.weight()};
}

// ------------------------------------------------------------------------------------------------ records

Sniffer::Sniffer(Dialect dialect, uint32_t version, uint64_t end_bytes, bool followed)
    : end_bytes_(end_bytes), followed_(followed) {
  const auto is_used = [version](uint32_t since) { return version == 0 || since <= version; };
  for (unsigned code = 0; code < codes_.size(); ++code) {
    const auto byte = static_cast<uint8_t>(code);
    const Encoding* encoding = find_encoding(dialect, byte);
    if (encoding != nullptr && is_used(encoding->since)) codes_[code] = {layout_of(*encoding), true, false};
    const OpcodeRow* row = find_opcode(dialect, byte);
    if (row == nullptr) continue;
    const OpcodeLayout& opcode = kOpcodeLayouts[static_cast<size_t>(row->opcode)];
    if (is_used(opcode.since)) codes_[code] = {opcode.layout, false, row->is_prefix};
  }
  constexpr size_t kLengthForms = 0x82;
  constexpr size_t kStringForms = 4;
  std::fill_n(begins_string_.begin(), kLengthForms, true);
  std::fill_n(begins_string_.begin() + kSpecialString, kStringForms, true);
}

// Behind the EOF opcode.
bool Sniffer::is_good_end(const HeadWalk& walk) const {
  const uint64_t behind = end_bytes_ - 1;
  if (walk.left() == behind) return true;
  if (!followed_ || walk.left() < end_bytes_) return false;
  const Bytes next = walk.seen(walk.at() + behind, walk.at() + behind + 1);
  return next == "*" || next == "#";
}

// One record with its prefixes. `key`: that of the one before, type code and all; then of this one.
Sniffer::Look Sniffer::look_at(HeadWalk& walk, Bytes& key) const {
  constexpr uint8_t kEndCode = 0xff;
  for (unsigned prefixes = 0; prefixes <= kPrefixesMax; ++prefixes) {
    const uint64_t begin = walk.at();
    const uint8_t byte = walk.u8();
    if (walk.blind()) return Look::record;
    const Code& code = codes_[byte];
    if (code.layout == nullptr) return Look::no;
    if (byte == kEndCode) return is_good_end(walk) ? Look::end : Look::no;
    if (!code.is_entry) {
      if (!walk.follows(code.layout)) return Look::no;
      if (code.is_prefix && !walk.blind()) continue;
      key = {};
      return Look::record;
    }
    if (!walk.string()) return Look::no;
    const Bytes before = key;
    key = walk.seen(begin);
    if (key == before || !walk.follows(code.layout)) return Look::no;
    return Look::record;
  }
  return Look::no;
}

bool Sniffer::promising(Bytes bytes, uint64_t left) const {
  HeadWalk walk(bytes, left, kGlance, false);
  // No entry of an empty key and an empty string begins a chain.
  if (bytes.size() >= 3 && bytes[0] == 0 && bytes[1] == 0 && bytes[2] == 0) return false;
  unsigned bits = 0;
  Bytes key;
  for (unsigned records = 0; records < kEnoughRecords; ++records) {
    walk.start_counting();
    const Look look = look_at(walk, key);
    if (look == Look::no) return false;
    if (look == Look::end) return true;
    bits += kCodeBits + walk.bits();
    if (bits >= kEnoughBits) return true;
    if (walk.blind()) return bits >= kBlindBits;
    if (walk.left() == 0 || walk.parts() > kPartsMax) return false;
  }
  return true;
}

}  // namespace persist
