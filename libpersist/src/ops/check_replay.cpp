// What a check of bytes does not see: commands that are whole, and that servers answer with an error.
#include "ops/replay_set.hpp"
#include "persist/check_set.hpp"

namespace persist {

namespace {

// Millions of the same tell no more.
constexpr uint64_t kFailuresReported = 10'000;

class FailureWatch : public ReplayObserver {
 public:
  explicit FailureWatch(FindingSink& findings) : findings_(findings) {}

  void begin_part(const SetPart& part) { file_ = part.path == "-" ? "<stdin>" : part.path; }

  void after(const LoggedCommand& command, Effect effect, const char* error) override {
    if (effect != Effect::failed || ++failures_ > kFailuresReported) return;
    Finding finding;
    finding.code = FindingCode::replay_error;
    finding.file = file_;
    finding.extent = command.extent;
    finding.subject = "command " + std::to_string(command.index) + ", " + std::string(command.spec->name);
    finding.found = error != nullptr ? error : "an error";
    finding.db = command.db;
    for_each_key(*command.spec, command.args, [&](size_t index) {
      if (!finding.key) finding.key = std::string(command.args[index]);
    });
    findings_.report(finding);
  }

 private:
  FindingSink& findings_;
  std::string file_;
  uint64_t failures_ = 0;
};

// Lets through only what a check has not told.
class ReplayFindings : public FindingSink {
 public:
  explicit ReplayFindings(FindingSink& to) : to_(to) {}
  void report(const Finding& finding) override {
    if (finding.kind().id.starts_with("replay.")) to_.report(finding);
  }

 private:
  FindingSink& to_;
};

}  // namespace

void check_replay(const AppendSet& set, FindingSink& findings, const ReplayOptions& options,
                  SetSummary& summary) {
  ReplayFindings told(findings);
  FailureWatch failures(told);
  ReplayWatch watch;
  watch.observer = &failures;
  watch.part = [&](const SetPart& part) { failures.begin_part(part); };
  Dataset data;
  summary.replay = replay_set(set, told, options, watch, data);
  summary.warnings += summary.replay->failed;
}

}  // namespace persist
