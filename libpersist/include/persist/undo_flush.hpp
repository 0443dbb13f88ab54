// Finds the commands that emptied databases, tells what they cost, and writes a log without them.
// persist-undo-flush(1)
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "persist/api.hpp"
#include "persist/append_set.hpp"
#include "persist/edit.hpp"
#include "persist/encoding.hpp"
#include "persist/replay.hpp"
#include "persist/source.hpp"

namespace persist {

// Keys of one type in one database. A list of them is ascending by both, and has none of no keys.
struct KeyCount {
  uint64_t db = 0;
  ValueType type{};
  uint64_t keys = 0;

  bool operator==(const KeyCount&) const = default;
};
using KeyCounts = std::vector<KeyCount>;
PERSIST_API uint64_t sum_of(const KeyCounts& counts);

// A FLUSHALL or FLUSHDB, or the text of a script that may hold one.
struct Flush {
  std::string file;  // the name of the part
  Extent extent;
  uint64_t index = 0;   // of the command in the set
  std::string command;  // "FLUSHALL ASYNC", as it stands there
  bool all = false;     // not only its db
  uint64_t db = 0;
  bool in_multi = false;
  bool torn = false;              // in a damaged tail: its transaction has no end, and servers never ran it
  bool is_script = false;         // then only the text tells, and leaving it out leaves out all that it did
  std::optional<int64_t> time_s;  // of the timestamp annotation before it
  // Without one: what times near it say. Milliseconds since the epoch; an estimate.
  std::optional<int64_t> not_before_ms;
  std::optional<int64_t> not_after_ms;
  uint64_t commands_before = 0;  // in the set
  uint64_t commands_after = 0;
  std::optional<KeyCounts> wiped;  // by count_flushed(), if it was run
};

struct FlushReport {
  std::vector<Flush> flushes;  // of the set, in the order of replay
  // The same of files that servers do not load: their data may be of before a rewrite. Indexes count from
  // their own beginning.
  std::vector<Flush> elsewhere;
  std::vector<std::string> other_files;  // that hold commands or keys, history files first
  uint64_t commands = 0;
  bool has_base_keys = false;                // the base holds keys
  std::optional<int64_t> base_written_at_s;  // of its RDB part
  std::optional<LeftOut> tail;               // damage behind the last command
  // Of the parts, for undo_flushes(): not all can be opened twice.
  std::vector<std::shared_ptr<ByteSource>> sources;
};

// Throws EditRefused for damage that has to be repaired first, std::system_error.
PERSIST_API FlushReport find_flushes(const AppendSet& set);

struct EndCounts {
  KeyCounts keys;
  // Why the log could not be replayed up to its end, or to its damaged tail: there were more keys, or fewer.
  std::optional<Finding> obstacle;
};

// Replays the set, holding the dataset in memory; fills in what each flush of the report took away, and tells
// what is there in the end. What is wrong with the set is not reported again. Throws std::system_error.
PERSIST_API EndCounts count_flushed(const AppendSet& set, FlushReport& report, const ReplayOptions& options);

// What would be there in the end without some of the flushes.
PERSIST_API EndCounts count_without(const AppendSet& set, const FlushReport& report,
                                    const std::vector<Flush>& flushes, const ReplayOptions& options);

// Writes the set without some of the flushes that find_flushes() has reported of it, in their order.
PERSIST_API EditSummary undo_flushes(const AppendSet& set, const FlushReport& report,
                                     const std::vector<Flush>& flushes, const OutputOptions& output,
                                     const std::vector<std::string>& known);

}  // namespace persist
