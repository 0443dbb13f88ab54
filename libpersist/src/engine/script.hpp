// Scripts of old logs: up to 4.0 servers logged the text of an EVAL, not what it did. Runs such a text in
// Lua 5.1 with the libraries, and the determinism, that those servers gave it.
//
// A ScriptEngine is one server's interpreter: what a script leaves behind in it, the next one finds. It knows
// nothing of the dataset; redis.call reaches that through a ScriptHost.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "persist/bytes.hpp"

namespace persist {

// A reply of a command, or what a script returned. `text` is that of a bulk, a status or an error, the
// latter two without their leading sign.
struct ScriptReply {
  enum class Kind : uint8_t { nil, integer, bulk, status, error, array };

  Kind kind = Kind::nil;
  int64_t integer = 0;
  std::string text;
  std::vector<ScriptReply> items;

  bool operator==(const ScriptReply&) const = default;
};

class ScriptHost {
 public:
  virtual ~ScriptHost() = default;

  // Runs one command, its name included. The words live until it returns. A command that fails, or that does
  // not exist, is an error reply; an exception ends the script and leaves ScriptEngine::run.
  virtual ScriptReply call(std::span<const Bytes> args) = 0;
};

// A script that goes beyond one of these is refused. The first is all that should ever be met: it counts the
// instructions of the virtual machine, and what the libraries do in place of them. The time is the last
// resort against work that no count sees.
struct ScriptLimits {
  uint64_t instructions = 2'000'000'000;
  size_t memory_bytes = size_t{512} << 20;
  unsigned seconds = 300;
};

// In how many digits a number reaches a command. 2.6, and 2.8 up to 2.8.9, wrote 14.
inline constexpr int kScriptNumberDigits = 17;
inline constexpr int kScriptNumberDigitsOld = 14;

struct ScriptResult {
  bool ok = false;
  // Without ok: the server could have done something else, so what the script did up to here is worth
  // nothing. An error that is not a refusal is one that servers raise, too, and what was done before it
  // stays.
  bool refused = false;
  // A command was called whose reply differs from server to server, such as TIME or SPOP.
  bool random = false;
  std::string error;
  ScriptReply value;
};

class ScriptEngine {
 public:
  explicit ScriptEngine(const ScriptLimits& limits = {}, int number_digits = kScriptNumberDigits);
  ScriptEngine(const ScriptEngine&) = delete;
  ScriptEngine& operator=(const ScriptEngine&) = delete;
  ~ScriptEngine();

  // EVAL. The text is remembered as by load.
  ScriptResult run(Bytes text, std::span<const Bytes> keys, std::span<const Bytes> argv, ScriptHost& host);

  // SCRIPT LOAD: remembers the text, without compiling it, and returns its SHA-1 in hexadecimal.
  std::string load(Bytes text);

  // The text behind an EVALSHA, in any letter case; null if it was never loaded nor run. It lives until
  // flush.
  [[nodiscard]] const std::string* find(Bytes sha) const;

  // SCRIPT FLUSH: forgets all texts and whatever scripts left behind.
  void flush();

  // Whether this build has an interpreter. One without refuses every script, and says so.
  static bool available();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace persist
