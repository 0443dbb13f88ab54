// The files that --report names.
#include "ci_report.hpp"

#include <cstdio>
#include <filesystem>
#include <stdexcept>

#include "persist/source.hpp"

namespace persist::tool {

struct CiReports::Format {
  std::string_view name;
  std::string (*make)(const std::vector<PathResult>& results);
  std::string_view beginning;  // of every such report
};

const CiReports::Format CiReports::kFormats[] = {
    {"junit", junit_report, "<?xml "},
    {"sarif", sarif_report, "{\"$schema\":"},
};

namespace {

// One word too few on the command line, and the file to replace is the backup to check.
void refuse_other_content(const std::string& file, std::string_view beginning) {
  if (!std::filesystem::is_regular_file(file)) return;
  const Window head = open_source(file)->window(0, beginning.size());
  if (head.bytes.empty() || head.bytes.starts_with(beginning)) return;
  throw std::invalid_argument("--report: " + file + " exists and is no such report: it is left as it is");
}

}  // namespace

CiReports::CiReports(const std::vector<std::pair<std::string, std::string>>& wanted) {
  for (const auto& [name, file] : wanted) {
    const Format* format = nullptr;
    for (const Format& known : kFormats) {
      if (known.name == name) format = &known;
    }
    if (format == nullptr)
      throw std::invalid_argument("--report " + name + ": expected junit FILE or sarif FILE");
    refuse_other_content(file, format->beginning);
    files_.push_back({format, std::make_unique<AtomicFile>(file, Existing::replace)});
  }
}

void CiReports::add(PathResult result) {
  if (any()) results_.push_back(std::move(result));
}

void CiReports::write() {
  // Should a report go to standard output, it comes behind what is there.
  std::fflush(stdout);
  for (File& file : files_) {
    file.output->write(file.format->make(results_));
    file.output->commit();
  }
}

}  // namespace persist::tool
