// SORT: lists, sets and sorted sets in the order of their elements, or of what other keys say of them.
#include <algorithm>
#include <array>
#include <vector>

#include "engine/commands/arguments.hpp"
#include "engine/commands/table.hpp"
#include "engine/partial_sort.hpp"

namespace persist {

namespace {

// BY and GET: a key's name, or one of a hash and a field, with a star where the element goes.
class Pattern {
 public:
  explicit Pattern(Bytes text) : is_element_(text == "#") {
    const size_t star = text.find('*');
    if (star == Bytes::npos) return;
    has_star_ = true;
    before_ = text.substr(0, star);
    behind_ = text.substr(star + 1);
    const size_t arrow = behind_.find("->");
    if (arrow == Bytes::npos || arrow + 2 == behind_.size()) return;
    field_ = behind_.substr(arrow + 2);
    behind_ = behind_.substr(0, arrow);
  }

  [[nodiscard]] bool has_star() const { return has_star_; }

  // What it leads to; absent if there is no such key or field, or it is no string.
  [[nodiscard]] std::optional<std::string> look_up(const Call& call, Bytes element) const {
    if (is_element_) return std::string(element);
    if (!has_star_) return std::nullopt;
    std::string key(before_);
    key += element;
    key += behind_;
    KeyEntry* const entry = call.find(key);
    if (entry == nullptr) return std::nullopt;
    if (!field_.empty()) {
      const Hash* const hash = entry->as<Hash>(call.pool());
      const std::optional<HashField> found = hash != nullptr ? hash->find(field_) : std::nullopt;
      return found ? std::optional(std::string(found->value)) : std::nullopt;
    }
    if (entry->type() != ValueType::string) return std::nullopt;
    CellRoom room;
    return std::string(entry->text(call.pool(), room));
  }

 private:
  bool is_element_;
  bool has_star_ = false;
  Bytes before_;
  Bytes behind_;
  Bytes field_;
};

struct SortWish {
  std::optional<Pattern> by;
  std::vector<Pattern> get;
  int64_t offset = 0;
  int64_t count = -1;
  bool descending = false;
  bool alpha = false;
  std::optional<Bytes> destination;

  [[nodiscard]] bool leaves_order() const { return by && !by->has_star(); }
};

const char* parse_words(Call& call, bool may_store, SortWish& wish) {
  for (size_t at = 2; at < call.args.size(); ++at) {
    const Bytes word = call.args[at];
    const size_t left = call.args.size() - at - 1;
    if (is_word(word, "asc")) {
      wish.descending = false;
    } else if (is_word(word, "desc")) {
      wish.descending = true;
    } else if (is_word(word, "alpha")) {
      wish.alpha = true;
    } else if (is_word(word, "limit") && left >= 2) {
      const std::optional<int64_t> offset = integer_argument(call, call.args[at + 1]);
      const std::optional<int64_t> count = integer_argument(call, call.args[at + 2]);
      if (!offset || !count) return kNotInteger;
      wish.offset = *offset;
      wish.count = *count;
      at += 2;
    } else if (may_store && is_word(word, "store") && left >= 1) {
      wish.destination = call.args[++at];
    } else if (is_word(word, "by") && left >= 1) {
      wish.by.emplace(call.args[++at]);
    } else if (is_word(word, "get") && left >= 1) {
      wish.get.emplace_back(call.args[++at]);
    } else {
      return kSyntax;
    }
  }
  return nullptr;
}

struct Sorted {
  std::string element;
  std::optional<std::string> text;  // what it goes by, of ALPHA; absent stands first
  double number = 0;
};

// The elements in their own order. False: the value is of another type.
bool collect(const Call& call, KeyEntry& entry, bool descending, std::vector<Sorted>& all) {
  const auto add = [&](Bytes element) { all.push_back({std::string(element), {}, 0}); };
  if (const List* list = entry.as<List>(call.pool())) {
    list->for_each(add);
    if (descending && !call.profile.is_before(700)) std::ranges::reverse(all);
  } else if (const Set* set = entry.as<Set>(call.pool())) {
    set->for_each(add);
  } else if (auto* zset = entry.as<SortedSet>(call.pool())) {
    zset->unpack();  // servers unpack what they sort, for good
    zset->order().for_each(0, zset->size(), [&](const ScoredMember& member) { add(member.member); });
    if (descending) std::ranges::reverse(all);
  } else {
    return false;
  }
  return true;
}

// Null: fine, else the error.
const char* weigh(const Call& call, const SortWish& wish, std::vector<Sorted>& all) {
  for (Sorted& one : all) {
    std::optional<std::string> text = wish.by ? wish.by->look_up(call, one.element) : one.element;
    if (wish.alpha) {
      one.text = std::move(text);
    } else if (text) {
      const std::optional<LooseDouble> number = parse_loose_double(*text);
      if (!number || number->out_of_range) return "ERR One or more scores can't be converted into double";
      one.number = number->value;
    }
  }
  return nullptr;
}

// What ALPHA finds equal keeps its order; numbers that are equal leave it to the bytes of the elements.
class GoesBefore {
 public:
  explicit GoesBefore(const SortWish& wish) : alpha_(wish.alpha), descending_(wish.descending) {}
  bool operator()(const Sorted& a, const Sorted& b) const {
    return descending_ ? is_less(b, a) : is_less(a, b);
  }

 private:
  [[nodiscard]] bool is_less(const Sorted& a, const Sorted& b) const {
    if (alpha_) return a.text < b.text;
    if (a.number != b.number) return a.number < b.number;
    return a.element < b.element;
  }
  bool alpha_;
  bool descending_;
};

// What LIMIT leaves of so many elements.
IndexRange limited(const SortWish& wish, size_t size) {
  const auto from = static_cast<uint64_t>(std::max<int64_t>(wish.offset, 0));
  if (from >= size) return {};
  const size_t left = size - static_cast<size_t>(from);
  const size_t count = wish.count < 0 ? left : std::min(left, static_cast<size_t>(wish.count));
  return {static_cast<size_t>(from), count};
}

// Servers sort only what LIMIT asks for if it goes BY something.
void put_in_order(const SortWish& wish, IndexRange kept, std::vector<Sorted>& all) {
  if (kept.count == 0) return;
  if (wish.by && kept.count < all.size())
    PartialSort<Sorted, GoesBefore>(all, GoesBefore(wish)).sort(kept.from, kept.count);
  else
    std::ranges::stable_sort(all, GoesBefore(wish));
}

void answer_sorted(const Call& call, const SortWish& wish, std::span<const Sorted> all) {
  call.answer_array(all.size() * std::max<size_t>(wish.get.size(), 1));
  for (const Sorted& one : all) {
    if (wish.get.empty()) call.answer_text(one.element);
    for (const Pattern& pattern : wish.get) {
      if (const std::optional<std::string> text = pattern.look_up(call, one.element))
        call.answer_text(*text);
      else
        call.answer_nil();
    }
  }
}

Effect store_sorted(Call& call, const SortWish& wish, std::span<const Sorted> all) {
  std::vector<std::string> items;
  for (const Sorted& one : all) {
    if (wish.get.empty()) items.push_back(one.element);
    for (const Pattern& pattern : wish.get)
      items.push_back(pattern.look_up(call, one.element).value_or(std::string()));
  }
  if (items.empty()) return call.done(0, call.erase(*wish.destination));
  auto& list = call.overwrite(*wish.destination).make_value<List>(call.pool());
  for (const std::string& item : items) list.push_back(item);
  return call.done(static_cast<int64_t>(items.size()), true);
}

Effect run_sort(Call& call, bool may_store) {
  SortWish wish;
  if (const char* error = parse_words(call, may_store, wish)) return call.fail(error);
  std::vector<Sorted> all;
  if (KeyEntry* const entry = call.find(call.args[1])) {
    const bool unordered = entry->type() == ValueType::set;
    // A set has no order to leave: what is stored, or goes to a script, must not differ from run to run.
    if (unordered && wish.leaves_order()) {
      wish.by.reset();
      wish.alpha = true;
    }
    if (!collect(call, *entry, wish.leaves_order() && wish.descending, all)) return call.wrong_type();
  }
  const IndexRange kept = limited(wish, all.size());
  if (!wish.leaves_order()) {
    if (const char* error = weigh(call, wish, all)) return call.fail(error);
    put_in_order(wish, kept, all);
  }
  const std::span<const Sorted> sorted = std::span<const Sorted>(all).subspan(kept.from, kept.count);
  if (wish.destination) return store_sorted(call, wish, sorted);
  answer_sorted(call, wish, sorted);
  return Effect::unchanged;
}

Effect sort(Call& call) { return run_sort(call, true); }
Effect sort_ro(Call& call) { return run_sort(call, false); }

constexpr std::array kSortHandlers = {
    CommandHandler{"sort", sort},
    CommandHandler{"sort_ro", sort_ro},
};

}  // namespace

std::span<const CommandHandler> sort_commands() { return kSortHandlers; }

}  // namespace persist
