// The dump: each thread turns its pieces into text, which goes out in the order of the file.
#include "persist/dump.hpp"

#include "ops/error_counter.hpp"
#include "ops/pipeline.hpp"
#include "text/annotation.hpp"
#include "text/json_lines.hpp"
#include "text/json_runs.hpp"
#include "text/json_string.hpp"

namespace persist {

namespace {

// What an output buffer may keep from one piece to the next.
constexpr size_t kBufferKeptBytes = size_t{4} << 20;

class DumpWorker : public PieceWorker {
 public:
  DumpWorker(const DumpOptions& options, ByteSink& output, DumpSummary& summary)
      : options_(options),
        output_(output),
        summary_(summary),
        line_(out_),
        all_wanted_(options.filter == nullptr || options.filter->accepts_all()) {}

  void work(RecordReader& records, FindingSink& /*findings*/) override {
    while (const RdbRecord* record = records.next_head()) {
      if (const auto* entry = std::get_if<RdbEntry>(&record->body))
        dump_entry(records, *record, *entry);
      else
        dump_record(records, *record);
    }
  }

  void emit() override {
    if (!out_.empty()) output_.write(out_.bytes());
    out_.clear();
    out_.shrink(kBufferKeptBytes);
    summary_.keys += keys_;
    summary_.written += written_;
    keys_ = written_ = 0;
  }

 private:
  void dump_entry(RecordReader& records, const RdbRecord& record, const RdbEntry& entry) {
    const bool wanted = all_wanted_ || options_.filter->accepts(entry);
    const bool whole = !wanted             ? records.finish_value()
                       : options_.annotate ? annotate_entry(records, record)
                                           : write_entry(records, record, entry);
    keys_ += whole ? 1 : 0;
    written_ += whole && wanted ? 1 : 0;
  }

  bool write_entry(RecordReader& records, const RdbRecord& record, const RdbEntry& entry) {
    if (records.from_source()) return pass_entry(records, record, entry);
    const size_t before = out_.size();
    write_remarks(record, entry);
    line_.begin(entry, false);
    if (!records.read_value([this](const Element& told) { line_.add(told); })) {
      out_.truncate(before);
      return false;
    }
    if (line_.wants_pairs()) {
      line_.discard();
      line_.begin(entry, true);
      records.visit([this](const Element& told) { line_.add(told); });
    }
    line_.end();
    return true;
  }

  // A value that may be larger than memory should be: walked to its end first, then written out while it is
  // told.
  bool pass_entry(RecordReader& records, const RdbRecord& record, const RdbEntry& entry) {
    bool names_are_text = true;
    records.set_payloads(Payloads::validated);
    const bool whole = records.read_value([&](const Element& told) {
      if (const auto* field = std::get_if<HashField>(&told))
        names_are_text = names_are_text && is_json_text(field->field);
    });
    records.set_payloads(Payloads::wanted);
    if (!whole) return false;
    // From here on nothing is taken back, so that what was written may go out.
    const std::function<void(Bytes)> drain = [this](Bytes bytes) { output_.write(bytes); };
    out_.set_drain(&drain);
    write_remarks(record, entry);
    line_.begin(entry, !names_are_text);
    if (!pass_string(records)) records.visit([this](const Element& told) { line_.add(told); });
    line_.end();
    out_.set_drain(nullptr);
    return true;
  }

  // A string is read twice: to see whether it is text, and to write it.
  bool pass_string(RecordReader& records) {
    Utf8Runs look;
    if (!records.visit_in_runs([&](Bytes run) { look.add(run); })) return false;
    JsonRuns value(out_, look.valid());
    records.visit_in_runs([&](Bytes run) { value.add(run); });
    value.end();
    return true;
  }

  // What stands in front of a key's line.
  void write_remarks(const RdbRecord& record, const RdbEntry& entry) {
    if (!options_.meta) return;
    const SalvageLabel label = options_.label ? options_.label(record.extent.offset) : SalvageLabel::sound;
    if (label != SalvageLabel::sound) append_salvage_line(out_, entry, label);
    if (!entry.key_meta.empty()) append_key_meta_line(out_, entry);
  }

  bool annotate_entry(RecordReader& records, const RdbRecord& record) {
    uint64_t elements = 0;
    records.set_payloads(Payloads::validated);
    const bool whole = records.read_value([&](const Element& told) {
      if (is_item(told)) ++elements;
    });
    append_annotation(out_, record, records.raw(options_.annotate_bytes),
                      whole ? std::optional(elements) : std::nullopt);
    return whole;
  }

  void dump_record(const RecordReader& records, const RdbRecord& record) {
    if (options_.annotate)
      append_annotation(out_, record, records.raw(options_.annotate_bytes), 0);
    else if (options_.meta)
      append_record_line(out_, record, summary_.keys + keys_);
    if (std::holds_alternative<RdbHeader>(record.body)) summary_.has_header = true;
  }

  const DumpOptions& options_;
  ByteSink& output_;
  DumpSummary& summary_;
  ByteBuffer out_;
  EntryLine line_;
  bool all_wanted_;
  uint64_t keys_ = 0;
  uint64_t written_ = 0;
};

}  // namespace

DumpSummary dump_rdb(ByteSource& source, ByteSink& output, FindingSink& findings,
                     const DumpOptions& options) {
  DumpSummary summary;
  ErrorCounter counter(findings, summary);
  PipelineOptions pipeline;
  pipeline.threads = options.threads;
  pipeline.progress = options.progress;
  const PipelineResult result = run_pipeline(
      source, counter, pipeline, [&] { return std::make_unique<DumpWorker>(options, output, summary); });
  summary.complete = result.complete;
  return summary;
}

DumpSummary dump_payload(Bytes payload, const std::string& file, ByteSink& output, FindingSink& findings) {
  DumpSummary summary;
  ByteBuffer out;
  EntryLine line(out);
  try {
    const DumpPayload about = read_dump_payload(payload, [](const Element&) {});
    line.write(*about.encoding, [&](ElementSink told) { read_dump_payload(payload, told); });
    output.write(out.bytes());
    summary.has_header = summary.complete = true;
    summary.keys = summary.written = 1;
  } catch (const FormatError& error) {
    Finding finding = error.finding;
    finding.file = file;
    ErrorCounter(findings, summary).report(finding);
  }
  return summary;
}

}  // namespace persist
