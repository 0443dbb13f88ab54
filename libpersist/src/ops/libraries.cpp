// Checking function libraries. man/persist-rdb.5, FUNCTIONS
#include "ops/libraries.hpp"

#include <algorithm>

namespace persist {

namespace {

void report(FindingSink& findings, FindingCode code, const std::string& file, Extent where,
            std::string expected, std::string found) {
  Finding finding;
  finding.code = code;
  finding.file = file;
  finding.extent = where;
  finding.subject = "function library";
  finding.expected = std::move(expected);
  finding.found = std::move(found);
  finding.record = "function";
  findings.report(finding);
}

}  // namespace

Bytes library_name(Bytes code) {
  constexpr Bytes kName = "name=";
  if (!code.starts_with("#!")) return {};
  Bytes line = code.substr(0, code.find('\n'));
  while (!line.empty()) {
    const size_t begin = std::min(line.find_first_not_of(" \t\r"), line.size());
    const Bytes word = line.substr(begin, line.find_first_of(" \t\r", begin) - begin);
    if (word.starts_with(kName)) return word.substr(kName.size());
    line.remove_prefix(begin + word.size());
  }
  return {};
}

bool is_library_text(Bytes code) {
  return std::ranges::none_of(
      code, [](char c) { return (c >= 0 && c < ' ' && c != '\t' && c != '\r' && c != '\n') || c == '\x7f'; });
}

void Libraries::check(Extent where, const FunctionLibrary& library, const std::string& file,
                      FindingSink& findings) {
  const Bytes name = library.pre_release ? library.name : library_name(library.code);
  if (name.empty()) {
    report(findings, FindingCode::function_shebang, file, where, "a first line such as #!lua name=mylib",
           "\"" + std::string(library.code.substr(0, 40)) + "\"");
  } else if (!names_.emplace(name).second) {
    report(findings, FindingCode::function_duplicate, file, where, "each name once",
           "\"" + std::string(name) + "\" again");
  }
}

}  // namespace persist
