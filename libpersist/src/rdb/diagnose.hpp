// What a file is that is not an RDB file.
#pragma once

#include <optional>

#include "persist/bytes.hpp"
#include "persist/finding.hpp"

namespace persist {

// By its first bytes; none if they look like an RDB file or the beginning of one.
[[nodiscard]] std::optional<FindingCode> diagnose_head(Bytes head);

}  // namespace persist
