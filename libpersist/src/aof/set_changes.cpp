// Whether a server was at work on the set while it was read.
#include <optional>
#include <system_error>

#include "aof/folder.hpp"
#include "persist/append_set.hpp"

namespace persist {

namespace {

struct Change {
  std::string subject;
  std::string expected;
  std::string found;
};

std::optional<Change> manifest_change(const AppendSet& set) {
  if (set.manifest_path.empty()) return std::nullopt;
  std::string text;
  try {
    text = read_head(set.manifest_path, set.manifest_text.size() + 1);
  } catch (const std::system_error&) {
    if (set.manifest_text.empty()) return std::nullopt;  // there was none before
    return Change{"manifest", "the same bytes", "no file that can be read"};
  }
  if (text == set.manifest_text) return std::nullopt;
  return Change{"manifest", "the same bytes", "others"};
}

std::optional<Change> part_change(const SetPart& part, const FileState& now) {
  if (now.presence == Presence::absent) return Change{"part", "the same file", "none"};
  if (now.device != part.device || now.inode != part.inode) return Change{"part", "the same file", "another"};
  if (now.size >= part.size) return std::nullopt;
  return Change{"size", "at least " + std::to_string(part.size) + " bytes", std::to_string(now.size)};
}

bool report(FindingSink& findings, const std::string& path, const std::optional<Change>& change) {
  if (!change) return true;
  Finding finding;
  finding.code = FindingCode::set_changed;
  finding.file = path;
  finding.subject = change->subject;
  finding.expected = change->expected;
  finding.found = change->found;
  findings.report(finding);
  return false;
}

FileState state_now(const SetPart& part) {
  const size_t slash = part.path.rfind('/');
  if (slash == std::string::npos) return examine_file(".", part.path);
  return examine_file(slash == 0 ? "/" : part.path.substr(0, slash), part.path.substr(slash + 1));
}

}  // namespace

bool is_unchanged(const AppendSet& set, FindingSink& findings) {
  bool same = report(findings, set.manifest_path, manifest_change(set));
  for (const SetPart& part : set.parts) {
    // Pipes and files that were not there have no inode.
    if (!part.present || part.inode == 0) continue;
    same = report(findings, part.path, part_change(part, state_now(part))) && same;
  }
  return same;
}

}  // namespace persist
