// A log command by command, with what each means for those behind it: database, transaction, time.
#pragma once

#include <cstdint>
#include <optional>

#include "aof/commands.hpp"
#include "aof/log_reader.hpp"

namespace persist {

// What goes on from one file of a set to the next: nothing but the count, since a server reads each file with
// a client of its own, and the time, which is nobody's.
struct LogCarry {
  uint64_t index = 0;             // of the next command: how many came before it in the set
  std::optional<int64_t> time_s;  // of the last timestamp annotation, seconds since the epoch
};

class LogWalk {
 public:
  // From `offset` of the source, where its RDB part ends, or 0.
  LogWalk(ByteSource& source, uint64_t offset, Hold hold, const LogCarry& carry);

  // As LogReader::next(). Damage also is a transaction that the end of the file leaves open; its extent then
  // begins at MULTI.
  LogStep next();

  // See LogReader.
  bool next_at_hand() {
    if (!reader_.next_at_hand()) return false;
    take_command();
    return true;
  }

  // Of the last record.
  [[nodiscard]] const LogReader& record() const { return reader_; }
  [[nodiscard]] const CommandSpec* spec() const { return spec_; }  // null for a command nobody knows
  [[nodiscard]] CommandKind kind() const { return kind_; }
  [[nodiscard]] uint64_t index() const { return carry_.index - 1; }  // of the last command
  [[nodiscard]] uint64_t db() const { return db_; }                  // that it works on
  [[nodiscard]] std::optional<int64_t> time_s() const { return carry_.time_s; }
  [[nodiscard]] const LogDamage& damage() const { return damage_; }

  // Whether a transaction is open behind the last record, and where its MULTI is.
  [[nodiscard]] bool in_multi() const { return in_multi_; }
  [[nodiscard]] Extent multi() const { return multi_; }

  // Behind damage: an open transaction is taken for closed.
  void close_multi() { in_multi_ = false; }

  // The end of the last whole command or transaction: all before it may stay.
  [[nodiscard]] uint64_t sound_up_to() const { return sound_up_to_; }
  // How many commands of this file have been read.
  [[nodiscard]] uint64_t commands() const { return commands_; }
  [[nodiscard]] LogCarry carry() const { return carry_; }

 private:
  LogStep take_command();
  void take_kind();
  LogStep take_damage();
  LogStep take_end();

  LogReader reader_;
  LogCarry carry_;
  const CommandSpec* spec_ = nullptr;
  CommandKind kind_ = CommandKind::other;
  uint64_t begin_;
  uint64_t db_ = 0;
  uint64_t commands_ = 0;
  uint64_t sound_up_to_;
  bool in_multi_ = false;
  Extent multi_;
  LogDamage damage_;
};

// The number of a SELECT, if it is one that some server may have.
std::optional<uint64_t> parse_db(Bytes text);

}  // namespace persist
