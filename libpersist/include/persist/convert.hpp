// Turns a dataset from any form into any other. persist-convert(1)
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "persist/api.hpp"
#include "persist/append_set.hpp"
#include "persist/edit.hpp"
#include "persist/filter.hpp"
#include "persist/finding.hpp"
#include "persist/key_changes.hpp"
#include "persist/loss.hpp"
#include "persist/rdb_writer.hpp"
#include "persist/replay.hpp"
#include "persist/sink.hpp"
#include "persist/source.hpp"

namespace persist {

enum class OutputForm : uint8_t {
  rdb,
  aof,    // an append directory, or for targets before 7.0 one file
  resp,   // commands for a server's port
  jsonl,  // as `dump`
  csv,
  dump  // JSON Lines with DUMP payloads
};
PERSIST_API Bytes output_form_name(OutputForm form);
// Absent if there is none of that name.
PERSIST_API std::optional<OutputForm> find_output_form(Bytes name);

// One of them; what they point to must outlive the work.
struct ConvertInput {
  ByteSource* rdb = nullptr;
  ByteSource* json = nullptr;      // lines of `dump`
  const AppendSet* log = nullptr;  // replayed into memory first
  ReplayOptions replay;            // of a log
  uint64_t errors = 0;             // that opening it has found: it is damaged whatever comes of reading it
};

struct ConvertOptions {
  OutputForm to = OutputForm::rdb;
  // Without a target: that of the server that wrote the input, or the one whose files most servers read.
  WriteOptions write;
  bool canonical = false;  // keys and members sorted, nothing that changes from save to save; needs memory
                           // for the dataset
  bool base_of_commands = false;              // of an append directory: no RDB file in it
  std::string log_name = "appendonly.aof";    // what its files are called after
  bool restore = false;                       // resp: RESTORE instead of commands
  bool replace = false;                       // resp: keys and libraries that are there already go
  bool meta = false;                          // jsonl: also lines for what is no key
  std::vector<LossFeature> permitted_losses;  // of data
  bool salvage = false;                       // damaged input: what is whole of it
  const Filter* filter = nullptr;             // null: everything
  const KeyChanges* changes = nullptr;        // null: none
  unsigned threads = 0;                       // 0: as many as are useful
  std::function<void(uint64_t offset)> progress;
};

struct ConvertSummary {
  bool has_header = false;
  bool complete = false;  // all of the input was read
  uint64_t keys = 0;      // whole ones in the input
  uint64_t written = 0;
  uint64_t errors = 0;
  Reach reach = Reach::nothing;
  const Target* target = nullptr;
  bool target_chosen = false;           // by us
  std::optional<ReplaySummary> replay;  // of a log
  LossReport losses;
  uint64_t bytes_written = 0;
  bool proven = false;  // what was written was read back and had the digest of what was read

  // The result has appeared. If it has not: the input is damaged, a command could not be replayed, more would
  // be lost than is permitted, or it was a dry run.
  bool committed = false;
};

// Writes to a file or folder that appears whole or not at all: after everything was read, what was written
// was checked, and no more is lost than permitted. Throws EditRefused if the result would not be sound,
// std::system_error when reading or writing fails.
PERSIST_API ConvertSummary convert(const ConvertInput& input, const OutputOptions& output,
                                   FindingSink& findings, const ConvertOptions& options);

// The same into a stream, which cannot be taken back: so the input is read twice, first to see that it is
// whole and that no more would be lost than is permitted. What comes through a pipe is taken only if all
// losses are permitted, and then read once: damage ends the stream early, and nothing is committed. Not for
// append directories.
PERSIST_API ConvertSummary convert_to_stream(const ConvertInput& input, ByteSink& output,
                                             FindingSink& findings, const ConvertOptions& options);

// The target that convert() would choose: that of the server that wrote an RDB file, as far as it can be
// told.
PERSIST_API const Target& default_target(const std::optional<ServerVersion>& writer);

}  // namespace persist
