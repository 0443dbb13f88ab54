// The check reads behind the writer, so that it is done soon after it.
#include "ops/checked_file.hpp"

#include <sys/stat.h>

#include "io/borrowed_sink.hpp"

namespace persist {

namespace {

bool leads_to_the_same(const std::string& a, const std::string& b) {
  struct stat of_a {};
  struct stat of_b {};
  return ::stat(a.c_str(), &of_a) == 0 && ::stat(b.c_str(), &of_b) == 0 && of_a.st_dev == of_b.st_dev &&
         of_a.st_ino == of_b.st_ino;
}

}  // namespace

bool place_checked_file(const std::string& path, Existing existing,
                        const std::function<bool(ByteSink&)>& make) {
  AtomicFile file(path, existing);
  if (file.temporary().empty()) {
    if (!make(file)) return false;
  } else {
    SetPart part;
    part.name = path;
    part.role = PartRole::single;
    part.sequence = 1;
    part.present = true;
    ResultCheck check(part, file.temporary(), {});
    CheckedSink sink(std::make_unique<BorrowedSink>(file), check);
    if (!make(sink)) return false;
    sink.finish();
    refuse_if_unsound(check);
  }
  file.commit();
  return true;
}

void refuse_if_unsound(ResultCheck& check) {
  for (const Finding& finding : check.findings()) {
    if (finding.kind().severity != Severity::error) continue;
    throw EditRefused(EditRefused::Kind::beyond, "the result would not be sound: " + finding.file +
                                                     " at offset " + std::to_string(finding.extent.offset) +
                                                     ": " + finding.message() + " [" +
                                                     std::string(finding.kind().id) + "]");
  }
}

void require_apart(const ConvertInput& input, const std::string& path) {
  const auto require = [&path](const std::string& of_input) {
    if (leads_to_the_same(of_input, path))
      throw EditRefused(EditRefused::Kind::unusable, path + " is an input: it is never written to");
  };
  for (const ByteSource* source : {input.rdb, input.json})
    if (source != nullptr) require(source->name());
  if (input.log == nullptr) return;
  for (const SetPart& part : input.log->parts) require(part.path);
  if (!input.log->folder.empty()) require(input.log->folder);
}

}  // namespace persist
