// What an RDB file is whose magic or version is damaged, as far as the records in it tell.
#pragma once

#include <memory>
#include <optional>

#include "rdb/origin.hpp"
#include "rdb/resync.hpp"

namespace persist {

struct InferredBeginning {
  RdbState state;
  std::unique_ptr<Resync> resync;    // for that dialect
  std::optional<RecordChain> chain;  // the first records; none: it is no RDB file, or nothing is left of it
};
[[nodiscard]] InferredBeginning infer_beginning(ByteSource& source, uint64_t end, bool followed);

// The version that the writer writes, which AUX fields name; else one that all who could have written what
// was met read. `since`: the version that the newest layout met needs.
[[nodiscard]] uint32_t infer_version(Dialect dialect, uint32_t since,
                                     const std::optional<ServerVersion>& writer);

// Where the data ends, if that may be behind the end mark of a replication stream. `header`: as behind it.
[[nodiscard]] uint64_t without_mark(ByteSource& source, const RdbState& header, uint64_t end);

// Whoever does not know the version has to expect anything.
[[nodiscard]] uint32_t newest_version(Dialect dialect);

}  // namespace persist
