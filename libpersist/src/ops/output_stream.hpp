// What the threads made, one after the other: with the databases selected, the bytes counted into the
// checksum, the losses added up. Each write to the sink is whole records (or commands, or lines), and the end
// of RDB data is one of its own: those who cut the stream rely on it.
#pragma once

#include "ops/entry_output.hpp"
#include "persist/sink.hpp"

namespace persist {

class OutputStream {
 public:
  // All must outlive it. Null: nothing is written, only counted.
  OutputStream(ByteSink* sink, const OutputRules& rules, bool checksum)
      : sink_(sink),
        rules_(rules),
        checksum_(checksum),
        own_(make_output(rules)),
        selector_(make_output(rules)) {}

  void begin();
  // A record that belongs to no thread.
  void record(const RdbRecord& record);
  // Writes what came together, and clears it.
  void take(EntryOutput& output);
  void end();

  [[nodiscard]] const LossReport& losses() const { return losses_; }
  [[nodiscard]] uint64_t written() const { return written_; }
  [[nodiscard]] uint64_t bytes() const { return bytes_; }

 private:
  void write(Bytes bytes);
  void write_checksum();

  ByteSink* sink_;
  const OutputRules& rules_;
  bool checksum_;
  std::unique_ptr<EntryOutput> own_;
  std::unique_ptr<EntryOutput> selector_;  // of databases, in front of what others made
  std::optional<uint64_t> db_;
  uint64_t crc_ = 0;
  uint64_t bytes_ = 0;
  uint64_t written_ = 0;
  LossReport losses_;
};

}  // namespace persist
