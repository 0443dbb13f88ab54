// The verbs over bytes in memory, with what they found and wrote.
#pragma once

#include <string>
#include <vector>

#include "persist/check.hpp"
#include "persist/dump.hpp"

namespace persist::test {

// Takes output and keeps it.
class StringSink : public ByteSink {
 public:
  void write(Bytes bytes) override { text += bytes; }
  std::string text;
};

struct Checked {
  CheckSummary summary;
  std::vector<Finding> findings;
};

[[nodiscard]] Checked check(ByteSource& source, CheckOptions options);
[[nodiscard]] Checked check(ByteSource& source, unsigned threads = 1);
[[nodiscard]] Checked check(Bytes file, const CheckOptions& options);
[[nodiscard]] Checked check(Bytes file);

struct Dumped {
  DumpSummary summary;
  std::string text;
  std::vector<Finding> findings;
};

[[nodiscard]] Dumped dump(ByteSource& source, DumpOptions options);
[[nodiscard]] Dumped dump(ByteSource& source, unsigned threads = 1);
[[nodiscard]] Dumped dump(Bytes file, const DumpOptions& options);
[[nodiscard]] Dumped dump(Bytes file);

[[nodiscard]] std::vector<std::string> ids_of(const std::vector<Finding>& findings);
[[nodiscard]] bool has(const std::vector<Finding>& findings, FindingCode code);
// Everything a finding says, in one line.
[[nodiscard]] std::string line_of(const Finding& finding);
[[nodiscard]] std::vector<std::string> lines_of(const std::vector<Finding>& findings);

// One below the other: what a failed comparison prints.
[[nodiscard]] std::string joined(const std::vector<std::string>& lines);
[[nodiscard]] std::vector<std::string> split_lines(Bytes text);

}  // namespace persist::test
