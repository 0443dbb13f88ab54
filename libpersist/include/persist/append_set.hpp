// What a path holds of a log: one file, or the files of an append directory in the order a server loads them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "persist/api.hpp"
#include "persist/finding.hpp"
#include "persist/manifest.hpp"
#include "persist/server_conf.hpp"
#include "persist/source.hpp"

namespace persist {

enum class SetKind : uint8_t {
  file,        // one file: an RDB file, an old single-file AOF, or one part of a set named by itself
  append_dir,  // an append directory, or its manifest
  data_dir     // the folder of a server that has an append directory, an old AOF or an RDB file in it
};

enum class PartRole : uint8_t {
  single,     // the one file of a set that has no manifest
  base,       // as the manifest lists them
  incr,       //
  history,    //
  unlisted,   // named like a part of this set, but not listed: a server does not read it
  temporary,  // left behind by a rewrite that did not end
};
PERSIST_API Bytes part_role_name(PartRole role);

struct SetPart {
  std::string name;  // as the manifest has it
  std::string path;  // to open it
  PartRole role = PartRole::single;
  int64_t sequence = 0;
  bool present = false;
  uint64_t size = 0;    // bytes, when the set was opened
  uint64_t device = 0;  // which file it was then
  uint64_t inode = 0;
  int64_t modified_ns = 0;  // since 1970
};

struct AppendSet {
  SetKind kind = SetKind::file;
  std::string path;           // as it was given
  std::string folder;         // that holds the parts: the append directory; empty for SetKind::file
  std::string manifest_path;  // empty if there is none to be
  std::string manifest_text;  // its bytes when the set was opened
  Manifest manifest;
  bool manifest_sound = true;   // false: missing or refused by servers
  std::vector<SetPart> parts;   // what a server loads, in its order; of a broken manifest: what is sure
  std::vector<SetPart> others;  // history, unlisted and temporary files, sorted by role and sequence
  std::string rdb_path;         // the RDB file beside it, of a data dir; empty if none
  std::string old_aof_path;     // a single-file AOF beside an append directory, which servers then ignore
  ServerConf conf;              // what was read, or the defaults

  // Where a server starts from: the parts; else, with AOF off, the RDB file.
  [[nodiscard]] bool has_log() const { return !parts.empty(); }
};

struct SetOptions {
  const ServerConf* conf = nullptr;  // null: defaults, and `appendonly yes` if there is an append dir
};

// Finds out what the path is, by content; reports what is wrong with manifest and folder. No part is opened
// but to look at its first bytes, and none outside the folder: a name that leads elsewhere is a finding.
// Throws std::system_error when the path, or the manifest, cannot be read.
PERSIST_API AppendSet open_append_set(const std::string& path, FindingSink& findings,
                                      const SetOptions& options);

// The manifest that the files themselves suggest, for a set whose own is lost or broken: the newest base with
// the incr files that follow it. `rule` says in a sentence how it was chosen. No lines if there is nothing.
struct RebuiltManifest {
  Manifest manifest;
  std::string rule;
  std::vector<std::string> left_out;  // names of files that it does not list
};
PERSIST_API RebuiltManifest rebuild_manifest(const AppendSet& set);

// Whether manifest and parts are still what they were when the set was opened: the same files, none shorter.
// What has changed is reported.
PERSIST_API bool is_unchanged(const AppendSet& set, FindingSink& findings);

}  // namespace persist
