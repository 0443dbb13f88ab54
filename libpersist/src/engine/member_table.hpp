// The members of one set, hash or sorted set, found by their text. Up to sixteen stand in a row and are
// looked through by a tag of sixteen hash bits, which touches one or two cache lines; more are an open hash
// table of the same words.
#pragma once

#include <algorithm>
#include <bit>
#include <cstring>
#include <stdexcept>

#include "base/hash64.hpp"
#include "engine/cell.hpp"

namespace persist {

// Row tells what stands behind a word:
//   static Bytes text(Word, CellRoom&)   that it is found by
//   static constexpr bool kImmediates    whether texts may be their own words (see cell.hpp)
template <typename Row>
class MemberTable {
 public:
  explicit MemberTable(Pool& pool) : pool_(&pool) {}
  ~MemberTable() { give_words(); }
  MemberTable(const MemberTable&) = delete;
  MemberTable& operator=(const MemberTable&) = delete;

  [[nodiscard]] size_t size() const { return count_; }
  [[nodiscard]] Pool& pool() const { return *pool_; }

  // What a text is looked up with; made once for find() and insert().
  struct Probe {
    uint64_t hash;
    Bytes text;
    Word immediate;  // 0: the text needs a block
  };
  [[nodiscard]] Probe probe(Bytes text) const {
    Probe probe{0, text, 0};
    if constexpr (Row::kImmediates) probe.immediate = immediate_word(text);
    probe.hash = probe.immediate != 0 ? mixed(probe.immediate) : hash64(text, pool_->seed());
    return probe;
  }

  // Null if there is no such member. Valid until the next insert() or erase().
  [[nodiscard]] Word* find(const Probe& probe) {
    if (count_ == 0) return nullptr;
    return is_row() ? find_in_row(probe) : find_in_table(probe);
  }
  [[nodiscard]] const Word* find(const Probe& probe) const {
    return const_cast<MemberTable*>(this)->find(probe);
  }

  // The word must stand for a text that is not there, with the tag of its hash if it is a block.
  void insert(Word word, uint64_t hash) {
    if (used_ >= limit_) grow();
    if (is_row()) {
      words_[used_++] = word;
    } else {
      put(word, hash);
      ++used_;
    }
    ++count_;
  }

  // `at` is what find() returned. What the word stands for is the caller's to free.
  void erase(Word* at) {
    --count_;
    if (is_row()) {
      *at = words_[--used_];
      return;
    }
    *at = kRemoved;
    if (count_ < capacity_ / 8) rebuild(capacity_for(count_));
  }

  template <typename Do>
  void for_each(Do&& act) const {
    for (size_t i = 0, end = is_row() ? used_ : capacity_; i < end; ++i)
      if (is_member(words_[i])) act(words_[i]);
  }

  // Likewise for `count` of the members, or all if there are no more: always the same ones.
  template <typename Do>
  void for_some(size_t count, Do&& act) const {
    count = std::min<size_t>(count, count_);
    for (size_t i = 0; count > 0; ++i) {
      if (!is_member(words_[i])) continue;
      act(words_[i]);
      --count;
    }
  }

  // Some member; there must be one. Another one when members have gone, so that whoever takes one after the
  // other does not walk over the places of the removed again and again.
  [[nodiscard]] Word any() const {
    const size_t end = is_row() ? used_ : capacity_;
    size_t i = mixed(count_) % end;
    while (!is_member(words_[i])) i = (i + 1) % end;
    return words_[i];
  }

  // Both must be of one pool.
  void swap(MemberTable& other) {
    std::swap(words_, other.words_);
    std::swap(capacity_, other.capacity_);
    std::swap(limit_, other.limit_);
    std::swap(count_, other.count_);
    std::swap(used_, other.used_);
  }

  void prefetch() const { __builtin_prefetch(words_); }

 private:
  static constexpr size_t kRowMax = 16;
  static constexpr size_t kRowMin = 4;
  static constexpr Word kRemoved = 4;  // the kind of a block, at an address that none has

  static bool is_member(Word word) { return word != 0 && word != kRemoved; }
  [[nodiscard]] bool is_row() const { return capacity_ <= kRowMax; }
  [[nodiscard]] uint64_t mixed(Word word) const {
    return hash64({reinterpret_cast<const char*>(&word), sizeof word}, pool_->seed());
  }
  [[nodiscard]] uint64_t hash_of(Word word) const {
    if (Row::kImmediates && (word & kWordKind) != kWordBlock) return mixed(word);
    CellRoom room;
    return hash64(Row::text(word, room), pool_->seed());
  }

  [[nodiscard]] bool matches(Word word, const Probe& probe) const {
    if (probe.immediate != 0) return word == probe.immediate;
    if (((word ^ probe.hash) & kWordTag) != 0 || (word & kWordKind) != kWordBlock || !is_member(word))
      return false;
    CellRoom room;
    return Row::text(word, room) == probe.text;
  }

  Word* find_in_row(const Probe& probe) {
    for (size_t i = 0; i < used_; ++i)
      if (matches(words_[i], probe)) return &words_[i];
    return nullptr;
  }

  Word* find_in_table(const Probe& probe) {
    const size_t mask = capacity_ - 1;
    for (size_t i = probe.hash & mask; words_[i] != 0; i = (i + 1) & mask)
      if (matches(words_[i], probe)) return &words_[i];
    return nullptr;
  }

  // Into the first free place; used_ is the caller's.
  void put(Word word, uint64_t hash) {
    const size_t mask = capacity_ - 1;
    size_t i = hash & mask;
    while (words_[i] != 0) i = (i + 1) & mask;
    words_[i] = word;
  }

  static size_t capacity_for(size_t members) {
    if (members <= kRowMax) return std::bit_ceil(std::max(members, kRowMin));
    return std::bit_ceil(members + members / 3 + 1);
  }
  static size_t limit_of(size_t capacity) { return capacity <= kRowMax ? capacity : capacity / 4 * 3; }

  void grow() { rebuild(capacity_for(count_ + 1 + (count_ < kRowMax ? 0 : count_ / 4))); }

  void rebuild(size_t capacity) {
    if (capacity > kCapacityMax) throw std::length_error("more members than one key can have here");
    Word* old = words_;
    const size_t old_capacity = capacity_;
    const size_t old_end = is_row() ? used_ : capacity_;
    words_ = reinterpret_cast<Word*>(pool_->take(capacity * sizeof(Word)));
    capacity_ = static_cast<uint32_t>(capacity);
    limit_ = static_cast<uint32_t>(limit_of(capacity));
    used_ = 0;
    if (!is_row()) std::memset(words_, 0, capacity * sizeof(Word));
    for (size_t i = 0; i < old_end; ++i) {
      if (!is_member(old[i])) continue;
      if (is_row())
        words_[used_] = old[i];
      else
        put(old[i], hash_of(old[i]));
      ++used_;
    }
    if (old != nullptr) pool_->give(reinterpret_cast<char*>(old), old_capacity * sizeof(Word));
  }

  void give_words() {
    if (words_ != nullptr) pool_->give(reinterpret_cast<char*>(words_), capacity_ * sizeof(Word));
  }

  static constexpr size_t kCapacityMax = size_t{1} << 31;

  Pool* pool_;
  Word* words_ = nullptr;
  uint32_t capacity_ = 0;
  uint32_t limit_ = 0;  // of used_
  uint32_t count_ = 0;
  uint32_t used_ = 0;  // members, and in a table places of removed ones
};

}  // namespace persist
