// The life of one key: every command of a log that touched it, and what it held behind each.
// persist-history(1)
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "persist/api.hpp"
#include "persist/append_set.hpp"
#include "persist/finding.hpp"
#include "persist/replay.hpp"
#include "persist/sink.hpp"

namespace persist {

// What happened to the key, as far as its being there goes.
enum class KeyEvent : uint8_t {
  loaded,       // it stands in an RDB part
  created,      //
  changed,      // value or expiry
  overwritten,  // by a value of its own, old value and expiry gone
  deleted,      // by DEL and its kin, or by what took its last element
  expired,      // deleted when its time had passed
  flushed,      //
  renamed,      // away, or by another key that took its name
  moved,        // to another database, or by SWAPDB
  untouched     // the command changed nothing of it
};
PERSIST_API Bytes key_event_name(KeyEvent event);

struct HistoryOptions {
  std::string key;
  std::optional<uint64_t> db;  // absent: in all of them
  bool json = false;           // JSON Lines instead of text
  bool values = false;         // the whole value behind each event, not just its size
  bool all = false;            // also commands that named the key and changed nothing of it
  ReplayOptions replay;
};

struct HistorySummary {
  ReplaySummary replay;
  uint64_t events = 0;
  bool exists = false;  // in the end, in a database that was asked for
};

// The whole log is replayed: what a key holds may come from others. Throws std::system_error.
PERSIST_API HistorySummary tell_history(const AppendSet& set, ByteSink& output, FindingSink& findings,
                                        const HistoryOptions& options);

}  // namespace persist
