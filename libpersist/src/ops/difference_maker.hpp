// Differences on their way into a report: as many, and as much of each, as the rules want.
#pragma once

#include <compare>
#include <initializer_list>
#include <optional>
#include <vector>

#include "base/arena.hpp"
#include "base/decimal.hpp"
#include "ops/value_difference.hpp"

namespace persist {

class DifferenceMaker {
 public:
  // What one side has; absent if it is not there.
  using Words = std::optional<std::vector<Bytes>>;
  struct About {
    DiffPart part{};
    Bytes name;
    Bytes owner;
  };

  // Both must outlive it.
  DifferenceMaker(const CompareRules& rules, ValueDifferences& out) : rules_(rules), out_(out) {}

  [[nodiscard]] const CompareRules& rules() const { return rules_; }

  // Whether the next difference is to be made; if not, it has been counted.
  [[nodiscard]] bool takes();
  // Where both have words, these are paired, and shortened to show where they differ. The difference may be
  // added to until the next one.
  Difference& make(const About& about, const Words& a, const Words& b);

  // What is only there or not, on one side.
  void make_missing(const About& about, bool in_a);

  // As reports write them, valid as long as the object.
  template <std::integral T>
  [[nodiscard]] Bytes text(T number) {
    char room[kDecimalMax];
    return texts_.keep(to_decimal(number, room));
  }
  [[nodiscard]] Bytes text(double score);
  [[nodiscard]] Bytes text(StreamId id);

 private:
  const CompareRules& rules_;
  ValueDifferences& out_;
  Arena texts_;
};

// Two sorted vectors side by side: visit(const T* a, const T* b) for each pair of the same key, or null for
// what is not there. What has the same key as its neighbour is paired in turn.
template <typename T, typename Key, typename Visit>
void walk_sides(const std::vector<T>& a, const std::vector<T>& b, Key key_of, Visit visit) {
  auto in_a = a.begin();
  auto in_b = b.begin();
  while (in_a != a.end() || in_b != b.end()) {
    auto order = std::strong_ordering::equal;
    if (in_a == a.end())
      order = std::strong_ordering::greater;
    else if (in_b == b.end())
      order = std::strong_ordering::less;
    else
      order = key_of(*in_a) <=> key_of(*in_b);
    const T* from_a = std::is_lteq(order) ? &*in_a++ : nullptr;
    const T* from_b = std::is_gteq(order) ? &*in_b++ : nullptr;
    visit(from_a, from_b);
  }
}

}  // namespace persist
