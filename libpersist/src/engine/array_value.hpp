// A value of type array: strings at indexes of 64 bits, few of which need to be taken, and an insert cursor.
//
// Neighbouring elements share a page, so that an array without holes costs little more than its strings and
// one element far out costs one page. No operation takes longer than what it holds or is given: indexes and
// sizes are only numbers.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "persist/bytes.hpp"
#include "persist/element.hpp"

namespace persist {

inline constexpr uint64_t kArrayIndexMax = ~uint64_t{0} - 1;

// An index as AR... commands take it. Theirs is an odd grammar: a number as servers write them, not negative;
// or else whatever strtoull takes wholly, up to a NUL if there is one. At most kArrayIndexMax.
[[nodiscard]] std::optional<uint64_t> parse_array_index(Bytes text);
// The same with one index more: ARSEEK may point behind the last one.
[[nodiscard]] std::optional<uint64_t> parse_array_seek(Bytes text);

class ArrayValue {
 public:
  [[nodiscard]] uint64_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  // Behind the highest index; 0 if there is none.
  [[nodiscard]] uint64_t length() const;
  // The last index written by insert or ring.
  [[nodiscard]] std::optional<uint64_t> cursor() const { return cursor_; }
  // Valid until the array changes; null: a hole.
  [[nodiscard]] const std::string* find(uint64_t index) const;

  // Indexes are at most kArrayIndexMax.
  void set(uint64_t index, Bytes value);
  // Writes to first, first + 1... False, and nothing is written, if there are not that many indexes.
  [[nodiscard]] bool set_run(uint64_t first, std::span<const Bytes> values);
  bool erase(uint64_t index);
  // Both ends inclusive, in either order. Returns how many elements went.
  uint64_t erase_range(uint64_t from, uint64_t to);
  // ARINSERT: behind the cursor. False as for set_run.
  [[nodiscard]] bool insert(std::span<const Bytes> values);
  // ARSEEK: the next insert goes to `index`, which may be one more than kArrayIndexMax.
  void seek(uint64_t index);
  // ARRING: keeps the array within `size` indexes, at least 1, the oldest elements giving way.
  void ring(uint64_t size, std::span<const Bytes> values);

  // What an encoded array tells, in any order; and the same told again, indexes ascending.
  void add(const ArrayInfo& info) { cursor_ = info.insert_index; }
  void add(const ArrayElement& element) { set(element.index, element.value); }
  void tell(ElementSink out) const;

 private:
  // The elements of kPageSlots neighbouring indexes: bit i of `taken` for slot i, the values in their order.
  struct Page {
    uint64_t taken = 0;
    std::vector<std::string> values;
  };
  using Pages = std::map<uint64_t, Page>;

  // Takes the slots of `mask` out of the page at `at`, and the page away if that was all. Returns the page
  // behind it.
  Pages::iterator erase_slots(Pages::iterator at, uint64_t mask);
  // The elements from `anchor` backwards, wrapping at 0, up to a hole or `count_max`: taken out, newest
  // first.
  [[nodiscard]] std::vector<std::string> take_back_from(uint64_t anchor, uint64_t count_max);
  void pack_for_ring(uint64_t size);

  Pages pages_;  // by index / kPageSlots; none is empty
  uint64_t size_ = 0;
  std::optional<uint64_t> cursor_;
};

}  // namespace persist
