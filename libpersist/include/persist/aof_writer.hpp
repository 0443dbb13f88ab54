// Writes logs for a server of choice: the commands that make keys anew, or any others. persist-aof(5),
// REWRITTEN FORM
//
//   persist::AtomicFile file("appendonly.aof", persist::Existing::refuse);
//   persist::AofWriter writer(file, {.target = persist::find_target("redis-6.2")});
//   writer.entry(head, [&](persist::ElementSink sink) { sink(persist::ListItem{"value"}); });
//   writer.command({{"SET", "key", "value"}});
//   writer.finish();
//   file.commit();
//
// An append directory, with its manifest and an RDB file as base, is what convert() makes.
#pragma once

#include <memory>
#include <span>

#include "persist/api.hpp"
#include "persist/loss.hpp"
#include "persist/rdb_writer.hpp"
#include "persist/sink.hpp"

namespace persist {

// Not thread-safe. Throws std::system_error when writing fails.
class PERSIST_API AofWriter {
 public:
  // The sink must outlive the writer.
  AofWriter(ByteSink& sink, const WriteOptions& options);
  ~AofWriter();
  AofWriter(const AofWriter&) = delete;
  AofWriter& operator=(const AofWriter&) = delete;

  // FUNCTION LOAD. What the target has no commands for is left out and counted in losses().
  void function(Bytes code);
  // The database is selected if need be. False if nothing of the value is left that the target could hold.
  // As for RdbWriter::entry(); idle time, frequency and metadata have no commands.
  bool entry(const RdbEntry& head, TellElements tell);
  // Any command, name first. After a SELECT, entry() must not be used any more.
  void command(std::span<const Bytes> args);

  // All that was given has been written. The sink is not finished.
  void finish();

  [[nodiscard]] const LossReport& losses() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace persist
