// What happens around a file while its end is being watched.
#include "ops/log_follow.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <exception>

namespace persist {

namespace {

constexpr int kLookEveryMs = 200;

class Unheard : public FindingSink {
 public:
  void report(const Finding& /*finding*/) override {}
};

// What tells one state of a file from another without reading it; empty if there is none.
std::string state_of(const std::string& path) {
  struct stat about {};
  if (::stat(path.c_str(), &about) != 0) return {};
  return std::to_string(about.st_ino) + ' ' + std::to_string(about.st_size) + ' ' +
         std::to_string(about.st_mtim.tv_sec) + ' ' + std::to_string(about.st_mtim.tv_nsec);
}

}  // namespace

LogFollower::LogFollower(const AppendSet& set, SetPart part, const LogFollowing& following,
                         std::function<void()> idle)
    : set_(set),
      part_(std::move(part)),
      following_(following),
      idle_(std::move(idle)),
      next_(part_),
      source_(part_.path, [this] { return wait(); }) {}

bool LogFollower::wait() {
  if (due_ != FollowEnd::none) {
    end_ = due_;
    return false;
  }
  idle_();
  if (!following_.pause(kLookEveryMs)) {
    end_ = FollowEnd::stopped;
    return false;
  }
  const FollowEnd found = look_around();
  if (found == FollowEnd::cut_off) {
    end_ = found;
    return false;
  }
  // Bytes may have been written before that happened: one more look.
  due_ = found;
  return true;
}

FollowEnd LogFollower::look_around() {
  const FollowSource::Change change = source_.change();
  if (change == FollowSource::Change::shorter) return FollowEnd::cut_off;
  if (set_.kind == SetKind::file || set_.manifest_path.empty())
    return change == FollowSource::Change::replaced ? FollowEnd::replaced : FollowEnd::none;
  const FollowEnd end = look_at_manifest();
  if (end == FollowEnd::none && change == FollowSource::Change::replaced) return FollowEnd::replaced;
  return end;
}

FollowEnd LogFollower::look_at_manifest() {
  std::string state = state_of(set_.manifest_path);
  if (state.empty() || state == manifest_seen_) return FollowEnd::none;
  try {
    Unheard unheard;
    const FollowEnd end = choose_next(open_append_set(set_.path, unheard, {&set_.conf}));
    manifest_seen_ = std::move(state);
    return end;
  } catch (const std::exception&) {
    return FollowEnd::none;  // in the middle of a change: it is looked at again
  }
}

FollowEnd LogFollower::choose_next(const AppendSet& now) {
  const auto is_behind = [&](const SetPart& part) {
    return part.present && part.role == PartRole::incr &&
           (part_.role != PartRole::incr || part.sequence > part_.sequence);
  };
  const auto behind = std::ranges::find_if(now.parts, is_behind);
  if (behind != now.parts.end()) {
    next_ = *behind;
    const bool gap = part_.role == PartRole::incr && next_.sequence != part_.sequence + 1;
    if (gap) following_.notice(next_.path, "files between it and " + part_.name + " were not seen");
    return FollowEnd::new_part;
  }
  // A set that has begun again from a lower number.
  const bool listed =
      std::ranges::any_of(now.parts, [&](const SetPart& part) { return part.path == part_.path; });
  if (listed || now.parts.empty() || !now.parts.back().present) return FollowEnd::none;
  next_ = now.parts.back();
  return FollowEnd::replaced;
}

}  // namespace persist
