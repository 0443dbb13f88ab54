// A value that was gathered, on its way on.
#pragma once

#include "ops/entry_value.hpp"
#include "types/value.hpp"

namespace persist {

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
