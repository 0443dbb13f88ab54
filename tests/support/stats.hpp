// Reports of what is in memory, with fixed times and a fixed target; and what of a report adds up.
#pragma once

#include <string>

#include "persist/stat.hpp"

namespace persist::test {

// What expiries are measured against.
inline constexpr int64_t kStatNowMs = 1'700'000'000'000;

// For the newest Redis there is.
[[nodiscard]] StatOptions stat_options(unsigned threads = 1);

[[nodiscard]] StatSummary stat_rdb(ByteSource& source, const StatOptions& options);
[[nodiscard]] StatSummary stat_rdb(Bytes file, const StatOptions& options = stat_options());
[[nodiscard]] StatSummary stat_json_lines(Bytes lines, const StatOptions& options = stat_options());
// One log, or RDB file with a log.
[[nodiscard]] StatSummary stat_log(Bytes log, const StatOptions& options = stat_options());

// As text all that adds up: of the same keys it is the same, byte for byte, whatever they came in.
[[nodiscard]] std::string sums_of(StatReport report);

}  // namespace persist::test
