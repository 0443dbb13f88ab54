// The values of lists, sets, hashes and sorted sets against the containers of the standard library: random
// steps, then everything compared. Texts come in every kind that is kept in a form of its own.
#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <deque>
#include <limits>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "engine/hash.hpp"
#include "engine/list.hpp"
#include "engine/set.hpp"
#include "engine/sorted_set.hpp"

using namespace persist;

namespace {

using Random = std::mt19937_64;

size_t below(Random& random, size_t limit) { return static_cast<size_t>(random() % limit); }

// Where one form ends and another begins.
const std::vector<std::string>& odd_texts() {
  using namespace std::string_literals;
  static const std::vector<std::string> texts = {
      "",
      "0",
      "-0",
      "00",
      "007",
      "+7",
      "1",
      "-1",
      " 1",
      "1 ",
      "-",
      "1.5",
      "a",
      "1234567",
      "12345678",
      "abcdefg",
      "abcdefgh",
      "\0"s,
      "\0\0\0\0\0\0\0"s,
      "\0\0\0\0\0\0\0\0"s,
      "\xff\xfe\x80\r\n",
      "2305843009213693950",
      "2305843009213693951",
      "2305843009213693952",
      "-2305843009213693951",
      "-2305843009213693952",
      "-2305843009213693953",
      "9223372036854775807",
      "9223372036854775808",
      "-9223372036854775808",
      "-9223372036854775809",
      "18446744073709551615",
      std::string(126, 'x'),
      std::string(127, 'x'),
      std::string(128, 'x'),
      std::string(16383, 'y'),
      std::string(16384, 'y'),
      std::string(40000, 'z'),
  };
  return texts;
}

// One of about `variety` texts.
std::string any_text(Random& random, size_t variety) {
  const size_t pick = below(random, variety);
  switch (pick % 5) {
    case 0:
      return std::to_string(pick);
    case 1:
      return "-" + std::to_string(pick * 1'000'003);
    case 2:
      return "t" + std::to_string(pick);
    case 3:
      return "a longer text: " + std::to_string(pick);
    default:
      return odd_texts()[pick % odd_texts().size()];
  }
}

std::vector<std::string> items_of(const List& list) {
  std::vector<std::string> items;
  list.for_each([&](Bytes item) { items.emplace_back(item); });
  return items;
}

std::multiset<std::string> members_of(const Set& set) {
  std::multiset<std::string> members;
  set.for_each([&](Bytes member) { members.emplace(member); });
  return members;
}

struct FieldValue {
  std::string value;
  int64_t expire_at_ms = kNoExpiry;
  bool operator==(const FieldValue&) const = default;
};

// A field told twice is told as often here.
std::multimap<std::string, std::pair<std::string, int64_t>> fields_of(const Hash& hash) {
  std::multimap<std::string, std::pair<std::string, int64_t>> fields;
  hash.for_each([&](const HashField& field) {
    fields.emplace(field.field, std::pair(std::string(field.value), field.expire_at_ms));
  });
  return fields;
}

}  // namespace

// ------------------------------------------------------------------------------------------------- words

TEST_CASE("a text is the same when it comes out of a word") {
  Pool pool;
  for (const std::string& text : odd_texts()) {
    CAPTURE(text.size());
    const Word word = make_word(pool, text);
    CellRoom room;
    CHECK(word_text(word, room) == text);
    CHECK(word != 0);
    free_word(pool, word);
  }
}

TEST_CASE("what needs no block, and what the edge of 62 bits does") {
  CHECK(immediate_word("2305843009213693951") != 0);
  CHECK(immediate_word("2305843009213693952") == 0);
  CHECK(immediate_word("-2305843009213693951") != 0);
  CHECK(immediate_word("-2305843009213693952") == 0);
  CHECK(immediate_word("seven77") != 0);
  CHECK(immediate_word("eight888") == 0);
  CHECK((immediate_word("007") & kWordKind) == kWordShort);
  CHECK((immediate_word("-0") & kWordKind) == kWordShort);
  CHECK((immediate_word("-7") & kWordKind) == kWordInteger);
}

TEST_CASE("words of different texts differ, and a text is found in its own word alone") {
  Pool pool;
  std::vector<Word> words;
  for (const std::string& text : odd_texts()) words.push_back(make_word(pool, text));
  for (size_t i = 0; i < words.size(); ++i) {
    const SoughtText sought(odd_texts()[i]);
    for (size_t j = 0; j < words.size(); ++j) {
      CAPTURE(i);
      CAPTURE(j);
      CHECK(sought.is_in(words[j]) == (i == j));
    }
  }
  for (const Word word : words) free_word(pool, word);
}

// -------------------------------------------------------------------------------------------------- pool

TEST_CASE("blocks of all sizes do not touch each other, also when they are used again") {
  Pool pool;
  Random random(1);
  struct Block {
    char* at;
    size_t size;
    char sign;
  };
  std::vector<Block> blocks;
  size_t broken = 0;
  for (int step = 0; step < 20000; ++step) {
    if (blocks.empty() || below(random, 3) != 0) {
      const size_t size = below(random, 20) == 0 ? below(random, 100'000) : below(random, 300);
      const char sign = static_cast<char>(random());
      char* at = pool.take(size);
      std::memset(at, sign, Pool::capacity(size));
      broken += reinterpret_cast<uintptr_t>(at) % 8 != 0;
      blocks.push_back({at, size, sign});
    } else {
      std::swap(blocks[below(random, blocks.size())], blocks.back());
      const Block block = blocks.back();
      blocks.pop_back();
      broken += static_cast<size_t>(std::count_if(block.at, block.at + Pool::capacity(block.size),
                                                  [&](char c) { return c != block.sign; }));
      pool.give(block.at, block.size);
    }
    if (blocks.size() > 500) {
      for (const Block& block : blocks) pool.give(block.at, block.size);
      blocks.clear();
    }
  }
  for (const Block& block : blocks) pool.give(block.at, block.size);
  CHECK(broken == 0);
}

TEST_CASE("the capacity of a block is that of its whole class") {
  for (size_t size = 1; size < 200'000; size += 1 + size / 64) {
    const size_t capacity = Pool::capacity(size);
    CAPTURE(size);
    CHECK(capacity >= size);
    CHECK(Pool::capacity(capacity) == capacity);
    CHECK(capacity <= std::max<size_t>(size + 7, size + size / 4 + 1));
  }
}

// -------------------------------------------------------------------------------------------------- list

namespace {

void step_list(Random& random, List& list, std::deque<std::string>& model, bool growing) {
  const std::string text = any_text(random, 200);
  const auto place = [&](size_t index) { return model.begin() + static_cast<ptrdiff_t>(index); };
  const size_t action = below(random, 100);
  if (model.empty() || action < (growing ? 60U : 20U)) {
    if (action % 2 == 0) {
      list.push_front(text);
      model.push_front(text);
    } else {
      list.push_back(text);
      model.push_back(text);
    }
  } else if (action < 80) {
    if (action % 2 == 0) {
      list.pop_front();
      model.pop_front();
    } else {
      list.pop_back();
      model.pop_back();
    }
  } else if (action < 90) {
    const size_t index = below(random, model.size() + 1);
    list.insert(index, text);
    model.insert(place(index), text);
  } else if (action < 96) {
    const size_t index = below(random, model.size());
    list.set(index, text);
    model[index] = text;
  } else if (action < 99) {
    const size_t most = below(random, 2) == 0 ? model.size() : below(random, 3);
    const bool from_tail = below(random, 2) == 0;
    size_t removed = 0;
    const auto matches = [&](const std::string& item) {
      return item == text && removed < most && ++removed > 0;
    };
    if (from_tail) std::reverse(model.begin(), model.end());
    model.erase(std::remove_if(model.begin(), model.end(), matches), model.end());
    if (from_tail) std::reverse(model.begin(), model.end());
    REQUIRE(list.remove(text, most, from_tail) == removed);
  } else if (below(random, 20) == 0) {
    const size_t from = below(random, model.size() + 1);
    const size_t count = below(random, model.size() - from + 1);
    list.keep(from, count);
    model = std::deque<std::string>(place(from), place(from + count));
  }
}

}  // namespace

TEST_CASE("a list does what a deque does") {
  Pool pool;
  Random random(2);
  List list(pool);
  std::deque<std::string> model;
  for (int step = 0; step < 40000; ++step) {
    step_list(random, list, model, step / 4000 % 2 == 0);
    REQUIRE(list.size() == model.size());
    if (step % 997 != 0) continue;
    const std::vector<std::string> items = items_of(list);
    REQUIRE(std::ranges::equal(items, model));
    CellRoom room;
    for (size_t i = 0; i < model.size(); ++i) {
      REQUIRE(list.at(i, room) == model[i]);
      REQUIRE(list.is_at(i, SoughtText(model[i])));
    }
  }
}

TEST_CASE("a queue that was long keeps its items when it becomes short") {
  Pool pool;
  List list(pool);
  for (int i = 0; i < 50'000; ++i) list.push_back(std::to_string(i));
  CellRoom room;
  for (int i = 0; i < 49'990; ++i) {
    REQUIRE(list.front(room) == std::to_string(i));
    list.pop_front();
  }
  CHECK(items_of(list) == std::vector<std::string>{"49990", "49991", "49992", "49993", "49994", "49995",
                                                   "49996", "49997", "49998", "49999"});
  list.keep(3, 0);
  CHECK(list.size() == 0);
  list.push_front("again");
  CHECK(items_of(list) == std::vector<std::string>{"again"});
}

TEST_CASE("an item may be set to, or moved from, what the list itself shows") {
  Pool pool;
  List list(pool);
  const std::string text(100, 'q');
  list.push_back(text);
  CellRoom room;
  list.set(0, list.at(0, room));
  for (int i = 0; i < 20; ++i) list.push_front(list.back(room));
  for (const std::string& item : items_of(list)) CHECK(item == text);
}

// --------------------------------------------------------------------------------------------------- set

TEST_CASE("a set does what a set does, growing and shrinking") {
  Pool pool;
  Random random(3);
  for (const size_t variety : {size_t{12}, size_t{60}, size_t{5000}}) {
    CAPTURE(variety);
    Set set(pool);
    std::set<std::string> model;
    for (int step = 0; step < 30000; ++step) {
      const std::string text = any_text(random, variety);
      const bool growing = step / 5000 % 2 == 0;
      if (below(random, 10) < (growing ? 7U : 2U))
        REQUIRE(set.add(text) == model.insert(text).second);
      else
        REQUIRE(set.remove(text) == (model.erase(text) == 1));
      REQUIRE(set.size() == model.size());
      REQUIRE(set.contains(text) == model.contains(text));
      if (step % 2500 == 0)
        REQUIRE(members_of(set) == std::multiset<std::string>(model.begin(), model.end()));
    }
    for (const std::string& text : odd_texts()) CHECK(set.contains(text) == model.contains(text));
  }
}

TEST_CASE("every kind of text can be a member, in a row and in a table") {
  Pool pool;
  Set row(pool);
  Set table(pool);
  for (int i = 0; i < 1000; ++i) table.add("filler " + std::to_string(i));
  for (const std::string& text : odd_texts()) {
    CAPTURE(text);
    for (Set* set : {&row, &table}) {
      CHECK(set->add(text));
      CHECK_FALSE(set->add(text));
      CHECK(set->contains(text));
    }
    CHECK(members_of(row) == std::multiset<std::string>{text});
    CHECK(members_of(table).count(text) == 1);
    for (Set* set : {&row, &table}) {
      CHECK(set->remove(text));
      CHECK_FALSE(set->remove(text));
      CHECK_FALSE(set->contains(text));
    }
  }
}

TEST_CASE("a set can be emptied by taking some member again and again") {
  Pool pool;
  Set set(pool);
  std::set<std::string> model;
  for (int i = 0; i < 20'000; ++i) model.insert("m" + std::to_string(i));
  for (const std::string& member : model) set.add(member);
  while (set.size() > 0) {
    CellRoom room;
    const std::string member(set.any(room));
    REQUIRE(model.erase(member) == 1);
    REQUIRE(set.remove(member));
  }
  CHECK(model.empty());
}

TEST_CASE("some members are as many as asked for, and no two the same") {
  Pool pool;
  Set set(pool);
  for (int i = 0; i < 100; ++i) set.add(std::to_string(i));
  for (const size_t count : {size_t{0}, size_t{1}, size_t{99}, size_t{100}, size_t{101}, SIZE_MAX}) {
    std::set<std::string> some;
    set.for_some(count, [&](Bytes member) { some.emplace(member); });
    CHECK(some.size() == std::min<size_t>(count, 100));
  }
}

namespace {

// How long it takes to make a set of 10 * 93 * 93 short texts that differ at these places.
std::chrono::steady_clock::duration time_of_adding(size_t slow, size_t middle, size_t fast) {
  Pool pool;
  Set set(pool);
  std::string text = "abcdefg";
  const auto begin = std::chrono::steady_clock::now();
  for (text[slow] = '!'; text[slow] < '+'; ++text[slow]) {
    for (text[middle] = '!'; text[middle] < '~'; ++text[middle])
      for (text[fast] = '!'; text[fast] < '~'; ++text[fast]) set.add(text);
  }
  CHECK(set.size() == 10 * 93 * 93);
  return std::chrono::steady_clock::now() - begin;
}

}  // namespace

TEST_CASE("short texts that share their beginning do not crowd one place") {
  // Seven bytes are kept in the word itself: these differ in its highest bits only, those in its lowest.
  const auto at_the_front = time_of_adding(2, 1, 0);
  CHECK(time_of_adding(4, 5, 6) < 20 * at_the_front);
}

TEST_CASE("two sets exchange what they hold") {
  Pool pool;
  Set a(pool);
  Set b(pool);
  for (int i = 0; i < 100; ++i) a.add(std::to_string(i));
  b.add("a text that needs a block");
  a.swap(b);
  CHECK(members_of(a) == std::multiset<std::string>{"a text that needs a block"});
  CHECK(b.size() == 100);
  CHECK(b.contains("99"));
}

// -------------------------------------------------------------------------------------------------- hash

namespace {

using HashModel = std::map<std::string, FieldValue>;

void step_hash(Random& random, Hash& hash, HashModel& model, size_t variety, bool growing) {
  const std::string field = any_text(random, variety);
  const std::string value = any_text(random, 100);
  const int64_t expiry = below(random, 2) == 0 ? kNoExpiry : static_cast<int64_t>(below(random, 1'000'000));
  const bool is_new = !model.contains(field);
  const size_t action = below(random, 10);
  if (action < (growing ? 4U : 1U)) {
    REQUIRE(hash.set(field, value, expiry) == is_new);
    model[field] = {value, expiry};
  } else if (action < (growing ? 6U : 2U)) {
    REQUIRE(hash.set_keeping_expiry(field, value) == is_new);
    model[field].value = value;
  } else if (action < (growing ? 8U : 5U)) {
    REQUIRE(hash.set_expiry(field, expiry) != is_new);
    if (!is_new) model[field].expire_at_ms = expiry;
  } else {
    REQUIRE(hash.remove(field) != is_new);
    model.erase(field);
  }
}

void check_hash(const Hash& hash, const HashModel& model) {
  std::multimap<std::string, std::pair<std::string, int64_t>> expected;
  size_t with_expiry = 0;
  for (const auto& [field, held] : model) {
    expected.emplace(field, std::pair(held.value, held.expire_at_ms));
    with_expiry += held.expire_at_ms != kNoExpiry;
    const std::optional<HashField> found = hash.find(field);
    REQUIRE(found);
    REQUIRE(found->value == held.value);
    REQUIRE(found->expire_at_ms == held.expire_at_ms);
  }
  REQUIRE(fields_of(hash) == expected);
  REQUIRE(hash.volatile_fields() == with_expiry);
}

}  // namespace

TEST_CASE("a hash does what a map does, expiries included") {
  Pool pool;
  Random random(4);
  for (const size_t variety : {size_t{12}, size_t{60}, size_t{5000}}) {
    CAPTURE(variety);
    Hash hash(pool);
    HashModel model;
    for (int step = 0; step < 30000; ++step) {
      step_hash(random, hash, model, variety, step / 5000 % 2 == 0);
      REQUIRE(hash.size() == model.size());
      if (step % 2500 == 0) check_hash(hash, model);
    }
    check_hash(hash, model);
  }
}

TEST_CASE("every kind of text can be a field and a value") {
  Pool pool;
  Hash hash(pool);
  HashModel model;
  for (const std::string& field : odd_texts()) {
    for (const std::string& value : odd_texts()) {
      hash.set(field, value, static_cast<int64_t>(value.size()));
      hash.set_keeping_expiry(field, value + "!");
      hash.set_keeping_expiry(field, value);
      model[field] = {value, static_cast<int64_t>(value.size())};
    }
  }
  check_hash(hash, model);
  const HashField some = hash.any();
  CHECK(model.contains(std::string(some.field)));
}

TEST_CASE("an expiry comes, changes and goes while the value stays") {
  Pool pool;
  Hash hash(pool);
  hash.set("f", "value");
  for (const int64_t expiry : {int64_t{5}, int64_t{6}, INT64_MAX, kNoExpiry, kNoExpiry, int64_t{0}}) {
    CHECK(hash.set_expiry("f", expiry));
    CHECK(hash.find("f")->value == "value");
    CHECK(hash.find("f")->expire_at_ms == expiry);
    CHECK(hash.volatile_fields() == (expiry == kNoExpiry ? 0 : 1));
  }
  CHECK_FALSE(hash.set_expiry("g", 1));
}

// -------------------------------------------------------------------------------------------- sorted set

namespace {

using ScoreModel = std::map<std::string, double>;

std::vector<std::pair<double, std::string>> in_order(const ScoreModel& model) {
  std::vector<std::pair<double, std::string>> members;
  for (const auto& [member, score] : model) members.emplace_back(score, member);
  std::ranges::sort(members);
  return members;
}

void check_order(SortedSet& zset, const ScoreModel& model) {
  const auto expected = in_order(model);
  const ScoreOrder& order = zset.order();
  REQUIRE(order.size() == expected.size());
  size_t rank = 0;
  order.for_each(0, order.size(), [&](const ScoredMember& member) {
    REQUIRE(member.score == expected[rank].first);
    REQUIRE(member.member == expected[rank].second);
    ++rank;
  });
  REQUIRE(rank == expected.size());
  for (rank = 0; rank < expected.size(); rank += 1 + expected.size() / 50) {
    REQUIRE(order.at(rank).member == expected[rank].second);
    REQUIRE(order.rank_of({expected[rank].first, expected[rank].second}) == rank);
    const double score = expected[rank].first;
    const auto first =
        std::ranges::find_if(expected, [&](const auto& member) { return member.first >= score; });
    REQUIRE(order.count_until([&](const ScoredMember& member) { return member.score >= score; }) ==
            static_cast<size_t>(first - expected.begin()));
  }
  REQUIRE(order.count_until([](const ScoredMember&) { return false; }) == expected.size());
}

void check_zset(const SortedSet& zset, const ScoreModel& model) {
  size_t told = 0;
  zset.for_each([&](Bytes member, double score) {
    ++told;
    const auto at = model.find(std::string(member));
    REQUIRE(at != model.end());
    REQUIRE(at->second == score);
  });
  REQUIRE(told == model.size());
}

void step_zset(Random& random, SortedSet& zset, ScoreModel& model, size_t variety, bool growing) {
  const std::string member = any_text(random, variety);
  const double score = static_cast<double>(below(random, 40)) - 20;
  const auto at = model.find(member);
  if (below(random, 10) < (growing ? 7U : 2U)) {
    const SortedSet::Set expected = at == model.end()     ? SortedSet::Set::added
                                    : at->second == score ? SortedSet::Set::same
                                                          : SortedSet::Set::changed;
    REQUIRE((zset.set(member, score) == expected));
    model[member] = score;
  } else {
    REQUIRE(zset.remove(member) == (at != model.end()));
    model.erase(member);
  }
}

}  // namespace

TEST_CASE("a sorted set does what a map does, with and without its order") {
  Pool pool;
  Random random(5);
  for (const size_t variety : {size_t{12}, size_t{60}, size_t{8000}}) {
    for (const bool ordered : {false, true}) {
      CAPTURE(variety);
      CAPTURE(ordered);
      SortedSet zset(pool);
      ScoreModel model;
      for (int step = 0; step < 20000; ++step) {
        step_zset(random, zset, model, variety, step / 5000 % 2 == 0);
        REQUIRE(zset.size() == model.size());
        if (step % 2500 != 0) continue;
        check_zset(zset, model);
        if (ordered) check_order(zset, model);
      }
      check_zset(zset, model);
      check_order(zset, model);
    }
  }
}

TEST_CASE("ranks are removed from everywhere") {
  Pool pool;
  Random random(6);
  SortedSet zset(pool);
  ScoreModel model;
  for (int i = 0; i < 10'000; ++i) {
    const std::string member = std::to_string(i);
    model[member] = static_cast<double>(below(random, 1000));
    zset.set(member, model[member]);
  }
  while (!model.empty()) {
    const size_t from = below(random, model.size());
    const size_t count = std::min(1 + below(random, 900), model.size() - from);
    const auto members = in_order(model);
    for (size_t i = from; i < from + count; ++i) model.erase(members[i].second);
    zset.remove_ranks(from, count);
    REQUIRE(zset.size() == model.size());
    check_order(zset, model);
  }
}

TEST_CASE("an order that has become thin is still whole") {
  Pool pool;
  SortedSet zset(pool);
  ScoreModel model;
  for (int i = 0; i < 20'000; ++i) {
    zset.set(std::to_string(i), i);
    model[std::to_string(i)] = i;
  }
  check_order(zset, model);
  for (int i = 0; i < 20'000; ++i) {
    if (i % 500 == 7) continue;
    zset.remove(std::to_string(i));
    model.erase(std::to_string(i));
  }
  check_order(zset, model);
  for (int i = 0; i < 3'000; ++i) {
    zset.set(std::to_string(i), 5.5);
    model[std::to_string(i)] = 5.5;
  }
  check_order(zset, model);
}

TEST_CASE("zero has no sign, and infinities stand at the ends") {
  Pool pool;
  SortedSet zset(pool);
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  CHECK((zset.set("z", 0.0) == SortedSet::Set::added));
  CHECK((zset.set("z", -0.0) == SortedSet::Set::same));
  zset.set("top", kInfinity);
  zset.set("bottom", -kInfinity);
  zset.set("a", 0.0);
  std::vector<std::string> members;
  zset.order().for_each(0, 4, [&](const ScoredMember& member) { members.emplace_back(member.member); });
  CHECK(members == std::vector<std::string>{"bottom", "a", "z", "top"});
}
