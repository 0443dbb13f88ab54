// Passes findings on, and counts the errors among them for a summary.
#pragma once

#include <algorithm>

#include "persist/finding.hpp"

namespace persist {

// A Summary has `errors` and `reach`. It must outlive the counter.
template <typename Summary>
class ErrorCounter : public FindingSink {
 public:
  ErrorCounter(FindingSink& to, Summary& summary) : to_(to), summary_(summary) {}
  void report(const Finding& finding) override {
    if (finding.kind().severity == Severity::error) {
      ++summary_.errors;
      summary_.reach = std::max(summary_.reach, finding.kind().reach);
    }
    to_.report(finding);
  }

 private:
  FindingSink& to_;
  Summary& summary_;
};

}  // namespace persist
