// find, match, gmatch and gsub of the library string, with Lua 5.1's patterns.
//
// Lua's own matcher recurses as deep as the pattern is long and may go back and forth for ever within one
// instruction. This one does the same matches, but pays for each step and has a greatest depth.
//
// A pattern ends at its first NUL byte, as Lua 5.1 has it; a subject does not. Both are strings that lie on
// Lua's stack, so a NUL stands behind the last byte of each and may be read.
#ifdef PERSIST_WITH_LUA

#include <cctype>
#include <cstring>

#include "engine/script_core.hpp"

namespace persist {

namespace {

constexpr int kScriptPatternDepthMax = 200;
constexpr int kCapturesMax = LUA_MAXCAPTURES;
constexpr ptrdiff_t kOpen = -1;      // a capture that is not closed yet
constexpr ptrdiff_t kPosition = -2;  // "()"

uint8_t byte(char c) { return static_cast<uint8_t>(c); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

struct Capture {
  const char* begin;
  ptrdiff_t size;
};

class Matcher {
 public:
  Matcher(lua_State* lua, Bytes subject)
      : lua_(lua), begin_(subject.data()), end_(subject.data() + subject.size()) {}

  // The end of a match that begins at `at`, or null.
  const char* match(const char* at, const char* pattern) {
    count_ = 0;
    depth_ = 0;
    return match_rest(at, pattern);
  }

  // Pushes the captures, or the whole match if there are none.
  int push_captures(const char* begin, const char* end, bool whole = true) {
    const int pushed = count_ == 0 && whole ? 1 : count_;
    luaL_checkstack(lua_, pushed, "too many captures");
    for (int index = 0; index < pushed; ++index) push_capture(index, begin, end);
    return pushed;
  }

  // The first capture is the whole match if there are none.
  void push_capture(int index, const char* begin, const char* end) {
    if (index >= count_) {
      if (index != 0) raise(lua_, "invalid capture index");
      lua_pushlstring(lua_, begin, static_cast<size_t>(end - begin));
      return;
    }
    const Capture& capture = captures_[index];
    if (capture.size == kOpen) raise(lua_, "unfinished capture");
    if (capture.size == kPosition) {
      lua_pushinteger(lua_, capture.begin - begin_ + 1);
    } else {
      lua_pushlstring(lua_, capture.begin, static_cast<size_t>(capture.size));
    }
  }

 private:
  // Behind one item of a pattern: a byte, an escaped one or a set.
  const char* item_end(const char* item) {
    if (*item == '%') {
      if (item[1] == '\0') raise(lua_, "malformed pattern (ends with '%')");
      return item + 2;
    }
    if (*item++ != '[') return item;
    if (*item == '^') ++item;
    do {  // a ']' that comes first is one of the set
      if (*item == '\0') raise(lua_, "malformed pattern (missing ']')");
      if (*item++ == '%' && *item != '\0') ++item;
    } while (*item != ']');
    return item + 1;
  }

  static bool in_class(uint8_t c, char name) {
    bool in = false;
    switch (std::tolower(byte(name))) {
      case 'a':
        in = std::isalpha(c) != 0;
        break;
      case 'c':
        in = std::iscntrl(c) != 0;
        break;
      case 'd':
        in = std::isdigit(c) != 0;
        break;
      case 'l':
        in = std::islower(c) != 0;
        break;
      case 'p':
        in = std::ispunct(c) != 0;
        break;
      case 's':
        in = std::isspace(c) != 0;
        break;
      case 'u':
        in = std::isupper(c) != 0;
        break;
      case 'w':
        in = std::isalnum(c) != 0;
        break;
      case 'x':
        in = std::isxdigit(c) != 0;
        break;
      case 'z':
        in = c == 0;
        break;
      default:
        return byte(name) == c;
    }
    return in != (std::isupper(byte(name)) != 0);
  }

  // `close` is the set's "]".
  static bool in_set(uint8_t c, const char* set, const char* close) {
    const bool wanted = set[1] != '^';
    const char* at = set + (wanted ? 1 : 2);
    while (at < close) {
      if (*at == '%') {
        if (in_class(c, at[1])) return wanted;
        at += 2;
      } else if (at[1] == '-' && at + 2 < close) {
        if (byte(at[0]) <= c && c <= byte(at[2])) return wanted;
        at += 3;
      } else if (byte(*at++) == c) {
        return wanted;
      }
    }
    return !wanted;
  }

  bool one_matches(const char* at, const char* item, const char* end_of_item) {
    charge(lua_, *item == '[' ? static_cast<uint64_t>(end_of_item - item) : 1);
    if (at >= end_) return false;
    const uint8_t c = byte(*at);
    switch (*item) {
      case '.':
        return true;
      case '%':
        return in_class(c, item[1]);
      case '[':
        return in_set(c, item, end_of_item - 1);
      default:
        return byte(*item) == c;
    }
  }

  const char* match_rest(const char* at, const char* pattern) {
    charge(lua_, 1);
    if (++depth_ > kScriptPatternDepthMax) refuse(lua_, "the script uses too long a pattern");
    const char* end = match_items(at, pattern);
    --depth_;
    return end;
  }

  const char* match_items(const char* at, const char* item) {
    while (*item != '\0') {
      if (*item == '(') return open_capture(at, item);
      if (*item == ')') return close_capture(at, item + 1);
      if (*item == '$' && item[1] == '\0') return at == end_ ? at : nullptr;
      if (*item == '%' && (item[1] == 'b' || item[1] == 'f' || is_digit(item[1]))) {
        at = match_special(at, item);
        if (at == nullptr) return nullptr;
        continue;
      }
      const char* next = item_end(item);
      switch (*next) {
        case '?':
          if (one_matches(at, item, next)) {
            if (const char* end = match_rest(at + 1, next + 1)) return end;
          }
          item = next + 1;
          continue;
        case '*':
          return match_most(at, item, next);
        case '+':
          return one_matches(at, item, next) ? match_most(at + 1, item, next) : nullptr;
        case '-':
          return match_least(at, item, next);
        default:
          break;
      }
      if (!one_matches(at, item, next)) return nullptr;
      ++at;
      item = next;
    }
    return at;
  }

  const char* match_most(const char* at, const char* item, const char* next) {
    ptrdiff_t count = 0;
    while (one_matches(at + count, item, next)) ++count;
    for (; count >= 0; --count) {
      if (const char* end = match_rest(at + count, next + 1)) return end;
    }
    return nullptr;
  }

  const char* match_least(const char* at, const char* item, const char* next) {
    for (;; ++at) {
      if (const char* end = match_rest(at, next + 1)) return end;
      if (!one_matches(at, item, next)) return nullptr;
    }
  }

  // %b, %f and %1: moves `item` behind itself.
  const char* match_special(const char* at, const char*& item) {
    const char kind = item[1];
    item += 2;
    if (kind == 'b') return match_balance(at, item);
    if (kind == 'f') return match_frontier(at, item);
    return match_again(at, kind);
  }

  const char* match_balance(const char* at, const char*& item) {
    if (item[0] == '\0' || item[1] == '\0') raise(lua_, "unbalanced pattern");
    const char open = item[0];
    const char close = item[1];
    item += 2;
    if (*at != open || at == end_) return nullptr;
    ptrdiff_t depth = 1;
    while (++at < end_) {
      charge(lua_, 1);
      if (*at == close) {
        if (--depth == 0) return at + 1;
      } else if (*at == open) {
        ++depth;
      }
    }
    return nullptr;
  }

  const char* match_frontier(const char* at, const char*& item) {
    if (*item != '[') raise(lua_, "missing '[' after '%f' in pattern");
    const char* set = item;
    item = item_end(set);
    charge(lua_, static_cast<uint64_t>(item - set));
    const uint8_t before = at == begin_ ? uint8_t{0} : byte(at[-1]);
    return !in_set(before, set, item - 1) && in_set(byte(*at), set, item - 1) ? at : nullptr;
  }

  const char* match_again(const char* at, char digit) {
    const int index = digit - '1';
    if (index < 0 || index >= count_ || captures_[index].size == kOpen) raise(lua_, "invalid capture index");
    // The servers compare as many bytes as a position has, which is none that can match.
    if (captures_[index].size < 0) return nullptr;
    const auto size = static_cast<size_t>(captures_[index].size);
    charge(lua_, size / 16);
    if (static_cast<size_t>(end_ - at) < size || std::memcmp(captures_[index].begin, at, size) != 0)
      return nullptr;
    return at + size;
  }

  const char* open_capture(const char* at, const char* item) {
    if (count_ >= kCapturesMax) raise(lua_, "too many captures");
    const bool is_position = item[1] == ')';
    captures_[count_++] = {at, is_position ? kPosition : kOpen};
    const char* end = match_rest(at, item + (is_position ? 2 : 1));
    if (end == nullptr) --count_;
    return end;
  }

  const char* close_capture(const char* at, const char* rest) {
    int index = count_ - 1;
    while (index >= 0 && captures_[index].size != kOpen) --index;
    if (index < 0) raise(lua_, "invalid pattern capture");
    captures_[index].size = at - captures_[index].begin;
    const char* end = match_rest(at, rest);
    if (end == nullptr) captures_[index].size = kOpen;
    return end;
  }

  lua_State* lua_;
  const char* begin_;
  const char* end_;
  int depth_ = 0;
  int count_ = 0;
  Capture captures_[kCapturesMax];
};

// --- find, match
// ----------------------------------------------------------------------------------------------

Bytes check_bytes(lua_State* lua, int index) {
  size_t size = 0;
  const char* text = luaL_checklstring(lua, index, &size);
  return {text, size};
}

// The optional third argument: where to begin, 1-based and from the end if negative.
const char* start_of(lua_State* lua, Bytes subject) {
  const auto size = static_cast<ptrdiff_t>(subject.size());
  ptrdiff_t start = luaL_optinteger(lua, 3, 1);
  if (start < 0) start += size + 1;
  if (start < 1) start = 1;
  return subject.data() + std::min(start - 1, size);
}

bool is_plain(lua_State* lua, const char* pattern) {
  return lua_toboolean(lua, 4) != 0 || std::strpbrk(pattern, "^$*+?.([%-") == nullptr;
}

int find_plain(lua_State* lua, Bytes subject, const char* start, Bytes wanted) {
  const auto left = static_cast<size_t>(subject.data() + subject.size() - start);
  charge(lua, (left + wanted.size()) / 64);
  const char* found = start;
  if (!wanted.empty()) found = static_cast<const char*>(memmem(start, left, wanted.data(), wanted.size()));
  if (found == nullptr) {
    lua_pushnil(lua);
    return 1;
  }
  const ptrdiff_t at = found - subject.data();
  lua_pushinteger(lua, at + 1);
  lua_pushinteger(lua, at + static_cast<ptrdiff_t>(wanted.size()));
  return 2;
}

int find_pattern(lua_State* lua, Bytes subject, const char* start, const char* pattern, bool tells_place) {
  const bool anchored = *pattern == '^';
  if (anchored) ++pattern;
  Matcher matcher(lua, subject);
  for (const char* at = start; at <= subject.data() + subject.size(); ++at) {
    if (const char* end = matcher.match(at, pattern)) {
      if (!tells_place) return matcher.push_captures(at, end);
      lua_pushinteger(lua, at - subject.data() + 1);
      lua_pushinteger(lua, end - subject.data());
      return 2 + matcher.push_captures(at, end, false);
    }
    if (anchored) break;
  }
  lua_pushnil(lua);
  return 1;
}

int find(lua_State* lua) {
  const Bytes subject = check_bytes(lua, 1);
  const Bytes pattern = check_bytes(lua, 2);
  const char* start = start_of(lua, subject);
  if (is_plain(lua, pattern.data())) return find_plain(lua, subject, start, pattern);
  return find_pattern(lua, subject, start, pattern.data(), true);
}

int match(lua_State* lua) {
  const Bytes subject = check_bytes(lua, 1);
  const Bytes pattern = check_bytes(lua, 2);
  return find_pattern(lua, subject, start_of(lua, subject), pattern.data(), false);
}

// --- gmatch: upvalues are subject, pattern, and where to go on
// ---------------------------------------------------

int next_match(lua_State* lua) {
  const Bytes subject = check_bytes(lua, lua_upvalueindex(1));
  const char* pattern = lua_tolstring(lua, lua_upvalueindex(2), nullptr);
  Matcher matcher(lua, subject);
  const char* at = subject.data() + lua_tointeger(lua, lua_upvalueindex(3));
  for (; at <= subject.data() + subject.size(); ++at) {
    const char* end = matcher.match(at, pattern);
    if (end == nullptr) continue;
    // Behind an empty match one byte is left out, or it would be found for ever.
    lua_pushinteger(lua, end - subject.data() + (end == at ? 1 : 0));
    lua_replace(lua, lua_upvalueindex(3));
    return matcher.push_captures(at, end);
  }
  return 0;
}

int gmatch(lua_State* lua) {
  check_bytes(lua, 1);
  check_bytes(lua, 2);
  lua_settop(lua, 2);
  lua_pushinteger(lua, 0);
  lua_pushcclosure(lua, next_match, 3);
  return 1;
}

// --- gsub
// -------------------------------------------------------------------------------------------------------

// The replacement is argument 3; "%1" in a text stands for a capture, "%0" for the whole match.
void add_text(lua_State* lua, luaL_Buffer& to, Matcher& matcher, const char* begin, const char* end) {
  size_t size = 0;
  const char* text = lua_tolstring(lua, 3, &size);
  for (const char* at = text; at < text + size; ++at) {
    if (*at != '%' || !is_digit(*++at)) {
      luaL_addchar(&to, *at);
    } else if (*at == '0') {
      luaL_addlstring(&to, begin, static_cast<size_t>(end - begin));
    } else {
      matcher.push_capture(*at - '1', begin, end);
      luaL_addvalue(&to);
    }
  }
}

void add_replacement(lua_State* lua, luaL_Buffer& to, Matcher& matcher, const char* begin, const char* end) {
  switch (lua_type(lua, 3)) {
    case LUA_TFUNCTION: {
      lua_pushvalue(lua, 3);
      const int count = matcher.push_captures(begin, end);
      lua_call(lua, count, 1);
      break;
    }
    case LUA_TTABLE:
      matcher.push_capture(0, begin, end);
      lua_gettable(lua, 3);
      break;
    default:
      add_text(lua, to, matcher, begin, end);
      return;
  }
  if (lua_toboolean(lua, -1) == 0) {
    lua_pop(lua, 1);
    lua_pushlstring(lua, begin, static_cast<size_t>(end - begin));
  } else if (lua_isstring(lua, -1) == 0) {
    luaL_error(lua, "invalid replacement value (a %s)", luaL_typename(lua, -1));
  }
  luaL_addvalue(&to);
}

int gsub(lua_State* lua) {
  const Bytes subject = check_bytes(lua, 1);
  const char* pattern = check_bytes(lua, 2).data();
  const int kind = lua_type(lua, 3);
  luaL_argcheck(lua,
                kind == LUA_TNUMBER || kind == LUA_TSTRING || kind == LUA_TFUNCTION || kind == LUA_TTABLE, 3,
                "string/function/table expected");
  const lua_Integer count_max = luaL_optinteger(lua, 4, static_cast<lua_Integer>(subject.size()) + 1);
  const bool anchored = *pattern == '^';
  if (anchored) ++pattern;
  const char* at = subject.data();
  const char* const subject_end = at + subject.size();
  Matcher matcher(lua, subject);
  luaL_Buffer made;
  luaL_buffinit(lua, &made);
  lua_Integer count = 0;
  while (count < count_max) {
    const char* end = matcher.match(at, pattern);
    if (end != nullptr) {
      ++count;
      add_replacement(lua, made, matcher, at, end);
    }
    if (end != nullptr && end > at) {
      at = end;
    } else if (at < subject_end) {
      luaL_addchar(&made, *at);
      ++at;
    } else {
      break;
    }
    if (anchored) break;
  }
  luaL_addlstring(&made, at, static_cast<size_t>(subject_end - at));
  luaL_pushresult(&made);
  lua_pushinteger(lua, count);
  return 2;
}

// gfind is gmatch's name of before 5.1.
constexpr luaL_Reg kScriptPatternFunctions[] = {
    {"find", find}, {"gfind", gmatch}, {"gmatch", gmatch}, {"gsub", gsub}, {"match", match},
};

}  // namespace

void open_patterns(lua_State* lua) {
  lua_getglobal(lua, LUA_STRLIBNAME);
  set_functions(lua, kScriptPatternFunctions);
  lua_pop(lua, 1);
}

}  // namespace persist

#endif
