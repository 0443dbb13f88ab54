// The value of an entry in an RDB file, on its way through a verb.
#pragma once

#include "ops/entry_output.hpp"
#include "ops/value_checker.hpp"
#include "rdb/origin.hpp"
#include "rdb/record_reader.hpp"

namespace persist {

// With one, values that no server would load are damaged, too: what is wrong with them is reported.
struct ValueCheck {
  ValueChecker& checker;
  const std::string& file;
  FindingSink& findings;
};

class StoredValue : public EntryValue {
 public:
  // All must outlive it; `entry` is that of `record`, before whose value `records` stands.
  StoredValue(RecordReader& records, const RdbRecord& record, const RdbEntry& entry,
              const ValueCheck* check = nullptr)
      : records_(records),
        record_(record),
        entry_(entry),
        check_(entry.encoding->type == ValueType::string ? nullptr : check) {}

  bool tell(ElementSink sink) override;
  Raw raw() override;
  bool skip() override { return records_.finish_value(); }

 private:
  bool read(ElementSink sink);
  bool has_no_flaws();

  RecordReader& records_;
  const RdbRecord& record_;  // its extent grows as the value is read
  const RdbEntry& entry_;
  const ValueCheck* check_;
  bool read_ = false;
};

// What the head of a file says of the data in it.
[[nodiscard]] RdbProvenance provenance_of(const RdbHead& head);

}  // namespace persist
