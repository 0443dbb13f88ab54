// Every small file cut at every byte and with every byte changed. Whatever was done to it: nothing crashes,
// the reader, the check and the dump agree, every line is valid JSON, and nothing is invented before the
// damage.
#include <doctest/doctest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "support/bytes_builder.hpp"
#include "support/notation.hpp"
#include "support/small_files.hpp"
#include "support/verbs.hpp"
#include "support/violations.hpp"

using namespace persist;
using namespace persist::test;

namespace {

// Large enough for one file of each producer; the work grows with the square of it.
constexpr size_t kCutBytesMax = 8192;
constexpr size_t kChangeBytesMax = 1700;
constexpr size_t kSampleBytesMax = 600;

// Everything that is to be known of a damaged file.
struct Account {
  std::vector<std::string> keys;   // as the reader tells them
  std::vector<std::string> lines;  // as the dump writes them
  Checked checked;
  bool complete = false;
};

bool has_error(const std::vector<Finding>& findings) {
  return std::ranges::any_of(
      findings, [](const Finding& finding) { return finding.kind().severity == Severity::error; });
}

// lzf.damaged and lzf.length-mismatch are one thing, seen from two sides.
Bytes family(const Finding& finding) {
  const Bytes id = finding.kind().id;
  return id.substr(0, id.find('.'));
}

// Reads, checks and dumps the file, and holds the three against each other.
Account account_of(const std::string& file, Violations& violations, const std::string& where) {
  const auto expect = [&](bool holds, const char* what) { violations.expect(holds, what, where); };
  Account account;
  const Told told = tell(file);
  account.keys = told.lines;
  account.complete = told.complete;
  account.checked = check(file);
  const Dumped dumped = dump(file);
  account.lines = split_lines(dumped.text);
  for (const std::string& line : account.lines) expect(nlohmann::json::accept(line), "a line is no JSON");
  const CheckSummary& summary = account.checked.summary;
  expect(account.lines.size() == account.keys.size(), "dump and reader differ in keys");
  expect(summary.keys == account.keys.size(), "check and reader differ in keys");
  expect(dumped.summary.keys == account.keys.size(), "the dump's count of keys is not the reader's");
  expect(summary.complete == told.complete, "check and reader differ in the end");
  expect(dumped.summary.complete == told.complete, "dump and reader differ in the end");
  expect(summary.sound() == !has_error(account.checked.findings), "sound() and findings differ");
  expect(summary.valid_up_to <= file.size() && summary.end <= file.size(), "an offset beyond the end");
  for (const Finding& finding : account.checked.findings)
    expect(finding.extent.offset <= file.size(), "a finding beyond the end");
  for (const Finding& finding : dumped.findings) {
    const bool same = std::ranges::any_of(account.checked.findings, [&](const Finding& other) {
      return family(other) == family(finding) && other.extent == finding.extent;
    });
    expect(same, "the dump finds what the check does not");
  }
  return account;
}

bool is_prefix(const std::vector<std::string>& part, const std::vector<std::string>& whole) {
  return part.size() <= whole.size() && std::equal(part.begin(), part.end(), whole.begin());
}

// How many of the keys end before `offset`.
size_t keys_before(const std::vector<uint64_t>& ends, uint64_t offset) {
  return static_cast<size_t>(std::ranges::upper_bound(ends, offset) - ends.begin());
}

// Where each key's record ends.
std::vector<uint64_t> key_ends(const std::string& file) {
  std::vector<uint64_t> ends;
  FindingList findings;
  const auto source = memory_source(file);
  RdbReader reader(*source, findings);
  while (const RdbRecord* record = reader.next()) {
    if (std::holds_alternative<RdbEntry>(record->body)) ends.push_back(record->extent.end());
  }
  return ends;
}

// One file, what is known of it whole, and what is done to it.
class Victim {
 public:
  Victim(const SmallFile& file, Violations& violations)
      : file_(file),
        violations_(violations),
        whole_(account_of(file.bytes, violations, file.name)),
        ends_(key_ends(file.bytes)) {}

  [[nodiscard]] const Account& whole() const { return whole_; }

  // Only whether the check calls the rest sound: a tenth of the work.
  void cut_and_check(size_t at) {
    const std::string where = file_.name + " cut at " + std::to_string(at);
    const CheckSummary summary = check(file_.bytes.substr(0, at)).summary;
    violations_.expect(summary.keys == keys_before(ends_, at), "other keys than those before the cut", where);
    violations_.expect(!summary.sound(), "a cut file is called sound", where);
    violations_.expect(!summary.complete, "a cut file is called complete", where);
  }

  void cut(size_t at) {
    const std::string where = file_.name + " cut at " + std::to_string(at);
    const Account account = account_of(file_.bytes.substr(0, at), violations_, where);
    violations_.expect(account.keys.size() == keys_before(ends_, at), "other keys than those before the cut",
                       where);
    violations_.expect(is_prefix(account.keys, whole_.keys), "keys are no prefix", where);
    violations_.expect(is_prefix(account.lines, whole_.lines), "lines are no prefix", where);
    violations_.expect(!account.checked.summary.sound(), "a cut file is called sound", where);
    violations_.expect(!account.complete, "a cut file is called complete", where);
    const uint64_t valid = account.checked.summary.valid_up_to;
    violations_.expect(valid <= at, "more is called valid than there is", where);
    violations_.expect(account.keys.empty() || valid >= ends_[account.keys.size() - 1],
                       "whole keys are called damaged", where);
  }

  void change(size_t at, size_t size, const std::string& replacement) {
    std::string changed = file_.bytes;
    changed.replace(at, size, replacement);
    if (changed == file_.bytes) return;
    const std::string where = file_.name + " at " + std::to_string(at) + " becomes " + hex(replacement);
    const Account account = account_of(changed, violations_, where);
    // The header may make another dialect of everything behind it.
    if (at < kHeaderBytes) return;
    const size_t before = keys_before(ends_, at);
    const auto kept = [&](const std::vector<std::string>& now, const std::vector<std::string>& then) {
      return now.size() >= before &&
             std::equal(then.begin(), then.begin() + static_cast<ptrdiff_t>(before), now.begin());
    };
    violations_.expect(kept(account.keys, whole_.keys), "keys before the damage are gone", where);
    violations_.expect(kept(account.lines, whole_.lines), "lines before the damage are gone", where);
  }

 private:
  static constexpr size_t kHeaderBytes = 9;

  const SmallFile& file_;
  Violations& violations_;
  Account whole_;
  std::vector<uint64_t> ends_;
};

}  // namespace

TEST_CASE("small files: whole, they are sound") {
  Violations violations;
  const std::vector<SmallFile> files = small_files(kCutBytesMax);
  for (const SmallFile& file : files) {
    CAPTURE(file.name);
    const Account account = account_of(file.bytes, violations, file.name);
    CHECK(account.complete);
    CHECK(account.checked.summary.sound());
    CHECK(account.checked.summary.valid_up_to == file.bytes.size());
  }
  violations.report();
}

TEST_CASE("cut at every byte: what is left is a prefix, and never sound") {
  Violations violations;
  for (const SmallFile& file : small_files(kCutBytesMax)) {
    Victim victim(file, violations);
    // Files of servers are many and alike: there, not everything is looked at everywhere.
    const size_t step = file.bytes.size() > kSampleBytesMax ? 7 : 1;
    for (size_t at = 0; at < file.bytes.size(); ++at) {
      if (at % step == 0)
        victim.cut(at);
      else
        victim.cut_and_check(at);
    }
  }
  violations.report();
}

TEST_CASE("bits flipped, bytes zeroed and filled, everywhere") {
  Violations violations;
  for (const SmallFile& file : small_files(kChangeBytesMax)) {
    Victim victim(file, violations);
    const bool large = file.bytes.size() > kSampleBytesMax;
    for (size_t at = 0; at < file.bytes.size(); ++at) {
      const char byte = file.bytes[at];
      for (size_t bit = 0; bit < 8; ++bit) {
        if (large && bit != at % 8) continue;
        victim.change(at, 1, std::string(1, static_cast<char>(byte ^ (1 << bit))));
      }
      if (large) continue;
      victim.change(at, 1, std::string(1, '\0'));
      victim.change(at, 1, std::string(1, '\xff'));
    }
  }
  violations.report();
}

TEST_CASE("lengths of 2^63, 2^60 and 2^64-1 everywhere") {
  Violations violations;
  for (const SmallFile& file : small_files(kSampleBytesMax)) {
    Victim victim(file, violations);
    for (size_t at = 9; at < file.bytes.size(); ++at) {
      for (const uint64_t value : {uint64_t{1} << 63, uint64_t{1} << 60, ~uint64_t{0}})
        victim.change(at, 1, long_length(value));
    }
  }
  violations.report();
}

TEST_CASE("bytes taken out and put in twice, everywhere") {
  Violations violations;
  for (const SmallFile& file : small_files(kSampleBytesMax)) {
    Victim victim(file, violations);
    for (size_t at = 9; at < file.bytes.size(); ++at) {
      victim.change(at, 1, "");
      victim.change(at, 1, std::string(2, file.bytes[at]));
    }
  }
  violations.report();
}
