// The value of a list: a ring of items, so that both ends and every index are one step away.
#pragma once

#include "engine/cell.hpp"

namespace persist {

class List {
 public:
  explicit List(Pool& pool) : pool_(&pool) {}
  ~List();
  List(const List&) = delete;
  List& operator=(const List&) = delete;

  [[nodiscard]] size_t size() const { return size_; }

  // Valid until the item goes or the room is used again.
  [[nodiscard]] Bytes at(size_t index, CellRoom& room) const { return word_text(slot(index), room); }
  [[nodiscard]] Bytes front(CellRoom& room) const { return at(0, room); }
  [[nodiscard]] Bytes back(CellRoom& room) const { return at(size_ - 1, room); }

  void push_front(Bytes item) {
    const Word word = make_word(*pool_, item);
    if (size_ == capacity_) grow();
    first_ = (first_ == 0 ? capacity_ : first_) - 1;
    words_[first_] = word;
    ++size_;
  }
  void push_back(Bytes item) {
    const Word word = make_word(*pool_, item);
    if (size_ == capacity_) grow();
    words_[place(size_++)] = word;
  }
  // The list must not be empty.
  void pop_front();
  void pop_back();

  void set(size_t index, Bytes item);
  // In front of the item at `index`, or at the end for size().
  void insert(size_t index, Bytes item);
  // Keeps what is at [from, from + count).
  void keep(size_t from, size_t count);

  // Removes at most `most` items of that text, from the head on or from the tail; returns how many.
  size_t remove(Bytes item, size_t most, bool from_tail);
  [[nodiscard]] bool is_at(size_t index, const SoughtText& sought) const { return sought.is_in(slot(index)); }

  // act(Bytes item), head to tail.
  template <typename Do>
  void for_each(Do&& act) const {
    CellRoom room;
    for (size_t i = 0; i < size_; ++i) act(at(i, room));
  }

  void prefetch() const { __builtin_prefetch(words_ + first_); }

 private:
  [[nodiscard]] size_t place(size_t index) const {
    const size_t at = first_ + index;
    return at < capacity_ ? at : at - capacity_;
  }
  [[nodiscard]] Word& slot(size_t index) const { return words_[place(index)]; }
  void grow();
  void lay_out(size_t wanted);
  void shrink_if_sparse();

  Pool* pool_;
  Word* words_ = nullptr;
  size_t capacity_ = 0;
  size_t first_ = 0;
  size_t size_ = 0;
};

}  // namespace persist
