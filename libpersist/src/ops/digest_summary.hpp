// What the digests of an RDB file and of a log have in common: whose they are, and how they are told.
#pragma once

#include "engine/digest.hpp"
#include "persist/digest.hpp"
#include "persist/replay.hpp"

namespace persist {

[[nodiscard]] ServerVersion server_of(const Target& target);

[[nodiscard]] inline DigestKind kind_of(const DigestOptions& options) {
  return options.full ? DigestKind::full : DigestKind::server;
}

// The digest of keys that is asked for.
[[nodiscard]] std::unique_ptr<KeyDigest> make_key_digest(const DigestOptions& options,
                                                         const DigestRules& rules, HoleBudget& holes);

void tell_digests(const DatasetDigest& dataset, DigestSummary& summary);

}  // namespace persist
