// Values are walked once, to check them, and copied as they stand.
#include "engine/load_rdb.hpp"

#include <algorithm>

#include "base/letters.hpp"
#include "engine/function_library.hpp"
#include "engine/value_builder.hpp"
#include "rdb/file_head.hpp"
#include "rdb/function_code.hpp"
#include "rdb/origin.hpp"

namespace persist {

namespace {

// A hint in the file is believed as far as a file of that size could have so many keys.
constexpr uint64_t kKeysReservedMax = uint64_t{1} << 26;
constexpr size_t kIntegerBytesMax = 5;
constexpr uint64_t kKeysBetweenLooks = uint64_t{1} << 14;

class RdbLoader {
 public:
  RdbLoader(ByteSource& source, FindingSink& findings, Dataset& data)
      : source_(source), findings_(findings), records_(source, findings), data_(data) {}

  LoadedRdb run(const std::function<void(uint64_t offset)>& progress) {
    while (const RdbRecord* record = records_.next_head()) {
      if (const auto* entry = std::get_if<RdbEntry>(&record->body)) {
        load_entry(*record, *entry);
        if (progress && ++entries_ % kKeysBetweenLooks == 0) progress(records_.offset());
      } else {
        load_other(*record);
      }
    }
    loaded_.server = origin_.server();
    loaded_.complete = records_.complete();
    loaded_.end = records_.offset();
    return loaded_;
  }

 private:
  void load_entry(const RdbRecord& record, const RdbEntry& entry) {
    if (entry.db != db_number_ || db_ == nullptr) {
      db_number_ = entry.db;
      db_ = &data_.db(entry.db);
    }
    // The entry is made once its value turns out to be whole; until then it stands alone.
    if (records_.value_is_plain()) {
      records_.set_payloads(Payloads::wanted);
      records_.read_value([&](const Element& told) {
        place(entry).set_text(data_.pool(), std::get<StringValue>(told).value);
      });
      return;
    }
    records_.set_payloads(Payloads::validated);
    bool has_elements = false;
    bool has_signed_zero = false;
    const auto look_at = [&](const Element& told) {
      has_elements = true;
      has_signed_zero = has_signed_zero || is_signed_zero(told);
    };
    if (!records_.read_value(look_at)) return;
    // Servers leave out what holds nothing.
    if (!has_elements) return loaded_.losses.add(LossFeature::empty_keys, entry.db, entry.key);
    KeyEntry& placed = place(entry);
    if (has_signed_zero) loaded_.with_signed_zeros.emplace_back(entry.db, entry.key);
    const uint64_t size = record.extent.end() - entry.value_offset;
    const Bytes bytes = records_.raw_from(entry.value_offset, size);
    if (bytes.size() == size) return keep(placed, *entry.encoding, bytes);
    // Too large to be at hand as it stands.
    records_.set_payloads(Payloads::wanted);
    placed.clear(data_.pool());
    ValueBuilder builder(data_.pool(), placed);
    records_.visit([&](const Element& told) { builder.add(told); });
  }

  // A special string this short is a number, which needs less room as one.
  void keep(KeyEntry& placed, const Encoding& encoding, Bytes bytes) {
    placed.set_packed(data_.pool(), encoding, bytes);
    CellRoom room;
    if (encoding.type == ValueType::string && bytes.size() <= kIntegerBytesMax)
      static_cast<void>(placed.text(data_.pool(), room));
  }

  // Servers refuse such a file.
  void report_again(const RdbEntry& entry) {
    Finding finding;
    finding.code = FindingCode::rdb_duplicate_key;
    finding.file = source_.name();
    finding.extent = {entry.value_offset, 0};
    finding.subject = "key";
    finding.expected = "each key once in a db";
    finding.found = "one that came before";
    finding.db = entry.db;
    finding.key = std::string(entry.key);
    findings_.report(finding);
  }

  KeyEntry& place(const RdbEntry& entry) {
    ++loaded_.keys;
    if (!entry.key_meta.empty()) loaded_.losses.add(LossFeature::key_metadata, entry.db, entry.key);
    KeyEntry& placed = db_->find_or_create(entry.key);
    if (placed.held() != Held::nothing) report_again(entry);
    placed.expire_at_ms = entry.expire_at_ms;
    placed.idle_s = KeyEntry::kNoIdle;
    if (entry.idle_s)
      placed.idle_s = static_cast<uint32_t>(std::min<uint64_t>(*entry.idle_s, KeyEntry::kNoIdle - 1));
    placed.has_freq = entry.freq.has_value();
    placed.freq = entry.freq.value_or(0);
    return placed;
  }

  void load_other(const RdbRecord& record) {
    if (const auto* header = std::get_if<RdbHeader>(&record.body)) {
      loaded_.header = *header;
      origin_.take(*header);
    } else if (const auto* select = std::get_if<SelectDb>(&record.body)) {
      db_number_ = select->db;
      db_ = &data_.db(select->db);
    } else if (const auto* resize = std::get_if<ResizeDb>(&record.body)) {
      const uint64_t possible = source_.size() ? *source_.size() / kEntryBytesMin : 0;
      if (db_ != nullptr) db_->reserve(std::min({resize->keys, possible, kKeysReservedMax}));
    } else if (const auto* aux = std::get_if<AuxField>(&record.body)) {
      origin_.take(*aux);
      if (equals_ignoring_case(aux->name, kScriptAux)) loaded_.scripts.emplace_back(aux->value);
    } else if (const auto* function = std::get_if<FunctionLibrary>(&record.body)) {
      const std::string code = function_code(*function);
      data_.functions.insert_or_assign(std::string(function_library_name(code)), code);
    } else if (const auto* of_module = std::get_if<ModuleAux>(&record.body)) {
      loaded_.module_aux.push_back({std::string(of_module->module), of_module->encver, of_module->when,
                                    std::string(of_module->payload)});
    } else if (std::holds_alternative<SlotImport>(record.body)) {
      loaded_.losses.add(LossFeature::slot_imports);
    }
  }

  ByteSource& source_;
  FindingSink& findings_;
  RecordReader records_;
  Dataset& data_;
  LoadedRdb loaded_;
  RdbOrigin origin_;
  uint64_t entries_ = 0;
  uint64_t db_number_ = 0;
  Database* db_ = nullptr;
};

}  // namespace

LoadedRdb load_rdb(ByteSource& source, FindingSink& findings, Dataset& data,
                   const std::function<void(uint64_t offset)>& progress) {
  return RdbLoader(source, findings, data).run(progress);
}

}  // namespace persist
