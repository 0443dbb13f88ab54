// The keys of one numbered database: an open hash table of hashes and entries.
#pragma once

#include <vector>

#include "base/hash64.hpp"
#include "engine/key_entry.hpp"

namespace persist {

class Database {
 public:
  Database(Pool& pool, uint64_t& births) : pool_(&pool), births_(&births) {}
  // The pool must be going too: memory that goes with it is not given back piece by piece.
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  [[nodiscard]] size_t size() const { return count_; }

  [[nodiscard]] uint64_t hash_of(Bytes key) const { return hash64(key, pool_->seed()); }
  [[nodiscard]] KeyEntry* find(Bytes key) const { return find(key, hash_of(key)); }
  [[nodiscard]] KeyEntry* find(Bytes key, uint64_t hash) const;

  // A key that is not there yet. It holds nothing: its value is to follow at once.
  KeyEntry& create(Bytes key) { return create(key, hash_of(key)); }
  KeyEntry& create(Bytes key, uint64_t hash);
  KeyEntry& find_or_create(Bytes key);
  void erase(KeyEntry& entry);
  void clear();

  // Exchanges the contents, with what belongs to the keys.
  void swap(Database& other);

  // act(KeyEntry&), in no order; no key may come or go meanwhile.
  template <typename Do>
  void for_each(Do&& act) const {
    for (size_t i = 0; i < capacity_; ++i)
      if (is_entry(slots_[i].entry)) act(*slots_[i].entry);
  }
  // In the order in which they were created.
  [[nodiscard]] std::vector<KeyEntry*> entries() const;

  void reserve(size_t keys);

  // Three steps to have a key at hand, each of which needs the one before to have had its time.
  void prefetch_slot(uint64_t hash) const {
    if (capacity_ > 0) __builtin_prefetch(&slots_[hash & (capacity_ - 1)]);
  }
  [[nodiscard]] const KeyEntry* prefetch_entry(uint64_t hash) const {
    if (capacity_ == 0) return nullptr;
    const KeyEntry* entry = find_hash(hash);
    if (entry != nullptr) __builtin_prefetch(entry);
    return entry;
  }

 private:
  struct Slot {
    uint64_t hash;
    KeyEntry* entry;
  };
  static KeyEntry* removed() {
    return reinterpret_cast<KeyEntry*>(uintptr_t{1});  // NOLINT(performance-no-int-to-ptr): a mark
  }
  static bool is_entry(const KeyEntry* entry) { return reinterpret_cast<uintptr_t>(entry) > 1; }
  // The first entry of that hash: a look ahead, not a find.
  [[nodiscard]] const KeyEntry* find_hash(uint64_t hash) const;
  void rebuild(size_t capacity);
  void give_slots();

  Pool* pool_;
  uint64_t* births_;
  Slot* slots_ = nullptr;
  size_t capacity_ = 0;
  size_t count_ = 0;
  size_t used_ = 0;  // with the places of removed ones
};

}  // namespace persist
