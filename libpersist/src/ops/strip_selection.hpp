// What of a log or an RDB file was asked to go.
#pragma once

#include <string>
#include <vector>

#include "aof/log_walk.hpp"
#include "persist/append_set.hpp"
#include "persist/filter.hpp"
#include "persist/rdb_reader.hpp"
#include "persist/strip.hpp"

namespace persist {

// A set of numbers, as ranges.
class NumberRanges {
 public:
  NumberRanges() = default;
  explicit NumberRanges(std::vector<StripRange> ranges);
  [[nodiscard]] bool empty() const { return ranges_.empty(); }
  [[nodiscard]] bool holds(uint64_t number) const;

 private:
  std::vector<StripRange> ranges_;  // ascending, apart from each other
};

enum class Verdict : uint8_t {
  stays,
  goes,
  shared  // names other keys besides those that were selected
};

class StripSelection {
 public:
  // Throws EditRefused if nothing of any input can be selected, or a file is none of the set's;
  // std::invalid_argument for a regular expression. `wanted` must outlive the selection.
  StripSelection(const AppendSet& set, const StripOptions& wanted);

  // What follows is about records of this part.
  void begin_part(const SetPart& part);

  [[nodiscard]] bool selects_in_rdb() const {
    return entries_ || module_aux_ || wanted_.functions || !wanted_.aux.empty();
  }

  // The last command of a walk over `source`.
  [[nodiscard]] Verdict judge(const LogWalk& walk, ByteSource& source);
  // The annotation that begins there.
  [[nodiscard]] bool drops_annotation(uint64_t offset) const {
    return annotations_ && (!by_offset_ || offsets_.holds(offset));
  }

  // But for the module that its value belongs to, if drops_module() has a say in it.
  [[nodiscard]] bool drops_entry(const RdbEntry& entry) const {
    return entries_ && (!by_key_ || keys_.accepts(entry));
  }
  [[nodiscard]] bool asks_for_module() const { return !wanted_.modules.empty(); }
  [[nodiscard]] bool drops_module(Bytes name) const;
  [[nodiscard]] bool drops_module_aux(const ModuleAux& aux) const {
    return module_aux_ && drops_module(aux.module);
  }
  [[nodiscard]] bool drops_aux(const AuxField& aux) const;
  [[nodiscard]] bool drops_functions() const { return wanted_.functions; }

 private:
  void resolve_kinds();
  void resolve_files(const AppendSet& set);
  [[nodiscard]] bool selects_name(const LogWalk& walk) const;
  [[nodiscard]] Verdict judge_keys(const LogWalk& walk, ByteSource& source);
  [[nodiscard]] Verdict judge_large(const LogWalk& walk, ByteSource& source);
  [[nodiscard]] Verdict judge_dbs(const LogWalk& walk);
  [[nodiscard]] Verdict judge_args(const LogWalk& walk, std::span<const Bytes> args);
  [[nodiscard]] bool selects_key(uint64_t db, Bytes key);

  const StripOptions& wanted_;
  Filter keys_;
  std::vector<const CommandSpec*> known_;  // of the wanted names, those that servers have
  NumberRanges indexes_;
  std::vector<std::pair<std::string, NumberRanges>> offsets_of_;  // by part
  NumberRanges offsets_;                                          // of the part at hand
  RdbEntry entry_;                                                // to hold a command's key

  // Kinds that were given.
  bool by_key_ = false;  // key, db, slot or type
  bool by_db_only_ = false;
  bool by_offset_ = false;
  // What is selected at all.
  bool commands_ = false;
  bool annotations_ = false;
  bool entries_ = false;
  bool module_aux_ = false;
};

}  // namespace persist
