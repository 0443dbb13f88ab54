// Telling digests.
#include "ops/digest_summary.hpp"

#include <algorithm>

namespace persist {

ServerVersion server_of(const Target& target) { return *parse_server_version(target.name); }

void tell_digests(const DatasetDigest& dataset, DigestSummary& summary) {
  summary.digest = to_hex(dataset.total());
  for (const auto& [db, digest] : dataset.dbs()) summary.dbs.emplace_back(db, to_hex(digest));
  if (const std::optional<Sha1Hash> libraries = dataset.libraries()) summary.libraries = to_hex(*libraries);
}

void DigestErrors::report(const Finding& finding) {
  if (finding.kind().severity == Severity::error) {
    ++summary_.errors;
    summary_.reach = std::max(summary_.reach, finding.kind().reach);
  }
  to_.report(finding);
}

}  // namespace persist
