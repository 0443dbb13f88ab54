// Scripts of old logs: replies, libraries, the order of random numbers, limits, and what is refused.
#include "engine/script.hpp"

#include <doctest/doctest.h>

#include <map>
#include <stdexcept>

using namespace persist;

namespace {

using Kind = ScriptReply::Kind;

// A reply on one line: nil, (1), "bulk", +status, -error, [items].
std::string show(const ScriptReply& reply) {
  switch (reply.kind) {
    case Kind::nil:
      return "nil";
    case Kind::integer:
      return "(" + std::to_string(reply.integer) + ")";
    case Kind::bulk:
      return '"' + reply.text + '"';
    case Kind::status:
      return "+" + reply.text;
    case Kind::error:
      return "-" + reply.text;
    case Kind::array:
      break;
  }
  std::string line = "[";
  for (const ScriptReply& item : reply.items) line += (line.size() > 1 ? " " : "") + show(item);
  return line + "]";
}

ScriptReply bulk(Bytes text) { return {Kind::bulk, 0, std::string(text), {}}; }
ScriptReply status(Bytes text) { return {Kind::status, 0, std::string(text), {}}; }

// A dataset of strings, and commands that answer what a test needs. Keeps every call as one line.
class FakeHost : public ScriptHost {
 public:
  ScriptReply call(std::span<const Bytes> args) override {
    std::string line;
    for (const Bytes word : args) line += (line.empty() ? "" : " ") + std::string(word);
    calls.push_back(line);
    if (args[0] == "set" && args.size() == 3) return set(args[1], args[2]);
    if (args[0] == "get") return get(args[1]);
    if (args[0] == "smembers" || args[0] == "lrange") return unsorted();
    if (args[0] == "exists") return {Kind::integer, int64_t(strings.count(std::string(args[1]))), "", {}};
    if (args[0] == "time") return {Kind::array, 0, "", {bulk("1700000000"), bulk("5")}};
    if (args[0] == "throw") throw std::runtime_error("trouble");
    return {Kind::error, 0, "ERR no such command", {}};
  }

  std::map<std::string, std::string> strings;
  std::vector<std::string> calls;

 private:
  ScriptReply set(Bytes key, Bytes value) {
    strings[std::string(key)] = value;
    return status("OK");
  }

  ScriptReply get(Bytes key) {
    const auto found = strings.find(std::string(key));
    return found == strings.end() ? ScriptReply{} : bulk(found->second);
  }

  static ScriptReply unsorted() {
    const std::string with_nul("b\0a", 3);
    return {
        Kind::array, 0, "", {bulk("c"), bulk(with_nul), bulk("b"), bulk("\xff"), bulk("a10"), bulk("a9")}};
  }
};

ScriptResult run(ScriptEngine& engine, Bytes text, FakeHost& host) {
  const Bytes keys[] = {"k1", "k2"};
  const Bytes argv[] = {"a", "17", "3.5"};
  return engine.run(text, keys, argv, host);
}

// What came back, or "error" or "refused".
std::string outcome(const ScriptResult& result) {
  if (result.refused) return "refused";
  return result.ok ? show(result.value) : "error";
}

struct Row {
  std::string script;
  std::string outcome;
};

void check_rows(std::span<const Row> rows) {
  for (const Row& row : rows) {
    ScriptEngine engine;
    FakeHost host;
    CAPTURE(row.script);
    const ScriptResult result = run(engine, row.script, host);
    CAPTURE(result.error);
    CHECK(outcome(result) == row.outcome);
    CHECK(result.ok == result.error.empty());
  }
}

}  // namespace

#ifndef PERSIST_WITH_LUA

TEST_CASE("a build without an interpreter refuses every script and says why") {
  ScriptEngine engine;
  FakeHost host;
  const ScriptResult result = run(engine, "return 1", host);
  CHECK_FALSE(ScriptEngine::available());
  CHECK(outcome(result) == "refused");
  check_rows(std::vector<Row>{{"", "refused"}});
  CHECK(result.error == "this build has no interpreter for scripts (Lua 5.1)");
}

#else

TEST_CASE("a value that is returned becomes a reply") {
  CHECK(ScriptEngine::available());
  check_rows(std::vector<Row>{
      {"", "nil"},
      {"return 1", "(1)"},
      {"return 1.9", "(1)"},
      {"return -1.9", "(-1)"},
      {"return 2^53", "(9007199254740992)"},
      {"return 1e19", "(-9223372036854775808)"},
      {"return 0/0", "(-9223372036854775808)"},
      {"return 'x'", "\"x\""},
      {"return true", "(1)"},
      {"return false", "nil"},
      {"return 3, 4", "(3)"},
      {"return {1, {2, {}}, 'x'}", "[(1) [(2) []] \"x\"]"},
      {"return {1, nil, 3}", "[(1)]"},
      {"return {1, false, 3}", "[(1) nil (3)]"},
      {"return {a = 1}", "[]"},
      {"return {ok = 'fine'}", "+fine"},
      {"return {err = 'MY error'}", "-MY error"},
      {"return {ok = 1}", "[]"},
      {"return {print, 1}", "[nil (1)]"},
      {"return redis.status_reply('S')", "+S"},
      {"return redis.error_reply('E')", "-E"},
      {"return redis.sha1hex('abc')", "\"a9993e364706816aba3e25717850c26c9cd0d89d\""},
      {"return {KEYS[2], ARGV[1], #KEYS, #ARGV, ARGV[2] + 1}", "[\"k2\" \"a\" (2) (3) (18)]"},
      {"error('boom')", "error"},
      {"error({})", "error"},
      {"not a script", "error"},
      {"return ...", "error"},
      {"return 1 -- a comment", "(1)"},
      {"local t = {} t[1] = t return t", "error"},
      {"return redis.log(redis.LOG_WARNING, 'x')", "nil"},
      {"redis.log(4, 'x')", "error"},
  });
}

TEST_CASE("a reply becomes a value") {
  check_rows(std::vector<Row>{
      {"return redis.call('set', 'k', 'v')", "+OK"},
      {"return redis.call('set', 'k', 'v').ok", "\"OK\""},
      {"return type(redis.call('get', 'nothing'))", "\"boolean\""},
      {"return redis.call('exists', 'k') + 0.5", "(0)"},
      {"return redis.call('nothing')", "error"},
      {"return redis.pcall('nothing')", "-ERR no such command"},
      {"return {pcall(redis.call, 'nothing')}", "[nil \"ERR no such command\"]"},
      {"return redis.call()", "error"},
      {"return type(redis.pcall().err)", "\"string\""},
      {"return redis.call('set', 'k', true)", "error"},
      {"return redis.call('set', 'k', {})", "error"},
      {"return redis.call('eval', 'return 1', 0)", "error"},
      {"return redis.call('MULTI')", "error"},
      {"return redis.call('lrange')[1]", "\"c\""},
  });
}

TEST_CASE("numbers reach a command in as many digits as the servers wrote, strings as they are") {
  struct NumberRow {
    std::string expression;
    const char* text;
    const char* old_text;
  };
  const NumberRow kRows[] = {
      {"3.0", "3", "3"},
      {"-0", "-0", "-0"},
      {"0.1", "0.10000000000000001", "0.1"},
      {"1/3", "0.33333333333333331", "0.33333333333333"},
      {"2^53", "9007199254740992", "9.007199254741e+15"},
      {"123456789012345678", "1.2345678901234568e+17", "1.2345678901235e+17"},
      {"1e15", "1000000000000000", "1e+15"},
      {"1/0", "inf", "inf"},
      {"ARGV[3]", "3.5", "3.5"},
      {"'007'", "007", "007"},
      {"1e15 .. ''", "1e+15", "1e+15"},
  };
  for (const NumberRow& row : kRows) {
    ScriptEngine engine;
    ScriptEngine old_engine({}, kScriptNumberDigitsOld);
    FakeHost host;
    CAPTURE(row.expression);
    run(engine, "redis.call('set', 'k', " + row.expression + ")", host);
    CHECK(host.strings["k"] == row.text);
    run(old_engine, "redis.call('set', 'k', " + row.expression + ")", host);
    CHECK(host.strings["k"] == row.old_text);
  }
}

TEST_CASE("what was done before an error stays") {
  ScriptEngine engine;
  FakeHost host;
  CHECK(outcome(run(engine, "redis.call('set', 'k', 1) redis.call('nothing') redis.call('set', 'k', 2)",
                    host)) == "error");
  CHECK(host.strings["k"] == "1");
}

TEST_CASE("replies without an order of their own are sorted by their bytes") {
  ScriptEngine engine;
  FakeHost host;
  const ScriptReply sorted = run(engine, "return redis.call('SMEMBERS', 'k')", host).value;
  CHECK(outcome(run(engine, "return redis.call('smembers', 'k')", host)) ==
        "[\"a10\" \"a9\" \"b\" \"b" + std::string(1, '\0') + "a\" \"c\" \"\xff\"]");
  CHECK(sorted.kind == Kind::nil);  // the fake knows lower case alone
  CHECK(outcome(run(engine, "return redis.call('lrange', 'k')[1]", host)) == "\"c\"");
}

TEST_CASE("no writes after a random command") {
  struct RandomRow {
    const char* script;
    const char* outcome;
    bool random;
    size_t calls;
  };
  constexpr RandomRow kRows[] = {
      {"redis.call('set', 'k', 1) return redis.call('get', 'k')", "\"1\"", false, 2},
      {"return redis.call('time')[1]", "\"1700000000\"", true, 1},
      {"redis.call('time') return redis.call('get', 'k')", "nil", true, 2},
      {"redis.call('time') return redis.call('set', 'k', 1)", "error", true, 1},
      {"redis.call('TIME') return redis.pcall('SET', 'k', 1).err ~= nil", "error", true, 1},
      {"redis.pcall('SSCAN', 'k', 0) return redis.pcall('SET', 'k', 1).err ~= nil", "(1)", true, 1},
      {"redis.replicate_commands() redis.call('time') return redis.call('set', 'k', 1)", "+OK", true, 2},
      {"redis.call('set', 'k', 1) return redis.replicate_commands()", "nil", false, 1},
      {"return redis.set_repl(redis.REPL_ALL)", "error", false, 0},
      {"redis.replicate_commands() redis.set_repl(redis.REPL_NONE)", "nil", true, 0},
  };
  for (const RandomRow& row : kRows) {
    ScriptEngine engine;
    FakeHost host;
    CAPTURE(row.script);
    const ScriptResult result = run(engine, row.script, host);
    CHECK(outcome(result) == row.outcome);
    CHECK(result.random == row.random);
    CHECK(host.calls.size() == row.calls);
  }
}

TEST_CASE("random numbers are those of the servers, and begin anew with each script") {
  const char* const script =
      "local t = {} for i = 1, 5 do t[i] = math.random(1, 1000000) end "
      "t[6] = tostring(math.random()) t[7] = math.random(10) return t";
  const char* const numbers = "[(170829) (749902) (96372) (870466) (577304) \"0.7857992587545\" (7)]";
  ScriptEngine engine;
  FakeHost host;
  CHECK(outcome(run(engine, script, host)) == numbers);
  CHECK(outcome(run(engine, script, host)) == numbers);
  check_rows(std::vector<Row>{
      {"math.randomseed(123456789) return tostring(math.random())", "\"0.052468466596896\""},
      {"math.randomseed(0) return math.random(1, 1000000)", "(170829)"},
      {"return math.random(2, 1)", "error"},
      {"return math.random(0)", "error"},
      {"return math.random(1, 2, 3)", "error"},
  });
}

TEST_CASE("the sandbox") {
  check_rows(std::vector<Row>{
      {"x = 1", "error"},
      {"return x", "error"},
      {"return _G.x", "error"},
      {"return rawget(_G, 'x')", "nil"},
      {"KEYS = nil return 1", "(1)"},
      {"loadstring('x = 5')() return x", "(5)"},
      {"return io", "error"},
      {"return os", "error"},
      {"return package", "error"},
      {"return require", "error"},
      {"return dofile", "error"},
      {"return loadfile", "error"},
      {"return debug", "refused"},
      {"return pcall(function() return debug end)", "refused"},
      {"return newproxy(true)", "refused"},
      {"return pcall(string.dump, function() end)", "refused"},
      {"return loadstring('\\27Lua')", "refused"},
      {"return pcall(loadstring, '\\27')", "refused"},
      {"local n = 0 return load(function() n = n + 1 return ({'\\27', 'Lua'})[n] end)", "refused"},
      {"local n = 0 return load(function() n = n + 1 return ({'return ', '1', '+2'})[n] end)()", "(3)"},
      {"return {load(function() return {} end)}", "[]"},
      {"return loadstring('return 1 + 1')()", "(2)"},
      {"return ({loadstring('+')})[2] ~= nil", "(1)"},
      {"return print('x')", "nil"},
      {"return _VERSION", "\"Lua 5.1\""},
      {"return cjson.encode_max_depth(5)", "refused"},
      {"return redis.sha1hex()", "error"},
  });
}

TEST_CASE("scripts share an interpreter until a flush") {
  ScriptEngine engine;
  FakeHost host;
  const std::string sha = engine.load("return 42");
  CHECK(sha == "1fa00e76656cc152ad327c13fe365858fd7be306");
  REQUIRE(engine.find("1FA00E76656cc152ad327c13fe365858fd7be306") != nullptr);
  CHECK(*engine.find(sha) == "return 42");
  CHECK(outcome(run(engine, "return f_" + sha + "()", host)) == "(42)");
  run(engine, "redis.kept = 7", host);
  CHECK(outcome(run(engine, "return redis.kept", host)) == "(7)");
  CHECK(engine.find("2067d915024a3e1657c4169c84f809f8ebe0c9d5") == nullptr);

  engine.flush();
  CHECK(engine.find(sha) == nullptr);
  CHECK(outcome(run(engine, "return redis.kept", host)) == "nil");
  CHECK(outcome(run(engine, "return f_" + sha + "()", host)) == "error");
}

TEST_CASE("more texts than are kept compiled") {
  ScriptEngine engine;
  FakeHost host;
  for (int number = 0; number < 2500; ++number) {
    const ScriptResult result = run(engine, "return " + std::to_string(number), host);
    REQUIRE(result.value.integer == number);
  }
  CHECK(outcome(run(engine, "return 7", host)) == "(7)");
}

TEST_CASE("limits") {
  ScriptLimits limits;
  limits.instructions = 3'000'000;
  limits.memory_bytes = 16 << 20;
  const std::string kHostile[] = {
      "while true do end",
      "while true do pcall(function() while true do end end) end",
      "while true do coroutine.wrap(function() while true do end end)() end",
      "local function f() return coroutine.wrap(function() for i = 1, 100 do pcall(f) end end)() end f()",
      "local co = coroutine.wrap(function() while true do coroutine.yield() end end) while true do co() end",
      "xpcall(function() while true do end end, function() while true do end end)",
      "local t = {} for i = 1, 1e9 do t[i] = i end",
      "local t = {} while true do pcall(function() t[#t + 1] = ('x'):rep(1e6 + #t) end) end",
      "return ('x'):rep(1e9)",
      "return (''):rep(1e15)",
      "local s = 'x' while true do s = s .. s end",
      "return ('a'):rep(3000):find(('.-'):rep(20) .. 'b')",
      "return ('a'):rep(1e6):match(('a?'):rep(1e6))",
      "return ('('):rep(1e6):gsub('%b()', '')",
      "return ('a'):rep(30000):find('(.*)(.*)(.*)b')",
      "local t = {} for i = 1, 100000 do t[i] = i % 7 end while true do table.sort(t) end",
      "return load(function() return 5 end)",
      "local t = {1} for i = 1, 60 do t = {t, t} end return t",
      "local t = {1} for i = 1, 60 do t = {t, t} end return cjson.encode(t)",
      "local t = {1} for i = 1, 15 do t = {t, t, t, t, t, t, t, t} end return cmsgpack.pack(t)",
      "return cmsgpack.unpack(('\\145'):rep(100000))",
      "return struct.pack('i16', 1)",
      "while true do redis.call('get', 'k') end",
  };
  for (const std::string& script : kHostile) {
    CAPTURE(script);
    ScriptEngine engine(limits);
    FakeHost host;
    CHECK(outcome(run(engine, script, host)) == "refused");
    CHECK(outcome(run(engine, "return 1", host)) == "(1)");
  }
  check_rows(std::vector<Row>{
      {"local function f(n) return f(n + 1) + 1 end return f(1)", "error"},
      {"return pcall(loadstring, ('('):rep(1000))", "(1)"},
      {"return cjson.decode(('['):rep(1e6))", "error"},
      {"return {unpack({}, 1, 1e8)}", "error"},
  });
}

TEST_CASE("a build of little memory or time") {
  FakeHost host;
  ScriptLimits small;
  small.memory_bytes = 1000;
  ScriptEngine tiny(small);
  CHECK(outcome(run(tiny, "return 1", host)) == "refused");
  ScriptLimits brief;
  brief.seconds = 0;
  ScriptEngine hasty(brief);
  CHECK(outcome(run(hasty, "while true do end", host)) == "refused");
}

TEST_CASE("patterns") {
  check_rows(std::vector<Row>{
      {"return {('key:user:1'):match('(%w+):(%w+)')}", "[\"key\" \"user\"]"},
      {"return {('  trim '):gsub('^%s*(.-)%s*$', '<%1>')}", "[\"<trim>\" (1)]"},
      {"return {('hello'):find('l+')}", "[(3) (4)]"},
      {"return {('hello'):find('(l)(l)()')}", "[(3) (4) \"l\" \"l\" (5)]"},
      {"return {('a.b'):find('.', 2, true)}", "[(2) (2)]"},
      {"return {('abc'):find('', 10)}", "[(4) (3)]"},
      {"return {('abc'):find('c', -1)}", "[(3) (3)]"},
      {"return {('abc'):gsub('', '-')}", "[\"-a-b-c-\" (4)]"},
      {"return {('abc'):gsub('%w', '%0%0', 2)}", "[\"aabbc\" (2)]"},
      {"return {('abc'):gsub('%w', {a = 1, b = true})}", "error"},
      {"return {('abc'):gsub('%w', {a = 1, b = false})}", "[\"1bc\" (3)]"},
      {"return {('abc'):gsub('(a)(b)', function(x, y) return y .. x end)}", "[\"bac\" (1)]"},
      {"return {('THE (quick) fox'):find('%((%a+)%)')}", "[(5) (11) \"quick\"]"},
      {"return ('f(a(b)c)d'):match('%b()')", "\"(a(b)c)\""},
      {"return {('THE fox'):gsub('%f[%a]%a+', 'w')}", "[\"w w\" (2)]"},
      {"return ('aXbXc'):match('(.)X%1')", "nil"},
      {"return ('hello'):match('(.)%1')", "\"l\""},
      {"return ('a]b'):match('[]]')", "\"]\""},
      {"return ('a-b'):match('[a-]+')", "\"a-\""},
      {"return ('a^b'):match('[b^]+')", "\"^b\""},
      {"local r = {} for k, v in ('a=1, b=2'):gmatch('(%w+)=(%w+)') do r[#r + 1] = k .. v end return r",
       "[\"a1\" \"b2\"]"},
      {"local r = {} for x in ('abc'):gmatch('') do r[#r + 1] = '.' end return #r", "(4)"},
      {"return ('x'):match('^x$')", "\"x\""},
      {"return ('abcd'):match('^(a)(.-)$')", "\"a\""},
      {"return #('a\\0b'):match('.%z.')", "(3)"},
      {"return ('a'):find('%')", "error"},
      {"return ('a'):find('[a')", "error"},
      {"return ('a'):find('(a')", "error"},
      {"return ('a'):match('a)')", "error"},
      {"return ('a'):find('%1')", "error"},
      {"return ('a'):gsub('a', '%2')", "error"},
      {"return ('a'):find('%f')", "error"},
  });
}

TEST_CASE("cjson") {
  check_rows(std::vector<Row>{
      {"return cjson.encode({})", "\"{}\""},
      {"return cjson.encode({1, 'x', true, cjson.null, {a = 1.5}})", R"("[1,"x",true,null,{"a":1.5}]")"},
      {"return cjson.encode({[1] = 1, [3] = 3})", "\"[1,null,3]\""},
      {"return cjson.encode({[11] = 1})", "error"},
      {"cjson.encode_sparse_array(true) return cjson.encode({[11] = 1})", R"("{"11":1}")"},
      {"return cjson.encode('a\"\\\\/\\n\\1\\127')", R"=(""a\"\\\/\n\u0001\u007f"")="},
      {"return cjson.encode(0.1) .. cjson.encode(1e15) .. cjson.encode(123456789012345)",
       "\"0.11e+151.2345678901234e+14\""},
      {"return cjson.encode(0/0)", "error"},
      {"return cjson.encode(print)", "error"},
      {"local t = {} for i = 1, 999 do t = {t} end return #cjson.encode(t)", "(2000)"},
      {"local t = {} for i = 1, 1000 do t = {t} end return #cjson.encode(t)", "error"},
      {"return cjson.decode('{\"a\":[1,{\"b\":\"x\"}]}').a[2].b", "\"x\""},
      {"return cjson.decode('[null]')[1] == cjson.null", "(1)"},
      {R"(return cjson.decode('"\\u00e9\\ud83d\\ude00\\n"'))", "\"\xc3\xa9\xf0\x9f\x98\x80\n\""},
      {R"(return cjson.decode('"\\ud83d"'))", "error"},
      {"return cjson.decode(' [ 0x1F , +1 , -2.5e1 ] ')", "[(31) (1) (-25)]"},
      {"return cjson.decode('[1,]')", "error"},
      {"return cjson.decode('[1] x')", "error"},
      {"return cjson.decode('{\"a\"')", "error"},
      {"return cjson.decode('\"x')", "error"},
      {"return cjson.decode('')", "error"},
  });
}

TEST_CASE("bit, struct and cmsgpack") {
  const std::string hex =
      "local function hex(s) return (s:gsub('.', function(c) return ('%02x'):format(c:byte()) end)) end ";
  struct PackRow {
    const char* expression;
    const char* outcome;
  };
  constexpr PackRow kRows[] = {
      {"bit.tobit(2^31)", "(-2147483648)"},
      {"bit.band(-1, 0x12345678)", "(305419896)"},
      {"bit.bxor(0xff, 0x0f, 7)", "(247)"},
      {"bit.lshift(1, 33)", "(2)"},
      {"bit.rshift(-256, 8)", "(16777215)"},
      {"bit.arshift(-256, 8)", "(-1)"},
      {"bit.rol(0x12345678, 12)", "(1164411171)"},
      {"bit.bswap(1)", "(16777216)"},
      {"bit.tohex(0xABCDEF12, -4)", "\"EF12\""},
      {"bit.tobit(2.5)", "(2)"},
      {"bit.bnot('x')", "error"},
      {"hex(struct.pack('<bHi', 1, 2, -3))", "\"010200fdffffff\""},
      {"hex(struct.pack('>!4bi', 1, 2))", "\"0100000000000002\""},
      {"hex(struct.pack('bc0s', 3, 'abc', 'z'))", "\"036162637a00\""},
      {"hex(struct.pack('>df', 0.1, 1.5))", "\"3fb999999999999a3fc00000\""},
      {"{struct.unpack('bc0s', '\\3abcz\\0')}", "[\"abc\" \"z\" (7)]"},
      {"{struct.unpack('>i2<I2', '\\255\\254\\255\\254', 1)}", "[(-2) (65279) (5)]"},
      {"struct.size('!8bd')", "(16)"},
      {"struct.unpack('b', 'abc', 4)", "error"},
      {"struct.pack('z', 1)", "error"},
      {"struct.pack('c3', 'ab')", "error"},
      {"hex(cmsgpack.pack(1, -33, 65536, 1.5, 0.1))", "\"01d0dfce00010000ca3fc00000cb3fb999999999999a\""},
      {"hex(cmsgpack.pack({1, 'a', {}}, {a = true}, nil))",
       "\"9301a16190"
       "81a161c3c0\""},
      {"hex(cmsgpack.pack({[1] = 1, [3] = 3})):sub(1, 2)", "\"82\""},
      {"cmsgpack.unpack(cmsgpack.pack({1, {a = 'b'}}))[2].a", "\"b\""},
      {"{cmsgpack.unpack(cmsgpack.pack(1, 2))}", "[(1) (2)]"},
      {"{cmsgpack.unpack_one(cmsgpack.pack(1, 2))}", "[(1) (1)]"},
      {"{cmsgpack.unpack_limit(cmsgpack.pack(1, 2, 3), 5, 1)}", "[(-1) (2) (3)]"},
      {"cmsgpack.unpack('\\217\\5abc')", "error"},
      {"cmsgpack.unpack('\\221\\255\\255\\255\\255')", "error"},
      {"cmsgpack.unpack('\\193')", "error"},
  };
  for (const PackRow& row : kRows) {
    ScriptEngine engine;
    FakeHost host;
    CAPTURE(row.expression);
    CHECK(outcome(run(engine, hex + "return " + row.expression, host)) == row.outcome);
  }
}

TEST_CASE("what a host throws ends the script") {
  ScriptEngine engine;
  FakeHost host;
  CHECK_THROWS_WITH(
      run(engine, "redis.call('set', 'k', 1) pcall(redis.call, 'throw') redis.call('set', 'k', 2)", host),
      "trouble");
  CHECK(host.strings["k"] == "1");
  CHECK(outcome(run(engine, "return redis.call('get', 'k')", host)) == "\"1\"");
}

#endif
