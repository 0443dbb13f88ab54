// Findings and summaries for people and for programs.
#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "persist/check.hpp"
#include "persist/finding.hpp"
#include "verb.hpp"

namespace persist::tool {

// The first line of a finding: "dump.rdb:0x1f3a2: error: ... [listpack.length-overrun]"
std::string finding_line(const Finding& finding, bool colour);

// Prints findings as they come, like a compiler: place, severity, what, code; then the bytes with a caret. On
// standard error. Beyond `most` of them only counts.
class TextReport : public FindingSink {
 public:
  explicit TextReport(size_t most);
  ~TextReport() override;
  TextReport(const TextReport&) = delete;
  TextReport& operator=(const TextReport&) = delete;
  void report(const Finding& finding) override;

 private:
  size_t most_;
  size_t seen_ = 0;
  bool colour_;
  std::vector<FindingCode> advised_;  // what to do next is said once a code
};

// Keeps up to `most` findings, and counts the rest.
class KeptReport : public FindingSink {
 public:
  explicit KeptReport(size_t most) : most_(most) {}
  void report(const Finding& finding) override;
  [[nodiscard]] const std::vector<Finding>& kept() const { return kept_; }
  [[nodiscard]] size_t left_out() const { return left_out_; }

 private:
  size_t most_;
  std::vector<Finding> kept_;
  size_t left_out_ = 0;
};

// Findings on standard error as they come, as text or as JSON Lines; beyond `most` only text counts them.
std::unique_ptr<FindingSink> finding_report(bool json, size_t most);

nlohmann::ordered_json json_of(const Finding& finding);

// One line, always valid UTF-8.
std::string json_line(const nlohmann::ordered_json& json);

// A string of the JSON schema: text, or {"$base64":"..."}.
nlohmann::ordered_json json_string(Bytes bytes);

// "1 key", "2 keys"
std::string counted(uint64_t count, std::string_view noun);

// The exit status for the farthest-reaching error.
Exit exit_of(Reach reach, bool sound);

}  // namespace persist::tool
