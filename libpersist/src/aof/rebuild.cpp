// The manifest that the files suggest. What can be relied on:
//
// - A rewrite opens a new incr file, forks, and the child writes the next base. When that is done, the base
// is
//   renamed into place, and the old base and all incr files but the newest become history, which is deleted
//   at once. So a set has one base, and all its incr files follow it, except in the moment of that clean-up.
//   An older base that still lies there says that it is this moment: then only the newest incr file follows
//   the newer base, and to replay the others would apply their commands twice.
// - A rewrite that fails leaves its incr file in use: several of them are ordinary.
// - An incr file that was last written to before its base was made cannot follow it. The base tells when that
//   was (AUX field ctime, or the timestamp annotation at its head); a base that claims to be younger than its
//   own file shows that times were changed, and then they are not used.
//
// What the manifest says, where it can be read, counts more than all that.
#include <algorithm>
#include <cstring>
#include <iterator>
#include <set>

#include "aof/folder.hpp"
#include "aof/manifest_lines.hpp"
#include "aof/part_name.hpp"
#include "base/decimal.hpp"
#include "base/endian.hpp"
#include "persist/append_set.hpp"

namespace persist {

namespace {

struct PartFile {
  ManifestLine line;
  FileState state;
};

constexpr size_t kBaseHeadBytes = 4096;

// AUX fields are the first records of an RDB file.
std::optional<int64_t> rdb_ctime(Bytes head) {
  constexpr Bytes kField(
      "\xfa\x05"
      "ctime",
      7);
  constexpr char kInt32 = '\xc2';
  constexpr size_t kDigitsMax = 20;
  const size_t at = head.find(kField);
  if (at == Bytes::npos) return std::nullopt;
  const Bytes value = head.substr(at + kField.size());
  if (value.size() > sizeof(uint32_t) && value.front() == kInt32) return load_le<uint32_t>(value.data() + 1);
  if (value.empty() || static_cast<uint8_t>(value.front()) > kDigitsMax) return std::nullopt;
  return parse_decimal<int64_t>(value.substr(1, static_cast<uint8_t>(value.front())));
}

// "#TS:1628217470\r\n"
std::optional<int64_t> annotated_time(Bytes head) {
  constexpr Bytes kMark = "#TS:";
  if (!head.starts_with(kMark)) return std::nullopt;
  head.remove_prefix(kMark.size());
  return parse_decimal<int64_t>(head.substr(0, std::min(head.find_first_of("\r\n"), head.size())));
}

// In seconds since 1970: when the data of a base was that of the server.
std::optional<int64_t> made_at(const std::string& folder, const PartFile& base) {
  const std::string head = read_head(join_path(folder, base.line.file), kBaseHeadBytes);
  const bool is_rdb = head.starts_with("REDIS") || head.starts_with("VALKEY");
  const std::optional<int64_t> time = is_rdb ? rdb_ctime(head) : annotated_time(head);
  return time && base.state.modified_s() >= *time ? time : std::nullopt;
}

class Rebuilder {
 public:
  explicit Rebuilder(const AppendSet& set)
      : set_(set), lines_(set.manifest_sound ? set.manifest.lines : salvage_manifest(set.manifest_text)) {
    const Bytes manifest_path = set.manifest_path;
    stems_.emplace(manifest_stem(manifest_path.substr(manifest_path.rfind('/') + 1)));
    for (const ManifestLine& line : lines_) {
      listed_.insert(line.file);
      if (const auto name = parse_part_name(line.file)) stems_.emplace(name->stem);
    }
  }

  RebuiltManifest run() {
    find_files();
    pick_base();
    pick_incrs();
    assemble();
    return std::move(result_);
  }

 private:
  void find_files() {
    std::set<std::string> seen;
    for (const ManifestLine& line : lines_) {
      if (!is_plain_name(line.file)) continue;
      const FileState state = examine_file(set_.folder, line.file);
      if (state.presence != Presence::file) continue;
      if (seen.insert(line.file).second || set_.manifest_sound) listed_files_.push_back({line, state});
    }
    for (const std::string& name : names_in(set_.folder)) {
      const std::optional<PartName> part = parse_part_name(name);
      if (!part || !stems_.contains(std::string(part->stem)) || listed_.contains(name)) continue;
      const FileState state = examine_file(set_.folder, name);
      if (state.presence != Presence::file) continue;
      unlisted_files_.push_back({{name, part->sequence, part->type, {}}, state});
    }
    std::ranges::stable_sort(listed_files_, {}, sequence_of);
    std::ranges::stable_sort(unlisted_files_, {}, sequence_of);
  }

  static int64_t sequence_of(const PartFile& file) { return file.line.sequence; }

  static const PartFile* newest(const std::vector<PartFile>& files, ManifestType type) {
    const PartFile* found = nullptr;
    for (const PartFile& file : files) {
      if (file.line.type == type) found = &file;
    }
    return found;
  }

  void pick_base() {
    base_ = newest(listed_files_, ManifestType::base);
    if (base_ != nullptr) return;
    int64_t lost = 0;  // the sequence of a base that is listed, but not there
    for (const ManifestLine& line : lines_) {
      if (line.type == ManifestType::base) lost = std::max(lost, line.sequence);
    }
    lacks_base_ = lost != 0 || !set_.manifest_sound;
    const PartFile* candidate = newest(unlisted_files_, ManifestType::base);
    // An older base does not reach up to the incr files that there are.
    if (!lacks_base_ || candidate == nullptr || candidate->line.sequence <= lost) return;
    base_ = candidate;
    lacks_base_ = false;
    replaces_lost_ = lost != 0;
  }

  [[nodiscard]] bool has_older_base() const {
    if (base_ == nullptr) return false;
    const auto is_older = [&](const PartFile& file) {
      return file.line.type == ManifestType::base && file.line.sequence < base_->line.sequence;
    };
    return std::ranges::any_of(unlisted_files_, is_older);
  }

  void pick_incrs() {
    const std::vector<PartFile> listed = of_type(listed_files_, ManifestType::incr);
    const std::vector<PartFile> unlisted = of_type(unlisted_files_, ManifestType::incr);
    if (replaces_lost_) {
      std::vector<PartFile> all = listed;
      std::ranges::copy(unlisted, std::back_inserter(all));
      std::ranges::stable_sort(all, {}, sequence_of);
      pick_newest(
          all,
          "The base that a rewrite had just made, in place of the lost one, and the newest incr file, "
          "the only one that follows it.");
    } else if (set_.manifest_sound) {
      incrs_ = listed;
      result_.rule = "What the manifest lists, without the files that are not there.";
    } else if (highest_listed_incr() != 0) {
      incrs_ = listed;
      result_.rule = "What could be read of the manifest, and the incr files with higher sequences.";
      std::ranges::copy_if(unlisted, std::back_inserter(incrs_),
                           [&](const PartFile& file) { return file.line.sequence > highest_listed_incr(); });
    } else if (has_older_base()) {
      pick_newest(unlisted,
                  "The base with the highest sequence and the newest incr file: an older base beside it "
                  "shows that a rewrite had just ended, after which only that one is in use.");
    } else {
      pick_by_time(unlisted);
    }
  }

  void pick_newest(const std::vector<PartFile>& files, const char* rule) {
    if (!files.empty()) incrs_.push_back(files.back());
    result_.rule = rule;
  }

  void pick_by_time(const std::vector<PartFile>& files) {
    const std::optional<int64_t> made = base_ == nullptr ? std::nullopt : made_at(set_.folder, *base_);
    std::ranges::copy_if(files, std::back_inserter(incrs_), [&](const PartFile& file) {
      return !made || file.state.size == 0 || file.state.modified_s() >= *made;
    });
    if (incrs_.size() < files.size()) {
      result_.rule =
          "The base with the highest sequence and the incr files that were written to after it was made.";
    } else {
      result_.rule = "The base with the highest sequence and all incr files in ascending order.";
    }
  }

  [[nodiscard]] int64_t highest_listed_incr() const {
    int64_t highest = 0;
    for (const ManifestLine& line : lines_) {
      if (line.type == ManifestType::incr) highest = std::max(highest, line.sequence);
    }
    return highest;
  }

  static std::vector<PartFile> of_type(const std::vector<PartFile>& files, ManifestType type) {
    std::vector<PartFile> found;
    std::ranges::copy_if(files, std::back_inserter(found),
                         [&](const PartFile& file) { return file.line.type == type; });
    return found;
  }

  void assemble() {
    Manifest& manifest = result_.manifest;
    if (base_ != nullptr) manifest.lines.push_back(base_->line);
    int64_t sequence = 0;
    for (PartFile& incr : incrs_) {
      // Servers want them to ascend.
      if (incr.line.sequence <= sequence) incr.line.sequence = sequence + 1;
      sequence = incr.line.sequence;
      manifest.lines.push_back(std::move(incr.line));
    }
    std::set<std::string> chosen;
    for (const ManifestLine& line : manifest.lines) chosen.insert(line.file);
    std::set<std::string> left_out;
    for (const std::vector<PartFile>* files : {&listed_files_, &unlisted_files_}) {
      for (const PartFile& file : *files) {
        if (!file.line.file.empty() && !chosen.contains(file.line.file)) left_out.insert(file.line.file);
      }
    }
    result_.left_out.assign(left_out.begin(), left_out.end());
    if (manifest.lines.empty()) {
      result_.rule = "There are no files that a manifest could list.";
      return;
    }
    manifest.comments = set_.manifest.comments;
    if (lacks_base_) result_.rule += " There is no base: what it held is missing.";
  }

  const AppendSet& set_;
  std::vector<ManifestLine> lines_;  // what the manifest lists
  std::set<std::string> listed_;
  std::set<std::string> stems_;           // of this set's parts
  std::vector<PartFile> listed_files_;    // those that are there, by sequence
  std::vector<PartFile> unlisted_files_;  //
  const PartFile* base_ = nullptr;
  bool lacks_base_ = false;
  bool replaces_lost_ = false;
  std::vector<PartFile> incrs_;
  RebuiltManifest result_;
};

}  // namespace

RebuiltManifest rebuild_manifest(const AppendSet& set) {
  if (set.folder.empty() || set.manifest_path.empty()) {
    return {{}, "A single file needs no manifest.", {}};
  }
  return Rebuilder(set).run();
}

}  // namespace persist
