// The library bit of scripts: 32-bit integers out of numbers, modulo 2 to the 32nd, and back with a sign.
#ifdef PERSIST_WITH_LUA

#include <bit>
#include <cstring>

#include "engine/script_core.hpp"

namespace persist {

namespace {

// Adding 1.5 * 2^52 rounds to an integer and moves it into the low bits of the sum.
uint32_t bits_of(lua_Number number) {
  return static_cast<uint32_t>(std::bit_cast<uint64_t>(number + 6755399441055744.0));
}

uint32_t check_bits(lua_State* lua, int index) { return bits_of(luaL_checknumber(lua, index)); }

int push_bits(lua_State* lua, uint32_t bits) {
  lua_pushnumber(lua, static_cast<lua_Number>(static_cast<int32_t>(bits)));
  return 1;
}

int tobit(lua_State* lua) { return push_bits(lua, check_bits(lua, 1)); }
int bnot(lua_State* lua) { return push_bits(lua, ~check_bits(lua, 1)); }

template <typename Join>
int fold(lua_State* lua, Join join) {
  uint32_t bits = check_bits(lua, 1);
  for (int index = 2; index <= lua_gettop(lua); ++index) bits = join(bits, check_bits(lua, index));
  return push_bits(lua, bits);
}

int band(lua_State* lua) {
  return fold(lua, [](uint32_t a, uint32_t b) { return a & b; });
}
int bor(lua_State* lua) {
  return fold(lua, [](uint32_t a, uint32_t b) { return a | b; });
}
int bxor(lua_State* lua) {
  return fold(lua, [](uint32_t a, uint32_t b) { return a ^ b; });
}

// The count of a shift is taken modulo 32.
template <typename Shift>
int shifted(lua_State* lua, Shift shift) {
  const uint32_t bits = check_bits(lua, 1);
  return push_bits(lua, shift(bits, static_cast<int>(check_bits(lua, 2) & 31)));
}

int lshift(lua_State* lua) {
  return shifted(lua, [](uint32_t bits, int count) { return bits << count; });
}
int rshift(lua_State* lua) {
  return shifted(lua, [](uint32_t bits, int count) { return bits >> count; });
}
int arshift(lua_State* lua) {
  return shifted(lua, [](uint32_t bits, int count) {
    return static_cast<uint32_t>(static_cast<int32_t>(bits) >> count);
  });
}
int rol(lua_State* lua) {
  return shifted(lua, [](uint32_t bits, int count) { return std::rotl(bits, count); });
}
int ror(lua_State* lua) {
  return shifted(lua, [](uint32_t bits, int count) { return std::rotr(bits, count); });
}

int bswap(lua_State* lua) { return push_bits(lua, __builtin_bswap32(check_bits(lua, 1))); }

// A negative count of digits asks for upper case.
int tohex(lua_State* lua) {
  constexpr int32_t kDigitsMax = 8;
  uint32_t bits = check_bits(lua, 1);
  const int32_t wanted = lua_isnone(lua, 2) ? kDigitsMax : static_cast<int32_t>(check_bits(lua, 2));
  const char* digits = wanted < 0 ? "0123456789ABCDEF" : "0123456789abcdef";
  const bool is_full = wanted > kDigitsMax || wanted < -kDigitsMax;
  const int32_t count = is_full ? kDigitsMax : std::abs(wanted);
  char text[kDigitsMax];
  for (int32_t at = count; at-- > 0; bits >>= 4) text[at] = digits[bits & 15];
  lua_pushlstring(lua, text, static_cast<size_t>(count));
  return 1;
}

constexpr luaL_Reg kScriptBitFunctions[] = {
    {"arshift", arshift}, {"band", band},     {"bnot", bnot},     {"bor", bor},
    {"bswap", bswap},     {"bxor", bxor},     {"lshift", lshift}, {"rol", rol},
    {"ror", ror},         {"rshift", rshift}, {"tobit", tobit},   {"tohex", tohex},
};

}  // namespace

void open_bit(lua_State* lua) {
  lua_newtable(lua);
  set_functions(lua, kScriptBitFunctions);
  lua_setglobal(lua, "bit");
}

}  // namespace persist

#endif
