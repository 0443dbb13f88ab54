// RDB files piece by piece, values told once to whoever counts; logs and JSON Lines entry by entry, as they
// would be in an RDB file.
#include "persist/stat.hpp"

#include "ops/conversion.hpp"
#include "ops/error_counter.hpp"
#include "ops/gathered_value.hpp"
#include "ops/key_stats.hpp"
#include "ops/log_stat.hpp"
#include "ops/pipeline.hpp"
#include "rdb/origin.hpp"
#include "text/csv_lines.hpp"
#include "types/encodings.hpp"

namespace persist {

namespace {

constexpr int64_t kCtimeInMs = 1000;
constexpr int64_t kSecondsMax = std::numeric_limits<int64_t>::max() / kCtimeInMs;

constexpr Bytes kRowsHeader =
    "db,key,type,encoding,bytes,elements,memory,memory_usage,largest_element,expire_at_ms,idle_s,freq,"
    "base64\r\n";

// A row for each key, with the key in base64 and its name in the last column if it is not text.
void append_row(ByteBuffer& out, const RdbEntry& entry, const KeyStat& key) {
  out.append_number(entry.db);
  out.append(',');
  const bool is_base64 = append_csv_string(out, entry.key);
  for (const Bytes text : {value_type_name(key.encoding->type), key.encoding->name}) {
    out.append(',');
    out.append(text);
  }
  for (const uint64_t number : {key.bytes, key.elements, key.memory, key.memory_usage, key.largest_element}) {
    out.append(',');
    out.append_number(number);
  }
  out.append(',');
  if (entry.expire_at_ms != kNoExpiry) out.append_number(entry.expire_at_ms);
  out.append(',');
  if (entry.idle_s) out.append_number(*entry.idle_s);
  out.append(',');
  if (entry.freq) out.append_number(unsigned{*entry.freq});
  out.append(is_base64 ? Bytes(",key\r\n") : Bytes(",\r\n"));
}

// The rows of some keys, until it is their turn.
class Rows {
 public:
  explicit Rows(ByteSink* sink) : sink_(sink) {}
  void add(const RdbEntry& entry, const KeyStat& key) {
    if (sink_ != nullptr) append_row(rows_, entry, key);
  }
  void hand_on() {
    if (!rows_.empty()) sink_->write(rows_.bytes());
    rows_.clear();
  }

 private:
  ByteSink* sink_;
  ByteBuffer rows_;
};

class StatWorker : public PieceWorker {
 public:
  StatWorker(const StatOptions& options, KeyStats& stats, StatSummary& summary)
      : options_(options),
        stats_(stats),
        summary_(summary),
        rows_(options.key_rows),
        takes_all_(options.filter == nullptr || options.filter->accepts_all()) {}

  void work(RecordReader& records, FindingSink& /*findings*/) override {
    while (const RdbRecord* record = records.next_head()) {
      if (const auto* entry = std::get_if<RdbEntry>(&record->body)) {
        take(records, *record, *entry);
      } else {
        has_header_ = has_header_ || std::holds_alternative<RdbHeader>(record->body);
        stats_.record(*record);
      }
    }
  }

  void emit() override {
    summary_.keys += std::exchange(keys_, 0);
    summary_.has_header = summary_.has_header || has_header_;
    rows_.hand_on();
  }

 private:
  void take(RecordReader& records, const RdbRecord& record, const RdbEntry& entry) {
    if (!takes_all_ && !options_.filter->accepts(entry)) {
      if (records.finish_value()) ++keys_;
      return;
    }
    stats_.begin(entry);
    if (!read(records)) return;
    ++keys_;
    rows_.add(entry, stats_.end(record.extent.size));
  }

  // Nobody looks into a long string: it need be neither unpacked nor in memory.
  bool read(RecordReader& records) {
    if (!records.from_source() && records.value_is_plain()) {
      if (!records.finish_value()) return false;
      stats_.add(StringValue{records.plain_string()});
      return true;
    }
    const std::optional<uint64_t> size = records.string_size();
    if (!size || *size <= KeyStats::kNumberBytesMax)
      return records.read_value([this](const Element& told) { stats_.add(told); });
    if (!records.finish_value()) return false;
    stats_.add_string(*size);
    return true;
  }

  const StatOptions& options_;
  KeyStats& stats_;
  StatSummary& summary_;
  Rows rows_;
  bool takes_all_;
  uint64_t keys_ = 0;
  bool has_header_ = false;
};

const Target& newest_redis() {
  const Target* newest = nullptr;
  for (const Target& target : targets())
    if (target.family == Dialect::redis && (newest == nullptr || target.release > newest->release))
      newest = &target;
  return *newest;
}

// Entries of a log or of JSON Lines: their bytes are those that they would have in an RDB file.
class StatOutput : public EntryOutput {
 public:
  StatOutput(const OutputRules& rules, const StatOptions& options, KeyStats& stats)
      : rules_(rules), stats_(stats), record_(make_rdb_output(rules)), rows_(options.key_rows) {}

  bool put(const RdbEntry& entry, EntryValue& value) override {
    if (!gather(value, entry.encoding->type, value_)) return false;
    stats_.begin(entry);
    value_.tell([this](const Element& told) { stats_.add(told); });
    GatheredValue gathered(value_);
    record_->put(entry, gathered);
    rows_.add(entry, stats_.end(record_->made().size(), choose_encoding(value_, rules_.write)));
    record_->clear();
    ++written_;
    return true;
  }

  void put_record(const RdbRecord& record) override { stats_.record(record); }

  void hand_on() override { rows_.hand_on(); }

 private:
  const OutputRules& rules_;
  KeyStats& stats_;
  std::unique_ptr<EntryOutput> record_;
  Value value_;
  Rows rows_;
};

class StatJob {
 public:
  StatJob(const ConvertInput& input, FindingSink& findings, const StatOptions& options)
      : input_(input), findings_(findings), options_(options), counters_(rules_) {
    rules_.allocator = options.allocator;
    rules_.top_keys = options.top_keys;
    rules_.separators = options.separators;
    summary_.report = StatReport(options.top_keys);
  }

  StatSummary run() {
    if (options_.key_rows != nullptr) options_.key_rows->write(kRowsHeader);
    summary_.errors = input_.errors;
    if (input_.rdb != nullptr)
      stat_rdb();
    else if (input_.log != nullptr)
      stat_log();
    else
      stat_entries(input_);
    finish();
    return std::move(summary_);
  }

 private:
  void stat_rdb() {
    const RdbHead head = read_rdb_head(*input_.rdb);
    know(head.server, head.ctime_s && *head.ctime_s > 0 && *head.ctime_s < kSecondsMax
                          ? std::optional(*head.ctime_s * kCtimeInMs)
                          : std::nullopt);
    // What cannot be read again is read by one thread.
    const bool rereadable = input_.rdb->rereadable();
    walk(findings_, rereadable ? options_.threads : 1, options_);
    if (summary_.errors > 0 && rereadable && options_.threads != 1) count_anew();
    counters_.add_to(summary_.report);
  }

  // A thread may have counted a piece that lies behind the damage another one met, and nobody can take that
  // out again.
  void count_anew() {
    counters_.clear();
    const StatSummary first = std::exchange(summary_, {});
    summary_.report = first.report;
    StatOptions muted = options_;
    muted.key_rows = nullptr;
    NoFindings said_before;
    walk(said_before, 1, muted);
    summary_.errors = first.errors;
    summary_.reach = first.reach;
  }

  void walk(FindingSink& findings, unsigned threads, const StatOptions& options) {
    ErrorCounter errors(findings, summary_);
    PipelineOptions pipeline;
    pipeline.threads = threads;
    pipeline.progress = options.progress;
    const PipelineResult result = run_pipeline(*input_.rdb, errors, pipeline, [&] {
      return std::make_unique<StatWorker>(options, counters_.add(), summary_);
    });
    summary_.complete = result.complete;
    bytes_read_ = result.valid_up_to;
  }

  // The commands first, by themselves: that walk does not stop where a command cannot be replayed.
  void stat_log() {
    const AppendSet& set = *input_.log;
    ConvertInput input = input_;
    // What comes through a pipe is read twice.
    std::unique_ptr<ByteSource> copy;
    if (input_.replay.open) {
      input.replay.open = [&](const SetPart& part) {
        if (!copy) copy = rereadable_source(input_.replay.open(part));
        return borrowed_source(*copy);
      };
    }
    LogStat commands = count_commands(set, input.replay.open, options_.progress);
    if (options_.replays) {
      stat_entries(input);
      if (!summary_.replay->is_log || summary_.replay->refused) return;
      // What was not selected is not dead.
      if (options_.filter == nullptr || options_.filter->accepts_all())
        commands.live_bytes = summary_.report.total.bytes;
    } else {
      know(std::nullopt, written_ms(set));
      summary_.has_header = true;
      summary_.complete = commands.complete;
    }
    summary_.report.log = std::move(commands);
  }

  static std::optional<int64_t> written_ms(const AppendSet& set) {
    constexpr int64_t kMsInNs = 1000000;
    int64_t latest_ns = 0;
    for (const SetPart& part : set.parts) latest_ns = std::max(latest_ns, part.modified_ns);
    return latest_ns > 0 ? std::optional(latest_ns / kMsInNs) : std::nullopt;
  }

  void stat_entries(const ConvertInput& input) {
    ConvertOptions converting;
    // Nobody has written JSON Lines: what they would take is told for a server that takes most.
    if (input.json != nullptr) converting.write.target = &newest_redis();
    converting.salvage = true;
    converting.filter = options_.filter;
    converting.threads = options_.threads;
    converting.progress = options_.progress;
    Conversion conversion(input, converting, findings_);
    const bool prepared = conversion.prepare();
    if (prepared) {
      const std::optional<ReplaySummary>& replay = conversion.summary().replay;
      know(replay ? std::optional(replay->server) : std::nullopt,
           input.log != nullptr ? written_ms(*input.log) : std::nullopt);
      conversion.run_into(
          [this](const OutputRules& rules) {
            return std::make_unique<StatOutput>(rules, options_, counters_.add());
          },
          OutputForm::rdb, nullptr);
    }
    const ConvertSummary& converted = conversion.summary();
    summary_.has_header = prepared && converted.has_header;
    summary_.complete = converted.complete;
    summary_.keys = converted.keys;
    summary_.errors = converted.errors;
    summary_.reach = converted.reach;
    summary_.replay = converted.replay;
    counters_.add_to(summary_.report);
    counters_.clear();
  }

  // Which server wrote it, and when.
  void know(const std::optional<ServerVersion>& writer, std::optional<int64_t> written_ms) {
    rules_.target = options_.target != nullptr ? options_.target : &default_target(writer);
    rules_.as_of_ms = options_.as_of_ms.value_or(written_ms.value_or(options_.now_ms));
    StatReport& report = summary_.report;
    report.target = std::string(rules_.target->name);
    report.allocator = rules_.allocator;
    report.separators = rules_.separators;
    if (writer) report.writers[server_version_name(*writer)] = 1;
  }

  void finish() {
    StatReport& report = summary_.report;
    report.inputs = 1;
    report.file_bytes = file_bytes();
    report.errors = summary_.errors;
    report.complete = summary_.complete;
    report.as_of_first_ms = report.as_of_last_ms = rules_.as_of_ms;
  }

  [[nodiscard]] uint64_t file_bytes() const {
    uint64_t bytes = 0;
    if (input_.log != nullptr)
      for (const SetPart& part : input_.log->parts) bytes += part.size;
    else
      bytes = (input_.rdb != nullptr ? input_.rdb : input_.json)->size().value_or(bytes_read_);
    return bytes;
  }

  const ConvertInput& input_;
  FindingSink& findings_;
  const StatOptions& options_;
  StatRules rules_;
  StatCounters counters_;
  StatSummary summary_;
  uint64_t bytes_read_ = 0;
};

}  // namespace

StatSummary stat(const ConvertInput& input, FindingSink& findings, const StatOptions& options) {
  return StatJob(input, findings, options).run();
}

MemoryEstimate estimate_memory(const StatReport& report) {
  MemoryEstimate estimate{report.total.memory, 0};
  const Target* target = find_target(report.target);
  if (target == nullptr) return estimate;
  const MemoryModel model(*target, report.allocator);
  for (const auto& [number, db] : report.dbs)
    estimate.tables += model.tables(db.count.keys, db.volatile_keys);
  estimate.tables += model.tables(report.other_dbs.count.keys, report.other_dbs.volatile_keys);
  return estimate;
}

}  // namespace persist
