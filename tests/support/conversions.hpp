// Conversions of bytes in memory, with what was lost and found.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "persist/convert.hpp"

namespace persist::test {

// "field-ttl 3/2, idle 1/1": how many, and in how many keys; in the order of the table.
[[nodiscard]] std::string told(const LossReport& losses);

struct Converted {
  ConvertSummary summary;
  std::string bytes;
  std::vector<Finding> findings;
  std::string refusal;  // what an EditRefused said

  // "field-ttl 3/2"
  [[nodiscard]] std::string losses() const { return told(summary.losses); }
};

// An RDB file of three keys: in two dbs, one of them with an expiry long past.
[[nodiscard]] std::string few_keys();

[[nodiscard]] ConvertOptions options_for(Bytes target, OutputForm form = OutputForm::rdb);
// The same, and whatever the target cannot hold may go.
[[nodiscard]] ConvertOptions lossy_options_for(Bytes target, OutputForm form = OutputForm::rdb);
[[nodiscard]] std::vector<LossFeature> all_losses();

// Into a stream.
[[nodiscard]] Converted convert_rdb(ByteSource& source, const ConvertOptions& options);
[[nodiscard]] Converted convert_rdb(Bytes file, const ConvertOptions& options);
[[nodiscard]] Converted convert_json(Bytes lines, const ConvertOptions& options);
// One log, or RDB file with a log; relative times count from the epoch.
[[nodiscard]] Converted convert_log(Bytes log, const ConvertOptions& options,
                                    std::optional<ServerVersion> as = {});
// A path to a path.
[[nodiscard]] Converted convert_path(const std::string& from, const std::string& to,
                                     const ConvertOptions& options, bool force = false);
// A log, named by its path, to a path.
[[nodiscard]] Converted convert_log_path(const std::string& from, const std::string& to,
                                         const ConvertOptions& options);

// What `dump` writes of a log, which must be sound.
[[nodiscard]] std::string dumped_log(const std::string& path);

}  // namespace persist::test
