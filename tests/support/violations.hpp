// What went against expectation, the first few of each kind: one mistake breaks thousands of files alike.
#pragma once

#include <doctest/doctest.h>

#include <map>
#include <string>

namespace persist::test {

class Violations {
 public:
  void expect(bool holds, const char* what, const std::string& where) {
    if (holds) return;
    if (++seen_[what] <= kShown) text_ += std::string(what) + ": " + where + "\n";
  }
  // Fails the test if there was any.
  void report() const {
    for (const auto& [what, count] : seen_) MESSAGE(what << ": " << count << " times");
    CHECK(text_.empty());
    if (!text_.empty()) MESSAGE(text_);
  }

 private:
  static constexpr size_t kShown = 3;
  std::map<std::string, size_t> seen_;
  std::string text_;
};

}  // namespace persist::test
