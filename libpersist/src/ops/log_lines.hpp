// A line for each thing in a log, as text or as JSON. persist-log(1), LINES
#pragma once

#include <string>

#include "base/byte_buffer.hpp"
#include "engine/replay.hpp"
#include "persist/rdb_reader.hpp"

namespace persist {

// What is to be said of an RDB part.
struct RdbPart {
  RdbHeader header;
  uint64_t keys = 0;
  uint64_t size = 0;
  bool complete = false;
};

// A command as a list shows it. Views are valid while a line is put.
struct ListedCommand {
  LoggedCommand command;
  bool multi = false;           // it belongs to a transaction
  bool shows_all = true;        // false: args are only the beginning of it
  uint64_t argument_count = 0;  // of the whole of it
  Bytes effect = {};            // "changed", if that is to be said
  const char* error = nullptr;  // that a server would answer with; null: none
};

// Of the last command of a walk.
ListedCommand listed(const LogWalk& walk, bool multi);

class LogLines {
 public:
  explicit LogLines(bool json) : json_(json) {}

  // The file that the lines from now on are about.
  void set_file(Bytes name);

  void put_command(ByteBuffer& out, const ListedCommand& listed);
  // The beginning of a line about a command: its place, index, database and time; and, anywhere behind that,
  // its words.
  void put_head(ByteBuffer& out, const LoggedCommand& command);
  void put_args(ByteBuffer& out, std::span<const Bytes> args) const;
  // Of the last record of a walk.
  void put_annotation(ByteBuffer& out, const LogWalk& walk);

  void put_rdb(ByteBuffer& out, const RdbPart& part);
  void put_key(ByteBuffer& out, const RdbRecord& record, const RdbEntry& entry);

 private:
  void put_command_json(ByteBuffer& out, const ListedCommand& listed);
  void put_shortened(ByteBuffer& out, const ListedCommand& listed);
  void put_place(ByteBuffer& out, uint64_t offset);
  void put_extent(ByteBuffer& out, Extent extent);
  void set_time(std::optional<int64_t> time_s);

  bool json_;
  std::string place_;  // what every line begins with, up to the offset
  std::optional<int64_t> time_s_;
  std::string time_ = "-";  // of the last line, which the next mostly has, too
};

// "2026-11-20T18:00:00Z", whatever the year.
std::string utc_text(int64_t time_s);

}  // namespace persist
