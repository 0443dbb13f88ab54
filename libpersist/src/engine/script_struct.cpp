// The library struct of scripts: numbers and strings to bytes by a format, and back.
//
// A format is letters: < > set the byte order and !n the alignment, b h i l T d f x are numbers and padding,
// cN and s are strings. An upper-case letter is unsigned. It ends at its first NUL byte.
#ifdef PERSIST_WITH_LUA

#include <cctype>
#include <cstring>

#include "base/endian.hpp"
#include "engine/script_core.hpp"

namespace persist {

namespace {

constexpr size_t kAlignDefault = 8;
constexpr Bytes kZero("\0", 1);

struct Item {
  char letter;
  size_t size;  // 0: none, or one that the value tells
  size_t padding;
};

class Format {
 public:
  // The servers' struct.size passes over letters that are unknown.
  Format(lua_State* lua, const char* text, bool passes_unknown = false)
      : lua_(lua), at_(text), passes_unknown_(passes_unknown) {}

  // The next item that stands for bytes, placed at `offset` or behind its padding. False at the end.
  bool next(size_t offset, Item& item) {
    while (*at_ != '\0') {
      charge(lua_, 1);
      item.letter = *at_++;
      if (set_option(item.letter)) continue;
      item.size = size_of(item.letter);
      item.padding = padding_of(offset, item);
      return true;
    }
    return false;
  }

  [[nodiscard]] bool is_big() const { return is_big_; }

 private:
  size_t number(size_t otherwise) {
    if (std::isdigit(static_cast<uint8_t>(*at_)) == 0) return otherwise;
    size_t number = 0;
    while (std::isdigit(static_cast<uint8_t>(*at_)) != 0) {
      number = number * 10 + static_cast<size_t>(*at_++ - '0');
      if (number > INT32_MAX) raise(lua_, "integral size overflow");
    }
    return number;
  }

  bool set_option(char letter) {
    if (letter == '<' || letter == '>') {
      is_big_ = letter == '>';
    } else if (letter == '!') {
      align_ = number(kAlignDefault);
      if (!std::has_single_bit(align_)) raise(lua_, "alignment is not a power of 2");
    } else {
      return letter == ' ';
    }
    return true;
  }

  size_t size_of(char letter) {
    switch (letter) {
      case 'b':
      case 'B':
      case 'x':
        return 1;
      case 'h':
      case 'H':
        return 2;
      case 'f':
        return 4;
      case 'l':
      case 'L':
      case 'T':
      case 'd':
        return 8;
      case 'i':
      case 'I':
        return integer_size();
      case 'c':
        return number(1);
      case 's':
        return 0;
      default:
        if (passes_unknown_ && std::isalnum(static_cast<uint8_t>(letter)) != 0) return 0;
        luaL_error(lua_, "invalid format option '%c'", letter);
        return 0;
    }
  }

  size_t integer_size() {
    const size_t size = number(4);
    if (size > 32) raise(lua_, "integral size is larger than the limit of 32");
    if (size > 8) refuse(lua_, "the script packs integers of more than 8 bytes");
    return size;
  }

  [[nodiscard]] size_t padding_of(size_t offset, const Item& item) const {
    if (item.size == 0 || item.letter == 'c') return 0;
    const size_t align = std::min(item.size, align_);
    return (align - (offset & (align - 1))) & (align - 1);
  }

  lua_State* lua_;
  const char* at_;
  bool passes_unknown_;
  size_t align_ = 1;
  bool is_big_ = false;
};

// --- pack
// ---------------------------------------------------------------------------------------------------

// What the processor makes of it: a number below 0 is taken as signed, and one beyond 64 bits is lost.
uint64_t integer_of(lua_Number number) {
  constexpr lua_Number kSigned = 9223372036854775808.0;
  if (number < 0)
    return number >= -kSigned ? static_cast<uint64_t>(static_cast<int64_t>(number)) : uint64_t{1} << 63;
  if (number != number) return uint64_t{1} << 63;
  return number < 2 * kSigned ? static_cast<uint64_t>(number) : 0;
}

// Low byte first in `bits`.
void put_bytes(lua_State* lua, uint64_t bits, size_t size, bool is_big) {
  char bytes[8];
  for (size_t at = 0; at < size; ++at, bits >>= 8) {
    bytes[is_big ? size - 1 - at : at] = static_cast<char>(bits & 0xFF);
  }
  put(lua, {bytes, size});
}

void pack_text(lua_State* lua, int index, const Item& item) {
  size_t size = 0;
  const char* text = luaL_checklstring(lua, index, &size);
  luaL_argcheck(lua, size >= item.size, index, "string too short");
  put(lua, {text, item.size == 0 ? size : item.size});
  if (item.letter == 's') put(lua, kZero);
}

// Returns how many arguments it took.
int pack_item(lua_State* lua, int index, const Item& item, bool is_big) {
  switch (item.letter) {
    case 'x':
      put(lua, kZero);
      return 0;
    case 'c':
    case 's':
      pack_text(lua, index, item);
      return 1;
    default:
      break;
  }
  const lua_Number number = luaL_checknumber(lua, index);
  uint64_t bits = 0;
  if (item.letter == 'f') {
    bits = std::bit_cast<uint32_t>(static_cast<float>(number));
  } else {
    bits = item.letter == 'd' ? std::bit_cast<uint64_t>(number) : integer_of(number);
  }
  put_bytes(lua, bits, item.size, is_big);
  return 1;
}

int pack_struct(lua_State* lua) {
  Format format(lua, luaL_checklstring(lua, 1, nullptr));
  ScriptCore& core = core_of(lua);
  core.output.clear();
  int index = 2;
  for (Item item{}; format.next(core.output.size(), item);) {
    put_bytes(lua, 0, item.padding, false);
    index += pack_item(lua, index, item, format.is_big());
  }
  lua_pushlstring(lua, core.output.data(), core.output.size());
  return 1;
}

// --- unpack, size
// -------------------------------------------------------------------------------------------

lua_Number number_of(const char* from, const Item& item, bool is_big) {
  uint64_t bits = 0;
  for (size_t at = 0; at < item.size; ++at) {
    bits = bits << 8 | static_cast<uint8_t>(from[is_big ? at : item.size - 1 - at]);
  }
  if (item.letter == 'd') return std::bit_cast<double>(bits);
  if (item.letter == 'f') return static_cast<lua_Number>(std::bit_cast<float>(static_cast<uint32_t>(bits)));
  if (std::isupper(static_cast<uint8_t>(item.letter)) != 0) return static_cast<lua_Number>(bits);
  if (item.size == 0) return 0;
  const auto unused = static_cast<int>(64 - 8 * item.size);
  return static_cast<lua_Number>(static_cast<int64_t>(bits << unused) >> unused);
}

void check_room(lua_State* lua, Bytes data, size_t offset, size_t size) {
  luaL_argcheck(lua, offset <= data.size() && size <= data.size() - offset, 2, "data string too short");
}

// "c0": as many bytes as the number says that was unpacked last.
size_t previous_size(lua_State* lua, int pushed) {
  if (pushed == 0 || lua_isnumber(lua, -1) == 0) raise(lua, "format 'c0' needs a previous size");
  const uint64_t size = integer_of(lua_tonumber(lua, -1));
  lua_pop(lua, 1);
  return size;
}

// Pushes a string; returns how many bytes it took.
size_t unpack_struct_text(lua_State* lua, Bytes data, size_t offset, size_t size) {
  check_room(lua, data, offset, size);
  lua_pushlstring(lua, data.data() + offset, size);
  return size;
}

size_t zero_terminated(lua_State* lua, Bytes data, size_t offset) {
  check_room(lua, data, offset, 0);
  const size_t end = data.find('\0', offset);
  if (end == Bytes::npos) raise(lua, "unfinished string in data");
  return end - offset;
}

int unpack_struct(lua_State* lua) {
  Format format(lua, luaL_checklstring(lua, 1, nullptr));
  size_t size = 0;
  const char* text = luaL_checklstring(lua, 2, &size);
  const Bytes data(text, size);
  const lua_Integer start = luaL_optinteger(lua, 3, 1);
  luaL_argcheck(lua, start >= 1, 3, "offset must be 1 or greater");
  size_t offset = static_cast<size_t>(start) - 1;
  const int first = lua_gettop(lua);
  for (Item item{}; format.next(offset, item);) {
    offset += item.padding;
    check_room(lua, data, offset, item.size);
    luaL_checkstack(lua, 2, "too many results");
    if (item.letter == 'c') {
      if (item.size == 0) item.size = previous_size(lua, lua_gettop(lua) - first);
      unpack_struct_text(lua, data, offset, item.size);
    } else if (item.letter == 's') {
      item.size = unpack_struct_text(lua, data, offset, zero_terminated(lua, data, offset)) + 1;
    } else if (item.letter != 'x') {
      lua_pushnumber(lua, number_of(text + offset, item, format.is_big()));
    }
    offset += item.size;
  }
  lua_pushinteger(lua, static_cast<lua_Integer>(offset) + 1);
  return lua_gettop(lua) - first;
}

int size(lua_State* lua) {
  Format format(lua, luaL_checklstring(lua, 1, nullptr), true);
  size_t total = 0;
  for (Item item{}; format.next(total, item);) {
    if (item.size == 0 && (item.letter == 'c' || item.letter == 's'))
      raise(lua, "variable-size format in struct.size");
    total += item.padding + item.size;
  }
  lua_pushinteger(lua, static_cast<lua_Integer>(total));
  return 1;
}

constexpr luaL_Reg kScriptStructFunctions[] = {
    {"pack", pack_struct}, {"size", size}, {"unpack", unpack_struct}};

}  // namespace

void open_struct(lua_State* lua) {
  lua_newtable(lua);
  set_functions(lua, kScriptStructFunctions);
  lua_setglobal(lua, "struct");
}

}  // namespace persist

#endif
