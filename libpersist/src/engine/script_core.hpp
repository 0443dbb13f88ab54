// What the parts of the script interpreter share: the state behind a lua_State, its budget, and the functions
// that open each library.
//
// Errors of Lua are longjmps. So a function that Lua calls, and every frame between it and a call that may
// raise, holds no object with a destructor; what needs one lies in ScriptCore.
#pragma once

#ifdef PERSIST_WITH_LUA

#include <chrono>
#include <exception>
#include <lua.hpp>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/script.hpp"

namespace persist {

struct ScriptCore {
  ScriptLimits limits;
  int number_digits = kScriptNumberDigits;
  std::unordered_map<std::string, std::string> texts;  // by SHA-1

  // Of the state.
  size_t memory_used = 0;
  size_t compiled = 0;  // scripts that are functions by now

  // Of the running script.
  uint64_t steps_left = 0;
  std::chrono::steady_clock::time_point deadline;
  const char* refusal = nullptr;  // why it is refused: a literal
  std::exception_ptr trouble;     // what the host threw
  ScriptHost* host = nullptr;
  uint64_t random_state = 0;
  bool random = false;   // called a command of random outcome
  bool written = false;  // called a command that writes
  bool effects = false;  // redis.replicate_commands was called in time

  // Room for what must survive a longjmp.
  ScriptReply reply;
  std::vector<Bytes> args;
  std::vector<std::string> numbers;  // args that were numbers
  std::string output;
};

inline constexpr int kHookPeriod = 1000;  // instructions

// A table of functions: name, function.
using ScriptFunctions = std::span<const luaL_Reg>;

ScriptCore& core_of(lua_State* lua);

// Ends the script for good: pcall does not hold it up. `why` must be a literal.
[[noreturn]] void refuse(lua_State* lua, const char* why);

// Takes work that no instruction stands for out of the budget, or refuses.
void charge(lua_State* lua, uint64_t steps);

// Raises; luaL_error that is known not to return.
[[noreturn]] void raise(lua_State* lua, const char* message);

// Appends to ScriptCore::output, within the memory limit.
void put(lua_State* lua, Bytes bytes);

// Sets each function in the table on top of the stack.
void set_functions(lua_State* lua, ScriptFunctions functions);

// Puts a call of `guard` in place of field `name` of the table on top; the guard finds what it guards as its
// first upvalue.
void guard_function(lua_State* lua, const char* name, lua_CFunction guard);

// Compiles a remembered text as the global function f_SHA and leaves it on the stack, or raises what is wrong
// with the text.
void define_script(lua_State* lua, const char* name, const std::string& text);

// Each makes its tables, sets the globals, and leaves the stack as it was.
void open_sandbox(lua_State* lua);
void open_redis(lua_State* lua);
void open_patterns(lua_State* lua);
void open_json(lua_State* lua);
void open_bit(lua_State* lua);
void open_struct(lua_State* lua);
void open_msgpack(lua_State* lua);

// srand48 of the servers.
void seed_random(ScriptCore& core, uint32_t seed);

// Stores the value on top of the stack as ScriptCore::reply: what EVAL would answer.
void store_result(lua_State* lua);

}  // namespace persist

#endif
