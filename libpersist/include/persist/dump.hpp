// Writes the key space of an RDB file or a log as JSON Lines, or the records of an RDB file with their places
// and bytes.
// persist-dump(1)
#pragma once

#include <functional>
#include <optional>

#include "persist/api.hpp"
#include "persist/append_set.hpp"
#include "persist/check.hpp"
#include "persist/filter.hpp"
#include "persist/finding.hpp"
#include "persist/replay.hpp"
#include "persist/salvage.hpp"
#include "persist/sink.hpp"
#include "persist/source.hpp"

namespace persist {

struct DumpOptions {
  const Filter* filter = nullptr;  // null: everything
  bool meta = false;               // also records that are no keys
  bool annotate = false;           // records with offset, size and bytes instead of JSON
  size_t annotate_bytes = 32;      // how many of them
  // With meta, of damaged data that was salvaged: what is to be said of the record at an offset. Called by
  // several threads.
  std::function<SalvageLabel(uint64_t offset)> label;
  unsigned threads = 0;  // 0: as many as are useful
  // Of a log: hash fields whose time is up then are not shown, nor is a hash that has no others.
  std::optional<int64_t> hide_fields_past_ms;
  std::function<void(uint64_t offset)> progress;
};

struct DumpSummary {
  bool has_header = false;
  bool complete = false;
  uint64_t keys = 0;     // whole ones in the file
  uint64_t written = 0;  // of these, what the filter let through
  uint64_t errors = 0;
  Reach reach = Reach::nothing;
};

// A value that is damaged is left out whole: there is never half a line. Findings arrive in the order of the
// file. Throws std::system_error when reading or writing fails.
PERSIST_API DumpSummary dump_rdb(ByteSource& source, ByteSink& output, FindingSink& findings,
                                 const DumpOptions& options);

struct LogDumpSummary {
  ReplaySummary replay;
  uint64_t written = 0;  // keys that the filter let through
};

// The same for a log: the key space that a server would hold behind it, held in memory. Keys come by
// database, in the order in which they were created; members and fields in that of their bytes. What damage
// leaves is dumped too; nothing is, if a command cannot be replayed.
PERSIST_API LogDumpSummary dump_log(const AppendSet& set, ByteSink& output, FindingSink& findings,
                                    const DumpOptions& options, const ReplayOptions& replay);

// The one value of a DUMP payload, as a line without db and key.
PERSIST_API DumpSummary dump_payload(Bytes payload, const std::string& file, ByteSink& output,
                                     FindingSink& findings);

}  // namespace persist
