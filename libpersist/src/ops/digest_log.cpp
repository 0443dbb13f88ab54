// The digest of a log: that of what a server would hold behind it.
#include "ops/digest_dataset.hpp"
#include "ops/digest_summary.hpp"
#include "ops/error_counter.hpp"
#include "ops/replay_set.hpp"
#include "persist/digest.hpp"

namespace persist {

LogDigestSummary digest_log(const AppendSet& set, FindingSink& findings, const DigestOptions& options,
                            const ReplayOptions& replay) {
  LogDigestSummary summary;
  ErrorCounter errors(findings, summary.digest);
  Dataset data;
  summary.replay = replay_set(set, errors, replay, {}, data);
  if (!summary.replay.is_log || summary.replay.refused) return summary;
  DigestSummary& digest = summary.digest;
  digest.has_header = true;
  digest.complete = summary.replay.complete;
  digest.reach = summary.replay.reach;
  const ServerVersion server = options.server != nullptr ? server_of(*options.server) : summary.replay.server;
  digest_dataset(data, options, server, digest);
  return summary;
}

}  // namespace persist
