// One number that tells whether two datasets are the same: that of DEBUG DIGEST, as the server of your choice
// would answer it, or a fuller one. persist-digest(1)
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "persist/api.hpp"
#include "persist/append_set.hpp"
#include "persist/filter.hpp"
#include "persist/finding.hpp"
#include "persist/replay.hpp"
#include "persist/source.hpp"
#include "persist/target.hpp"

namespace persist {

struct DigestOptions {
  bool full = false;  // our own digest instead of DEBUG DIGEST
  bool fast = false;  // with `full`: by a hash that is faster and no promise: to compare two made at one time
  const Target* server = nullptr;  // whose DEBUG DIGEST; null: that of the server that wrote the file
  const Filter* filter = nullptr;  // null: everything
  unsigned threads = 0;            // 0: as many as are useful
  // Of a log: hash fields whose time is up then are not counted, nor is a hash that has no others.
  std::optional<int64_t> hide_fields_past_ms;
  std::function<void(uint64_t offset)> progress;
};

struct DigestSummary {
  bool has_header = false;
  bool complete = false;
  uint64_t keys = 0;     // whole ones in the file, or at the end of the log
  uint64_t counted = 0;  // of these, what the filter let through
  uint64_t errors = 0;
  Reach reach = Reach::nothing;

  std::string server;    // whose DEBUG DIGEST it is: "redis-7.2"; empty if it is the full one
  std::string obstacle;  // why there is no digest although the file can be read; then these are empty:
  std::string digest;    // 40 hexadecimal digits
  std::vector<std::pair<uint64_t, std::string>> dbs;  // of each db that has keys, ascending
  std::string libraries;                              // of the function libraries alone; empty without any
};

// Of a damaged file: the digest of what is whole. Findings arrive in the order of the file.
// Throws std::system_error when reading fails.
PERSIST_API DigestSummary digest_rdb(ByteSource& source, FindingSink& findings, const DigestOptions& options);

struct LogDigestSummary {
  ReplaySummary replay;
  DigestSummary digest;
};

// The same for a log: the digest of what a server would hold behind it, held in memory. Of the two digests,
// the options ask for one; whose rules the replay follows is asked for by `replay`. What damage leaves has a
// digest too; nothing has, if a command cannot be replayed.
PERSIST_API LogDigestSummary digest_log(const AppendSet& set, FindingSink& findings,
                                        const DigestOptions& options, const ReplayOptions& replay);

}  // namespace persist
