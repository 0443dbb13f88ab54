// First what is cheap: what both begin and end with is the same, and what only one side has goes or comes.
// The rest, as numbers that are equal where items are, is searched for its shortest edit script by the greedy
// algorithm of E. Myers ("An O(ND) Difference Algorithm and Its Variations", 1986). Where that takes too
// long, items that both have once are held fast, as many as stand in the same order.
#include "ops/list_difference.hpp"

#include <algorithm>
#include <bit>
#include <limits>

#include "base/hash64.hpp"

namespace persist {

namespace {

// Of the search: of each item so many, and never more in all. Lists of some 500 items are searched to the
// end.
constexpr uint64_t kStepsOfItem = 256;
constexpr uint64_t kStepsMax = 4'000'000;

// Numbers for the items of A, the same for those that are equal.
class ItemNumbers {
 public:
  static constexpr uint32_t kNone = std::numeric_limits<uint32_t>::max();

  // The items must outlive it; there must be fewer than kNone of them.
  explicit ItemNumbers(std::span<const Bytes> a)
      : items_(a), seed_(random_seed()), places_(std::bit_ceil(a.size() + a.size() / 2 + 1), kNone) {
    for (size_t i = 0; i < a.size(); ++i) add(static_cast<uint32_t>(i));
  }

  // kNone if A has no such item.
  [[nodiscard]] uint32_t find(Bytes item) const { return places_[place_of(item, hash64(item, seed_))]; }
  [[nodiscard]] uint32_t of(size_t index) const { return numbers_[index]; }
  [[nodiscard]] size_t size() const { return known_.size(); }

 private:
  struct Known {
    uint64_t hash = 0;
    uint32_t first = 0;  // index of the first such item
  };

  void add(uint32_t index) {
    const uint64_t hash = hash64(items_[index], seed_);
    uint32_t& number = places_[place_of(items_[index], hash)];
    if (number == kNone) {
      number = static_cast<uint32_t>(known_.size());
      known_.push_back({hash, index});
    }
    numbers_.push_back(number);
  }

  // Where the item is, or would be.
  [[nodiscard]] size_t place_of(Bytes item, uint64_t hash) const {
    const size_t mask = places_.size() - 1;
    size_t place = hash & mask;
    while (places_[place] != kNone && !is_known_as(places_[place], item, hash)) place = (place + 1) & mask;
    return place;
  }
  [[nodiscard]] bool is_known_as(uint32_t number, Bytes item, uint64_t hash) const {
    return known_[number].hash == hash && items_[known_[number].first] == item;
  }

  std::span<const Bytes> items_;
  uint64_t seed_;
  std::vector<uint32_t> places_;
  std::vector<uint32_t> numbers_;  // by index
  std::vector<Known> known_;       // by number
};

// The items of one side that the other has, too.
struct SharedItems {
  std::vector<uint32_t> numbers;
  std::vector<uint32_t> indexes;

  void add(uint32_t number, size_t index) {
    numbers.push_back(number);
    indexes.push_back(static_cast<uint32_t>(index));
  }
};

struct KeptPair {
  size_t a = 0;
  size_t b = 0;
};
// Ascending on both sides, or descending.
using KeptPairs = std::vector<KeptPair>;
using Numbers = std::span<const uint32_t>;

// Round by round, an edit more in each: how far one gets on each diagonal (index in A less index in B). All
// rounds are remembered for the way back.
class EditSearch {
 public:
  EditSearch(Numbers a, Numbers b) : a_(a), b_(b) {
    const uint64_t items = a.size() + b.size();
    cells_left_ = std::min(kStepsMax, items * kStepsOfItem);
    // On top of these, what a pass over equal items costs that is inevitable.
    steps_left_ = cells_left_ + 2 * items;
  }

  // What is the same, last first. False if that takes too long.
  bool run(KeptPairs& kept) {
    for (size_t round = 0;; ++round) {
      if (cells_left_ <= round || steps_left_ == 0) return false;
      cells_left_ -= round + 1;
      if (advance(round)) {
        walk_back(round, kept);
        return true;
      }
    }
  }

 private:
  struct Spot {
    int64_t x = 0;  // in A
    int64_t y = 0;
  };

  // Of the i-th diagonal of a round, counted from the lowest: -round, -round + 2 ... round.
  [[nodiscard]] uint32_t* row(size_t round) { return reached_.data() + round * (round + 1) / 2; }
  [[nodiscard]] static int64_t diagonal(size_t round, size_t i) {
    return 2 * static_cast<int64_t>(i) - static_cast<int64_t>(round);
  }
  // Whether the better way to that diagonal is an item of B that comes, not one of A that goes.
  [[nodiscard]] static bool comes_from_b(const uint32_t* before, size_t round, size_t i) {
    return i == 0 || (i < round && before[i - 1] < before[i]);
  }
  // Where a diagonal is entered.
  [[nodiscard]] Spot entry(size_t round, size_t i) {
    if (round == 0) return {};
    const uint32_t* before = row(round - 1);
    const int64_t x = comes_from_b(before, round, i) ? int64_t{before[i]} : int64_t{before[i - 1]} + 1;
    return {x, x - diagonal(round, i)};
  }

  // True if the end of both was reached.
  bool advance(size_t round) {
    const auto a_size = static_cast<int64_t>(a_.size());
    const auto b_size = static_cast<int64_t>(b_.size());
    reached_.resize((round + 1) * (round + 2) / 2);
    for (size_t i = 0; i <= round; ++i) {
      Spot at = entry(round, i);
      const int64_t from = at.x;
      while (at.x < a_size && at.y < b_size &&
             a_[static_cast<size_t>(at.x)] == b_[static_cast<size_t>(at.y)]) {
        ++at.x;
        ++at.y;
      }
      row(round)[i] = static_cast<uint32_t>(at.x);
      if (at.x == a_size && at.y == b_size) return true;
      const uint64_t steps = static_cast<uint64_t>(at.x - from) + 1;
      steps_left_ -= std::min(steps_left_, steps);
      if (steps_left_ == 0) return false;
    }
    return false;
  }

  void walk_back(size_t round, KeptPairs& kept) {
    Spot at{static_cast<int64_t>(a_.size()), static_cast<int64_t>(b_.size())};
    for (;; --round) {
      const auto i = static_cast<size_t>((at.x - at.y + static_cast<int64_t>(round)) / 2);
      const Spot from = entry(round, i);
      for (; at.x > from.x; --at.x, --at.y)
        kept.push_back({static_cast<size_t>(at.x - 1), static_cast<size_t>(at.y - 1)});
      if (round == 0) return;
      comes_from_b(row(round - 1), round, i) ? --at.y : --at.x;
    }
  }

  Numbers a_;
  Numbers b_;
  uint64_t cells_left_ = 0;
  uint64_t steps_left_ = 0;
  std::vector<uint32_t> reached_;  // indexes in A, round after round
};

// The longest run of pairs, ascending by A as they are given, that ascends by B, too.
KeptPairs longest_ascending(const KeptPairs& pairs) {
  constexpr size_t kNoPair = std::numeric_limits<size_t>::max();
  std::vector<size_t> ends;  // by length, less one: which pair a run of that length ends in at the lowest
  std::vector<size_t> before(pairs.size(), kNoPair);
  for (size_t i = 0; i < pairs.size(); ++i) {
    const auto place =
        std::ranges::lower_bound(ends, pairs[i].b, {}, [&](size_t end) { return pairs[end].b; });
    if (place != ends.begin()) before[i] = *(place - 1);
    if (place == ends.end())
      ends.push_back(i);
    else
      *place = i;
  }
  KeptPairs run;
  for (size_t i = ends.empty() ? kNoPair : ends.back(); i != kNoPair; i = before[i]) run.push_back(pairs[i]);
  std::ranges::reverse(run);
  return run;
}

// Where each number stands that is there once; elsewhere kManyTimes, or ItemNumbers::kNone.
constexpr uint32_t kManyTimes = ItemNumbers::kNone - 1;
std::vector<uint32_t> places_of_single(Numbers items, size_t numbers) {
  std::vector<uint32_t> places(numbers, ItemNumbers::kNone);
  for (size_t i = 0; i < items.size(); ++i) {
    uint32_t& place = places[items[i]];
    place = place == ItemNumbers::kNone ? static_cast<uint32_t>(i) : kManyTimes;
  }
  return places;
}

// Anchors, and what is the same next to them.
void keep_by_anchors(Numbers a, Numbers b, size_t numbers, KeptPairs& kept) {
  const std::vector<uint32_t> in_a = places_of_single(a, numbers);
  const std::vector<uint32_t> in_b = places_of_single(b, numbers);
  KeptPairs single;
  for (size_t i = 0; i < a.size(); ++i)
    if (in_a[a[i]] < kManyTimes && in_b[a[i]] < kManyTimes) single.push_back({i, in_b[a[i]]});
  KeptPairs anchors = longest_ascending(single);
  anchors.push_back({a.size(), b.size()});
  KeptPair at;
  for (const KeptPair& anchor : anchors) {
    for (; at.a < anchor.a && at.b < anchor.b && a[at.a] == b[at.b]; ++at.a, ++at.b) kept.push_back(at);
    KeptPair end = anchor;
    for (; end.a > at.a && end.b > at.b && a[end.a - 1] == b[end.b - 1]; --end.a, --end.b) {
    }
    for (; end.a < anchor.a; ++end.a, ++end.b) kept.push_back(end);
    if (anchor.a < a.size()) kept.push_back(anchor);
    at = {anchor.a + 1, anchor.b + 1};
  }
}

// Of what is left between the same beginning and the same end, `from` items into both.
void search_middle(std::span<const Bytes> a, std::span<const Bytes> b, size_t from, ListChanges& changes) {
  const ItemNumbers numbers(a);
  std::vector<bool> is_in_b(numbers.size());
  SharedItems shared_b;
  for (size_t i = 0; i < b.size(); ++i) {
    const uint32_t number = numbers.find(b[i]);
    if (number == ItemNumbers::kNone) continue;
    is_in_b[number] = true;
    shared_b.add(number, i);
  }
  SharedItems shared_a;
  for (size_t i = 0; i < a.size(); ++i)
    if (is_in_b[numbers.of(i)]) shared_a.add(numbers.of(i), i);

  KeptPairs kept;
  if (!EditSearch(shared_a.numbers, shared_b.numbers).run(kept))
    keep_by_anchors(shared_a.numbers, shared_b.numbers, numbers.size(), kept);
  for (const KeptPair& pair : kept) {
    changes.gone[from + shared_a.indexes[pair.a]] = false;
    changes.come[from + shared_b.indexes[pair.b]] = false;
  }
}

}  // namespace

ListChanges find_list_changes(std::span<const Bytes> a, std::span<const Bytes> b) {
  const size_t shorter = std::min(a.size(), b.size());
  size_t head = 0;
  while (head < shorter && a[head] == b[head]) ++head;
  size_t tail = 0;
  while (tail < shorter - head && a[a.size() - 1 - tail] == b[b.size() - 1 - tail]) ++tail;
  const size_t a_left = a.size() - head - tail;
  const size_t b_left = b.size() - head - tail;

  ListChanges changes{std::vector<bool>(a.size()), std::vector<bool>(b.size())};
  const auto fill = [head](std::vector<bool>& flags, size_t left) {
    const auto from = flags.begin() + static_cast<std::ptrdiff_t>(head);
    std::fill(from, from + static_cast<std::ptrdiff_t>(left), true);
  };
  fill(changes.gone, a_left);
  fill(changes.come, b_left);
  const bool have_numbers = std::max(a_left, b_left) < kManyTimes / 2;
  if (a_left > 0 && b_left > 0 && have_numbers)
    search_middle(a.subspan(head, a_left), b.subspan(head, b_left), head, changes);
  return changes;
}

}  // namespace persist
