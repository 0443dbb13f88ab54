// What the verbs that write a set anew have in common: where it goes, and what became of it.
#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "persist/api.hpp"
#include "persist/append_set.hpp"
#include "persist/bytes.hpp"
#include "persist/finding.hpp"

namespace persist {

struct OutputOptions {
  std::string path;       // of the result; not used with in_place
  bool in_place = false;  // put it where the input is, and keep that as a backup
  bool force = false;     // replace what is there
  bool dry_run = false;   // write nothing
};

// A run of bytes of one file that the result does not have.
struct LeftOut {
  std::string file;
  Extent extent;
  std::string why;
};

struct EditSummary {
  std::string output;  // where the result is; empty for a dry run, and if there was nothing to do in place
  std::string backup;  // where the input went, in place
  std::string lost;    // the folder with what was left out; empty if there is none
  uint64_t bytes_kept = 0;
  uint64_t bytes_dropped = 0;
  uint64_t bytes_inserted = 0;
  uint64_t runs_dropped = 0;
  uint64_t commands_dropped = 0;    // whole ones
  uint64_t keys_dropped = 0;        // entries of an RDB part
  std::vector<LeftOut> first_runs;  // of those dropped, the first ones
};

// Why nothing was written. The exit status follows from the kind.
class PERSIST_API EditRefused : public std::runtime_error {
 public:
  enum class Kind : uint8_t {
    unusable,  // the request does not fit the input
    beyond,    // damage that this verb does not mend
    too_much,  // more would be lost than permitted
    changed    // the input changed meanwhile
  };
  EditRefused(Kind why, const std::string& what);
  ~EditRefused() override;
  Kind kind;
};

}  // namespace persist
