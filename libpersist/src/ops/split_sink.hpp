// Takes the RDB file that a conversion writes, and hands its records out to the files of a split. What comes
// in one write is whole records, and the opcode that ends the file comes alone: see OutputStream.
#pragma once

#include <array>
#include <string>
#include <unordered_map>
#include <vector>

#include "ops/slot_map.hpp"
#include "ops/split_files.hpp"
#include "persist/split.hpp"
#include "rdb/record_reader.hpp"

namespace persist {

class SplitSink : public ByteSink {
 public:
  // All must outlive it. `folder` null: nothing is written, only counted.
  SplitSink(const SplitOptions& options, const RdbHeader& header, AtomicFolder* folder,
            SplitSummary& summary);

  void write(Bytes bytes) override;
  // Ends all files. They are on the disk then, and the summary tells their sizes.
  void finish() override;

 private:
  // What a file must know of what it has got so far.
  struct Place {
    std::optional<uint64_t> db;  // that is selected in it
  };

  void begin(Bytes magic);
  void take(RecordReader& records, const RdbRecord& record);
  void take_entry(RecordReader& records, const RdbRecord& record, const RdbEntry& entry);
  void share(Bytes record);
  size_t file_for(const RdbEntry& entry);
  size_t file_of_slot(const RdbEntry& entry);
  size_t file_of_db(uint64_t db);
  size_t file_of_prefix(Bytes key);
  size_t file_without_rule(size_t& known, SplitContent content);
  size_t add(SplitFile file);
  void note(SplitMisfits& misfits, const RdbEntry& entry) const;

  static constexpr size_t kNone = SlotMap::kNobody;

  const SplitOptions& options_;
  SplitSummary& summary_;
  SplitFiles files_;
  std::vector<Place> places_;
  RdbState state_;  // of the file that comes
  FindingList found_;
  std::unique_ptr<ByteSource> origin_;  // what readers are told that they read
  bool ended_ = false;
  std::string shared_;  // what each file begins with: the magic and, so far, what is no key
  std::string select_;  // the record that has selected the database of what comes
  SlotMap owners_;
  std::unordered_map<uint64_t, size_t> by_db_;
  std::unordered_map<std::string, size_t> by_prefix_;
  std::string prefix_;  // of the key at hand
  size_t unassigned_ = kNone;
  size_t no_prefix_ = kNone;
};

}  // namespace persist
