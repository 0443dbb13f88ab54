// Makes nothing, and counts what would be lost: what cannot lose anything is not even looked into, but to see
// that it is sound.
#include "ops/entry_output.hpp"

namespace persist {

namespace {

constexpr uint8_t kFirstWithFieldTtl = 22;

class LossProbe : public EntryOutput {
 public:
  explicit LossProbe(const OutputRules& rules)
      : rules_(without_probe(rules)),
        made_by_(make_output(rules_)),
        head_rules_(rules.fit),
        fitter_(head_rules_, losses_),
        fits_heads_(rules.form != OutputForm::jsonl && rules.form != OutputForm::csv) {
    if (rules.restore) head_rules_.carrier = Carrier::payload;
  }

  // Values that every target can hold, however they are written.
  [[nodiscard]] bool copies(const Encoding& encoding) const override {
    switch (encoding.type) {
      case ValueType::string:
      case ValueType::list:
      case ValueType::set:
        return true;
      case ValueType::zset:
        return !refuses_tiny_scores(rules_.fit);
      case ValueType::hash:
        return encoding.code < kFirstWithFieldTtl;
      default:
        return false;
    }
  }

  bool put_copy(const RdbEntry& entry, const EntryValue::Raw& raw, bool /*as_it_was*/) override {
    if (raw.is_void || (!fits_heads_ && !entry.key_meta.empty())) return false;
    // A hash that is not as it stood in a file may have expiries that its encoding has no room for.
    if (entry.encoding->type == ValueType::hash && raw.value.empty()) return false;
    if (fits_heads_) static_cast<void>(fitter_.fit(entry));
    ++written_;
    return true;
  }

  // The rest goes the whole way.
  bool put(const RdbEntry& entry, EntryValue& value) override {
    const bool whole = made_by_->put(entry, value);
    take_over();
    return whole;
  }

  void put_record(const RdbRecord& record) override {
    made_by_->put_record(record);
    take_over();
  }

 private:
  static OutputRules without_probe(OutputRules rules) {
    rules.only_probes = false;
    return rules;
  }

  void take_over() {
    losses_.add(made_by_->losses());
    written_ += made_by_->written();
    made_by_->clear();
  }

  OutputRules rules_;
  std::unique_ptr<EntryOutput> made_by_;
  FitRules head_rules_;
  Fitter fitter_;
  bool fits_heads_;  // text holds whatever stands around a value
};

}  // namespace

std::unique_ptr<EntryOutput> make_loss_probe(const OutputRules& rules) {
  return std::make_unique<LossProbe>(rules);
}

}  // namespace persist
