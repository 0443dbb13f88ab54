// Equal hashes are a suspicion; the keys themselves decide.
#include "ops/duplicate_keys.hpp"

#include <algorithm>
#include <map>

namespace persist {

namespace {

std::string hex(uint64_t offset) {
  char text[19];
  return {text, static_cast<size_t>(
                    std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(offset)))};
}

// Where a suspected key stands.
struct Standings {
  uint64_t times = 0;
  uint64_t first_at = 0;
  Extent again;  // the second time
  std::string record;
};

Finding duplicate_of(const std::string& file, uint64_t db, const std::string& key,
                     const Standings& standings) {
  Finding finding;
  finding.code = FindingCode::rdb_duplicate_key;
  finding.file = file;
  finding.extent = standings.again;
  finding.subject = "key";
  finding.expected = "each key once in a db";
  finding.found = "the key of the record at " + hex(standings.first_at) + " again";
  if (standings.times > 2) finding.found += ", and " + std::to_string(standings.times - 2) + " times more";
  finding.db = db;
  finding.key = key;
  finding.record = standings.record;
  return finding;
}

}  // namespace

void DuplicateKeys::report(ByteSource& source, const RdbState& header, unsigned threads,
                           FindingSink& findings) {
  const std::vector<uint64_t> suspects = hashes_.find(threads);
  if (!hashes_.complete()) {
    Finding finding;
    finding.code = FindingCode::rdb_duplicates_unknown;
    finding.file = source.name();
    findings.report(finding);
  }
  if (suspects.empty()) return;
  if (!source.rereadable()) {
    Finding finding;
    finding.code = FindingCode::rdb_duplicate_key;
    finding.file = source.name();
    finding.subject = "keys";
    finding.expected = "each key once in a db";
    finding.found =
        std::to_string(suspects.size()) + " twice; which ones, only a file that can be read again tells";
    findings.report(finding);
    return;
  }
  std::map<std::pair<uint64_t, std::string>, Standings> seen;
  FindingList said_before;
  RecordReader records(source, header, said_before);
  while (const RdbRecord* record = records.next_head()) {
    const auto* entry = std::get_if<RdbEntry>(&record->body);
    if (entry == nullptr || !std::ranges::binary_search(suspects, hash(entry->db, entry->key))) continue;
    Standings& standings = seen[{entry->db, std::string(entry->key)}];
    if (++standings.times == 1) {
      standings.first_at = record->extent.offset;
    } else if (standings.times == 2) {
      standings.again = record->extent;
      standings.record = std::string(entry->encoding->label);
    }
  }
  for (const auto& [key, standings] : seen) {
    if (standings.times > 1) findings.report(duplicate_of(source.name(), key.first, key.second, standings));
  }
}

}  // namespace persist
