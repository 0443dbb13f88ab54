// A value that was gathered, on its way on.
#pragma once

#include "ops/entry_value.hpp"
#include "types/value.hpp"

namespace persist {

// Gathers what is told. False if it is damaged: then what was gathered is void.
[[nodiscard]] inline bool gather(EntryValue& from, ValueType type, Value& into) {
  into.begin(type);
  return from.tell([&into](const Element& told) { into.add(told); });
}

class GatheredValue : public EntryValue {
 public:
  // The value must outlive it.
  explicit GatheredValue(const Value& value) : value_(value) {}

  bool tell(ElementSink sink) override {
    value_.tell(sink);
    return true;
  }
  Raw raw() override { return {}; }
  bool skip() override { return true; }

 private:
  const Value& value_;
};

}  // namespace persist
