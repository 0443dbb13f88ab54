// What each was expected to be.
#include "ops/salvage_findings.hpp"

namespace persist {

namespace {

Finding of_record(FindingCode code, const std::string& file, Extent extent) {
  Finding finding;
  finding.code = code;
  finding.file = file;
  finding.extent = extent;
  return finding;
}

}  // namespace

Finding zeroed_record(const std::string& file, Extent extent) {
  Finding finding = of_record(FindingCode::rdb_zeroed, file, extent);
  finding.subject = "record";
  finding.expected = "a key and its value";
  finding.found = "NUL bytes";
  return finding;
}

Finding spoilt_library(const std::string& file, Extent extent) {
  Finding finding = of_record(FindingCode::function_shebang, file, extent);
  finding.subject = "function library";
  finding.expected = "text";
  finding.found = "control bytes";
  return finding;
}

Finding early_end(const std::string& file, uint64_t offset) {
  Finding finding = of_record(FindingCode::rdb_unknown_code, file, {offset, 1});
  finding.subject = "EOF opcode";
  finding.expected = "the end of the data";
  finding.found = "records behind it";
  return finding;
}

}  // namespace persist
