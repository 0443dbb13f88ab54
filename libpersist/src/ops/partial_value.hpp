// Of a value that does not decode, what does: as a record that can stand in its place.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "rdb/record_reader.hpp"

namespace persist {

struct PartialRecord {
  std::string bytes;      // the record, prefixes and key as they were
  uint64_t elements = 0;  // that are left: at least one
};

// `state`: that in front of the damaged record. None if nothing of the value can be kept: strings are whole
// or not at all.
[[nodiscard]] std::optional<PartialRecord> keep_part(ByteSource& source, const RdbState& state);

}  // namespace persist
