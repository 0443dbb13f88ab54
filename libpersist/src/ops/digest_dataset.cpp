// Keys are digested in any order: what they add up to does not depend on it.
#include "ops/digest_dataset.hpp"

#include <algorithm>
#include <span>

#include "engine/digest.hpp"
#include "ops/digest_summary.hpp"
#include "ops/entry_head.hpp"
#include "ops/expired_field.hpp"
#include "ops/ordered_work.hpp"
#include "ops/pipeline.hpp"

namespace persist {

namespace {

constexpr size_t kDigestedAtOnce = 4096;

struct DigestPlan {
  const DigestOptions& options;
  ServerVersion server;
  HoleBudget& holes;
};

class DigestPortions : public PortionWorker {
 public:
  DigestPortions(const DigestPlan& plan, uint64_t db, std::span<KeyEntry* const> keys, DatasetDigest& sum,
                 DigestSummary& summary)
      : plan_(plan),
        db_(db),
        keys_(keys),
        sum_(sum),
        summary_(summary),
        digest_(
            make_key_digest(plan.options, digest_rules(plan.server.family, plan.server.version), plan.holes)),
        own_(kind_of(plan.options)) {}

  void work(size_t portion) override {
    const size_t begin = portion * kDigestedAtOnce;
    for (const KeyEntry* held : keys_.subspan(begin, std::min(kDigestedAtOnce, keys_.size() - begin)))
      add(*held);
  }

  void emit() override {
    sum_.merge(own_);
    own_ = DatasetDigest(kind_of(plan_.options));
    summary_.counted += std::exchange(counted_, 0);
    if (summary_.obstacle.empty()) summary_.obstacle = obstacle_;
  }

 private:
  void add(const KeyEntry& held) {
    if (!is_wanted(held) || !add_to_digest(*digest_, db_, held, plan_.options.hide_fields_past_ms)) return;
    ++counted_;
    if (const std::optional<Bytes> obstacle = digest_->obstacle())
      obstacle_ = *obstacle;
    else
      own_.add(db_, digest_->finish());
  }

  [[nodiscard]] bool is_wanted(const KeyEntry& held) const {
    const Filter* filter = plan_.options.filter;
    return filter == nullptr || filter->accepts_all() || filter->accepts(head_of(db_, held));
  }

  const DigestPlan& plan_;
  uint64_t db_;
  std::span<KeyEntry* const> keys_;
  DatasetDigest& sum_;
  DigestSummary& summary_;
  std::unique_ptr<KeyDigest> digest_;
  DatasetDigest own_;  // since the last emit()
  uint64_t counted_ = 0;
  std::string obstacle_;
};

}  // namespace

bool add_to_digest(KeyDigest& digest, uint64_t db, const KeyEntry& held,
                   std::optional<int64_t> hide_fields_past_ms) {
  digest.begin({db, held.key(), held.type(), held.expire_at_ms});
  if (const VectorSet* vectors = held.vector_set()) {
    digest.add_vector_set(*vectors);
    return true;
  }
  uint64_t hidden = 0;
  uint64_t told = 0;
  held.tell(
      [&](const Element& element) {
        const bool hides = is_expired_field(element, hide_fields_past_ms);
        ++(hides ? hidden : told);
        if (!hides) digest.add(element);
      },
      false);
  return told > 0 || hidden == 0;
}

void digest_dataset(const Dataset& data, const DigestOptions& options, const ServerVersion& server,
                    DigestSummary& summary) {
  HoleBudget holes;
  const DigestPlan plan{options, server, holes};
  DatasetDigest sum(kind_of(options));
  for (const auto& numbered : data.dbs()) {
    const std::vector<KeyEntry*> keys = numbered.second.entries();
    run_in_order((keys.size() + kDigestedAtOnce - 1) / kDigestedAtOnce, useful_threads(options.threads),
                 [&] { return std::make_unique<DigestPortions>(plan, numbered.first, keys, sum, summary); });
  }
  for (const auto& library : data.functions) sum.add_library(library.second);
  summary.keys = data.keys();
  if (!options.full) summary.server = server_version_name(server);
  if (summary.obstacle.empty()) tell_digests(sum, summary);
}

}  // namespace persist
