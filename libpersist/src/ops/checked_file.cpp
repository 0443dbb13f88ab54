// The check reads behind the writer, so that it is done soon after it.
#include "ops/checked_file.hpp"

#include <sys/stat.h>

#include <filesystem>
#include <vector>

#include "io/borrowed_sink.hpp"

namespace persist {

namespace {

namespace fs = std::filesystem;

bool leads_to_the_same(const std::string& a, const std::string& b) {
  struct stat of_a {};
  struct stat of_b {};
  return ::stat(a.c_str(), &of_a) == 0 && ::stat(b.c_str(), &of_b) == 0 && of_a.st_dev == of_b.st_dev &&
         of_a.st_ino == of_b.st_ino;
}

}  // namespace

SetPart result_part(const std::string& name, PartRole role) {
  SetPart part;
  part.name = name;
  part.role = role;
  part.sequence = 1;
  part.present = true;
  return part;
}

bool place_checked_file(const std::string& path, Existing existing,
                        const std::function<bool(ByteSink&)>& make) {
  AtomicFile file(path, existing);
  if (file.temporary().empty()) {
    if (!make(file)) return false;
  } else {
    ResultCheck check(result_part(path), file.temporary(), {});
    CheckedSink sink(std::make_unique<BorrowedSink>(file), check);
    if (!make(sink)) return false;
    sink.finish();
    refuse_if_unsound(check);
  }
  file.commit();
  return true;
}

void refuse_if_unsound(ResultCheck& check) { refuse_if_unsound(check.findings()); }

void refuse_if_unsound(std::span<const Finding> findings) {
  for (const Finding& finding : findings) {
    if (finding.kind().severity != Severity::error) continue;
    throw EditRefused(EditRefused::Kind::beyond, "the result would not be sound: " + finding.file +
                                                     " at offset " + std::to_string(finding.extent.offset) +
                                                     ": " + finding.message() + " [" +
                                                     std::string(finding.kind().id) + "]");
  }
}

namespace {

// Whether `path` is `folder`, or lies in it.
bool lies_in(const std::string& path, const std::string& folder) {
  std::error_code none;
  for (fs::path at = fs::weakly_canonical(path, none); !at.empty() && at != at.root_path();
       at = at.parent_path())
    if (fs::equivalent(at, folder, none)) return true;
  return false;
}

}  // namespace

void require_apart(const ConvertInput& input, const std::string& path) {
  std::vector<std::string> inputs;
  for (const ByteSource* source : {input.rdb, input.json})
    if (source != nullptr) inputs.push_back(source->name());
  if (input.log != nullptr) {
    inputs.push_back(input.log->folder);
    for (const SetPart& part : input.log->parts) inputs.push_back(part.path);
  }
  for (const std::string& of_input : inputs) {
    if (of_input.empty()) continue;
    if (leads_to_the_same(of_input, path))
      throw EditRefused(EditRefused::Kind::unusable, path + " is an input: it is never written to");
    // A folder is replaced as a whole.
    if (lies_in(of_input, path)) {
      throw EditRefused(EditRefused::Kind::unusable,
                        std::string(of_input).append(" lies in ").append(path) + ", which would be replaced");
    }
  }
}

void require_replaceable(const std::string& folder, bool (*is_ours)(Bytes name)) {
  std::error_code none;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, none)) {
    const std::string name = entry.path().filename().string();
    if (entry.is_regular_file(none) && is_ours(name)) continue;
    throw EditRefused(
        EditRefused::Kind::unusable,
        std::string(folder).append(" holds ").append(name) +
            ", which is none of the files that --force replaces; give another folder, or move it");
  }
}

}  // namespace persist
