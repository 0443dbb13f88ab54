// The ring of a list: grown by half when it is full, laid out anew when it has become much too large.
#include "engine/list.hpp"

#include <algorithm>

namespace persist {

namespace {

constexpr size_t kListCapacityMin = 4;
constexpr size_t kCapacitySmall = 64;  // not worth being shrunk

}  // namespace

List::~List() {
  for (size_t i = 0; i < size_; ++i) free_word(*pool_, slot(i));
  if (words_ != nullptr) pool_->give(reinterpret_cast<char*>(words_), capacity_ * sizeof(Word));
}

void List::grow() { lay_out(std::max(kListCapacityMin, capacity_ + capacity_ / 2)); }

// A list that was long once, as queues are, does not keep its room for ever.
void List::shrink_if_sparse() {
  if (capacity_ > kCapacitySmall && size_ < capacity_ / 8) lay_out(std::max(kListCapacityMin, size_ * 2));
}

// From the beginning of a new room, for at least `wanted` items.
void List::lay_out(size_t wanted) {
  const size_t capacity = Pool::capacity(wanted * sizeof(Word)) / sizeof(Word);
  Word* words = reinterpret_cast<Word*>(pool_->take(capacity * sizeof(Word)));
  for (size_t i = 0; i < size_; ++i) words[i] = slot(i);
  if (words_ != nullptr) pool_->give(reinterpret_cast<char*>(words_), capacity_ * sizeof(Word));
  words_ = words;
  capacity_ = capacity;
  first_ = 0;
}

void List::pop_front() {
  free_word(*pool_, words_[first_]);
  first_ = place(1);
  --size_;
  shrink_if_sparse();
}

void List::pop_back() {
  free_word(*pool_, slot(--size_));
  shrink_if_sparse();
}

void List::set(size_t index, Bytes item) {
  const Word word = make_word(*pool_, item);  // before the old one goes: it may be what `item` shows
  free_word(*pool_, slot(index));
  slot(index) = word;
}

void List::insert(size_t index, Bytes item) {
  if (index <= size_ / 2) {
    push_front(item);
    const Word word = slot(0);
    for (size_t i = 0; i < index; ++i) slot(i) = slot(i + 1);
    slot(index) = word;
  } else {
    push_back(item);
    const Word word = slot(size_ - 1);
    for (size_t i = size_ - 1; i > index; --i) slot(i) = slot(i - 1);
    slot(index) = word;
  }
}

void List::keep(size_t from, size_t count) {
  for (size_t i = 0; i < from; ++i) free_word(*pool_, slot(i));
  for (size_t i = from + count; i < size_; ++i) free_word(*pool_, slot(i));
  if (size_ > 0) first_ = place(from);
  size_ = count;
  shrink_if_sparse();
}

size_t List::remove(Bytes item, size_t most, bool from_tail) {
  const SoughtText sought(item);
  size_t removed = 0;
  size_t kept = 0;
  const auto index = [&](size_t i) { return from_tail ? size_ - 1 - i : i; };
  for (size_t i = 0; i < size_; ++i) {
    const Word word = slot(index(i));
    if (removed < most && sought.is_in(word)) {
      free_word(*pool_, word);
      ++removed;
    } else {
      slot(index(kept++)) = word;
    }
  }
  if (from_tail && size_ > 0) first_ = place(removed);
  size_ = kept;
  shrink_if_sparse();
  return removed;
}

}  // namespace persist
