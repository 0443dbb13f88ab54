// Elements become a value: the way into the engine.
#pragma once

#include "engine/key_entry.hpp"
#include "persist/element.hpp"

namespace persist {

// The name that vector sets have among the modules.
inline constexpr Bytes kVectorSetModule = "vectorset";

class ValueBuilder {
 public:
  // The value of the entry, which must hold nothing.
  ValueBuilder(Pool& pool, KeyEntry& entry) : pool_(pool), entry_(entry) {}

  // Whether the engine has a form of its own for such a value.
  [[nodiscard]] static bool can_build(const PackedValue& packed);

  // In the order that decoders tell them in.
  void add(const Element& element);

 private:
  template <typename T>
  T& value() {
    if (entry_.held() != kHeldAs<T>) return entry_.make_value<T>(pool_);
    return *entry_.as<T>(pool_);
  }
  void put(const StringValue& string) { entry_.set_text(pool_, string.value); }
  void put(const ListItem& item) { value<List>().push_back(item.value); }
  void put(const SetMember& member) { value<Set>().add(member.member); }
  void put(const SortedSetMember& member) { value<SortedSet>().set(member.member, member.score); }
  void put(const HashField& field) { value<Hash>().set(field.field, field.value, field.expire_at_ms); }
  void put(const ArrayInfo& info) { value<ArrayValue>().add(info); }
  void put(const ArrayElement& element) { value<ArrayValue>().add(element); }
  void put(const ModuleValue& module);
  template <typename StreamElement>
  void put(const StreamElement& element);

  Pool& pool_;
  KeyEntry& entry_;
};

}  // namespace persist
