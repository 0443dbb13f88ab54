// One file of a set, opened: where its RDB part ends and its commands begin.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "aof/log_walk.hpp"
#include "persist/append_set.hpp"
#include "persist/finding.hpp"
#include "persist/source.hpp"

namespace persist {

// Whether a file begins with the magic that makes servers take its beginning for an RDB file.
[[nodiscard]] bool begins_with_rdb(ByteSource& source);

// Whether what the first bytes do not tell is a log after all: a damaged beginning with commands behind it.
[[nodiscard]] bool holds_commands(ByteSource& source);

struct LogPart {
  std::unique_ptr<ByteSource> source;
  uint64_t size = 0;
  bool has_rdb = false;
  bool sound_carrier = true;  // false: it is compressed, and was not inflated to its end
  bool sound_rdb = true;      // false: its checksum is wrong, or it could not be walked to its end
  uint64_t log_offset = 0;    // 0 without an RDB part
  // Of the RDB part: when it was written, seconds since the epoch, and how many keys it has.
  std::optional<int64_t> ctime_s;
  uint64_t keys = 0;
};

// What cannot go back is copied to a temporary file.
std::unique_ptr<ByteSource> open_rereadable(const SetPart& part);
// How many bytes there are.
uint64_t size_of(ByteSource& source);

// Opens a part to be read more than once, and walks over its RDB part; what is wrong with that, or with the
// compression around it all, is reported.
LogPart open_part(const SetPart& part, FindingSink& findings);

// The finding of the damage that a walk through a file has met.
Finding finding_of(const LogWalk& walk, const std::string& file);

// Passes on what readers of an RDB file say, but for what follows it: here that is the log.
class RdbPartSink : public FindingSink {
 public:
  explicit RdbPartSink(FindingSink& to) : to_(to) {}
  void report(const Finding& finding) override;
  [[nodiscard]] const std::optional<Finding>& swallowed() const { return swallowed_; }
  [[nodiscard]] uint64_t errors() const { return errors_; }

 private:
  FindingSink& to_;
  std::optional<Finding> swallowed_;
  uint64_t errors_ = 0;
};

}  // namespace persist
