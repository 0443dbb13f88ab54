// One input of a merge: an RDB file, JSON Lines, or a log in memory. It is walked several times: to collect
// its keys, perhaps to look at some of them again, and to write.
#pragma once

#include <functional>
#include <limits>
#include <memory>
#include <optional>

#include "ops/entry_taker.hpp"
#include "ops/merge_keys.hpp"
#include "ops/merge_libraries.hpp"
#include "ops/output_stream.hpp"
#include "ops/pipeline.hpp"
#include "ops/replayed_log.hpp"
#include "persist/merge.hpp"

namespace persist {

// What all inputs of a merge share.
struct MergeState {
  explicit MergeState(const MergeOptions& wanted)
      : options(wanted),
        plan{wanted.filter, wanted.changes},
        keys(wanted.on_conflict),
        libraries(wanted.on_conflict) {}

  const MergeOptions& options;
  EntryPlan plan;
  MergeKeys keys;
  MergeLibraries libraries;
  uint64_t bytes_done = 0;  // in walks that have ended
};

// What looks at the keys of an input; each thread has one.
class KeyWalker {
 public:
  virtual ~KeyWalker() = default;
  // Whether the entry, as it is to be written, is worth a look at whether its value is whole.
  virtual bool wants(const RdbEntry& entry) = 0;
  // If it is.
  virtual void take(const RdbEntry& entry) = 0;
  virtual void take_record(const RdbRecord& /*record*/) {}
  // What was taken, in the order of the input, by one thread at a time.
  virtual void hand_on() = 0;
};

class MergeInput {
 public:
  // All must outlive it. What cannot be read again is copied. Throws std::system_error.
  MergeInput(size_t number, const ConvertInput& input, MergeState& state, MergedInput& summary);

  // Reads what must be read before anything can be walked: a log into memory. False if it cannot be replayed.
  bool prepare(FindingSink& findings);
  [[nodiscard]] const std::optional<ServerVersion>& writer() const { return writer_; }

  // Reads all of it, reports what is damaged, and collects keys and libraries.
  void collect(FindingSink& findings);
  // Has the suspects among its keys judged, and reports those that it has twice.
  void judge(FindingSink& findings);
  // Writes what is not to come from another input. Throws EditRefused if it has changed since.
  void write(const OutputRules& common, OutputStream& out);

  // What a log lost on its way into memory.
  [[nodiscard]] const LossReport& losses() const { return log_.rest.losses; }

 private:
  using MakeWalker = std::function<std::unique_ptr<KeyWalker>()>;
  struct Walked {
    bool has_header = true;
    bool complete = true;
    uint64_t keys = 0;
    uint64_t errors = 0;
    Reach reach = Reach::nothing;
    // Of the last whole entry. Nothing behind it counts in later walks, which could get past damage that the
    // first one stopped at.
    uint64_t last_place = std::numeric_limits<uint64_t>::max();
  };
  class RdbWalk;
  class RdbCopy;

  Walked walk(FindingSink& findings, const MakeWalker& make, const Progress& progress);
  Walked walk_rdb(FindingSink& findings, const MakeWalker& make, const Progress& progress);
  Walked walk_json(FindingSink& findings, KeyWalker& walker, const Progress& progress);
  void walk_log(KeyWalker& walker);
  void write_rdb(const OutputRules& rules, OutputStream& out);
  void write_json(const OutputRules& rules, OutputStream& out);
  void write_log(const OutputRules& rules, OutputStream& out);
  [[nodiscard]] const std::string& name() const;
  [[nodiscard]] Progress progress() const;
  void end_walk();
  [[nodiscard]] bool drops(const RdbEntry& entry, std::string& room) const;
  [[nodiscard]] bool keeps(const RdbRecord& record) const;
  void require_unchanged(const Walked& walked) const;

  size_t number_;
  const ConvertInput& input_;
  MergeState& state_;
  MergedInput& summary_;
  std::unique_ptr<ByteSource> copy_;
  ByteSource* source_ = nullptr;  // null: of a log
  std::optional<ServerVersion> writer_;
  std::optional<RdbProvenance> provenance_;
  ReplayedLog log_;
  Walked collected_;
};

}  // namespace persist
