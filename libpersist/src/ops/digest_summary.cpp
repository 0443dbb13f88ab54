// Telling digests.
#include "ops/digest_summary.hpp"

namespace persist {

ServerVersion server_of(const Target& target) { return *parse_server_version(target.name); }

void tell_digests(const DatasetDigest& dataset, DigestSummary& summary) {
  summary.digest = to_hex(dataset.total());
  for (const auto& [db, digest] : dataset.dbs()) summary.dbs.emplace_back(db, to_hex(digest));
  if (const std::optional<Sha1Hash> libraries = dataset.libraries()) summary.libraries = to_hex(*libraries);
}

}  // namespace persist
