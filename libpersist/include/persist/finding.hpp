// What is wrong with a file, as data: a code out of one table, a place, and what was expected and found
// there.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "persist/api.hpp"
#include "persist/bytes.hpp"

namespace persist {

enum class Severity : uint8_t { note, warning, error };

// How much of a file an error of this kind puts in doubt: only what follows it to the end, or more.
enum class Reach : uint8_t { nothing, tail, beyond };

enum class FindingCode : uint16_t {
#define PERSIST_FINDING(name, id, severity, reach, sentence, action) name,
#include "persist/finding_codes.def"
#undef PERSIST_FINDING
};

// One row of the table. The ids are stable: scripts and persist-findings(7) use them.
struct FindingKind {
  FindingCode code;
  Bytes id;
  Severity severity;
  Reach reach;
  Bytes sentence;  // what it means
  Bytes action;    // what to do next
};

PERSIST_API std::span<const FindingKind> finding_kinds();
PERSIST_API const FindingKind& finding_kind(FindingCode code);
PERSIST_API Bytes severity_name(Severity severity);

struct Finding {
  FindingCode code{};
  std::string file;
  Extent extent;         // where in the file
  std::string subject;   // what was being read, a short noun: "listpack entry length"
  std::string expected;  // both may be empty where they would say nothing
  std::string found;
  std::optional<uint64_t> db;
  std::optional<std::string> key;
  std::string record;  // the record it is in: "hash-listpack", "aux"
  // Set when the place is inside a compressed string, which then begins at extent.offset: the byte of the
  // inflated string.
  std::optional<uint64_t> inflated_offset;
  // Bytes around the place, and the offset (in the file, or in the inflated string) of the first of them.
  std::string context;
  uint64_t context_offset = 0;

  [[nodiscard]] const FindingKind& kind() const { return finding_kind(code); }
  // "listpack entry length: expected at most 118, found 4096"
  [[nodiscard]] PERSIST_API std::string message() const;
};

// Takes findings in the order of the file. Called by one thread at a time.
class PERSIST_API FindingSink {
 public:
  virtual ~FindingSink();
  virtual void report(const Finding& finding) = 0;
};

// Keeps what it is told.
class PERSIST_API FindingList : public FindingSink {
 public:
  void report(const Finding& finding) override { all.push_back(finding); }
  std::vector<Finding> all;
};

// How a decoder says that the bytes make no sense. Readers turn it into a report; only code that decodes
// without a reader sees it.
class PERSIST_API FormatError : public std::runtime_error {
 public:
  explicit FormatError(Finding what);
  ~FormatError() override;
  Finding finding;
};

}  // namespace persist
