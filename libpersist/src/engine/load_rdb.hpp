// An RDB file, or the RDB part of a log, becomes the beginning of a dataset.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/dataset.hpp"
#include "persist/finding.hpp"
#include "persist/loss.hpp"
#include "persist/replay.hpp"
#include "persist/source.hpp"
#include "rdb/record_reader.hpp"

namespace persist {

struct LoadedRdb {
  bool complete = false;  // the EOF opcode was read
  uint64_t end = 0;       // where reading ended: commands may follow
  uint64_t keys = 0;
  RdbHeader header;
  std::optional<ServerVersion> server;  // that wrote it
  // Sorted sets with scores of -0: what becomes of them depends on the server. See KeyEntry::pack_zeros().
  std::vector<std::pair<uint64_t, std::string>> with_signed_zeros;
  // What is no key: kept for those who write it all again.
  struct KeptModuleAux {
    std::string module;
    uint32_t encver = 0;
    uint64_t when = 0;
    std::string payload;
  };
  std::vector<KeptModuleAux> module_aux;
  std::vector<std::string> scripts;  // of AUX fields "lua"
  LossReport losses;  // what a dataset has no room for: metadata of keys, slot imports, keys without anything
};

// Every value is checked as by RdbReader::next(); what is damaged is left out and reported. Strings that are
// stored plainly become strings; anything else stays packed until a command looks into it. A key that is
// there twice ends with its last value. Nothing expires.
LoadedRdb load_rdb(ByteSource& source, FindingSink& findings, Dataset& data,
                   const std::function<void(uint64_t offset)>& progress);

}  // namespace persist
