// Sorting a part of a sequence as servers do it. What is equal keeps no order, and which of several equal
// elements ends up inside the part is for the algorithm to say, so it is theirs: the quicksort of Bentley and
// McIlroy ("Engineering a sort function", 1993), leaving out what does not matter. Its choice of pivots and
// its three-way partition are as in that paper, whatever a newer sort could do better.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

namespace persist {

template <typename T, typename Less>
class PartialSort {
 public:
  PartialSort(std::span<T> all, Less less) : all_(all), less_(std::move(less)) {}

  // Makes the elements [from, from + count) what they would be after sorting. `count` is not 0.
  void sort(size_t from, size_t count) {
    size_t looks_left = all_.size() * kLooksMax;
    std::vector<std::span<T>> parts = {all_};
    while (!parts.empty()) {
      const std::span<T> part = parts.back();
      parts.pop_back();
      if (part.size() <= 1 || part.data() >= all_.data() + from + count) continue;
      if (part.data() + part.size() <= all_.data() + from) continue;
      if (part.size() <= kInsertionMax) {
        sort_by_insertion(part);
      } else if (looks_left < part.size()) {
        std::stable_sort(part.begin(), part.end(), less_);
      } else {
        looks_left -= part.size();
        const Split split = split_at_pivot(part);
        parts.push_back(part.first(split.below));
        parts.push_back(part.last(split.above));
      }
    }
  }

 private:
  static constexpr size_t kInsertionMax = 6;  // parts of up to that many are sorted by insertion
  static constexpr size_t kOnePivotMax = 7;   // up to here the pivot is the middle
  static constexpr size_t kThreePivotsMax = 40;
  // Looks per element, on average, beyond which somebody has arranged them to be slow to sort.
  static constexpr size_t kLooksMax = 256;

  struct Split {
    size_t below;
    size_t above;
  };

  void sort_by_insertion(std::span<T> part) const {
    for (size_t next = 1; next < part.size(); ++next)
      for (size_t at = next; at > 0 && less_(part[at], part[at - 1]); --at) std::swap(part[at - 1], part[at]);
  }

  [[nodiscard]] size_t median(std::span<T> part, size_t a, size_t b, size_t c) const {
    const auto below = [&](size_t i, size_t j) { return less_(part[i], part[j]); };
    if (below(a, b)) return below(b, c) ? b : (below(a, c) ? c : a);
    return below(c, b) ? b : (below(a, c) ? a : c);
  }

  [[nodiscard]] size_t pivot_of(std::span<T> part) const {
    const size_t size = part.size();
    size_t low = 0;
    size_t middle = size / 2;
    size_t high = size - 1;
    if (size <= kOnePivotMax) return middle;
    if (size > kThreePivotsMax) {
      const size_t step = size / 8;
      low = median(part, low, low + step, low + 2 * step);
      middle = median(part, middle - step, middle, middle + step);
      high = median(part, high - 2 * step, high - step, high);
    }
    return median(part, low, middle, high);
  }

  // The pivot comes first; what equals it gathers at both ends and is then swapped into the middle.
  Split split_at_pivot(std::span<T> part) const {
    std::swap(part[0], part[pivot_of(part)]);
    const T& pivot = part[0];
    size_t equal_low = 1;
    size_t low = 1;
    size_t high = part.size() - 1;
    size_t equal_high = part.size() - 1;
    while (true) {
      for (; low <= high && !less_(pivot, part[low]); ++low)
        if (!less_(part[low], pivot)) std::swap(part[equal_low++], part[low]);
      for (; low <= high && !less_(part[high], pivot); --high)
        if (!less_(pivot, part[high])) std::swap(part[high], part[equal_high--]);
      if (low > high) break;
      std::swap(part[low++], part[high--]);
    }
    const Split split = {low - equal_low, equal_high - high};
    const size_t from_low = std::min(equal_low, split.below);
    const size_t from_high = std::min(split.above, part.size() - 1 - equal_high);
    std::swap_ranges(part.data(), part.data() + from_low, part.data() + low - from_low);
    std::swap_ranges(part.data() + low, part.data() + low + from_high, part.data() + part.size() - from_high);
    return split;
  }

  std::span<T> all_;
  Less less_;
};

}  // namespace persist
