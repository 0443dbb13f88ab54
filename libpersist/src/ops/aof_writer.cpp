// The public writer of logs: the form of output that conversions use, one entry after the other.
#include "persist/aof_writer.hpp"

#include "aof/command_writer.hpp"
#include "ops/output_stream.hpp"

namespace persist {

namespace {

constexpr size_t kGatheredBytes = size_t{1} << 20;

OutputRules rules_of(const WriteOptions& options) {
  OutputRules rules;
  rules.form = OutputForm::aof;
  rules.write = {options.target, options.limits, options.compress};
  rules.fit = {options.target, Carrier::commands, options.modules};
  return rules;
}

// Told by whoever calls.
class CallersValue : public EntryValue {
 public:
  explicit CallersValue(TellElements tell) : tell_(tell) {}
  bool tell(ElementSink sink) override {
    tell_(sink);
    return true;
  }
  Raw raw() override { return {}; }
  bool skip() override { return true; }

 private:
  TellElements tell_;
};

}  // namespace

struct AofWriter::State {
  State(ByteSink& sink, const WriteOptions& options)
      : rules(rules_of(options)), stream(&sink, rules, false), output(make_output(rules)) {}

  OutputRules rules;
  OutputStream stream;
  std::unique_ptr<EntryOutput> output;
  LossReport losses;  // of both, when somebody last asked
};

AofWriter::AofWriter(ByteSink& sink, const WriteOptions& options)
    : state_(std::make_unique<State>(sink, options)) {}

AofWriter::~AofWriter() = default;

void AofWriter::function(Bytes code) {
  FunctionLibrary library;
  library.code = code;
  state_->output->put_record({{}, library});
}

bool AofWriter::entry(const RdbEntry& head, TellElements tell) {
  CallersValue value(tell);
  const uint64_t before = state_->output->written();
  state_->output->put(head, value);
  const bool written = state_->output->written() > before;
  if (state_->output->made().size() >= kGatheredBytes) state_->stream.take(*state_->output);
  return written;
}

void AofWriter::command(std::span<const Bytes> args) {
  CommandWriter commands(state_->output->made(), state_->rules.target());
  commands.begin(args.size());
  for (const Bytes arg : args) commands.arg(arg);
}

void AofWriter::finish() { state_->stream.take(*state_->output); }

const LossReport& AofWriter::losses() const {
  state_->losses = state_->stream.losses();
  state_->losses.add(state_->output->losses());
  return state_->losses;
}

}  // namespace persist
