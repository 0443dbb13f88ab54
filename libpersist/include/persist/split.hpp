// Divides a dataset among several RDB files: by slot, by node of a cluster, by database, by prefix.
// persist-split(1)
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "persist/api.hpp"
#include "persist/convert.hpp"
#include "persist/rdb_reader.hpp"

namespace persist {

// What the keys of a file have in common.
enum class SplitContent : uint8_t {
  slots,       // that are in a range
  node,        // that a node of a cluster owns
  db,          //
  prefix,      //
  no_prefix,   // keys without a separator
  unassigned,  // keys of slots that nobody owns
};
PERSIST_API Bytes split_content_name(SplitContent content);

// A file of the result.
struct SplitFile {
  std::string name;
  SplitContent content = SplitContent::slots;
  std::vector<SlotRange> slots;  // of slots and nodes
  std::string node;              // the id of a node...
  std::string address;           // ...and "host:port"
  uint64_t db = 0;
  std::string prefix;  // without the separator
  uint64_t keys = 0;
  uint64_t bytes = 0;
};

struct SplitRule {
  enum class By : uint8_t { slots, db, prefix };
  By by = By::slots;
  std::vector<SplitFile> files;  // by slots: those that are made in any case; no slot is in two of them
  std::string separator = ":";   // by prefix: a key's prefix ends in front of the first one
};

// "slots:0-5460,5461-10922": a file each; "3": that many equal ranges; "db"; "prefix", "prefix:SEP"; else the
// path of a cluster's nodes.conf: a file for each master that owns slots. Throws std::invalid_argument,
// std::system_error.
PERSIST_API SplitRule parse_split_rule(const std::string& text);

inline constexpr size_t kSplitFilesByDefault = 1000;

struct SplitOptions {
  SplitRule rule;
  size_t files_max = kSplitFilesByDefault;
  bool keep_unassigned = false;  // keys of slots that nobody owns, in a file of their own
  ConvertOptions convert;        // what it says of other forms than RDB files does not count
};

// Keys that no file is for.
struct SplitMisfits {
  struct Where {
    uint64_t db = 0;
    std::string key;
  };
  uint64_t keys = 0;
  std::vector<Where> first;  // the first few of them
};

struct SplitSummary {
  ConvertSummary convert;  // `committed` only if there are no misfits
  std::vector<SplitFile> files;
  SplitMisfits unowned;  // their slots are nobody's
  SplitMisfits beyond;   // they are not in database 0, the only one that a cluster has
};

// Writes a folder with the files and an index.jsonl, which appears whole or not at all: after each file was
// checked, and if every key is in exactly one of them. What is no key is in all of them. Throws EditRefused
// if there would be too many files or one would not be sound, std::system_error when reading or writing
// fails.
PERSIST_API SplitSummary split(const ConvertInput& input, const OutputOptions& output, FindingSink& findings,
                               const SplitOptions& options);

// A file as a line of JSON, as the index of a split has it.
PERSIST_API std::string split_index_line(const SplitFile& file);

}  // namespace persist
