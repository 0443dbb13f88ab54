// The library cjson of scripts: values to JSON and back.
//
// As on the servers: a table is an array if all its keys are positive integers and it has one, numbers have
// 14 digits, null is a light userdata, and the reader takes whatever strtod takes for a number. What would
// change these rules for later scripts, other than for sparse arrays, is refused.
#ifdef PERSIST_WITH_LUA

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "engine/script_core.hpp"

namespace persist {

namespace {

constexpr int kScriptJsonDepthMax = 1000;

// --- Writing
// --------------------------------------------------------------------------------------------------

// Which arrays with holes are written, the holes as null. Kept in a userdata, the functions' upvalue.
struct SparseRule {
  bool convert = false;  // the others become objects; or else are errors
  int ratio = 2;
  int safe = 10;
};

struct Encoder {
  lua_State* lua;
  const SparseRule& sparse;
  int depth = 0;
};

void encode_value(Encoder& to);

[[noreturn]] void fail_encode(Encoder& to, const char* why) {
  luaL_error(to.lua, "Cannot serialise %s: %s", luaL_typename(to.lua, -1), why);
  std::abort();  // never reached
}

// Bytes that are written as they are go out in runs.
void encode_text(lua_State* lua, int index) {
  size_t size = 0;
  const char* text = lua_tolstring(lua, index, &size);
  put(lua, "\"");
  size_t done = 0;
  for (size_t at = 0; at < size; ++at) {
    const auto c = static_cast<uint8_t>(text[at]);
    static constexpr char kNamed[] = "\"\\/\b\f\n\r\t";
    static constexpr char kLetters[] = "\"\\/bfnrt";
    const char* named = c == 0 ? nullptr : std::strchr(kNamed, c);
    if (named == nullptr && c >= 0x20 && c != 0x7F) continue;
    put(lua, {text + done, at - done});
    done = at + 1;
    char escape[8] = {'\\', 0};
    if (named != nullptr) {
      escape[1] = kLetters[named - kNamed];
    } else {
      std::snprintf(escape, sizeof escape, "\\u%04x", unsigned{c});
    }
    put(lua, escape);
  }
  put(lua, {text + done, size - done});
  put(lua, "\"");
}

void encode_number(Encoder& to, int index) {
  const lua_Number number = lua_tonumber(to.lua, index);
  if (!std::isfinite(number)) fail_encode(to, "must not be NaN or Inf");
  char text[40];
  const int size = std::snprintf(text, sizeof text, "%.14g", number);
  put(to.lua, {text, static_cast<size_t>(size)});
}

// As the processor converts it: what is too large becomes the least number.
int32_t as_index(double key) { return key <= INT32_MAX ? static_cast<int32_t>(key) : INT32_MIN; }

// The greatest index of the table on top if it is an array; 0 or less if it is an object.
int array_size(Encoder& to) {
  int32_t greatest = 0;
  double count = 0;
  lua_pushnil(to.lua);
  while (lua_next(to.lua, -2) != 0) {
    charge(to.lua, 1);
    const double key = lua_type(to.lua, -2) == LUA_TNUMBER ? lua_tonumber(to.lua, -2) : 0;
    if (!(key >= 1) || std::floor(key) != key) {
      lua_pop(to.lua, 2);
      return 0;
    }
    if (key > greatest) greatest = as_index(key);
    ++count;
    lua_pop(to.lua, 1);
  }
  const bool is_sparse =
      to.sparse.ratio > 0 && greatest > count * to.sparse.ratio && greatest > to.sparse.safe;
  if (is_sparse && !to.sparse.convert) fail_encode(to, "excessively sparse array");
  return is_sparse ? 0 : greatest;
}

void encode_array(Encoder& to, int size) {
  for (int index = 1; index <= size; ++index) {
    put(to.lua, index == 1 ? "[" : ",");
    lua_rawgeti(to.lua, -1, index);
    encode_value(to);
    lua_pop(to.lua, 1);
  }
  put(to.lua, "]");
}

void encode_key(Encoder& to) {
  const int type = lua_type(to.lua, -2);
  if (type == LUA_TSTRING) {
    encode_text(to.lua, -2);
  } else if (type == LUA_TNUMBER) {
    put(to.lua, "\"");
    encode_number(to, -2);
    put(to.lua, "\"");
  } else {
    fail_encode(to, "table key must be a number or string");
  }
}

void encode_object(Encoder& to) {
  put(to.lua, "{");
  bool is_first = true;
  lua_pushnil(to.lua);
  while (lua_next(to.lua, -2) != 0) {
    if (!is_first) put(to.lua, ",");
    is_first = false;
    encode_key(to);
    put(to.lua, ":");
    encode_value(to);
    lua_pop(to.lua, 1);
  }
  put(to.lua, "}");
}

void encode_table(Encoder& to) {
  if (++to.depth > kScriptJsonDepthMax) fail_encode(to, "excessive depth");
  luaL_checkstack(to.lua, 5, "excessive depth");
  if (const int size = array_size(to); size > 0) {
    encode_array(to, size);
  } else {
    encode_object(to);
  }
  --to.depth;
}

// The value is on top.
void encode_value(Encoder& to) {
  switch (lua_type(to.lua, -1)) {
    case LUA_TSTRING:
      encode_text(to.lua, -1);
      return;
    case LUA_TNUMBER:
      encode_number(to, -1);
      return;
    case LUA_TBOOLEAN:
      put(to.lua, lua_toboolean(to.lua, -1) != 0 ? "true" : "false");
      return;
    case LUA_TTABLE:
      encode_table(to);
      return;
    case LUA_TNIL:
      put(to.lua, "null");
      return;
    case LUA_TLIGHTUSERDATA:
      if (lua_touserdata(to.lua, -1) == nullptr) {
        put(to.lua, "null");
        return;
      }
      [[fallthrough]];
    default:
      fail_encode(to, "type not supported");
  }
}

int encode(lua_State* lua) {
  luaL_argcheck(lua, lua_gettop(lua) == 1, 1, "expected 1 argument");
  ScriptCore& core = core_of(lua);
  core.output.clear();
  Encoder to{lua, *static_cast<SparseRule*>(lua_touserdata(lua, lua_upvalueindex(1)))};
  encode_value(to);
  lua_pushlstring(lua, core.output.data(), core.output.size());
  return 1;
}

int optional_count(lua_State* lua, int index, int otherwise) {
  if (lua_isnoneornil(lua, index)) return otherwise;
  const lua_Integer count = luaL_checkinteger(lua, index);
  luaL_argcheck(lua, 0 <= count && count <= INT32_MAX, index, "expected integer between 0 and 2147483647");
  return static_cast<int>(count);
}

int encode_sparse_array(lua_State* lua) {
  luaL_argcheck(lua, lua_gettop(lua) <= 3, 4, "found too many arguments");
  SparseRule& rule = *static_cast<SparseRule*>(lua_touserdata(lua, lua_upvalueindex(1)));
  if (!lua_isnoneornil(lua, 1)) {
    luaL_checktype(lua, 1, LUA_TBOOLEAN);
    rule.convert = lua_toboolean(lua, 1) != 0;
  }
  rule.ratio = optional_count(lua, 2, rule.ratio);
  rule.safe = optional_count(lua, 3, rule.safe);
  lua_pushboolean(lua, rule.convert);
  lua_pushinteger(lua, rule.ratio);
  lua_pushinteger(lua, rule.safe);
  return 3;
}

// --- Reading
// --------------------------------------------------------------------------------------------------

// Text lies on Lua's stack: a NUL stands behind its last byte, and no token goes past it.
struct Decoder {
  lua_State* lua;
  const char* begin;
  const char* at;
  const char* end;
  int depth = 0;
};

void decode_value(Decoder& from);

[[noreturn]] void fail_decode(Decoder& from, const char* expected) {
  luaL_error(from.lua, "Expected %s at character %d", expected, static_cast<int>(from.at - from.begin + 1));
  std::abort();  // never reached
}

void skip_blanks(Decoder& from) {
  while (*from.at == ' ' || *from.at == '\t' || *from.at == '\n' || *from.at == '\r') ++from.at;
}

bool skip(Decoder& from, char c) {
  skip_blanks(from);
  if (*from.at != c) return false;
  ++from.at;
  return true;
}

uint32_t decode_unit(Decoder& from) {
  uint32_t unit = 0;
  for (int digit = 0; digit < 4; ++digit, ++from.at) {
    const char c = *from.at;
    const char letter = static_cast<char>(c | 0x20);
    if (c >= '0' && c <= '9') {
      unit = unit * 16 + static_cast<uint32_t>(c - '0');
    } else if (letter >= 'a' && letter <= 'f') {
      unit = unit * 16 + static_cast<uint32_t>(letter - 'a' + 10);
    } else {
      fail_decode(from, "a unicode escape");
    }
  }
  return unit;
}

// `at` is behind "\u".
void decode_unicode(Decoder& from) {
  uint32_t point = decode_unit(from);
  if ((point & 0xFC00) == 0xDC00) fail_decode(from, "a unicode escape");
  if ((point & 0xFC00) == 0xD800) {
    if (from.at[0] != '\\' || from.at[1] != 'u') fail_decode(from, "a second unicode escape");
    from.at += 2;
    const uint32_t low = decode_unit(from);
    if ((low & 0xFC00) != 0xDC00) fail_decode(from, "a low surrogate");
    point = 0x10000 + ((point & 0x3FF) << 10 | (low & 0x3FF));
  }
  const auto tail = [point](int shift) { return static_cast<char>(0x80 | (point >> shift & 0x3F)); };
  char utf8[4];
  size_t size = 0;
  if (point < 0x80) {
    utf8[size++] = static_cast<char>(point);
  } else if (point < 0x800) {
    utf8[size++] = static_cast<char>(0xC0 | point >> 6);
    utf8[size++] = tail(0);
  } else if (point < 0x10000) {
    utf8[size++] = static_cast<char>(0xE0 | point >> 12);
    utf8[size++] = tail(6);
    utf8[size++] = tail(0);
  } else {
    utf8[size++] = static_cast<char>(0xF0 | point >> 18);
    utf8[size++] = tail(12);
    utf8[size++] = tail(6);
    utf8[size++] = tail(0);
  }
  put(from.lua, {utf8, size});
}

void decode_escape(Decoder& from) {
  static constexpr char kLetters[] = "\"\\/bfnrt";
  static constexpr char kNamed[] = "\"\\/\b\f\n\r\t";
  const char c = *from.at;
  if (c == 'u') {
    ++from.at;
    decode_unicode(from);
    return;
  }
  const char* letter = c == '\0' ? nullptr : std::strchr(kLetters, c);
  if (letter == nullptr) fail_decode(from, "an escape code");
  put(from.lua, {kNamed + (letter - kLetters), 1});
  ++from.at;
}

// `at` is behind the opening quote. Pushes the string.
void decode_text(Decoder& from) {
  ScriptCore& core = core_of(from.lua);
  core.output.clear();
  for (;;) {
    const char* run = from.at;
    while (*from.at != '"' && *from.at != '\\' && *from.at != '\0') ++from.at;
    put(from.lua, {run, static_cast<size_t>(from.at - run)});
    if (*from.at == '\0') fail_decode(from, "the end of a string");
    if (*from.at++ == '"') break;
    decode_escape(from);
  }
  lua_pushlstring(from.lua, core.output.data(), core.output.size());
}

void decode_number(Decoder& from) {
  char* end = nullptr;
  const double number = std::strtod(from.at, &end);
  if (end == from.at) fail_decode(from, "a number");
  charge(from.lua, static_cast<uint64_t>(end - from.at) / 16);
  from.at = end;
  lua_pushnumber(from.lua, number);
}

void descend_json(Decoder& from) {
  if (++from.depth > kScriptJsonDepthMax) raise(from.lua, "Found too many nested data structures");
  luaL_checkstack(from.lua, 5, "Found too many nested data structures");
}

void decode_object(Decoder& from) {
  descend_json(from);
  lua_newtable(from.lua);
  if (!skip(from, '}')) {
    do {
      if (!skip(from, '"')) fail_decode(from, "an object key");
      decode_text(from);
      if (!skip(from, ':')) fail_decode(from, "a colon");
      decode_value(from);
      lua_rawset(from.lua, -3);
    } while (skip(from, ','));
    if (!skip(from, '}')) fail_decode(from, "a comma or the end of an object");
  }
  --from.depth;
}

void decode_array(Decoder& from) {
  descend_json(from);
  lua_newtable(from.lua);
  if (!skip(from, ']')) {
    int index = 0;
    do {
      decode_value(from);
      lua_rawseti(from.lua, -2, ++index);
    } while (skip(from, ','));
    if (!skip(from, ']')) fail_decode(from, "a comma or the end of an array");
  }
  --from.depth;
}

bool skip_word(Decoder& from, Bytes word) {
  if (Bytes(from.at, static_cast<size_t>(from.end - from.at)).substr(0, word.size()) != word) return false;
  from.at += word.size();
  return true;
}

// What strtod takes: "+1", "-inf", "NaN" and "0x1F", too.
bool begins_number(const char* at) {
  if (*at == '-' || *at == '+' || (*at >= '0' && *at <= '9')) return true;
  const char letter = static_cast<char>(*at | 0x20);
  return letter == 'i' || letter == 'n';
}

// Pushes the value.
void decode_value(Decoder& from) {
  charge(from.lua, 1);
  if (skip(from, '"')) return decode_text(from);
  if (skip(from, '{')) return decode_object(from);
  if (skip(from, '[')) return decode_array(from);
  if (skip_word(from, "true")) return lua_pushboolean(from.lua, 1);
  if (skip_word(from, "false")) return lua_pushboolean(from.lua, 0);
  if (skip_word(from, "null")) return lua_pushlightuserdata(from.lua, nullptr);
  if (!begins_number(from.at)) fail_decode(from, "a value");
  decode_number(from);
}

int decode(lua_State* lua) {
  luaL_argcheck(lua, lua_gettop(lua) == 1, 1, "expected 1 argument");
  size_t size = 0;
  const char* text = luaL_checklstring(lua, 1, &size);
  if (size >= 2 && (text[0] == '\0' || text[1] == '\0'))
    raise(lua, "JSON parser does not support UTF-16 or UTF-32");
  charge(lua, size / 16);
  Decoder from{lua, text, text, text + size};
  decode_value(from);
  skip_blanks(from);
  if (*from.at != '\0') fail_decode(from, "the end");
  return 1;
}

int refuse_setting(lua_State* lua) { refuse(lua, "the script changes the settings of cjson"); }

constexpr luaL_Reg kRefused[] = {
    {"decode_invalid_numbers", refuse_setting},
    {"decode_max_depth", refuse_setting},
    {"encode_invalid_numbers", refuse_setting},
    {"encode_keep_buffer", refuse_setting},
    {"encode_max_depth", refuse_setting},
    {"encode_number_precision", refuse_setting},
    {"new", refuse_setting},
};
constexpr luaL_Reg kDecode[] = {{"decode", decode}};
constexpr luaL_Reg kWithRule[] = {{"encode", encode}, {"encode_sparse_array", encode_sparse_array}};

}  // namespace

void open_json(lua_State* lua) {
  lua_newtable(lua);
  set_functions(lua, kRefused);
  set_functions(lua, kDecode);
  new (lua_newuserdata(lua, sizeof(SparseRule))) SparseRule;
  for (const luaL_Reg& function : kWithRule) {
    lua_pushvalue(lua, -1);
    lua_pushcclosure(lua, function.func, 1);
    lua_setfield(lua, -3, function.name);
  }
  lua_pop(lua, 1);
  lua_pushlightuserdata(lua, nullptr);
  lua_setfield(lua, -2, "null");
  lua_setglobal(lua, "cjson");
}

}  // namespace persist

#endif
