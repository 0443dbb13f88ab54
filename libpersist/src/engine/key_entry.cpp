// What the word of an entry points to is known here, and nowhere else.
#include "engine/key_entry.hpp"

#include <algorithm>
#include <stdexcept>

#include "base/server_numbers.hpp"
#include "engine/tell.hpp"
#include "engine/value_builder.hpp"

namespace persist {

namespace {

constexpr size_t kTextHead = sizeof(uint64_t);

}  // namespace

KeyEntry* KeyEntry::make(Pool& pool, Bytes key) {
  static_assert(sizeof(KeyEntry) == kHeadBytes);
  if (key.size() > std::numeric_limits<uint32_t>::max()) throw std::length_error("a key of 4 GiB or more");
  char* room = pool.take(kHeadBytes + key.size());
  auto* entry = ::new (room) KeyEntry;
  entry->key_size_ = static_cast<uint32_t>(key.size());
  copy_bytes(room + kHeadBytes, key);
  return entry;
}

void KeyEntry::free(Pool& pool, KeyEntry* entry) {
  entry->clear(pool);
  pool.give(reinterpret_cast<char*>(entry), kHeadBytes + entry->key_size_);
}

ValueType KeyEntry::type() const {
  switch (held_) {
    case Held::nothing:
    case Held::integer:
    case Held::text:
      return ValueType::string;
    case Held::list:
      return ValueType::list;
    case Held::set:
      return ValueType::set;
    case Held::zset:
      return ValueType::zset;
    case Held::hash:
      return ValueType::hash;
    case Held::stream:
      return ValueType::stream;
    case Held::array:
      return ValueType::array;
    case Held::vector_set:
      return ValueType::module;
    case Held::packed:
      break;
  }
  return packed().encoding->type;
}

void KeyEntry::clear(Pool& pool) {
  const Held held = std::exchange(held_, Held::nothing);
  switch (held) {
    case Held::nothing:
    case Held::integer:
      return;
    case Held::text:
      return pool.give(static_cast<char*>(object()), kTextHead + text_bytes().size());
    case Held::list:
      return pool.destroy(static_cast<List*>(object()));
    case Held::set:
      return pool.destroy(static_cast<Set*>(object()));
    case Held::zset:
      return pool.destroy(static_cast<SortedSet*>(object()));
    case Held::hash:
      return pool.destroy(static_cast<Hash*>(object()));
    case Held::stream:
      return pool.destroy(static_cast<Stream*>(object()));
    case Held::array:
      return pool.destroy(static_cast<ArrayValue*>(object()));
    case Held::vector_set:
      return pool.destroy(static_cast<VectorSet*>(object()));
    case Held::packed:
      return pool.give(static_cast<char*>(object()), sizeof(PackedValue) + packed().size);
  }
}

// Makes room for a text of that size, in the block that is there if it has the capacity.
char* KeyEntry::take_text(Pool& pool, size_t size) {
  const bool fits = held_ == Held::text &&
                    Pool::capacity(kTextHead + text_bytes().size()) == Pool::capacity(kTextHead + size);
  if (!fits) {
    clear(pool);
    word_ = reinterpret_cast<uintptr_t>(pool.take(kTextHead + size));
    held_ = Held::text;
  }
  const uint64_t stored = size;
  std::memcpy(object(), &stored, sizeof stored);
  return static_cast<char*>(object()) + kTextHead;
}

void KeyEntry::set_text(Pool& pool, Bytes text) {
  const bool may_be_number =
      !text.empty() && text.size() <= kDecimalMax && static_cast<uint8_t>(text.back() - '0') < 10;
  if (may_be_number) {
    if (const std::optional<int64_t> number = parse_server_integer(text)) return set_integer(pool, *number);
  }
  copy_bytes(take_text(pool, text.size()), text);
}

char* KeyEntry::resize_text(Pool& pool, size_t size) {
  CellRoom room;
  const Bytes held = held_ == Held::nothing ? Bytes{} : text(pool, room);
  const size_t kept = std::min(held.size(), size);
  char* bytes = nullptr;
  if (held_ == Held::text && Pool::capacity(kTextHead + held.size()) == Pool::capacity(kTextHead + size)) {
    bytes = take_text(pool, size);
  } else {
    char* block = pool.take(kTextHead + size);
    const uint64_t stored = size;
    std::memcpy(block, &stored, sizeof stored);
    bytes = block + kTextHead;
    copy_bytes(bytes, held.substr(0, kept));
    clear(pool);
    word_ = reinterpret_cast<uintptr_t>(block);
    held_ = Held::text;
  }
  std::memset(bytes + kept, 0, size - kept);
  return bytes;
}

void KeyEntry::set_packed(Pool& pool, const Encoding& encoding, Bytes bytes) {
  char* block = pool.take(sizeof(PackedValue) + bytes.size());
  ::new (block) PackedValue{&encoding, bytes.size()};
  copy_bytes(block + sizeof(PackedValue), bytes);
  clear(pool);
  word_ = reinterpret_cast<uintptr_t>(block);
  held_ = Held::packed;
}

// What only a module understands stays packed for ever.
void KeyEntry::unpack(Pool& pool) {
  KeyEntry unpacked;
  ValueBuilder builder(pool, unpacked);
  if (!builder.can_build(packed())) return;
  tell_packed(packed(), [&](const Element& element) { builder.add(element); });
  take_value(pool, unpacked);
}

void KeyEntry::copy_value(Pool& pool, const KeyEntry& from) {
  switch (from.held_) {
    case Held::nothing:
      return clear(pool);
    case Held::integer:
      return set_integer(pool, from.integer());
    case Held::text:
      return set_text(pool, from.text_bytes());
    case Held::packed:
      return set_packed(pool, *from.packed().encoding, from.packed().bytes());
    case Held::vector_set:
      make_value<VectorSet>(pool) = *static_cast<const VectorSet*>(from.object());
      return;
    default:
      break;
  }
  clear(pool);
  ValueBuilder builder(pool, *this);
  from.tell([&](const Element& element) { builder.add(element); }, false);
  if (from.held_ == Held::zset)
    static_cast<SortedSet*>(object())->take_form_of(*static_cast<const SortedSet*>(from.object()));
}

void KeyEntry::pack_zeros(Pool& pool) {
  if (held_ != Held::packed || (packed().encoding->name != "zset" && packed().encoding->name != "zset2"))
    return;
  bool has_signed_zero = false;
  tell([&](const Element& element) { has_signed_zero = has_signed_zero || is_signed_zero(element); }, false);
  if (!has_signed_zero) return;
  auto* zset = as<SortedSet>(pool);
  if (zset->is_packed()) zset->drop_signs_of_zeros();
}

void KeyEntry::tell(ElementSink out, bool sorted) const {
  CellRoom room;
  switch (held_) {
    case Held::nothing:
      return;
    case Held::integer:
      return out(StringValue{to_decimal(integer(), room.bytes)});
    case Held::text:
      return out(StringValue{text_bytes()});
    case Held::list:
      return tell_list(*static_cast<const List*>(object()), out);
    case Held::set:
      return tell_set(*static_cast<const Set*>(object()), out, sorted);
    case Held::zset:
      return tell_sorted_set(*static_cast<const SortedSet*>(object()), out, sorted);
    case Held::hash:
      return tell_hash(*static_cast<const Hash*>(object()), out, sorted);
    case Held::stream:
      return static_cast<const Stream*>(object())->tell(out);
    case Held::array:
      return static_cast<const ArrayValue*>(object())->tell(out);
    case Held::vector_set:
      return tell_vector_set(*static_cast<const VectorSet*>(object()), out);
    case Held::packed:
      return tell_packed(packed(), out);
  }
}

bool KeyEntry::has_memory_elsewhere() const {
  if (held_ == Held::zset) return static_cast<const SortedSet*>(object())->has_order();
  return held_ == Held::stream || held_ == Held::array || held_ == Held::vector_set;
}

uint64_t KeyEntry::size() const {
  CellRoom room;
  switch (held_) {
    case Held::nothing:
      return 0;
    case Held::integer:
      return to_decimal(integer(), room.bytes).size();
    case Held::text:
      return text_bytes().size();
    case Held::list:
      return static_cast<const List*>(object())->size();
    case Held::set:
      return static_cast<const Set*>(object())->size();
    case Held::zset:
      return static_cast<const SortedSet*>(object())->size();
    case Held::hash:
      return static_cast<const Hash*>(object())->size();
    case Held::stream:
      return static_cast<const Stream*>(object())->size();
    case Held::array:
      return static_cast<const ArrayValue*>(object())->size();
    case Held::vector_set:
      return static_cast<const VectorSet*>(object())->elements().size();
    case Held::packed:
      break;
  }
  uint64_t size = 0;
  tell_packed(packed(), [&](const Element& told) {
    if (const auto* string = std::get_if<StringValue>(&told))
      size = string->value.size();
    else if (const auto* module = std::get_if<ModuleValue>(&told))
      size = module->payload.size();
    else if (is_item(told))
      ++size;
  });
  return size;
}

void KeyEntry::prefetch_inside() const {
  switch (held_) {
    case Held::list:
      return static_cast<const List*>(object())->prefetch();
    case Held::set:
      return static_cast<const Set*>(object())->prefetch();
    case Held::zset:
      return static_cast<const SortedSet*>(object())->prefetch();
    case Held::hash:
      return static_cast<const Hash*>(object())->prefetch();
    default:
      return;
  }
}

}  // namespace persist
