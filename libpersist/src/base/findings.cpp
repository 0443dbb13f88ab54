// The table of findings, and the sentences made of one.
#include <array>

#include "persist/finding.hpp"

namespace persist {

namespace {

constexpr FindingKind kKinds[] = {
#define PERSIST_FINDING(name, id, severity, reach, sentence, action) \
  {FindingCode::name, id, Severity::severity, Reach::reach, sentence, action},
#include "persist/finding_codes.def"
#undef PERSIST_FINDING
};

constexpr std::array<Bytes, 3> kSeverityNames = {"note", "warning", "error"};

}  // namespace

std::span<const FindingKind> finding_kinds() { return kKinds; }

const FindingKind& finding_kind(FindingCode code) { return kKinds[static_cast<size_t>(code)]; }

Bytes severity_name(Severity severity) { return kSeverityNames[static_cast<size_t>(severity)]; }

std::string Finding::message() const {
  std::string text = subject.empty() ? std::string(kind().sentence) : subject;
  if (text.ends_with('.') && !(expected.empty() && found.empty())) text.pop_back();
  if (!expected.empty()) text += ": expected " + expected;
  if (!found.empty()) text += (expected.empty() ? ": found " : ", found ") + found;
  return text;
}

FindingSink::~FindingSink() = default;

FormatError::FormatError(Finding what) : std::runtime_error(what.message()), finding(std::move(what)) {}

FormatError::~FormatError() = default;

}  // namespace persist
