// Which commands of a log were asked for.
#pragma once

#include <vector>

#include "engine/replay.hpp"
#include "persist/filter.hpp"
#include "persist/log.hpp"

namespace persist {

class LogSelector {
 public:
  // `wanted` must outlive the selector. Throws std::invalid_argument.
  explicit LogSelector(const LogSelection& wanted);

  [[nodiscard]] bool selects_all() const { return selects_all_; }
  [[nodiscard]] bool selects_times() const { return wanted_.since_ms || wanted_.until_ms; }

  [[nodiscard]] bool selects(const LoggedCommand& command) const;
  // An annotation, which has nothing but a time.
  [[nodiscard]] bool selects_time(std::optional<int64_t> time_s) const;
  // A key of an RDB part, which has neither a time nor a command.
  [[nodiscard]] bool selects_key(uint64_t db, Bytes key) const;

 private:
  [[nodiscard]] bool selects_name(const LoggedCommand& command) const;
  [[nodiscard]] bool selects_db(const LoggedCommand& command) const;
  [[nodiscard]] bool selects_keys(const LoggedCommand& command) const;
  [[nodiscard]] bool is_wanted_db(uint64_t db) const;
  [[nodiscard]] bool matches_key(Bytes key) const;

  const LogSelection& wanted_;
  Filter keys_;
  std::vector<const CommandSpec*> known_;  // of the wanted commands, those that servers have
  bool selects_all_;
};

}  // namespace persist
