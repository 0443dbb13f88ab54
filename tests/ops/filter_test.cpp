// The filter: globs as Redis matches them, slots as clusters compute them, and how conditions combine.
#include "persist/filter.hpp"

#include <doctest/doctest.h>

#include <stdexcept>

#include "support/rdb_builder.hpp"
#include "support/verbs.hpp"

using namespace persist;
using namespace persist::test;

namespace {

struct Glob {
  Bytes pattern;
  Bytes text;
  bool matches;
};

// The odd ones are what redis-server 7.0.15 answered to KEYS.
constexpr Glob kGlobs[] = {
    {"", "", true},
    {"", "a", false},
    {"a", "", false},
    {"*", "", true},
    {"*", "anything", true},
    {"**", "", true},
    {"?", "", false},
    {"?", "a", true},
    {"?", "ab", false},
    {"h?llo", "hello", true},
    {"h?llo", "hllo", false},
    {"h*llo", "hllo", true},
    {"h*llo", "heeeello", true},
    {"**a", "a", true},
    {"a**", "a", true},
    {"*a*b*c", "xaybzc", true},
    {"*a*b*c", "xaybz", false},
    {"*aab", "aaaab", true},
    {"a*a*a", "aa", false},
    {"[abc]", "b", true},
    {"[abc]", "d", false},
    {"h[ae]llo", "hallo", true},
    {"h[^e]llo", "hallo", true},
    {"h[^e]llo", "hello", false},
    {"[a-c]", "b", true},
    {"[a-c]", "d", false},
    {"[c-a]", "b", true},
    {"[a-c-e]", "-", true},
    {"[a-c-e]", "d", false},
    {"[^a-c]x", "dx", true},
    {"[-a]", "-", true},
    {"[!a]", "!", true},
    {"[!a]", "b", false},
    {"[a-c]*[0-9]", "b12", true},
    {"\\*", "*", true},
    {"\\*", "a", false},
    {"\\?", "?", true},
    {"\\[a]", "[a]", true},
    {"\\\\", "\\", true},
    {"\\a", "a", true},
    {"a\\", "a\\", true},
    {"[\\]]", "]", true},
    {"[^\\]]", "]", false},
    {"[a\\]b]", "b", true},
    {"[\\^a]", "^", true},
    {"[a]]", "a]", true},
    {"[]", "x", false},
    {"[]a]", "a", false},
    {"[^]", "x", true},
    {"[", "[", false},
    {"a[", "a[", false},
    {"[^", "x", true},
    {"[a", "a", true},
    {"[ab", "b", true},
    {"[ab", "bc", false},
    {"[^ab", "c", true},
    {"[a-", "b", false},
    {"[a-", "-", true},
    {"[a-]", "]", true},
    {"[a-]", "b", false},
    {"a[b-]c", "abc", false},
    {"[a-\\]", "b", false},
    {"[\\", "\\", true},
    {"[\\", "a", false},
    // What is escaped begins no range.
    {"[\\a-c]", "b", false},
    {"[\\a-c]", "-", true},
    {"[a\\-c]", "b", false},
};

struct Slot {
  Bytes key;
  unsigned slot;
};

constexpr Slot kSlots[] = {
    {"", 0},
    {"foo", 12182},
    {"bar", 5061},
    {"123456789", 12739},
    {"{user1000}.following", 3443},
    {"{user1000}.followers", 3443},
    {"user1000", 3443},
    {"foo{}{bar}", 8363},
    {"foo{{bar}}zap", 4015},
    {"foo{bar}{zap}", 5061},
    {"{}", 15257},
    {"{a", 10276},
    {"a}{b}", 3300},
    {"{a}", 15495},
    {"a", 15495},
};

RdbEntry entry_of(Bytes key, uint64_t db = 0, uint8_t type = 0, int64_t expire_at_ms = kNoExpiry) {
  RdbEntry entry;
  entry.key = key;
  entry.db = db;
  entry.encoding = find_encoding(redis, type);
  entry.expire_at_ms = expire_at_ms;
  return entry;
}

}  // namespace

TEST_CASE("glob: as Redis matches") {
  for (const Glob& row : kGlobs) {
    CAPTURE(row.pattern);
    CAPTURE(row.text);
    CHECK(glob_matches(row.pattern, row.text) == row.matches);
  }
}

TEST_CASE("glob: bytes of any value") {
  CHECK(glob_matches(Bytes("a\0?", 3), Bytes("a\0\xff", 3)));
  CHECK_FALSE(glob_matches(Bytes("a\0", 2), "a"));
  CHECK(glob_matches("[\x80-\xff]", "\xc3"));
}

TEST_CASE("glob: no pattern takes longer than it should") {
  std::string pattern;
  for (int i = 0; i < 100; ++i) pattern += "a*";
  CHECK_FALSE(glob_matches(pattern + "b", std::string(20'000, 'a')));
}

TEST_CASE("slot: vectors") {
  for (const Slot& row : kSlots) {
    CAPTURE(row.key);
    CHECK(key_slot(row.key) == row.slot);
  }
}

TEST_CASE("filter: nothing asked for, everything accepted") {
  CHECK(Filter(FilterOptions{}).accepts(entry_of("k", 7, 16, 5)));
  FilterOptions inverted;
  inverted.invert = true;
  CHECK(Filter(inverted).accepts(entry_of("k")));
}

TEST_CASE("filter: keys by any glob or regular expression") {
  FilterOptions options;
  options.key_globs = {"user:*", "x"};
  options.key_regexes = {"^session:[0-9]+$"};
  const Filter filter(options);
  for (const Bytes key : {"user:1", "x", "session:42"}) CHECK(filter.accepts(entry_of(key)));
  for (const Bytes key : {"user", "xx", "session:x", "asession:1"})
    CHECK_FALSE(filter.accepts(entry_of(key)));
}

TEST_CASE("filter: regular expressions match anywhere, and bytes that are no text") {
  FilterOptions options;
  options.key_regexes = {"b+c"};
  CHECK(Filter(options).accepts(entry_of("abbcd")));
  options.key_regexes = {"a.b"};
  CHECK(Filter(options).accepts(entry_of(Bytes("a\0b", 3))));
  options.key_regexes = {"^a"};
  CHECK(Filter(options).accepts(entry_of("a\xff")));
  options.key_regexes = {"("};
  CHECK_THROWS_AS(Filter{options}, std::invalid_argument);
}

TEST_CASE("filter: db, type and slot") {
  FilterOptions options;
  options.dbs = {0, 3};
  CHECK(Filter(options).accepts(entry_of("k", 3)));
  CHECK_FALSE(Filter(options).accepts(entry_of("k", 1)));
  options = {};
  options.types = {ValueType::hash, ValueType::list};
  CHECK(Filter(options).accepts(entry_of("k", 0, 16)));
  CHECK(Filter(options).accepts(entry_of("k", 0, 1)));
  CHECK_FALSE(Filter(options).accepts(entry_of("k", 0, 2)));
  options = {};
  options.slots = {{0, 100}, {12182, 12182}};
  CHECK(Filter(options).accepts(entry_of("foo")));
  CHECK(Filter(options).accepts(entry_of("")));
  CHECK_FALSE(Filter(options).accepts(entry_of("bar")));
}

TEST_CASE("filter: conditions must all hold, or, inverted, not all") {
  FilterOptions options;
  options.key_globs = {"a*"};
  options.dbs = {1};
  CHECK(Filter(options).accepts(entry_of("ab", 1)));
  CHECK_FALSE(Filter(options).accepts(entry_of("ab", 0)));
  CHECK_FALSE(Filter(options).accepts(entry_of("b", 1)));
  options.invert = true;
  CHECK_FALSE(Filter(options).accepts(entry_of("ab", 1)));
  CHECK(Filter(options).accepts(entry_of("ab", 0)));
  CHECK(Filter(options).accepts(entry_of("b", 1)));
}

TEST_CASE("filter: expired entries") {
  FilterOptions options;
  options.now_ms = 1000;
  const auto accepts = [&](Expired expired, int64_t expire_at_ms) {
    options.expired = expired;
    return Filter(options).accepts(entry_of("k", 0, 0, expire_at_ms));
  };
  for (const int64_t at : {kNoExpiry, int64_t{0}, int64_t{1000}, int64_t{1001}})
    CHECK(accepts(Expired::keep, at));
  CHECK(accepts(Expired::drop, kNoExpiry));
  CHECK(accepts(Expired::drop, 1001));
  CHECK_FALSE(accepts(Expired::drop, 1000));
  CHECK_FALSE(accepts(Expired::drop, 0));
  CHECK_FALSE(accepts(Expired::drop, -5));
  CHECK(accepts(Expired::only, 1000));
  CHECK_FALSE(accepts(Expired::only, 1001));
  CHECK_FALSE(accepts(Expired::only, kNoExpiry));
  // "Expired" is not turned round by inverting.
  options.invert = true;
  options.key_globs = {"x"};
  CHECK(accepts(Expired::only, 1000));
  CHECK_FALSE(accepts(Expired::only, 1001));
}

TEST_CASE("filter: dump writes what it accepts and counts all") {
  const std::string file = RdbBuilder(redis, 11)
                               .string("a", "1")
                               .string("b", "2")
                               .set("ab", {"x"})
                               .select(1)
                               .string("a", "3")
                               .eof();
  FilterOptions options;
  options.key_globs = {"a*"};
  options.types = {ValueType::string};
  const Filter filter(options);
  DumpOptions dumping;
  dumping.filter = &filter;
  const Dumped dumped = dump(file, dumping);
  CHECK(dumped.summary.keys == 4);
  CHECK(dumped.summary.written == 2);
  CHECK(split_lines(dumped.text).size() == 2);
}
