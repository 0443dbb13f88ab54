// What is written to a file or folder is not read back: that is for the test.
#include "support/conversions.hpp"

#include <stdexcept>

#include "persist/check_set.hpp"
#include "persist/dump.hpp"
#include "support/rdb_builder.hpp"
#include "support/set_verbs.hpp"
#include "support/verbs.hpp"

namespace persist::test {

namespace {

Converted attempt(const std::function<ConvertSummary(FindingList&)>& work) {
  Converted converted;
  FindingList findings;
  try {
    converted.summary = work(findings);
  } catch (const EditRefused& refused) {
    converted.refusal = refused.what();
  }
  converted.findings = findings.all;
  return converted;
}

Converted to_stream(const ConvertInput& input, const ConvertOptions& options) {
  StringSink sink;
  Converted converted =
      attempt([&](FindingList& findings) { return convert_to_stream(input, sink, findings, options); });
  converted.bytes = sink.text;
  return converted;
}

}  // namespace

std::string told(const LossReport& losses) {
  std::string text;
  for (const LossRow& row : loss_rows()) {
    const LossCount& lost = losses.of(row.feature);
    if (lost.count == 0 && lost.keys == 0) continue;
    text += (text.empty() ? "" : ", ") + std::string(row.id) + " " + std::to_string(lost.count) + "/" +
            std::to_string(lost.keys);
  }
  return text;
}

std::string few_keys() {
  return RdbBuilder(redis, 11)
      .select(0)
      .expire_ms(9)
      .string("a", "1")
      .list("l", {"x", "y"})
      .select(2)
      .hash("h", {{"f", "v"}})
      .eof();
}

ConvertOptions options_for(Bytes target, OutputForm form) {
  ConvertOptions options;
  options.to = form;
  options.write.target = find_target(target);
  options.threads = 1;
  return options;
}

ConvertOptions lossy_options_for(Bytes target, OutputForm form) {
  ConvertOptions options = options_for(target, form);
  options.permitted_losses = all_losses();
  return options;
}

std::vector<LossFeature> all_losses() {
  std::vector<LossFeature> all;
  for (const LossRow& row : loss_rows()) all.push_back(row.feature);
  return all;
}

Converted convert_rdb(ByteSource& source, const ConvertOptions& options) {
  ConvertInput input;
  input.rdb = &source;
  return to_stream(input, options);
}

Converted convert_rdb(Bytes file, const ConvertOptions& options) {
  return convert_rdb(*memory_source(file), options);
}

Converted convert_json(Bytes lines, const ConvertOptions& options) {
  const auto source = memory_source(lines);
  ConvertInput input;
  input.json = source.get();
  return to_stream(input, options);
}

Converted convert_log(Bytes log, const ConvertOptions& options, std::optional<ServerVersion> as) {
  const AppendSet set = single_file_set("log");
  ConvertInput input;
  input.log = &set;
  input.replay.as = as;
  input.replay.now_ms = 0;
  input.replay.open = [&](const SetPart& part) { return memory_source(log, part.name); };
  return to_stream(input, options);
}

Converted convert_path(const std::string& from, const std::string& to, const ConvertOptions& options,
                       bool force) {
  const auto source = open_source(from);
  ConvertInput input;
  input.rdb = source.get();
  OutputOptions output;
  output.path = to;
  output.force = force;
  return attempt([&](FindingList& findings) { return convert(input, output, findings, options); });
}

Converted convert_log_path(const std::string& from, const std::string& to, const ConvertOptions& options) {
  const AppendSet set = open_set(from);
  ConvertInput input;
  input.log = &set;
  input.replay.now_ms = 0;
  OutputOptions output;
  output.path = to;
  return attempt([&](FindingList& findings) { return convert(input, output, findings, options); });
}

std::string dumped_log(const std::string& path) {
  StringSink sink;
  FindingList findings;
  ReplayOptions replay;
  replay.now_ms = 0;
  dump_log(open_set(path), sink, findings, {}, replay);
  if (const std::string found = problems(findings.all); !found.empty()) throw std::runtime_error(found);
  return sink.text;
}

}  // namespace persist::test
