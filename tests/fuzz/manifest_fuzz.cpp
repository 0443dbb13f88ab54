// Manifests: one that servers read is the same after it was written and read again.
#include "persist/manifest.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "aof/manifest_lines.hpp"

namespace {

using namespace persist;

void require(bool holds) {
  if (!holds) std::abort();
}

// Written, pairs that no server knows may need more room than a line has, and are then left out.
constexpr size_t kFitsBytes = 200;

void compare(const Manifest& before, const Manifest& after, size_t size) {
  require(before.comments == after.comments);
  require(before.lines.size() == after.lines.size());
  for (const ManifestType type : {ManifestType::base, ManifestType::history, ManifestType::incr}) {
    auto other = after.lines.begin();
    for (const ManifestLine& line : before.lines) {
      if (line.type != type) continue;
      other = std::find_if(other, after.lines.end(), [&](const ManifestLine& l) { return l.type == type; });
      require(other != after.lines.end());
      require(other->file == line.file && other->sequence == line.sequence);
      if (size <= kFitsBytes) require(*other == line);
      ++other;
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const Bytes text(reinterpret_cast<const char*>(data), size);
  (void)looks_like_manifest(text);
  (void)salvage_manifest(text);
  FindingList findings;
  Manifest manifest;
  const bool sound = parse_manifest(text, "fuzz", findings, manifest);
  if (!sound && findings.all.empty()) std::abort();
  if (!sound || manifest.lines.empty()) return 0;
  // A name may be longer than any file system takes.
  const bool writable =
      std::ranges::all_of(manifest.lines, [](const ManifestLine& line) { return line.file.size() <= 255; });
  if (!writable) return 0;
  Manifest again;
  FindingList none;
  require(parse_manifest(format_manifest(manifest), "again", none, again));
  compare(manifest, again, size);
  return 0;
}
