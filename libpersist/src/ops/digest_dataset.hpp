// The digest of a dataset in memory, by several threads.
#pragma once

#include "engine/dataset.hpp"
#include "engine/digest.hpp"
#include "persist/digest.hpp"

namespace persist {

// Fills the summary: keys, how many of them counted, and the digests or why there are none. `server`: whose
// digest it is, unless the full one is asked for.
void digest_dataset(const Dataset& data, const DigestOptions& options, const ServerVersion& server,
                    DigestSummary& summary);

// Takes one key into a digest, which then can be finished. False if all of its value is hidden.
bool add_to_digest(KeyDigest& digest, uint64_t db, const KeyEntry& held,
                   std::optional<int64_t> hide_fields_past_ms);

}  // namespace persist
