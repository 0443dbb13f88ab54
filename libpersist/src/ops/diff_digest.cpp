// The first look at entries: 32 bytes each are left of them.
#include <cmath>
#include <limits>

#include "base/hash128.hpp"
#include "engine/digest.hpp"
#include "engine/function_library.hpp"
#include "ops/diff_outputs.hpp"
#include "rdb/function_code.hpp"

namespace persist {

namespace {

class DigestOutput : public EntryOutput {
 public:
  DigestOutput(DiffState& state, DiffSideState& side)
      : state_(state), side_(side), digest_(proof_digest(state.seed)), hash_(state.seed) {}

  bool put(const RdbEntry& entry, EntryValue& value) override {
    digest_->begin({0, {}, entry.encoding->type, kNoExpiry});
    has_field_expiry_ = false;
    if (!value.tell([this](const Element& told) { add(told); })) return false;
    KeyRecord& record = records_.emplace_back(key_print(entry.db, entry.key, state_.seed));
    set_digest(record, entry);
    if (!state_.ignores(DiffIgnore::ttl)) record.expire_at_ms = entry.expire_at_ms;
    ++written_;
    return true;
  }

  void put_record(const RdbRecord& record) override {
    if (const auto* library = std::get_if<FunctionLibrary>(&record.body)) {
      if (state_.ignores(DiffIgnore::functions)) return;
      std::string code = function_code(*library);
      std::string name(function_library_name(code));
      libraries_.emplace_back(std::pair(true, std::move(name)), std::move(code));
    } else if (const auto* aux = std::get_if<ModuleAux>(&record.body)) {
      if (state_.ignores(DiffIgnore::modules)) return;
      libraries_.emplace_back(
          std::pair(false, std::string(aux->module) + (aux->when == 1 ? "" : ", behind the keys")),
          std::string(aux->payload));
    }
  }

  void hand_on() override {
    if (side_.is_indexed)
      state_.keys.index(records_);
    else
      state_.keys.match(records_);
    side_.input->compared += records_.size();
    records_.clear();
    for (auto& [name, content] : libraries_) side_.libraries.insert_or_assign(name, std::move(content));
    libraries_.clear();
  }

 private:
  // What is ignored is not digested.
  void add(const Element& told) {
    if (const auto* field = std::get_if<HashField>(&told)) return add_field(*field);
    if (const auto* member = std::get_if<SortedSetMember>(&told);
        member != nullptr && std::isnan(member->score))
      return digest_->add(SortedSetMember{member->member, std::numeric_limits<double>::quiet_NaN()});
    if (!is_ignored(told)) digest_->add(told);
  }

  void add_field(const HashField& told) {
    if (told.expire_at_ms == kNoExpiry) return digest_->add(told);
    has_field_expiry_ = true;
    if (!state_.ignores(DiffIgnore::field_ttl)) return digest_->add(told);
    digest_->add(HashField{told.field, told.value, kNoExpiry});
  }

  [[nodiscard]] bool is_ignored(const Element& told) const {
    if (state_.ignores(DiffIgnore::groups) &&
        (std::holds_alternative<StreamGroup>(told) || std::holds_alternative<StreamPending>(told) ||
         std::holds_alternative<StreamConsumer>(told)))
      return true;
    if (state_.ignores(DiffIgnore::idmp) &&
        (std::holds_alternative<StreamProducer>(told) || std::holds_alternative<StreamIid>(told) ||
         std::holds_alternative<StreamIdmp>(told)))
      return true;
    return state_.ignores(DiffIgnore::counters) && std::holds_alternative<StreamInfo>(told);
  }

  void set_digest(KeyRecord& record, const RdbEntry& entry) {
    const Sha1Hash of_value = digest_->finish();
    std::array<uint64_t, 2> digest{};
    std::memcpy(digest.data(), of_value.data(), sizeof digest);
    if (!state_.ignores(DiffIgnore::idle) && (entry.idle_s || entry.freq)) {
      const std::array<uint64_t, 4> fields = {digest[0], digest[1], entry.idle_s ? *entry.idle_s + 1 : 0,
                                              entry.freq ? uint64_t{*entry.freq} + 1 : 0};
      digest = hash_({reinterpret_cast<const char*>(fields.data()), sizeof fields});
    }
    // The values will have to be looked at: no digest of the other side may be equal.
    if (has_field_expiry_ && state_.values_decide()) digest[0] = side_.is_a ? 1 : 2;
    record.digest_high = digest[0];
    record.digest_low = static_cast<uint32_t>(digest[1]);
  }

  DiffState& state_;
  DiffSideState& side_;
  std::unique_ptr<KeyDigest> digest_;
  Hash128 hash_;
  std::vector<KeyRecord> records_;
  std::vector<std::pair<std::pair<bool, std::string>, std::string>> libraries_;
  bool has_field_expiry_ = false;
};

}  // namespace

DiffState::DiffState(const DiffOptions& wanted, DiffSink& to)
    : options(wanted),
      sink(to),
      seed(random_seed()),
      compare(CompareRules::of(wanted)),
      keys(wanted.memory_bytes, wanted.ttl_tolerance_ms) {
  for (const DiffIgnore each : wanted.ignored) ignored[static_cast<size_t>(each)] = true;
}

std::unique_ptr<EntryOutput> make_digest_output(DiffState& state, DiffSideState& side) {
  return std::make_unique<DigestOutput>(state, side);
}

}  // namespace persist
