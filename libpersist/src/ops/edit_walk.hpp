// The records of a part for verbs that leave some out: damage is not theirs to mend, but a damaged tail of
// the last file is cut off on the way.
#pragma once

#include <cstdint>
#include <optional>

#include "aof/log_walk.hpp"
#include "ops/log_part.hpp"
#include "ops/set_output.hpp"
#include "persist/append_set.hpp"

namespace persist {

class EditWalk {
 public:
  // Opens the part. Throws EditRefused if its RDB part is damaged, std::system_error.
  EditWalk(const AppendSet& set, const SetPart& part, Hold hold, const LogCarry& carry);

  // To the next command or annotation; false behind the last. Throws EditRefused at damage in the middle, or
  // in a file that others follow.
  bool next();

  // Of the last record.
  [[nodiscard]] const LogWalk& walk() const { return walk_; }
  [[nodiscard]] bool is_command() const { return is_command_; }
  // Whether a transaction was open in front of it, and where it began.
  [[nodiscard]] bool was_in_multi() const { return was_in_multi_; }
  // Where one may cut in front of it: there, or before its transaction.
  [[nodiscard]] uint64_t boundary() const {
    return was_in_multi_ ? walk_.multi().offset : walk_.record().extent().offset;
  }

  [[nodiscard]] LogPart& part() { return opened_; }
  [[nodiscard]] ByteSource& source() const { return *opened_.source; }

  // Behind the last record: the damaged tail, from the end of the last whole command or transaction on.
  [[nodiscard]] const std::optional<LeftOut>& tail() const { return tail_; }

 private:
  void take_damage();

  const SetPart& about_;
  bool is_last_;
  LogPart opened_;
  LogWalk walk_;
  bool is_command_ = false;
  bool was_in_multi_ = false;
  std::optional<LeftOut> tail_;
};

}  // namespace persist
