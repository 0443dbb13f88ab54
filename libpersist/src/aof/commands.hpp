// What the servers know about their commands: how many words each takes, which of them are keys, what it
// does to a log, and since when it exists. The rows are in commands.def.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "persist/bytes.hpp"
#include "persist/encoding.hpp"
#include "persist/function_ref.hpp"

namespace persist {

// The commands that a reader of a log must tell apart itself; everything else it only passes on.
enum class CommandKind : uint8_t {
  other,
  multi,
  exec,
  discard,
  select,
  swapdb,
  flushdb,
  flushall,
  script,    // EVAL and its kin, FCALL and its kin, SCRIPT: what they do is not in the log
  function,  // FUNCTION: the libraries themselves
};

// Where the keys stand among the words of a command; word 0 is the name.
enum class KeyPlaces : uint8_t {
  none,
  range,         // every step-th word from first to last; a last below 0 counts from the end, -1 is the last
  numkeys,       // first holds a count, behind it stand that many groups of step words, each led by a key
  dest_numkeys,  // word 1, and numkeys
  streams,       // behind the word STREAMS; the latter half of what follows are ids
  migrate,       // word 3, or if that is empty, all behind the word KEYS
  sort_store,    // word 1, and the one behind the last STORE
  georadius_store,  // word 1, and the one behind the last STORE or STOREDIST; options begin at first
  stralgo,          // STRALGO LCS: the two words behind KEYS
};

struct KeyRule {
  KeyPlaces places = KeyPlaces::none;
  int8_t first = 0;
  int8_t last = 0;
  int8_t step = 1;
};

// What CommandSpec::flags is made of.
enum CommandFlag : uint16_t {
  kCommandWrites = 1,     // may change the dataset, the function libraries, or when a key expires
  kCommandFlushes = 2,    // empties one database or all
  kCommandRunsCode = 4,   // runs a script or a function, or manages scripts
  kCommandContainer = 8,  // its first argument names a subcommand
  kCommandAdmin = 16,     // for operators or between servers: in a log it was not put there by a client
};

struct CommandSpec {
  Bytes name;     // in lower case; a subcommand is written "xgroup|create"
  int16_t arity;  // words with the name: exactly so many, or if negative, at least so many
  CommandKind kind;
  KeyRule keys;
  uint16_t flags;
  uint16_t since_redis;  // major * 100 + minor of the first release; 0: that family never had it
  uint16_t since_valkey;

  [[nodiscard]] bool has(CommandFlag flag) const { return (flags & flag) != 0; }
};

// Every command and subcommand by name. The rows live as long as the program.
std::span<const CommandSpec> command_specs();

// In any letter case. Null if no server has such a command; subcommands are no commands.
const CommandSpec* find_command(Bytes name);

// In any letter case. Null if the container has no such subcommand, or is none.
const CommandSpec* find_subcommand(const CommandSpec& container, Bytes word);

// Counts all words: for a subcommand the one of its container, too.
bool arity_fits(const CommandSpec& spec, size_t arguments);

// Tells the indexes of the words that are keys; of a container, the keys of the subcommand in args. A command
// that is not well-formed tells those that are there: each index is one of args, and none is told twice.
void for_each_key(const CommandSpec& spec, std::span<const Bytes> args, FunctionRef<void(size_t index)> tell);

// Whether that release has the command; version is major * 100 + minor. What was removed later counts as
// known.
bool known_in(const CommandSpec& spec, Dialect family, unsigned version);

}  // namespace persist
