// The standard libraries as scripts of servers see them: base, coroutine, table, string and math, without
// what reaches files, and with the servers' own generator of random numbers, which begins anew with every
// script.
//
// Two kinds of changes are ours alone. Bytecode, finalizers and the debug library could undermine the
// interpreter: a script that wants them is refused. And functions that can work long at one instruction are
// charged for it.
#ifdef PERSIST_WITH_LUA

#include <cmath>
#include <cstring>

#include "engine/script_core.hpp"

namespace persist {

namespace {

// --- Globals ----------------------------------------------------------------------------------------------

// The kind of the function that reads or writes a global, which is one frame up.
bool caller_is(lua_State* lua, const char* what) {
  lua_Debug frame{};
  if (lua_getstack(lua, 1, &frame) == 0) return true;
  lua_getinfo(lua, "S", &frame);
  return std::strcmp(frame.what, what) == 0;
}

// "f_" and the SHA-1 of a remembered text: on a server every script is such a global.
const std::string* script_of_name(const ScriptCore& core, Bytes name) {
  if (name.size() != 42 || name.substr(0, 2) != "f_") return nullptr;
  const auto found = core.texts.find(std::string(name.substr(2)));
  return found == core.texts.end() ? nullptr : &found->second;
}

int read_undefined_global(lua_State* lua) {
  size_t size = 0;
  const char* text = lua_type(lua, 2) == LUA_TSTRING ? lua_tolstring(lua, 2, &size) : "";
  const Bytes name(text, size);
  if (name == "debug" || name == "newproxy") refuse(lua, "the script uses debug or newproxy");
  if (const std::string* script = script_of_name(core_of(lua), name)) {
    define_script(lua, text, *script);
    return 1;
  }
  if (caller_is(lua, "C")) return 0;
  return luaL_error(lua, "Script attempted to access nonexistent global variable '%s'", text);
}

// The text of a loadstring is a main chunk, and may create globals.
int write_undefined_global(lua_State* lua) {
  if (!caller_is(lua, "main") && !caller_is(lua, "C")) {
    return luaL_error(lua, "Script attempted to create global variable '%s'",
                      lua_type(lua, 2) == LUA_TSTRING ? lua_tolstring(lua, 2, nullptr) : "?");
  }
  lua_rawset(lua, 1);
  return 0;
}

// --- Base -------------------------------------------------------------------------------------------------

// Returns nil and the message on top of the stack.
int nil_before(lua_State* lua) {
  lua_pushnil(lua);
  lua_insert(lua, -2);
  return 2;
}

// What load and loadstring return: the function on top of the stack, or nil and what is wrong.
int compiled(lua_State* lua, Bytes text, const char* chunk) {
  if (!text.empty() && text.front() == LUA_SIGNATURE[0]) refuse(lua, "the script loads bytecode");
  return luaL_loadbuffer(lua, text.data(), text.size(), chunk) == 0 ? 1 : nil_before(lua);
}

int load_string(lua_State* lua) {
  size_t size = 0;
  const char* text = luaL_checklstring(lua, 1, &size);
  return compiled(lua, {text, size}, luaL_optlstring(lua, 2, text, nullptr));
}

int load_pieces(lua_State* lua) {
  luaL_checktype(lua, 1, LUA_TFUNCTION);
  const char* chunk = luaL_optlstring(lua, 2, "=(load)", nullptr);
  lua_settop(lua, 2);
  lua_pushliteral(lua, "");
  for (;;) {
    lua_pushvalue(lua, 1);
    if (lua_pcall(lua, 0, 1, 0) != 0) return nil_before(lua);
    if (lua_isnil(lua, -1)) break;
    if (lua_isstring(lua, -1) == 0) {
      lua_pushliteral(lua, "reader function must return a string");
      return nil_before(lua);
    }
    if (lua_objlen(lua, -1) == 0) break;
    lua_concat(lua, 2);
  }
  size_t size = 0;
  const char* text = lua_tolstring(lua, 3, &size);
  return compiled(lua, {text, size}, chunk);
}

int print_nothing(lua_State*) { return 0; }

int refuse_dump(lua_State* lua) { refuse(lua, "the script makes bytecode"); }

int call_guarded(lua_State* lua) {
  lua_pushvalue(lua, lua_upvalueindex(1));
  lua_insert(lua, 1);
  lua_call(lua, lua_gettop(lua) - 1, LUA_MULTRET);
  return lua_gettop(lua);
}

// A coroutine counts its instructions from its own beginning, so the last ones before its end would be free.
int guard_coroutine(lua_State* lua) {
  charge(lua, kHookPeriod);
  return call_guarded(lua);
}

// --- String, table ----------------------------------------------------------------------------------------

// Repeating the empty string takes time but no memory.
int guard_repeat(lua_State* lua) {
  size_t size = 0;
  luaL_checklstring(lua, 1, &size);
  const lua_Integer times = luaL_checkinteger(lua, 2);
  if (times > 0) charge(lua, static_cast<uint64_t>(times));
  return call_guarded(lua);
}

int counted_less(lua_State* lua) {
  charge(lua, 1 + (lua_type(lua, 1) == LUA_TSTRING ? lua_objlen(lua, 1) / 64 : 0));
  lua_pushboolean(lua, lua_lessthan(lua, 1, 2));
  return 1;
}

// Sorting without a function compares in C, and at worst a square number of times.
int guard_sort(lua_State* lua) {
  if (lua_isnoneornil(lua, 2)) {
    lua_settop(lua, 1);
    lua_pushcfunction(lua, counted_less);
  }
  return call_guarded(lua);
}

// --- Math -------------------------------------------------------------------------------------------------

// drand48's generator: 48 bits, of which the upper 31 are the number.
uint32_t next_random(ScriptCore& core) {
  core.random_state = (core.random_state * 0x5DEECE66D + 0xB) & ((uint64_t{1} << 48) - 1);
  return static_cast<uint32_t>(core.random_state >> 17);
}

int random_number(lua_State* lua) {
  constexpr uint32_t kRange = 0x7FFFFFFF;
  const double random = static_cast<double>(next_random(core_of(lua)) % kRange) / kRange;
  const int arguments = lua_gettop(lua);
  if (arguments == 0) {
    lua_pushnumber(lua, random);
    return 1;
  }
  if (arguments > 2) raise(lua, "wrong number of arguments");
  // The servers read the limits as 32-bit integers.
  const auto limit = [lua](int index) { return static_cast<int32_t>(luaL_checkinteger(lua, index)); };
  const int32_t low = arguments == 1 ? 1 : limit(1);
  const int32_t high = limit(arguments);
  luaL_argcheck(lua, low <= high, arguments, "interval is empty");
  const auto width = static_cast<int32_t>(static_cast<uint32_t>(high) - static_cast<uint32_t>(low) + 1);
  lua_pushnumber(lua, std::floor(random * width) + low);
  return 1;
}

int seed_random_number(lua_State* lua) {
  seed_random(core_of(lua), static_cast<uint32_t>(luaL_checkinteger(lua, 1)));
  return 0;
}

// --- Opening ----------------------------------------------------------------------------------------------

constexpr luaL_Reg kLibraries[] = {
    {"", luaopen_base},
    {LUA_TABLIBNAME, luaopen_table},
    {LUA_STRLIBNAME, luaopen_string},
    {LUA_MATHLIBNAME, luaopen_math},
};

constexpr luaL_Reg kBase[] = {{"load", load_pieces}, {"loadstring", load_string}, {"print", print_nothing}};
constexpr luaL_Reg kMath[] = {{"random", random_number}, {"randomseed", seed_random_number}};
constexpr luaL_Reg kString[] = {{"dump", refuse_dump}};
constexpr luaL_Reg kUndefined[] = {{"__index", read_undefined_global},
                                   {"__newindex", write_undefined_global}};

void remove_global(lua_State* lua, const char* name) {
  lua_pushnil(lua);
  lua_setfield(lua, LUA_GLOBALSINDEX, name);
}

}  // namespace

void seed_random(ScriptCore& core, uint32_t seed) { core.random_state = uint64_t{seed} << 16 | 0x330E; }

void open_sandbox(lua_State* lua) {
  for (const luaL_Reg& library : kLibraries) {
    lua_pushcfunction(lua, library.func);
    lua_pushstring(lua, library.name);
    lua_call(lua, 1, 0);
  }
  for (const char* name : {"dofile", "loadfile", "newproxy"}) remove_global(lua, name);

  lua_getglobal(lua, LUA_COLIBNAME);
  guard_function(lua, "create", guard_coroutine);
  guard_function(lua, "wrap", guard_coroutine);
  lua_getglobal(lua, LUA_TABLIBNAME);
  guard_function(lua, "sort", guard_sort);
  lua_getglobal(lua, LUA_MATHLIBNAME);
  set_functions(lua, kMath);
  lua_getglobal(lua, LUA_STRLIBNAME);
  set_functions(lua, kString);
  guard_function(lua, "rep", guard_repeat);
  lua_pop(lua, 4);

  lua_pushvalue(lua, LUA_GLOBALSINDEX);
  set_functions(lua, kBase);
  lua_newtable(lua);
  set_functions(lua, kUndefined);
  lua_setmetatable(lua, -2);
  lua_pop(lua, 1);
}

}  // namespace persist

#endif
