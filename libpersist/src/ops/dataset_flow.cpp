// Keys are handed out in portions; a portion is small enough for several threads to be done at about the same
// time, and large enough for a buffer to be worth writing.
#include "ops/dataset_flow.hpp"

#include <algorithm>

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

class KeysWorker : public PortionWorker {
 public:
  KeysWorker(const DatasetFlow& flow, uint64_t db, std::span<KeyEntry* const> keys, OutputStream& out)
      : flow_(flow),
        db_(db),
        keys_(keys),
        out_(out),
        output_(make_output(*flow.rules)),
        taker_(*flow.plan, *output_),
        digest_(proof_digest()) {}

  void work(size_t portion) override {
    const size_t begin = portion * kPortionKeys;
    for (const KeyEntry* held : keys_.subspan(begin, std::min(kPortionKeys, keys_.size() - begin))) {
      HeldValue value(*held, flow_);
      if (flow_.rules->canonical)
        take_canonical(*held, value);
      else
        taker_.take(head_with_layout(db_, *held), value);
      // Now, while it is at hand.
      if (flow_.digest != nullptr) digest(*held);
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
  void take_canonical(const KeyEntry& held, HeldValue& value) {
    RdbEntry entry = head_of(db_, held);
    entry.idle_s.reset();
    entry.freq.reset();
    sorted_.begin(entry.encoding->type);
    value.tell([this](const Element& told) { sorted_.add(told); });
    sorted_.sort();
    GatheredValue gathered(sorted_);
    taker_.take(entry, gathered);
  }

  void digest(const KeyEntry& held) {
    if (add_to_digest(*digest_, db_, held, std::nullopt)) digests_.add(db_, digest_->finish());
  }

  const DatasetFlow& flow_;
  uint64_t db_;
  std::span<KeyEntry* const> keys_;
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

void write_db(uint64_t number, const Database& db, const DatasetFlow& flow, OutputStream& out) {
  if (db.size() == 0) return;
  std::vector<KeyEntry*> keys = db.entries();
  if (flow.sorted) std::ranges::sort(keys, {}, &KeyEntry::key);
  const auto volatile_keys = std::ranges::count_if(keys, &KeyEntry::has_expiry);
  out.record({{}, SelectDb{number}});
  out.record({{}, ResizeDb{keys.size(), static_cast<uint64_t>(volatile_keys)}});
  run_in_order((keys.size() + kPortionKeys - 1) / kPortionKeys, flow.threads,
               [&] { return std::make_unique<KeysWorker>(flow, number, keys, out); });
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
  for (const auto& numbered : data.dbs()) write_db(numbered.first, numbered.second, flow, out);
  if (flow.rest != nullptr)
    for (const std::string& script : flow.rest->scripts) out.record({{}, AuxField{kScriptAux, script}});
  write_module_aux(flow, kBehindKeys, out);
}

}  // namespace persist
