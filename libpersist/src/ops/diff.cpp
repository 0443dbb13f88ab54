// Each side is read once to know 32 bytes of every key, and, where something differs, once more to say what.
#include "persist/diff.hpp"

#include <algorithm>

#include "aof/command_writer.hpp"
#include "io/unnamed_file.hpp"
#include "ops/conversion.hpp"
#include "ops/diff_outputs.hpp"
#include "persist/edit.hpp"
#include "rdb/file_head.hpp"

namespace persist {

namespace {

// Commands on their way, until it is known whether they may go out.
class CommandSpool : public ByteSink {
 public:
  void write(Bytes bytes) override { file_.append(bytes); }
  [[nodiscard]] uint64_t size() const { return file_.appended(); }
  void copy_to(ByteSink& sink) const {
    std::string room;
    for (uint64_t at = 0; at < size(); at += room.size()) {
      room.resize(static_cast<size_t>(std::min<uint64_t>(size() - at, kCopiedBytes)));
      file_.read(room.data(), room.size(), at);
      sink.write(room);
    }
  }

 private:
  static constexpr uint64_t kCopiedBytes = uint64_t{1} << 20;
  UnnamedFile file_;
};

// One side, open for several passes.
class Side {
 public:
  Side(const ConvertInput& input, const DiffOptions& options, const KeyChanges* changes,
       FindingSink& findings)
      : input_(input) {
    for (ByteSource** source : {&input_.rdb, &input_.json}) {
      if (*source == nullptr || (*source)->rereadable()) continue;
      copy_ = rereadable_source(borrowed_source(**source));
      *source = copy_.get();
    }
    converting_.to = OutputForm::resp;
    converting_.write.target = options.target;
    converting_.salvage = options.salvage;
    converting_.filter = options.filter;
    converting_.changes = changes;
    converting_.threads = options.threads;
    converting_.progress = [this, &options](uint64_t offset) {
      if (options.progress) options.progress(bytes_before_ + offset);
    };
    conversion_.emplace(input_, converting_, findings);
  }

  // About how many bytes it has.
  [[nodiscard]] uint64_t size() const {
    if (input_.log == nullptr) return (input_.rdb != nullptr ? input_.rdb : input_.json)->size().value_or(0);
    uint64_t bytes = 0;
    for (const SetPart& part : input_.log->parts) bytes += part.size;
    return bytes;
  }

  // False if there is nothing to compare.
  bool prepare() { return conversion_->prepare(); }

  void pass(const Conversion::MakeOutput& make, ByteSink* sink, uint64_t& bytes_done) {
    bytes_before_ = bytes_done;
    conversion_->run_into(make, OutputForm::resp, sink);
    conversion_->mute();
    bytes_done += size();
    const std::pair<uint64_t, bool> read(summary().keys, summary().complete);
    if (read != first_read_.value_or(read))
      throw EditRefused(EditRefused::Kind::changed, "an input changed while it was read");
    first_read_ = read;
  }

  void tell(DiffInput& input) const {
    const ConvertSummary& read = conversion_->summary();
    input.has_header = read.has_header;
    input.complete = read.complete;
    input.keys = read.keys;
    input.errors = read.errors;
    input.reach = read.reach;
    input.replay = read.replay;
  }

  [[nodiscard]] const ConvertSummary& summary() const { return conversion_->summary(); }
  [[nodiscard]] const Target& target() const { return conversion_->target(); }

 private:
  ConvertInput input_;
  std::unique_ptr<ByteSource> copy_;
  ConvertOptions converting_;
  std::optional<Conversion> conversion_;
  uint64_t bytes_before_ = 0;
  std::optional<std::pair<uint64_t, bool>> first_read_;  // keys, and whether all of it was read
};

class Diff {
 public:
  Diff(const ConvertInput& a, const ConvertInput& b, DiffSink& sink, FindingSink& findings,
       const DiffOptions& options)
      : options_(options),
        state_(options, sink),
        a_(a, options, options.changes_a, findings),
        b_(b, options, options.changes_b, findings) {
    of_a_.is_a = true;
    of_a_.input = &state_.summary.a;
    of_b_.input = &state_.summary.b;
    // The index is of the side that is likely to have fewer keys.
    (b_.size() < a_.size() ? of_b_ : of_a_).is_indexed = true;
  }

  DiffSummary run() {
    const bool readable = digest();
    a_.tell(state_.summary.a);
    b_.tell(state_.summary.b);
    state_.summary.compared = readable && is_sound(state_.summary.a) && is_sound(state_.summary.b);
    if (!state_.summary.compared) return std::move(state_.summary);
    state_.keys.end_match();
    count();
    compare_libraries();
    if (wants_details()) tell_details();
    state_.summary.spilled_bytes += state_.keys.spilled_bytes();
    return std::move(state_.summary);
  }

 private:
  [[nodiscard]] bool is_sound(const DiffInput& input) const {
    return input.has_header && (options_.salvage || !input.damaged());
  }

  bool digest() {
    const bool readable_a = a_.prepare();
    const bool readable_b = b_.prepare();
    if (!readable_a || !readable_b) return false;
    Side& indexed = of_a_.is_indexed ? a_ : b_;
    Side& matched = of_a_.is_indexed ? b_ : a_;
    DiffSideState& of_indexed = of_a_.is_indexed ? of_a_ : of_b_;
    DiffSideState& of_matched = of_a_.is_indexed ? of_b_ : of_a_;
    indexed.pass([&](const OutputRules&) { return make_digest_output(state_, of_indexed); }, nullptr,
                 bytes_done_);
    state_.keys.end_index();
    matched.pass([&](const OutputRules&) { return make_digest_output(state_, of_matched); }, nullptr,
                 bytes_done_);
    return true;
  }

  void count() {
    const KeyMatch::Counts& counts = state_.keys.counts();
    state_.summary.same = counts.same;
    state_.summary.keys = {of_a_.is_indexed ? counts.only_indexed : counts.only_matched,
                           of_a_.is_indexed ? counts.only_matched : counts.only_indexed, counts.changed};
  }

  [[nodiscard]] bool wants_details() const {
    const bool wanted =
        options_.detail != DiffDetail::counts || options_.commands != nullptr || state_.values_decide();
    return wanted && state_.summary.differ();
  }

  void compare_libraries() {
    for (const auto& [name, content] : of_a_.libraries)
      if (!of_b_.libraries.contains(name)) tell_library(DiffKind::only_a, name);
    for (const auto& [name, content] : of_b_.libraries) {
      const auto in_a = of_a_.libraries.find(name);
      if (in_a == of_a_.libraries.end())
        tell_library(DiffKind::only_b, name);
      else if (in_a->second != content)
        tell_library(DiffKind::changed, name);
    }
  }

  void tell_library(DiffKind kind, const std::pair<bool, std::string>& name) {
    ++state_.summary.libraries[static_cast<size_t>(kind)];
    if (options_.detail != DiffDetail::counts) state_.sink.library({kind, name.first, name.second});
  }

  // What would be written is known to be permitted before anything is: it waits in a file of its own.
  void tell_details() {
    if (options_.commands == nullptr) return pass_details(nullptr);
    state_.summary.target = &b_.target();
    CommandSpool spool;
    pass_details(&spool);
    if (state_.summary.losses.loses_more_than(options_.permitted_losses)) return;
    state_.summary.commands_bytes = spool.size();
    spool.copy_to(*options_.commands);
    state_.summary.commands_written = true;
  }

  void pass_details(ByteSink* commands) {
    if (commands != nullptr) write_libraries(*commands);
    for (size_t round = 0; round < state_.keys.rounds(); ++round) {
      state_.keys.begin_round(round);
      a_.pass([this](const OutputRules& rules) { return make_detail_output(state_, of_a_, rules); }, commands,
              bytes_done_);
      b_.pass([this](const OutputRules& rules) { return make_detail_output(state_, of_b_, rules); }, commands,
              bytes_done_);
      state_.summary.spilled_bytes += state_.spool.size();
      state_.spool.clear();
      if (commands != nullptr) state_.summary.losses.add(b_.summary().losses);
    }
  }

  // First of all: no key depends on them.
  void write_libraries(ByteSink& sink) {
    ByteBuffer made;
    CommandWriter commands(made, b_.target());
    const bool has_functions = knows_functions(b_.target());
    const auto is_in = [](const DiffLibraries& libraries, const auto& library) {
      const auto found = libraries.find(library.first);
      return found != libraries.end() && found->second == library.second;
    };
    // First what goes, with what changes: a function may have moved from one to another.
    for (const auto& library : of_a_.libraries) {
      if (library.first.first && has_functions && !is_in(of_b_.libraries, library))
        commands.command({"FUNCTION", "DELETE", library.first.second});
    }
    for (const auto& library : of_b_.libraries) {
      if (is_in(of_a_.libraries, library)) continue;
      if (library.first.first && has_functions)
        commands.function(library.second, false);
      else
        state_.summary.losses.add(library.first.first ? LossFeature::functions : LossFeature::module_aux);
    }
    if (!made.empty()) sink.write(made.bytes());
  }

  const DiffOptions& options_;
  DiffState state_;
  Side a_;
  Side b_;
  DiffSideState of_a_;
  DiffSideState of_b_;
  uint64_t bytes_done_ = 0;
};

}  // namespace

DiffSummary diff(const ConvertInput& a, const ConvertInput& b, DiffSink& sink, FindingSink& findings,
                 const DiffOptions& options) {
  return Diff(a, b, sink, findings, options).run();
}

}  // namespace persist
