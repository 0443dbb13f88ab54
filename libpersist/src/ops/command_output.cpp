// Entries as commands: the base of a log, or what a server takes through its port.
#include "aof/command_writer.hpp"
#include "engine/vector_set_commands.hpp"
#include "ops/entry_output.hpp"
#include "ops/gathered_value.hpp"
#include "rdb/file_head.hpp"
#include "rdb/function_code.hpp"
#include "rdb/record_encoder.hpp"

namespace persist {

namespace {

// What a server takes as one argument, less room for the command around it.
constexpr size_t kPayloadBytesMax = (size_t{512} << 20) - 1024;

class CommandOutput : public EntryOutput {
 public:
  explicit CommandOutput(const OutputRules& rules)
      : rules_(rules),
        commands_(made_, rules.target()),
        payload_(payload_bytes_, rules.write),
        payload_rules_{rules.fit.target, Carrier::payload, rules.fit.modules},
        payload_fitter_(payload_rules_, losses_),
        fitter_(rules.fit, losses_) {}

  bool put(const RdbEntry& entry, EntryValue& value) override {
    if (entry.encoding->type == ValueType::string && !rules_.restore) return put_string(entry, value);
    if (!gather(value, entry.encoding->type, value_)) return false;
    if (rules_.restore && put_payload(entry)) return true;
    put_commands(entry);
    return true;
  }

  void put_record(const RdbRecord& record) override {
    const auto* library = std::get_if<FunctionLibrary>(&record.body);
    if (library != nullptr && knows_functions(rules_.target()))
      commands_.function(function_code(*library), rules_.replace);
    else
      lose_record(record);
  }

  void select(uint64_t db) override { commands_.select(db); }

  // A log without a byte could be anything, such as what a full disk leaves.
  void end(bool is_empty) override {
    if (is_empty && rules_.form == OutputForm::aof) commands_.select(0);
  }

 private:
  // The common case, without gathering anything: a string is told at once or not at all.
  bool put_string(const RdbEntry& entry, EntryValue& value) {
    return value.tell([&](const Element& told) {
      commands_.string_entry(begin_entry(entry), std::get<StringValue>(told).value);
      ++written_;
    });
  }

  // What comes before the commands of the value. Returns the entry with what commands can say of it.
  const RdbEntry& begin_entry(const RdbEntry& entry) {
    enter(entry.db);
    if (rules_.replace) commands_.del(entry.key);
    return fitter_.fit(entry);
  }

  void put_commands(const RdbEntry& entry) {
    if (!fitter_.fit_value(entry, value_)) return;
    if (value_.type == ValueType::module) return put_vector_set(entry);
    commands_.entry(begin_entry(entry), value_);
    ++written_;
  }

  void put_vector_set(const RdbEntry& entry) {
    const std::optional<VectorSet> vectors =
        VectorSet::from_payload(value_.module.encver, value_.module.payload);
    if (!vectors) return losses_.add(LossFeature::vector_sets, entry.db, entry.key);
    if (vectors->projection().given_dimension() != 0)
      losses_.add(LossFeature::vector_projection, entry.db, entry.key);
    const RdbEntry& fitted = begin_entry(entry);
    write_vector_set_commands(commands_, fitted.key, *vectors);
    commands_.expiry(fitted);
    ++written_;
  }

  // False if the payload is larger than what a server takes at once.
  bool put_payload(const RdbEntry& entry) {
    if (!payload_fitter_.fit_value(entry, value_)) return true;
    const RdbEntry& fitted = payload_fitter_.fit(entry);
    payload_bytes_.clear();
    payload_.payload(fitted, value_);
    const bool takes = payload_bytes_.size() <= kPayloadBytesMax;
    if (takes) {
      enter(entry.db);
      commands_.restore(fitted, payload_bytes_.bytes(), rules_.replace);
      ++written_;
    }
    payload_.shrink();
    payload_bytes_.shrink(kPayloadBytesKept);
    return takes;
  }

  static constexpr size_t kPayloadBytesKept = size_t{4} << 20;
  const OutputRules& rules_;
  CommandWriter commands_;
  ByteBuffer payload_bytes_;
  RecordEncoder payload_;
  FitRules payload_rules_;
  Fitter payload_fitter_;
  Fitter fitter_;
  Value value_;
};

}  // namespace

std::unique_ptr<EntryOutput> make_command_output(const OutputRules& rules) {
  return std::make_unique<CommandOutput>(rules);
}

}  // namespace persist
