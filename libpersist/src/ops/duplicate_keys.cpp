// Equal hashes are a suspicion; the keys themselves decide.
#include "ops/duplicate_keys.hpp"

#include <algorithm>
#include <map>
#include <tuple>

namespace persist {

namespace {

std::string hex(uint64_t offset) {
  char text[19];
  return {text, static_cast<size_t>(
                    std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(offset)))};
}

Finding duplicate_of(const std::string& file, const RdbRecord& record, const RdbEntry& entry,
                     uint64_t first_at) {
  Finding finding;
  finding.code = FindingCode::rdb_duplicate_key;
  finding.file = file;
  finding.extent = record.extent;
  finding.subject = "key";
  finding.expected = "each key once in a database";
  finding.found = "the key of the record at " + hex(first_at) + " again";
  finding.db = entry.db;
  finding.key = std::string(entry.key);
  finding.record = std::string(entry.encoding->label);
  return finding;
}

}  // namespace

void DuplicateKeys::report(ByteSource& source, const RdbState& header, unsigned threads,
                           FindingSink& findings) {
  const std::vector<uint64_t> suspects = hashes_.find(threads);
  if (!hashes_.complete()) {
    Finding finding;
    finding.code = FindingCode::rdb_duplicates_unknown;
    finding.file = file_;
    findings.report(finding);
  }
  if (suspects.empty()) return;
  if (!source.rereadable()) {
    Finding finding;
    finding.code = FindingCode::rdb_duplicate_key;
    finding.file = file_;
    finding.subject = "keys";
    finding.expected = "each key once in a database";
    finding.found =
        std::to_string(suspects.size()) + " twice; which ones, only a file that can be read again tells";
    findings.report(finding);
    return;
  }
  std::map<std::pair<uint64_t, std::string>, uint64_t> seen;
  FindingList said_before;
  RecordReader records(source, header, said_before);
  while (const RdbRecord* record = records.next_head()) {
    const auto* entry = std::get_if<RdbEntry>(&record->body);
    if (entry == nullptr || !std::ranges::binary_search(suspects, hash(entry->db, entry->key))) continue;
    const auto [first, fresh] = seen.try_emplace({entry->db, std::string(entry->key)}, record->extent.offset);
    if (fresh) continue;
    const Finding finding = duplicate_of(file_, *record, *entry, first->second);
    findings.report(finding);
  }
}

}  // namespace persist
