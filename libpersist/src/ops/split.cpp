// A split is a conversion into one RDB file that is never written: its records go to many.
#include "persist/split.hpp"

#include <filesystem>
#include <numeric>

#include "ops/checked_file.hpp"
#include "ops/conversion.hpp"
#include "ops/split_names.hpp"
#include "ops/split_sink.hpp"
#include "persist/check.hpp"

namespace persist {

namespace {

constexpr Bytes kSplitIndex = "index.jsonl";

// What is replaced goes as a whole: the input must not lie in it.
void require_outside(const ConvertInput& input, const std::string& folder) {
  namespace fs = std::filesystem;
  const auto require = [&folder](const std::string& of_input) {
    std::error_code none;
    fs::path at = fs::weakly_canonical(of_input, none);
    for (; !at.empty() && at != at.root_path(); at = at.parent_path()) {
      if (fs::equivalent(at, folder, none))
        throw EditRefused(EditRefused::Kind::unusable,
                          of_input + " lies in " + folder + ", which would be replaced");
    }
  };
  for (const ByteSource* source : {input.rdb, input.json})
    if (source != nullptr) require(source->name());
  if (input.log == nullptr) return;
  for (const SetPart& part : input.log->parts) require(part.path);
}

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
    conversion_.run(&sink, OutputForm::rdb, false);
    const bool fits = summary_.beyond.keys == 0 && (options_.keep_unassigned || summary_.unowned.keys == 0);
    const bool may_appear = fits && conversion_.may_commit();
    if (may_appear || folder == nullptr) sink.finish();
    return may_appear;
  }

  void place(const OutputOptions& output) {
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
    const CheckSummary checked = check_rdb(*open_source(path), found, check);
    if (checked.sound()) return;
    for (const Finding& finding : found.all) {
      if (finding.kind().severity != Severity::error) continue;
      throw EditRefused(EditRefused::Kind::beyond, "the result would not be sound: " + name + " at offset " +
                                                       std::to_string(finding.extent.offset) + ": " +
                                                       finding.message() + " [" +
                                                       std::string(finding.kind().id) + "]");
    }
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
  require_outside(input, output.path);
  return Splitting(input, findings, options).run(output);
}

}  // namespace persist
