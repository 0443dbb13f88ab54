// Runs the commands of a log on a dataset, as a server does that loads it.
//
// Commands are taken in batches that lie in memory together, so that the keys they need can be fetched ahead:
// a key is a cache miss or two, and sixteen at a time cost little more than one.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "aof/log_walk.hpp"
#include "engine/commands/call.hpp"
#include "engine/dataset.hpp"
#include "engine/profile.hpp"
#include "engine/script.hpp"

namespace persist {

// A command as it stands in the log. Views are valid during the call that hands it over.
struct LoggedCommand {
  std::span<const Bytes> args;
  const CommandSpec* spec = nullptr;  // null: no server knows it
  Extent extent;                      // in its file
  uint64_t index = 0;                 // in the set
  uint64_t db = 0;                    // that it works on
  std::optional<int64_t> time_s;      // of the last annotation before it
};

// Sees every command that runs, when it runs: those of a transaction, MULTI included, at its EXEC.
class ReplayObserver {
 public:
  virtual ~ReplayObserver() = default;
  // False: the replay does as if the command were not there.
  virtual bool wants(const LoggedCommand& /*command*/) { return true; }
  virtual void before(const LoggedCommand& /*command*/) {}
  // `error` is what the server would answer, if it failed.
  virtual void after(const LoggedCommand& /*command*/, Effect /*effect*/, const char* /*error*/) {}
  // A command of a module, which is passed over.
  virtual void skipped(const LoggedCommand& /*command*/) {}
  // What a script of an old log does, command by command; `command` is the EVAL, in the script's database.
  virtual void before_called(const LoggedCommand& /*command*/, std::span<const Bytes> /*args*/) {}
  virtual void after_called(const LoggedCommand& /*command*/, std::span<const Bytes> /*args*/,
                            Effect /*effect*/) {}
};

struct ReplayRules {
  Profile profile;
  bool is_guess = false;  // the profile is made that of a later Redis when a command asks for one
  int64_t now_ms = 0;     // what relative times count from
  // See Call.
  std::optional<int64_t> field_clock_ms;
  bool skip_module_commands = false;
};

// Why a log cannot be replayed further: going on would give a dataset that no server has.
struct ReplayRefusal {
  enum class Kind : uint8_t { unknown_command, module_command, not_replayed, script };
  Kind kind = Kind::unknown_command;
  Extent extent;
  uint64_t index = 0;
  std::string command;  // its name
  std::string why;      // of a script
};

struct ReplayCounts {
  uint64_t changed = 0;
  uint64_t unchanged = 0;
  uint64_t failed = 0;
  uint64_t module_commands = 0;  // that were skipped
};

class Replay {
 public:
  // All must outlive the replay; the observer may be null.
  Replay(Dataset& data, const ReplayRules& rules, ReplayObserver* observer);
  ~Replay();
  Replay(const Replay&) = delete;
  Replay& operator=(const Replay&) = delete;

  // A server reads each file with a client of its own: database 0, no transaction.
  void begin_file();

  // Runs commands up to the end of the walk, or to damage (then to be called again to go on behind it), or
  // until one is refused. look_up() is called now and then. An open transaction that the walk gives up on is
  // never run.
  enum class Stop : uint8_t { end, damage, refused };
  Stop run(LogWalk& walk, FunctionRef<void()> look_up);

  [[nodiscard]] const ReplayRefusal& refusal() const { return *refusal_; }
  [[nodiscard]] const Profile& profile() const { return rules_.profile; }
  [[nodiscard]] const ReplayCounts& counts() const { return counts_; }

 private:
  class Batch;
  class ScriptCalls;
  struct Queued;

  bool take(const LoggedCommand& command, uint64_t hash);
  bool run_queue();
  bool run_one(const LoggedCommand& command, uint64_t hash);
  bool run_script(const LoggedCommand& command);
  bool run_unhandled(const LoggedCommand& command);
  Effect apply(const LoggedCommand& command, Handler handler, uint64_t hash, const char*& error);
  void count(Effect effect);
  bool refuse(const LoggedCommand& command, ReplayRefusal::Kind kind, std::string why);
  void drop_queue();

  Dataset& data_;
  ReplayRules rules_;
  ReplayObserver* observer_;
  uint64_t db_ = 0;
  bool in_multi_ = false;
  std::unique_ptr<Batch> batch_;
  std::unique_ptr<Queued> queue_;
  std::unique_ptr<ScriptEngine> scripts_;
  ReplayCounts counts_;
  std::optional<ReplayRefusal> refusal_;
};

}  // namespace persist
