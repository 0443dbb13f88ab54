// Inputs are collected before anything is written, so that whatever stands against the merge is known by
// then: damage, and keys that stand in several of them.
#include "persist/merge.hpp"

#include <algorithm>
#include <deque>

#include "ops/checked_file.hpp"
#include "ops/merge_input.hpp"

namespace persist {

namespace {

class Merging {
 public:
  Merging(std::span<const ConvertInput> inputs, FindingSink& findings, const MergeOptions& options)
      : options_(options), findings_(findings), state_(options) {
    summary_.inputs.resize(inputs.size());
    for (size_t i = 0; i < inputs.size(); ++i) inputs_.emplace_back(i, inputs[i], state_, summary_.inputs[i]);
  }

  // Everything but the writing. False if nothing can be written; the summary says why.
  bool prepare() {
    for (MergeInput& input : inputs_)
      if (!input.prepare(findings_)) return false;
    choose_target();
    for (MergeInput& input : inputs_) input.collect(findings_);
    if (!inputs_sound()) return false;
    if (state_.keys.find_suspects(useful_threads(options_.threads)))
      for (MergeInput& input : inputs_) input.judge(findings_);
    tell_conflicts();
    return inputs_sound() && !(options_.on_conflict == ConflictPolicy::refuse && summary_.has_conflicts());
  }

  // Null: nothing is written, losses are counted. Returns whether the result may appear.
  bool write(ByteSink* sink) {
    OutputRules rules;
    rules.write = {summary_.target, options_.write.limits, options_.write.compress};
    rules.fit = {summary_.target, Carrier::rdb, options_.write.modules};
    rules.fields_change = options_.changes != nullptr && options_.changes->changes_fields();
    OutputStream out(sink, rules, options_.write.checksum);
    out.begin();
    for (MergeInput& input : inputs_) input.write(rules, out);
    out.end();
    summary_.losses = out.losses();
    for (const MergeInput& input : inputs_) summary_.losses.add(input.losses());
    summary_.written = out.written();
    summary_.bytes_written = out.bytes();
    return !summary_.losses.loses_more_than(options_.permitted_losses);
  }

  [[nodiscard]] MergeSummary& summary() { return summary_; }

 private:
  void choose_target() {
    summary_.target = options_.write.target;
    if (summary_.target != nullptr) return;
    std::optional<ServerVersion> newest;
    for (const MergeInput& input : inputs_)
      if (input.writer() && (!newest || newest->version < input.writer()->version)) newest = input.writer();
    summary_.target = &default_target(newest);
    summary_.target_chosen = true;
  }

  [[nodiscard]] bool inputs_sound() const {
    return std::ranges::all_of(summary_.inputs, [this](const MergedInput& input) {
      return input.has_header && (options_.salvage || !input.damaged());
    });
  }

  void tell_conflicts() {
    summary_.conflicts = state_.keys.conflicts();
    summary_.library_conflicts = state_.libraries.conflicts().size();
    summary_.first_conflicts = state_.keys.first_conflicts();
    const std::vector<MergeConflict>& libraries = state_.libraries.conflicts();
    summary_.first_conflicts.insert(summary_.first_conflicts.end(), libraries.begin(), libraries.end());
  }

  const MergeOptions& options_;
  FindingSink& findings_;
  MergeState state_;
  MergeSummary summary_;
  std::deque<MergeInput> inputs_;  // stay where they are
};

}  // namespace

MergeSummary merge(std::span<const ConvertInput> inputs, const OutputOptions& output, FindingSink& findings,
                   const MergeOptions& options) {
  for (const ConvertInput& input : inputs) require_apart(input, output.path);
  Merging merging(inputs, findings, options);
  if (output.dry_run) {
    if (merging.prepare()) merging.write(nullptr);
    return std::move(merging.summary());
  }
  // That the path cannot be written to should be known before hours of reading.
  const bool committed =
      place_checked_file(output.path, output.force ? Existing::replace : Existing::refuse,
                         [&merging](ByteSink& sink) { return merging.prepare() && merging.write(&sink); });
  merging.summary().committed = committed;
  return std::move(merging.summary());
}

}  // namespace persist
