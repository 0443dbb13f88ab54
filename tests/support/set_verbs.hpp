// The verbs over logs and sets, with what they found and wrote.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "persist/check_set.hpp"
#include "persist/cut.hpp"
#include "persist/repair.hpp"
#include "persist/undo_flush.hpp"

namespace persist::test {

struct SetChecked {
  AppendSet set;
  SetSummary summary;
  std::vector<Finding> findings;

  // "cuts appendonly.aof.1.incr.aof@50": what that server does at start.
  [[nodiscard]] std::string start(Bytes target) const;
};

// What a path holds: a folder, a manifest, or one file.
[[nodiscard]] SetChecked check_path(const std::string& path, const LogCheckOptions& options = {});
// One log or RDB file with a log, in memory.
[[nodiscard]] SetChecked check_log(Bytes bytes, const LogCheckOptions& options = {});
[[nodiscard]] AppendSet open_set(const std::string& path);

// The ids of the findings that are no notes, blanks between them.
[[nodiscard]] std::string problems(const std::vector<Finding>& findings);
// Of all findings.
[[nodiscard]] std::string all_ids(const std::vector<Finding>& findings);

// What an edit did: its summary, or why it refused.
template <typename Summary>
struct Edited {
  std::optional<Summary> done;
  std::string refusal;
  std::optional<EditRefused::Kind> refused_as;
};

[[nodiscard]] Edited<RepairSummary> repair(const std::string& path, const std::string& output,
                                           const RepairOptions& options = {});
[[nodiscard]] Edited<CutSummary> cut(const std::string& path, const std::string& output,
                                     const CutPoint& point);

// A log as its commands, each in one line; annotations with their '#', damage as "!".
[[nodiscard]] std::vector<std::string> tell_log(Bytes log, uint64_t offset = 0);

// Whether `part` are elements of `whole`, in the same order.
[[nodiscard]] bool is_subsequence(const std::vector<std::string>& part,
                                  const std::vector<std::string>& whole);

}  // namespace persist::test
