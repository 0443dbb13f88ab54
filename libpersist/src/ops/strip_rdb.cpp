// Records are taken out whole, with the prefixes of a key. Hints of how many keys a database or slot has
// stand in front of these keys, so they stay as they are: servers only reserve room by them, and our check
// does not count after them. The checksum is made anew, unless the file had none.
#include "ops/strip_rdb.hpp"

#include "base/crc64.hpp"
#include "ops/log_part.hpp"
#include "rdb/record_reader.hpp"

namespace persist {

namespace {

constexpr Bytes kWhyRecord = "strip";

// No copy is made of what is damaged: its new checksum would make it look sound.
class Guard : public FindingSink {
 public:
  void report(const Finding& finding) override {
    if (finding.code == FindingCode::rdb_misplaced_prefix)
      refuse(finding, "taking out records could give it to another key");
    if (finding.kind().severity == Severity::error) refuse(finding, "strip does not mend that");
  }

 private:
  [[noreturn]] static void refuse(const Finding& finding, const std::string& consequence) {
    throw EditRefused(EditRefused::Kind::beyond,
                      finding.file + " at offset " + std::to_string(finding.extent.offset) + ": " +
                          finding.message() + " [" + std::string(finding.kind().id) + "]: " + consequence +
                          "; `persist dump --partial` saves its whole keys");
  }
};

class RdbStrip {
 public:
  RdbStrip(ByteSource& source, const StripSelection& selection, PartOutput& out, RdbStripped& stripped)
      : selection_(selection),
        out_(out),
        stripped_(stripped),
        log_behind_(guard_),
        records_(source, log_behind_) {
    records_.set_payloads(Payloads::validated);
  }

  void run() {
    out_.observe([this](Bytes written) { checksum_ = crc64(checksum_, written); });
    while (const RdbRecord* record = records_.next_head()) take(*record);
    out_.observe({});
  }

 private:
  void take(const RdbRecord& record) {
    if (const auto* entry = std::get_if<RdbEntry>(&record.body)) {
      const ValueType type = entry->encoding->type;
      if (drops(*entry)) drop(record, stripped_.keys[static_cast<size_t>(type)]);
    } else if (const auto* aux = std::get_if<AuxField>(&record.body)) {
      if (selection_.drops_aux(*aux)) drop(record, stripped_.aux_fields);
    } else if (const auto* of_module = std::get_if<ModuleAux>(&record.body)) {
      if (selection_.drops_module_aux(*of_module)) drop(record, stripped_.module_aux);
    } else if (std::holds_alternative<FunctionLibrary>(record.body)) {
      if (selection_.drops_functions()) drop(record, stripped_.functions);
    } else if (const auto* end = std::get_if<RdbEnd>(&record.body)) {
      if (changed_ && end->checksum == ChecksumState::good) renew_checksum(record.extent.end());
    }
  }

  // Leaves the value walked over.
  bool drops(const RdbEntry& entry) {
    bool goes = selection_.drops_entry(entry);
    if (goes && selection_.asks_for_module()) {
      goes = false;
      if (entry.encoding->type == ValueType::module) {
        records_.read_value([&](const Element& told) {
          const auto* value = std::get_if<ModuleValue>(&told);
          goes = value != nullptr && selection_.drops_module(value->module);
        });
      }
    }
    records_.finish_value();
    return goes;
  }

  void drop(const RdbRecord& record, uint64_t& count) {
    out_.drop(record.extent, kWhyRecord, 0);
    ++count;
    changed_ = true;
  }

  void renew_checksum(uint64_t end) {
    const uint64_t at = end - kChecksumBytes;
    out_.keep_up_to(at);
    std::string bytes;
    for (uint64_t i = 0; i < kChecksumBytes; ++i) bytes += static_cast<char>(checksum_ >> (8 * i));
    out_.drop({at, kChecksumBytes}, "checksum", 0);
    out_.insert(end, bytes);
  }

  const StripSelection& selection_;
  PartOutput& out_;
  RdbStripped& stripped_;
  Guard guard_;
  RdbPartSink log_behind_;
  RecordReader records_;
  uint64_t checksum_ = 0;  // of what was written
  bool changed_ = false;
};

}  // namespace

void strip_rdb(ByteSource& source, const StripSelection& selection, PartOutput& out, RdbStripped& stripped) {
  RdbStrip(source, selection, out, stripped).run();
}

}  // namespace persist
