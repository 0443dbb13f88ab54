// Copying in runs, what is dropped to a folder of its own; checked, and only then renamed into place.
#include "ops/set_output.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "io/borrowed_sink.hpp"
#include "io/copy.hpp"
#include "io/gathering_sink.hpp"
#include "io/placing.hpp"
#include "ops/lost_folder.hpp"
#include "ops/result_check.hpp"
#include "persist/check_set.hpp"

namespace persist {

namespace {

namespace fs = std::filesystem;

constexpr size_t kRunsTold = 100;
constexpr const char* kLostSuffix = ".lost";

// How the result stands in the file system.
enum class Shape : uint8_t {
  file,    // one file
  folder,  // the files of the set in a folder
  nested   // the append directory inside of a data directory
};

std::string without_slashes(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

bool is_device(const std::string& path) {
  struct stat about {};
  return ::stat(path.c_str(), &about) == 0 && !S_ISREG(about.st_mode) && !S_ISDIR(about.st_mode);
}

bool lies_in(const fs::path& inner, const fs::path& outer) {
  const auto [rest, at] = std::mismatch(outer.begin(), outer.end(), inner.begin(), inner.end());
  return rest == outer.end();
}

[[noreturn]] void refuse_output(const std::string& what) {
  throw EditRefused(EditRefused::Kind::unusable, what);
}

// A result inside of the input would be part of it the next time; one in its place would be it.
void check_apart(const AppendSet& set, const std::string& output) {
  const fs::path out = fs::weakly_canonical(output);
  if (set.kind == SetKind::file) {
    std::error_code none;
    if (fs::equivalent(output, set.parts.front().path, none)) {
      refuse_output(output +
                    ": expected another file than the input (--in-place replaces it and keeps a backup)");
    }
    return;
  }
  for (const std::string& folder : {set.folder, set.path}) {
    if (!fs::is_directory(folder) || !lies_in(out, fs::canonical(folder))) continue;
    std::string what = output;
    what += ": expected a place outside of " + folder;
    what += " (--in-place replaces a set and keeps a backup)";
    refuse_output(what);
  }
}

// Those that the input has, if it is something that has any.
Attributes like(const std::string& path) {
  constexpr uint32_t kOwnerWrites = 0200;
  std::error_code none;
  if (path.empty() || !fs::exists(path, none)) return {};
  Attributes attributes = attributes_of(path);
  // A server has to append to it, even if the input was made safe from that.
  if (attributes.mode) attributes.mode = *attributes.mode | kOwnerWrites;
  return attributes;
}

bool is_flaw(const Finding& finding, const Tolerance& tolerance) {
  if (finding.kind().severity != Severity::error) return false;
  constexpr FindingCode kOfCommands[] = {FindingCode::aof_unknown_command, FindingCode::aof_arity,
                                         FindingCode::aof_db_range, FindingCode::aof_long_annotation};
  return !tolerance.commands || std::ranges::find(kOfCommands, finding.code) == std::end(kOfCommands);
}

[[noreturn]] void refuse_result(const Finding& finding) {
  throw EditRefused(EditRefused::Kind::beyond,
                    "the result would not be sound, and nothing was written: " + finding.message() +
                        " at offset " + std::to_string(finding.extent.offset) + " of " +
                        fs::path(finding.file).filename().string() + " [" + std::string(finding.kind().id) +
                        "]");
}

}  // namespace

EditRefused::EditRefused(Kind why, const std::string& what) : std::runtime_error(what), kind(why) {}
EditRefused::~EditRefused() = default;

// ------------------------------------------------------------------------------------------------- a part

PartOutput::PartOutput(ByteSource& from, std::string name, std::unique_ptr<ByteSink> to, LostFolder& lost,
                       EditSummary& summary)
    : from_(from), name_(std::move(name)), lost_(lost), summary_(summary) {
  if (to) to_ = std::make_unique<GatheringSink>(std::move(to));
}

PartOutput::~PartOutput() = default;

void PartOutput::keep_up_to(uint64_t offset) {
  settle_drop();
  if (offset <= at_) return;
  if (to_) copy_range(from_, {at_, offset - at_}, *to_);
  summary_.bytes_kept += offset - at_;
  at_ = offset;
}

void PartOutput::drop(Extent extent, Bytes why, uint64_t commands) {
  if (extent.size == 0) return;
  const bool grows =
      pending_.extent.size > 0 && pending_.extent.end() == extent.offset && pending_.why == why;
  if (grows) {
    pending_.extent.size += extent.size;
  } else {
    keep_up_to(extent.offset);
    // Of millions of runs each would ask for memory again.
    if (pending_.file.empty()) pending_.file = name_;
    pending_.extent = extent;
    pending_.why = why;
  }
  at_ = extent.end();
  summary_.commands_dropped += commands;
}

void PartOutput::settle_drop() {
  if (pending_.extent.size == 0) return;
  if (to_) lost_.add(pending_, from_);
  summary_.bytes_dropped += pending_.extent.size;
  ++summary_.runs_dropped;
  if (summary_.first_runs.size() < kRunsTold) summary_.first_runs.push_back(pending_);
  pending_.extent = {};
}

void PartOutput::observe(std::function<void(Bytes)> observer) {
  if (to_) to_->observe(std::move(observer));
}

void PartOutput::insert(uint64_t offset, Bytes bytes) {
  keep_up_to(offset);
  if (to_) to_->write(bytes);
  summary_.bytes_inserted += bytes.size();
}

void PartOutput::finish(uint64_t end) {
  keep_up_to(end);
  if (to_) to_->finish();
}

// -------------------------------------------------------------------------------------------------- a set

struct SetOutput::State {
  State(const AppendSet& input, const OutputOptions& wanted, Tolerance put_up_with)
      : set(input), options(wanted), tolerance(std::move(put_up_with)), lost("", Existing::refuse, {}) {}

  const AppendSet& set;
  const OutputOptions& options;
  Tolerance tolerance;
  Shape shape = Shape::file;
  std::string path;
  std::string prefix;  // of the names in the folder
  std::unique_ptr<AtomicFile> file;
  std::unique_ptr<AtomicFolder> folder;
  LostFolder lost;
  std::vector<std::unique_ptr<ResultCheck>> checks;

  [[nodiscard]] bool writes() const { return !options.dry_run; }

  void find_place() {
    const bool single = set.manifest_path.empty();
    if (options.in_place) {
      shape = single ? Shape::file : Shape::folder;
      path = output_path(single ? set.parts.front().path : set.folder);
      return;
    }
    path = without_slashes(options.path);
    shape = set.kind == SetKind::file         ? Shape::file
            : set.kind == SetKind::append_dir ? Shape::folder
                                              : Shape::nested;
    const fs::path folder_name = fs::path(without_slashes(set.folder)).filename();
    if (shape == Shape::nested && !single) prefix = folder_name.string() + "/";
    check_apart(set, path);
  }

  void open() {
    if (!writes()) return;
    const Existing existing = options.in_place ? Existing::back_up
                              : options.force  ? Existing::replace
                                               : Existing::refuse;
    const Attributes attributes = like(shape == Shape::file ? set.parts.front().path : set.folder);
    if (shape == Shape::file) {
      file = std::make_unique<AtomicFile>(path, existing, attributes);
    } else {
      folder = std::make_unique<AtomicFolder>(path, existing, attributes);
    }
    // A device keeps nothing beside it.
    const bool keeps = !is_device(path);
    lost = LostFolder(keeps ? path + kLostSuffix : "", options.in_place ? Existing::back_up : existing,
                      like(set.parts.front().path));
  }

  std::unique_ptr<ByteSink> create(const SetPart& part) const {
    if (!folder) return nullptr;
    return folder->create(prefix + part.name, like(part.path));
  }

  void write_manifest(const Manifest& manifest) const {
    if (!folder || set.manifest_path.empty()) return;
    const std::string name = fs::path(set.manifest_path).filename().string();
    const std::unique_ptr<ByteSink> to = folder->create(prefix + name, like(set.manifest_path));
    to->write(format_manifest(manifest));
    to->finish();
  }

  // Follows the writing of a part, if there is anything to follow.
  std::unique_ptr<ByteSink> checked(const SetPart& part, std::unique_ptr<ByteSink> to) {
    const std::string written = file ? file->temporary() : folder->path_of(prefix + part.name);
    if (written.empty()) return to;
    checks.push_back(std::make_unique<ResultCheck>(part, written, tolerance.known));
    return std::make_unique<CheckedSink>(std::move(to), *checks.back());
  }

  // What was written must be whole before anybody sees it.
  void check_result() const {
    FindingList found;
    if (folder) {
      SetOptions reading;
      ServerConf conf = set.conf;
      if (!prefix.empty()) conf.appenddirname = prefix.substr(0, prefix.size() - 1);
      reading.conf = &conf;
      open_append_set(folder->temporary(), found, reading);
    }
    for (const std::unique_ptr<ResultCheck>& check : checks) {
      for (const Finding& finding : check->findings()) found.report(finding);
    }
    for (const Finding& finding : found.all) {
      if (is_flaw(finding, tolerance)) refuse_result(finding);
    }
  }
};

SetOutput::SetOutput(const AppendSet& set, const OutputOptions& options, Tolerance tolerance)
    : state_(std::make_unique<State>(set, options, std::move(tolerance))) {
  if (options.dry_run && options.path.empty()) return;
  state_->find_place();
  state_->open();
}

SetOutput::~SetOutput() = default;

Manifest without_history(Manifest manifest) {
  std::erase_if(manifest.lines, [](const ManifestLine& line) { return line.type == ManifestType::history; });
  return manifest;
}

std::unique_ptr<PartOutput> SetOutput::begin_part(const SetPart& part, ByteSource& from) {
  std::unique_ptr<ByteSink> to;
  if (state_->file)
    to = std::make_unique<BorrowedSink>(*state_->file);
  else
    to = state_->create(part);
  if (to) to = state_->checked(part, std::move(to));
  return std::make_unique<PartOutput>(from, part.name, std::move(to), state_->lost, summary_);
}

void SetOutput::drop_part(const SetPart& part, ByteSource& from, Bytes why, uint64_t commands) {
  const LeftOut all{part.name, {0, from.size().value_or(part.size)}, std::string(why)};
  summary_.commands_dropped += commands;
  if (all.extent.size == 0) return;
  if (state_->writes()) state_->lost.add(all, from);
  summary_.bytes_dropped += all.extent.size;
  ++summary_.runs_dropped;
  if (summary_.first_runs.size() < kRunsTold) summary_.first_runs.push_back(all);
}

EditSummary SetOutput::commit(const Manifest& manifest) {
  FindingList changes;
  if (state_->set.kind != SetKind::file && !is_unchanged(state_->set, changes)) {
    throw EditRefused(EditRefused::Kind::changed,
                      changes.all.front().file +
                          ": the set changed while it was being read, and nothing was " +
                          "written; copy it, or stop the server, and work on the copy");
  }
  if (!state_->writes()) return summary_;
  state_->write_manifest(manifest);
  if (state_->file) state_->file->finish();
  state_->check_result();
  // What was left out is there before what it was left out of.
  summary_.lost = state_->lost.commit();
  if (state_->file)
    state_->file->commit();
  else
    state_->folder->commit();
  summary_.output = state_->path;
  summary_.backup = state_->file ? state_->file->backup() : state_->folder->backup();
  return summary_;
}

}  // namespace persist
