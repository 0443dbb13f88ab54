// A dataset in one form into a dataset in another, without a word about where it ends up.
#pragma once

#include "engine/dataset.hpp"
#include "ops/dataset_flow.hpp"
#include "ops/no_findings.hpp"
#include "persist/convert.hpp"

namespace persist {

class Conversion {
 public:
  // The input must be rereadable if it is to be converted more than once.
  Conversion(const ConvertInput& input, const ConvertOptions& options, FindingSink& findings);
  ~Conversion();
  Conversion(const Conversion&) = delete;
  Conversion& operator=(const Conversion&) = delete;

  // Reads what has to be read before anything can be written: the head of an RDB file, or a log into memory.
  // False if nothing can be converted; the summary says why.
  bool prepare();

  // Converts all of it. `sink` null: nothing is written. `is_base`: what is written is the base or head of a
  // log. Throws EditRefused if two keys would come to be one.
  void run(ByteSink* sink, OutputForm form, bool is_base);
  // Only counts what would be lost, and finds damage: in a fraction of the time.
  void probe(OutputForm form, bool is_base);

  // Has all of it looked at by outputs of one's own; what these make goes to `sink`, unless that is null.
  using MakeOutput = std::function<std::unique_ptr<EntryOutput>(const OutputRules&)>;
  void run_into(const MakeOutput& make, OutputForm form, ByteSink* sink);

  // Whether what was read and lost so far lets the result appear.
  [[nodiscard]] bool may_commit() const;
  [[nodiscard]] bool permits_all_losses() const;
  // Whether it may whatever is read and lost.
  [[nodiscard]] bool may_always_commit() const;

  // What is written will be read and checked: then what is read need not be, but for its bytes.
  void leave_checking() { is_checked_ = true; }

  // What is found from here on has been told already.
  void mute() { findings_ = &ignored_; }

  [[nodiscard]] ConvertSummary& summary() { return summary_; }
  [[nodiscard]] const ConvertSummary& summary() const { return summary_; }
  [[nodiscard]] const Target& target() const { return *summary_.target; }
  // Has the full digest made of what a dataset in memory holds, while it is written.
  void ask_for_digest() { digest_.emplace(DigestKind::full); }
  [[nodiscard]] const DatasetDigest& digest() const { return *digest_; }
  [[nodiscard]] bool is_in_memory() const { return data_ != nullptr; }
  // Of a log, or of whatever had to be held in memory; else null.
  [[nodiscard]] Dataset* dataset() { return data_.get(); }

 private:
  class Counter;
  bool prepare_rdb();
  bool prepare_log();
  void choose_target(const std::optional<ServerVersion>& writer);
  OutputRules make_rules(OutputForm form, bool is_base) const;
  void pass(ByteSink* sink, const OutputRules& rules);
  void run_rdb(OutputStream& out, const OutputRules& rules);
  void run_json(OutputStream& out, const OutputRules& rules);
  void run_sorted_json(OutputStream& out, const OutputRules& rules, FindingSink& findings);
  void run_dataset(OutputStream& out, const OutputRules& rules);
  [[nodiscard]] bool changes_nothing() const;
  [[nodiscard]] bool may_meet_twice() const;
  void refuse_same_names(const OutputRules& rules);
  void pass_entries(OutputStream& out, const OutputRules& rules);
  [[nodiscard]] bool changes_names() const;

  const ConvertInput& input_;
  const ConvertOptions& options_;
  FindingSink* findings_;
  NoFindings ignored_;
  EntryPlan plan_;
  std::unique_ptr<SameNames> names_;  // where two keys could come to be one
  ConvertSummary summary_;
  std::unique_ptr<Dataset> data_;
  LoadedRdb loaded_;  // what was loaded besides
  bool is_checked_ = false;
  bool knows_idmp_ = true;
  std::optional<RdbProvenance> provenance_;
  std::optional<DatasetDigest> digest_;
};

}  // namespace persist
