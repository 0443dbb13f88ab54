// JUnit XML. There is no standard: elements and attributes are those that Jenkins, GitLab and GitHub actions
// all take, with one failure a test case, since some show no more.
#include <fmt/core.h>

#include <algorithm>
#include <string_view>

#include "ci_report.hpp"
#include "report.hpp"
#include "terminal.hpp"

namespace persist::tool {

namespace {

// The two characters of plain UTF-8 text that XML 1.0 forbids beside control characters.
constexpr std::string_view kForbidden[] = {"\xef\xbf\xbe", "\xef\xbf\xbf"};

// Text of one line for an element or an attribute, whatever the bytes.
std::string escaped(std::string_view bytes) {
  const std::string clean = printable(bytes);
  std::string_view rest = clean;
  std::string text;
  while (!rest.empty()) {
    const std::string_view three = rest.substr(0, 3);
    if (std::ranges::find(kForbidden, three) != std::end(kForbidden)) {
      text += three == kForbidden[0] ? R"(\xef\xbf\xbe)" : R"(\xef\xbf\xbf)";
      rest.remove_prefix(three.size());
      continue;
    }
    switch (const char c = rest.front()) {
      case '&':
        text += "&amp;";
        break;
      case '<':
        text += "&lt;";
        break;
      case '>':
        text += "&gt;";
        break;
      case '"':
        text += "&quot;";
        break;
      default:
        text += c;
    }
    rest.remove_prefix(1);
  }
  return text;
}

std::string escaped_lines(std::string_view lines) {
  std::string text;
  while (!lines.empty()) {
    const size_t end = std::min(lines.find('\n'), lines.size());
    text += escaped(lines.substr(0, end)) + "\n";
    lines.remove_prefix(std::min(end + 1, lines.size()));
  }
  return text;
}

// Errors, or all but errors.
std::string findings_of(const PathResult& result, bool errors) {
  std::string text;
  for (const Finding& finding : result.findings) {
    if ((finding.kind().severity == Severity::error) == errors)
      text += escaped(finding_line(finding, false)) + "\n";
  }
  return text;
}

// A path that was read, but not let through.
std::string failure_of(const PathResult& result) {
  const auto is_error = [](const Finding& finding) { return finding.kind().severity == Severity::error; };
  const auto first = std::ranges::find_if(result.findings, is_error);
  const bool found = first != result.findings.end();
  const std::string_view words = result.words;
  const std::string message = found ? first->message() : std::string(words.substr(0, words.find('\n')));
  return fmt::format("    <failure type=\"{}\" message=\"{}\">{}</failure>\n",
                     found ? first->kind().id : "refused", escaped(message), findings_of(result, true));
}

std::string case_of(const PathResult& result) {
  std::string text =
      fmt::format("  <testcase classname=\"persist.check\" name=\"{}\">\n", escaped(result.path));
  if (result.status == kTrouble) {
    text += fmt::format("    <error type=\"unreadable\" message=\"{}\"/>\n", escaped(result.words));
    return text + "  </testcase>\n";
  }
  if (result.status != kDone) text += failure_of(result);
  text += "    <system-out>" + escaped_lines(result.words) + findings_of(result, false);
  if (result.left_out > 0) text += fmt::format("... and {} more findings\n", result.left_out);
  return text + "</system-out>\n  </testcase>\n";
}

}  // namespace

std::string junit_report(const std::vector<PathResult>& results) {
  const auto unread = std::ranges::count(results, kTrouble, &PathResult::status);
  const auto passed = std::ranges::count(results, kDone, &PathResult::status);
  const auto all = std::ssize(results);
  const std::string counts =
      fmt::format(R"(tests="{}" failures="{}" errors="{}")", all, all - unread - passed, unread);
  std::string text = R"(<?xml version="1.0" encoding="UTF-8"?>)"
                     "\n";
  text +=
      fmt::format("<testsuites {}>\n<testsuite name=\"persist check\" {} skipped=\"0\">\n", counts, counts);
  for (const PathResult& result : results) text += case_of(result);
  return text + "</testsuite>\n</testsuites>\n";
}

}  // namespace persist::tool
