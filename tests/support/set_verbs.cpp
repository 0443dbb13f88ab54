// Running the verbs of logs and sets.
#include "support/set_verbs.hpp"

#include "aof/log_reader.hpp"
#include "ops/log_part.hpp"
#include "support/notation.hpp"
#include "support/verbs.hpp"

namespace persist::test {

namespace {

template <typename Summary>
Edited<Summary> attempt(const std::function<Summary()>& edit) {
  Edited<Summary> edited;
  try {
    edited.done = edit();
  } catch (const EditRefused& refused) {
    edited.refusal = refused.what();
    edited.refused_as = refused.kind;
  }
  return edited;
}

OutputOptions to(const std::string& output) {
  OutputOptions options;
  options.path = output;
  options.force = true;
  return options;
}

AppendSet open_any(const std::string& path, FindingList& findings) {
  return open_append_set(path, findings, {});
}

}  // namespace

std::string SetChecked::start(Bytes target) const {
  for (const StartupVerdict& verdict : summary.startup) {
    if (verdict.target->name != target) continue;
    std::string text(startup_name(verdict.startup));
    const bool has_place = verdict.startup != Startup::loads && verdict.startup != Startup::starts_empty;
    if (has_place) text += " " + verdict.file + "@" + std::to_string(verdict.offset);
    return text;
  }
  return "no such target";
}

SetChecked check_path(const std::string& path, const LogCheckOptions& options) {
  SetChecked checked;
  FindingList findings;
  checked.set = open_any(path, findings);
  const std::vector<Finding> found = findings.all;
  checked.summary = check_set(checked.set, found, findings, options);
  checked.findings = findings.all;
  return checked;
}

SetChecked check_log(Bytes bytes, const LogCheckOptions& options) {
  SetChecked checked;
  FindingList findings;
  checked.set = single_file_set("log");
  LogCheckOptions over_memory = options;
  over_memory.open = [&](const SetPart& part) { return memory_source(bytes, part.name); };
  checked.summary = check_set(checked.set, {}, findings, over_memory);
  checked.findings = findings.all;
  return checked;
}

AppendSet open_set(const std::string& path) {
  FindingList ignored;
  return open_any(path, ignored);
}

std::string problems(const std::vector<Finding>& findings) {
  std::string text;
  for (const Finding& finding : findings) {
    if (finding.kind().severity == Severity::note) continue;
    text += (text.empty() ? "" : " ") + std::string(finding.kind().id);
  }
  return text;
}

std::string all_ids(const std::vector<Finding>& findings) {
  std::string text;
  for (const std::string& id : ids_of(findings)) text += (text.empty() ? "" : " ") + id;
  return text;
}

Edited<RepairSummary> repair(const std::string& path, const std::string& output,
                             const RepairOptions& options) {
  return attempt<RepairSummary>([&] { return repair_set(open_set(path), options, to(output)); });
}

Edited<CutSummary> cut(const std::string& path, const std::string& output, const CutPoint& point) {
  return attempt<CutSummary>([&] { return cut_set(open_set(path), point, to(output), {}); });
}

std::vector<std::string> tell_log(Bytes log, uint64_t offset) {
  std::vector<std::string> lines;
  const auto source = memory_source(log);
  LogReader reader(*source, offset, Hold::whole);
  while (true) {
    switch (reader.next()) {
      case LogStep::command: {
        std::string line;
        for (const Bytes arg : reader.args()) line += (line.empty() ? "" : " ") + shown(arg);
        lines.push_back(line);
        break;
      }
      case LogStep::annotation:
        lines.push_back("#" + std::string(reader.annotation()));
        break;
      case LogStep::damage:
        lines.emplace_back("!");
        break;
      case LogStep::end:
        return lines;
    }
  }
}

bool is_subsequence(const std::vector<std::string>& part, const std::vector<std::string>& whole) {
  size_t at = 0;
  for (const std::string& line : part) {
    while (at < whole.size() && whole[at] != line) ++at;
    if (at == whole.size()) return false;
    ++at;
  }
  return true;
}

}  // namespace persist::test
