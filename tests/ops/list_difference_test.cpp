// Lists made by chance: what differs leads from one to the other, and is as little as can be.
#include "ops/list_difference.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>

#include "ops/value_difference.hpp"

using namespace persist;

namespace {

using Dice = std::mt19937_64;

// Texts that items of lists point to.
std::vector<std::string> item_texts(size_t count) {
  std::vector<std::string> texts;
  for (size_t i = 0; i < count; ++i) texts.push_back("item " + std::to_string(i));
  return texts;
}

std::vector<Bytes> items_by_chance(const std::vector<std::string>& texts, size_t count, Dice& dice) {
  std::vector<Bytes> items;
  for (size_t i = 0; i < count; ++i) items.emplace_back(texts[dice() % texts.size()]);
  return items;
}

// Some go, some come, some move.
void change_items(std::vector<Bytes>& items, const std::vector<std::string>& texts, size_t changes,
                  Dice& dice) {
  for (; changes > 0; --changes) {
    const auto at = items.begin() + static_cast<std::ptrdiff_t>(dice() % (items.size() + 1));
    if (dice() % 2 == 0 || at == items.end())
      items.insert(at, Bytes(texts[dice() % texts.size()]));
    else
      items.erase(at);
  }
}

void fill_list(Value& list, const std::vector<Bytes>& items) {
  list.begin(ValueType::list);
  for (const Bytes item : items) list.add(ListItem{item});
}

std::vector<std::string> changed_by(const std::vector<Bytes>& a, const ValueDifferences& differences) {
  std::vector<std::string> items(a.begin(), a.end());
  const auto place = [&](uint64_t index) { return items.begin() + static_cast<std::ptrdiff_t>(index); };
  for (size_t i = differences.made.size(); i-- > 0;) {
    const Difference& made = differences.made[i];
    if (!made.a.there) continue;
    CHECK(*place(made.a.index.value()) == made.a.words.at(0).bytes);
    items.erase(place(made.a.index.value()));
  }
  for (const Difference& made : differences.made)
    if (made.b.there) items.insert(place(made.b.index.value()), made.b.words.at(0).bytes);
  return items;
}

// Checks that differences lead from one to the other, and returns how many there are.
size_t check_changes(const std::vector<Bytes>& a, const std::vector<Bytes>& b) {
  Value of_a;
  Value of_b;
  fill_list(of_a, a);
  fill_list(of_b, b);
  CompareRules rules;
  rules.differences_max = a.size() + b.size();
  rules.word_bytes_max = 100;
  ValueDifferences found;
  compare_values(of_a, of_b, rules, found);
  CHECK(found.more == 0);
  CHECK(changed_by(a, found) == std::vector<std::string>(b.begin(), b.end()));
  return found.made.size();
}

// By the textbook: a table of all pairs.
size_t longest_common(const std::vector<Bytes>& a, const std::vector<Bytes>& b) {
  std::vector<std::vector<size_t>> longest(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i < a.size(); ++i)
    for (size_t j = 0; j < b.size(); ++j)
      longest[i + 1][j + 1] =
          a[i] == b[j] ? longest[i][j] + 1 : std::max(longest[i][j + 1], longest[i + 1][j]);
  return longest[a.size()][b.size()];
}

}  // namespace

TEST_CASE("differences of lists: as few as can be, and they lead from one to the other") {
  Dice dice(1);
  for (size_t i = 0; i < 400; ++i) {
    CAPTURE(i);
    const std::vector<std::string> texts = item_texts(1 + dice() % 12);
    const std::vector<Bytes> a = items_by_chance(texts, dice() % 30, dice);
    std::vector<Bytes> b = a;
    if (i % 2 == 0)
      b = items_by_chance(texts, dice() % 30, dice);
    else
      change_items(b, texts, dice() % 8, dice);
    CHECK(check_changes(a, b) == a.size() + b.size() - 2 * longest_common(a, b));
  }
}

TEST_CASE("differences of lists that are too long to search") {
  Dice dice(2);
  const std::vector<std::string> texts = item_texts(9000);
  std::vector<Bytes> a(texts.begin(), texts.end());
  std::vector<Bytes> b = a;
  SUBCASE("all in another order") {
    std::ranges::shuffle(b, dice);
    CHECK(check_changes(a, b) < a.size() + b.size());
  }
  SUBCASE("the first half behind the second") {
    std::rotate(b.begin(), b.begin() + 4500, b.end());
    CHECK(check_changes(a, b) == 9000);
  }
  SUBCASE("things that are there many times next to anchors") {
    for (size_t i = 0; i < a.size(); ++i)
      if (i % 9 > 0 && i % 9 < 8) a[i] = b[i] = texts[i % 9];
    std::rotate(b.begin(), b.begin() + 4500, b.end());
    CHECK(check_changes(a, b) <= 9000);
  }
  SUBCASE("nothing is there once") {
    const std::vector<std::string> few = item_texts(40);
    a = items_by_chance(few, 9000, dice);
    b = items_by_chance(few, 9000, dice);
    check_changes(a, b);
  }
}

TEST_CASE("differences of long lists that differ little are as few as can be") {
  Dice dice(3);
  const std::vector<std::string> texts = item_texts(50);
  const std::vector<Bytes> a = items_by_chance(texts, 100'000, dice);
  std::vector<Bytes> b = a;
  b.erase(b.begin() + 10);
  b.insert(b.begin() + 50'000, "new");
  b.erase(b.end() - 10);
  const ListChanges changes = find_list_changes(a, b);
  CHECK(std::count(changes.gone.begin(), changes.gone.end(), true) == 2);
  CHECK(std::count(changes.come.begin(), changes.come.end(), true) == 1);
}
