// Reports for CI servers: all paths in one file, beside the usual output.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "persist/finding.hpp"
#include "persist/sink.hpp"
#include "verb.hpp"

namespace persist::tool {

// What came of a path.
struct PathResult {
  std::string path;
  Exit status = kDone;
  std::string words;        // the lines of the verdict, or why it could not be read
  bool compressed = false;  // then offsets are none of the file
  std::vector<Finding> findings;
  size_t left_out = 0;  // beyond --max-findings
};

// A test suite with a test case for each path, as Jenkins and GitLab read it.
std::string junit_report(const std::vector<PathResult>& results);

// A SARIF 2.1.0 log with one run.
std::string sarif_report(const std::vector<PathResult>& results);

// The files of --report, each written as a whole or not at all.
class CiReports {
 public:
  // Pairs of a format and a file, which may exist if it is such a report. Opened at once: better no check
  // than one whose report cannot be written. Throws std::invalid_argument, std::system_error.
  explicit CiReports(const std::vector<std::pair<std::string, std::string>>& wanted);

  [[nodiscard]] bool any() const { return !files_.empty(); }
  void add(PathResult result);
  // Throws std::system_error.
  void write();

 private:
  struct Format;
  struct File {
    const Format* format;
    std::unique_ptr<AtomicFile> output;
  };
  static const Format kFormats[];

  std::vector<File> files_;
  std::vector<PathResult> results_;
};

}  // namespace persist::tool
