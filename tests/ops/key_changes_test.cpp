// What is made different about entries: how renames are written, and what becomes of names, databases and
// expiries.
#include "persist/key_changes.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <stdexcept>

using namespace persist;

namespace {

constexpr int64_t kNow = 1'000'000;
constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
constexpr int64_t kMin = std::numeric_limits<int64_t>::min();

std::string renamed(const std::vector<std::string>& texts, const std::string& key) {
  KeyChangeOptions options;
  for (const std::string& text : texts) options.renames.push_back(parse_rename(text));
  const KeyChanges changes(options);
  RdbEntry entry;
  entry.key = key;
  std::string room;
  const bool changed = changes.apply(entry, room);
  CHECK(changed == (entry.key != key));
  return std::string(entry.key);
}

KeyChangeOptions expiry_options(ExpiryRule all, ExpiryRule expired = {}) {
  KeyChangeOptions options;
  options.all = all;
  options.expired = expired;
  options.now_ms = kNow;
  return options;
}

}  // namespace

TEST_CASE("renames: how they are written") {
  struct Row {
    std::string text;
    std::string pattern;
    std::string replacement;
    bool every = false;
  };
  const Row rows[] = {
      {"s/^a:/b:/", "^a:", "b:"},
      {"s/a/b/g", "a", "b", true},
      {"s|x/y|z|g", "x/y", "z", true},
      {"s,a,,", "a", ""},
      {"s///", "", ""},
      {"s/a\\/b/c\\/d/", "a/b", "c/d"},
      {"s/a\\.b/\\1\\\\/", "a\\.b", "\\1\\\\"},
      {"s|a\\|b|c|", "a|b", "c"},
      {"sgagbgg", "a", "b", true},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const Rename rename = parse_rename(row.text);
    CHECK(rename.pattern == row.pattern);
    CHECK(rename.replacement == row.replacement);
    CHECK(rename.every == row.every);
  }
}

TEST_CASE("renames: what is none") {
  const std::string texts[] = {"",         "s",       "s/",        "s/a",       "s/a/b",    "s//",
                               "y/a/b/",   "S/a/b/",  "s/a/b/x",   "s/a/b/gg",  "s/a/b/g ", "s/a/b/c/",
                               "s/a\\/b/", "s/a/b\\", "s\\a\\b\\", "s\na\nb\n", " s/a/b/",  "a:b"};
  for (const std::string& text : texts) {
    CAPTURE(text);
    CHECK_THROWS_AS(static_cast<void>(parse_rename(text)), std::invalid_argument);
  }
}

TEST_CASE("renames: what becomes of keys") {
  struct Row {
    std::vector<std::string> renames;
    std::string key;
    std::string becomes;
  };
  const Row rows[] = {
      {{"s/a/b/"}, "aaa", "baa"},
      {{"s/a/b/g"}, "aaa", "bbb"},
      {{"s/^user:(\\d+)$/u\\1:\\0/"}, "user:12", "u12:user:12"},
      {{"s/(a)(b)(c)(d)(e)(f)(g)(h)(i)/\\9\\8/"}, "abcdefghi", "ih"},
      {{"s/a/b/", "s/b/c/"}, "a", "c"},
      {{"s/a/b/", "s/b/a/"}, "a", "a"},
      {{"s/x/y/"}, "a", "a"},
      {{"s/a/a/"}, "a", "a"},
      {{"s/.*//"}, "gone", ""},
      {{"s/^/p:/"}, "k", "p:k"},
      {{"s/$/:s/"}, "", ":s"},
      {{"s/a/\\\\/"}, "a", "\\"},
      // Keys are bytes, and so is what patterns mean.
      {{"s/\\xff/x/"}, "a\xff\xfe", "ax\xfe"},
      {{"s/./-/g"}, "\xc3\xa4", "--"},
      {{"s/\xc3\xa4/ae/"}, "\xc3\xa4", "ae"},
      {{"s/\\x00/0/"}, std::string("a\0b", 3), "a0b"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.renames[0]);
    CAPTURE(row.key);
    CHECK(renamed(row.renames, row.key) == row.becomes);
  }
}

TEST_CASE("renames: patterns and replacements that are none are refused at once") {
  for (const Rename& rename : {Rename{"(", "", false},
                               {"a", "\\1", false},
                               {"(a)", "\\2", true},
                               {"a", "\\", false},
                               {"a**", "", false},
                               {"a", "\\x", false}}) {
    CAPTURE(rename.pattern);
    CAPTURE(rename.replacement);
    KeyChangeOptions options;
    options.renames = {rename};
    CHECK_THROWS_AS(KeyChanges{options}, std::invalid_argument);
  }
}

TEST_CASE("databases: moved as the list says, each once") {
  KeyChangeOptions options;
  options.dbs = {{0, 1}, {1, 0}, {5, 5}};
  const KeyChanges changes(options);
  CHECK(changes.changes_keys());
  std::string room;
  constexpr std::pair<uint64_t, uint64_t> kMoves[] = {{0, 1}, {1, 0}, {2, 2}, {5, 5}};
  for (const auto& move : kMoves) {
    RdbEntry entry;
    entry.db = move.first;
    entry.key = "k";
    CHECK(changes.apply(entry, room) == (move.first != move.second));
    CHECK(entry.db == move.second);
    CHECK(entry.key == "k");
  }
}

TEST_CASE("expiries: of keys and of fields") {
  using enum ExpiryChange;
  struct Row {
    ExpiryRule all;
    ExpiryRule expired;
    int64_t from;
    int64_t key;
    std::optional<int64_t> field;
  };
  const Row rows[] = {
      {{}, {}, kNow + 5, kNow + 5, kNow + 5},
      {{}, {}, kNoExpiry, kNoExpiry, kNoExpiry},
      {{persist, 0}, {}, 5, kNoExpiry, kNoExpiry},
      {{persist, 0}, {}, kNoExpiry, kNoExpiry, kNoExpiry},
      {{shift, 10}, {}, 5, 15, 15},
      {{shift, -3}, {}, 5, 2, 2},
      {{shift, -6}, {}, 5, 0, 0},  // not -1, which would be none
      {{shift, 10}, {}, kNoExpiry, kNoExpiry, kNoExpiry},
      {{shift, kMax}, {}, 5, kMax, kMax},
      {{shift, kMin}, {}, -5, 0, 0},
      {{shift, kMin}, {}, 5, 0, 0},
      {{shift, 1}, {}, kMax, kMax, kMax},
      {{set, 77}, {}, 5, 77, 5},
      {{set, 77}, {}, kNoExpiry, 77, kNoExpiry},
      // Those that have expired first, then all.
      {{}, {persist, 0}, kNow, kNoExpiry, kNoExpiry},
      {{}, {persist, 0}, kNow + 1, kNow + 1, kNow + 1},
      {{}, {shift, kNow}, 5, kNow + 5, kNow + 5},
      {{}, {shift, kNow}, kNoExpiry, kNoExpiry, kNoExpiry},
      {{shift, 1}, {shift, 2}, 5, 8, 8},
      {{shift, 1}, {persist, 0}, 5, kNoExpiry, kNoExpiry},
      {{}, {set, kNow + 9}, 5, kNow + 9, 5},
      {{}, {set, kNow + 9}, kNoExpiry, kNoExpiry, kNoExpiry},
      {{shift, 1}, {set, kNow}, 5, kNow + 1, 6},
  };
  std::string room;
  for (size_t i = 0; i < std::size(rows); ++i) {
    CAPTURE(i);
    const Row& row = rows[i];
    const KeyChanges changes(expiry_options(row.all, row.expired));
    RdbEntry entry;
    entry.key = "k";
    entry.expire_at_ms = row.from;
    CHECK(changes.apply(entry, room) == (row.from != row.key));
    CHECK(entry.expire_at_ms == row.key);
    CHECK(changes.field_expiry(row.from) == row.field);
    if (row.field != row.from) CHECK(changes.changes_fields());
    if (row.key != row.from) CHECK(changes.changes_expiries());
    CHECK_FALSE(changes.changes_keys());
  }
}

TEST_CASE("expiries: fields that have expired can be dropped, before anything else is done") {
  KeyChangeOptions options = expiry_options({ExpiryChange::shift, kNow}, {ExpiryChange::persist, 0});
  options.drop_expired_fields = true;
  const KeyChanges changes(options);
  CHECK(changes.changes_fields());
  CHECK_FALSE(changes.field_expiry(kNow).has_value());
  CHECK_FALSE(changes.field_expiry(0).has_value());
  CHECK(changes.field_expiry(kNow + 1) == 2 * kNow + 1);
  CHECK(changes.field_expiry(kNoExpiry) == kNoExpiry);
}

TEST_CASE("changes: none by default") {
  const KeyChanges none;
  CHECK_FALSE(none.changes_keys());
  CHECK_FALSE(none.changes_expiries());
  CHECK_FALSE(none.changes_fields());
  RdbEntry entry;
  entry.db = 3;
  entry.key = "k";
  entry.expire_at_ms = 5;
  std::string room;
  CHECK_FALSE(none.apply(entry, room));
  CHECK(entry.expire_at_ms == 5);
  CHECK_FALSE(KeyChanges(expiry_options({ExpiryChange::set, 5})).changes_fields());
}
