// Entries as RDB records: copied where the target reads the layout that they come in, else encoded anew.
#include <algorithm>
#include <array>

#include "base/decimal.hpp"
#include "base/letters.hpp"
#include "ops/entry_output.hpp"
#include "ops/gathered_value.hpp"
#include "rdb/file_head.hpp"
#include "rdb/function_code.hpp"
#include "rdb/record_encoder.hpp"

namespace persist {

namespace {

constexpr unsigned kScriptsSince = 400;
constexpr unsigned kSlotAuxSince = 800;
constexpr unsigned kScriptsUntil = 602;
constexpr uint8_t kSlotInfoOpcode = 0xf4;
constexpr uint8_t kModuleAuxOpcode = 0xf7;
constexpr uint8_t kResizeOpcode = 0xfb;
constexpr uint8_t kValkeyHash = 22;
constexpr unsigned kLengthsOf64BitsSince = 400;
constexpr Bytes kSlotInfoName = "slot-info";

// AUX fields that say something of the file that was read, or of the server that wrote it.
constexpr Bytes kOfTheInput[] = {
    "redis-ver",       "valkey-ver", "redis-bits",  "used-mem",       "aof-preamble",
    "aof-base",        "repl-id",    "repl-offset", "repl-stream-db", "cluster-slot-states",
    "cluster-asm-task"};

bool holds_listpacks(uint8_t code) {
  constexpr uint8_t kWithListpacks[] = {15, 16, 17, 18, 19, 20, 21, 23, 25, 26, 27};
  return std::ranges::find(kWithListpacks, code) != std::end(kWithListpacks);
}

bool holds_field_ttls(const Encoding& encoding) {
  return encoding.type == ValueType::hash && encoding.code >= kValkeyHash;
}

// Whether values in a layout can be copied whatever they are, as far as the layout decides that.
bool can_copy(const OutputRules& rules, const Encoding& encoding) {
  // Whoever says how values are to be packed means all of them.
  if (!rules.write.compress || rules.write.limits != PackLimits{}) return false;
  if (!rules.from || rules.canonical || encoding.type == ValueType::module) return false;
  if (rules.fields_change && holds_field_ttls(encoding)) return false;
  const Target& target = rules.target();
  const Dialect dialect = target.header().dialect;
  if (find_encoding(dialect, encoding.code) != &encoding || !accepts_type(target, dialect, encoding.code))
    return false;
  // Servers before 2.6 misread some integers of later ziplists, those before 4.0 lengths of 64 bits.
  return target.release >= kLengthsOf64BitsSince || rules.from->header.version <= target.redis_version_max;
}

class RdbOutput : public EntryOutput {
 public:
  explicit RdbOutput(const OutputRules& rules)
      : rules_(rules), records_(made_, rules.write), fitter_(rules.fit, losses_) {
    for (const Encoding* encoding : encodings()) copied_[index_of(*encoding)] = can_copy(rules, *encoding);
  }

  [[nodiscard]] bool copies(const Encoding& encoding) const override { return copied_[index_of(encoding)]; }

  bool put(const RdbEntry& entry, EntryValue& value) override {
    if (entry.encoding->type == ValueType::string) return put_string(entry, value);
    if (!gather(value, entry.encoding->type, value_)) return false;
    if (!fitter_.fit_value(entry, value_)) return true;
    const RdbEntry& fitted = fitter_.fit(entry);
    enter(entry.db);
    records_.entry(fitted, value_);
    records_.shrink();
    ++written_;
    return true;
  }

  bool put_copy(const RdbEntry& entry, const EntryValue::Raw& raw, bool as_it_was) override {
    if (raw.value.empty() || raw.is_void || is_hazardous(*entry.encoding, raw)) return false;
    enter(entry.db);
    ++written_;
    const RdbEntry& fitted = fitter_.fit(entry);
    if (as_it_was && &fitted == &entry && !raw.record.empty())
      made_.append(raw.record);
    else
      records_.entry_with(fitted, raw.value);
    return true;
  }

  void put_record(const RdbRecord& record) override {
    std::visit([this](const auto& body) { put_one(body); }, record.body);
  }

  void select(uint64_t db) override { records_.select(db); }

  void begin() override { write_file_head(records_, {rules_.is_base, !rules_.canonical}); }

  void end(bool /*is_empty*/) override { records_.end(); }

 private:
  // A string is told at once or not at all, and any target holds it.
  bool put_string(const RdbEntry& entry, EntryValue& value) {
    return value.tell([&](const Element& told) {
      enter(entry.db);
      records_.string_entry(fitter_.fit(entry), std::get<StringValue>(told).value);
      ++written_;
    });
  }

  // Codes from 22 on mean one thing in each family.
  static size_t index_of(const Encoding& encoding) {
    return encoding.code + (encoding.in_redis ? 0 : kCodes);
  }

  // Listpacks state some lengths in a form that only some releases read.
  [[nodiscard]] bool is_hazardous(const Encoding& encoding, const EntryValue::Raw& raw) const {
    constexpr size_t kShortest = 16378;  // the bytes of a string whose entry is one of those
    if (rules_.from->narrow_backlen == rules_.target().narrow_backlen || !holds_listpacks(encoding.code))
      return false;
    return raw.has_inflated || raw.value.size() >= kShortest;
  }

  void put_one(const RdbHeader& /*header*/) {}
  void put_one(const RdbEntry& /*entry*/) {}
  void put_one(const RdbEnd& /*end*/) {}
  void put_one(const SelectDb& select) {
    if (rules_.keeps_layout) enter(select.db);
  }
  void put_one(const ResizeDb& resize) {
    const bool is_wanted = rules_.keeps_layout && !rules_.canonical && is_possible(resize.keys);
    if (is_wanted && knows_opcode(kResizeOpcode)) records_.resize(resize);
  }
  void put_one(const SlotInfo& info) {
    if (!rules_.keeps_layout || !is_possible(info.keys)) return;
    const Target& target = rules_.target();
    if (target.family == Dialect::redis) {
      if (knows_opcode(kSlotInfoOpcode)) records_.slot_info(info);
    } else if (target.release >= kSlotAuxSince) {
      records_.aux(kSlotInfoName, std::to_string(info.slot) + "," + std::to_string(info.keys) + "," +
                                      std::to_string(info.volatile_keys));
    }
  }
  void put_one(const SlotImport& /*import*/) { losses_.add(LossFeature::slot_imports); }
  void put_one(const FunctionLibrary& library) {
    if (knows_functions(rules_.target()))
      records_.function(function_code(library));
    else
      losses_.add(LossFeature::functions);
  }
  void put_one(const ModuleAux& aux) {
    if (knows_opcode(kModuleAuxOpcode) && fitter_.knows_module(aux.module))
      records_.module_aux(aux);
    else
      losses_.add(LossFeature::module_aux);
  }
  void put_one(const AuxField& aux) {
    const auto same = [&aux](Bytes name) { return equals_ignoring_case(aux.name, name); };
    if (same(kSlotInfoName)) {
      if (const std::optional<SlotInfo> info = parse_slot_info(aux.value)) put_one(*info);
      return;
    }
    if (same(kScriptAux)) {
      const unsigned release = rules_.target().release;
      if (release < kScriptsSince || release > kScriptsUntil) return losses_.add(LossFeature::scripts);
    }
    const bool is_of_the_input = rules_.canonical || std::ranges::any_of(kOfTheInput, same);
    if (!knows_aux(rules_.target()) || (is_of_the_input && !same(kScriptAux))) return;
    records_.aux(aux.name, aux.value);
  }

  // A server believes a hint, and takes memory for so many keys.
  [[nodiscard]] bool is_possible(uint64_t keys) const { return !rules_.keys_max || keys <= *rules_.keys_max; }

  [[nodiscard]] bool knows_opcode(uint8_t code) const {
    return accepts_opcode(rules_.target(), rules_.target().header().dialect, code);
  }

  // "slot,keys,volatile keys", and perhaps more behind.
  static std::optional<SlotInfo> parse_slot_info(Bytes text) {
    std::array<uint64_t, 3> numbers{};
    for (uint64_t& number : numbers) {
      const size_t comma = std::min(text.find(','), text.size());
      const std::optional<uint64_t> parsed = parse_decimal<uint64_t>(text.substr(0, comma));
      if (!parsed) return std::nullopt;
      number = *parsed;
      text.remove_prefix(std::min(comma + 1, text.size()));
    }
    return SlotInfo{numbers[0], numbers[1], numbers[2]};
  }

  static constexpr size_t kCodes = 256;
  const OutputRules& rules_;
  RecordEncoder records_;
  Fitter fitter_;
  Value value_;
  std::array<bool, 2 * kCodes> copied_{};
};

}  // namespace

std::unique_ptr<EntryOutput> make_rdb_output(const OutputRules& rules) {
  return std::make_unique<RdbOutput>(rules);
}

}  // namespace persist
