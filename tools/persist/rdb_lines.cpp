// One check, told in the original's words. persist-check(1), RDB-CHECK
#include "rdb_lines.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include "options.hpp"
#include "persist/check.hpp"
#include "terminal.hpp"

namespace persist::tool {

namespace {

// A line of the walk. They are printed in the end, those before the first error only.
struct Line {
  uint64_t record_offset;
  uint64_t offset;
  std::string text;
};

class FirstError : public FindingSink {
 public:
  void report(const Finding& finding) override {
    const bool fatal =
        finding.kind().severity == Severity::error || finding.code == FindingCode::rdb_unknown_version;
    if (fatal && !first_) first_ = finding;
  }
  [[nodiscard]] const std::optional<Finding>& first() const { return first_; }

 private:
  std::optional<Finding> first_;
};

std::optional<std::string> line_of(const RdbRecord& record) {
  if (const auto* aux = std::get_if<AuxField>(&record.body)) {
    return fmt::format("AUX FIELD {} = '{}'", printable(aux->name), printable(aux->value));
  }
  if (const auto* select = std::get_if<SelectDb>(&record.body))
    return fmt::format("Selecting DB ID {}", select->db);
  if (const auto* aux = std::get_if<ModuleAux>(&record.body))
    return fmt::format("MODULE AUX for: {}", aux->module);
  const auto* end = std::get_if<RdbEnd>(&record.body);
  if (end == nullptr) return std::nullopt;
  if (end->checksum == ChecksumState::good) return "Checksum OK";
  if (end->checksum == ChecksumState::disabled) {
    return "RDB file was saved with checksum disabled: no check performed.";
  }
  return std::nullopt;
}

// What the original says of such a finding; ours where it has no words for it.
std::string message_of(const Finding& finding, const CheckSummary& summary) {
  switch (finding.code) {
    case FindingCode::input_empty:
    case FindingCode::source_shrank:
    case FindingCode::rdb_truncated:
      return "Unexpected EOF reading RDB file";
    case FindingCode::rdb_checksum:
      return "RDB CRC error";
    case FindingCode::rdb_unknown_code: {
      const auto code = static_cast<unsigned>(std::strtoul(finding.found.c_str(), nullptr, 16));
      return fmt::format("Invalid object type: {}", code);
    }
    case FindingCode::rdb_bad_version:
    case FindingCode::rdb_unknown_version:
      return fmt::format("Can't handle RDB format version {}", summary.version);
    default:
      break;
  }
  if (finding.kind().id.starts_with("input.")) return "Wrong signature trying to load DB from file";
  return printable(finding.message());
}

// Which step the original would name.
std::string_view state_of(const Finding& finding) {
  if (finding.kind().id.starts_with("input.") || !finding.kind().id.starts_with("rdb.")) {
    return finding.key ? "read-object-value" : "start";
  }
  if (finding.key) return "read-object-value";
  const auto begins = [&](std::string_view noun) { return finding.subject.starts_with(noun); };
  if (begins("magic") || begins("version")) return "start";
  if (begins("checksum")) return "check-sum";
  if (begins("key") && finding.code != FindingCode::rdb_duplicate_key) return "read-key";
  if (begins("AUX")) return "read-aux";
  if (begins("expiry")) return "read-expire";
  if (begins("function")) return "read-functions";
  if (begins("module")) return "read-module-aux";
  if (begins("opcode")) return "read-type";
  return "read-len";
}

// The original tells where its reader stood: behind the byte or checksum that it could not accept, or where
// it had begun to read what was cut off.
uint64_t offset_of(const Finding& finding) {
  const bool behind =
      finding.code == FindingCode::rdb_checksum || finding.code == FindingCode::rdb_unknown_code;
  return behind ? finding.extent.end() : finding.extent.offset;
}

void print_error(const Finding& finding, const CheckSummary& summary) {
  fmt::print("--- RDB ERROR DETECTED ---\n");
  fmt::print("[offset {}] {}\n", offset_of(finding), message_of(finding, summary));
  fmt::print("[additional info] While doing: {}\n", state_of(finding));
  if (!finding.key) return;
  fmt::print("[additional info] Reading key '{}'\n", printable(*finding.key));
  const auto all = encodings();
  const auto encoding = std::ranges::find(all, Bytes(finding.record), &Encoding::label);
  if (encoding != all.end()) {
    fmt::print("[additional info] Reading type {} ({})\n", (*encoding)->code, (*encoding)->label);
  }
}

}  // namespace

RdbVerdict print_rdb_check(ByteSource& source, std::string_view name) {
  fmt::print("[offset 0] Checking RDB file {}\n", printable(name));
  std::vector<Line> lines;
  FirstError errors;
  CheckOptions options;
  options.now_ms = wall_clock_ms();
  options.observe = [&](const RdbRecord& record, uint64_t offset) {
    if (std::optional<std::string> text = line_of(record))
      lines.push_back({record.extent.offset, offset, std::move(*text)});
  };
  const CheckSummary summary = check_rdb(source, errors, options);
  const std::optional<Finding>& error = errors.first();
  for (const Line& line : lines) {
    if (!error || line.record_offset < error->extent.offset)
      fmt::print("[offset {}] {}\n", line.offset, line.text);
  }
  if (error)
    print_error(*error, summary);
  else
    fmt::print("[offset {}] \\o/ RDB looks OK! \\o/\n", summary.end);
  fmt::print("[info] {} keys read\n[info] {} expires\n[info] {} already expired\n", summary.keys,
             summary.volatile_keys, summary.expired);
  if (summary.volatile_fields > 0) fmt::print("[info] {} subexpires\n", summary.volatile_fields);
  return {!error, summary.end};
}

}  // namespace persist::tool
