// One key with its value. The value is kept in one of several forms; see Held. Functions here change the
// value of an entry and nothing else of it; memory comes from the pool of the dataset that the entry is in.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

#include "engine/array_value.hpp"
#include "engine/cell.hpp"
#include "engine/hash.hpp"
#include "engine/list.hpp"
#include "engine/set.hpp"
#include "engine/sorted_set.hpp"
#include "engine/stream.hpp"
#include "engine/vector_set.hpp"
#include "persist/element.hpp"
#include "persist/encoding.hpp"

namespace persist {

// What the word of an entry is.
enum class Held : uint8_t {
  nothing,     // a key that is being made
  integer,     // the string is the text of this number
  text,        // a string: eight bytes of length, then the bytes
  list,        // from here on: pointers to objects
  set,         //
  zset,        //
  hash,        //
  stream,      //
  array,       //
  vector_set,  //
  packed       // as it stood in an RDB file, checked but not looked into: until somebody does
};

template <typename T>
inline constexpr Held kHeldAs = Held::nothing;
template <>
inline constexpr Held kHeldAs<List> = Held::list;
template <>
inline constexpr Held kHeldAs<Set> = Held::set;
template <>
inline constexpr Held kHeldAs<SortedSet> = Held::zset;
template <>
inline constexpr Held kHeldAs<Hash> = Held::hash;
template <>
inline constexpr Held kHeldAs<Stream> = Held::stream;
template <>
inline constexpr Held kHeldAs<ArrayValue> = Held::array;
template <>
inline constexpr Held kHeldAs<VectorSet> = Held::vector_set;

// A member of a sorted set with the score -0.
[[nodiscard]] inline bool is_signed_zero(const Element& element) {
  const auto* member = std::get_if<SortedSetMember>(&element);
  return member != nullptr && member->score == 0 && std::signbit(member->score);
}

// The bytes of a value in the layout of an encoding. They follow it in memory.
struct PackedValue {
  const Encoding* encoding;
  uint64_t size;

  [[nodiscard]] Bytes bytes() const {
    return {reinterpret_cast<const char*>(this + 1), static_cast<size_t>(size)};
  }
};

class KeyEntry {
 public:
  // An entry that holds nothing yet.
  static KeyEntry* make(Pool& pool, Bytes key);
  // Destroys the value too.
  static void free(Pool& pool, KeyEntry* entry);

  [[nodiscard]] Bytes key() const { return {reinterpret_cast<const char*>(this) + kHeadBytes, key_size_}; }
  [[nodiscard]] Held held() const { return held_; }
  [[nodiscard]] ValueType type() const;

  [[nodiscard]] int64_t integer() const { return static_cast<int64_t>(word_); }
  [[nodiscard]] const PackedValue& packed() const { return *static_cast<const PackedValue*>(object()); }

  // The value as that type, unpacked if need be; null if it is of another.
  template <typename T>
  [[nodiscard]] T* as(Pool& pool) {
    if (held_ == Held::packed) unpack(pool);
    return held_ == kHeldAs<T> ? static_cast<T*>(object()) : nullptr;
  }
  // The value if it is held as a vector set: one that is packed is not looked into. Else null.
  [[nodiscard]] const VectorSet* vector_set() const {
    return held_ == Held::vector_set ? static_cast<const VectorSet*>(object()) : nullptr;
  }
  // Likewise of a string: its text, in the room or in the entry. The entry must be a string.
  [[nodiscard]] Bytes text(Pool& pool, CellRoom& room) {
    if (held_ == Held::packed) unpack(pool);
    return held_ == Held::integer ? to_decimal(integer(), room.bytes) : text_bytes();
  }

  // --- Changing the value. What was there is destroyed.
  void set_integer(Pool& pool, int64_t number) {
    clear(pool);
    word_ = static_cast<uint64_t>(number);
    held_ = Held::integer;
  }
  // Kept as an integer if it is the text of one. `text` must not show the entry's own value.
  void set_text(Pool& pool, Bytes text);
  // Makes a string `size` bytes long: cut, or filled up with NUL. The bytes are the caller's to change until
  // the next change of the entry.
  char* resize_text(Pool& pool, size_t size);
  template <typename T>
  T& make_value(Pool& pool) {
    clear(pool);
    T* made = nullptr;
    if constexpr (std::is_constructible_v<T, Pool&>)
      made = pool.make<T>(pool);
    else
      made = pool.make<T>();
    word_ = reinterpret_cast<uintptr_t>(made);
    held_ = kHeldAs<T>;
    return *made;
  }
  void set_packed(Pool& pool, const Encoding& encoding, Bytes bytes);
  // A small sorted set that stands unpacked in an RDB file is packed by servers that read it. From Redis 7.0
  // on that takes the signs off its zeros.
  void pack_zeros(Pool& pool);
  // Takes over the value of another entry, which then holds nothing.
  void take_value(Pool& pool, KeyEntry& from) {
    clear(pool);
    word_ = std::exchange(from.word_, 0);
    held_ = std::exchange(from.held_, Held::nothing);
  }
  // A copy of the value of another entry.
  void copy_value(Pool& pool, const KeyEntry& from);
  void clear(Pool& pool);

  // Whether the value has memory that is not the pool's.
  [[nodiscard]] bool has_memory_elsewhere() const;

  // Tells the value as decoders do. Members of sets, fields, and members of sorted sets come in the order of
  // their bytes, and of scores, if `sorted`; else in any. A packed value is told in the order it is stored
  // in. The value must not change meanwhile.
  void tell(ElementSink out, bool sorted) const;

  // How many items, members, fields, entries or elements; of a string, and of what only a module understands,
  // how many bytes. Takes its time only while the value is packed.
  [[nodiscard]] uint64_t size() const;

  [[nodiscard]] bool has_expiry() const { return expire_at_ms != kNoExpiry; }

  void prefetch() const {
    if (held_ >= Held::text) __builtin_prefetch(object());
  }
  // Likewise one step on, what is in the object; only after prefetch() has had its time.
  void prefetch_inside() const;

 private:
  friend class Database;
  KeyEntry() = default;
  [[nodiscard]] void* object() const {
    return reinterpret_cast<void*>(word_);  // NOLINT(performance-no-int-to-ptr): a word of several kinds
  }
  [[nodiscard]] Bytes text_bytes() const {
    uint64_t size;
    std::memcpy(&size, object(), sizeof size);
    return {static_cast<const char*>(object()) + sizeof size, static_cast<size_t>(size)};
  }
  char* take_text(Pool& pool, size_t size);
  void unpack(Pool& pool);

  uint64_t word_ = 0;

 public:
  int64_t expire_at_ms = kNoExpiry;
  uint64_t born = 0;  // creations in the dataset before this one: the order of keys

  // What an RDB file said of the last access. The engine itself keeps no track of that.
  static constexpr uint32_t kNoIdle = std::numeric_limits<uint32_t>::max();
  uint32_t idle_s = kNoIdle;

 private:
  uint32_t key_size_ = 0;
  Held held_ = Held::nothing;

 public:
  bool has_freq = false;
  uint8_t freq = 0;

 private:
  static constexpr size_t kHeadBytes = 40;
};

}  // namespace persist
