// Records out of a log: commands and annotations, and what stands between them that is neither.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "aof/command_walk.hpp"
#include "aof/record_probe.hpp"
#include "aof/resp.hpp"
#include "persist/bytes.hpp"
#include "persist/finding.hpp"
#include "persist/source.hpp"

namespace persist {

enum class LogStep : uint8_t { command, annotation, damage, end };

// How much of a command must be there at once. `beginnings` lets commands of any size pass in constant
// memory: of one that is very large, only the first arguments are shown, and of these only the beginnings.
enum class Hold : uint8_t { whole, beginnings };

// A command larger than this is not held whole where beginnings are enough.
inline constexpr uint64_t kHeldBytesMax = uint64_t{1} << 20;

// Bytes that are no record.
struct LogDamage {
  FindingCode code = FindingCode::aof_truncated;
  Extent extent;       // from the record that could not be read to where reading can go on, or to the end
  uint64_t place = 0;  // where the framing broke
  std::string subject;
  std::string expected;
  std::string found;
  bool resumes = false;  // whole commands follow at extent.end()
};

class LogReader {
 public:
  // From `offset` of the source to its end. The source must outlive the reader.
  LogReader(ByteSource& source, uint64_t offset, Hold hold);

  // The next record. Behind damage that resumes, reading goes on there; else the end follows.
  LogStep next();

  // As next(), if what follows is a whole command that is in memory already: then views of the records before
  // stay valid, too. False, with nothing done, for anything else.
  bool next_at_hand();

  // Of the last record; views are valid until next() is called again.
  [[nodiscard]] Extent extent() const { return {record_offset_, offset() - record_offset_}; }
  [[nodiscard]] std::span<const Bytes> args() const { return args_.all(); }
  // How many arguments the command has; args() may show fewer.
  [[nodiscard]] uint64_t argument_count() const { return argument_count_; }
  // True if args() shows all, and all of each.
  [[nodiscard]] bool shows_all() const { return shows_all_; }
  // The annotation, from behind its '#' to before its line end.
  [[nodiscard]] Bytes annotation() const { return annotation_; }
  [[nodiscard]] const LogDamage& damage() const { return damage_; }
  // Why the last command is not framed as servers write it, though they load it.
  [[nodiscard]] const std::optional<Misframing>& looseness() const { return looseness_; }
  // All bytes of the record, if they are at hand.
  [[nodiscard]] std::optional<Bytes> raw() const;
  // Bytes from `from` on that are at hand, for showing a place.
  [[nodiscard]] Bytes around(uint64_t from, size_t size) const;

  // Where the next record begins.
  [[nodiscard]] uint64_t offset() const { return end_offset_ - static_cast<uint64_t>(end_ - at_); }

 private:
  bool pull(uint64_t bytes);
  void move_to(uint64_t offset);
  LogStep read_command();
  LogStep read_slowly();
  void take_walked(WalkedCommand walked);
  LogStep read_annotation();
  LogStep give_up(const WalkedCommand& walked, std::optional<FindingCode> torn_as);

  ByteSource& source_;
  Hold hold_;
  Window window_;
  const char* at_ = nullptr;
  const char* end_ = nullptr;
  uint64_t end_offset_ = 0;
  uint64_t record_offset_ = 0;
  ArgumentList args_;
  uint64_t argument_count_ = 0;
  bool shows_all_ = true;
  std::vector<std::string> beginnings_;  // what args_ shows of a very large command
  Bytes annotation_;
  LogDamage damage_;
  std::optional<Misframing> looseness_;
  RecordProbe probe_;
};

// The number of seconds of a `TS:` annotation, if it is one and has one.
std::optional<int64_t> parse_timestamp(Bytes annotation);

}  // namespace persist
