// Running the verbs and telling their findings.
#include "support/verbs.hpp"

#include <algorithm>

#include "support/bytes_builder.hpp"

namespace persist::test {

Checked check(ByteSource& source, CheckOptions options) {
  if (options.threads == 0) options.threads = 1;
  FindingList findings;
  const CheckSummary summary = check_rdb(source, findings, options);
  return {summary, findings.all};
}

Checked check(ByteSource& source, unsigned threads) {
  CheckOptions options;
  options.threads = threads;
  return check(source, options);
}

Checked check(Bytes file, const CheckOptions& options) { return check(*memory_source(file), options); }

Checked check(Bytes file) { return check(file, CheckOptions{}); }

Dumped dump(ByteSource& source, DumpOptions options) {
  if (options.threads == 0) options.threads = 1;
  FindingList findings;
  StringSink output;
  const DumpSummary summary = dump_rdb(source, output, findings, options);
  return {summary, output.text, findings.all};
}

Dumped dump(ByteSource& source, unsigned threads) {
  DumpOptions options;
  options.threads = threads;
  return dump(source, options);
}

Dumped dump(Bytes file, const DumpOptions& options) { return dump(*memory_source(file), options); }

Dumped dump(Bytes file) { return dump(file, DumpOptions{}); }

std::vector<std::string> ids_of(const std::vector<Finding>& findings) {
  std::vector<std::string> ids;
  for (const Finding& finding : findings) ids.emplace_back(finding.kind().id);
  return ids;
}

bool has(const std::vector<Finding>& findings, FindingCode code) {
  return std::ranges::any_of(findings, [&](const Finding& finding) { return finding.code == code; });
}

std::string line_of(const Finding& finding) {
  std::string line = finding.file + ":" + std::to_string(finding.extent.offset) + "+" +
                     std::to_string(finding.extent.size) + " " + std::string(finding.kind().id) + " " +
                     finding.message() + " [" + finding.record + "]";
  if (finding.inflated_offset) line += " inflated " + std::to_string(*finding.inflated_offset);
  if (finding.db) line += " db " + std::to_string(*finding.db);
  if (finding.key) line += " key " + *finding.key;
  return line + " context " + std::to_string(finding.context_offset) + " " + hex(finding.context);
}

std::vector<std::string> lines_of(const std::vector<Finding>& findings) {
  std::vector<std::string> lines;
  for (const Finding& finding : findings) lines.push_back(line_of(finding));
  return lines;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

std::vector<std::string> split_lines(Bytes text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

}  // namespace persist::test
