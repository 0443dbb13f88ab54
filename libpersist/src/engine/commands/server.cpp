// Commands to whole databases, to the function libraries, and those of a server that leave the dataset alone.
#include <map>
#include <string>

#include "base/crc64.hpp"
#include "base/endian.hpp"
#include "engine/commands/arguments.hpp"
#include "engine/commands/table.hpp"
#include "engine/function_library.hpp"
#include "io/cursor.hpp"
#include "types/primitives.hpp"

namespace persist {

namespace {

constexpr const char* kUnknownSubcommand = "ERR unknown subcommand or wrong number of arguments";

// ------------------------------------------------------------------------------------------------ databases

std::optional<int32_t> db_argument(const Call& call, Bytes text) {
  const std::optional<int64_t> number = integer_argument(call, text);
  if (!number || *number != static_cast<int32_t>(*number)) return std::nullopt;
  return static_cast<int32_t>(*number);
}

// How many databases the server was configured to have is not known: only below 0 there is none.
Effect run_swapdb(Call& call) {
  const std::optional<int32_t> one = db_argument(call, call.args[1]);
  if (!one) return call.fail("ERR invalid first DB index");
  const std::optional<int32_t> other = db_argument(call, call.args[2]);
  if (!other) return call.fail("ERR invalid second DB index");
  if (*one < 0 || *other < 0) return call.fail("ERR DB index is out of range");
  if (*one == *other) return call.done_ok();
  call.data.db(static_cast<uint64_t>(*one)).swap(call.data.db(static_cast<uint64_t>(*other)));
  return call.done_ok();
}

// Nothing, or one of the words that say how to go about it.
bool is_flush_mode(std::span<const Bytes> words) {
  return words.empty() || (words.size() == 1 && (is_word(words[0], "sync") || is_word(words[0], "async")));
}

Effect run_flushdb(Call& call) {
  if (!is_flush_mode(call.args.subspan(1))) return call.fail(kSyntax);
  call.db().clear();
  return call.done_ok();
}

Effect run_flushall(Call& call) {
  if (!is_flush_mode(call.args.subspan(1))) return call.fail(kSyntax);
  call.data.clear_keys();
  return call.done_ok();
}

// ----------------------------------------------------------------------------------------------- libraries

using Libraries = std::map<std::string, std::string, std::less<>>;

constexpr const char* kBadLibraryName =
    "ERR Library names can only contain letters, numbers, or underscores(_) and must be at least one "
    "character "
    "long";

bool is_library_name(Bytes name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z') || c == '_';
  });
}

// Null: all is well. The code itself is not looked into.
const char* add_library(Libraries& libraries, Bytes code, bool replaces) {
  if (!code.starts_with("#!")) return "ERR Missing library metadata";
  if (code.find('\n') == Bytes::npos) return "ERR Invalid library metadata";
  const Bytes name = function_library_name(code);
  if (name.empty()) return "ERR Library name was not given";
  if (!is_library_name(name)) return kBadLibraryName;
  if (!replaces && libraries.contains(name)) return "ERR Library already exists";
  libraries.insert_or_assign(std::string(name), std::string(code));
  return nullptr;
}

Effect load_library(Call& call) {
  const std::span<const Bytes> options = call.args.subspan(2, call.args.size() - 3);
  for (const Bytes word : options)
    if (!is_word(word, "replace")) return call.fail("ERR Unknown option given");
  const Bytes code = call.args.back();
  if (const char* why = add_library(call.data.functions, code, !options.empty())) return call.fail(why);
  call.answer_text(function_library_name(code));
  return Effect::changed;
}

Effect delete_library(Call& call) {
  const auto at = call.data.functions.find(call.args[2]);
  if (at == call.data.functions.end()) return call.fail("ERR Library not found");
  call.data.functions.erase(at);
  return call.done_ok();
}

Effect flush_libraries(Call& call) {
  if (call.args.size() > 3) return call.fail(kUnknownSubcommand);
  if (!is_flush_mode(call.args.subspan(2)))
    return call.fail("ERR FUNCTION FLUSH only supports SYNC|ASYNC option");
  call.data.functions.clear();
  return call.done_ok();
}

// FUNCTION DUMP: function libraries as in an RDB file, then u16le RDB version, u64le checksum of all before
// it.
constexpr size_t kServerFooterBytes = 10;
constexpr uint8_t kFunctionOpcode = 245;

bool is_footer_good(Bytes payload) {
  if (payload.size() < kServerFooterBytes) return false;
  const size_t covered = payload.size() - sizeof(uint64_t);
  return crc64(0, payload.substr(0, covered)) == load_le<uint64_t>(payload.data() + covered);
}

// Null: all is well. `libraries` may have taken some of them if not.
const char* read_libraries(Bytes records, Libraries& libraries) {
  try {
    Scratch scratch;
    Cursor in(records, 0, scratch);
    while (!in.at_end()) {
      if (in.u8("opcode") != kFunctionOpcode) return "ERR given type is not a function";
      if (const char* why = add_library(libraries, read_string(in, "function library"), false)) return why;
    }
    return nullptr;
  } catch (const FormatError&) {
    return "ERR failed to read data type";
  }
}

Effect restore_libraries(Call& call) {
  Libraries& libraries = call.data.functions;
  if (call.args.size() > 4) return call.fail(kUnknownSubcommand);
  const Bytes policy = call.args.size() == 4 ? call.args[3] : Bytes("append");
  const bool flushes = is_word(policy, "flush");
  const bool replaces = is_word(policy, "replace");
  if (!flushes && !replaces && !is_word(policy, "append"))
    return call.fail("ERR Wrong restore policy given, value should be either FLUSH, APPEND or REPLACE.");
  const Bytes payload = call.args[2];
  if (!is_footer_good(payload)) return call.fail("ERR DUMP payload version or checksum are wrong");

  Libraries restored;
  const Bytes records = payload.substr(0, payload.size() - kServerFooterBytes);
  if (const char* why = read_libraries(records, restored)) return call.fail(why);
  const auto is_there = [&](const auto& library) { return libraries.contains(library.first); };
  if (!flushes && !replaces && std::ranges::any_of(restored, is_there))
    return call.fail("ERR Library already exists");
  if (flushes) libraries.clear();
  for (auto& [name, code] : restored) libraries.insert_or_assign(name, std::move(code));
  return call.done_ok();
}

Effect run_function(Call& call) {
  const Bytes verb = call.args[1];
  const size_t words = call.args.size();
  if (is_word(verb, "load") && words >= 3) return load_library(call);
  if (is_word(verb, "delete") && words == 3) return delete_library(call);
  if (is_word(verb, "flush")) return flush_libraries(call);
  if (is_word(verb, "restore") && words >= 3) return restore_libraries(call);
  return call.fail(kUnknownSubcommand);
}

// ------------------------------------------------------------------------------------------------- clusters

// To a server that loads a log outside a cluster, slots mean nothing.
Effect refuse_slots(Call& call) { return call.fail("ERR This instance has cluster support disabled"); }

// What stands around the keys of a slot on its way says nothing about the keys.
Effect run_cluster(Call& call) {
  if (!is_word(call.args[1], "syncslots")) return refuse_slots(call);
  call.answer_ok();
  return Effect::unchanged;
}

// ---------------------------------------------------------------------------------------------------- rest

Effect run_ping(Call& call) {
  if (call.args.size() > 2) return call.fail("ERR wrong number of arguments for 'ping' command");
  if (call.args.size() == 2)
    call.answer_text(call.args[1]);
  else
    call.answer_status("PONG");
  return Effect::unchanged;
}

Effect run_echo(Call& call) {
  call.answer_text(call.args[1]);
  return Effect::unchanged;
}

Effect run_time(Call& call) {
  constexpr int64_t kMsPerSecond = 1000;
  constexpr int64_t kMicrosPerMs = 1000;
  char room[kDecimalMax];
  call.answer_array(2);
  call.answer_text(to_decimal(call.now_ms / kMsPerSecond, room));
  call.answer_text(to_decimal(call.now_ms % kMsPerSecond * kMicrosPerMs, room));
  return Effect::unchanged;
}

// Nobody listens while a log is loaded.
Effect run_publish(Call& call) { return call.done(0, false); }

constexpr CommandHandler kServerHandlers[] = {
    {"cluster", run_cluster}, {"echo", run_echo},         {"flushall", run_flushall},
    {"flushdb", run_flushdb}, {"function", run_function}, {"ping", run_ping},
    {"publish", run_publish}, {"sflush", refuse_slots},   {"spublish", run_publish},
    {"swapdb", run_swapdb},   {"time", run_time},         {"trimslots", refuse_slots},
};

}  // namespace

std::span<const CommandHandler> server_commands() { return kServerHandlers; }

}  // namespace persist
