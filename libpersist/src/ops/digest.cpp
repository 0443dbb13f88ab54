// The digest of an RDB file: each thread adds up the keys of its pieces, and the sums are merged.
#include "persist/digest.hpp"

#include <algorithm>

#include "engine/digest.hpp"
#include "engine/key_entry.hpp"
#include "ops/digest_summary.hpp"
#include "ops/error_counter.hpp"
#include "ops/pipeline.hpp"
#include "rdb/origin.hpp"

namespace persist {

namespace {

constexpr unsigned kPacksZerosSince = 700;

bool is_plain_zset(const Encoding& encoding) { return encoding.name == "zset" || encoding.name == "zset2"; }

// What the threads share.
struct Shared {
  const DigestOptions& options;
  DigestRules rules;
  bool packs_zeros;  // as servers from 7.0 on do
  HoleBudget holes;
  // Only touched by the thread whose turn it is:
  DatasetDigest dataset;
  DigestSummary summary;
};

class DigestWorker : public PieceWorker {
 public:
  explicit DigestWorker(Shared& shared)
      : shared_(shared),
        digest_(make_key_digest(shared.options, shared.rules, shared.holes)),
        piece_(kind_of(shared.options)),
        all_wanted_(shared.options.filter == nullptr || shared.options.filter->accepts_all()) {}

  void work(RecordReader& records, FindingSink& /*findings*/) override {
    while (const RdbRecord* record = records.next_head()) {
      if (const auto* entry = std::get_if<RdbEntry>(&record->body))
        add_entry(records, *entry);
      else if (const auto* library = std::get_if<FunctionLibrary>(&record->body))
        piece_.add_library(library->code);
      else if (std::holds_alternative<RdbHeader>(record->body))
        has_header_ = true;
    }
  }

  void emit() override {
    DigestSummary& summary = shared_.summary;
    shared_.dataset.merge(piece_);
    piece_ = DatasetDigest(kind_of(shared_.options));
    summary.keys += keys_;
    summary.counted += counted_;
    keys_ = counted_ = 0;
    summary.has_header = summary.has_header || has_header_;
    if (summary.obstacle.empty() && obstacle_) summary.obstacle = *obstacle_;
  }

 private:
  void add_entry(RecordReader& records, const RdbEntry& entry) {
    if (!all_wanted_ && !shared_.options.filter->accepts(entry)) {
      if (records.finish_value()) ++keys_;
      return;
    }
    const DigestKey key{entry.db, entry.key, entry.encoding->type, entry.expire_at_ms};
    digest_->begin(key);
    const bool may_pack = shared_.packs_zeros && is_plain_zset(*entry.encoding);
    if (may_pack ? !read_plain_zset(records, key) : !read_value(records)) return;
    ++keys_;
    ++counted_;
    if (digest_->obstacle())
      obstacle_ = digest_->obstacle();
    else
      piece_.add(entry.db, digest_->finish());
  }

  // Servers pack a sorted set that is small, and that takes the signs off its zeros.
  bool read_plain_zset(RecordReader& records, const DigestKey& key) {
    bool has_signed_zero = false;
    uint64_t members = 0;
    size_t longest = 0;
    const bool whole = records.read_value([&](const Element& told) {
      digest_->add(told);
      has_signed_zero = has_signed_zero || is_signed_zero(told);
      longest = std::max(longest, std::get<SortedSetMember>(told).member.size());
      ++members;
    });
    const PackLimits limits;
    if (!whole || !has_signed_zero || members > limits.zset_entries || longest > limits.zset_value)
      return whole;
    digest_->begin(key);
    records.visit([&](const Element& told) {
      SortedSetMember member = std::get<SortedSetMember>(told);
      if (member.score == 0) member.score = 0;
      digest_->add(member);
    });
    return true;
  }

  // A string that may be larger than memory should be passes in runs.
  bool read_value(RecordReader& records) {
    if (!records.from_source() || !records.value_is_plain())
      return records.read_value([this](const Element& told) { digest_->add(told); });
    records.set_payloads(Payloads::validated);
    const bool whole = records.read_value([](const Element&) {});
    records.set_payloads(Payloads::wanted);
    return whole && records.visit_in_runs([this](Bytes run) { digest_->add_run(run); });
  }

  Shared& shared_;
  std::unique_ptr<KeyDigest> digest_;
  DatasetDigest piece_;  // what emit() has to hand on
  uint64_t keys_ = 0;
  uint64_t counted_ = 0;
  bool has_header_ = false;
  std::optional<Bytes> obstacle_;
  bool all_wanted_;
};

}  // namespace

DigestSummary digest_rdb(ByteSource& source, FindingSink& findings, const DigestOptions& options) {
  const ServerVersion server = options.server != nullptr
                                   ? server_of(*options.server)
                                   : read_rdb_head(source).server.value_or(ServerVersion{});
  const bool packs_zeros =
      !options.full && (server.family == Dialect::valkey || server.version >= kPacksZerosSince);
  Shared shared{
      options, digest_rules(server.family, server.version), packs_zeros, {}, DatasetDigest(kind_of(options)),
      {}};
  if (!options.full) shared.summary.server = server_version_name(server);
  ErrorCounter counter(findings, shared.summary);
  PipelineOptions pipeline;
  pipeline.threads = options.threads;
  pipeline.progress = options.progress;
  shared.summary.complete = run_pipeline(source, counter, pipeline, [&] {
                              return std::make_unique<DigestWorker>(shared);
                            }).complete;
  if (shared.summary.obstacle.empty()) tell_digests(shared.dataset, shared.summary);
  return std::move(shared.summary);
}

}  // namespace persist
