// Checking a file that is one DUMP payload.
#include "base/crc64.hpp"
#include "base/endian.hpp"
#include "ops/value_checker.hpp"
#include "persist/check.hpp"

namespace persist {

namespace {

constexpr size_t kFooterBytes = 10;

// RESTORE goes by the version in the footer as loading goes by that in the header.
std::optional<Finding> obstacle_to_restore(const DumpPayload& told, Bytes module,
                                           const CheckOptions& options) {
  RdbRecord record;
  record.body = RdbHeader{told.dialect, told.version};
  const auto ask = [&] {
    return find_obstacle(*options.target, options.version_check, told.dialect, record, {false, module});
  };
  if (std::optional<Finding> found = ask()) return found;
  RdbEntry entry;
  entry.encoding = told.encoding;
  entry.key_meta = told.key_meta;
  record.body = entry;
  return ask();
}

}  // namespace

bool is_dump_payload(Bytes bytes) {
  if (bytes.size() <= kFooterBytes) return false;
  const size_t summed = bytes.size() - sizeof(uint64_t);
  // A checksum of 0 stands for none, and proves nothing: a file of NUL bytes would have it, too.
  const auto stored = load_le<uint64_t>(bytes.data() + summed);
  return stored != 0 && crc64(0, bytes.substr(0, summed)) == stored;
}

CheckSummary check_dump_payload(Bytes payload, const std::string& file, FindingSink& findings,
                                const CheckOptions& options) {
  CheckSummary summary;
  summary.end = payload.size();
  const auto report = [&](Finding finding) {
    finding.file = file;
    if (finding.kind().reach == Reach::nothing) return findings.report(finding);
    ++(finding.kind().severity == Severity::error ? summary.errors : summary.warnings);
    if (finding.kind().severity == Severity::error) summary.reach = finding.kind().reach;
    findings.report(finding);
  };
  try {
    ValueChecker values(0);
    const DumpPayload told = read_dump_payload(payload, [](const Element&) {});
    values.begin(*told.encoding);
    const auto tell = [&](ElementSink sink) { read_dump_payload(payload, sink); };
    tell([&](const Element& element) { values.add(element); });
    values.end(tell);
    for (const Flaw& flaw : values.flaws()) report(flaw.at(file, {0, payload.size()}, *told.encoding));
    summary.has_header = summary.complete = true;
    summary.dialect = told.dialect;
    summary.version = told.version;
    summary.checksum = told.checksum;
    summary.keys = 1;
    summary.keys_by_type[static_cast<size_t>(told.encoding->type)] = 1;
    summary.valid_up_to = payload.size();
    if (options.target != nullptr) summary.obstacle = obstacle_to_restore(told, values.module(), options);
    if (summary.obstacle) report(*summary.obstacle);
  } catch (const FormatError& error) {
    report(error.finding);
  }
  return summary;
}

}  // namespace persist
