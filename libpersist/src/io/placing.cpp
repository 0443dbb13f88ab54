// Renaming into place, so that under the name there is the old or the new at every moment.
//
// refuse     rename, unless the name is taken
// replace    file: rename over it. Folder: exchange the two, remove the old one
// back up    file: the old one gets a second name, the backup's, then rename over it. Folder: exchange the
//            two, rename the old one to the backup's name
//
// Where the kernel or the file system cannot do these in one step (ENOSYS, EINVAL), two renames must do. What
// fails halfway is undone; the old one is never removed before the new one is in place.
#include "io/placing.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <utility>

namespace persist {

namespace fs = std::filesystem;

namespace {

constexpr int kBackupsMax = 10'000;
constexpr size_t kBackupSuffixBytes = 9;  // ".bak.9999"

bool cannot_be_done_here(int error) {
  return error == EINVAL || error == ENOSYS || error == EOPNOTSUPP || error == EPERM;
}

int rename_with(unsigned flags, const std::string& from, const std::string& to) {
  return ::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), flags) == 0 ? 0 : errno;
}

bool is_taken(const std::string& path) {
  struct stat about {};
  return ::lstat(path.c_str(), &about) == 0;
}

// A file under a second name, and then without the first: the same in two steps.
int link_over(const std::string& from, const std::string& to) {
  if (::link(from.c_str(), to.c_str()) != 0) return errno;
  if (::unlink(from.c_str()) == 0) return 0;
  const int error = errno;
  ::unlink(to.c_str());
  return error;
}

// Returns EEXIST if the new name is taken, 0 or another errno.
int rename_if_free(const std::string& from, const std::string& to) {
  int error = rename_with(RENAME_NOREPLACE, from, to);
  if (!cannot_be_done_here(error)) return error;
  error = link_over(from, to);
  if (!cannot_be_done_here(error)) return error;
  // A folder, or a file system without links: what comes to be there between these two calls and is not an
  // empty folder is still safe from a folder, not from a file.
  if (is_taken(to)) return EEXIST;
  return ::rename(from.c_str(), to.c_str()) == 0 ? 0 : errno;
}

// Returns the first of the backup's names that take(name) could have, which returns as rename_if_free().
std::string take_backup_name(const std::string& path, FunctionRef<int(const std::string&)> take) {
  int error = EEXIST;
  for (int taken = 0; taken < kBackupsMax && error == EEXIST; ++taken) {
    std::string name = path + (taken == 0 ? ".bak" : ".bak." + std::to_string(taken));
    error = take(name);
    if (error == 0) return name;
  }
  throw trouble(error, path + ".bak");
}

std::string move_to_backup(const std::string& from, const std::string& path) {
  return take_backup_name(path, [&](const std::string& name) { return rename_if_free(from, name); });
}

void place_where_free(std::string& temporary, const std::string& path) {
  const int error = rename_if_free(temporary, path);
  if (error != 0) throw trouble(error, path);
  temporary.clear();
}

// Where the old one just went away from, it can go back to, even if a second link cannot be made now.
int move_back(const std::string& aside, const std::string& path) {
  const int error = rename_if_free(aside, path);
  if (error == 0 || is_taken(path)) return error;
  return ::rename(aside.c_str(), path.c_str()) == 0 ? 0 : errno;
}

// The old one out of the way, then the new one in.
Placed exchange_by_two_renames(std::string& temporary, const std::string& path, Existing existing) {
  Placed placed;
  if (existing == Existing::back_up) {
    placed.backup = move_to_backup(path, path);
  } else {
    placed.replaced = temporary + ".old";
    if (const int error = rename_if_free(path, placed.replaced)) throw trouble(error, path);
  }
  const std::string& aside = existing == Existing::back_up ? placed.backup : placed.replaced;
  if (const int error = rename_if_free(temporary, path)) {
    if (move_back(aside, path) == 0) throw trouble(error, path);
    throw trouble(error, path + " (the old one is " + aside + ")");
  }
  temporary.clear();
  return placed;
}

// After the exchange: gives the old one, now `old`, its name. If that fails, everything is as before.
std::string back_up_exchanged(std::string& temporary, const std::string& old, const std::string& path) {
  try {
    return move_to_backup(old, path);
  } catch (const std::system_error& error) {
    if (rename_with(RENAME_EXCHANGE, old, path) != 0)
      throw trouble(error.code().value(), path + " (the old one is " + old + ")");
    temporary = old;
    throw;
  }
}

Placed exchange_places(std::string& temporary, const std::string& path, Existing existing) {
  const int error = rename_with(RENAME_EXCHANGE, temporary, path);
  if (cannot_be_done_here(error)) return exchange_by_two_renames(temporary, path, existing);
  if (error != 0) throw trouble(error, path);
  const std::string old = std::exchange(temporary, {});
  if (existing == Existing::back_up) return {back_up_exchanged(temporary, old, path), {}};
  return {{}, old};
}

void replace_file(std::string& temporary, const std::string& path) {
  if (::rename(temporary.c_str(), path.c_str()) != 0) throw trouble(errno, path);
  temporary.clear();
}

Placed back_up_file(std::string& temporary, const std::string& path) {
  Placed placed;
  int linked = 0;
  placed.backup = take_backup_name(path, [&](const std::string& name) {
    linked = ::link(path.c_str(), name.c_str()) == 0 ? 0 : errno;
    // No links here, or none to somebody else's file: take the longer way below.
    return cannot_be_done_here(linked) || linked == EMLINK ? 0 : linked;
  });
  if (linked != 0) return exchange_places(temporary, path, Existing::back_up);
  try {
    replace_file(temporary, path);
  } catch (...) {
    ::unlink(placed.backup.c_str());
    throw;
  }
  return placed;
}

// Whether something is there. Throws if it is of the other kind.
bool stands(const std::string& path, bool is_folder) {
  struct stat about {};
  if (::lstat(path.c_str(), &about) != 0) {
    if (errno == ENOENT) return false;
    throw trouble(errno, path);
  }
  if (is_folder && !S_ISDIR(about.st_mode)) throw trouble(ENOTDIR, path);
  if (!is_folder && S_ISDIR(about.st_mode)) throw trouble(EISDIR, path);
  return true;
}

}  // namespace

void check_place(const std::string& path, Existing existing, bool is_folder) {
  if (!stands(path, is_folder)) return;
  if (existing == Existing::refuse) throw trouble(EEXIST, path);
  const size_t name_bytes = fs::path(path).filename().native().size();
  if (existing == Existing::back_up && name_bytes + kBackupSuffixBytes > kNameBytesMax)
    throw trouble(ENAMETOOLONG, path + ".bak");
}

Placed place_file(std::string& temporary, const std::string& path, Existing existing) {
  if (existing == Existing::refuse || !stands(path, false)) {
    place_where_free(temporary, path);
    return {};
  }
  if (existing == Existing::back_up) return back_up_file(temporary, path);
  replace_file(temporary, path);
  return {};
}

Placed place_folder(std::string& temporary, const std::string& path, Existing existing) {
  if (existing == Existing::refuse || !stands(path, true)) {
    place_where_free(temporary, path);
    return {};
  }
  return exchange_places(temporary, path, existing);
}

int remove_tree(const std::string& path) {
  std::error_code error;
  fs::remove_all(path, error);
  return error.value();
}

}  // namespace persist
