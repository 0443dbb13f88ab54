// Each run is appended to a file with the name of its part, so that what was dropped of a log is a log again;
// index.jsonl has a line for each.
#include "ops/lost_folder.hpp"

#include "io/copy.hpp"
#include "io/gathering_sink.hpp"
#include "text/json_string.hpp"

namespace persist {

namespace {

constexpr Bytes kIndexName = "index.jsonl";
constexpr size_t kLinesAtOnce = size_t{64} << 10;

void append_line(ByteBuffer& line, const LeftOut& run) {
  line.append("{\"file\":");
  append_json_string(line, run.file);
  line.append(",\"offset\":");
  line.append_number(run.extent.offset);
  line.append(",\"size\":");
  line.append_number(run.extent.size);
  line.append(",\"why\":");
  append_json_string(line, run.why);
  line.append("}\n");
}

// Who may read the files may enter the folder.
Attributes folder_attributes(Attributes of_files) {
  constexpr uint32_t kReaders = 0444;
  constexpr uint32_t kOwnerAll = 0700;
  if (of_files.mode) of_files.mode = *of_files.mode | kOwnerAll | ((*of_files.mode & kReaders) >> 2);
  return of_files;
}

}  // namespace

void LostFolder::add(const LeftOut& run, ByteSource& from) {
  if (path_.empty()) return;
  if (!folder_) {
    folder_ = std::make_unique<AtomicFolder>(path_, existing_, folder_attributes(attributes_));
    index_ = folder_->create(std::string(kIndexName), attributes_);
  }
  copy_range(from, run.extent, file_of(run.file));
  append_line(lines_, run);
  if (lines_.size() >= kLinesAtOnce) flush_index();
}

// Nearly always the file of the run before.
ByteSink& LostFolder::file_of(const std::string& name) {
  if (last_file_ != nullptr && last_name_ == name) return *last_file_;
  std::unique_ptr<ByteSink>& file = files_[name];
  if (!file) {
    // A part may have any name, and the index is there already.
    const std::string own = name == kIndexName ? "part-" + name : name;
    file = std::make_unique<GatheringSink>(folder_->create(own, attributes_));
  }
  last_name_ = name;
  last_file_ = file.get();
  return *file;
}

void LostFolder::flush_index() {
  index_->write(lines_.bytes());
  lines_.clear();
}

std::string LostFolder::commit() {
  if (!folder_) return {};
  flush_index();
  index_->finish();
  for (const auto& [name, file] : files_) file->finish();
  folder_->commit();
  return path_;
}

}  // namespace persist
