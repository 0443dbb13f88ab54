// The interpreter of scripts: its state, its limits, and the texts it remembers.
//
// Limits. A hook counts instructions, the allocator counts memory and charges for it, and library functions
// that work long without allocating charge themselves. Whoever finds a limit exceeded notes the refusal; from
// then on nothing can be allocated, and the hook raises at every instruction, so that no pcall goes on. Such
// a state, stopped anywhere, is thrown away.
#include "engine/script.hpp"

#include <algorithm>
#include <cstdlib>
#include <unordered_map>
#include <utility>

#include "base/letters.hpp"
#include "base/sha1.hpp"
#include "engine/script_core.hpp"

namespace persist {

#ifdef PERSIST_WITH_LUA

namespace {

constexpr char kTooLong[] = "the script runs for too long";
constexpr char kTooLarge[] = "the script needs too much memory";

constexpr size_t kBytesPerStep = 64;  // allocated bytes that cost as much as an instruction
constexpr size_t kCompiledMax = 1000;
constexpr size_t kScriptNameSize = 2 + 40;

void* allocate(void* user, void* old, size_t old_size, size_t new_size) {
  ScriptCore& core = *static_cast<ScriptCore*>(user);
  if (new_size == 0) {
    core.memory_used -= old_size;
    std::free(old);
    return nullptr;
  }
  if (new_size > old_size) {
    const uint64_t steps = new_size / kBytesPerStep;
    if (core.refusal == nullptr && core.steps_left < steps) core.refusal = kTooLong;
    if (core.refusal == nullptr && new_size - old_size > core.limits.memory_bytes - core.memory_used) {
      core.refusal = kTooLarge;
    }
    if (core.refusal != nullptr) return nullptr;
    core.steps_left -= steps;
  }
  void* made = std::realloc(old, new_size);
  // Lua counts on being able to shrink.
  if (made == nullptr) return new_size <= old_size ? old : nullptr;
  core.memory_used += new_size - old_size;
  return made;
}

void count_instructions(lua_State* lua, lua_Debug*) {
  ScriptCore& core = core_of(lua);
  if (core.refusal == nullptr && std::chrono::steady_clock::now() > core.deadline) core.refusal = kTooLong;
  charge(lua, kHookPeriod);
}

struct LuaClose {
  void operator()(lua_State* lua) const { lua_close(lua); }
};

// --- Called by Lua: no destructors in here ----------------------------------------------------------------

int open_state(lua_State* lua) {
  open_sandbox(lua);
  open_patterns(lua);
  open_redis(lua);
  open_json(lua);
  open_bit(lua);
  open_struct(lua);
  open_msgpack(lua);
  return 0;
}

// A script is read as the body of a function: what is before it, the text, what is behind it.
struct ScriptPieces {
  const Bytes* next;
  const Bytes* end;
};

const char* read_piece(lua_State*, void* user, size_t* size) {
  ScriptPieces& pieces = *static_cast<ScriptPieces*>(user);
  while (pieces.next != pieces.end && pieces.next->empty()) ++pieces.next;
  if (pieces.next == pieces.end) return nullptr;
  *size = pieces.next->size();
  return (pieces.next++)->data();
}

// Compiled functions are kept, since most logs run few texts often; the others would only fill the memory.
void forget_compiled(lua_State* lua) {
  lua_pushnil(lua);
  while (lua_next(lua, LUA_GLOBALSINDEX) != 0) {
    lua_pop(lua, 1);
    if (lua_type(lua, -1) != LUA_TSTRING || lua_objlen(lua, -1) != kScriptNameSize) continue;
    if (!Bytes(lua_tolstring(lua, -1, nullptr)).starts_with("f_")) continue;
    lua_pushvalue(lua, -1);
    lua_pushnil(lua);
    lua_rawset(lua, LUA_GLOBALSINDEX);
  }
  core_of(lua).compiled = 0;
}

void set_words(lua_State* lua, const char* name, std::span<const Bytes> words) {
  lua_pushstring(lua, name);
  lua_newtable(lua);
  int index = 0;
  for (const Bytes word : words) {
    lua_pushlstring(lua, word.data(), word.size());
    lua_rawseti(lua, -2, ++index);
  }
  lua_rawset(lua, LUA_GLOBALSINDEX);
}

struct RunInput {
  const char* name;
  const std::string* text;
  std::span<const Bytes> keys;
  std::span<const Bytes> argv;
};

int run_script(lua_State* lua) {
  const RunInput& input = *static_cast<const RunInput*>(lua_touserdata(lua, 1));
  lua_settop(lua, 0);
  if (core_of(lua).compiled >= kCompiledMax) forget_compiled(lua);
  lua_pushstring(lua, input.name);
  lua_rawget(lua, LUA_GLOBALSINDEX);
  if (lua_isnil(lua, -1)) define_script(lua, input.name, *input.text);
  set_words(lua, "KEYS", input.keys);
  set_words(lua, "ARGV", input.argv);
  lua_call(lua, 0, 1);
  store_result(lua);
  return 0;
}

}  // namespace

ScriptCore& core_of(lua_State* lua) {
  void* user = nullptr;
  lua_getallocf(lua, &user);
  return *static_cast<ScriptCore*>(user);
}

void raise(lua_State* lua, const char* message) {
  luaL_error(lua, "%s", message);
  std::abort();  // never reached
}

void refuse(lua_State* lua, const char* why) {
  ScriptCore& core = core_of(lua);
  if (core.refusal == nullptr) core.refusal = why;
  lua_sethook(lua, count_instructions, LUA_MASKCOUNT, 1);
  raise(lua, core.refusal);
}

void charge(lua_State* lua, uint64_t steps) {
  ScriptCore& core = core_of(lua);
  if (core.refusal != nullptr || steps > core.steps_left) refuse(lua, kTooLong);
  core.steps_left -= steps;
}

void put(lua_State* lua, Bytes bytes) {
  ScriptCore& core = core_of(lua);
  if (bytes.size() > core.limits.memory_bytes - std::min(core.output.size(), core.limits.memory_bytes)) {
    refuse(lua, kTooLarge);
  }
  try {
    core.output.append(bytes);
  } catch (...) {
    core.refusal = kTooLarge;
  }
  charge(lua, 1 + bytes.size() / kBytesPerStep);
}

void set_functions(lua_State* lua, ScriptFunctions functions) {
  for (const luaL_Reg& function : functions) {
    lua_pushstring(lua, function.name);
    lua_pushcfunction(lua, function.func);
    lua_rawset(lua, -3);
  }
}

void guard_function(lua_State* lua, const char* name, lua_CFunction guard) {
  lua_pushstring(lua, name);
  lua_pushvalue(lua, -1);
  lua_rawget(lua, -3);
  lua_pushcclosure(lua, guard, 1);
  lua_rawset(lua, -3);
}

void define_script(lua_State* lua, const char* name, const std::string& text) {
  const Bytes pieces[] = {"function ", name, "() ", text, "\nend"};
  ScriptPieces input{std::begin(pieces), std::end(pieces)};
  if (lua_load(lua, read_piece, &input, "@user_script") != 0) lua_error(lua);
  lua_call(lua, 0, 0);
  ++core_of(lua).compiled;
  lua_pushstring(lua, name);
  lua_rawget(lua, LUA_GLOBALSINDEX);
}

// --- The engine
// ---------------------------------------------------------------------------------------------

class ScriptEngine::Impl {
 public:
  Impl(const ScriptLimits& limits, int number_digits) {
    core.limits = limits;
    core.number_digits = number_digits;
  }

  ScriptResult run(const RunInput& input, ScriptHost& host) {
    prepare(host);
    ScriptResult result;
    if (open()) {
      RunInput copy = input;
      result.ok = lua_cpcall(lua_.get(), run_script, &copy) == 0 && core.refusal == nullptr;
    } else {
      core.refusal = kTooLarge;
    }
    result.random = core.random;
    finish(result);
    return result;
  }

  void close() {
    lua_.reset();
    core.compiled = 0;
  }

  ScriptCore core;

 private:
  void prepare(ScriptHost& host) {
    core.host = &host;
    core.steps_left = core.limits.instructions;
    core.deadline = std::chrono::steady_clock::now() + std::chrono::seconds(core.limits.seconds);
    core.refusal = nullptr;
    core.trouble = nullptr;
    core.random = core.written = core.effects = false;
    core.reply = ScriptReply();
    seed_random(core, 0);
  }

  bool open() {
    if (lua_ != nullptr) {
      // A coroutine of a script before may have taken the hook along.
      lua_sethook(lua_.get(), count_instructions, LUA_MASKCOUNT, kHookPeriod);
      return true;
    }
    lua_.reset(lua_newstate(allocate, &core));
    if (lua_ == nullptr) return false;
    lua_sethook(lua_.get(), count_instructions, LUA_MASKCOUNT, kHookPeriod);
    return lua_cpcall(lua_.get(), open_state, nullptr) == 0;
  }

  void finish(ScriptResult& result) {
    if (result.ok) {
      result.value = std::move(core.reply);
    } else {
      result.refused = core.refusal != nullptr;
      result.error = result.refused ? core.refusal : error_text();
    }
    if (lua_ != nullptr) lua_settop(lua_.get(), 0);
    if (core.refusal != nullptr) close();
    core.args.clear();
    core.numbers.clear();
    core.output = std::string();
    if (core.trouble != nullptr) std::rethrow_exception(std::exchange(core.trouble, nullptr));
  }

  // A string is read in place: nothing here may allocate in Lua.
  std::string error_text() {
    lua_State* lua = lua_.get();
    if (lua_type(lua, -1) != LUA_TSTRING) return "the script raised an error without a text";
    size_t size = 0;
    const char* text = lua_tolstring(lua, -1, &size);
    return {text, size};
  }

  std::unique_ptr<lua_State, LuaClose> lua_;
};

ScriptResult ScriptEngine::run(Bytes text, std::span<const Bytes> keys, std::span<const Bytes> argv,
                               ScriptHost& host) {
  const std::string sha = load(text);
  const std::string name = "f_" + sha;
  return impl_->run({name.c_str(), find(sha), keys, argv}, host);
}

bool ScriptEngine::available() { return true; }

#else

struct ScriptCore {
  std::unordered_map<std::string, std::string> texts;
};

class ScriptEngine::Impl {
 public:
  Impl(const ScriptLimits&, int) {}
  void close() {}
  ScriptCore core;
};

ScriptResult ScriptEngine::run(Bytes text, std::span<const Bytes>, std::span<const Bytes>, ScriptHost&) {
  load(text);
  ScriptResult result;
  result.refused = true;
  result.error = "this build has no interpreter for scripts (Lua 5.1)";
  return result;
}

bool ScriptEngine::available() { return false; }

#endif

ScriptEngine::ScriptEngine(const ScriptLimits& limits, int number_digits)
    : impl_(std::make_unique<Impl>(limits, number_digits)) {}

ScriptEngine::~ScriptEngine() = default;

std::string ScriptEngine::load(Bytes text) {
  std::string sha = to_hex(sha1(text));
  impl_->core.texts.try_emplace(sha, text);
  return sha;
}

const std::string* ScriptEngine::find(Bytes sha) const {
  const auto found = impl_->core.texts.find(in_lower_case(sha));
  return found == impl_->core.texts.end() ? nullptr : &found->second;
}

void ScriptEngine::flush() {
  impl_->close();
  impl_->core.texts.clear();
}

}  // namespace persist
