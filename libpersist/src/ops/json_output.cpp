// Entries as JSON Lines: their values, or DUMP payloads of them.
#include "ops/entry_output.hpp"
#include "ops/gathered_value.hpp"
#include "rdb/record_encoder.hpp"
#include "text/json_lines.hpp"

namespace persist {

namespace {

// Records that have lines of their own in any case: they hold what somebody has stored.
bool carries(const RdbRecord& record) {
  return std::holds_alternative<FunctionLibrary>(record.body) ||
         std::holds_alternative<ModuleAux>(record.body);
}

class JsonOutput : public EntryOutput {
 public:
  explicit JsonOutput(const OutputRules& rules) : rules_(rules), line_(made_) {}

  bool put(const RdbEntry& entry, EntryValue& value) override {
    const size_t before = made_.size();
    if (!entry.key_meta.empty()) append_key_meta_line(made_, entry);
    bool is_void = true;
    const auto add = [&](const Element& told) {
      is_void = false;
      line_.add(told);
    };
    line_.begin(entry, false);
    const bool whole = value.tell(add);
    if (!whole || is_void) {
      line_.discard();
      made_.truncate(before);
      if (whole) losses_.add(LossFeature::empty_keys, entry.db, entry.key);
      return whole;
    }
    if (line_.wants_pairs()) {
      line_.discard();
      line_.begin(entry, true);
      value.tell(add);
    }
    line_.end();
    ++written_;
    return true;
  }

  // Without the lines that carry something, what is read back would be less than what was written.
  void put_record(const RdbRecord& record) override {
    const bool is_end = std::holds_alternative<RdbEnd>(record.body);
    if (rules_.meta ? !is_end : carries(record) && !rules_.selects)
      append_record_line(made_, record, 0);
    else if (!rules_.selects)
      lose_record(record);
  }

  // A file without a byte could be anything, such as what a full disk leaves.
  void end(bool is_empty) override {
    if (is_empty && !rules_.meta) append_record_line(made_, {{}, rules_.target().header()}, 0);
  }

 private:
  const OutputRules& rules_;
  EntryLine line_;
};

class PayloadOutput : public EntryOutput {
 public:
  explicit PayloadOutput(const OutputRules& rules)
      : line_(made_), payload_(payload_bytes_, rules.write), fitter_(rules.fit, losses_) {}

  bool put(const RdbEntry& entry, EntryValue& value) override {
    if (!gather(value, entry.encoding->type, value_)) return false;
    if (!fitter_.fit_value(entry, value_)) return true;
    const RdbEntry& fitted = fitter_.fit(entry);
    payload_bytes_.clear();
    payload_.payload(fitted, value_);
    line_.write_payload(fitted, payload_bytes_.bytes());
    payload_bytes_.shrink(kPayloadBytesKept);
    payload_.shrink();
    ++written_;
    return true;
  }

  void put_record(const RdbRecord& record) override {
    if (carries(record))
      append_record_line(made_, record, 0);
    else
      lose_record(record);
  }

 private:
  static constexpr size_t kPayloadBytesKept = size_t{4} << 20;
  EntryLine line_;
  ByteBuffer payload_bytes_;
  RecordEncoder payload_;
  Fitter fitter_;
  Value value_;
};

}  // namespace

std::unique_ptr<EntryOutput> make_json_output(const OutputRules& rules) {
  return std::make_unique<JsonOutput>(rules);
}

std::unique_ptr<EntryOutput> make_payload_output(const OutputRules& rules) {
  return std::make_unique<PayloadOutput>(rules);
}

}  // namespace persist
