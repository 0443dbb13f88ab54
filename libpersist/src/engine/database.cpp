// Linear probing; places of removed keys are reused only by a rebuild, or at once where a run ends with them.
#include "engine/database.hpp"

#include <algorithm>
#include <bit>

namespace persist {

namespace {

constexpr size_t kDatabaseCapacityMin = 16;

constexpr size_t limit_of(size_t capacity) { return capacity / 4 * 3; }

}  // namespace

Database::~Database() {
  if (!Pool::frees_everything()) clear();
  for_each([this](KeyEntry& entry) {
    if (entry.has_memory_elsewhere()) entry.clear(*pool_);
  });
}

KeyEntry* Database::find(Bytes key, uint64_t hash) const {
  if (count_ == 0) return nullptr;
  const size_t mask = capacity_ - 1;
  for (size_t i = hash & mask; slots_[i].entry != nullptr; i = (i + 1) & mask) {
    const Slot& slot = slots_[i];
    if (slot.hash == hash && is_entry(slot.entry) && slot.entry->key() == key) return slot.entry;
  }
  return nullptr;
}

const KeyEntry* Database::find_hash(uint64_t hash) const {
  const size_t mask = capacity_ - 1;
  for (size_t i = hash & mask; slots_[i].entry != nullptr; i = (i + 1) & mask)
    if (slots_[i].hash == hash && is_entry(slots_[i].entry)) return slots_[i].entry;
  return nullptr;
}

KeyEntry& Database::create(Bytes key, uint64_t hash) {
  if (used_ >= limit_of(capacity_)) rebuild(std::bit_ceil(std::max(kDatabaseCapacityMin, count_ * 2 + 1)));
  KeyEntry* entry = KeyEntry::make(*pool_, key);
  entry->born = (*births_)++;
  const size_t mask = capacity_ - 1;
  size_t i = hash & mask;
  while (slots_[i].entry != nullptr) i = (i + 1) & mask;
  slots_[i] = {hash, entry};
  ++count_;
  ++used_;
  return *entry;
}

KeyEntry& Database::find_or_create(Bytes key) {
  const uint64_t hash = hash_of(key);
  KeyEntry* entry = find(key, hash);
  return entry != nullptr ? *entry : create(key, hash);
}

void Database::erase(KeyEntry& entry) {
  const uint64_t hash = hash_of(entry.key());
  const size_t mask = capacity_ - 1;
  size_t i = hash & mask;
  while (slots_[i].entry != &entry) i = (i + 1) & mask;
  // Nobody looks past a place that was never used: if one follows, this can become one.
  const bool ends_run = slots_[(i + 1) & mask].entry == nullptr;
  slots_[i] = {0, ends_run ? nullptr : removed()};
  used_ -= ends_run ? 1U : 0U;
  --count_;
  KeyEntry::free(*pool_, &entry);
}

void Database::clear() {
  for_each([this](KeyEntry& entry) { KeyEntry::free(*pool_, &entry); });
  give_slots();
  slots_ = nullptr;
  capacity_ = count_ = used_ = 0;
}

void Database::swap(Database& other) {
  std::swap(slots_, other.slots_);
  std::swap(capacity_, other.capacity_);
  std::swap(count_, other.count_);
  std::swap(used_, other.used_);
}

std::vector<KeyEntry*> Database::entries() const {
  // The numbers beside the pointers: sorting looks at each many times.
  std::vector<std::pair<uint64_t, KeyEntry*>> by_birth;
  by_birth.reserve(count_);
  for_each([&](KeyEntry& entry) { by_birth.emplace_back(entry.born, &entry); });
  std::ranges::sort(by_birth);
  std::vector<KeyEntry*> all;
  all.reserve(count_);
  for (const auto& [born, entry] : by_birth) all.push_back(entry);
  return all;
}

void Database::reserve(size_t keys) {
  if (keys >= limit_of(capacity_)) rebuild(std::bit_ceil(keys + keys / 3 + kDatabaseCapacityMin));
}

void Database::rebuild(size_t capacity) {
  Slot* old = slots_;
  const size_t old_capacity = capacity_;
  slots_ = reinterpret_cast<Slot*>(pool_->take(capacity * sizeof(Slot)));
  std::memset(static_cast<void*>(slots_), 0, capacity * sizeof(Slot));
  capacity_ = capacity;
  used_ = count_;
  const size_t mask = capacity - 1;
  for (size_t at = 0; at < old_capacity; ++at) {
    if (!is_entry(old[at].entry)) continue;
    size_t i = old[at].hash & mask;
    while (slots_[i].entry != nullptr) i = (i + 1) & mask;
    slots_[i] = old[at];
  }
  if (old != nullptr) pool_->give(reinterpret_cast<char*>(old), old_capacity * sizeof(Slot));
}

void Database::give_slots() {
  if (slots_ != nullptr) pool_->give(reinterpret_cast<char*>(slots_), capacity_ * sizeof(Slot));
}

}  // namespace persist
