// Where entries go: one form of output. Each thread has one of its own, in whose buffer what it makes comes
// together until its turn to be written.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "base/byte_buffer.hpp"
#include "ops/entry_value.hpp"
#include "persist/convert.hpp"
#include "types/encoder.hpp"
#include "types/fit.hpp"

namespace persist {

// What is known of where RDB data comes from.
struct RdbProvenance {
  RdbHeader header;
  std::optional<bool> narrow_backlen;  // of the listpacks in it
};

class EntryOutput;

// What all threads go by.
struct OutputRules {
  OutputForm form = OutputForm::rdb;
  WriteRules write;
  FitRules fit;
  std::optional<RdbProvenance> from;  // absent: nothing is to be copied as it stands
  bool canonical = false;
  bool is_base = false;       // an RDB file that is the base or the head of a log
  bool keeps_layout = false;  // all entries come, unchanged and in their order: hints about them stay true
  std::optional<uint64_t> keys_max;  // that the input can have by its size, if that is known
  bool is_checked = false;           // by somebody who reads what was written
  bool selects = false;              // some keys were asked for: text is then of them alone
  bool fields_change = false;
  bool restore = false;
  bool replace = false;
  bool meta = false;
  bool only_probes = false;  // nothing is made: only what would be lost is counted
  // Of one that only looks at what comes, instead of that of the form.
  std::function<std::unique_ptr<EntryOutput>(const OutputRules&)> make;

  [[nodiscard]] const Target& target() const { return *write.target; }
};

class EntryOutput {
 public:
  virtual ~EntryOutput() = default;
  EntryOutput(const EntryOutput&) = delete;
  EntryOutput& operator=(const EntryOutput&) = delete;

  // Whether put_copy() takes values in that layout.
  [[nodiscard]] virtual bool copies(const Encoding& encoding) const;

  // False, with nothing made, if the value is damaged.
  virtual bool put(const RdbEntry& entry, EntryValue& value) = 0;

  // The same with a value as it stood in the input, and if `as_it_was`, with all that stood around it. False,
  // with nothing made, if this one cannot be taken so after all.
  virtual bool put_copy(const RdbEntry& entry, const EntryValue::Raw& raw, bool as_it_was);

  // What is no entry.
  virtual void put_record(const RdbRecord& record) = 0;

  // What stands in front of everything, and behind. `is_empty`: there is no entry between.
  virtual void begin() {}
  virtual void end(bool /*is_empty*/) {}

  // Makes a command or record that selects the database of what comes.
  virtual void select(uint64_t /*db*/) {}

  // What came together is being handed on: in the order of the input, by one thread at a time.
  virtual void hand_on() {}

  // What came together since clear().
  [[nodiscard]] ByteBuffer& made() { return made_; }
  [[nodiscard]] const LossReport& losses() const { return losses_; }
  [[nodiscard]] uint64_t written() const { return written_; }
  [[nodiscard]] std::optional<uint64_t> first_db() const { return first_db_; }
  [[nodiscard]] std::optional<uint64_t> last_db() const { return last_db_; }
  void clear();

 protected:
  EntryOutput() = default;

  // What comes belongs to that database. The first one since clear() is for whoever writes what came
  // together to select.
  void enter(uint64_t db) {
    if (last_db_ == db) return;
    if (last_db_) select(db);
    if (!first_db_) first_db_ = db;
    last_db_ = db;
  }

  // Counts a record that the form has no place for, if it carries something.
  void lose_record(const RdbRecord& record);

  ByteBuffer made_;
  LossReport losses_;
  uint64_t written_ = 0;

 private:
  std::optional<uint64_t> first_db_;
  std::optional<uint64_t> last_db_;
};

// The rules must outlive it.
std::unique_ptr<EntryOutput> make_output(const OutputRules& rules);

// One for each form.
std::unique_ptr<EntryOutput> make_rdb_output(const OutputRules& rules);
std::unique_ptr<EntryOutput> make_command_output(const OutputRules& rules);
std::unique_ptr<EntryOutput> make_json_output(const OutputRules& rules);
std::unique_ptr<EntryOutput> make_csv_output(const OutputRules& rules);
std::unique_ptr<EntryOutput> make_payload_output(const OutputRules& rules);
// For any of them, if only_probes.
std::unique_ptr<EntryOutput> make_loss_probe(const OutputRules& rules);

}  // namespace persist
