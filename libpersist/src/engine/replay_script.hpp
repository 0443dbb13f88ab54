// The commands of a log that run scripts: EVAL and EVALSHA, as servers up to 4.0 logged them, and SCRIPT.
#pragma once

#include <string>

#include "engine/replay.hpp"

namespace persist {

class ScriptCommand : private ScriptHost {
 public:
  ScriptCommand(ScriptEngine& engine, Dataset& data, uint64_t db, const ReplayRules& rules,
                ReplayObserver* observer)
      : engine_(engine), data_(data), rules_(rules), observer_(observer), db_(db) {}

  // `changed` if anything that the script called did.
  Effect run(const LoggedCommand& command);

  // A server could have done something else.
  [[nodiscard]] bool was_refused() const { return refused_; }
  [[nodiscard]] const std::string& error() const { return error_; }
  // The database that it ended in: a script may SELECT another.
  [[nodiscard]] uint64_t db() const { return db_; }

 private:
  Effect evaluate(const LoggedCommand& command, Bytes text);
  Effect manage(const LoggedCommand& command);
  Effect fail(std::string why);
  Effect refuse(std::string why);
  ScriptReply call(std::span<const Bytes> args) override;

  ScriptEngine& engine_;
  Dataset& data_;
  const ReplayRules& rules_;
  ReplayObserver* observer_;
  const LoggedCommand* command_ = nullptr;
  uint64_t db_;
  bool changed_ = false;
  bool draws_ = false;  // members by lot
  bool refused_ = false;
  std::string error_;
};

}  // namespace persist
