// A line for each event in the life of a key, as text or as JSON. persist-history(1), LINES
#pragma once

#include <optional>
#include <string>

#include "base/byte_buffer.hpp"
#include "engine/replay.hpp"
#include "ops/log_lines.hpp"
#include "persist/history.hpp"

namespace persist {

// What a key is, as far as a look at it costs nothing.
struct KeyLook {
  bool exists = false;
  uint64_t born = 0;
  ValueType type{};
  uint64_t size = 0;
  int64_t expire_at_ms = kNoExpiry;

  bool operator==(const KeyLook&) const = default;
};
KeyLook look_at(const KeyEntry* entry);

class HistoryLines {
 public:
  HistoryLines(bool json, bool values) : json_(json), values_(values), lines_(json) {}

  void set_file(Bytes name) {
    file_ = std::string(name);
    lines_.set_file(name);
  }

  // `entry`: the key behind the event, null if it is gone.
  void put(ByteBuffer& out, const LoggedCommand& command, std::span<const Bytes> args, uint64_t db,
           KeyEvent event, const KeyEntry* entry);
  void put_loaded(ByteBuffer& out, uint64_t db, const KeyEntry& entry) const;

 private:
  void put_look(ByteBuffer& out, const KeyLook& look) const;
  void put_value(ByteBuffer& out, const KeyEntry& entry) const;

  bool json_;
  bool values_;
  LogLines lines_;
  std::string file_;
};

}  // namespace persist
