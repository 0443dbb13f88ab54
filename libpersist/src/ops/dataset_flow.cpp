// Keys are handed out in portions; a portion is small enough for several threads to be done at about the same
// time, and large enough for a buffer to be worth writing.
#include "ops/dataset_flow.hpp"

#include <algorithm>
#include <tuple>

#include "ops/digest_dataset.hpp"
#include "ops/entry_head.hpp"
#include "ops/gathered_value.hpp"
#include "ops/ordered_work.hpp"
#include "rdb/file_head.hpp"

namespace persist {

namespace {

constexpr size_t kPortionKeys = 4096;

// A value as the dataset holds it.
class HeldValue : public EntryValue {
 public:
  HeldValue(const KeyEntry& held, const DatasetFlow& flow) : held_(held), flow_(flow) {}

  bool tell(ElementSink sink) override {
    held_.tell(
        [&](const Element& told) {
          if (flow_.knows_idmp || !std::holds_alternative<StreamIdmp>(told)) sink(told);
        },
        flow_.sorted_members);
    return true;
  }

  // Only the layout says whether something is compressed, so it may be.
  Raw raw() override {
    Raw raw;
    raw.has_inflated = true;
    if (held_.held() == Held::packed) raw.value = held_.packed().bytes();
    return raw;
  }

  bool skip() override { return true; }

 private:
  const KeyEntry& held_;
  const DatasetFlow& flow_;
};

RdbEntry head_with_layout(uint64_t db, const KeyEntry& held) {
  RdbEntry entry = head_of(db, held);
  if (held.held() == Held::packed) entry.encoding = held.packed().encoding;
  return entry;
}

// A key and the database that it is in.
struct HeldKey {
  uint64_t db;
  const KeyEntry* entry;
};

class KeysWorker : public PortionWorker {
 public:
  KeysWorker(const DatasetFlow& flow, std::span<const HeldKey> keys, OutputStream& out)
      : flow_(flow),
        keys_(keys),
        out_(out),
        output_(make_output(*flow.rules)),
        taker_(*flow.plan, *output_),
        digest_(proof_digest()) {}

  void work(size_t portion) override {
    const size_t begin = portion * kPortionKeys;
    for (const HeldKey& key : keys_.subspan(begin, std::min(kPortionKeys, keys_.size() - begin))) {
      HeldValue value(*key.entry, flow_);
      if (flow_.rules->canonical)
        take_canonical(key, value);
      else
        taker_.take(head_with_layout(key.db, *key.entry), value);
      // Now, while it is at hand.
      if (flow_.digest != nullptr) digest(key);
    }
  }

  void emit() override {
    out_.take(*output_);
    if (flow_.digest == nullptr) return;
    flow_.digest->merge(digests_);
    digests_ = DatasetDigest(DigestKind::full);
  }

 private:
  // Without anything that tells how it was stored or used.
  void take_canonical(const HeldKey& key, HeldValue& value) {
    RdbEntry entry = head_of(key.db, *key.entry);
    entry.idle_s.reset();
    entry.freq.reset();
    static_cast<void>(gather(value, entry.encoding->type, sorted_));  // nothing in memory is damaged
    sorted_.sort();
    GatheredValue gathered(sorted_);
    taker_.take(entry, gathered);
  }

  void digest(const HeldKey& key) {
    if (add_to_digest(*digest_, key.db, *key.entry, std::nullopt)) digests_.add(key.db, digest_->finish());
  }

  const DatasetFlow& flow_;
  std::span<const HeldKey> keys_;
  OutputStream& out_;
  std::unique_ptr<EntryOutput> output_;
  EntryTaker taker_;
  Value sorted_;
  std::unique_ptr<KeyDigest> digest_;
  DatasetDigest digests_{DigestKind::full};  // since the last emit()
};

void write_module_aux(const DatasetFlow& flow, uint64_t when, OutputStream& out) {
  if (flow.rest == nullptr) return;
  for (const LoadedRdb::KeptModuleAux& kept : flow.rest->module_aux)
    if (kept.when == when) out.record({{}, ModuleAux{kept.module, kept.encver, kept.when, kept.payload}});
}

void write_keys(std::span<const HeldKey> keys, const DatasetFlow& flow, OutputStream& out) {
  run_in_order((keys.size() + kPortionKeys - 1) / kPortionKeys, flow.threads,
               [&] { return std::make_unique<KeysWorker>(flow, keys, out); });
}

void write_db(uint64_t number, const Database& db, const DatasetFlow& flow, OutputStream& out) {
  if (db.size() == 0) return;
  // In the order in which they were created. What they are sorted by takes no room of its own.
  std::vector<HeldKey> keys;
  keys.reserve(db.size());
  db.for_each([&keys](const KeyEntry& entry) { keys.push_back({entry.born, &entry}); });
  std::ranges::sort(keys, {}, &HeldKey::db);
  for (HeldKey& key : keys) key.db = number;
  const auto volatile_keys =
      std::ranges::count_if(keys, [](const HeldKey& key) { return key.entry->has_expiry(); });
  out.record({{}, SelectDb{number}});
  out.record({{}, ResizeDb{keys.size(), static_cast<uint64_t>(volatile_keys)}});
  write_keys(keys, flow, out);
}

// By what they will be called, in the databases where they will be.
std::vector<HeldKey> sorted_keys(const Dataset& data, const EntryPlan& plan) {
  struct Named {
    uint64_t db;
    std::string key;
    HeldKey held;
  };
  std::vector<Named> named;
  named.reserve(data.keys());
  std::string room;
  for (const auto& numbered : data.dbs()) {
    numbered.second.for_each([&](const KeyEntry& held) {
      RdbEntry entry = head_of(numbered.first, held);
      if (plan.changes != nullptr) plan.changes->apply(entry, room);
      named.push_back({entry.db, std::string(entry.key), {numbered.first, &held}});
    });
  }
  std::ranges::sort(named, {}, [](const Named& each) { return std::tie(each.db, each.key); });
  std::vector<HeldKey> sorted;
  sorted.reserve(named.size());
  for (const Named& each : named) sorted.push_back(each.held);
  return sorted;
}

}  // namespace

void write_dataset(const Dataset& data, const DatasetFlow& flow, OutputStream& out) {
  constexpr uint64_t kBeforeKeys = 1;
  constexpr uint64_t kBehindKeys = 2;
  write_module_aux(flow, kBeforeKeys, out);
  for (const auto& named : data.functions) {
    FunctionLibrary library;
    library.code = named.second;
    if (flow.digest != nullptr) flow.digest->add_library(library.code);
    out.record({{}, library});
  }
  if (flow.sorted)
    write_keys(sorted_keys(data, *flow.plan), flow, out);
  else
    for (const auto& numbered : data.dbs()) write_db(numbered.first, numbered.second, flow, out);
  if (flow.rest != nullptr)
    for (const std::string& script : flow.rest->scripts) out.record({{}, AuxField{kScriptAux, script}});
  write_module_aux(flow, kBehindKeys, out);
}

}  // namespace persist
