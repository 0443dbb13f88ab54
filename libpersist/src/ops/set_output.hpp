// A set being written: parts copied from those of the input but for what is left out, which goes to a folder
// of its own beside the result. Nothing appears before all of it is there and was checked.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "persist/edit.hpp"
#include "persist/sink.hpp"
#include "persist/source.hpp"

namespace persist {

class GatheringSink;
class LostFolder;

// One part of the result. Extents are those of the input and must ascend.
class PartOutput {
 public:
  PartOutput(ByteSource& from, std::string name, std::unique_ptr<ByteSink> to, LostFolder& lost,
             EditSummary& summary);
  ~PartOutput();
  PartOutput(const PartOutput&) = delete;
  PartOutput& operator=(const PartOutput&) = delete;

  // Leaves the extent out. `commands`: how many whole ones it holds.
  void drop(Extent extent, Bytes why, uint64_t commands = 1);
  // Puts bytes that the input does not have in front of what is at `offset` there.
  void insert(uint64_t offset, Bytes bytes);
  // Keeps what is left up to `end`, and is done.
  void finish(uint64_t end);

  // Writes what is kept before `offset` now, which otherwise happens when it must.
  void keep_up_to(uint64_t offset);
  // Has the bytes that are written from now on told, in their order. Empty: no more. A dry run writes none.
  void observe(std::function<void(Bytes)> observer);

 private:
  void settle_drop();

  ByteSource& from_;
  std::string name_;
  std::unique_ptr<GatheringSink> to_;  // null: nothing is written
  LostFolder& lost_;
  EditSummary& summary_;
  uint64_t at_ = 0;  // of the input: what is before it was dealt with
  LeftOut pending_;  // dropped, and perhaps to grow
};

// What of the input's own flaws the result may still have.
struct Tolerance {
  bool commands = false;           // commands that are unknown, miscounted or select no database
  std::vector<std::string> known;  // names of commands to take for known
};

// What the manifest of a result lists. A server would delete history files at its next start; they stay where
// they are, with the input.
[[nodiscard]] Manifest without_history(Manifest manifest);

class SetOutput {
 public:
  // Throws EditRefused if the result would lie in the way of the input, std::system_error if something is
  // there already.
  SetOutput(const AppendSet& set, const OutputOptions& options, Tolerance tolerance = {});
  ~SetOutput();
  SetOutput(const SetOutput&) = delete;
  SetOutput& operator=(const SetOutput&) = delete;

  // The parts of the result, in the order of the set. `from` must outlive the part.
  std::unique_ptr<PartOutput> begin_part(const SetPart& part, ByteSource& from);
  // A part that the result does not have.
  void drop_part(const SetPart& part, ByteSource& from, Bytes why, uint64_t commands);

  // Writes the manifest, if the set has one to have; checks the result; puts it into place. Throws
  // EditRefused or std::system_error, and then there is no result.
  EditSummary commit(const Manifest& manifest);

  [[nodiscard]] EditSummary& summary() { return summary_; }

 private:
  struct State;
  std::unique_ptr<State> state_;
  EditSummary summary_;
};

}  // namespace persist
