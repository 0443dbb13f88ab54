// In what two values of one key differ: element by element, whatever layouts they came from.
#pragma once

#include "persist/diff.hpp"
#include "types/value.hpp"

namespace persist {

struct CompareRules {
  bool field_ttl = true;
  bool groups = true;
  bool counters = true;
  bool idmp = true;
  int64_t ttl_tolerance_ms = 0;  // of hash fields, too
  uint64_t differences_max = 0;  // made; the rest is counted
  uint64_t word_bytes_max = 0;

  [[nodiscard]] static CompareRules of(const DiffOptions& options);
};

// Whether they are the same, or no further apart than is tolerated.
[[nodiscard]] bool expiries_agree(int64_t a, int64_t b, int64_t tolerance_ms);

struct ValueDifferences {
  std::vector<Difference> made;
  uint64_t more = 0;

  [[nodiscard]] bool any() const { return !made.empty() || more > 0; }
};

// The values are of one type. Both are put in order on the way: what has no order by the bytes of members and
// fields (sorted sets, too), entries and pending entries by ID, groups and consumers by name.
void compare_values(Value& a, Value& b, const CompareRules& rules, ValueDifferences& out);

// As much of a text as is wanted: its beginning, or if the first `same` bytes are those of the other side,
// some of these and what comes behind.
[[nodiscard]] DiffWord word_of(Bytes bytes, uint64_t most, uint64_t same = 0);

}  // namespace persist
