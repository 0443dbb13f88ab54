// A split is a conversion into one RDB file that is never written: its records go to many.
#include "persist/split.hpp"

#include <numeric>

#include "ops/checked_file.hpp"
#include "ops/conversion.hpp"
#include "ops/split_names.hpp"
#include "ops/split_sink.hpp"
#include "persist/check.hpp"

namespace persist {

namespace {

constexpr Bytes kSplitIndex = "index.jsonl";

// What a split before has left.
bool is_split_file(Bytes name) { return name == kSplitIndex || name.ends_with(".rdb"); }

class Splitting {
 public:
  Splitting(const ConvertInput& input, FindingSink& findings, const SplitOptions& options)
      : options_(options), inner_(inner_options(options)), conversion_(input, inner_, findings) {}

  SplitSummary run(const OutputOptions& output) {
    if (conversion_.prepare()) {
      if (output.dry_run)
        convert_into(nullptr);
      else
        place(output);
    }
    summary_.convert = std::move(conversion_.summary());
    summary_.convert.bytes_written =
        std::transform_reduce(summary_.files.begin(), summary_.files.end(), uint64_t{0}, std::plus(),
                              std::mem_fn(&SplitFile::bytes));
    return std::move(summary_);
  }

 private:
  static ConvertOptions inner_options(const SplitOptions& options) {
    ConvertOptions inner = options.convert;
    inner.to = OutputForm::rdb;
    inner.write.checksum = false;  // nobody reads that one
    return inner;
  }

  // Whether the files may appear.
  bool convert_into(AtomicFolder* folder) {
    SplitSink sink(options_, conversion_.target().header(), folder, summary_);
    if (folder != nullptr) conversion_.leave_checking();
    conversion_.run(&sink, OutputForm::rdb, false);
    const bool fits = summary_.beyond.keys == 0 && (options_.keep_unassigned || summary_.unowned.keys == 0);
    const bool may_appear = fits && conversion_.may_commit();
    if (may_appear || folder == nullptr) sink.finish();
    return may_appear;
  }

  void place(const OutputOptions& output) {
    if (output.force) require_replaceable(output.path, is_split_file);
    AtomicFolder folder(output.path, output.force ? Existing::replace : Existing::refuse);
    if (!convert_into(&folder)) return;
    for (const SplitFile& file : summary_.files) check_file(folder.path_of(file.name), file.name);
    write_index(folder);
    folder.commit();
    conversion_.summary().committed = true;
  }

  void check_file(const std::string& path, const std::string& name) const {
    FindingList found;
    CheckOptions check;
    check.threads = options_.convert.threads;
    check_rdb(*open_source(path), found, check);
    for (Finding& finding : found.all) finding.file = name;
    refuse_if_unsound(found.all);
  }

  void write_index(AtomicFolder& folder) const {
    std::string lines;
    for (const SplitFile& file : summary_.files) lines += split_index_line(file);
    const std::unique_ptr<ByteSink> index = folder.create(std::string(kSplitIndex));
    index->write(lines);
    index->finish();
  }

  const SplitOptions& options_;
  ConvertOptions inner_;
  Conversion conversion_;
  SplitSummary summary_;
};

}  // namespace

SplitSummary split(const ConvertInput& input, const OutputOptions& output, FindingSink& findings,
                   const SplitOptions& options) {
  require_apart(input, output.path);
  return Splitting(input, findings, options).run(output);
}

}  // namespace persist
