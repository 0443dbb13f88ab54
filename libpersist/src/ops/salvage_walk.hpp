// One pass over damaged RDB data: keeps whole records, leaves out what does not read, goes on behind it.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ops/commands_behind.hpp"
#include "ops/duplicate_keys.hpp"
#include "ops/libraries.hpp"
#include "ops/salvage_ledger.hpp"
#include "ops/value_checker.hpp"
#include "rdb/origin.hpp"
#include "rdb/resync.hpp"

namespace persist {

class SalvageWalk {
 public:
  // `dbs`: which database is selected at the beginnings of stretches that do not say so, as far as it is
  // known better than "the one before". Hashes of the keys that are kept go to `keys`.
  SalvageWalk(ByteSource& source, const SalvageOptions& options, const std::map<uint64_t, uint64_t>& dbs,
              DuplicateKeys& keys);

  SalvageWalked run();

 private:
  class Said;

  // The record that was read last.
  struct Last {
    Extent extent;
    uint64_t db = 0;
    std::optional<ValueType> type;  // of an entry
    uint64_t value_offset = 0;
    KeyFate fate = KeyFate::kept;
    bool is_plain = false;        // its value is a string that is stored as it is
    bool has_field_ttls = false;  // a hash whose fields look like entries
    bool is_void = false;         // an empty key with an empty string
    SalvageLedger::Mark mark;     // of what was decided before it
  };

  struct Faint {
    Last record;
    std::string key;
  };

  // ---- the beginning
  void begin();
  void infer_header(const Finding& why);

  // ---- records. False: what comes is no record, or the data has ended.
  bool read_stretch();
  bool take(RecordReader& records, const RdbRecord& record, Said& said);
  bool take_entry(RecordReader& records, const RdbRecord& record, Said& said);
  bool take_end(const RdbRecord& record, Said& said);
  void take_other(const RdbRecord& record, Said& said);
  [[nodiscard]] bool is_among_zeros(Extent record);
  [[nodiscard]] bool is_end_sure(Extent value);
  [[nodiscard]] std::optional<std::string> key_at(uint64_t offset, uint64_t db) const;
  [[nodiscard]] std::optional<Finding> flaw_of(Extent extent, const RdbEntry& entry) const;
  KeyFate keep_entry(Extent extent, const RdbEntry& entry);
  KeyFate drop_value(Extent extent, const RdbEntry& entry, const Finding& why);
  void note_faint(const Last& now, const RdbEntry& entry);
  void doubt_faint(uint64_t gap);

  // ---- damage
  bool lose_framing(uint64_t at, Finding why);
  [[nodiscard]] bool ends_in_zeroed(uint64_t at);
  [[nodiscard]] uint64_t zeros_from(uint64_t offset, uint64_t most);
  void take_back_last(const Finding& why);
  std::string keep_part_of_lost(uint64_t gap, const Finding& why);
  void end_at(uint64_t from, uint64_t to, const Finding& why, std::string insert);
  void begin_stretch(const RecordChain& chain);

  [[nodiscard]] RdbState state_at(uint64_t offset, uint64_t db) const;

  ByteSource& source_;
  const SalvageOptions& options_;
  const std::map<uint64_t, uint64_t>& dbs_;
  DuplicateKeys& keys_;
  DuplicateHashes::Appender& hashes_;
  ValueChecker values_;
  Libraries libraries_;
  SalvageLedger ledger_;
  SalvageWalked& walked_ = ledger_.walked();
  CommandsBehind commands_;
  std::unique_ptr<Resync> resync_;
  std::optional<Last> last_;
  std::optional<Last> before_void_;  // what came before it, if it is an empty key with an empty string
  std::vector<Faint> faint_;         // the last kept ones, if their keys say little
  std::optional<Last> lost_;         // the entry whose value the framing was lost in
  uint64_t size_ = 0;                // where the data ends at the latest
  uint64_t db_ = 0;
  uint64_t ends_asked_ = 0;     // of damaged values
  uint64_t told_at_ = 0;        // progress
  uint64_t told_ = 0;           // up to where a step has told of what is left out
  uint64_t sure_from_ = 0;      // of the stretch
  bool may_be_fields_ = false;  // of a hash that the framing was lost in: what reads like strings
  FindingCode doubt_{};         // why the beginning of the stretch is uncertain
  uint32_t since_ = 1;          // the RDB version that the newest layout met needs
  RdbOrigin origin_;
  std::optional<ServerVersion> writer_;  // as an AUX field names it
};

}  // namespace persist
