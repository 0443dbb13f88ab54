// The library cmsgpack of scripts: values to MessagePack and back.
//
// As on the servers: whole numbers are written as integers and others in 4 bytes if that loses nothing; a
// table is an array if its keys are 1 to n, and so is an empty one; a table in the 16th table is nil. Of what
// can be read, binary and extension types are left out, and 64 bits always have a sign.
#ifdef PERSIST_WITH_LUA

#include <cmath>
#include <cstring>

#include "base/endian.hpp"
#include "engine/script_core.hpp"

namespace persist {

namespace {

constexpr int kWriteDepthMax = 16;
constexpr int kReadDepthMax = 1000;

// --- Writing
// --------------------------------------------------------------------------------------------------

// A byte that says what follows, and a number, high byte first.
template <typename T>
void put_tagged(lua_State* lua, uint8_t tag, T number) {
  char bytes[1 + sizeof number];
  if constexpr (std::endian::native == std::endian::little) number = byteswap(number);
  bytes[0] = static_cast<char>(tag);
  std::memcpy(bytes + 1, &number, sizeof number);
  put(lua, {bytes, sizeof bytes});
}

void put_byte(lua_State* lua, unsigned byte) {
  const char c = static_cast<char>(byte);
  put(lua, {&c, 1});
}

// How the sizes of one kind are written; a tag of 0 is one that the kind does not have.
struct SizeTags {
  unsigned small;  // joined with the size
  size_t small_max;
  uint8_t in8, in16, in32;
};

constexpr SizeTags kText{0xA0, 31, 0xD9, 0xDA, 0xDB};
constexpr SizeTags kArray{0x90, 15, 0, 0xDC, 0xDD};
constexpr SizeTags kMap{0x80, 15, 0, 0xDE, 0xDF};

void put_size(lua_State* lua, const SizeTags& tags, size_t size) {
  if (size <= tags.small_max) {
    put_byte(lua, tags.small | static_cast<unsigned>(size));
  } else if (tags.in8 != 0 && size <= UINT8_MAX) {
    put_tagged(lua, tags.in8, static_cast<uint8_t>(size));
  } else if (size <= UINT16_MAX) {
    put_tagged(lua, tags.in16, static_cast<uint16_t>(size));
  } else {
    put_tagged(lua, tags.in32, static_cast<uint32_t>(size));
  }
}

void pack_integer(lua_State* lua, int64_t number) {
  const auto bits = static_cast<uint64_t>(number);
  if (number >= -32 && number <= INT8_MAX) return put_byte(lua, static_cast<unsigned>(bits & 0xFF));
  if (number >= 0) {
    if (bits <= UINT8_MAX) return put_tagged(lua, 0xCC, static_cast<uint8_t>(bits));
    if (bits <= UINT16_MAX) return put_tagged(lua, 0xCD, static_cast<uint16_t>(bits));
    if (bits <= UINT32_MAX) return put_tagged(lua, 0xCE, static_cast<uint32_t>(bits));
    return put_tagged(lua, 0xCF, bits);
  }
  if (number >= INT8_MIN) return put_tagged(lua, 0xD0, static_cast<uint8_t>(bits));
  if (number >= INT16_MIN) return put_tagged(lua, 0xD1, static_cast<uint16_t>(bits));
  if (number >= INT32_MIN) return put_tagged(lua, 0xD2, static_cast<uint32_t>(bits));
  put_tagged(lua, 0xD3, bits);
}

void pack_number(lua_State* lua, lua_Number number) {
  constexpr lua_Number kLimit = 9223372036854775808.0;
  if (number >= -kLimit && number < kLimit && std::floor(number) == number) {
    return pack_integer(lua, static_cast<int64_t>(number));
  }
  const bool is_narrow = !(std::fabs(number) > 3.4028234663852886e38) || std::isinf(number);
  const float narrow = is_narrow ? static_cast<float>(number) : 0;
  if (is_narrow && static_cast<lua_Number>(narrow) == number) {
    return put_tagged(lua, 0xCA, std::bit_cast<uint32_t>(narrow));
  }
  put_tagged(lua, 0xCB, std::bit_cast<uint64_t>(number));
}

void pack_value(lua_State* lua, int depth);

struct TableShape {
  bool is_array;
  size_t count;
};

TableShape shape_of(lua_State* lua) {
  lua_Number greatest = 0;
  size_t count = 0;
  bool are_indexes = true;
  lua_pushnil(lua);
  while (lua_next(lua, -2) != 0) {
    charge(lua, 1);
    lua_pop(lua, 1);
    const lua_Number key = lua_type(lua, -1) == LUA_TNUMBER ? lua_tonumber(lua, -1) : 0;
    are_indexes = are_indexes && key > 0 && std::floor(key) == key;
    greatest = std::max(greatest, key);
    ++count;
  }
  return {are_indexes && greatest == static_cast<lua_Number>(count), count};
}

void pack_table(lua_State* lua, int depth) {
  luaL_checkstack(lua, 4, "too deep a table");
  const TableShape shape = shape_of(lua);
  put_size(lua, shape.is_array ? kArray : kMap, shape.count);
  if (shape.is_array) {
    for (size_t index = 1; index <= shape.count; ++index) {
      lua_rawgeti(lua, -1, static_cast<int>(index));
      pack_value(lua, depth);
    }
    return;
  }
  lua_pushnil(lua);
  while (lua_next(lua, -2) != 0) {
    lua_pushvalue(lua, -2);
    pack_value(lua, depth);
    pack_value(lua, depth);
  }
}

// Pops the value.
void pack_value(lua_State* lua, int depth) {
  switch (lua_type(lua, -1)) {
    case LUA_TSTRING: {
      size_t size = 0;
      const char* text = lua_tolstring(lua, -1, &size);
      put_size(lua, kText, size);
      put(lua, {text, size});
      break;
    }
    case LUA_TBOOLEAN:
      put_byte(lua, lua_toboolean(lua, -1) != 0 ? 0xC3 : 0xC2);
      break;
    case LUA_TNUMBER:
      pack_number(lua, lua_tonumber(lua, -1));
      break;
    case LUA_TTABLE:
      if (depth < kWriteDepthMax) {
        pack_table(lua, depth + 1);
        break;
      }
      [[fallthrough]];
    default:
      put_byte(lua, 0xC0);
      break;
  }
  lua_pop(lua, 1);
}

int pack_msgpack(lua_State* lua) {
  const int count = lua_gettop(lua);
  luaL_argcheck(lua, count > 0, 0, "MessagePack pack needs input.");
  ScriptCore& core = core_of(lua);
  core.output.clear();
  luaL_checkstack(lua, 1, "too many arguments");
  for (int index = 1; index <= count; ++index) {
    lua_pushvalue(lua, index);
    pack_value(lua, 0);
  }
  lua_pushlstring(lua, core.output.data(), core.output.size());
  return 1;
}

// --- Reading
// --------------------------------------------------------------------------------------------------

struct Reader {
  lua_State* lua;
  const char* at;
  const char* end;
  int depth = 0;
};

void unpack_value(Reader& from);

const char* take(Reader& from, size_t size) {
  if (size > static_cast<size_t>(from.end - from.at)) raise(from.lua, "Missing bytes in input.");
  const char* bytes = from.at;
  from.at += size;
  return bytes;
}

template <typename T>
T take_number(Reader& from) {
  return load_be<T>(take(from, sizeof(T)));
}

template <typename T>
void unpack_number(Reader& from) {
  lua_pushnumber(from.lua, static_cast<lua_Number>(take_number<T>(from)));
}

void unpack_msgpack_text(Reader& from, size_t size) {
  const char* text = take(from, size);
  lua_pushlstring(from.lua, text, size);
}

void descend_msgpack(Reader& from) {
  if (++from.depth > kReadDepthMax) refuse(from.lua, "the script unpacks too deep a value");
  luaL_checkstack(from.lua, 5, "too deep a value");
  lua_newtable(from.lua);
}

void unpack_array(Reader& from, size_t count) {
  descend_msgpack(from);
  for (size_t index = 1; index <= count; ++index) {
    unpack_value(from);
    lua_rawseti(from.lua, -2, static_cast<int>(index));
  }
  --from.depth;
}

void unpack_map(Reader& from, size_t count) {
  descend_msgpack(from);
  for (; count > 0; --count) {
    unpack_value(from);
    unpack_value(from);
    lua_rawset(from.lua, -3);
  }
  --from.depth;
}

// Pushes the value.
void unpack_value(Reader& from) {
  charge(from.lua, 1);
  luaL_checkstack(from.lua, 1, "too many values");
  const auto tag = static_cast<uint8_t>(*take(from, 1));
  if (tag < 0x80 || tag >= 0xE0) return lua_pushnumber(from.lua, static_cast<int8_t>(tag));
  if (tag < 0x90) return unpack_map(from, tag & 0xFU);
  if (tag < 0xA0) return unpack_array(from, tag & 0xFU);
  if (tag < 0xC0) return unpack_msgpack_text(from, tag & 0x1FU);
  switch (tag) {
    case 0xC0:
      return lua_pushnil(from.lua);
    case 0xC2:
      return lua_pushboolean(from.lua, 0);
    case 0xC3:
      return lua_pushboolean(from.lua, 1);
    case 0xD9:
      return unpack_msgpack_text(from, take_number<uint8_t>(from));
    case 0xDA:
      return unpack_msgpack_text(from, take_number<uint16_t>(from));
    case 0xDB:
      return unpack_msgpack_text(from, take_number<uint32_t>(from));
    case 0xCA:
      return unpack_number<float>(from);
    case 0xCB:
      return unpack_number<double>(from);
    case 0xCC:
      return unpack_number<uint8_t>(from);
    case 0xCD:
      return unpack_number<uint16_t>(from);
    case 0xCE:
      return unpack_number<uint32_t>(from);
    case 0xCF:
      return unpack_number<int64_t>(from);  // as the servers do
    case 0xD0:
      return unpack_number<int8_t>(from);
    case 0xD1:
      return unpack_number<int16_t>(from);
    case 0xD2:
      return unpack_number<int32_t>(from);
    case 0xD3:
      return unpack_number<int64_t>(from);
    case 0xDC:
      return unpack_array(from, take_number<uint16_t>(from));
    case 0xDD:
      return unpack_array(from, take_number<uint32_t>(from));
    case 0xDE:
      return unpack_map(from, take_number<uint16_t>(from));
    case 0xDF:
      return unpack_map(from, take_number<uint32_t>(from));
    default:
      raise(from.lua, "Bad data format in input.");
  }
}

// Pushes up to `limit` values that stand behind `offset`, and if either was given, before them where to go
// on, or -1 at the end.
int unpack_values(lua_State* lua, lua_Integer limit, lua_Integer offset) {
  size_t size = 0;
  const char* text = luaL_checklstring(lua, 1, &size);
  lua_settop(lua, 1);
  if (limit < 0 || offset < 0) raise(lua, "Invalid request to unpack with a negative offset or limit.");
  if (static_cast<size_t>(offset) > size) raise(lua, "Start offset greater than input length.");
  const bool all = limit == 0 && offset == 0;
  Reader from{lua, text + offset, text + size};
  for (lua_Integer count = 0; from.at < from.end && (all || count < limit); ++count) unpack_value(from);
  if (!all) {
    luaL_checkstack(lua, 1, "too many values");
    lua_pushinteger(lua, from.at == from.end ? -1 : from.at - text);
    lua_insert(lua, 2);
  }
  return lua_gettop(lua) - 1;
}

int unpack_msgpack(lua_State* lua) { return unpack_values(lua, 0, 0); }
int unpack_one(lua_State* lua) { return unpack_values(lua, 1, luaL_optinteger(lua, 2, 0)); }
int unpack_limit(lua_State* lua) {
  return unpack_values(lua, luaL_checkinteger(lua, 2), luaL_optinteger(lua, 3, 0));
}

constexpr luaL_Reg kScriptMsgpackFunctions[] = {{"pack", pack_msgpack},
                                                {"unpack", unpack_msgpack},
                                                {"unpack_limit", unpack_limit},
                                                {"unpack_one", unpack_one}};

}  // namespace

void open_msgpack(lua_State* lua) {
  lua_newtable(lua);
  set_functions(lua, kScriptMsgpackFunctions);
  lua_setglobal(lua, "cmsgpack");
}

}  // namespace persist

#endif
