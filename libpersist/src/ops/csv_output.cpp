// Entries as rows of CSV, for people and for other programs: nothing reads them back.
#include "ops/entry_output.hpp"
#include "rdb/function_code.hpp"
#include "text/csv_lines.hpp"

namespace persist {

namespace {

class CsvOutput : public EntryOutput {
 public:
  explicit CsvOutput(const OutputRules& rules) : rules_(rules), lines_(made_) {}

  bool put(const RdbEntry& entry, EntryValue& value) override {
    const size_t before = made_.size();
    Untold untold;
    bool is_void = true;
    lines_.begin(entry);
    const bool whole = value.tell([&](const Element& told) {
      is_void = false;
      lines_.add(told);
      if (entry.encoding->type == ValueType::stream) untold.count(told);
    });
    if (!whole || is_void) {
      made_.truncate(before);
      if (whole) lose(entry, LossFeature::empty_keys, 1);
      return whole;
    }
    lines_.end();
    ++written_;
    lose(entry, LossFeature::stream_counters, untold.counters);
    lose(entry, LossFeature::entries_read, untold.entries_read);
    lose(entry, LossFeature::consumer_times, untold.active_times);
    lose(entry, LossFeature::idmp, untold.idempotency);
    lose(entry, LossFeature::key_metadata, entry.key_meta.empty() ? 0 : 1);
    return true;
  }

  void put_record(const RdbRecord& record) override {
    if (rules_.selects) return;
    if (const auto* library = std::get_if<FunctionLibrary>(&record.body))
      lines_.write_library(function_code(*library));
    else
      lose_record(record);
  }

  void begin() override { append_csv_header(made_); }

 private:
  // What a stream has beyond its rows.
  struct Untold {
    uint64_t counters = 0;
    uint64_t entries_read = 0;
    uint64_t active_times = 0;
    uint64_t idempotency = 0;

    void count(const Element& told) {
      if (const auto* info = std::get_if<StreamInfo>(&told)) {
        if (info->entries_added) ++counters;
      } else if (const auto* group = std::get_if<StreamGroup>(&told)) {
        if (group->entries_read) ++entries_read;
      } else if (const auto* consumer = std::get_if<StreamConsumer>(&told)) {
        if (consumer->active_time_ms) ++active_times;
      } else if (const auto* idmp = std::get_if<StreamIdmp>(&told)) {
        if (!has_settings_as_new(*idmp)) ++idempotency;
      }
    }
  };

  void lose(const RdbEntry& entry, LossFeature feature, uint64_t count) {
    if (count > 0) losses_.add(feature, entry.db, entry.key, count);
  }

  const OutputRules& rules_;
  CsvLines lines_;
};

}  // namespace

std::unique_ptr<EntryOutput> make_csv_output(const OutputRules& rules) {
  return std::make_unique<CsvOutput>(rules);
}

}  // namespace persist
