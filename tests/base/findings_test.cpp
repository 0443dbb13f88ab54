// The table of findings: what scripts and the manual rely on.
#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "persist/finding.hpp"

using namespace persist;

namespace {

bool is_id(Bytes id) {
  const bool letters = std::ranges::all_of(
      id, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-'; });
  return letters && std::ranges::count(id, '.') == 1 && id.front() != '.' && id.back() != '.';
}

}  // namespace

TEST_CASE("findings: every row is whole, and in its place") {
  size_t place = 0;
  for (const FindingKind& kind : finding_kinds()) {
    CAPTURE(kind.id);
    CHECK(static_cast<size_t>(kind.code) == place++);
    CHECK(&finding_kind(kind.code) == &kind);
    CHECK(is_id(kind.id));
    CHECK(kind.sentence.ends_with('.'));
    CHECK(kind.action.ends_with('.'));
    CHECK(kind.sentence.size() > 10);
    CHECK(kind.action.size() > 10);
  }
}

TEST_CASE("findings: ids and sentences are unique") {
  std::set<Bytes> ids;
  std::set<Bytes> sentences;
  for (const FindingKind& kind : finding_kinds()) {
    CAPTURE(kind.id);
    CHECK(ids.insert(kind.id).second);
    CHECK(sentences.insert(kind.sentence).second);
  }
}

TEST_CASE("findings: reach goes with severity") {
  for (const FindingKind& kind : finding_kinds()) {
    CAPTURE(kind.id);
    if (kind.severity != Severity::error) CHECK(kind.reach == Reach::nothing);
    if (kind.severity != Severity::error) continue;
    // What a target or a gate would refuse, or a replay cannot follow, is no damage of the file; every other
    // error puts something in doubt.
    constexpr Bytes kOfOthers[] = {"target.", "gate.", "replay."};
    const bool about_file =
        std::ranges::none_of(kOfOthers, [&](Bytes prefix) { return kind.id.starts_with(prefix); });
    CHECK((kind.reach == Reach::nothing) != about_file);
  }
}

TEST_CASE("findings: the message says what it has") {
  Finding finding;
  finding.code = FindingCode::rdb_truncated;
  CHECK(finding.message() == finding.kind().sentence);
  finding.subject = "listpack entry length";
  CHECK(finding.message() == "listpack entry length");
  finding.found = "4096";
  CHECK(finding.message() == "listpack entry length: found 4096");
  finding.expected = "at most 118";
  CHECK(finding.message() == "listpack entry length: expected at most 118, found 4096");
  finding.found.clear();
  CHECK(finding.message() == "listpack entry length: expected at most 118");
}

TEST_CASE("findings: severities have names") {
  CHECK(severity_name(Severity::note) == "note");
  CHECK(severity_name(Severity::warning) == "warning");
  CHECK(severity_name(Severity::error) == "error");
}

TEST_CASE("FormatError carries its finding") {
  Finding finding;
  finding.code = FindingCode::lzf_damaged;
  finding.extent = {7, 3};
  const FormatError error(finding);
  CHECK(error.finding.extent == Extent{7, 3});
  CHECK(std::string(error.what()) == finding.message());
}
