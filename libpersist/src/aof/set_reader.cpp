// Manifest versus folder: what is listed and there, listed and not there, there and not listed.
#include "aof/set_reader.hpp"

#include <algorithm>
#include <set>
#include <stdexcept>
#include <system_error>

#include "aof/folder.hpp"
#include "aof/part_name.hpp"

namespace persist {

namespace {

// No server gets anywhere near it.
constexpr size_t kManifestMax = size_t{1} << 20;

PartRole role_of(ManifestType type) {
  if (type == ManifestType::history) return PartRole::history;
  return type == ManifestType::base ? PartRole::base : PartRole::incr;
}

bool lists_data(const Manifest& manifest) {
  return std::ranges::any_of(manifest.lines,
                             [](const ManifestLine& line) { return line.type != ManifestType::history; });
}

std::string joined(const std::set<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

class SetReader {
 public:
  SetReader(FindingSink& findings, AppendSet& set) : findings_(findings), set_(set) {}

  void read(const std::string& folder, const std::string& manifest_name) {
    set_.folder = folder;
    set_.manifest_path = join_path(folder, manifest_name);
    read_manifest(manifest_name);
    for (const ManifestLine& line : set_.manifest.lines) check_listed(line);
    list_parts();
    stems_.emplace(manifest_stem(manifest_name));
    list_others();
  }

 private:
  void read_manifest(const std::string& name) {
    set_.manifest_sound = false;
    const FileState state = examine_file(set_.folder, name);
    if (state.presence == Presence::absent) {
      report_file(findings_, FindingCode::manifest_missing, set_.manifest_path);
      return;
    }
    if (state.presence == Presence::stray) {
      report_file(findings_, FindingCode::manifest_link, set_.manifest_path);
      return;
    }
    set_.manifest_text = read_head(set_.manifest_path, kManifestMax + 1);
    if (set_.manifest_text.size() > kManifestMax) {
      throw std::system_error(std::make_error_code(std::errc::file_too_large), set_.manifest_path);
    }
    set_.manifest_sound = parse_manifest(set_.manifest_text, set_.manifest_path, findings_, set_.manifest) &&
                          lists_data(set_.manifest);
  }

  // Reports each file once, and takes note of what must not count as unlisted.
  void check_listed(const ManifestLine& line) {
    if (!listed_.insert(line.file).second) return;
    if (const auto name = parse_part_name(line.file)) stems_.emplace(name->stem);
    const std::string path = join_path(set_.folder, line.file);
    if (!is_plain_name(line.file)) {
      report_file(findings_, FindingCode::manifest_path, path);
      return;
    }
    const FileState state = examine_file(set_.folder, line.file);
    if (line.type == ManifestType::history) {
      if (state.presence != Presence::file) return;  // gone, as it should be
      add_other(set_, findings_, FindingCode::set_history,
                make_part(set_.folder, line.file, PartRole::history, line.sequence, state));
    } else if (state.presence == Presence::absent) {
      report_file(findings_, FindingCode::manifest_missing_file, path);
    } else if (state.presence == Presence::stray) {
      report_file(findings_, FindingCode::manifest_link, path);
    }
  }

  void list_parts() {
    const Manifest loaded = set_.manifest_sound ? set_.manifest : rebuild_manifest(set_).manifest;
    for (const ManifestType type : {ManifestType::base, ManifestType::incr}) {
      for (const ManifestLine& line : loaded.lines) {
        if (line.type == type) list_part(line);
      }
    }
  }

  void list_part(const ManifestLine& line) {
    const FileState state = is_plain_name(line.file) ? examine_file(set_.folder, line.file) : FileState{};
    set_.parts.push_back(make_part(set_.folder, line.file, role_of(line.type), line.sequence, state));
    listed_.insert(line.file);
  }

  void list_others() {
    for (const std::string& name : names_in(set_.folder)) {
      if (listed_.contains(name)) continue;
      const std::optional<PartName> part = parse_part_name(name);
      const bool unlisted = part && stems_.contains(std::string(part->stem));
      if (!unlisted && !is_temporary_name(name)) continue;
      const FileState state = examine_file(set_.folder, name);
      if (state.presence != Presence::file) continue;
      const PartRole role = unlisted ? PartRole::unlisted : PartRole::temporary;
      add_other(set_, findings_, unlisted ? FindingCode::set_unlisted : FindingCode::set_temporary,
                make_part(set_.folder, name, role, unlisted ? part->sequence : 0, state));
    }
  }

  FindingSink& findings_;
  AppendSet& set_;
  std::set<std::string> listed_;
  std::set<std::string> stems_;  // of this set's parts
};

}  // namespace

bool holds_set(const std::vector<std::string>& names) {
  return std::ranges::any_of(
      names, [](const std::string& name) { return is_manifest_name(name) || parse_part_name(name); });
}

std::string choose_manifest(const std::string& folder, const std::vector<std::string>& names,
                            const std::string& configured) {
  std::set<std::string> manifests;
  std::set<std::string> wanted;  // by the parts that there are
  for (const std::string& name : names) {
    if (is_manifest_name(name)) manifests.insert(name);
    if (const auto part = parse_part_name(name)) {
      wanted.insert(std::string(part->stem) + std::string(kManifestSuffix));
    }
  }
  const std::set<std::string>& candidates = manifests.empty() ? wanted : manifests;
  std::string name = configured + std::string(kManifestSuffix);
  if (candidates.contains(name)) return name;
  if (candidates.size() == 1) return *candidates.begin();
  throw std::invalid_argument(folder + " holds more than one set: name one of " + joined(candidates));
}

void read_set(const std::string& folder, const std::string& manifest_name, FindingSink& findings,
              AppendSet& set) {
  SetReader(findings, set).read(folder, manifest_name);
}

void add_other(AppendSet& set, FindingSink& findings, FindingCode code, SetPart part) {
  report_file(findings, code, part.path);
  set.others.push_back(std::move(part));
}

SetPart make_part(const std::string& folder, const std::string& name, PartRole role, int64_t sequence,
                  const FileState& state) {
  SetPart part;
  part.name = name;
  part.path = join_path(folder, name);
  part.role = role;
  part.sequence = sequence;
  part.present = state.presence == Presence::file;
  part.size = part.present ? state.size : 0;
  part.device = state.device;
  part.inode = state.inode;
  part.modified_ns = state.modified_ns;
  return part;
}

void report_file(FindingSink& findings, FindingCode code, const std::string& path) {
  Finding finding;
  finding.code = code;
  finding.file = path;
  findings.report(finding);
}

}  // namespace persist
