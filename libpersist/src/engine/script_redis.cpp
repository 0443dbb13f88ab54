// The table `redis` of scripts: commands, replies, and what else servers put there.
//
// A reply becomes a value and a returned value becomes a reply by fixed rules: a nil is false, a status a
// table with `ok`, an error a table with `err`, numbers lose their fraction on the way out, and an array ends
// at its first nil.
#ifdef PERSIST_WITH_LUA

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>

#include "aof/commands.hpp"
#include "base/letters.hpp"
#include "base/sha1.hpp"
#include "engine/script_core.hpp"

namespace persist {

namespace {

// --- Commands that are special in a script
// ------------------------------------------------------------------

enum ScriptFlag : uint8_t {
  kRandom = 1,     // the reply is not determined by the dataset; nothing may be written after it
  kSorted = 2,     // the reply's order is not: it is sorted
  kForbidden = 4,  // not from a script
};

struct ScriptCommand {
  Bytes name;
  uint8_t flags;
};

// As of 2.6 to 4.0. SPOP was forbidden up to 3.0.
constexpr ScriptCommand kScriptCommands[] = {
    {"auth", kForbidden},         {"blpop", kForbidden},
    {"brpop", kForbidden},        {"brpoplpush", kForbidden},
    {"client", kForbidden},       {"debug", kForbidden},
    {"discard", kForbidden},      {"eval", kForbidden},
    {"evalsha", kForbidden},      {"exec", kForbidden},
    {"hkeys", kSorted},           {"hscan", kRandom},
    {"hvals", kSorted},           {"keys", kSorted},
    {"lastsave", kRandom},        {"latency", kForbidden},
    {"module", kForbidden},       {"monitor", kForbidden},
    {"multi", kForbidden},        {"psubscribe", kForbidden},
    {"psync", kForbidden},        {"pubsub", kRandom},
    {"punsubscribe", kForbidden}, {"randomkey", kRandom},
    {"replconf", kForbidden},     {"role", kForbidden},
    {"save", kForbidden},         {"scan", kRandom},
    {"script", kForbidden},       {"sdiff", kSorted},
    {"sinter", kSorted},          {"slaveof", kForbidden},
    {"smembers", kSorted},        {"spop", kRandom},
    {"srandmember", kRandom},     {"sscan", kRandom},
    {"subscribe", kForbidden},    {"sunion", kSorted},
    {"sync", kForbidden},         {"time", kRandom},
    {"unsubscribe", kForbidden},  {"unwatch", kForbidden},
    {"wait", kForbidden},         {"watch", kForbidden},
    {"zscan", kRandom},
};

uint8_t script_flags(Bytes name) {
  for (const ScriptCommand& command : kScriptCommands) {
    if (equals_ignoring_case(command.name, name)) return command.flags;
  }
  return 0;
}

bool writes(Bytes name) {
  const CommandSpec* spec = find_command(name);
  return spec != nullptr && spec->has(kCommandWrites);
}

// Why a script may not call this now; null if it may.
const char* forbidden(const ScriptCore& core, Bytes name) {
  if ((script_flags(name) & kForbidden) != 0) return "This command is not allowed from scripts";
  if (core.random && !core.effects && writes(name)) {
    return "Write commands not allowed after non deterministic commands";
  }
  return nullptr;
}

// --- redis.call and redis.pcall
// -----------------------------------------------------------------------------

// Words of a call: strings as they are, numbers in so many digits. No error of Lua can happen in here.
void collect_args(lua_State* lua, ScriptCore& core) {
  const int count = lua_gettop(lua);
  core.args.clear();
  core.numbers.clear();
  core.numbers.reserve(static_cast<size_t>(count));  // the args point into it
  for (int index = 1; index <= count; ++index) {
    if (lua_type(lua, index) == LUA_TNUMBER) {
      char text[40];
      const int size = std::snprintf(text, sizeof text, "%.*g", core.number_digits, lua_tonumber(lua, index));
      core.args.emplace_back(core.numbers.emplace_back(text, static_cast<size_t>(size)));
    } else {
      size_t size = 0;
      const char* text = lua_tolstring(lua, index, &size);
      core.args.emplace_back(text, size);
    }
  }
}

void sort_reply(ScriptReply& reply) {
  std::sort(reply.items.begin(), reply.items.end(),
            [](const ScriptReply& a, const ScriptReply& b) { return a.text < b.text; });
}

void call_host(ScriptCore& core) {
  const Bytes name = core.args.front();
  if (const char* why = forbidden(core, name)) {
    core.reply = ScriptReply{ScriptReply::Kind::error, 0, why, {}};
    return;
  }
  const uint8_t flags = script_flags(name);
  if (writes(name)) core.written = true;
  if ((flags & kRandom) != 0) core.random = true;
  core.reply = core.host->call(core.args);
  if ((flags & kSorted) != 0 && !core.effects) sort_reply(core.reply);
}

void call_command(lua_State* lua, ScriptCore& core) {
  try {
    collect_args(lua, core);
    call_host(core);
  } catch (...) {
    core.trouble = std::current_exception();
    core.refusal = "a command of the script could not be run";
  }
}

void push_text_table(lua_State* lua, const char* field, Bytes text) {
  lua_createtable(lua, 0, 1);
  lua_pushlstring(lua, text.data(), text.size());
  lua_setfield(lua, -2, field);
}

void push_reply(lua_State* lua, const ScriptReply& reply) {
  luaL_checkstack(lua, 4, "reply too deep");
  switch (reply.kind) {
    case ScriptReply::Kind::nil:
      lua_pushboolean(lua, 0);
      return;
    case ScriptReply::Kind::integer:
      lua_pushnumber(lua, static_cast<lua_Number>(reply.integer));
      return;
    case ScriptReply::Kind::bulk:
      lua_pushlstring(lua, reply.text.data(), reply.text.size());
      return;
    case ScriptReply::Kind::status:
      push_text_table(lua, "ok", reply.text);
      return;
    case ScriptReply::Kind::error:
      push_text_table(lua, "err", reply.text);
      return;
    case ScriptReply::Kind::array:
      break;
  }
  lua_newtable(lua);
  int index = 0;
  for (const ScriptReply& item : reply.items) {
    push_reply(lua, item);
    lua_rawseti(lua, -2, ++index);
  }
}

const char* wrong_args(lua_State* lua) {
  if (lua_gettop(lua) == 0) return "Please specify at least one argument for redis.call()";
  for (int index = lua_gettop(lua); index > 0; --index) {
    if (lua_isstring(lua, index) == 0) return "Lua redis() command arguments must be strings or integers";
  }
  return nullptr;
}

// The reply is left on top of the stack; returns whether it is an error.
bool run_command(lua_State* lua) {
  constexpr uint64_t kStepsPerCall = 100;
  charge(lua, kStepsPerCall);
  if (const char* why = wrong_args(lua)) {
    push_text_table(lua, "err", why);
    return true;
  }
  ScriptCore& core = core_of(lua);
  call_command(lua, core);
  if (core.refusal != nullptr) refuse(lua, core.refusal);
  push_reply(lua, core.reply);
  return core.reply.kind == ScriptReply::Kind::error;
}

int call(lua_State* lua) {
  if (!run_command(lua)) return 1;
  lua_getfield(lua, -1, "err");
  return lua_error(lua);
}

int protected_call(lua_State* lua) {
  run_command(lua);
  return 1;
}

// --- The other functions
// ------------------------------------------------------------------------------------

int text_reply(lua_State* lua, const char* field) {
  if (lua_gettop(lua) != 1 || lua_type(lua, 1) != LUA_TSTRING) {
    push_text_table(lua, "err", "wrong number or type of arguments");
    return 1;
  }
  size_t size = 0;
  const char* text = lua_tolstring(lua, 1, &size);
  push_text_table(lua, field, {text, size});
  return 1;
}

int error_reply(lua_State* lua) { return text_reply(lua, "err"); }
int status_reply(lua_State* lua) { return text_reply(lua, "ok"); }

void write_sha1(Bytes text, char* room) {
  const std::string hex = to_hex(sha1(text));
  std::copy(hex.begin(), hex.end(), room);
}

int sha1hex(lua_State* lua) {
  if (lua_gettop(lua) != 1) raise(lua, "wrong number of arguments");
  size_t size = 0;
  const char* text = lua_tolstring(lua, 1, &size);
  charge(lua, size / 16);
  char hex[40];
  write_sha1(text == nullptr ? Bytes() : Bytes(text, size), hex);
  lua_pushlstring(lua, hex, sizeof hex);
  return 1;
}

int log(lua_State* lua) {
  if (lua_gettop(lua) < 2) raise(lua, "redis.log() requires two arguments or more.");
  if (lua_isnumber(lua, 1) == 0) raise(lua, "First argument must be a number (log level).");
  const lua_Number level = lua_tonumber(lua, 1);
  if (!(level > -1 && level < 4)) raise(lua, "Invalid log level.");
  return 0;
}

// A script that called this in time was logged by its effects, so in a log this comes too late.
int replicate_commands(lua_State* lua) {
  ScriptCore& core = core_of(lua);
  if (!core.written) core.effects = core.random = true;
  lua_pushboolean(lua, core.effects);
  return 1;
}

int set_repl(lua_State* lua) {
  if (!core_of(lua).effects)
    raise(lua, "You can set the replication behavior only after redis.replicate_commands()");
  if (lua_gettop(lua) != 1) raise(lua, "redis.set_repl() requires one argument.");
  const lua_Number flags = lua_tonumber(lua, 1);
  if (!(flags > -1 && flags < 4)) raise(lua, "Invalid replication flags.");
  return 0;
}

// Both only speak to a debugger, and there is none.
int breakpoint(lua_State* lua) {
  lua_pushboolean(lua, 0);
  return 1;
}
int debug(lua_State*) { return 0; }

constexpr luaL_Reg kScriptRedisFunctions[] = {
    {"breakpoint", breakpoint},
    {"call", call},
    {"debug", debug},
    {"error_reply", error_reply},
    {"log", log},
    {"pcall", protected_call},
    {"replicate_commands", replicate_commands},
    {"set_repl", set_repl},
    {"sha1hex", sha1hex},
    {"status_reply", status_reply},
};

struct NamedNumber {
  const char* name;
  int number;
};

constexpr NamedNumber kNumbers[] = {
    {"LOG_DEBUG", 0}, {"LOG_VERBOSE", 1}, {"LOG_NOTICE", 2}, {"LOG_WARNING", 3},
    {"REPL_NONE", 0}, {"REPL_AOF", 1},    {"REPL_SLAVE", 2}, {"REPL_ALL", 3},
};

// --- What a script returns
// ----------------------------------------------------------------------------------

struct ResultWalk {
  lua_State* lua;
  int depth = 0;
  size_t bytes = 0;
};

// C++ may run out of memory where Lua did not.
template <typename Work>
void allocating(lua_State* lua, Work work) {
  bool done = true;
  try {
    work();
  } catch (...) {
    done = false;
  }
  if (!done) refuse(lua, "the script returns too much");
}

void account(ResultWalk& walk, size_t bytes) {
  walk.bytes += bytes;
  if (walk.bytes > core_of(walk.lua).limits.memory_bytes) refuse(walk.lua, "the script returns too much");
  charge(walk.lua, 1 + bytes / 64);
}

void store_text(ResultWalk& walk, ScriptReply::Kind kind, ScriptReply& to) {
  size_t size = 0;
  const char* text = lua_tolstring(walk.lua, -1, &size);
  account(walk, size);
  to.kind = kind;
  allocating(walk.lua, [&] { to.text.assign(text, size); });
}

// A table with a text in that field; the table is on top.
bool store_field(ResultWalk& walk, const char* field, ScriptReply::Kind kind, ScriptReply& to) {
  lua_pushstring(walk.lua, field);
  lua_rawget(walk.lua, -2);
  const bool is_text = lua_type(walk.lua, -1) == LUA_TSTRING;
  if (is_text) store_text(walk, kind, to);
  lua_pop(walk.lua, 1);
  return is_text;
}

void store_value(ResultWalk& walk, ScriptReply& to);

void store_table(ResultWalk& walk, ScriptReply& to) {
  constexpr int kDepthMax = 200;
  luaL_checkstack(walk.lua, 4, "the script returns too deep a table");
  if (++walk.depth > kDepthMax) raise(walk.lua, "the script returns too deep a table");
  const bool is_text = store_field(walk, "err", ScriptReply::Kind::error, to) ||
                       store_field(walk, "ok", ScriptReply::Kind::status, to);
  if (!is_text) to.kind = ScriptReply::Kind::array;
  for (int index = 1; !is_text; ++index) {
    lua_rawgeti(walk.lua, -1, index);
    if (lua_isnil(walk.lua, -1)) break;
    account(walk, sizeof(ScriptReply));
    allocating(walk.lua, [&] { to.items.emplace_back(); });
    store_value(walk, to.items.back());
    lua_pop(walk.lua, 1);
  }
  if (!is_text) lua_pop(walk.lua, 1);
  --walk.depth;
}

// Outside the range of an integer the servers leave it to the processor, which gives the least one.
int64_t truncated(lua_Number number) {
  constexpr lua_Number kLimit = 9223372036854775808.0;
  return number >= -kLimit && number < kLimit ? static_cast<int64_t>(number) : INT64_MIN;
}

void store_value(ResultWalk& walk, ScriptReply& to) {
  switch (lua_type(walk.lua, -1)) {
    case LUA_TSTRING:
      store_text(walk, ScriptReply::Kind::bulk, to);
      return;
    case LUA_TTABLE:
      store_table(walk, to);
      return;
    case LUA_TNUMBER:
      to.kind = ScriptReply::Kind::integer;
      to.integer = truncated(lua_tonumber(walk.lua, -1));
      return;
    case LUA_TBOOLEAN:
      if (lua_toboolean(walk.lua, -1) == 0) return;
      to.kind = ScriptReply::Kind::integer;
      to.integer = 1;
      return;
    default:
      return;
  }
}

void clear_reply(ScriptCore& core) { core.reply = ScriptReply(); }

}  // namespace

void store_result(lua_State* lua) {
  ScriptCore& core = core_of(lua);
  clear_reply(core);
  ResultWalk walk{lua};
  store_value(walk, core.reply);
}

void open_redis(lua_State* lua) {
  lua_newtable(lua);
  set_functions(lua, kScriptRedisFunctions);
  for (const NamedNumber& number : kNumbers) {
    lua_pushinteger(lua, number.number);
    lua_setfield(lua, -2, number.name);
  }
  lua_setglobal(lua, "redis");
}

}  // namespace persist

#endif
