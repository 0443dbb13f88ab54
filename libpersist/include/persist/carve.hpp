// Finds RDB files, logs and manifests in any bytes: a disk image, a core dump, a temporary file, a capture of
// a replication stream. persist-carve(1)
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "persist/api.hpp"
#include "persist/edit.hpp"
#include "persist/finding.hpp"
#include "persist/rdb_reader.hpp"
#include "persist/source.hpp"

namespace persist {

enum class CarvedKind : uint8_t {
  rdb,       // an RDB file
  preamble,  // RDB data with commands behind it: an append only file
  log,       // commands
  manifest   // the manifest of an append directory
};
PERSIST_API Bytes carved_kind_name(CarvedKind kind);

// What was found, in one place.
struct Carved {
  CarvedKind kind{};
  std::string stream;               // of a capture: "10.0.0.1:6379 > 10.0.0.2:51234"; else empty
  Extent extent;                    // in the image, or in the stream of a capture
  std::string name;                 // of the file that was written, in the folder; empty if none was
  bool whole = false;               // it ends where it should, and all of it reads well
  uint64_t whole_bytes = 0;         // from its beginning, up to the end of the last whole record or command
  std::optional<RdbHeader> header;  // of RDB data
  std::optional<ChecksumState> checksum;  // of RDB data that was read to its end
  uint64_t keys = 0;                      // whole ones, of RDB data
  uint64_t commands = 0;                  // whole ones
  std::optional<FindingCode> why;         // it is not whole
};

struct CarveOptions {
  bool rdb = true;  // what to look for
  bool logs = true;
  bool manifests = true;
  uint64_t commands_min = 4;                // a log of fewer is not worth a file
  uint64_t tail_bytes = uint64_t{1} << 20;  // of something torn, so much more is written behind the last
                                            // whole record: what `repair --salvage` then goes on with
  bool dry_run = false;                     // say what there is and write nothing
  bool force = false;                       // replace a folder that an earlier run has made
  std::function<void(uint64_t offset)> progress;
};

struct CarveSummary {
  std::vector<Carved> found;  // by place; the first ones
  uint64_t found_in_all = 0;
  uint64_t bytes_read = 0;
  bool is_capture = false;       // the image was a capture of packets: its streams were put together first
  uint64_t packets_missing = 0;  // holes in these
  std::string folder;  // with what was found and index.jsonl; empty for a dry run, or if nothing was
};

// Looks through all of the image, which must be rereadable, in one pass. The folder appears whole or not at
// all. Throws EditRefused, std::system_error.
// Of what is found, the first 100000 get a file, and the first 10000 are in the summary: all are in the
// index.
PERSIST_API CarveSummary carve(ByteSource& image, const std::string& folder, const CarveOptions& options);

// A find as a line of JSON, as the index has it.
PERSIST_API std::string carved_line(const Carved& carved);

}  // namespace persist
