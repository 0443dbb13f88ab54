// For each place where the RDB data may end, the syndrome of what is before it; for each syndrome, what could
// have caused it, the likeliest first.
#include "ops/rdb_correction.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "base/crc64.hpp"
#include "base/crc64_witness.hpp"
#include "ops/no_findings.hpp"
#include "persist/target.hpp"
#include "rdb/record_reader.hpp"

namespace persist {

namespace {

// An RDB part may end wherever an EOF opcode, eight bytes and a command follow each other: so many are tried.
constexpr size_t kEndsMax = 16;
// So many explanations of one syndrome are put to the proof; there are hardly ever two.
constexpr size_t kProofsMax = 64;
// Around the first error, where longer runs are looked for: damage shows at once, or when a length that it
// has changed leads astray.
constexpr uint64_t kSuspectedBytesMax = uint64_t{1} << 20;

// The bytes of a file up to an end, and what their checksum says.
struct Candidate {
  uint64_t end = 0;
  uint64_t syndrome = 0;
};

class Syndromes {
 public:
  Syndromes(ByteSource& source, const CorrectionSearch& search) : source_(source), search_(search) {}

  std::vector<Candidate> find() {
    if (search_.end) ends_.insert(*search_.end);
    if (search_.followed) find_ends();
    const uint64_t size = source_.size().value_or(0);
    ends_.insert(size);
    uint64_t crc = 0;
    uint64_t at = search_.begin;
    std::vector<Candidate> found;
    for (const uint64_t end : ends_) {
      if (end < search_.begin + kHeaderBytes + kChecksumBytes || end > size) continue;
      crc = extend(crc, at, end);
      at = end;
      if (crc != 0 && has_checksum(end)) found.push_back({end, crc});
    }
    return found;
  }

 private:
  uint64_t extend(uint64_t crc, uint64_t from, uint64_t to) {
    while (from < to) {
      const Window window = source_.window(from, 1);
      if (window.bytes.empty()) break;
      const Bytes run = window.bytes.substr(0, static_cast<size_t>(to - from));
      crc = crc64(crc, run);
      from += run.size();
    }
    return crc;
  }

  // Zeros stand for none.
  bool has_checksum(uint64_t end) {
    const Window window = source_.window(end - kChecksumBytes, kChecksumBytes);
    return window.bytes.substr(0, kChecksumBytes).find_first_not_of('\0') != Bytes::npos;
  }

  // Where commands begin behind what looks like an EOF opcode and a checksum.
  void find_ends() {
    constexpr uint64_t kBefore = 1 + kChecksumBytes;
    constexpr uint64_t kOverlap = kBefore + 4;
    uint64_t at = search_.begin;
    for (;;) {
      const Window window = source_.window(at, kOverlap + 1);
      const Bytes bytes = window.bytes;
      if (bytes.size() <= kOverlap) return;
      for (size_t i = bytes.find_first_of("*#", kBefore); i != Bytes::npos && i + 4 <= bytes.size();
           i = bytes.find_first_of("*#", i + 1)) {
        const auto before = static_cast<uint8_t>(bytes[i - kBefore]);
        if (before != opcode_code(Opcode::end) || !begins_command(bytes.substr(i, 4))) continue;
        ends_.insert(at + i);
        if (ends_.size() >= kEndsMax) return;
      }
      at += bytes.size() - kOverlap;
    }
  }

  static bool begins_command(Bytes bytes) {
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    if (bytes.starts_with("#TS:")) return true;
    return bytes[0] == '*' && is_digit(bytes[1]) && (is_digit(bytes[2]) || bytes.substr(2) == "\r\n");
  }

  ByteSource& source_;
  const CorrectionSearch& search_;
  std::set<uint64_t> ends_;
};

class Explanations {
 public:
  Explanations(ByteSource& source, const CorrectionSearch& search, const Candidate& candidate)
      : source_(source),
        search_(search),
        candidate_(candidate),
        witness_(candidate.syndrome, candidate.end - search.begin) {}

  // The likeliest kind of damage first.
  std::optional<RdbCorrection> find() {
    std::optional<RdbCorrection> found = one_of(changes_of_runs(witness_.runs()), witness_.chance_of_runs());
    if (!found) found = beginnings();
    if (!found && search_.suspected) {
      const Extent within = suspected();
      found =
          one_of(changes_of_runs(witness_.runs_within(within)), CrcWitness::chance_of_runs_within(within));
    }
    if (!found && search_.deep) found = two_bits();
    return found;
  }

 private:
  using Changes = std::vector<ByteChange>;

  // Relative to the magic, as the witness counts.
  [[nodiscard]] Extent suspected() const {
    Extent within = *search_.suspected;
    within.size = std::min(within.size, kSuspectedBytesMax);
    within.offset -= std::min(within.offset, search_.begin);
    within.size = std::min(within.size, candidate_.end - search_.begin - within.offset);
    return within;
  }

  std::optional<RdbCorrection> two_bits() {
    const uint64_t bytes = candidate_.end - search_.begin;
    if (bytes <= CrcWitness::kPairBytesMax)
      return one_of(changes_of_pairs(witness_.pairs()), witness_.chance_of_pairs());
    if (!search_.suspected) return std::nullopt;
    Extent within = suspected();
    const uint64_t spare = within.size - std::min(within.size, CrcWitness::kPairExtentMax);
    within.offset += spare / 2;
    within.size -= spare;
    return one_of(changes_of_pairs(witness_.pairs_within(within)), witness_.chance_of_pairs_within(within));
  }

  // The only one that proves right.
  std::optional<RdbCorrection> one_of(const std::vector<Changes>& explanations, double chance) {
    std::optional<RdbCorrection> proven;
    for (size_t i = 0; i < std::min(explanations.size(), kProofsMax); ++i) {
      if (!proves_right(explanations[i])) continue;
      if (proven) return std::nullopt;
      proven = RdbCorrection{explanations[i], candidate_.end, chance, false};
    }
    return proven;
  }

  bool proves_right(const Changes& changes) {
    SplicedSource corrected(source_, splices_of(changes), candidate_.end);
    FindingList found;
    RecordReader records(corrected, found);
    records.set_payloads(Payloads::validated);
    bool sealed = false;
    while (const RdbRecord* record = records.next_head()) {
      if (std::holds_alternative<RdbEntry>(record->body) && !records.read_value([](const Element&) {}))
        return false;
      if (const auto* end = std::get_if<RdbEnd>(&record->body))
        sealed = end->checksum == ChecksumState::good && record->extent.end() == candidate_.end;
    }
    return sealed && std::ranges::none_of(found.all, [](const Finding& finding) {
             // What may stand behind the end was left out.
             if (finding.code == FindingCode::rdb_eof_mark) return false;
             return finding.kind().severity == Severity::error;
           });
  }

  // ---------------------------------------------------------------------------- explanations as bytes

  // Bits are counted from the magic on.
  Changes changes_of_bits(const std::vector<uint64_t>& bits) {
    std::map<uint64_t, uint8_t> flips;
    for (const uint64_t bit : bits) flips[search_.begin + bit / 8] ^= static_cast<uint8_t>(1U << (bit % 8));
    Changes changes;
    for (const auto& [offset, mask] : flips) {
      const Window window = source_.window(offset, 1);
      if (window.bytes.empty()) return {};
      const char now = static_cast<char>(static_cast<uint8_t>(window.bytes.front()) ^ mask);
      changes.push_back({offset, std::string(1, now)});
    }
    return changes;
  }

  std::vector<Changes> changes_of_runs(const std::vector<BitRun>& runs) {
    std::vector<Changes> all;
    for (const BitRun& run : runs) {
      std::vector<uint64_t> bits;
      for (unsigned i = 0; i < run.length(); ++i)
        if ((run.pattern >> i & 1U) != 0) bits.push_back(run.first_bit + i);
      all.push_back(changes_of_bits(bits));
    }
    return all;
  }

  std::vector<Changes> changes_of_pairs(const std::vector<std::array<uint64_t, 2>>& pairs) {
    std::vector<Changes> all;
    all.reserve(pairs.size());
    for (const std::array<uint64_t, 2>& pair : pairs) all.push_back(changes_of_bits({pair[0], pair[1]}));
    return all;
  }

  // ------------------------------------------------------------------------------------- how files begin

  // All files of a version begin alike: what was destroyed there need not be found out bit by bit.
  std::optional<RdbCorrection> beginnings() {
    constexpr double kSyndromes = 18446744073709551616.0;
    const std::set<std::string> known = known_beginnings();
    std::vector<Changes> fitting;
    for (const std::string& beginning : known) {
      const Window window = source_.window(search_.begin, beginning.size());
      if (window.bytes.size() < beginning.size()) continue;
      std::string flipped = beginning;
      for (size_t i = 0; i < flipped.size(); ++i)
        flipped[i] = static_cast<char>(flipped[i] ^ window.bytes[i]);
      const uint64_t behind = candidate_.end - search_.begin - flipped.size();
      if (crc64_change(flipped, behind) != candidate_.syndrome) continue;
      // The longer ones hold the shorter ones: of these, what differs is the same.
      fitting.push_back({{search_.begin, beginning.substr(0, flipped.find_last_not_of('\0') + 1)}});
      break;
    }
    std::optional<RdbCorrection> found = one_of(fitting, static_cast<double>(known.size()) / kSyndromes);
    if (found) found->is_header = true;
    return found;
  }

  static std::set<std::string> known_beginnings() {
    constexpr uint32_t kDigits = 10;
    std::set<std::string> known;
    for (const Target& target : targets()) {
      const RdbHeader header = target.header();
      const bool is_redis = header.dialect == Dialect::redis;
      const std::string magic = is_redis ? "REDIS00" : "VALKEY0";
      const std::string digits = {static_cast<char>('0' + header.version / kDigits),
                                  static_cast<char>('0' + header.version % kDigits)};
      for (const char* aux : {"", "\xfa\x09redis-ver\x05", "\xfa\x0avalkey-ver\x05"})
        known.insert(magic + digits + aux);
    }
    return known;
  }

  ByteSource& source_;
  const CorrectionSearch& search_;
  Candidate candidate_;
  CrcWitness witness_;
};

}  // namespace

std::optional<RdbCorrection> find_correction(ByteSource& source, const CorrectionSearch& search) {
  for (const Candidate& candidate : Syndromes(source, search).find()) {
    if (std::optional<RdbCorrection> found = Explanations(source, search, candidate).find()) return found;
  }
  return std::nullopt;
}

std::vector<Splice> splices_of(const std::vector<ByteChange>& changes) {
  std::vector<Splice> splices;
  splices.reserve(changes.size());
  for (const ByteChange& change : changes)
    splices.push_back({{change.offset, change.now.size()}, change.now});
  return splices;
}

}  // namespace persist
