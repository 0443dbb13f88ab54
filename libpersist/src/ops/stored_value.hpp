// The value of an entry in an RDB file, on its way through a verb.
#pragma once

#include "ops/entry_output.hpp"
#include "rdb/origin.hpp"
#include "rdb/record_reader.hpp"

namespace persist {

class StoredValue : public EntryValue {
 public:
  // All must outlive it; `entry` is that of `record`, before whose value `records` stands.
  StoredValue(RecordReader& records, const RdbRecord& record, const RdbEntry& entry)
      : records_(records), extent_(&record.extent), value_offset_(entry.value_offset) {}

  bool tell(ElementSink sink) override;
  Raw raw() override;
  bool skip() override { return records_.finish_value(); }

 private:
  RecordReader& records_;
  const Extent* extent_;  // grows as the value is read
  uint64_t value_offset_;
  bool read_ = false;
};

// What the head of a file says of the data in it.
[[nodiscard]] RdbProvenance provenance_of(const RdbHead& head);

}  // namespace persist
