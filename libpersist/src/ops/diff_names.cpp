// What things are called in reports of differences: the names are those of options and of JSON.
#include <algorithm>
#include <iterator>

#include "persist/diff.hpp"

namespace persist {

namespace {

// In the order of DiffIgnore.
constexpr Bytes kIgnoreNames[] = {"ttl",      "field-ttl", "idle",      "groups",
                                  "counters", "idmp",      "functions", "modules"};
static_assert(std::size(kIgnoreNames) == kDiffIgnores);

// In the order of DiffPart.
constexpr DiffPartRow kDiffParts[] = {
    {"type", "type"},
    {"expiry", "expiry", true},
    {"idle", "idle time", true},
    {"freq", "frequency", true},
    {"string", "string"},
    {"item", "item"},
    {"member", "member"},
    {"score", "score", true},
    {"field", "field"},
    {"field_expiry", "expiry of field", true},
    {"entry", "entry"},
    {"last_id", "last ID"},
    {"max_deleted_id", "greatest deleted ID"},
    {"entries_added", "entries ever added", true},
    {"group", "group"},
    {"group_last_id", "last ID of group"},
    {"entries_read", "entries read by group", true},
    {"consumer", "consumer"},
    {"pending", "pending entry"},
    {"producer", "producer"},
    {"iid", "idempotent ID"},
    {"idmp", "idempotency", true},
    {"insert_index", "insert index", true},
    {"element", "element"},
    {"payload", "module value"},
};
static_assert(std::size(kDiffParts) == static_cast<size_t>(DiffPart::payload) + 1);

}  // namespace

Bytes diff_ignore_name(DiffIgnore ignore) { return kIgnoreNames[static_cast<size_t>(ignore)]; }

std::optional<DiffIgnore> find_diff_ignore(Bytes name) {
  const auto* found = std::ranges::find(kIgnoreNames, name);
  if (found == std::end(kIgnoreNames)) return std::nullopt;
  return static_cast<DiffIgnore>(found - std::begin(kIgnoreNames));
}

const DiffPartRow& diff_part_row(DiffPart part) { return kDiffParts[static_cast<size_t>(part)]; }

}  // namespace persist
