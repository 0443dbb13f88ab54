// From a path to the set: file, append directory or data dir, and what a server would load of it.
#include "persist/append_set.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <functional>
#include <stdexcept>
#include <system_error>
#include <tuple>

#include "aof/folder.hpp"
#include "aof/part_name.hpp"
#include "aof/set_reader.hpp"

namespace persist {

namespace {

namespace fs = std::filesystem;

constexpr size_t kSniffBytes = 4096;
constexpr Bytes kRewriteName = "temp-rewriteaof-";
constexpr Bytes kAofSuffix = ".aof";
constexpr Bytes kRdbSuffix = ".rdb";

// "*3\r\n", an annotation, or an RDB preamble. A log without any bytes is one, too.
bool looks_like_log(Bytes head) {
  return head.empty() || head.starts_with('*') || head.starts_with('#') || head.starts_with("REDIS") ||
         head.starts_with("VALKEY");
}

bool is_file(const std::string& folder, const std::string& name) {
  return examine_file(folder, name).presence == Presence::file;
}

// The first if it is there; else the only name that the test takes; none if there are several or none.
std::string first_or_only(const std::vector<std::string>& names, const std::string& first,
                          const std::function<bool(const std::string&)>& is_one) {
  if (std::ranges::binary_search(names, first) && is_one(first)) return first;
  std::string only;
  for (const std::string& name : names) {
    if (!is_one(name)) continue;
    if (!only.empty()) return {};
    only = name;
  }
  return only;
}

std::string parent_of(const std::string& path) {
  const std::string parent = fs::path(path).parent_path().string();
  return parent.empty() ? "." : parent;
}

// What a manifest without any line of its own says cannot be told by its content.
bool is_manifest_file(const std::string& path) {
  const std::string head = read_head(path, kSniffBytes);
  if (looks_like_manifest(head)) return true;
  return is_manifest_name(fs::path(path).filename().string()) &&
         (head.empty() || !looks_like_log(head) || head.starts_with('#'));
}

class Opener {
 public:
  Opener(const std::string& path, FindingSink& findings, const SetOptions& options) : findings_(findings) {
    set_.path = path;
    if (options.conf != nullptr) set_.conf = *options.conf;
  }

  AppendSet open() {
    struct stat about {};
    if (set_.path != "-" && ::stat(set_.path.c_str(), &about) != 0) {
      throw std::system_error(errno, std::generic_category(), set_.path);
    }
    if (S_ISDIR(about.st_mode)) {
      open_folder();
    } else if (S_ISREG(about.st_mode) && is_manifest_file(set_.path)) {
      set_.kind = SetKind::append_dir;
      read_set(parent_of(set_.path), fs::path(set_.path).filename().string(), findings_, set_);
    } else {
      open_file(about);
    }
    std::ranges::stable_sort(set_.others, [](const SetPart& a, const SetPart& b) {
      return std::tie(a.role, a.sequence, a.name) < std::tie(b.role, b.sequence, b.name);
    });
    return std::move(set_);
  }

 private:
  void open_file(const struct stat& about) {
    SetPart part;
    part.name = fs::path(set_.path).filename().string();
    part.path = set_.path;
    part.present = true;
    if (S_ISREG(about.st_mode)) {
      part.size = static_cast<uint64_t>(about.st_size);
      part.device = about.st_dev;
      part.inode = about.st_ino;
      part.modified_ns = static_cast<int64_t>(about.st_mtim.tv_sec) * 1'000'000'000 + about.st_mtim.tv_nsec;
    }
    set_.parts.push_back(std::move(part));
  }

  void open_folder() {
    const std::vector<std::string> names = names_in(set_.path);
    if (holds_set(names)) {
      set_.kind = SetKind::append_dir;
      read_set(set_.path, choose_manifest(set_.path, names, set_.conf.appendfilename), findings_, set_);
    } else {
      set_.kind = SetKind::data_dir;
      open_data_dir(names);
    }
  }

  void open_data_dir(const std::vector<std::string>& names) {
    const std::string append_dir = find_append_dir(names);
    const std::string old_aof = find_old_aof(names, append_dir.empty());
    const std::string rdb = find_rdb(names);
    if (!rdb.empty()) set_.rdb_path = join_path(set_.path, rdb);
    if (set_.conf.appendonly == false) {
      if (rdb.empty()) refuse_without_log(append_dir, old_aof);
      return;
    }
    if (!append_dir.empty()) {
      open_append_dir(append_dir, old_aof);
    } else if (!old_aof.empty()) {
      load_old_aof(old_aof);
    } else if (rdb.empty()) {
      refuse_empty();
    } else if (set_.conf.appendonly == true) {
      report_file(findings_, FindingCode::set_starts_empty, set_.rdb_path);
    }
    list_rewrites(names);
    check_rdb(rdb);
  }

  // What this toolkit puts beside a set: backups, what was left out, results that were never finished.
  [[nodiscard]] static bool is_left_behind(const std::string& name) {
    return name.front() == '.' || name.ends_with(".lost") || name.ends_with(".bak") ||
           name.find(".bak.") != std::string::npos || name.find(".lost.bak") != std::string::npos;
  }

  // A folder that is empty is none: the servers' own, before anything is in it.
  [[nodiscard]] bool is_append_dir(const std::string& name) const {
    const std::string path = join_path(set_.path, name);
    std::error_code unreadable;
    return fs::is_directory(path, unreadable) && holds_set(names_in(path));
  }

  std::string find_append_dir(const std::vector<std::string>& names) {
    if (std::ranges::binary_search(names, set_.conf.appenddirname) &&
        is_append_dir(set_.conf.appenddirname)) {
      return set_.conf.appenddirname;
    }
    std::vector<std::string> found;
    for (const std::string& name : names) {
      std::error_code unreadable;
      if (is_left_behind(name)) continue;
      // Other folders may be anybody's: one that cannot be read is passed over.
      const fs::directory_iterator readable(join_path(set_.path, name), unreadable);
      if (!unreadable && is_append_dir(name)) found.push_back(name);
    }
    if (found.size() > 1) refuse_several("append directory", found);
    return found.empty() ? "" : found.front();
  }

  std::string find_old_aof(const std::vector<std::string>& names, bool needed) {
    const std::string& configured = set_.conf.appendfilename;
    if (is_file(set_.path, configured)) return configured;
    std::vector<std::string> found;
    for (const std::string& name : names) {
      if (!name.ends_with(kAofSuffix) || is_temporary_name(name) || !is_file(set_.path, name)) continue;
      if (looks_like_log(read_head(join_path(set_.path, name), kSniffBytes))) found.push_back(name);
    }
    if (found.size() > 1 && needed) refuse_several("AOF", found);
    return found.size() == 1 ? found.front() : "";
  }

  std::string find_rdb(const std::vector<std::string>& names) {
    return first_or_only(names, set_.conf.dbfilename, [&](const std::string& name) {
      const bool named = name == set_.conf.dbfilename || name.ends_with(kRdbSuffix);
      return named && !is_temporary_name(name) && is_file(set_.path, name);
    });
  }

  void open_append_dir(const std::string& name, const std::string& old_aof) {
    const std::string folder = join_path(set_.path, name);
    const std::string manifest = choose_manifest(folder, names_in(folder), set_.conf.appendfilename);
    // What the manifest reports does not count if the old AOF turns out to be what is loaded.
    FindingList found;
    AppendSet append_dir = set_;
    read_set(folder, manifest, found, append_dir);
    if (!old_aof.empty() && moves_in(append_dir, found, old_aof)) {
      load_old_aof(old_aof);
      leave_unread(append_dir);
      return;
    }
    set_ = std::move(append_dir);
    for (const Finding& finding : found.all) findings_.report(finding);
    if (old_aof.empty()) return;
    set_.old_aof_path = join_path(set_.path, old_aof);
    report_file(findings_, FindingCode::set_old_aof, set_.old_aof_path);
  }

  // Whether a server takes the old AOF into the append directory when it starts: as long as no manifest lists
  // anything, or all it lists is that file, which has not arrived there.
  [[nodiscard]] bool moves_in(const AppendSet& dir, const FindingList& found,
                              const std::string& old_aof) const {
    if (old_aof != set_.conf.appendfilename) return false;
    constexpr std::array kNothingListed = {FindingCode::manifest_missing, FindingCode::manifest_comments};
    const bool lists_nothing = std::ranges::any_of(found.all, [&](const Finding& finding) {
      return std::ranges::find(kNothingListed, finding.code) != kNothingListed.end();
    });
    if (lists_nothing) return true;
    return dir.manifest_sound && dir.parts.size() == 1 && dir.parts.front().role == PartRole::base &&
           dir.parts.front().name == old_aof && !dir.parts.front().present;
  }

  void load_old_aof(const std::string& name) {
    set_.folder = set_.path;
    set_.parts.push_back(make_part(set_.path, name, PartRole::single, 0, examine_file(set_.path, name)));
  }

  // What lies in the append directory while the old AOF is the log.
  void leave_unread(AppendSet& append_dir) {
    for (SetPart& part : append_dir.parts) {
      if (!part.present) continue;
      part.role = PartRole::unlisted;
      add_other(set_, findings_, FindingCode::set_unlisted, std::move(part));
    }
    for (SetPart& part : append_dir.others) {
      const bool temporary = part.role == PartRole::temporary;
      const FindingCode code = temporary ? FindingCode::set_temporary : FindingCode::set_unlisted;
      if (!temporary) part.role = PartRole::unlisted;
      add_other(set_, findings_, code, std::move(part));
    }
  }

  void list_rewrites(const std::vector<std::string>& names) {
    for (const std::string& name : names) {
      if (!name.starts_with(kRewriteName) || !name.ends_with(kAofSuffix)) continue;
      const FileState state = examine_file(set_.path, name);
      if (state.presence != Presence::file) continue;
      add_other(set_, findings_, FindingCode::set_temporary,
                make_part(set_.path, name, PartRole::temporary, 0, state));
    }
  }

  // An RDB file that is older than the log is what one expects to find; a newer one may have been put there
  // to be loaded.
  void check_rdb(const std::string& name) {
    if (name.empty() || set_.parts.empty()) return;
    const int64_t saved = examine_file(set_.path, name).modified_ns;
    int64_t logged = 0;
    for (const SetPart& part : set_.parts) logged = std::max(logged, part.modified_ns);
    if (logged != 0 && saved > logged) report_file(findings_, FindingCode::set_rdb_not_loaded, set_.rdb_path);
  }

  [[noreturn]] void refuse_several(const char* noun, const std::vector<std::string>& names) const {
    std::string text = set_.path + " holds more than one " + noun + ": name one of ";
    for (const std::string& name : names) text += (name == names.front() ? "" : ", ") + name;
    throw std::invalid_argument(text);
  }

  [[noreturn]] void refuse_empty() const {
    throw std::invalid_argument(set_.path + " holds neither an append directory (" + set_.conf.appenddirname +
                                "), nor an AOF (" + set_.conf.appendfilename + "), nor one RDB file (" +
                                set_.conf.dbfilename + ")");
  }

  [[noreturn]] void refuse_without_log(const std::string& append_dir, const std::string& old_aof) const {
    const std::string log = append_dir.empty() ? old_aof : append_dir;
    throw std::invalid_argument(set_.path + " holds no RDB file (" + set_.conf.dbfilename +
                                "), which is all that a server with `appendonly no` loads" +
                                (log.empty() ? "" : "; to read the log all the same, name " + log));
  }

  FindingSink& findings_;
  AppendSet set_;
};

}  // namespace

Bytes part_role_name(PartRole role) {
  constexpr std::array<Bytes, 6> kNames = {"single", "base", "incr", "history", "unlisted", "temporary"};
  return kNames[static_cast<size_t>(role)];
}

AppendSet open_append_set(const std::string& path, FindingSink& findings, const SetOptions& options) {
  return Opener(path, findings, options).open();
}

}  // namespace persist
