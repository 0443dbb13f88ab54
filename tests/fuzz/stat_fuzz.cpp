// Statistics: of whatever bytes come in, all the ways to count come to the same, the parts of a whole add up
// to it, and one that ends early has no more in it.
//
// The input begins with a byte of choices; behind it stands an RDB file, JSON Lines or a log.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>

#include "persist/check_set.hpp"
#include "persist/stat.hpp"

namespace {

using namespace persist;

constexpr int64_t kNowMs = 1'700'000'000'000;

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

class TextSink : public ByteSink {
 public:
  void write(Bytes bytes) override { text.append(bytes); }
  std::string text;
};

enum class Kind : uint8_t { rdb, json, log };

struct Choices {
  Kind kind = Kind::rdb;
  StatOptions options;
};

Choices choices_of(uint8_t byte) {
  Choices choices;
  choices.kind = static_cast<Kind>((byte & 3U) % 3);
  StatOptions& options = choices.options;
  options.target = &targets()[(byte >> 2U & 7U) * 3 % targets().size()];
  options.top_keys = (byte & 32U) != 0 ? 0 : 3;
  options.separators = (byte & 64U) != 0 ? std::string("\0k:", 3) : StatOptions{}.separators;
  options.replays = (byte & 128U) == 0;
  options.as_of_ms = options.now_ms = kNowMs;
  options.threads = 1;
  return choices;
}

StatSummary stat_of(Bytes bytes, Kind kind, const StatOptions& options) {
  const auto source = memory_source(bytes);
  const AppendSet set = single_file_set("log");
  ConvertInput input;
  input.rdb = kind == Kind::rdb ? source.get() : nullptr;
  input.json = kind == Kind::json ? source.get() : nullptr;
  input.log = kind == Kind::log ? &set : nullptr;
  input.replay.now_ms = kNowMs;
  input.replay.open = [&](const SetPart& part) { return memory_source(bytes, part.name); };
  FindingList found;
  return stat(input, found, options);
}

void check_sums(const StatReport& report) {
  StatCount types;
  StatCount encodings;
  StatCount dbs = report.other_dbs.count;
  StatCount expiries = report.persistent;
  StatCount sizes;
  for (const TypeStat& type : report.types) {
    types.add(type.count);
    require(type.elements.count() == type.count.keys, "elements of each key");
  }
  for (const auto& [label, encoding] : report.encodings) encodings.add(encoding.count);
  for (const auto& [number, db] : report.dbs) dbs.add(db.count);
  expiries.add(report.expired);
  for (const StatCount& bin : report.ttl) expiries.add(bin);
  for (const StatCount& size : report.sizes) sizes.add(size);
  require(types == report.total, "types");
  require(encodings == report.total, "encodings");
  require(dbs == report.total, "databases");
  require(expiries == report.total, "expiries");
  require(sizes == report.total, "sizes");
  require(report.prefixes.count == report.total, "prefixes");
  require(report.bytes.count() == report.total.keys, "bytes of each key");
}

std::string text_of(const StatReport& report) {
  TextSink sink;
  write_partial(report, sink);
  return sink.text;
}

// What is no key is counted with each part.
std::string sums_of(StatReport report) {
  report.inputs = report.file_bytes = report.errors = 0;
  report.complete = true;
  report.writers.clear();
  for (auto& [name, module] : report.modules) module.records = 0;
  return text_of(report);
}

// The strings and the rest, which for a file that can be read twice are all of it.
void check_parts(Bytes file, const StatOptions& options, const StatReport& whole) {
  StatReport merged;
  for (const bool invert : {false, true}) {
    FilterOptions chosen;
    chosen.types = {ValueType::string, ValueType::zset};
    chosen.invert = invert;
    const Filter filter(chosen);
    StatOptions selecting = options;
    selecting.filter = &filter;
    merge_stat(merged, stat_of(file, Kind::rdb, selecting).report);
  }
  // Where reading ends depends on what is looked into and what is skipped.
  if (whole.complete && merged.complete) require(sums_of(merged) == sums_of(whole), "parts of a whole");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const Choices choices = choices_of(data[0]);
  const Bytes bytes(reinterpret_cast<const char*>(data + 1), size - 1);
  TextSink rows;
  StatOptions options = choices.options;
  options.key_rows = &rows;
  const StatSummary summary = stat_of(bytes, choices.kind, options);
  const StatReport& report = summary.report;
  check_sums(report);
  require(report.errors == summary.errors, "errors");
  require(estimate_memory(report).keys == report.total.memory, "estimate");
  const std::string text = text_of(report);
  require(text_of(read_partial(*memory_source(text))) == text, "a partial result, read back");
  if (choices.kind != Kind::rdb) return 0;
  require(summary.keys == report.total.keys, "whole keys");
  require(report.total.bytes <= bytes.size(), "bytes of a file");
  check_parts(bytes, choices.options, report);
  const StatSummary half = stat_of(bytes.substr(0, bytes.size() / 2), Kind::rdb, choices.options);
  require(half.report.total.keys <= report.total.keys, "keys of a half");
  require(half.report.total.bytes <= report.total.bytes, "bytes of a half");
  return 0;
}
