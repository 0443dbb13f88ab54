// Telling digests.
#include "ops/digest_summary.hpp"

namespace persist {

ServerVersion server_of(const Target& target) { return {target.family, target.release}; }

std::unique_ptr<KeyDigest> make_key_digest(const DigestOptions& options, const DigestRules& rules,
                                           HoleBudget& holes) {
  if (!options.full) return server_digest(rules, holes);
  return options.fast ? proof_digest() : full_digest();
}

void tell_digests(const DatasetDigest& dataset, DigestSummary& summary) {
  summary.digest = to_hex(dataset.total());
  for (const auto& [db, digest] : dataset.dbs()) summary.dbs.emplace_back(db, to_hex(digest));
  if (const std::optional<Sha1Hash> libraries = dataset.libraries()) summary.libraries = to_hex(*libraries);
}

}  // namespace persist
