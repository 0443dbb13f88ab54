// Each run is appended to a file with the name of its part, so that what was dropped of a log is a log again;
// index.jsonl has a line for each.
#include "ops/lost_folder.hpp"

#include "io/copy.hpp"
#include "text/json_string.hpp"

namespace persist {

namespace {

constexpr Bytes kIndexName = "index.jsonl";
constexpr size_t kLinesAtOnce = size_t{64} << 10;

void append_line(std::string& lines, const LeftOut& run) {
  TextBuffer line;
  line.append("{\"file\":");
  append_json_string(line, run.file);
  line.append(",\"offset\":");
  line.append_number(run.extent.offset);
  line.append(",\"size\":");
  line.append_number(run.extent.size);
  line.append(",\"why\":");
  append_json_string(line, run.why);
  line.append("}\n");
  lines += line.bytes();
}

}  // namespace

void LostFolder::add(const LeftOut& run, ByteSource& from) {
  if (path_.empty()) return;
  if (!folder_) {
    folder_ = std::make_unique<AtomicFolder>(path_, existing_);
    index_ = folder_->create(std::string(kIndexName));
  }
  std::unique_ptr<ByteSink>& file = files_[run.file];
  // A part may have any name, and the index is there already.
  if (!file) file = folder_->create(run.file == kIndexName ? "part-" + run.file : run.file);
  copy_range(from, run.extent, *file);
  append_line(lines_, run);
  if (lines_.size() >= kLinesAtOnce) flush_index();
}

void LostFolder::flush_index() {
  index_->write(lines_);
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
