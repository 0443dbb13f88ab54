// Who wrote the input, how large it was and what was wrong with it is no sum.
#include "support/stats.hpp"

#include "persist/check_set.hpp"
#include "support/verbs.hpp"

namespace persist::test {

namespace {

StatSummary run_stat(const ConvertInput& input, const StatOptions& options) {
  FindingList found;
  return stat(input, found, options);
}

}  // namespace

StatOptions stat_options(unsigned threads) {
  StatOptions options;
  options.target = find_target("redis-8.8");
  options.threads = threads;
  options.as_of_ms = kStatNowMs;
  return options;
}

StatSummary stat_rdb(ByteSource& source, const StatOptions& options) {
  ConvertInput input;
  input.rdb = &source;
  return run_stat(input, options);
}

StatSummary stat_rdb(Bytes file, const StatOptions& options) {
  return stat_rdb(*memory_source(file), options);
}

StatSummary stat_json_lines(Bytes lines, const StatOptions& options) {
  const auto source = memory_source(lines);
  ConvertInput input;
  input.json = source.get();
  return run_stat(input, options);
}

StatSummary stat_log(Bytes log, const StatOptions& options) {
  const AppendSet set = single_file_set("log");
  ConvertInput input;
  input.log = &set;
  input.replay.now_ms = kStatNowMs;
  input.replay.open = [&](const SetPart& part) { return memory_source(log, part.name); };
  return run_stat(input, options);
}

std::string sums_of(StatReport report) {
  report.inputs = report.file_bytes = report.errors = 0;
  report.complete = true;
  report.writers.clear();
  StringSink sink;
  write_partial(report, sink);
  return sink.text;
}

}  // namespace persist::test
