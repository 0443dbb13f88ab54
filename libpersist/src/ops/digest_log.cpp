// The digest of a log: that of what a server would hold behind it.
#include "ops/digest_summary.hpp"
#include "ops/error_counter.hpp"
#include "ops/expired_field.hpp"
#include "ops/plain_encoding.hpp"
#include "ops/replay_set.hpp"
#include "persist/digest.hpp"

namespace persist {

namespace {

class LogDigest {
 public:
  LogDigest(const DigestOptions& options, const ServerVersion& server)
      : options_(options),
        digest_(options.full ? full_digest()
                             : server_digest(digest_rules(server.family, server.version), holes_)),
        sum_(kind_of(options)) {}

  void add(Dataset& data, DigestSummary& summary) {
    for (const auto& numbered : data.dbs()) {
      const auto add_one = [&](KeyEntry& entry) { add_entry(data.pool(), numbered.first, entry, summary); };
      numbered.second.for_each(add_one);
    }
    for (const auto& [name, code] : data.functions) sum_.add_library(code);
    summary.keys = data.keys();
    if (summary.obstacle.empty()) tell_digests(sum_, summary);
  }

 private:
  void add_entry(Pool& pool, uint64_t db, KeyEntry& held, DigestSummary& summary) {
    if (!is_wanted(db, held)) return;
    digest_->begin({db, held.key(), held.type(), held.expire_at_ms});
    if (!add_value(pool, held)) return;
    ++summary.counted;
    if (const std::optional<Bytes> obstacle = digest_->obstacle())
      summary.obstacle = *obstacle;
    else
      sum_.add(db, digest_->finish());
  }

  [[nodiscard]] bool is_wanted(uint64_t db, const KeyEntry& held) const {
    if (options_.filter == nullptr || options_.filter->accepts_all()) return true;
    return options_.filter->accepts(head_of(db, held));
  }

  // False if all of it is hidden.
  bool add_value(Pool& pool, KeyEntry& held) {
    if (held.held() == Held::vector_set) {
      digest_->add_vector_set(*held.as<VectorSet>(pool));
      return true;
    }
    uint64_t hidden = 0;
    uint64_t told = 0;
    held.tell(
        [&](const Element& element) {
          const bool hides = is_expired_field(element, options_.hide_fields_past_ms);
          ++(hides ? hidden : told);
          if (!hides) digest_->add(element);
        },
        false);
    return told > 0 || hidden == 0;
  }

  const DigestOptions& options_;
  HoleBudget holes_;
  std::unique_ptr<KeyDigest> digest_;
  DatasetDigest sum_;
};

}  // namespace

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
  if (!options.full) digest.server = server_version_name(server);
  LogDigest(options, server).add(data, digest);
  return summary;
}

}  // namespace persist
